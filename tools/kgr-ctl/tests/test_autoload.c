// SPDX-License-Identifier: GPL-2.0
/*
 * autoload and the guard: each state of a record, and each way into it.  A crash is
 * a boot with another id, in which nothing is loaded.
 */
#include "fixture.h"

#include <errno.h>
#include <libkmod.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "child.h"
#include "guard.h"
#include "wait.h"

int __wrap_kmod_module_insert_module(struct kmod_module *mod, unsigned int flags,
				     const char *options);
int __wrap_kmod_module_remove_module(struct kmod_module *mod, unsigned int flags);

static struct fixture *fix;
static const char *appears;	/* state of the patch that a module registers */
static const char *refused;	/* the module that the kernel does not take */
static const char *hangs;	/* the one that never gets out of the kernel */
static const char *dies;	/* the one whose loader is killed */

/* Loading happens in children: what they have done is in files */
static void note(const char *what)
{
	char *path = kgr_asprintf("%s/log", fix->root);
	FILE *f = fopen(path, "a");

	fprintf(f, "%s", what);
	fclose(f);
	free(path);
}

/* "/.../kgr_good-0123456789abcdef.ko", or what the test has given */
static void name_of(struct kmod_module *mod, char *name, size_t size)
{
	const char *slash = strrchr(kmod_module_get_path(mod), '/') + 1;

	snprintf(name, size, "%s", strstr(slash, "other") ? "kgr_other" : "kgr_good");
}

static void register_patch(const char *module)
{
	char *owner = kgr_asprintf("sys/kernel/kgraft/%s/owner", module);
	char *target = kgr_asprintf("../../../module/%s", module);
	char *initstate = kgr_asprintf("sys/module/%s/initstate", module);

	put_patch(fix, module, appears);
	put_link(fix, owner, target);
	put_file(fix, initstate, "live\n");
	free(owner);
	free(target);
	free(initstate);
}

int __wrap_kmod_module_insert_module(struct kmod_module *mod, unsigned int flags,
				     const char *options)
{
	char name[64], *path, *record;

	(void)flags, (void)options;
	name_of(mod, name, sizeof(name));
	/* what a crash just now would leave */
	path = kgr_asprintf("store/6.12.0/%s.guard", name);
	record = get_file(fix, path);
	note(name);
	note(record && !strncmp(record, "trying ", 7) ? "+" : "-");
	free(record);
	free(path);
	while (hangs && !strcmp(name, hangs))
		pause();
	if (dies && !strcmp(name, dies))
		_exit(KGR_EXIT_FAIL);
	if (refused && !strcmp(name, refused))
		return -EBUSY;
	register_patch(name);
	return 0;
}

int __wrap_kmod_module_remove_module(struct kmod_module *mod, unsigned int flags)
{
	(void)mod, (void)flags;
	return 0;
}

#define GOOD	FIXTURE_DIR "/kgr-good.ko"
#define NEXT	FIXTURE_DIR "/kgr-next.ko"
#define OTHER	FIXTURE_DIR "/kgr-other.ko"
#define DIR_OF	"store/6.12.0"

static int setup(void **state)
{
	int ret = fixture_setup(state);

	fix = *state;
	appears = "applied";
	refused = NULL;
	hangs = NULL;
	dies = NULL;
	if (run(fix, "install", GOOD, NULL))
		ret = -1;
	return ret;
}

/* What was inserted since the last time: '+' if the guard knew of it, '-' if not */
static void assert_inserted(struct fixture *f, const char *names)
{
	char *log = get_file(f, "log");

	assert_string_equal(log ? log : "", names);
	free(log);
	put_file(f, "log", "");
}

/* The machine goes down, one way or the other, and comes up again */
static void next_boot(struct fixture *f)
{
	static unsigned int boot = 1;

	put_boot(f, ++boot);
	remove_file(f, "sys/kernel/kgraft");
	put_file(f, "sys/kernel/kgraft/in_progress", "0\n");
	put_file(f, "sys/module/x", "");
	remove_file(f, "sys/module");
}

