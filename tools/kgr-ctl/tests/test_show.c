// SPDX-License-Identifier: GPL-2.0
/*
 * What patches are there and what of: show, cve, uname, check; functions that the
 * files of a patch have no room for.
 */
#include "fixture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "netlink.h"

int __wrap_kgr_nl_open(struct kgr_nl **nl);
void __wrap_kgr_nl_close(struct kgr_nl *nl);
int __wrap_kgr_nl_functions(struct kgr_nl *nl, const char *patch, kgr_function_fn fn, void *arg);

static int nl_ret;

int __wrap_kgr_nl_open(struct kgr_nl **nl)
{
	*nl = NULL;
	return nl_ret == -ENOENT ? nl_ret : 0;
}

void __wrap_kgr_nl_close(struct kgr_nl *nl)
{
	(void)nl;
}

int __wrap_kgr_nl_functions(struct kgr_nl *nl, const char *patch, kgr_function_fn fn, void *arg)
{
	char name[16];

	(void)nl;
	assert_string_equal(patch, "demo");
	for (int i = 0; i < 100; i++) {
		struct kgr_nl_function f = {
			.name = name, .object = "vmlinux", .redirect = "jmp", .state = 2,
		};

		snprintf(name, sizeof(name), "fun%d", i);
		assert_int_equal(fn(&f, arg), 0);
		if (i == 50 && nl_ret)
			return nl_ret;
	}
	return 0;
}

static int setup(void **state)
{
	nl_ret = -ENOENT;
	return fixture_setup(state);
}

static json_int_t num(const json_t *obj, const char *key)
{
	return json_integer_value(json_object_get(obj, key));
}

static void many_functions(void **state)
{
	struct fixture *f = *state;
	const json_t *p;

	put_patch(f, "demo", "applied");
	put_file(f, "sys/kernel/kgraft/demo/state",
		 "Function Object Sympos State\nfun0 vmlinux 0 2\nfun1 vmlinux 0 2\n...\n");
	/* a kernel without the family: how many there are is not known */
	assert_int_equal(run(f, "info", "demo", "--json", NULL), 0);
	p = json_object_get(f->doc, "patch");
	assert_true(json_is_null(json_object_get(p, "function_count")));
	assert_int_equal(json_array_size(json_object_get(p, "functions")), 2);
	assert_int_equal(run(f, "list", NULL), 0);
	nl_ret = 0;
	assert_int_equal(run(f, "info", "demo", "--json", NULL), 0);
	p = json_object_get(f->doc, "patch");
	assert_int_equal(num(p, "function_count"), 100);
	p = json_array_get(json_object_get(p, "functions"), 99);
	assert_string_equal(str(p, "name"), "fun99");
	assert_string_equal(str(p, "redirect"), "jmp");
	/* an answer with gaps is none */
	nl_ret = -EINTR;
	assert_int_equal(run(f, "info", "demo", "--json", NULL), 0);
	p = json_object_get(f->doc, "patch");
	assert_int_equal(json_array_size(json_object_get(p, "functions")), 2);
}

static void redirects(void **state)
{
	struct fixture *f = *state;

	put_patch(f, "demo", "applied");
	put_file(f, "sys/kernel/kgraft/demo/redirect",
		 "__x64_sys_getpid jmp\nmeminfo_proc_show handler\n");
	assert_int_equal(run(f, "info", "demo", NULL), 0);
	assert_contains(f->out, "__x64_sys_getpid   vmlinux       0  applied  jmp\n");
	assert_contains(f->out, "meminfo_proc_show  vmlinux       1  applied  handler\n");
	/* of another list than that of the states */
	put_file(f, "sys/kernel/kgraft/demo/redirect", "meminfo_proc_show jmp\n");
	assert_int_equal(run(f, "info", "demo", "--json", NULL), 0);
	assert_contains(f->out, "\"redirect\": null");
	assert_lacks(f->out, "\"jmp\"");
}

