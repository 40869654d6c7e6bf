// SPDX-License-Identifier: GPL-2.0
/*
 * The command line: help, options, usage errors, exit codes, the man page.
 */
#include "fixture.h"

#include <linux/kgraft.h>
#include <stdlib.h>
#include <string.h>

#include "reasons.h"

static void help_names_every_command(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(run(f, "help", NULL), 0);
	assert_int_equal(f->err_len, 0);
	for (size_t i = 0; i < kgr_cmd_count; i++) {
		assert_contains(f->out, kgr_cmds[i].name);
		assert_contains(f->out, kgr_cmds[i].summary);
	}
	for (size_t i = 0; i < kgr_exit_count; i++) {
		char number[16];

		snprintf(number, sizeof(number), "%3d  ", kgr_exits[i].code);
		assert_contains(f->out, number);
	}
}

static void help_option_is_help(void **state)
{
	struct fixture *f = *state;
	char *first;

	assert_int_equal(run(f, "help", NULL), 0);
	first = strdup(f->out);
	assert_int_equal(run(f, "--help", NULL), 0);
	assert_string_equal(f->out, first);
	free(first);

	assert_int_equal(run(f, "help", "load", NULL), 0);
	first = strdup(f->out);
	/* even where an operand is missing */
	assert_int_equal(run(f, "load", "-h", NULL), 0);
	assert_string_equal(f->out, first);
	free(first);
}

static void help_of_each_command(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < kgr_cmd_count; i++) {
		const struct kgr_cmd *cmd = &kgr_cmds[i];

		assert_int_equal(run(f, "help", cmd->name, NULL), 0);
		assert_int_equal(f->err_len, 0);
		assert_contains(f->out, cmd->name);
		for (size_t j = 0; j < kgr_opt_count; j++) {
			char option[40];

			snprintf(option, sizeof(option), "--%s ", kgr_opts[j].name);
			if (cmd->options & kgr_opts[j].bit)
				assert_contains(f->out, option);
		}
	}
}

static void help_as_json(void **state)
{
	struct fixture *f = *state;
	const json_t *rows;

	assert_int_equal(run(f, "help", "--json", NULL), 0);
	assert_keys(f->doc, "schema command commands");
	rows = json_object_get(f->doc, "commands");
	assert_int_equal(json_array_size(rows), kgr_cmd_count);
	assert_int_equal(run(f, "poke", "--help", "--json", NULL), 0);
	assert_string_equal(str(f->doc, "command"), "help");
	rows = json_object_get(f->doc, "commands");
	assert_int_equal(json_array_size(rows), 1);
	assert_keys(json_array_get(rows, 0), "name aliases operands summary help options");
	assert_string_equal(str(json_array_get(rows, 0), "name"), "nudge");
	assert_int_equal(run(f, "help", "nonsense", "--json", NULL), KGR_EXIT_USAGE);
}

/* What hands know from kgr, klp and kpatch is the command itself */
static void aliases(void **state)
{
	static const char * const names[][2] = {
		{ "patches", "list" },
		{ "blocking", "stragglers" },
		{ "blocking_threads", "stragglers" },
		{ "poke", "nudge" },
		{ "signal", "nudge" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		char line[80];

		assert_ptr_equal(kgr_cmd_find(names[i][0]), kgr_cmd_find(names[i][1]));
		assert_int_equal(run(f, "help", names[i][1], NULL), 0);
		assert_contains(f->out, "Also known as: ");
		assert_contains(f->out, names[i][0]);
		snprintf(line, sizeof(line), "kgr-ctl %s", names[i][1]);
		assert_contains(f->out, line);
		assert_int_equal(run(f, "--man-section=commands", NULL), 0);
		assert_contains(f->out, names[i][0]);
	}
	assert_null(kgr_cmd_find("blocking blocking_threads"));
	assert_null(kgr_cmd_find("block"));
	/* no name twice */
	for (size_t i = 0; i < kgr_cmd_count; i++)
		assert_ptr_equal(kgr_cmd_find(kgr_cmds[i].name), &kgr_cmds[i]);
	assert_int_equal(run(f, "patches", "--json", NULL), 0);
	assert_string_equal(str(f->doc, "command"), "list");
}

static void completions(void **state)
{
	static const char * const shells[] = { "--completion=bash", "--completion=zsh" };
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(shells); i++) {
		assert_int_equal(run(f, shells[i], NULL), 0);
		for (size_t j = 0; j < kgr_cmd_count; j++)
			assert_contains(f->out, kgr_cmds[j].name);
		for (size_t j = 0; j < kgr_opt_count; j++)
			assert_contains(f->out, kgr_opts[j].name);
	}
	assert_int_equal(run(f, "--completion=fish", NULL), KGR_EXIT_USAGE);
	assert_contains(f->err, "bash or zsh");
}

