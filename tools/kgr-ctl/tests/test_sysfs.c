// SPDX-License-Identifier: GPL-2.0
/*
 * status, list and info on a fake tree: values, malformed and missing files,
 * stable JSON keys.
 */
#include "fixture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sysfs.h"

#define PATCH_KEYS \
	"name state enabled transition model module cve build_id refs replace_all since " \
	"age_ms migrated total timeout_ms on_timeout reason stops stopped_us forced function_count"

static void no_kgraft(void **state)
{
	struct fixture *f = *state;

	remove_file(f, "sys/kernel/kgraft");
	assert_int_equal(run(f, "status", NULL), KGR_EXIT_NOTFOUND);
	assert_contains(f->err, "CONFIG_KGRAFT");
	assert_int_equal(run(f, "list", "--json", NULL), KGR_EXIT_NOTFOUND);
	assert_string_equal(str(json_object_get(f->doc, "error"), "kind"), "not-found");
	remove_file(f, "sys");
	assert_int_equal(run(f, "revert", "demo", NULL), KGR_EXIT_NOTFOUND);
	assert_contains(f->err, "sysfs is not mounted");
}

static void empty_list(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(run(f, "list", NULL), 0);
	assert_string_equal(f->out, "no patches\n");
	assert_int_equal(run(f, "list", "--json", NULL), 0);
	assert_keys(f->doc, "schema command patches");
	assert_int_equal(json_array_size(json_object_get(f->doc, "patches")), 0);
	assert_int_equal(run(f, "status", "--json", NULL), 0);
	assert_string_equal(str(f->doc, "state"), "ready");
	assert_true(json_is_null(json_object_get(f->doc, "transition")));
}

static void list_values(void **state)
{
	struct fixture *f = *state;
	const json_t *patches, *p;

	put_patch(f, "zulu", "applied");
	put_patch(f, "alpha", "reverted");
	assert_int_equal(run(f, "list", "--json", NULL), 0);
	patches = json_object_get(f->doc, "patches");
	assert_int_equal(json_array_size(patches), 2);
	p = json_array_get(patches, 0);
	assert_keys(p, PATCH_KEYS);
	assert_string_equal(str(p, "name"), "alpha");
	assert_string_equal(str(p, "state"), "reverted");
	p = json_array_get(patches, 1);
	assert_string_equal(str(p, "name"), "zulu");
	assert_string_equal(str(p, "state"), "applied");
	assert_string_equal(str(p, "model"), "universe");
	assert_string_equal(str(p, "module"), "zulu_mod");
	assert_string_equal(str(p, "build_id"), BUILD_ID_HEX);
	assert_true(json_is_true(json_object_get(p, "enabled")));
	assert_true(json_is_false(json_object_get(p, "transition")));
	assert_int_equal(json_array_size(json_object_get(p, "cve")), 2);
	assert_int_equal(json_integer_value(json_object_get(p, "total")), 124);
	assert_int_equal(json_integer_value(json_object_get(p, "function_count")), 2);
	assert_contains(f->out, "\"since\": 1732167000.123,");

	assert_int_equal(run(f, "list", NULL), 0);
	assert_contains(f->out, "NAME   STATE");
	assert_contains(f->out, "alpha  reverted");
	assert_contains(f->out, "CVE-2024-1 CVE-2024-2");
	assert_int_equal(run(f, "list", "--quiet", NULL), 0);
	assert_int_equal(f->out_len, 0);
}

static void status_in_transition(void **state)
{
	struct fixture *f = *state;
	const json_t *t;

	put_patch(f, "done", "applied");
	put_patch(f, "moving", "reverting");
	assert_int_equal(run(f, "status", "--json", NULL), 0);
	assert_keys(f->doc, "schema command state release build_id patch_count applied_count transition "
			    "mode boot_off held_back installed store_error");
	assert_string_equal(str(f->doc, "state"), "in_progress");
	assert_string_equal(str(f->doc, "build_id"), BUILD_ID_HEX);
	assert_int_equal(json_integer_value(json_object_get(f->doc, "patch_count")), 2);
	assert_int_equal(json_integer_value(json_object_get(f->doc, "applied_count")), 1);
	t = json_object_get(f->doc, "transition");
	assert_keys(t, PATCH_KEYS " nudges left reasons");
	assert_string_equal(str(t, "state"), "reverting");
	assert_int_equal(json_integer_value(json_object_get(t, "left")), 4);
	assert_keys(json_object_get(t, "nudges"), "stack_check wake resched signal");

	assert_int_equal(run(f, "status", NULL), 0);
	assert_contains(f->out, "state:    in_progress");
	assert_contains(f->out, "migrated: 120");
	assert_contains(f->out, "stack_check 11, wake 2, resched 3, signal 4");
}