static const json_t *row(struct fixture *f, const char *list, const char *name)
{
	json_t *r;
	size_t i;

	json_array_foreach(json_object_get(f->doc, list), i, r)
		if (!strcmp(str(r, "name"), name))
			return r;
	fail_msg("%s is not shown", name);
	return NULL;
}

static void assert_guard(struct fixture *f, const char *name, const char *state)
{
	assert_int_equal(run(f, "status", "--json", NULL), 0);
	assert_string_equal(str(row(f, "installed", name), "guard"), state);
}

static json_int_t count(struct fixture *f, const char *key)
{
	return json_integer_value(json_object_get(f->doc, key));
}

static void nothing_installed(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(run(f, "uninstall", "kgr_good", NULL), 0);
	/* as with every kernel that has no patches, kGraft or not */
	remove_file(f, "sys/kernel/kgraft");
	assert_int_equal(run(f, "autoload", NULL), 0);
	assert_string_equal(f->out, "nothing is installed for 6.12.0\n");
	assert_int_equal(run(f, "autoload", "--confirm", NULL), 0);
	assert_int_equal(run(f, "autoload", "--shutdown", NULL), 0);
	assert_int_equal(run(f, "autoload", "kgr_good", NULL), KGR_EXIT_NOTFOUND);
}

static void loads_in_order(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(run(f, "install", OTHER, NULL), 0);
	assert_int_equal(run(f, "autoload", "--json", NULL), 0);
	assert_keys(f->doc, "schema command release skipped applied applying held_back failed patches");
	assert_keys(row(f, "patches", "kgr_good"), "name result guard initramfs error");
	assert_int_equal(count(f, "applied"), 2);
	assert_inserted(f, "kgr_good+kgr_other+");
	assert_guard(f, "kgr_good", "trying");
	assert_guard(f, "kgr_other", "trying");
}

static void again_in_one_boot(void **state)
{
	struct fixture *f = *state;
	char *before, *after;

	assert_int_equal(run(f, "autoload", NULL), 0);
	before = get_file(f, DIR_OF "/kgr_good.guard");
	assert_int_equal(run(f, "autoload", "--json", NULL), 0);
	assert_string_equal(str(row(f, "patches", "kgr_good"), "result"), "already-applied");
	after = get_file(f, DIR_OF "/kgr_good.guard");
	/* it has been tried since the first time */
	assert_string_equal(before, after);
	free(before);
	free(after);
	assert_inserted(f, "kgr_good+");
}

static void crash_holds_back(void **state)
{
	struct fixture *f = *state;
	const json_t *error;

	assert_int_equal(run(f, "autoload", NULL), 0);
	next_boot(f);
	assert_inserted(f, "kgr_good+");
	assert_int_equal(run(f, "autoload", "--json", NULL), KGR_EXIT_FAIL);
	assert_string_equal(str(row(f, "patches", "kgr_good"), "result"), "held-back");
	error = json_object_get(row(f, "patches", "kgr_good"), "error");
	assert_keys(error, "code kind what why next kernel");
	assert_int_equal(count(f, "held_back"), 1);
	assert_int_equal(run(f, "autoload", NULL), KGR_EXIT_FAIL);
	assert_contains(f->out, "kgr_good: held-back: the machine went down soon after kgr_good was loaded");
	assert_contains(f->out, "ended without a shutdown");
	assert_contains(f->out, "journalctl --boot=00000001111142228333444444444444");
	assert_contains(f->out, "kgr-ctl autoload --retry kgr_good");
	assert_contains(f->out, "0 of 1 applied, 0 on the way, 1 held back, 0 failed");
	/* boots later it is still so, and neither shutdown nor time lifts it */
	assert_int_equal(run(f, "autoload", "--shutdown", NULL), 0);
	next_boot(f);
	assert_int_equal(run(f, "autoload", "--confirm", NULL), 0);
	assert_int_equal(run(f, "autoload", "-q", NULL), KGR_EXIT_FAIL);
	assert_contains(f->err, "went down soon after kgr_good was loaded");
	assert_inserted(f, "");

	assert_int_equal(run(f, "status", NULL), 0);
	assert_contains(f->out, "autoload: 1 patch, 1 held back");
	assert_contains(f->out, "kgr_good is held back: the machine went down");
	assert_contains(f->out, "kgr-ctl autoload --retry kgr_good");
	assert_int_equal(run(f, "status", "--json", NULL), 0);
	assert_int_equal(count(f, "held_back"), 1);
	assert_keys(row(f, "installed", "kgr_good"), "name guard initramfs loaded error");
}