static void show_stack(void **state)
{
	struct fixture *f = *state;
	const json_t *fun, *v;

	put_patch(f, "b-old", "applied");
	put_patch(f, "a-new", "applied");
	put_patch(f, "c-gone", "reverted");
	put_file(f, "sys/kernel/kgraft/a-new/since", "1732167002.000\n");
	put_file(f, "sys/kernel/kgraft/c-gone/since", "1732167003.000\n");
	put_file(f, "sys/kernel/kgraft/a-new/redirect", "__x64_sys_getpid jmp\n");
	assert_int_equal(run(f, "show", "__x64_sys_getpid", "--json", NULL), 0);
	assert_keys(f->doc, "schema command functions");
	assert_int_equal(json_array_size(json_object_get(f->doc, "functions")), 1);
	fun = json_array_get(json_object_get(f->doc, "functions"), 0);
	assert_keys(fun, "name object sympos owner redirect variants");
	assert_string_equal(str(fun, "owner"), "a-new");
	assert_string_equal(str(fun, "redirect"), "jmp");
	v = json_object_get(fun, "variants");
	assert_int_equal(json_array_size(v), 3);
	assert_keys(json_array_get(v, 0), "patch module state model since");
	assert_string_equal(str(json_array_get(v, 0), "patch"), "c-gone");
	assert_string_equal(str(json_array_get(v, 1), "patch"), "a-new");
	assert_string_equal(str(json_array_get(v, 2), "patch"), "b-old");

	assert_int_equal(run(f, "show", "__x64_sys_getpid", NULL), 0);
	assert_contains(f->out, "in force: a-new\n");
	assert_contains(f->out, "b-old   b-old_mod   applied");
}

/* The same name twice is two functions */
static void show_positions(void **state)
{
	struct fixture *f = *state;

	put_patch(f, "one", "applied");
	put_patch(f, "two", "applied");
	put_file(f, "sys/kernel/kgraft/two/state",
		 "Function Object Sympos State\nmeminfo_proc_show vmlinux 2 2\n"
		 "meminfo_proc_show other 0 5\n");
	assert_int_equal(run(f, "show", "meminfo_proc_show", "--json", NULL), 0);
	assert_int_equal(json_array_size(json_object_get(f->doc, "functions")), 3);
}

static void show_original(void **state)
{
	struct fixture *f = *state;
	const json_t *fun;

	put_patch(f, "demo", "reverted");
	assert_int_equal(run(f, "show", "__x64_sys_getpid", NULL), 0);
	assert_contains(f->out, "in force: the kernel's own\n");
	/* nobody has a patch for it */
	assert_int_equal(run(f, "show", "vfs_read", NULL), KGR_EXIT_NOTFOUND);
	assert_contains(f->err, "kernel's symbols");
	put_file(f, "proc/kallsyms",
		 "0000000000000000 T vfs_read\n0000000000000000 t helper\t[ext4]\n");
	assert_int_equal(run(f, "show", "vfs_read", "--json", NULL), 0);
	fun = json_array_get(json_object_get(f->doc, "functions"), 0);
	assert_true(json_is_null(json_object_get(fun, "owner")));
	assert_string_equal(str(fun, "object"), "vmlinux");
	assert_int_equal(run(f, "show", "helper", "--json", NULL), 0);
	fun = json_array_get(json_object_get(f->doc, "functions"), 0);
	assert_string_equal(str(fun, "object"), "ext4");
	assert_int_equal(run(f, "show", "vfs_rea", NULL), KGR_EXIT_NOTFOUND);
	assert_contains(f->err, "no function 'vfs_rea'");
}

static void cves(void **state)
{
	struct fixture *f = *state;
	const json_t *rows;

	assert_int_equal(run(f, "cve", NULL), 0);
	assert_string_equal(f->out, "no patch names a CVE\n");
	put_patch(f, "one", "applied");
	put_patch(f, "two", "applying");
	put_file(f, "sys/kernel/kgraft/two/cve", "CVE-2024-3,CVE-2024-2\n");
	assert_int_equal(run(f, "cve", "--json", NULL), 0);
	rows = json_object_get(f->doc, "cves");
	assert_int_equal(json_array_size(rows), 3);
	assert_keys(json_array_get(rows, 0), "cve patched patches");
	assert_string_equal(str(json_array_get(rows, 1), "cve"), "CVE-2024-2");
	assert_int_equal(json_array_size(json_object_get(json_array_get(rows, 1), "patches")), 2);
	assert_true(json_is_true(json_object_get(json_array_get(rows, 1), "patched")));
	assert_true(json_is_false(json_object_get(json_array_get(rows, 2), "patched")));
	assert_int_equal(run(f, "cve", NULL), 0);
	assert_contains(f->out, "CVE-2024-2  yes      one (applied), two (applying)\n");
}

