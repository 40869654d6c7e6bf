// SPDX-License-Identifier: GPL-2.0
/*
 * load and unload, with the two system calls behind libkmod replaced: every
 * errno of the kernel has its exit code and its explanation.
 */
#include "fixture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kmsg.h"
#include "module.h"
#include "sysfs.h"

struct kmod_module;
int __wrap_kmod_module_insert_module(struct kmod_module *mod, unsigned int flags,
				     const char *options);
int __wrap_kmod_module_remove_module(struct kmod_module *mod, unsigned int flags);

static struct fixture *fix;
static int insert_ret, remove_ret, inserts, removes;
static bool cumulative;
static const char *appears;	/* state of the patch that the module registers */
static char options[64];

int __wrap_kmod_module_insert_module(struct kmod_module *mod, unsigned int flags,
				     const char *opts)
{
	(void)mod;
	assert_int_equal(flags, 0);
	snprintf(options, sizeof(options), "%s", opts);
	inserts++;
	if (appears) {
		put_patch(fix, "kgr-good", appears);
		put_link(fix, "sys/kernel/kgraft/kgr-good/owner", "../../../module/kgr_good");
		put_file(fix, "sys/module/kgr_good/initstate", "live\n");
		if (cumulative)
			put_file(fix, "sys/kernel/kgraft/kgr-good/replace_all", "1\n");
	}
	return insert_ret;
}

int __wrap_kmod_module_remove_module(struct kmod_module *mod, unsigned int flags)
{
	(void)mod, (void)flags;
	removes++;
	return remove_ret;
}

static int setup(void **state)
{
	int ret = fixture_setup(state);

	fix = *state;
	insert_ret = 0;
	remove_ret = 0;
	inserts = 0;
	removes = 0;
	appears = NULL;
	cumulative = false;
	return ret;
}

#define GOOD	FIXTURE_DIR "/kgr-good.ko"

static void load_applies(void **state)
{
	struct fixture *f = *state;

	appears = "applied";
	assert_int_equal(run(f, "load", GOOD, "a=1", "b=x y", "--json", NULL), 0);
	assert_keys(f->doc, "schema command result elapsed_ms patch");
	assert_string_equal(str(f->doc, "result"), "applied");
	assert_string_equal(str(json_object_get(f->doc, "patch"), "module"), "kgr_good");
	assert_string_equal(options, "a=1 b=\"x y\"");
	assert_int_equal(inserts, 1);
	/* again: it is there, nothing is inserted */
	assert_int_equal(run(f, "load", GOOD, "--json", NULL), 0);
	assert_string_equal(str(f->doc, "result"), "already-applied");
	assert_int_equal(inserts, 1);
	assert_int_equal(run(f, "load", GOOD, NULL), 0);
	assert_string_equal(f->out, "kgr-good: already-applied\n");
}

static void load_pending(void **state)
{
	struct fixture *f = *state;

	appears = "applying";
	assert_int_equal(run(f, "load", GOOD, "--no-wait", "--json", NULL), 0);
	assert_string_equal(str(f->doc, "result"), "applying");
	assert_int_equal(run(f, "load", GOOD, "-t", "0.01", NULL), KGR_EXIT_TIMEOUT);
	assert_int_equal(inserts, 1);
}

static void load_loses_a_race(void **state)
{
	struct fixture *f = *state;

	appears = "applied";
	insert_ret = -EEXIST;
	assert_int_equal(run(f, "load", GOOD, "--json", NULL), 0);
	assert_string_equal(str(f->doc, "result"), "already-applied");
}

static void load_conflicts(void **state)
{
	struct fixture *f = *state;

	appears = "reverted";
	insert_ret = -EEXIST;
	assert_int_equal(run(f, "load", GOOD, NULL), KGR_EXIT_CONFLICT);
	assert_contains(f->err, "kgr-ctl enable kgr-good");
	put_file(f, "sys/module/kgr_good/srcversion", "OTHER\n");
	put_file(f, "sys/kernel/kgraft/kgr-good/enabled", "1\n");
	assert_int_equal(run(f, "load", GOOD, NULL), KGR_EXIT_CONFLICT);
	assert_contains(f->err, "another build");
	remove_file(f, "sys/kernel/kgraft/kgr-good");
	assert_int_equal(run(f, "load", GOOD, NULL), KGR_EXIT_CONFLICT);
	assert_contains(f->err, "has no patch");
}