/* The crash came while the first one was being loaded */
static void crash_before_the_others(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(run(f, "install", OTHER, NULL), 0);
	assert_int_equal(run(f, "autoload", "kgr-good", NULL), 0);
	assert_inserted(f, "kgr_good+");
	next_boot(f);
	assert_int_equal(run(f, "autoload", NULL), KGR_EXIT_FAIL);
	assert_inserted(f, "kgr_other+");
	assert_contains(f->out, "1 of 2 applied, 0 on the way, 1 held back, 0 failed");
}

static void retry(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(run(f, "autoload", NULL), 0);
	next_boot(f);
	assert_int_equal(run(f, "autoload", "--retry", NULL), KGR_EXIT_USAGE);
	assert_int_equal(run(f, "autoload", "--retry", "kgr_good", NULL), 0);
	assert_inserted(f, "kgr_good+kgr_good+");
	/* and no more than once */
	next_boot(f);
	assert_int_equal(run(f, "autoload", NULL), KGR_EXIT_FAIL);
	assert_inserted(f, "");
}

static void time_makes_good(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(run(f, "mode", "--guard", "0", NULL), 0);
	assert_int_equal(run(f, "autoload", NULL), 0);
	assert_int_equal(run(f, "autoload", "--confirm", "--json", NULL), 0);
	assert_keys(f->doc, "schema command release good");
	assert_string_equal(json_string_value(json_array_get(json_object_get(f->doc, "good"), 0)),
			    "kgr_good");
	assert_guard(f, "kgr_good", "good");
	/* a loss of power now is none of its business */
	next_boot(f);
	assert_int_equal(run(f, "autoload", NULL), 0);
	assert_inserted(f, "kgr_good+kgr_good+");
	/* but one right after loading is, again */
	next_boot(f);
	assert_guard(f, "kgr_good", "crashed");
	assert_int_equal(run(f, "autoload", NULL), KGR_EXIT_FAIL);
	assert_inserted(f, "");
}

static void time_has_to_pass(void **state)
{
	struct fixture *f = *state;
	int64_t start = kgr_monotonic_ms();
	char *mark;

	assert_int_equal(run(f, "autoload", NULL), 0);
	assert_int_equal(run(f, "autoload", "--confirm", "--timeout", "0.05", NULL),
			 KGR_EXIT_TIMEOUT);
	assert_contains(f->err, "still being tried");
	assert_guard(f, "kgr_good", "trying");
	mark = get_file(f, "store/trying");
	assert_non_null(mark);
	free(mark);
	assert_int_equal(run(f, "mode", "--guard", "1", NULL), 0);
	assert_int_equal(run(f, "autoload", "--confirm", NULL), 0);
	assert_contains(f->out, "kgr_good: good");
	assert_true(kgr_monotonic_ms() - start >= 1000);
	assert_guard(f, "kgr_good", "good");
	/* nobody need be started to look again */
	assert_null(get_file(f, "store/trying"));
}