static void one_cve(void **state)
{
	struct fixture *f = *state;

	put_patch(f, "one", "applied");
	assert_int_equal(run(f, "cve", "--is-patched", "cve-2024-2", NULL), 0);
	assert_string_equal(f->out, "cve-2024-2: patched, by one (applied)\n");
	assert_int_equal(run(f, "cve", "--is-patched=CVE-2024-9", "--json", NULL), 1);
	assert_true(json_is_false(json_object_get(
		json_array_get(json_object_get(f->doc, "cves"), 0), "patched")));
	assert_int_equal(f->err_len, 0);
	/* half applied is not enough; nor is a part of the name */
	put_patch(f, "one", "applying");
	assert_int_equal(run(f, "cve", "--is-patched", "CVE-2024-2", NULL), 1);
	assert_string_equal(f->out, "CVE-2024-2: not patched, by one (applying)\n");
	put_patch(f, "one", "reverted");
	assert_int_equal(run(f, "cve", "--is-patched", "CVE-2024-2", "-q", NULL), 1);
	assert_int_equal(f->out_len + f->err_len, 0);
	remove_file(f, "sys/kernel/kgraft");
	assert_int_equal(run(f, "cve", "--is-patched", "CVE-2024-2", NULL), KGR_EXIT_NOTFOUND);
}

static void effective(void **state)
{
	struct fixture *f = *state;
	struct utsname uts;
	char *want;

	uname(&uts);
	assert_int_equal(run(f, "uname", NULL), 0);
	want = kgr_asprintf("%s\n", uts.release);
	assert_string_equal(f->out, want);
	free(want);
	put_patch(f, "second", "applied");
	put_patch(f, "third", "applied");
	put_patch(f, "first", "applied");
	put_patch(f, "never", "reverted");
	put_patch(f, "soon", "applying");
	put_file(f, "sys/kernel/kgraft/first/since", "1732160000.000\n");
	put_file(f, "sys/kernel/kgraft/third/since", "1732169000.000\n");
	want = kgr_asprintf("%s+first+second+third", uts.release);
	assert_int_equal(run(f, "uname", "--json", NULL), 0);
	assert_keys(f->doc, "schema command release version patches effective");
	assert_string_equal(str(f->doc, "effective"), want);
	assert_int_equal(json_array_size(json_object_get(f->doc, "patches")), 3);
	free(want);
}

static void check(void **state)
{
	struct fixture *f = *state;

	put_patch(f, "done", "applied");
	assert_int_equal(run(f, "check", NULL), 0);
	assert_string_equal(f->out, "ready\n");
	put_patch(f, "demo", "reverting");
	assert_int_equal(run(f, "check", NULL), 1);
	assert_string_equal(f->out,
			    "in_progress: patch 'demo' is reverting, 4 of 124 contexts are left\n");
	assert_int_equal(f->err_len, 0);
	assert_int_equal(run(f, "check", "--json", NULL), 1);
	assert_keys(f->doc, "schema command state patch left");
	assert_string_equal(str(json_object_get(f->doc, "patch"), "name"), "demo");
	assert_int_equal(run(f, "check", "-q", NULL), 1);
	assert_int_equal(f->out_len, 0);
	/* not to be mistaken for one that runs */
	remove_file(f, "sys/kernel/kgraft");
	assert_int_equal(run(f, "check", NULL), KGR_EXIT_NOTFOUND);
}

#define TEST(name)	cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(many_functions),
		TEST(redirects),
		TEST(show_stack),
		TEST(show_positions),
		TEST(show_original),
		TEST(cves),
		TEST(one_cve),
		TEST(effective),
		TEST(check),
	};

	return cmocka_run_group_tests_name("kgr-ctl: show, cve, uname, check", tests, NULL, NULL);
}
