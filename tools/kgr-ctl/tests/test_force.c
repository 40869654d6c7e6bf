// SPDX-License-Identifier: GPL-2.0
/*
 * force: nothing happens before the patch's name has been typed, and unload says
 * that a module stays.
 */
#include "fixture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sysfs.h"

int __wrap_kgr_sysfs_write(struct kgr_ctx *ctx, const char *patch, const char *file,
			   const char *text);
int __real_kgr_sysfs_write(struct kgr_ctx *ctx, const char *patch, const char *file,
			   const char *text);

static int write_ret;

int __wrap_kgr_sysfs_write(struct kgr_ctx *ctx, const char *patch, const char *file,
			   const char *text)
{
	return write_ret ? write_ret : __real_kgr_sysfs_write(ctx, patch, file, text);
}

static int setup(void **state)
{
	int ret = fixture_setup(state);
	struct fixture *f = *state;

	put_patch(f, "demo", "applying");
	write_ret = 0;
	return ret;
}

/* What was written to the file "force" */
static bool forced(struct fixture *f)
{
	char *path = kgr_asprintf("%s/kernel/kgraft/demo/force", f->sys);
	FILE *file = fopen(path, "r");
	int c = file ? fgetc(file) : EOF;

	assert_non_null(file);
	fclose(file);
	free(path);
	return c == '1';
}

/* Runs it with somebody who answers so */
static int force_answered(struct fixture *f, const char *answer)
{
	int ret;

	f->ctx.in = fmemopen((void *)answer, strlen(answer), "r");
	assert_non_null(f->ctx.in);
	f->ctx.ask = true;
	ret = run(f, "force", "demo", NULL);
	fclose(f->ctx.in);
	f->ctx.in = NULL;
	f->ctx.ask = false;
	return ret;
}

static void by_option(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(run(f, "force", "demo", "--yes-i-understand", "demo", "--json", NULL), 0);
	assert_keys(f->doc, "schema command result patch left");
	assert_string_equal(str(f->doc, "result"), "forced");
	assert_int_equal(json_integer_value(json_object_get(f->doc, "left")), 4);
	assert_true(forced(f));
	assert_int_equal(run(f, "force", "demo", "--yes-i-understand=demo", NULL), 0);
	assert_string_equal(f->out, "demo: forced, 4 contexts were left\n");
}

static void by_answer(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(force_answered(f, "demo\n"), 0);
	assert_contains(f->err, "4 of 124 contexts are left");
	assert_contains(f->err, "type the name of the patch");
	assert_true(forced(f));
}

static void not_confirmed(void **state)
{
	struct fixture *f = *state;

	/* nobody to be asked */
	assert_int_equal(run(f, "force", "demo", NULL), KGR_EXIT_USAGE);
	assert_contains(f->err, "--yes-i-understand demo");
	assert_int_equal(run(f, "force", "demo", "--yes-i-understand", "other", NULL),
			 KGR_EXIT_USAGE);
	assert_contains(f->err, "nothing was done");
	assert_int_equal(run(f, "force", "demo", "--yes-i-understand", NULL), KGR_EXIT_USAGE);
	assert_int_equal(force_answered(f, "y\n"), KGR_EXIT_USAGE);
	assert_int_equal(force_answered(f, "dem\n"), KGR_EXIT_USAGE);
	assert_int_equal(force_answered(f, "\n"), KGR_EXIT_USAGE);
	assert_false(forced(f));
}

static void refused(void **state)
{
	struct fixture *f = *state;

	put_patch(f, "demo", "applied");
	assert_int_equal(run(f, "force", "demo", "--yes-i-understand", "demo", NULL),
			 KGR_EXIT_CONFLICT);
	assert_contains(f->err, "no transition of patch 'demo' is running, it is applied");
	assert_int_equal(run(f, "force", "other", "--yes-i-understand", "other", NULL),
			 KGR_EXIT_NOTFOUND);
	assert_false(forced(f));
	/* a kernel that can't */
	put_patch(f, "demo", "applying");
	remove_file(f, "sys/kernel/kgraft/demo/force");
	assert_int_equal(run(f, "force", "demo", "--yes-i-understand", "demo", NULL),
			 KGR_EXIT_FAIL);
	assert_contains(f->err, "older than this tool");
	/* one that was faster */
	write_ret = -EAGAIN;
	assert_int_equal(run(f, "force", "demo", "--yes-i-understand", "demo", NULL),
			 KGR_EXIT_CONFLICT);
	assert_contains(f->err, "the transition of patch 'demo' has ended meanwhile");
	write_ret = -EIO;
	assert_int_equal(run(f, "force", "demo", "--yes-i-understand", "demo", NULL),
			 KGR_EXIT_FAIL);
	assert_contains(f->err, "can't force patch 'demo': Input/output error");
	/* whoever has nothing better to say ends with that */
	assert_contains(f->err, "next:   kgr-ctl doctor");
}

static void unload_says_so(void **state)
{
	struct fixture *f = *state;

	put_patch(f, "demo", "reverted");
	put_file(f, "sys/kernel/kgraft/demo/forced", "1\n");
	assert_int_equal(run(f, "unload", "demo", NULL), KGR_EXIT_CONFLICT);
	assert_contains(f->err, "can't be unloaded any more");
	assert_int_equal(run(f, "info", "demo", "--json", NULL), 0);
	assert_true(json_is_true(json_object_get(json_object_get(f->doc, "patch"), "forced")));
}

#define TEST(name)	cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(by_option),
		TEST(by_answer),
		TEST(not_confirmed),
		TEST(refused),
		TEST(unload_says_so),
	};

	return cmocka_run_group_tests_name("kgr-ctl: force", tests, NULL, NULL);
}