/* What kgr-build makes has a build-id of its own, and no source version */
static void load_knows_other_builds(void **state)
{
	static const unsigned char same[] = "\4\0\0\0\4\0\0\0\3\0\0\0GNU\0\1\2\3\4";
	static const unsigned char other[] = "\4\0\0\0\4\0\0\0\3\0\0\0GNU\0\1\2\3\5";
	static const char notes[] = "sys/module/kgr_good/notes/.note.gnu.build-id";
	struct fixture *f = *state;

	appears = "applied";
	assert_int_equal(run(f, "load", GOOD, NULL), 0);
	put_bytes(f, notes, same, sizeof(same) - 1);
	assert_int_equal(run(f, "load", FIXTURE_DIR "/kgr-linked.ko", NULL), 0);
	assert_string_equal(f->out, "kgr-good: already-applied\n");
	put_bytes(f, notes, other, sizeof(other) - 1);
	assert_int_equal(run(f, "load", FIXTURE_DIR "/kgr-linked.ko", NULL), KGR_EXIT_CONFLICT);
	assert_contains(f->err, "another build of kgr_good is loaded");
	assert_contains(f->err, "loaded is build-id 01020305");
	assert_contains(f->err, "this file is build-id 01020304");
	/* a file that has none: the source version tells, where there is one */
	put_file(f, "sys/module/kgr_good/srcversion", "OTHER\n");
	assert_int_equal(run(f, "load", GOOD, NULL), KGR_EXIT_CONFLICT);
	assert_contains(f->err, "loaded is source version OTHER");
	assert_int_equal(inserts, 1);
}

static void load_refusals(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(run(f, "load", FIXTURE_DIR "/kgr-plain.ko", NULL), KGR_EXIT_FAIL);
	assert_contains(f->err, "not a kGraft patch module");
	assert_int_equal(run(f, "load", "./missing.ko", NULL), KGR_EXIT_NOTFOUND);
	assert_int_equal(run(f, "load", "not-installed", NULL), KGR_EXIT_NOTFOUND);
	assert_contains(f->err, "modules.dep");
	remove_file(f, "sys/kernel/kgraft");
	assert_int_equal(run(f, "load", GOOD, NULL), KGR_EXIT_NOTFOUND);
	assert_int_equal(inserts, 0);
}

static void replace_cumulative(void **state)
{
	struct fixture *f = *state;

	appears = "applied";
	cumulative = true;
	assert_int_equal(run(f, "replace", FIXTURE_DIR "/kgr-all.ko", "--json", NULL), 0);
	assert_string_equal(str(f->doc, "command"), "replace");
	assert_string_equal(str(f->doc, "result"), "applied");
	assert_int_equal(inserts, 1);
	assert_int_equal(run(f, "replace", FIXTURE_DIR "/kgr-all.ko", "--json", NULL), 0);
	assert_string_equal(str(f->doc, "result"), "already-applied");
	/* nothing in the file tells, but it is so */
	remove_file(f, "sys/kernel/kgraft/kgr-good");
	remove_file(f, "sys/module/kgr_good");
	assert_int_equal(run(f, "replace", FIXTURE_DIR "/kgr-hand.ko", NULL), 0);
	assert_int_equal(inserts, 2);
	assert_int_equal(removes, 0);
}

/* The file says so: nothing is loaded */
static void replace_refused(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(run(f, "replace", GOOD, NULL), KGR_EXIT_CONFLICT);
	assert_contains(f->err, "it is not cumulative");
	assert_contains(f->err, "nothing was done");
	assert_int_equal(inserts, 0);
	/* it is there already */
	appears = "applied";
	assert_int_equal(run(f, "load", FIXTURE_DIR "/kgr-hand.ko", NULL), 0);
	assert_int_equal(run(f, "replace", FIXTURE_DIR "/kgr-hand.ko", NULL), KGR_EXIT_CONFLICT);
	assert_int_equal(inserts, 1);
	assert_int_equal(removes, 0);
}

/* Only the kernel can tell: it is taken out again */
static void replace_found_out(void **state)
{
	struct fixture *f = *state;

	appears = "applied";
	assert_int_equal(run(f, "replace", FIXTURE_DIR "/kgr-hand.ko", NULL), KGR_EXIT_CONFLICT);
	assert_contains(f->err, "it is not cumulative");
	assert_contains(f->err, "its module removed again");
	assert_int_equal(inserts, 1);
	assert_int_equal(removes, 1);
	/* the revert was asked for */
	assert_int_equal(kgr_sysfs_write(&f->ctx, "kgr-good", "enabled", "1"), 0);
	remove_file(f, "sys/module/kgr_good");
	put_file(f, "sys/kernel/kgraft/kgr-good/revert", "");
	remove_ret = -EBUSY;
	assert_int_equal(run(f, "replace", FIXTURE_DIR "/kgr-hand.ko", "--json", NULL),
			 KGR_EXIT_CONFLICT);
	assert_contains(f->out, "could not be removed");
}