/* What was taken back has not proved anything */
static void reverted_is_not_good(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(run(f, "mode", "--guard", "0", NULL), 0);
	assert_int_equal(run(f, "autoload", NULL), 0);
	put_file(f, "sys/kernel/kgraft/kgr_good/enabled", "0\n");
	assert_int_equal(run(f, "autoload", "--confirm", NULL), 0);
	assert_guard(f, "kgr_good", "untried");
	/* nor has it lost what it had */
	next_boot(f);
	assert_int_equal(run(f, "autoload", NULL), 0);
	assert_int_equal(run(f, "autoload", "--confirm", NULL), 0);
	next_boot(f);
	assert_int_equal(run(f, "autoload", NULL), 0);
	put_file(f, "sys/kernel/kgraft/kgr_good/enabled", "0\n");
	assert_int_equal(run(f, "autoload", "--confirm", NULL), 0);
	assert_guard(f, "kgr_good", "good");
}

static void shutdown_in_time(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(run(f, "autoload", NULL), 0);
	assert_int_equal(run(f, "autoload", "--shutdown", NULL), 0);
	assert_guard(f, "kgr_good", "untried");
	next_boot(f);
	assert_int_equal(run(f, "autoload", NULL), 0);
	assert_inserted(f, "kgr_good+kgr_good+");
	/* at a shutdown after the time, nobody need have confirmed */
	assert_int_equal(run(f, "mode", "--guard", "0", NULL), 0);
	assert_int_equal(run(f, "autoload", "--shutdown", NULL), 0);
	assert_guard(f, "kgr_good", "good");
	/* what is good stays so over boots that are short */
	assert_int_equal(run(f, "mode", "--guard", "600", NULL), 0);
	next_boot(f);
	assert_int_equal(run(f, "autoload", NULL), 0);
	assert_guard(f, "kgr_good", "trying");
	assert_int_equal(run(f, "autoload", "--shutdown", NULL), 0);
	assert_guard(f, "kgr_good", "good");
}

static void damaged_records(void **state)
{
	static const char * const format[] = {
		"%s",
		"trying %s",
		"trying %s 00000001-1111-4222-8333-444444444444 5 0 0\n",
		"trying %s 00000001-1111-4222-8333-444444444444 5 0 0 end",
		"trying %s 00000001-1111-4222-8333-444444444444 5 0 0 end\nend\n",
		"trying %s 00000001-1111-4222-8333-444444444444 5 0 0 end more\n",
		"trying %s 00000001-1111-4222-8333-444444444444 5  0 end\n",
		"trying %s 00000001-1111-4222-8333-444444444444 5 -1 0 end\n",
		"trying %s 00000001-1111-4222-8333-444444444444 5 0 2 end\n",
		"trying %s 00000001-1111-4222-8333-44444444444 5 0 0 end\n",
		"trying %s 0000000X-1111-4222-8333-444444444444 5 0 0 end\n",
		"crying %s 00000001-1111-4222-8333-444444444444 5 0 0 end\n",
		"\1\2\3%s\n",
	};
	struct fixture *f = *state;
	char *record, *file, text[512];

	assert_int_equal(run(f, "autoload", NULL), 0);
	/* cut short at each length */
	record = get_file(f, DIR_OF "/kgr_good.guard");
	for (size_t len = strlen(record) - 1; ; len--) {
		put_bytes(f, DIR_OF "/kgr_good.guard", record, len);
		assert_guard(f, "kgr_good", "damaged");
		if (!len)
			break;
	}
	put_file(f, DIR_OF "/kgr_good.guard", record);
	assert_guard(f, "kgr_good", "trying");
	file = strchr(record, ' ') + 1;
	*strchr(file, ' ') = 0;
	for (size_t i = 0; i < ARRAY_SIZE(format); i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		snprintf(text, sizeof(text), format[i], file);
#pragma GCC diagnostic pop
		put_file(f, DIR_OF "/kgr_good.guard", text);
		assert_int_equal(run(f, "status", "--json", NULL), 0);
		if (strcmp(str(row(f, "installed", "kgr_good"), "guard"), "damaged"))
			fail_msg("understood: '%s'", text);
	}
	/* a time of this boot that has not come yet */
	snprintf(text, sizeof(text),
		 "trying %s 00000001-1111-4222-8333-444444444444 5 99999999999999 0 end\n", file);
	put_boot(f, 1);
	put_file(f, DIR_OF "/kgr_good.guard", text);
	assert_guard(f, "kgr_good", "damaged");
	free(record);

	next_boot(f);
	put_file(f, DIR_OF "/kgr_good.guard", "");
	assert_inserted(f, "kgr_good+");
	assert_int_equal(run(f, "autoload", NULL), KGR_EXIT_FAIL);
	assert_contains(f->out, "can't be read");
	assert_inserted(f, "");
	assert_int_equal(run(f, "autoload", "--retry", "kgr_good", NULL), 0);
	assert_inserted(f, "kgr_good+");
}

