// SPDX-License-Identifier: GPL-2.0
/*
 * verify and doctor on a host that is made of files.
 */
#include "fixture.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static void verify_fits(void **state)
{
	struct fixture *f = *state;
	const json_t *row;

	assert_int_equal(run(f, "verify", NULL), 0);
	assert_string_equal(f->out, "no patches\n");
	put_patch(f, "demo", "applied");
	put_functions(f, "demo", HEAD "first vmlinux 0 2\nsecond vmlinux 2 2\nthird ext4 0 2\n"
		      "later xfs 0 5\n", "first jmp\nsecond handler\nthird jmp\nlater none\n");
	put_file(f, TRACING "enabled_functions",
		 "first (1)   I     M \tjmp-->new_one+0x4/0x20 [demo_mod]\n"
		 "second (2)   I     M  ->arch_ftrace_ops_list_func+0x0/0x1f0\n"
		 "third [ext4] (1)   I     M \tjmp-->new_third+0x4/0x20 [demo_mod]\n");
	assert_int_equal(run(f, "verify", "--json", NULL), 0);
	assert_keys(f->doc, "schema command verdict wrong asked_ftrace functions");
	assert_int_equal(json_array_size(json_object_get(f->doc, "functions")), 4);
	row = function(f, 0);
	assert_keys(row, "patch name object sympos owner redirect entry result what");
	assert_string_equal(str(row, "entry"), "new_one [demo_mod]");
	/* the jump leads to the newest that is in force, whatever it is called */
	put_patch(f, "a-old", "applied");
	put_functions(f, "a-old", HEAD "first vmlinux 0 2\n", "first jmp\n");
	put_file(f, "sys/kernel/kgraft/a-old/since", "1732160000.000\n");
	put_patch(f, "z-old", "applied");
	put_functions(f, "z-old", HEAD "first vmlinux 0 2\n", "first jmp\n");
	put_file(f, "sys/kernel/kgraft/z-old/since", "1732160000.000\n");
	assert_int_equal(run(f, "verify", "--json", NULL), 0);
	put_patch(f, "gone", "reverted");
	put_functions(f, "gone", HEAD "first vmlinux 0 4\nother vmlinux 0 4\n",
		      "first jmp\nother none\n");
	assert_int_equal(run(f, "verify", NULL), 0);
	assert_int_equal(run(f, "verify", "gone", "--json", NULL), 0);
	assert_int_equal(json_array_size(json_object_get(f->doc, "functions")), 2);
	assert_string_equal(str(function(f, 0), "owner"), "demo");
	assert_int_equal(run(f, "verify", "missing", NULL), KGR_EXIT_NOTFOUND);
}