static void info_of_patch(void **state)
{
	struct fixture *f = *state;
	const json_t *p, *fun;

	put_patch(f, "demo", "applied");
	assert_int_equal(run(f, "info", "demo", "--json", NULL), 0);
	assert_keys(f->doc, "schema command patch file");
	p = json_object_get(f->doc, "patch");
	assert_keys(p, PATCH_KEYS " nudges functions");
	fun = json_array_get(json_object_get(p, "functions"), 1);
	assert_keys(fun, "name object sympos state state_number redirect");
	assert_true(json_is_null(json_object_get(fun, "redirect")));
	assert_string_equal(str(fun, "name"), "meminfo_proc_show");
	assert_string_equal(str(fun, "state"), "applied");
	assert_int_equal(json_integer_value(json_object_get(fun, "sympos")), 1);

	/* by the module that holds it, as its file may be called */
	assert_int_equal(run(f, "info", "demo-mod", NULL), 0);
	assert_contains(f->out, "patch:         demo\n");
	assert_contains(f->out, "__x64_sys_getpid   vmlinux       0  applied");
}

static void info_not_found(void **state)
{
	struct fixture *f = *state;

	put_patch(f, "demo", "applied");
	assert_int_equal(run(f, "info", "other", NULL), KGR_EXIT_NOTFOUND);
	assert_int_equal(run(f, "info", ".", NULL), KGR_EXIT_NOTFOUND);
	assert_int_equal(run(f, "info", "in_progress", NULL), KGR_EXIT_NOTFOUND);
	assert_int_equal(run(f, "revert", "../kgraft/demo", NULL), KGR_EXIT_NOTFOUND);
	assert_int_equal(run(f, "wait", "", NULL), KGR_EXIT_NOTFOUND);
	assert_int_equal(run(f, "info", "./missing.ko", NULL), KGR_EXIT_NOTFOUND);
}

static void info_of_file(void **state)
{
	struct fixture *f = *state;
	const json_t *file;

	assert_int_equal(run(f, "info", "--json", FIXTURE_DIR "/kgr-good.ko", NULL), 0);
	file = json_object_get(f->doc, "file");
	assert_keys(file, "path name kgraft model cve build_id matches_kernel loaded vermagic srcversion description license signer");
	assert_string_equal(str(file, "name"), "kgr_good");
	assert_string_equal(str(file, "path"), FIXTURE_DIR "/kgr-good.ko");
	assert_string_equal(str(file, "build_id"), BUILD_ID_HEX);
	assert_true(json_is_true(json_object_get(file, "kgraft")));
	assert_true(json_is_true(json_object_get(file, "matches_kernel")));
	assert_true(json_is_false(json_object_get(file, "loaded")));
	assert_true(json_is_null(json_object_get(file, "signer")));
	assert_int_equal(json_array_size(json_object_get(file, "cve")), 2);

	/* as it is typed: said without the detours */
	assert_int_equal(run(f, "info", "--json", FIXTURE_DIR "/././kgr-good.ko", NULL), 0);
	assert_string_equal(str(json_object_get(f->doc, "file"), "path"), FIXTURE_DIR "/kgr-good.ko");

	put_notes(f, (const unsigned char *)"other", 5);
	assert_int_equal(run(f, "info", FIXTURE_DIR "/kgr-good.ko", NULL), 0);
	assert_contains(f->out, "fits this kernel: no");
	assert_int_equal(run(f, "info", "--json", FIXTURE_DIR "/kgr-plain.ko", NULL), 0);
	file = json_object_get(f->doc, "file");
	assert_true(json_is_false(json_object_get(file, "kgraft")));
	assert_true(json_is_null(json_object_get(file, "matches_kernel")));

	put_file(f, "text.ko", "not a module\n");
	{
		char *path = kgr_asprintf("%s/text.ko", f->root);

		assert_int_equal(run(f, "info", path, NULL), KGR_EXIT_FAIL);
		assert_contains(f->err, "not a kernel module");
		free(path);
	}
}

