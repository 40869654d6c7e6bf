// SPDX-License-Identifier: GPL-2.0
/*
 * install, uninstall, mode and the files behind them: what is there after each, also
 * when writing fails at any of its steps.
 */
#include "fixture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "durable.h"
#include "mode.h"
#include "readfile.h"
#include "store.h"
#include "wait.h"

struct kmod_module;
int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __real_renameat(int from_dir, const char *from, int to_dir, const char *to);
int __wrap_renameat(int from_dir, const char *from, int to_dir, const char *to);
int __real_flock(int fd, int operation);
int __wrap_flock(int fd, int operation);
int __real_nanosleep(const struct timespec *time, struct timespec *left);
int __wrap_nanosleep(const struct timespec *time, struct timespec *left);
int __wrap_kmod_module_remove_module(struct kmod_module *mod, unsigned int flags);

static bool held;		/* somebody else has the lock; time flies */
static int steps_left;		/* this many fsync()s and renameat()s work; -1: all */
static int steps_error;

static bool step_fails(void)
{
	if (steps_left > 0)
		steps_left--;
	if (steps_left)
		return false;
	errno = steps_error;
	return true;
}

int __wrap_fsync(int fd)
{
	return step_fails() ? -1 : __real_fsync(fd);
}

int __wrap_renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	return step_fails() ? -1 : __real_renameat(from_dir, from, to_dir, to);
}

int __wrap_flock(int fd, int operation)
{
	if (!held)
		return __real_flock(fd, operation);
	errno = EWOULDBLOCK;
	return -1;
}

int __wrap_nanosleep(const struct timespec *time, struct timespec *left)
{
	return held ? 0 : __real_nanosleep(time, left);
}

int __wrap_kmod_module_remove_module(struct kmod_module *mod, unsigned int flags)
{
	(void)mod, (void)flags;
	return 0;
}

static int setup(void **state)
{
	steps_left = -1;
	held = false;
	return fixture_setup(state);
}

#define GOOD	FIXTURE_DIR "/kgr-good.ko"
#define NEXT	FIXTURE_DIR "/kgr-next.ko"
#define OTHER	FIXTURE_DIR "/kgr-other.ko"
#define DIR_OF	"store/6.12.0"

/* Asserts: these patches are installed, in this order, with intact files and nothing besides */
static void assert_store(struct fixture *f, const char *release, const char *names)
{
	char *have = strdup("");
	struct kgr_store s;
	size_t entries = 0;
	struct stat st;

	assert_int_equal(kgr_store_read(&f->ctx, release, &s), 0);
	for (size_t i = 0; i < s.n; i++) {
		char *longer = kgr_asprintf("%s%s%s", have, *have ? " " : "", s.v[i].name);

		free(have);
		have = longer;
		assert_true(kgr_store_intact(&s, &s.v[i]));
	}
	assert_string_equal(have, names);
	if (!stat(s.dir, &st)) {
		char *cmd = kgr_asprintf("ls -A '%s' | wc -l", s.dir);
		FILE *p = popen(cmd, "r");

		assert_int_equal(fscanf(p, "%zu", &entries), 1);
		pclose(p);
		free(cmd);
		assert_int_equal(entries, s.n ? s.n + 1 : 0);
	}
	free(have);
	kgr_store_close(&s);
}