static void verify_finds(void **state)
{
	static const struct {
		const char *state, *redirect, *enabled, *what;
	} cases[] = {
		{ "2", "none", "", "nothing stands at the entry" },
		{ "4", "jmp", "", "but not this function" },
		{ "2", "jmp", "", "ftrace does not know of one" },
		{ "2", "handler", "first (1)   I     M \tjmp-->new+0x4/0x20 [demo_mod]\n",
		  "ftrace does not know of one" },
		{ "2", "jmp", "first (1)   I     M \tjmp-->new+0x4/0x20 [other]\n",
		  "leads to new of other instead of module demo_mod" },
		{ "2", "jmp", "first (1)   I     M \tjmp-->first_too+0x4/0x20\n",
		  "leads to first_too instead" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char *lines = kgr_asprintf(HEAD "first vmlinux 0 %s\n", cases[i].state);
		char *redirect = kgr_asprintf("first %s\n", cases[i].redirect);

		put_patch(f, "demo", "applied");
		put_functions(f, "demo", lines, redirect);
		put_file(f, TRACING "enabled_functions", cases[i].enabled);
		assert_int_equal(run(f, "verify", "--json", NULL), 1);
		assert_string_equal(str(function(f, 0), "result"), "failed");
		assert_contains(str(function(f, 0), "what"), cases[i].what);
		assert_string_equal(str(f->doc, "verdict"), "failed");
		assert_int_equal(run(f, "doctor", "--json", NULL), 1);
		assert_string_equal(str(check_row(f, "entries"), "result"), "failed");
		free(lines);
		free(redirect);
	}
	put_patch(f, "demo", "reverted");
	put_functions(f, "demo", HEAD "first vmlinux 0 4\n", "first stub\n");
	assert_int_equal(run(f, "verify", NULL), 1);
	assert_contains(f->out, "no patch is in force, but a redirect stands at the entry: stub");
	/* without tracefs, only what kGraft itself says is compared */
	remove_file(f, "sys/kernel/tracing");
	put_patch(f, "demo", "applied");
	put_functions(f, "demo", HEAD "first vmlinux 0 2\n", "first jmp\n");
	assert_int_equal(run(f, "verify", NULL), 0);
	assert_contains(f->err, "could not be read");
	/* another function of that name may be what ftrace shows */
	put_file(f, TRACING "enabled_functions", "first (1)   I     M \tjmp-->new+0x4/0x20 [other]\n");
	put_functions(f, "demo", HEAD "first vmlinux 2 2\n", "first jmp\n");
	assert_int_equal(run(f, "verify", NULL), 0);
	/* in mid-transition it may be either */
	put_patch(f, "demo", "applying");
	put_functions(f, "demo", HEAD "first vmlinux 0 1\n", "first stub\n");
	assert_int_equal(run(f, "verify", NULL), 0);
}

static void doctor_well(void **state)
{
	struct fixture *f = *state;

	put_patch(f, "demo", "applied");
	assert_int_equal(run(f, "doctor", "--json", NULL), 0);
	assert_keys(f->doc, "schema command checks verdict code");
	/* this machine has no family "kgraft" */
	assert_only(f, "netlink", "warning");
	assert_int_equal(run(f, "doctor", NULL), 0);
	assert_contains(f->out, "ok        kernel\n");
	assert_contains(f->out, "verdict:  warning\n");
}

static void doctor_finds(void **state)
{
	static const struct {
		const char *file, *text, *check, *result;
		enum kgr_exit code;
	} cases[] = {
		{ "sys/kernel/kgraft/dead", "1\n", "redirects", "failed", KGR_EXIT_FAIL },
		{ "sys/module/kgraft/parameters/redirect", "handler\n", "redirects", "warning",
		  KGR_EXIT_OK },
		{ "proc/sys/kernel/ftrace_enabled", "0\n", "ftrace", "failed", KGR_EXIT_CONFLICT },
		{ "proc/sys/kernel/modules_disabled", "1\n", "modules", "failed", KGR_EXIT_PERM },
		{ "sys/kernel/security/lockdown", "none [integrity]\n", "modules", "warning",
		  KGR_EXIT_OK },
		{ "sys/module/module/parameters/sig_enforce", "Y\n", "modules", "warning",
		  KGR_EXIT_OK },
		{ "sys/kernel/kgraft/force_load_module", "1\n", "settings", "warning", KGR_EXIT_OK },
		{ "sys/kernel/kgraft/nudge_delay_ms", "0\n", "settings", "warning", KGR_EXIT_OK },
		{ "sys/kernel/kgraft/demo/forced", "1\n", "forced", "warning", KGR_EXIT_OK },
		{ "sys/kernel/kgraft/demo/reason", "timed out after 2000 ms, 1 context left\n",
		  "deadlines", "warning", KGR_EXIT_OK },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		put_patch(f, "demo", "reverted");
		put_functions(f, "demo", HEAD "first vmlinux 0 4\n", "first none\n");
		put_file(f, cases[i].file, cases[i].text);
		assert_int_equal(run(f, "doctor", "--json", NULL), cases[i].code);
		assert_string_equal(str(check_row(f, cases[i].check), "result"), cases[i].result);
		remove_file(f, cases[i].file);
	}
	remove_file(f, "sys/kernel/tracing");
	assert_int_equal(run(f, "doctor", "--json", NULL), 0);
	assert_string_equal(str(check_row(f, "tracefs"), "result"), "warning");
}

static void doctor_stuck(void **state)
{
	struct fixture *f = *state;
	char *now = kgr_asprintf("%lld.000\n", (long long)time(NULL));

	/* since the year 2024 */
	put_patch(f, "demo", "applying");
	put_functions(f, "demo", HEAD "first vmlinux 0 1\n", "first stub\n");
	assert_int_equal(run(f, "doctor", NULL), KGR_EXIT_CONFLICT);
	assert_contains(f->out, "4 of 124 contexts are left");
	assert_contains(f->out, "kgr-ctl revert demo");
	put_file(f, "sys/kernel/kgraft/demo/since", now);
	assert_int_equal(run(f, "doctor", "--json", NULL), 0);
	assert_string_equal(str(check_row(f, "transition"), "result"), "warning");
	free(now);
}

/* No kGraft, no sysfs: said politely, and nothing else is looked at */
static void doctor_without(void **state)
{
	struct fixture *f = *state;

	remove_file(f, "sys/kernel/kgraft");
	assert_int_equal(run(f, "doctor", NULL), KGR_EXIT_NOTFOUND);
	assert_contains(f->out, "boot a kernel with CONFIG_KGRAFT=y");
	remove_file(f, "sys");
	assert_int_equal(run(f, "doctor", "--json", NULL), KGR_EXIT_NOTFOUND);
	assert_contains(f->out, "mount -t sysfs");
	assert_int_equal(json_array_size(json_object_get(f->doc, "checks")), 1);
	assert_int_equal(f->err_len, 0);
}

#define TEST(name)	cmocka_unit_test_setup_teardown(name, host_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(verify_fits),
		TEST(verify_finds),
		TEST(doctor_well),
		TEST(doctor_finds),
		TEST(doctor_stuck),
		TEST(doctor_without),
	};

	return cmocka_run_group_tests_name("kgr-ctl: verify, doctor", tests, NULL, NULL);
}