/* Each of these makes a failure that names the file and what is in it */
static void malformed_values(void **state)
{
	static const struct {
		const char *file, *text;
	} cases[] = {
		{ "enabled", "" },
		{ "enabled", "2\n" },
		{ "enabled", "yes\n" },
		{ "transition", "-1\n" },
		{ "migrated", "0x10\n" },
		{ "total", "12 13\n" },
		{ "total", "99999999999999999999\n" },
		{ "refs", "\n" },
		{ "since", "yesterday\n" },
		{ "since", "12.\n" },
		{ "since", "12.1234\n" },
		{ "since", "1.2.3\n" },
		{ "since", "9999999999999999999999999.0\n" },
		{ "nudges/wake", "many\n" },
		{ "state", "Function Object Sympos State\nf vmlinux 0\n" },
		{ "state", "Function Object Sympos State\nf vmlinux 0 1 2\n" },
		{ "state", "Function Object Sympos State\nf vmlinux x 1\n" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char *path = kgr_asprintf("sys/kernel/kgraft/demo/%s", cases[i].file);

		put_patch(f, "demo", "applied");
		put_file(f, path, cases[i].text);
		if (run(f, "list", NULL) != KGR_EXIT_FAIL)
			fail_msg("%s: '%s' was accepted", cases[i].file, cases[i].text);
		assert_contains(f->err, path);
		free(path);
	}
}

static void unusual_values(void **state)
{
	struct fixture *f = *state;
	const json_t *p;

	put_patch(f, "demo", "applied");
	put_file(f, "sys/kernel/kgraft/demo/cve", "\n");
	put_file(f, "sys/kernel/kgraft/demo/build_id", "\n");
	put_file(f, "sys/kernel/kgraft/demo/since", "5.1\n");
	put_file(f, "sys/kernel/kgraft/demo/migrated", "200\n");
	put_file(f, "sys/kernel/kgraft/demo/state", "Function Object Sympos State\nf m 0 77\n");
	assert_int_equal(run(f, "info", "--json", "demo", NULL), 0);
	p = json_object_get(f->doc, "patch");
	assert_int_equal(json_array_size(json_object_get(p, "cve")), 0);
	assert_true(json_is_null(json_object_get(p, "build_id")));
	assert_contains(f->out, "\"since\": 5.1,");
	assert_string_equal(str(json_array_get(json_object_get(p, "functions"), 0), "state"),
			    "unknown");
}

/* A kernel with fewer files than this tool knows */
static void missing_files(void **state)
{
	static const char * const optional[] = {
		"model", "cve", "build_id", "refs", "replace_all", "since", "migrated", "total",
		"nudges", "owner", "state",
	};
	struct fixture *f = *state;
	const json_t *p;

	put_patch(f, "demo", "applied");
	for (size_t i = 0; i < ARRAY_SIZE(optional); i++) {
		char *path = kgr_asprintf("sys/kernel/kgraft/demo/%s", optional[i]);

		remove_file(f, path);
		free(path);
		assert_int_equal(run(f, "list", NULL), 0);
	}
	assert_int_equal(run(f, "info", "demo", "--json", NULL), 0);
	p = json_object_get(f->doc, "patch");
	assert_keys(p, PATCH_KEYS " nudges functions");
	assert_true(json_is_null(json_object_get(p, "since")));
	assert_true(json_is_null(json_object_get(p, "model")));
	assert_true(json_is_null(json_object_get(p, "total")));
	assert_int_equal(run(f, "list", NULL), 0);

	remove_file(f, "sys/kernel/kgraft/demo/enabled");
	assert_int_equal(run(f, "list", NULL), KGR_EXIT_NOTFOUND);
	assert_contains(f->err, "demo/enabled");
}

static void permission_denied(void **state)
{
	struct fixture *f = *state;
	char *path;
	int ret;

	put_patch(f, "demo", "applied");
	path = kgr_asprintf("%s/sys/kernel/kgraft/demo/enabled", f->root);
	assert_int_equal(chmod(path, 0), 0);
	free(path);
	/* root may read everything */
	if (!geteuid())
		assert_int_equal(seteuid(65534), 0);
	ret = run(f, "list", NULL);
	if (!getuid())
		assert_int_equal(seteuid(0), 0);
	assert_int_equal(ret, KGR_EXIT_PERM);
	assert_contains(f->err, "Permission denied");
	assert_contains(f->err, "as root");
}

static void revert_permission_denied(void **state)
{
	struct fixture *f = *state;
	char *path;
	int ret;

	put_patch(f, "demo", "applied");
	path = kgr_asprintf("%s/sys/kernel/kgraft/demo/revert", f->root);
	assert_int_equal(chmod(path, 0), 0);
	free(path);
	if (!geteuid())
		assert_int_equal(seteuid(65534), 0);
	ret = run(f, "revert", "demo", NULL);
	if (!getuid())
		assert_int_equal(seteuid(0), 0);
	assert_int_equal(ret, KGR_EXIT_PERM);
	assert_contains(f->err, "CAP_SYS_ADMIN");
}

static void build_id_notes(void **state)
{
	unsigned char notes[] = {
		4, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 'G', 'N', 'U', 0, 0xab, 0xcd, 0, 0,
	};
	struct fixture *f = *state;
	char hex[128];

	assert_int_equal(kgr_sysfs_kernel_build_id(&f->ctx, hex, sizeof(hex)), 0);
	assert_string_equal(hex, BUILD_ID_HEX);
	assert_int_equal(kgr_sysfs_kernel_build_id(&f->ctx, hex, 8), -ENOSPC);

	put_bytes(f, "sys/kernel/notes", notes, sizeof(notes));
	assert_int_equal(kgr_sysfs_kernel_build_id(&f->ctx, hex, sizeof(hex)), 0);
	assert_string_equal(hex, "abcd");
	/* cut off anywhere: an error, but for the padding at the end */
	for (size_t len = 1; len < 18; len++) {
		put_bytes(f, "sys/kernel/notes", notes, len);
		assert_int_equal(kgr_sysfs_kernel_build_id(&f->ctx, hex, sizeof(hex)), -EBADMSG);
		assert_string_equal(hex, "");
	}
	put_bytes(f, "sys/kernel/notes", notes, 18);
	assert_int_equal(kgr_sysfs_kernel_build_id(&f->ctx, hex, sizeof(hex)), 0);
	notes[0] = 0xff;
	notes[1] = 0xff;
	notes[3] = 0xff;
	put_bytes(f, "sys/kernel/notes", notes, sizeof(notes));
	assert_int_equal(kgr_sysfs_kernel_build_id(&f->ctx, hex, sizeof(hex)), -EBADMSG);
	put_bytes(f, "sys/kernel/notes", "", 0);
	assert_int_equal(kgr_sysfs_kernel_build_id(&f->ctx, hex, sizeof(hex)), -ENOENT);
	remove_file(f, "sys/kernel/notes");
	assert_int_equal(kgr_sysfs_kernel_build_id(&f->ctx, hex, sizeof(hex)), -ENOENT);
}

#define TEST(name)	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(no_kgraft),
		TEST(empty_list),
		TEST(list_values),
		TEST(status_in_transition),
		TEST(info_of_patch),
		TEST(info_not_found),
		TEST(info_of_file),
		TEST(malformed_values),
		TEST(unusual_values),
		TEST(missing_files),
		TEST(permission_denied),
		TEST(revert_permission_denied),
		TEST(build_id_notes),
	};

	return cmocka_run_group_tests_name("kgr-ctl: sysfs", tests, NULL, NULL);
}
