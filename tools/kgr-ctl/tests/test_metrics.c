// SPDX-License-Identifier: GPL-2.0
/*
 * metrics: every line, valid as the format says, and the file.
 */
#include "fixture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "netlink.h"

int __wrap_kgr_nl_open(struct kgr_nl **nl);
void __wrap_kgr_nl_close(struct kgr_nl *nl);
int __wrap_kgr_nl_stragglers(struct kgr_nl *nl, kgr_straggler_fn fn, void *arg);

static int nl_ret;

int __wrap_kgr_nl_open(struct kgr_nl **nl)
{
	*nl = NULL;
	return nl_ret;
}

void __wrap_kgr_nl_close(struct kgr_nl *nl)
{
	(void)nl;
}

/* Two of one reason, one of another */
int __wrap_kgr_nl_stragglers(struct kgr_nl *nl, kgr_straggler_fn fn, void *arg)
{
	(void)nl;
	for (uint32_t i = 0; i < 3; i++) {
		struct kgr_straggler s = { .tid = 100 + i, .pid = 100 + i, .comm = "x",
					   .reason = i / 2 };
		int ret = fn(&s, arg);

		if (ret)
			return ret;
	}
	return 0;
}

static int setup(void **state)
{
	nl_ret = 0;
	return fixture_setup(state);
}

static bool has_line(const char *text, const char *line)
{
	size_t len = strlen(line);

	for (const char *p = text; (p = strstr(p, line)); p++)
		if ((p == text || p[-1] == '\n') && p[len] == '\n')
			return true;
	return false;
}

/* No blank lines; HELP, TYPE, then its samples, once for each family; an end */
static void assert_openmetrics(const char *text)
{
	char *copy = strdup(text), *rest = copy, *line, family[64] = "", seen[4096] = "";
	bool end = false;

	while ((line = strsep(&rest, "\n")) && (rest || *line)) {
		assert_false(end);
		if (!strcmp(line, "# EOF")) {
			end = true;
		} else if (!strncmp(line, "# HELP ", 7)) {
			snprintf(family, sizeof(family), " %.*s ", (int)strcspn(line + 7, " "),
				 line + 7);
			assert_null(strstr(seen, family));
			strcat(seen, family);
		} else if (!strncmp(line, "# TYPE ", 7)) {
			assert_int_equal(strncmp(line + 7, family + 1, strlen(family) - 1), 0);
			assert_string_equal(strrchr(line, ' '), " gauge");
		} else {
			size_t len = strcspn(line, "{ ");

			assert_int_equal(len, strlen(family) - 2);
			assert_int_equal(strncmp(line, family + 1, len), 0);
			strtod(strrchr(line, ' '), &line);
			assert_int_equal(*line, 0);
		}
	}
	assert_true(end);
	free(copy);
}

static void quiet_kernel(void **state)
{
	struct fixture *f = *state;
	struct utsname uts;
	char line[512];

	uname(&uts);
	put_patch(f, "demo", "applied");
	put_patch(f, "old", "reverted");
	assert_int_equal(run(f, "metrics", NULL), 0);
	assert_openmetrics(f->out);
	assert_true(has_line(f->out, "kgraft_available 1"));
	snprintf(line, sizeof(line),
		 "kgraft_info{release=\"%s\",effective=\"%s+demo\",mode=\"normal\"} 1", uts.release,
		 uts.release);
	assert_true(has_line(f->out, line));
	assert_true(has_line(f->out, "kgraft_patches{state=\"applied\"} 1"));
	assert_true(has_line(f->out, "kgraft_patches{state=\"applying\"} 0"));
	assert_true(has_line(f->out, "kgraft_patches{state=\"reverted\"} 1"));
	assert_true(has_line(f->out, "kgraft_transitions 0"));
	assert_true(has_line(f->out, "kgraft_installed_patches 0"));
	assert_true(has_line(f->out, "kgraft_held_back_patches 0"));
	/* the series are there, whether or not somebody is */
	assert_true(has_line(f->out, "kgraft_stragglers{reason=\"in-patched-function\"} 0"));
	assert_lacks(f->out, "kgraft_transition_age");
	assert_int_equal(run(f, "metrics", "--json", NULL), 0);
	assert_true(json_is_null(json_object_get(f->doc, "transition")));
}

static void transition(void **state)
{
	struct fixture *f = *state;

	put_patch(f, "demo", "applying");
	assert_int_equal(run(f, "metrics", NULL), 0);
	assert_openmetrics(f->out);
	assert_true(has_line(f->out, "kgraft_patches{state=\"applying\"} 1"));
	assert_true(has_line(f->out, "kgraft_transitions 1"));
	assert_contains(f->out, "\nkgraft_transition_age_seconds{patch=\"demo\"} ");
	assert_contains(f->out, "\nkgraft_transition_left{patch=\"demo\"} ");
	assert_true(has_line(f->out, "kgraft_stragglers{reason=\"in-patched-function\"} 2"));
	assert_int_equal(run(f, "metrics", "--json", NULL), 0);
	assert_string_equal(str(json_object_get(f->doc, "transition"), "name"), "demo");
	/* a kernel that can't say who they are */
	nl_ret = -ENOENT;
	assert_int_equal(run(f, "metrics", NULL), 0);
	assert_openmetrics(f->out);
	assert_lacks(f->out, "kgraft_stragglers");
	assert_int_equal(run(f, "metrics", "--json", NULL), 0);
	assert_true(json_is_null(json_object_get(f->doc, "reasons")));
}

static void no_kgraft(void **state)
{
	struct fixture *f = *state;

	remove_file(f, "sys/kernel/kgraft");
	assert_int_equal(run(f, "metrics", NULL), 0);
	assert_openmetrics(f->out);
	assert_true(has_line(f->out, "kgraft_available 0"));
	assert_true(has_line(f->out, "kgraft_patches{state=\"applied\"} 0"));
	assert_string_equal(f->err, "");
	assert_int_equal(run(f, "metrics", "--json", NULL), 0);
	assert_true(json_is_false(json_object_get(f->doc, "kgraft")));
}

static void unreadable_store(void **state)
{
	struct fixture *f = *state;

	put_file(f, "store/mode", "nonsense\n");
	assert_int_equal(run(f, "metrics", NULL), 0);
	assert_openmetrics(f->out);
	assert_contains(f->out, "mode=\"\"");
}

static void to_file(void **state)
{
	struct fixture *f = *state;
	char path[512], *text;
	struct stat st;
	mode_t mask;

	snprintf(path, sizeof(path), "%s/kgraft.prom", f->root);
	mask = umask(077);
	assert_int_equal(run(f, "metrics", "--output", path, NULL), 0);
	umask(mask);
	assert_contains(f->out, "kgraft.prom: written");
	text = get_file(f, "kgraft.prom");
	assert_openmetrics(text);
	free(text);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0644);
	assert_null(get_file(f, ".tmp"));
	assert_int_equal(run(f, "metrics", "--output", path, "--json", NULL), 0);
	assert_string_equal(str(f->doc, "output"), path);

	snprintf(path, sizeof(path), "%s/nowhere/kgraft.prom", f->root);
	assert_int_equal(run(f, "metrics", "--output", path, NULL), KGR_EXIT_NOTFOUND);
	assert_contains(f->err, "nowhere/kgraft.prom");
	assert_contains(f->err, "textfile");
	assert_string_equal(f->out, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(quiet_kernel, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(transition, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(no_kgraft, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(unreadable_store, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(to_file, setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