static void installing_again(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(run(f, "autoload", NULL), 0);
	next_boot(f);
	/* a script that installs the same file at each boot lifts nothing */
	assert_int_equal(run(f, "install", GOOD, NULL), 0);
	assert_contains(f->out, "the guard holds this file back: kgr-ctl autoload --retry kgr_good");
	assert_guard(f, "kgr_good", "crashed");
	/* a repaired build is another patch */
	assert_int_equal(run(f, "install", NEXT, "--json", NULL), 0);
	assert_string_equal(str(f->doc, "guard"), "untried");
	assert_guard(f, "kgr_good", "untried");
	assert_int_equal(run(f, "autoload", NULL), 0);
	assert_inserted(f, "kgr_good+kgr_good+");
	/* and so is the same file, when it was uninstalled in between */
	next_boot(f);
	assert_guard(f, "kgr_good", "crashed");
	assert_int_equal(run(f, "uninstall", "kgr_good", NULL), 0);
	assert_int_equal(run(f, "install", NEXT, NULL), 0);
	assert_guard(f, "kgr_good", "untried");
}

static void refusal_leaves_the_record(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(run(f, "install", OTHER, NULL), 0);
	refused = "kgr_good";
	assert_int_equal(run(f, "autoload", NULL), KGR_EXIT_FAIL);
	assert_inserted(f, "kgr_good+kgr_other+");
	assert_contains(f->out, "kgr_good: failed: kgr_good: busy");
	assert_contains(f->out, "another user of ftrace");
	assert_contains(f->out, "1 of 2 applied, 0 on the way, 0 held back, 1 failed");
	assert_guard(f, "kgr_good", "untried");
	/* the next boot tries it anew, crash or not */
	next_boot(f);
	refused = NULL;
	assert_int_equal(run(f, "mode", "--guard", "0", NULL), 0);
	assert_int_equal(run(f, "autoload", "kgr_good", NULL), 0);
	assert_int_equal(run(f, "autoload", "--confirm", NULL), 0);
	assert_guard(f, "kgr_good", "good");
	next_boot(f);
	refused = "kgr_good";
	assert_int_equal(run(f, "autoload", "kgr_good", NULL), KGR_EXIT_FAIL);
	assert_guard(f, "kgr_good", "good");
}

static void loading_by_hand(void **state)
{
	struct fixture *f = *state;

	/* a file that is not what is installed is none of the guard's */
	assert_int_equal(run(f, "load", NEXT, NULL), 0);
	assert_inserted(f, "kgr_good-");
	next_boot(f);
	/* a copy of what is */
	assert_int_equal(run(f, "load", GOOD, NULL), 0);
	assert_inserted(f, "kgr_good+");
	assert_guard(f, "kgr_good", "trying");
	next_boot(f);
	assert_int_equal(run(f, "autoload", NULL), KGR_EXIT_FAIL);
	/* by hand it can be tried though it is held back; if refused, that stays */
	refused = "kgr_good";
	assert_int_equal(run(f, "load", GOOD, NULL), KGR_EXIT_CONFLICT);
	assert_guard(f, "kgr_good", "crashed");
	refused = NULL;
	assert_int_equal(run(f, "load", GOOD, NULL), 0);
	assert_guard(f, "kgr_good", "trying");
}