static void load_registers_nothing(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(run(f, "load", GOOD, NULL), KGR_EXIT_FAIL);
	assert_contains(f->err, "kgr_good was loaded, but registered no patch");
}

static void load_errnos(void **state)
{
	static const struct {
		int err;
		enum kgr_exit code;
		const char *says;
	} cases[] = {
		{ EAGAIN, KGR_EXIT_CONFLICT, "another transition" },
		{ EBUSY, KGR_EXIT_CONFLICT, "another user of ftrace" },
		{ ENOEXEC, KGR_EXIT_MISMATCH, "made for another kernel" },
		{ EKEYREJECTED, KGR_EXIT_PERM, "signature" },
		{ ENOKEY, KGR_EXIT_PERM, "signature" },
		{ EPERM, KGR_EXIT_PERM, "not permitted" },
		{ ENOENT, KGR_EXIT_FAIL, "symbol is missing" },
		{ EINVAL, KGR_EXIT_FAIL, "dmesg" },
		{ EOPNOTSUPP, KGR_EXIT_FAIL, "the patch needs what this kernel's kGraft can't do" },
		{ ENODEV, KGR_EXIT_FAIL, "kGraft can't redirect functions now" },
		{ ENOMEM, KGR_EXIT_FAIL, "Cannot allocate memory" },
		{ EIO, KGR_EXIT_FAIL, "Input/output error" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		insert_ret = -cases[i].err;
		if (run(f, "load", GOOD, NULL) != (int)cases[i].code)
			fail_msg("%s: wrong exit code\n%s", strerror(cases[i].err), f->err);
		assert_contains(f->err, cases[i].says);
		assert_contains(f->err, strerror(cases[i].err));
		assert_int_equal(f->out_len, 0);
	}
}

static void load_while_another_runs(void **state)
{
	struct fixture *f = *state;

	put_patch(f, "other", "reverting");
	insert_ret = -EAGAIN;
	assert_int_equal(run(f, "load", GOOD, NULL), KGR_EXIT_CONFLICT);
	assert_contains(f->err, "patch 'other' is reverting, 120 of 124");
	assert_contains(f->err, "kgr-ctl wait other");
}

static void wrong_build_id(void **state)
{
	struct fixture *f = *state;

	put_notes(f, (const unsigned char *)"\xde\xad\xbe\xef", 4);
	insert_ret = -ENOEXEC;
	assert_int_equal(run(f, "load", GOOD, NULL), KGR_EXIT_MISMATCH);
	assert_contains(f->err, "made for build-id " BUILD_ID_HEX);
	assert_contains(f->err, "running is build-id deadbeef");
	assert_int_equal(run(f, "load", FIXTURE_DIR "/kgr-old.ko", NULL), KGR_EXIT_MISMATCH);
	assert_contains(f->err, "made for 1.2.3");
}

/* One made by hand may say so in its structure alone, which the kernel reads */
static void wrong_build_id_by_hand(void **state)
{
	struct kgr_module m = { .name = "kgr_hand" };
	struct fixture *f = *state;
	json_t *lines = json_pack("[s]", "kgraft: 'p': made for the kernel with build-id 01, this one has 02");

	assert_int_equal(kgr_explain_load(&f->ctx, &m, ENOEXEC, lines), KGR_EXIT_MISMATCH);
	assert_string_equal(f->ctx.diag.what, "kgr_hand was made for another kernel");
	assert_int_equal(kgr_explain_load(&f->ctx, &m, EINVAL, lines), KGR_EXIT_FAIL);
	json_decref(lines);
	lines = json_pack("[s]", "kgraft: 'p': something else");
	assert_int_equal(kgr_explain_load(&f->ctx, &m, ENOEXEC, lines), KGR_EXIT_FAIL);
	assert_string_equal(f->ctx.diag.what, "kgr_hand: the kernel does not accept its format");
	json_decref(lines);
	kgr_diag_reset(&f->ctx.diag);
}

static void locked_down(void **state)
{
	struct fixture *f = *state;

	if (geteuid())
		skip();
	insert_ret = -EPERM;
	put_file(f, "sys/kernel/security/lockdown", "none [integrity] confidentiality\n");
	assert_int_equal(run(f, "load", GOOD, NULL), KGR_EXIT_PERM);
	assert_contains(f->err, "locked down (integrity)");
	put_file(f, "proc/sys/kernel/modules_disabled", "1\n");
	assert_int_equal(run(f, "load", GOOD, NULL), KGR_EXIT_PERM);
	assert_contains(f->err, "modules_disabled=1");
}

/* /dev/kmsg gives one record per read; so does a datagram socket */
static void kernel_log(void **state)
{
	static const char * const records[] = {
		"6,1,100,-;kgraft: patch 'p': can't patch\n SUBSYSTEM=x\n",
		"6,2,100,-;something else\n",
		"3,3,100,-;kgr_good: version magic 'a' should be 'b'\n",
		"3,4,100,-;kgr_goods: not ours\n",
		"no semicolon",
	};
	int fds[2];
	json_t *lines;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, fds), 0);
	for (size_t i = 0; i < ARRAY_SIZE(records); i++)
		assert_true(write(fds[0], records[i], strlen(records[i])) > 0);
	lines = kgr_kmsg_collect(fds[1], "kgr_good");
	assert_int_equal(json_array_size(lines), 2);
	assert_string_equal(json_string_value(json_array_get(lines, 0)),
			    "kgraft: patch 'p': can't patch");
	assert_string_equal(json_string_value(json_array_get(lines, 1)),
			    "kgr_good: version magic 'a' should be 'b'");
	json_decref(lines);
	lines = kgr_kmsg_collect(-1, "kgr_good");
	assert_int_equal(json_array_size(lines), 0);
	json_decref(lines);
	close(fds[0]);
	close(fds[1]);
}