static void install_and_uninstall(void **state)
{
	struct fixture *f = *state;
	struct stat st;

	assert_int_equal(run(f, "install", GOOD, "--json", NULL), 0);
	assert_keys(f->doc, "schema command result name release path initramfs guard remarks");
	assert_string_equal(str(f->doc, "result"), "installed");
	assert_string_equal(str(f->doc, "name"), "kgr_good");
	assert_string_equal(str(f->doc, "release"), "6.12.0");
	assert_string_equal(str(f->doc, "guard"), "untried");
	assert_int_equal(stat(str(f->doc, "path"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0644);
	assert_int_equal(run(f, "install", OTHER, NULL), 0);
	assert_store(f, "6.12.0", "kgr_good kgr_other");
	assert_int_equal(run(f, "uninstall", "kgr-good", "--json", NULL), 0);
	assert_keys(f->doc, "schema command result name release loaded reverted remarks");
	assert_store(f, "6.12.0", "kgr_other");
	assert_int_equal(run(f, "uninstall", "kgr_good", NULL), KGR_EXIT_NOTFOUND);
	assert_int_equal(run(f, "uninstall", "kgr_other", NULL), 0);
	assert_string_equal(f->out, "kgr_other: uninstalled for 6.12.0\n");
	assert_store(f, "6.12.0", "");
}

static void same_file_twice(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(run(f, "install", GOOD, NULL), 0);
	/* nothing is written */
	steps_left = 0;
	steps_error = EIO;
	assert_int_equal(run(f, "install", GOOD, "--json", NULL), 0);
	assert_string_equal(str(f->doc, "result"), "already-installed");
	assert_store(f, "6.12.0", "kgr_good");
}

static void replacing_keeps_the_place(void **state)
{
	struct fixture *f = *state;
	char *index;

	assert_int_equal(run(f, "install", GOOD, NULL), 0);
	assert_int_equal(run(f, "install", OTHER, NULL), 0);
	assert_int_equal(run(f, "install", NEXT, "--json", NULL), 0);
	assert_string_equal(str(f->doc, "result"), "replaced");
	assert_store(f, "6.12.0", "kgr_good kgr_other");
	/* the mark alone */
	assert_int_equal(run(f, "install", NEXT, "--initramfs", "--json", NULL), 0);
	assert_string_equal(str(f->doc, "result"), "replaced");
	assert_true(json_is_true(json_object_get(f->doc, "initramfs")));
	index = get_file(f, DIR_OF "/index");
	assert_contains(index, ".ko initramfs\nkgr_other kgr_other-");
	free(index);
	assert_int_equal(run(f, "install", NEXT, NULL), 0);
	index = get_file(f, DIR_OF "/index");
	assert_lacks(index, "initramfs");
	free(index);
	assert_store(f, "6.12.0", "kgr_good kgr_other");
}

static void damaged_file_is_mended(void **state)
{
	struct fixture *f = *state;
	char *path;

	assert_int_equal(run(f, "install", GOOD, "--json", NULL), 0);
	path = strdup(str(f->doc, "path"));
	assert_int_equal(truncate(path, 100), 0);
	assert_int_equal(run(f, "install", GOOD, "--json", NULL), 0);
	assert_string_equal(str(f->doc, "result"), "replaced");
	assert_store(f, "6.12.0", "kgr_good");
	free(path);
}

static void refusals(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(run(f, "install", FIXTURE_DIR "/kgr-plain.ko", NULL), KGR_EXIT_FAIL);
	assert_contains(f->err, "not a kGraft patch module");
	assert_int_equal(run(f, "install", FIXTURE_DIR "/kgr-nameless.ko", NULL), KGR_EXIT_FAIL);
	assert_contains(f->err, "which kernel it was made for");
	assert_int_equal(run(f, "install", "./missing.ko", NULL), KGR_EXIT_NOTFOUND);
	assert_int_equal(run(f, "uninstall", "kgr_good", NULL), KGR_EXIT_NOTFOUND);
	assert_int_equal(run(f, "uninstall", "-k", "../6.12.0", "kgr_good", NULL), KGR_EXIT_USAGE);
	assert_int_equal(run(f, "uninstall", "--kernel=5.4", "--revert", "kgr_good", NULL),
			 KGR_EXIT_USAGE);
	/* nothing was made for any of these */
	assert_int_equal(access(f->store, F_OK), -1);
}

static void another_kernel(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(run(f, "install", FIXTURE_DIR "/kgr-old.ko", NULL), 0);
	assert_contains(f->out, "kgr_old: installed for 1.2.3\n");
	assert_contains(f->out, "the running kernel is 6.12.0");
	assert_store(f, "1.2.3", "kgr_old");
	assert_int_equal(run(f, "uninstall", "kgr_old", NULL), KGR_EXIT_NOTFOUND);
	assert_contains(f->err, "kgr-ctl uninstall --kernel 1.2.3 kgr_old");
	assert_int_equal(run(f, "uninstall", "kgr_old", "--kernel", "1.2.3", NULL), 0);
	assert_store(f, "1.2.3", "");
}

static void remarks(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(run(f, "install", GOOD, "--initramfs", NULL), 0);
	assert_contains(f->out, "not in the running kernel yet: kgr-ctl autoload kgr_good");
	assert_contains(f->out, "update-initramfs -u -k 6.12.0");
	put_file(f, "sys/module/kgr_good/initstate", "live\n");
	assert_int_equal(run(f, "install", GOOD, NULL), 0);
	assert_lacks(f->out, "not in the running kernel");
	put_notes(f, (const unsigned char *)"\xde\xad\xbe\xef", 4);
	assert_int_equal(run(f, "install", GOOD, NULL), 0);
	assert_contains(f->out, "another build of that kernel");
	assert_int_equal(run(f, "mode", "stop", NULL), 0);
	assert_int_equal(run(f, "install", GOOD, NULL), 0);
	assert_contains(f->out, "this host's mode is 'stop'");
}

static void uninstall_what_runs(void **state)
{
	struct fixture *f = *state;

	put_patch(f, "kgr-good", "reverted");
	put_link(f, "sys/kernel/kgraft/kgr-good/owner", "../../../module/kgr_good");
	put_file(f, "sys/module/kgr_good/initstate", "live\n");
	assert_int_equal(run(f, "install", GOOD, NULL), 0);
	assert_int_equal(run(f, "uninstall", "kgr-good", NULL), 0);
	assert_contains(f->out, "still in the running kernel: kgr-ctl unload --revert kgr_good");
	assert_int_equal(run(f, "install", GOOD, NULL), 0);
	assert_int_equal(run(f, "uninstall", "kgr-good", "--revert", "--json", NULL), 0);
	assert_true(json_is_true(json_object_get(f->doc, "reverted")));
	/* it can't be reverted; the store is right all the same */
	assert_int_equal(run(f, "install", GOOD, NULL), 0);
	put_file(f, "sys/kernel/kgraft/kgr-good/transition", "1\n");
	assert_int_equal(run(f, "uninstall", "kgr-good", "--revert", "-t", "0.05", NULL),
			 KGR_EXIT_TIMEOUT);
	assert_contains(f->err, "uninstalled all the same");
	assert_store(f, "6.12.0", "");
}

/* A patch need not be called like its module */
static void uninstall_by_patch_name(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(run(f, "install", GOOD, NULL), 0);
	put_patch(f, "fix-for-good", "applied");
	put_link(f, "sys/kernel/kgraft/fix-for-good/owner", "../../../module/kgr_good");
	assert_int_equal(run(f, "uninstall", "fix-for-good", NULL), 0);
	assert_store(f, "6.12.0", "");
}

static void damaged_index(void **state)
{
	static const char * const texts[] = {
		"",
		"\n",
		"end",
		"end\nkgr_good kgr_good-0011223344556677.ko\n",
		"kgr_good kgr_good-0011223344556677.ko\n",
		"kgr_good kgr_good-0011223344556677.ko",
		"kgr_good\nend\n",
		"kgr_good ../kgr_good-0011223344556677.ko\nend\n",
		"kgr_good .tmp\nend\n",
		"kgr_good kgr_good-0011223344556677.ko nonsense\nend\n",
		"kgr_good kgr_good-0011223344556677.ko initramfs more\nend\n",
		"kgr_good a-0011223344556677.ko\nkgr_good b-0011223344556677.ko\nend\n",
		"\xff\xfe\x01\nend\n",
	};
	struct fixture *f = *state;

	assert_int_equal(run(f, "install", GOOD, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		put_file(f, DIR_OF "/index", texts[i]);
		if (run(f, "install", OTHER, NULL) != KGR_EXIT_FAIL)
			fail_msg("taken: '%s'", texts[i]);
		assert_contains(f->err, "/index: damaged in line");
		assert_contains(f->err, "rm ");
		assert_int_equal(run(f, "autoload", NULL), KGR_EXIT_FAIL);
		/* it is still shown what can be shown */
		assert_int_equal(run(f, "status", "--json", NULL), 0);
		assert_true(json_is_null(json_object_get(f->doc, "installed")));
		assert_contains(str(json_object_get(f->doc, "store_error"), "what"), "damaged");
		assert_int_equal(run(f, "status", NULL), 0);
		assert_contains(f->out, "autoload: unknown");
	}
	/* what the error told to do */
	remove_file(f, DIR_OF "/index");
	assert_int_equal(run(f, "install", OTHER, NULL), 0);
	assert_store(f, "6.12.0", "kgr_other");
}

static void leftovers_are_swept(void **state)
{
	struct fixture *f = *state;
	char *text;

	put_file(f, DIR_OF "/" KGR_DURABLE_TMP, "half a module");
	put_file(f, DIR_OF "/kgr_gone-0123456789abcdef.ko.xz", "x");
	put_file(f, DIR_OF "/kgr_gone.guard", "x");
	put_file(f, "store/" KGR_DURABLE_TMP, "half a mode");
	assert_int_equal(run(f, "install", GOOD, NULL), 0);
	assert_store(f, "6.12.0", "kgr_good");
	assert_null(get_file(f, "store/" KGR_DURABLE_TMP));
	/* what somebody has put there is his */
	put_file(f, DIR_OF "/README", "mine");
	put_file(f, DIR_OF "/kgr-fix.ko", "mine");
	put_file(f, DIR_OF "/kgr_fix-0123456789ABCDEF.ko", "mine");
	assert_int_equal(run(f, "install", OTHER, NULL), 0);
	text = get_file(f, DIR_OF "/README");
	assert_string_equal(text, "mine");
	free(text);
	text = get_file(f, DIR_OF "/kgr-fix.ko");
	assert_non_null(text);
	free(text);
	text = get_file(f, DIR_OF "/kgr_fix-0123456789ABCDEF.ko");
	assert_non_null(text);
	free(text);
}

/* Each step of writing fails in turn: the old state, until one day the new one */
static void writing_fails(void **state)
{
	static const int errors[] = { ENOSPC, EIO, EDQUOT };
	struct fixture *f = *state;
	const char *path;
	int step, ret;

	for (size_t e = 0; e < ARRAY_SIZE(errors); e++) {
		steps_left = -1;
		assert_int_equal(run(f, "install", GOOD, NULL), 0);
		assert_int_equal(run(f, "install", OTHER, NULL), 0);
		for (step = 1, ret = -1; ret; step++) {
			struct kgr_store s;
			bool old;

			steps_left = step;
			steps_error = errors[e];
			ret = run(f, "install", NEXT, NULL);
			steps_left = -1;
			if (ret)
				assert_contains(f->err, strerror(errors[e]));
			if (ret && errors[e] != EIO)
				assert_contains(f->err, "make room");
			assert_int_equal(kgr_store_read(&f->ctx, "6.12.0", &s), 0);
			old = kgr_store_same(kgr_store_find(&s, "kgr_good"), GOOD);
			path = old ? GOOD : NEXT;
			assert_true(kgr_store_same(kgr_store_find(&s, "kgr_good"), path));
			if (!ret)
				assert_false(old);
			kgr_store_close(&s);
			/* also right after the failure: intact, and no leftover */
			assert_store(f, "6.12.0", "kgr_good kgr_other");
			assert_true(step < 20);
		}
		/* file, name, directory, each for the module and for the index */
		assert_int_equal(step - 1, 7);
		assert_int_equal(run(f, "uninstall", "kgr_good", NULL), 0);
		assert_int_equal(run(f, "uninstall", "kgr_other", NULL), 0);
	}
}

static void first_install_fails(void **state)
{
	struct fixture *f = *state;
	int step, late = 0, ret = -1;

	for (step = 1; ret; step++) {
		steps_left = step;
		steps_error = ENOSPC;
		ret = run(f, "install", GOOD, "--json", NULL);
		steps_left = -1;
		/* the last step is too late for the old state */
		if (ret && !run(f, "uninstall", "kgr_good", NULL))
			late++;
		assert_store(f, "6.12.0", ret ? "" : "kgr_good");
		assert_true(step < 20);
	}
	assert_true(step > 6);
	assert_int_equal(late, 1);
}

/* A full disk can be emptied */
static void last_uninstall_needs_no_room(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(run(f, "install", GOOD, NULL), 0);
	assert_int_equal(run(f, "install", OTHER, NULL), 0);
	steps_left = 1;
	steps_error = ENOSPC;
	assert_int_equal(run(f, "uninstall", "kgr_good", NULL), KGR_EXIT_FAIL);
	steps_left = -1;
	assert_store(f, "6.12.0", "kgr_good kgr_other");
	assert_int_equal(run(f, "uninstall", "kgr_good", NULL), 0);
	assert_int_equal(run(f, "uninstall", "kgr_other", NULL), 0);
	assert_store(f, "6.12.0", "");
}

static void locked(void **state)
{
	struct fixture *f = *state;
	int64_t start;
	int fds[2], lock;
	char c;

	/* one process has it for a while, another one waits */
	assert_int_equal(pipe(fds), 0);
	if (!fork()) {
		if (kgr_store_lock(&f->ctx, &lock) || write(fds[1], "", 1) != 1)
			_exit(1);
		usleep(400 * 1000);
		_exit(0);
	}
	assert_int_equal(read(fds[0], &c, 1), 1);
	start = kgr_monotonic_ms();
	/* reading needs none */
	assert_int_equal(run(f, "status", NULL), 0);
	assert_true(kgr_monotonic_ms() - start < 300);
	assert_int_equal(run(f, "install", GOOD, NULL), 0);
	assert_true(kgr_monotonic_ms() - start >= 300);
	close(fds[0]);
	close(fds[1]);

	held = true;
	assert_int_equal(run(f, "install", OTHER, NULL), KGR_EXIT_CONFLICT);
	assert_contains(f->err, "is locked");
	assert_contains(f->err, "fuser");
	assert_int_equal(run(f, "mode", "stop", NULL), KGR_EXIT_CONFLICT);
	held = false;
	assert_store(f, "6.12.0", "kgr_good");
}

static void modes(void **state)
{
	static const char * const garbage[] = {
		"", "norma", "normal x", "normal -1", "normal 5 5", "normal 99999999999", "\1\2\3",
	};
	struct fixture *f = *state;
	struct kgr_host host;
	char *text;

	assert_int_equal(run(f, "mode", "--json", NULL), 0);
	assert_keys(f->doc, "schema command mode meaning guard_ms boot_off");
	assert_string_equal(str(f->doc, "mode"), "normal");
	assert_int_equal(json_integer_value(json_object_get(f->doc, "guard_ms")), 600000);
	assert_int_equal(access(f->store, F_OK), -1);

	assert_int_equal(run(f, "mode", "no-apply", NULL), 0);
	assert_contains(f->out, "mode:       no-apply");
	text = get_file(f, "store/mode");
	assert_string_equal(text, "no-apply\n");
	free(text);
	/* each of the two is set without the other */
	assert_int_equal(run(f, "mode", "--guard", "1.5", NULL), 0);
	assert_int_equal(run(f, "mode", "stop", NULL), 0);
	text = get_file(f, "store/mode");
	assert_string_equal(text, "stop 2\n");
	free(text);

	assert_int_equal(run(f, "mode", "never", NULL), KGR_EXIT_USAGE);
	assert_contains(f->err, "kgr-ctl mode no-apply (");
	assert_int_equal(run(f, "mode", "--guard", "-1", NULL), KGR_EXIT_USAGE);
	assert_int_equal(kgr_mode_read(&f->ctx, &host), 0);
	assert_int_equal(host.mode, KGR_MODE_STOP);

	for (size_t i = 0; i < ARRAY_SIZE(garbage); i++) {
		put_file(f, "store/mode", garbage[i]);
		assert_int_equal(run(f, "mode", NULL), KGR_EXIT_FAIL);
		assert_int_equal(run(f, "mode", "--guard", "1", NULL), KGR_EXIT_FAIL);
		assert_int_equal(run(f, "autoload", NULL), KGR_EXIT_FAIL);
		assert_int_equal(run(f, "status", "--json", NULL), 0);
		assert_true(json_is_null(json_object_get(f->doc, "mode")));
	}
	assert_int_equal(run(f, "mode", "normal", NULL), 0);
	assert_int_equal(run(f, "mode", NULL), 0);
	/* as a person may write it */
	put_file(f, "store/mode", "stop");
	assert_int_equal(run(f, "mode", NULL), 0);
	assert_contains(f->out, "mode:       stop");
}

static void stop_refuses(void **state)
{
	struct fixture *f = *state;

	put_patch(f, "demo", "reverted");
	assert_int_equal(run(f, "mode", "stop", NULL), 0);
	assert_int_equal(run(f, "load", GOOD, NULL), KGR_EXIT_PERM);
	assert_contains(f->err, "this host's mode is 'stop'");
	assert_contains(f->err, "kgr-ctl mode normal");
	assert_int_equal(run(f, "enable", "demo", NULL), KGR_EXIT_PERM);
	/* taking back always works */
	assert_int_equal(run(f, "revert", "demo", NULL), 0);
	assert_int_equal(run(f, "unload", "demo", NULL), 0);
	assert_int_equal(run(f, "mode", "no-apply", NULL), 0);
	put_file(f, "sys/kernel/kgraft/demo/enabled", "1\n");
	assert_int_equal(run(f, "enable", "demo", NULL), 0);
}

static void not_root(void **state)
{
	struct fixture *f = *state;
	char *data, *other;
	size_t len;
	int ret;

	if (geteuid())
		skip();
	/* to a place where everybody may read it */
	assert_int_equal(kgr_slurp_file(OTHER, &data, &len), 0);
	put_bytes(f, "other.ko", data, len);
	free(data);
	other = kgr_asprintf("%s/other.ko", f->root);
	assert_int_equal(run(f, "install", GOOD, NULL), 0);
	assert_int_equal(seteuid(65534), 0);
	ret = run(f, "install", other, NULL);
	free(other);
	assert_int_equal(ret, KGR_EXIT_PERM);
	assert_contains(f->err, "run kgr-ctl as root");
	assert_int_equal(run(f, "uninstall", "kgr_good", NULL), KGR_EXIT_PERM);
	assert_int_equal(run(f, "mode", "stop", NULL), KGR_EXIT_PERM);
	/* looking is for everybody */
	ret = run(f, "status", NULL);
	assert_int_equal(seteuid(0), 0);
	assert_int_equal(ret, 0);
	assert_contains(f->out, "autoload: 1 patch\n");
	assert_store(f, "6.12.0", "kgr_good");
}

#define TEST(name)	cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(install_and_uninstall),
		TEST(same_file_twice),
		TEST(replacing_keeps_the_place),
		TEST(damaged_file_is_mended),
		TEST(refusals),
		TEST(another_kernel),
		TEST(remarks),
		TEST(uninstall_what_runs),
		TEST(uninstall_by_patch_name),
		TEST(damaged_index),
		TEST(leftovers_are_swept),
		TEST(writing_fails),
		TEST(first_install_fails),
		TEST(last_uninstall_needs_no_room),
		TEST(locked),
		TEST(modes),
		TEST(stop_refuses),
		TEST(not_root),
	};

	return cmocka_run_group_tests_name("kgr-ctl: store and modes", tests, NULL, NULL);
}