/* Nothing can be written: what is good is loaded, and nothing else */
static void no_room_for_a_record(void **state)
{
	struct fixture *f = *state;

	put_file(f, DIR_OF "/.tmp/in/the/way", "");
	assert_int_equal(run(f, "autoload", NULL), KGR_EXIT_FAIL);
	assert_contains(f->out, "kgr_good: failed: can't record what is being tried");
	assert_inserted(f, "");
	/* by hand there is somebody who sees to it */
	assert_int_equal(run(f, "load", GOOD, NULL), 0);
	assert_contains(f->err, "the guard won't know of kgr_good");
	assert_inserted(f, "kgr_good-");
	remove_file(f, DIR_OF "/.tmp");
	next_boot(f);
	assert_int_equal(run(f, "mode", "--guard", "0", NULL), 0);
	assert_int_equal(run(f, "autoload", NULL), 0);
	/* nor can it be recorded that a patch is good: better untried than held back */
	put_file(f, DIR_OF "/.tmp/in/the/way", "");
	assert_int_equal(run(f, "autoload", "--confirm", NULL), 0);
	assert_guard(f, "kgr_good", "untried");
	remove_file(f, DIR_OF "/.tmp");
	next_boot(f);
	assert_int_equal(run(f, "autoload", NULL), 0);
	assert_int_equal(run(f, "autoload", "--confirm", NULL), 0);
	assert_inserted(f, "kgr_good+kgr_good+");
	next_boot(f);
	put_file(f, DIR_OF "/.tmp/in/the/way", "");
	assert_int_equal(run(f, "autoload", NULL), 0);
	assert_inserted(f, "kgr_good-");
	assert_guard(f, "kgr_good", "good");
}

static void in_the_initramfs(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(run(f, "install", OTHER, "--initramfs", NULL), 0);
	/* mounted read-only: what is untried is left to the boot, without a complaint */
	put_file(f, DIR_OF "/.tmp/in/the/way", "");
	assert_int_equal(run(f, "autoload", "--initramfs", "--json", NULL), 0);
	assert_int_equal(json_array_size(json_object_get(f->doc, "patches")), 1);
	assert_string_equal(str(row(f, "patches", "kgr_other"), "result"), "left-to-boot");
	assert_inserted(f, "");
	remove_file(f, DIR_OF "/.tmp");
	assert_int_equal(run(f, "mode", "--guard", "0", NULL), 0);
	assert_int_equal(run(f, "autoload", NULL), 0);
	assert_int_equal(run(f, "autoload", "--confirm", NULL), 0);
	assert_inserted(f, "kgr_good+kgr_other+");
	next_boot(f);
	put_file(f, DIR_OF "/.tmp/in/the/way", "");
	assert_int_equal(run(f, "autoload", "--initramfs", NULL), 0);
	assert_inserted(f, "kgr_other-");
	/* the boot records what the initramfs could not */
	remove_file(f, DIR_OF "/.tmp");
	assert_int_equal(run(f, "autoload", NULL), 0);
	assert_inserted(f, "kgr_good+");
	next_boot(f);
	assert_guard(f, "kgr_other", "crashed");
	put_file(f, DIR_OF "/.tmp/in/the/way", "");
	assert_int_equal(run(f, "autoload", "--initramfs", NULL), KGR_EXIT_FAIL);
	assert_inserted(f, "");
}