static void unload_reverted(void **state)
{
	struct fixture *f = *state;

	put_patch(f, "demo", "reverted");
	assert_int_equal(run(f, "unload", "demo", "--json", NULL), 0);
	assert_keys(f->doc, "schema command result elapsed_ms patch module");
	assert_string_equal(str(f->doc, "result"), "unloaded");
	assert_string_equal(str(f->doc, "module"), "demo_mod");
	assert_int_equal(removes, 1);
}

static void unload_refusals(void **state)
{
	struct fixture *f = *state;

	put_patch(f, "demo", "applied");
	assert_int_equal(run(f, "unload", "demo", NULL), KGR_EXIT_CONFLICT);
	assert_contains(f->err, "unload --revert demo");
	assert_int_equal(run(f, "unload", "other", NULL), KGR_EXIT_NOTFOUND);
	put_patch(f, "demo", "reverting");
	assert_int_equal(run(f, "unload", "demo", "-t", "0.01", NULL), KGR_EXIT_TIMEOUT);
	assert_int_equal(removes, 0);

	put_patch(f, "demo", "reverted");
	remove_ret = -EAGAIN;
	put_file(f, "sys/module/demo_mod/holders/user", "");
	assert_int_equal(run(f, "unload", "demo", NULL), KGR_EXIT_CONFLICT);
	assert_contains(f->err, "module demo_mod is in use");
	assert_contains(f->err, "used by: user");
	remove_ret = -EPERM;
	assert_int_equal(run(f, "unload", "demo", NULL), KGR_EXIT_PERM);
	remove_ret = -ENOENT;
	assert_int_equal(run(f, "unload", "demo", NULL), KGR_EXIT_NOTFOUND);
	assert_contains(f->err, "module demo_mod is not loaded any more");
	assert_contains(f->err, "next:   kgr-ctl status");
	remove_ret = -EIO;
	assert_int_equal(run(f, "unload", "demo", NULL), KGR_EXIT_FAIL);
	assert_contains(f->err, "can't remove module demo_mod: Input/output error");
	remove_file(f, "sys/kernel/kgraft/demo/owner");
	assert_int_equal(run(f, "unload", "demo", NULL), KGR_EXIT_FAIL);
}

static void unload_with_revert(void **state)
{
	struct fixture *f = *state;

	put_patch(f, "demo", "applied");
	assert_int_equal(run(f, "unload", "--revert", "demo", NULL), 0);
	assert_string_equal(f->out, "demo: unloaded\n");
	assert_int_equal(removes, 1);
}

#define TEST(name)	cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(load_applies),
		TEST(load_pending),
		TEST(load_loses_a_race),
		TEST(load_conflicts),
		TEST(load_knows_other_builds),
		TEST(load_refusals),
		TEST(replace_cumulative),
		TEST(replace_refused),
		TEST(replace_found_out),
		TEST(load_registers_nothing),
		TEST(load_errnos),
		TEST(load_while_another_runs),
		TEST(wrong_build_id),
		TEST(wrong_build_id_by_hand),
		TEST(locked_down),
		TEST(kernel_log),
		TEST(unload_reverted),
		TEST(unload_refusals),
		TEST(unload_with_revert),
	};

	return cmocka_run_group_tests_name("kgr-ctl: load and unload", tests, NULL, NULL);
}