static void man_sections(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(run(f, "--man-section=synopsis", NULL), 0);
	for (size_t i = 0; i < kgr_cmd_count; i++) {
		char line[80];

		snprintf(line, sizeof(line), "| kgr-ctl %s", kgr_cmds[i].name);
		assert_contains(f->out, line);
	}
	assert_int_equal(run(f, "--man-section=exit-status", NULL), 0);
	assert_contains(f->out, "**130**");
	assert_int_equal(run(f, "--man-section=nonsense", NULL), KGR_EXIT_USAGE);
}

static void no_prefixes(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(run(f, "stat", NULL), KGR_EXIT_USAGE);
	assert_contains(f->err, "no command 'stat'");
	assert_int_equal(run(f, "statuses", NULL), KGR_EXIT_USAGE);
	assert_int_equal(run(f, "list", "--js", NULL), KGR_EXIT_USAGE);
	assert_contains(f->err, "unknown option '--js'");
	assert_int_equal(f->out_len, 0);
}

static void usage_errors(void **state)
{
	static const char * const lines[][5] = {
		{ NULL },
		{ "" },
		{ "help", "nonsense" },
		{ "list", "operand" },
		{ "load" },
		{ "load", "x.ko", "no-parameter" },
		{ "load", "x.ko", "=value" },
		{ "load", "x.ko", "a=\"" },
		{ "load", "x.ko", "--wait", "--no-wait" },
		{ "load", "x.ko", "--no-wait", "--timeout=1" },
		{ "load", "x.ko", "--no-wait", "--on-interrupt=keep" },
		{ "load", "x.ko", "--on-interrupt=kee" },
		{ "load", "x.ko", "--on-interrupt=ask|keep" },
		{ "load", "x.ko", "--on-interrupt=" },
		{ "revert" },
		{ "revert", "a", "b" },
		{ "list", "--all" },
		{ "list", "--timeout", "3" },
		{ "list", "--json=yes" },
		{ "list", "--json", "-q" },
		{ "list", "-x" },
		{ "wait", "--timeout" },
		{ "wait", "--timeout", "x" },
		{ "wait", "--timeout", "-1" },
		{ "wait", "--timeout", "nan" },
		{ "wait", "--timeout", "1s" },
		{ "wait", "-t" },
		{ "show" },
		{ "show", "a", "b" },
		{ "check", "x" },
		{ "cve", "CVE-2024-1" },
		{ "cve", "--is-patched" },
		{ "list", "--is-patched=x" },
		{ "replace" },
		{ "nudge", "0" },
		{ "nudge", "x" },
		{ "nudge", "12x" },
		{ "nudge", "99999999999" },
		{ "nudge", "12", "--all" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		const char * const *l = lines[i];

		if (run(f, l[0], l[1], l[2], l[3], NULL) != KGR_EXIT_USAGE)
			fail_msg("accepted: %s %s %s %s", l[0], l[1], l[2], l[3]);
		/* with --json the error is the document */
		assert_int_equal(f->out_len > 0, f->doc != NULL);
		assert_int_equal(f->err_len > 0, f->doc == NULL);
	}
}

static void usage_error_as_json(void **state)
{
	struct fixture *f = *state;
	const json_t *error;

	assert_int_equal(run(f, "list", "--json", "extra", NULL), KGR_EXIT_USAGE);
	error = json_object_get(f->doc, "error");
	assert_keys(error, "code kind what why next kernel");
	assert_int_equal(json_integer_value(json_object_get(error, "code")), KGR_EXIT_USAGE);
	assert_string_equal(str(error, "kind"), "usage");
	assert_int_equal(run(f, "list", "--nonsense", "--json", NULL), KGR_EXIT_USAGE);
	assert_non_null(f->doc);
	assert_int_equal(run(f, "nonsense", "--json", NULL), KGR_EXIT_USAGE);
	assert_non_null(f->doc);
}

static void option_spellings(void **state)
{
	struct fixture *f = *state;

	put_patch(f, "demo", "applied");
	assert_int_equal(run(f, "wait", "--timeout", "5", "demo", NULL), 0);
	assert_int_equal(run(f, "wait", "--timeout=5", "demo", NULL), 0);
	assert_int_equal(run(f, "wait", "-t5", "demo", NULL), 0);
	assert_int_equal(run(f, "-qt", "5", "wait", "demo", NULL), 0);
	assert_int_equal(f->out_len, 0);
	assert_int_equal(run(f, "wait", "-t", ".5", "--", "demo", NULL), 0);
	assert_int_equal(run(f, "wait", "--", "--json", NULL), KGR_EXIT_NOTFOUND);
}

/* The numbers are an interface */
static void exit_codes(void **state)
{
	(void)state;
	assert_int_equal(KGR_EXIT_OK, 0);
	assert_int_equal(KGR_EXIT_FAIL, 1);
	assert_int_equal(KGR_EXIT_USAGE, 2);
	assert_int_equal(KGR_EXIT_MISMATCH, 3);
	assert_int_equal(KGR_EXIT_CONFLICT, 4);
	assert_int_equal(KGR_EXIT_TIMEOUT_REVERTED, 5);
	assert_int_equal(KGR_EXIT_TIMEOUT, 6);
	assert_int_equal(KGR_EXIT_PERM, 7);
	assert_int_equal(KGR_EXIT_NOTFOUND, 8);
	assert_int_equal(KGR_EXIT_INTERRUPTED, 130);
}

static void reasons_are_complete(void **state)
{
	(void)state;
	assert_int_equal(kgr_reason_count, __KGRAFT_REASON_COUNT);
	for (unsigned int i = 0; i < kgr_reason_count; i++) {
		const struct kgr_reason *r = kgr_reason(i);

		assert_true(strlen(r->name) > 0);
		/* one sentence each */
		assert_true(strlen(r->what) > 20 && r->what[strlen(r->what) - 1] == '.');
		assert_true(strlen(r->remedy) > 10 && r->remedy[strlen(r->remedy) - 1] == '.');
		for (unsigned int j = 0; j < i; j++)
			assert_string_not_equal(r->name, kgr_reason(j)->name);
	}
	assert_string_equal(kgr_reason(KGRAFT_REASON_IN_SYSCALL)->name, "in-syscall");
	assert_string_equal(kgr_reason(0xffffffff)->name, "unknown");
	assert_string_equal(kgr_kind_name(KGRAFT_KIND_CPU), "cpu");
	assert_string_equal(kgr_kind_name(0xffffffff), "unknown");
}

/* What has an answer on a host without kGraft, too */
static const struct {
	const char *name;
	int exit;
} without[] = {
	{ "install", 0 }, { "uninstall", KGR_EXIT_NOTFOUND }, { "autoload", KGR_EXIT_NOTFOUND },
	{ "mode", 0 }, { "metrics", 0 }, { "help", 0 }, { "doctor", KGR_EXIT_NOTFOUND },
	{ "preflight", KGR_EXIT_NOTFOUND }, { "info", 0 },
};

static const char *operand_of(const struct kgr_cmd *cmd)
{
	if (!cmd->min_args)
		return NULL;
	return strstr(cmd->operands, "MODULE.ko") ? FIXTURE_DIR "/kgr-good.ko" : "demo";
}

/* Every command says it politely, and none tries anything else */
static void without_kgraft(void **state)
{
	struct fixture *f = *state;

	remove_file(f, "sys/kernel/kgraft");
	for (size_t i = 0; i < kgr_cmd_count; i++) {
		const struct kgr_cmd *cmd = &kgr_cmds[i];
		size_t j = 0;
		int ret = run(f, cmd->name, operand_of(cmd), NULL);

		while (j < ARRAY_SIZE(without) && strcmp(without[j].name, cmd->name))
			j++;
		if (j < ARRAY_SIZE(without)) {
			if (ret != without[j].exit)
				fail_msg("%s: exit code %d\n%s%s", cmd->name, ret, f->out, f->err);
			continue;
		}
		if (ret != KGR_EXIT_NOTFOUND || f->out_len)
			fail_msg("%s: exit code %d\n%s%s", cmd->name, ret, f->out, f->err);
		assert_contains(f->err, "no kGraft in the running kernel");
		assert_contains(f->err, "next:   boot a kernel with CONFIG_KGRAFT=y");
	}
	assert_int_equal(run(f, "doctor", NULL), KGR_EXIT_NOTFOUND);
	assert_contains(f->out, "no kGraft in the running kernel");
	assert_int_equal(run(f, "metrics", NULL), 0);
	assert_contains(f->out, "kgraft_available 0");
}

#define TEST(name)	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(help_names_every_command),
		TEST(help_option_is_help),
		TEST(help_of_each_command),
		TEST(help_as_json),
		TEST(aliases),
		TEST(completions),
		TEST(man_sections),
		TEST(no_prefixes),
		TEST(usage_errors),
		TEST(usage_error_as_json),
		TEST(option_spellings),
		TEST(exit_codes),
		TEST(reasons_are_complete),
		TEST(without_kgraft),
	};

	return cmocka_run_group_tests_name("kgr-ctl: command line", tests, NULL, NULL);
}