static void modes_and_kill_switch(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(run(f, "mode", "no-apply", NULL), 0);
	assert_int_equal(run(f, "autoload", NULL), 0);
	assert_string_equal(f->out, "nothing was loaded: this host's mode is 'no-apply' "
				    "(kgr-ctl mode normal changes that)\n");
	assert_int_equal(run(f, "mode", "stop", NULL), 0);
	assert_int_equal(run(f, "autoload", "kgr_good", NULL), 0);
	assert_contains(f->out, "'stop'");
	assert_int_equal(run(f, "mode", "normal", NULL), 0);
	put_file(f, "proc/cmdline", "root=/dev/vda kgraft=off quiet\n");
	assert_int_equal(run(f, "autoload", "--json", NULL), 0);
	assert_contains(str(f->doc, "skipped"), "kgraft=off");
	assert_inserted(f, "");
	assert_int_equal(run(f, "status", "--json", NULL), 0);
	assert_true(json_is_true(json_object_get(f->doc, "boot_off")));
	assert_int_equal(run(f, "status", NULL), 0);
	assert_contains(f->out, "this boot has loaded none of them");
	/* words that only look like it */
	put_file(f, "proc/cmdline", "xkgraft=off kgraft=offer kgraft.off\n");
	assert_int_equal(run(f, "autoload", NULL), 0);
	assert_inserted(f, "kgr_good+");
}

static void damaged_file(void **state)
{
	struct fixture *f = *state;
	char *path;

	assert_int_equal(run(f, "install", OTHER, NULL), 0);
	assert_int_equal(run(f, "install", GOOD, "--json", NULL), 0);
	path = strdup(str(f->doc, "path"));
	assert_int_equal(truncate(path, 200), 0);
	assert_int_equal(run(f, "autoload", NULL), KGR_EXIT_FAIL);
	assert_contains(f->out, "missing or damaged");
	assert_inserted(f, "kgr_other+");
	assert_guard(f, "kgr_good", "untried");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(run(f, "autoload", NULL), KGR_EXIT_FAIL);
	assert_contains(f->out, "missing or damaged");
	free(path);
}

static void deadline_of_each(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(run(f, "install", OTHER, NULL), 0);
	appears = "applying";
	assert_int_equal(run(f, "autoload", "kgr_good", "-t", "0.05", NULL), KGR_EXIT_TIMEOUT);
	assert_contains(f->out, "kgr_good: applying: patch 'kgr_good' is still applying");
	assert_contains(f->out, "0 of 1 applied, 1 on the way");
	assert_inserted(f, "kgr_good+");
	assert_guard(f, "kgr_good", "trying");
	/* the next one can't begin before that has ended, and does not wait for ever */
	assert_int_equal(run(f, "autoload", "-t", "0.05", NULL), KGR_EXIT_FAIL);
	assert_contains(f->out, "kgr_other: failed: patch 'kgr_good' is still applying");
	assert_inserted(f, "");
	assert_guard(f, "kgr_other", "untried");
	assert_int_equal(run(f, "autoload", "-t", "0", NULL), KGR_EXIT_USAGE);
}

static void loader_is_killed(void **state)
{
	struct fixture *f = *state;

	dies = "kgr_good";
	assert_int_equal(run(f, "autoload", NULL), KGR_EXIT_FAIL);
	assert_contains(f->out, "kgr_good: failed: load said nothing");
}

/* Between the caller's look and this somebody has uninstalled it */
static void uninstalled_meanwhile(void **state)
{
	struct kgr_trial trial;
	struct fixture *f = *state;

	assert_int_equal(kgr_guard_begin(&f->ctx, "6.12.0", "kgr_absent", &trial), KGR_EXIT_NOTFOUND);
	assert_string_equal(f->ctx.diag.what, "kgr_absent is not installed any more");
	kgr_diag_reset(&f->ctx.diag);
}

static void stuck_in_the_kernel(void **state)
{
	struct fixture *f = *state;
	int64_t start = kgr_monotonic_ms();

	assert_int_equal(run(f, "install", OTHER, NULL), 0);
	hangs = "kgr_good";
	assert_int_equal(run(f, "autoload", "-t", "0.05", NULL), KGR_EXIT_FAIL);
	assert_true(kgr_monotonic_ms() - start < 2 * KGR_CHILD_MORE_MS);
	assert_contains(f->out, "kgr_good: failed: load did not end within 5 seconds");
	/* the other one gets its turn, and a crash now is the first one's */
	assert_inserted(f, "kgr_good+kgr_other+");
	assert_guard(f, "kgr_good", "trying");
}

static void hosts_without(void **state)
{
	struct fixture *f = *state;

	remove_file(f, "proc/sys/kernel/random");
	assert_int_equal(run(f, "autoload", NULL), KGR_EXIT_FAIL);
	assert_contains(f->out, "this boot has no id");
	/* shown, and no reason to fail */
	assert_int_equal(run(f, "status", "--json", NULL), 0);
	assert_true(json_is_null(json_object_get(f->doc, "installed")));
	remove_file(f, "sys/kernel/kgraft");
	assert_int_equal(run(f, "autoload", NULL), KGR_EXIT_NOTFOUND);
	assert_contains(f->err, "CONFIG_KGRAFT");
	assert_inserted(f, "");
}

static void doctor(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(run(f, "doctor", NULL), 0);
	assert_contains(f->out, "kgr_good is installed, but not in the running kernel");
	assert_int_equal(run(f, "autoload", NULL), 0);
	assert_int_equal(run(f, "doctor", NULL), 0);
	assert_lacks(f->out, "kgr_good");
	next_boot(f);
	assert_int_equal(run(f, "doctor", NULL), KGR_EXIT_FAIL);
	assert_contains(f->out, "the machine went down soon after kgr_good was loaded");
	assert_contains(f->out, "so it is held back");
	assert_contains(f->out, "kgr-ctl autoload --retry kgr_good");
	assert_int_equal(run(f, "autoload", "--retry", "kgr_good", NULL), 0);
	assert_int_equal(run(f, "mode", "stop", NULL), 0);
	assert_int_equal(run(f, "doctor", NULL), 0);
	assert_contains(f->out, "this host's mode is 'stop'");
	put_file(f, "store/mode", "nonsense\n");
	assert_int_equal(run(f, "doctor", NULL), KGR_EXIT_FAIL);
	assert_int_equal(run(f, "mode", "normal", NULL), 0);
	put_file(f, "proc/cmdline", "kgraft=off\n");
	assert_int_equal(run(f, "doctor", NULL), 0);
	assert_contains(f->out, "kgraft=off has kept installed patches out");
}

static void usage(void **state)
{
	static const char * const lines[][4] = {
		{ "--confirm", "kgr_good" },
		{ "--shutdown", "kgr_good" },
		{ "--confirm", "--shutdown" },
		{ "--confirm", "--initramfs" },
		{ "--shutdown", "--retry" },
		{ "kgr_good", "kgr_other" },
		{ "--kernel", "6.12.0" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		if (run(f, "autoload", lines[i][0], lines[i][1], NULL) != KGR_EXIT_USAGE)
			fail_msg("accepted: autoload %s %s", lines[i][0], lines[i][1]);
}

#define TEST(name)	cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing_installed),
		TEST(loads_in_order),
		TEST(again_in_one_boot),
		TEST(crash_holds_back),
		TEST(crash_before_the_others),
		TEST(retry),
		TEST(time_makes_good),
		TEST(time_has_to_pass),
		TEST(reverted_is_not_good),
		TEST(shutdown_in_time),
		TEST(damaged_records),
		TEST(installing_again),
		TEST(refusal_leaves_the_record),
		TEST(loading_by_hand),
		TEST(no_room_for_a_record),
		TEST(in_the_initramfs),
		TEST(modes_and_kill_switch),
		TEST(damaged_file),
		TEST(deadline_of_each),
		TEST(stuck_in_the_kernel),
		TEST(loader_is_killed),
		TEST(uninstalled_meanwhile),
		TEST(hosts_without),
		TEST(doctor),
		TEST(usage),
	};

	return cmocka_run_group_tests_name("kgr-ctl: autoload and its guard", tests, NULL, NULL);
}
