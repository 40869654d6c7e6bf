// SPDX-License-Identifier: GPL-2.0
/*
 * preflight and conflicts on a host that is made of files.
 */
#include "fixture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "patchfile.h"
#include "threads.h"

#define GOOD	FIXTURE_DIR "/kgr-good.ko"	/* first, second at 2, third of ext4 */
#define HAND	FIXTURE_DIR "/kgr-hand.ko"

static void all_well(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(run(f, "preflight", GOOD, "--json", NULL), 0);
	assert_keys(f->doc, "schema command file module checks functions stragglers threads scan_ms verdict code");
	assert_only(f, "", "");
	assert_keys(check_row(f, "build-id"), "check result code what why next");
	assert_int_equal(json_array_size(json_object_get(f->doc, "functions")), 3);
	assert_keys(function(f, 0), "name object sympos status redirect users patches held_by sleepers");
	for (size_t i = 0; i < 3; i++) {
		assert_string_equal(str(function(f, i), "status"), "ok");
		assert_string_equal(str(function(f, i), "redirect"), "jmp");
	}
	assert_string_equal(str(function(f, 2), "object"), "ext4");
	assert_int_equal(json_integer_value(json_object_get(f->doc, "threads")), 1);
	assert_int_equal(run(f, "preflight", GOOD, NULL), 0);
	assert_contains(f->out, "third     ext4          0  ok      jmp");
	assert_contains(f->out, "ok        symbols\n");
}

static void by_hand(void **state)
{
	struct fixture *f = *state;
	struct kgr_patch patch = { 0 };

	/* the same, read from the patch itself; nothing says for which kernel */
	assert_int_equal(kgr_patchfile_functions(HAND, &patch), 0);
	assert_int_equal(patch.func_count, 2);
	assert_string_equal(patch.funcs[0].name, "first");
	assert_string_equal(patch.funcs[0].object, "vmlinux");
	assert_int_equal(patch.funcs[0].sympos, 0);
	assert_string_equal(patch.funcs[1].name, "third");
	assert_string_equal(patch.funcs[1].object, "ext4");
	assert_int_equal(patch.funcs[1].sympos, 2);
	kgr_patch_free(&patch);
	assert_int_equal(kgr_patchfile_functions(FIXTURE_DIR "/kgr-all.ko", &patch), -ENOENT);
	assert_int_equal(kgr_patchfile_functions("/bin/sh", &patch), -ENOEXEC);
	assert_int_equal(kgr_patchfile_functions("./missing.ko", &patch), -ENOENT);
	assert_int_equal(patch.func_count, 0);

	assert_int_equal(run(f, "preflight", HAND, "--json", NULL), 1);
	assert_only(f, "symbols", "failed");
	assert_string_equal(str(function(f, 1), "status"), "out-of-bounds");
	assert_int_equal(run(f, "preflight", FIXTURE_DIR "/kgr-all.ko", "--json", NULL), 0);
	assert_only(f, "functions", "warning");
}

/* Cut off anywhere: an error or fewer functions, never more than there are */
static void damaged_files(void **state)
{
	struct fixture *f = *state;
	char *path = kgr_asprintf("%s/cut.ko", f->root);
	char buf[16384];
	FILE *file = fopen(HAND, "r");
	size_t len;

	assert_non_null(file);
	len = fread(buf, 1, sizeof(buf), file);
	fclose(file);
	assert_in_range(len, 1000, sizeof(buf) - 1);
	for (size_t n = 0; n < len; n += 37) {
		struct kgr_patch patch = { 0 };

		put_bytes(f, "cut.ko", buf, n);
		kgr_patchfile_functions(path, &patch);
		assert_true(patch.func_count <= 2);
		kgr_patch_free(&patch);
	}
	/* each byte of the headers and of what they lead to, overwritten */
	for (size_t n = 0; n < len; n++) {
		struct kgr_patch patch = { 0 };
		char byte = buf[n];

		buf[n] = (char)0xff;
		put_bytes(f, "cut.ko", buf, len);
		buf[n] = byte;
		kgr_patchfile_functions(path, &patch);
		kgr_patch_free(&patch);
	}
	free(path);
}

static void not_a_patch(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(run(f, "preflight", FIXTURE_DIR "/kgr-plain.ko", "--json", NULL), 1);
	/* and nothing else is looked at */
	assert_int_equal(json_array_size(json_object_get(f->doc, "checks")), 1);
	assert_string_equal(str(f->doc, "verdict"), "failed");
	assert_int_equal(run(f, "preflight", "./missing.ko", NULL), KGR_EXIT_NOTFOUND);
	remove_file(f, "sys/kernel/kgraft");
	assert_int_equal(run(f, "preflight", GOOD, NULL), KGR_EXIT_NOTFOUND);
	assert_contains(f->err, "no kGraft in the running kernel");
}

static void other_kernel(void **state)
{
	struct fixture *f = *state;

	put_notes(f, (const unsigned char *)"\xde\xad\xbe\xef", 4);
	assert_int_equal(run(f, "preflight", GOOD, "--json", NULL), KGR_EXIT_MISMATCH);
	assert_only(f, "build-id", "failed");
	assert_int_equal(json_integer_value(json_object_get(f->doc, "code")), KGR_EXIT_MISMATCH);
	assert_int_equal(run(f, "preflight", GOOD, NULL), KGR_EXIT_MISMATCH);
	assert_contains(f->out, "why:  made for build-id " BUILD_ID_HEX);
	assert_contains(f->out, "verdict:  failed\n");
	assert_int_equal(f->err_len, 0);
	/* without a build-id it is the release that counts */
	put_notes(f, build_id, sizeof(build_id));
	assert_int_equal(run(f, "preflight", FIXTURE_DIR "/kgr-old.ko", "--json", NULL), 0);
	assert_string_equal(str(check_row(f, "vermagic"), "result"), "warning");
}

/* kgr-good.ko with what looks like a signature behind it */
static void put_signed(struct fixture *f, const char *path)
{
	static const char signer[] = "Tester", key[] = "1234", sig[] = "signature";
	static const char magic[] = "~Module signature appended~\n";
	/* algorithm, hash, kind of id, lengths, padding, length of the signature */
	const unsigned char head[12] = { 1, 4, 1, sizeof(signer) - 1, sizeof(key) - 1,
					 0, 0, 0, 0, 0, 0, sizeof(sig) - 1 };
	char buf[16384], *end = buf;
	FILE *file = fopen(GOOD, "r");

	assert_non_null(file);
	end += fread(buf, 1, sizeof(buf) - 256, file);
	fclose(file);
	end = mempcpy(end, signer, sizeof(signer) - 1);
	end = mempcpy(end, key, sizeof(key) - 1);
	end = mempcpy(end, sig, sizeof(sig) - 1);
	end = mempcpy(end, head, sizeof(head));
	end = mempcpy(end, magic, sizeof(magic) - 1);
	put_bytes(f, path, buf, (size_t)(end - buf));
}

static void signatures(void **state)
{
	struct fixture *f = *state;
	char *path = kgr_asprintf("%s/signed.ko", f->root);

	put_file(f, "sys/module/module/parameters/sig_enforce", "Y\n");
	assert_int_equal(run(f, "preflight", GOOD, "--json", NULL), KGR_EXIT_PERM);
	assert_only(f, "signature", "failed");
	/* one that is signed is the kernel's to judge */
	put_signed(f, "signed.ko");
	assert_int_equal(run(f, "preflight", path, "--json", NULL), 0);
	assert_only(f, "signature", "warning");
	assert_contains(str(check_row(f, "signature"), "what"), "signed by 'Tester'");
	put_file(f, "sys/module/module/parameters/sig_enforce", "N\n");
	assert_int_equal(run(f, "preflight", path, "--json", NULL), 0);
	assert_string_equal(str(check_row(f, "signature"), "result"), "ok");
	put_file(f, "sys/kernel/security/lockdown", "none integrity [confidentiality]\n");
	assert_int_equal(run(f, "preflight", GOOD, NULL), KGR_EXIT_PERM);
	assert_contains(f->out, "locked down (confidentiality)");
	assert_contains(f->out, "it is not signed");
	assert_int_equal(run(f, "preflight", path, "--json", NULL), 0);
	assert_only(f, "signature", "warning");
	free(path);
	put_file(f, "sys/kernel/security/lockdown", "[none] integrity confidentiality\n");
	put_file(f, "proc/sys/kernel/modules_disabled", "1\n");
	assert_int_equal(run(f, "preflight", GOOD, "--json", NULL), KGR_EXIT_PERM);
	assert_string_equal(str(check_row(f, "rights"), "result"), "failed");
}

static void loaded_already(void **state)
{
	struct fixture *f = *state;

	put_patch(f, "kgr-good", "applied");
	put_link(f, "sys/kernel/kgraft/kgr-good/owner", "../../../module/kgr_good");
	put_file(f, "sys/module/kgr_good/initstate", "live\n");
	assert_int_equal(run(f, "preflight", GOOD, "--json", NULL), 0);
	assert_only(f, "loaded", "warning");
	put_patch(f, "kgr-good", "reverted");
	put_link(f, "sys/kernel/kgraft/kgr-good/owner", "../../../module/kgr_good");
	assert_int_equal(run(f, "preflight", GOOD, "--json", NULL), KGR_EXIT_CONFLICT);
	assert_only(f, "loaded", "failed");
}

static void transition_runs(void **state)
{
	struct fixture *f = *state;

	put_patch(f, "other", "applying");
	assert_int_equal(run(f, "preflight", GOOD, "--json", NULL), KGR_EXIT_CONFLICT);
	assert_only(f, "transition", "failed");
}

static void symbols(void **state)
{
	static const struct {
		const char *kallsyms;
		const char *status;	/* of second, at position 2 */
	} cases[] = {
		{ "1 T first\n2 t third\t[ext4]\n", "missing" },
		{ "1 T first\n2 t second\n3 t third\t[ext4]\n", "out-of-bounds" },
		/* of another object is another function */
		{ "1 T first\n2 t second\n3 t second\t[xfs]\n3 t third\t[ext4]\n", "out-of-bounds" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		put_file(f, "proc/kallsyms", cases[i].kallsyms);
		assert_int_equal(run(f, "preflight", GOOD, "--json", NULL), KGR_EXIT_FAIL);
		assert_string_equal(str(check_row(f, "symbols"), "result"), "failed");
		assert_contains(str(check_row(f, "symbols"), "what"), "second");
		assert_string_equal(str(function(f, 1), "status"), cases[i].status);
		assert_true(json_is_null(json_object_get(function(f, 1), "redirect")));
	}
	put_file(f, "proc/kallsyms",
		 "1 T first\n2 t first\n3 t second\n4 t second\n5 t third\t[ext4]\n");
	assert_int_equal(run(f, "preflight", GOOD, "--json", NULL), KGR_EXIT_FAIL);
	assert_string_equal(str(function(f, 0), "status"), "ambiguous");
	/* can't be read: nothing is claimed */
	remove_file(f, "proc/kallsyms");
	assert_int_equal(run(f, "preflight", GOOD, "--json", NULL), 0);
	assert_string_equal(str(check_row(f, "symbols"), "result"), "warning");
	assert_string_equal(str(function(f, 0), "status"), "unknown");
}

static void module_to_come(void **state)
{
	struct fixture *f = *state;

	remove_file(f, "sys/module/ext4");
	put_file(f, "proc/kallsyms", "1 T first\n2 t second\n3 t second\n");
	put_file(f, TRACING "available_filter_functions_addrs", "1 first\n3 second\n");
	assert_int_equal(run(f, "preflight", GOOD, "--json", NULL), 0);
	assert_only(f, "symbols", "warning");
	assert_string_equal(str(function(f, 2), "status"), "not-loaded");
}

static void entries(void **state)
{
	struct fixture *f = *state;

	/* it is the other one of that name that has an entry */
	put_file(f, TRACING "available_filter_functions_addrs",
		 "ffffffff81000104 first\nffffffff81000204 second\nffffffffc0000200 third [ext4]\n");
	assert_int_equal(run(f, "preflight", GOOD, "--json", NULL), KGR_EXIT_FAIL);
	assert_only(f, "redirect", "failed");
	assert_string_equal(str(function(f, 1), "status"), "no-entry");
	/* and one that lies further on is another function's */
	put_file(f, TRACING "available_filter_functions_addrs",
		 "ffffffff81000104 first\nffffffff81000404 second\nffffffffc0000200 third [ext4]\n");
	assert_int_equal(run(f, "preflight", GOOD, "--json", NULL), KGR_EXIT_FAIL);
	assert_string_equal(str(function(f, 1), "status"), "no-entry");
	/* an older kernel has names only */
	remove_file(f, TRACING "available_filter_functions_addrs");
	put_file(f, TRACING "available_filter_functions", "first\nsecond\nthird [xfs]\n");
	assert_int_equal(run(f, "preflight", GOOD, "--json", NULL), KGR_EXIT_FAIL);
	assert_string_equal(str(function(f, 1), "status"), "ok");
	assert_string_equal(str(function(f, 2), "status"), "no-entry");
	remove_file(f, "sys/kernel/tracing");
	assert_int_equal(run(f, "preflight", GOOD, "--json", NULL), 0);
	assert_string_equal(str(check_row(f, "redirect"), "result"), "warning");
	assert_string_equal(str(check_row(f, "holders"), "result"), "warning");
	assert_string_equal(str(function(f, 0), "status"), "unknown");
	if (!geteuid())
		assert_contains(f->out, "mount -t tracefs");
}

#define KLP_LINE(name)	name " (1)   I     M \ttramp: 0xffffffffc0011000 (klp_ftrace_handler+0x0/0x100) ->klp_ftrace_handler+0x0/0x100\n"

static void held(void **state)
{
	struct fixture *f = *state;
	const json_t *by;

	put_file(f, TRACING "enabled_functions", KLP_LINE("first"));
	assert_int_equal(run(f, "preflight", GOOD, "--json", NULL), KGR_EXIT_CONFLICT);
	assert_only(f, "holders", "failed");
	assert_string_equal(str(function(f, 0), "status"), "held");
	by = json_object_get(function(f, 0), "held_by");
	assert_string_equal(json_string_value(json_array_get(by, 0)),
			    "a livepatch (klp_ftrace_handler)");
	/* its name is known, with or without tracefs */
	put_file(f, "sys/kernel/livepatch/klp-fix/enabled", "1\n");
	put_file(f, "sys/kernel/livepatch/klp-fix/vmlinux/first,1/x", "");
	assert_int_equal(run(f, "preflight", GOOD, NULL), KGR_EXIT_CONFLICT);
	assert_contains(f->out, "first is held by livepatch 'klp-fix'");
	put_file(f, "sys/kernel/livepatch/klp-fix/enabled", "0\n");
	put_file(f, TRACING "enabled_functions",
		 "third [ext4] (2) R I     \t ->arch_ftrace_ops_list_func+0x0/0x1f0\n");
	assert_int_equal(run(f, "conflicts", GOOD, "--json", NULL), KGR_EXIT_CONFLICT);
	assert_int_equal(json_array_size(json_object_get(f->doc, "functions")), 1);
	assert_keys(function(f, 0), "name object sympos held_by patches");
	assert_string_equal(str(function(f, 0), "name"), "third");
	/* of several functions of a name, who knows which one: no reason to refuse */
	put_file(f, TRACING "enabled_functions", KLP_LINE("second"));
	assert_int_equal(run(f, "preflight", GOOD, "--json", NULL), 0);
	assert_string_equal(str(check_row(f, "holders"), "result"), "warning");
	assert_contains(str(check_row(f, "holders"), "what"), "one of the functions named second");
	put_file(f, "sys/kernel/livepatch/klp-fix/enabled", "1\n");
	remove_file(f, "sys/kernel/livepatch/klp-fix/vmlinux/first,1");
	put_file(f, "sys/kernel/livepatch/klp-fix/vmlinux/second,1/x", "");
	assert_int_equal(run(f, "conflicts", GOOD, NULL), 0);
	put_file(f, "sys/kernel/livepatch/klp-fix/vmlinux/second,2/x", "");
	assert_int_equal(run(f, "conflicts", GOOD, NULL), KGR_EXIT_CONFLICT);
	assert_contains(f->out, "second    vmlinux  livepatch 'klp-fix'");
	put_file(f, "sys/kernel/livepatch/klp-fix/enabled", "0\n");
	/* of another module: another function */
	put_file(f, TRACING "enabled_functions",
		 "third [xfs] (1) R I     \ttramp: 0xff (mine+0x0/0x10 [mod]) ->mine+0x0/0x10 [mod]\n");
	assert_int_equal(run(f, "conflicts", GOOD, NULL), 0);
	assert_string_equal(f->out, "no conflicts\n");
	assert_int_equal(run(f, "conflicts", NULL), KGR_EXIT_CONFLICT);
	assert_contains(f->out, "third     xfs     mine of module mod");
}

/* Tracers and probes are no conflict, but make a handler of the jump */
static void shared(void **state)
{
	struct fixture *f = *state;

	put_file(f, TRACING "enabled_functions",
		 "first (1) R         \ttramp: 0xff (kprobe_ftrace_handler+0x0/0x1) ->kprobe_ftrace_handler+0x0/0x1\n"
		 "third [ext4] (1)       D   M \n\tdirect-->bpf_trampoline_1+0x0/0x10\n");
	assert_int_equal(run(f, "preflight", GOOD, "--json", NULL), 0);
	assert_only(f, "redirect", "warning");
	assert_string_equal(str(function(f, 0), "redirect"), "handler");
	assert_string_equal(str(function(f, 1), "redirect"), "jmp");
	assert_string_equal(str(function(f, 2), "redirect"), "handler");
	assert_int_equal(run(f, "conflicts", NULL), 0);
}


static void stacking(void **state)
{
	struct fixture *f = *state;

	put_patch(f, "below", "applied");
	put_functions(f, "below", HEAD "first vmlinux 0 2\n", "first jmp\n");
	put_file(f, TRACING "enabled_functions",
		 "first (1)   I     M \tjmp-->new_one+0x4/0x20 [below_mod]\n");
	/* who sleeps in the body in force would straggle, who is in the original would not */
	put_file(f, "proc/7/task/7/stack", "[<0>] new_one+0x9/0x20\n[<0>] vfs_read+0x1/0x2\n");
	put_file(f, "proc/7/task/8/stack", "[<0>] first+0x9/0x20\n");
	assert_int_equal(run(f, "preflight", GOOD, "--json", NULL), 0);
	assert_string_equal(str(check_row(f, "stacking"), "result"), "warning");
	assert_contains(f->out, "first: by below");
	assert_string_equal(str(function(f, 0), "status"), "ok");
	assert_string_equal(str(function(f, 0), "redirect"), "jmp");
	assert_int_equal(json_array_size(json_object_get(f->doc, "stragglers")), 1);
	assert_string_equal(str(json_array_get(json_object_get(f->doc, "stragglers"), 0), "frame"),
			    "new_one+0x9/0x20");
	assert_int_equal(run(f, "conflicts", GOOD, NULL), 0);
	assert_contains(f->out, "first     vmlinux  -        below\n");
	/* of patches that are there already, only what two of them replace */
	assert_int_equal(run(f, "conflicts", NULL), 0);
	assert_string_equal(f->out, "no conflicts\n");
	put_patch(f, "above", "applied");
	put_functions(f, "above", HEAD "first vmlinux 0 2\n", "first jmp\n");
	assert_int_equal(run(f, "conflicts", NULL), 0);
	assert_contains(f->out, "above below\n");
	/* a reverted one is in nobody's way */
	put_patch(f, "below", "reverted");
	put_patch(f, "above", "reverted");
	put_file(f, TRACING "enabled_functions", "");
	assert_int_equal(run(f, "preflight", GOOD, "--json", NULL), 0);
	assert_string_equal(str(check_row(f, "stacking"), "result"), "ok");
}

static void sleepers(void **state)
{
	struct fixture *f = *state;
	const json_t *s;

	put_file(f, "proc/20/task/20/stack", "[<0>] firsts+0x1/0x2\n[<0>] firs+0x1/0x2\n");
	put_file(f, "proc/20/task/22/stack",
		 "[<0>] schedule+0x1/0x2\n[<0>] second.cold+0x3/0x4\n[<0>] vfs_read+0x5/0x6\n");
	put_file(f, "proc/20/task/21/stack", "[<0>] first+0x7/0x8");
	put_file(f, "proc/22/comm", "reader\n");
	put_file(f, "proc/22/stat", "22 (a) b) D 1 2\n");
	put_file(f, "proc/21/stat", "21 (x) T 1 2\n");
	assert_int_equal(run(f, "preflight", GOOD, "--json", NULL), 0);
	assert_only(f, "sleepers", "warning");
	assert_int_equal(json_integer_value(json_object_get(f->doc, "threads")), 4);
	s = json_object_get(f->doc, "stragglers");
	assert_int_equal(json_array_size(s), 2);
	assert_string_equal(str(json_array_get(s, 0), "function"), "first");
	assert_true(json_is_null(json_object_get(json_array_get(s, 0), "caller")));
	s = json_array_get(s, 1);
	assert_keys(s, "pid tid comm task_state function frame caller reason remedy");
	assert_int_equal(json_integer_value(json_object_get(s, "pid")), 20);
	assert_int_equal(json_integer_value(json_object_get(s, "tid")), 22);
	assert_string_equal(str(s, "comm"), "reader");
	assert_string_equal(str(s, "task_state"), "D");
	assert_string_equal(str(s, "function"), "second");
	assert_string_equal(str(s, "frame"), "second.cold+0x3/0x4");
	assert_string_equal(str(s, "caller"), "vfs_read+0x5/0x6");
	assert_string_equal(str(s, "reason"), "in-patched-function");
	assert_contains(str(s, "remedy"), "Provide what it waits for");
	assert_int_equal(json_integer_value(json_object_get(function(f, 1), "sleepers")), 1);
	assert_int_equal(run(f, "preflight", GOOD, NULL), 0);
	assert_contains(f->out, "20   22  reader  D      second.cold+0x3/0x4  vfs_read+0x5/0x6\n");
	assert_contains(f->out, "remedy: 'kill -CONT PID'");
	/* no stacks at all */
	remove_file(f, "proc/20");
	remove_file(f, "proc/1");
	assert_int_equal(run(f, "preflight", GOOD, "--json", NULL), 0);
	assert_true(json_is_null(json_object_get(f->doc, "threads")));
	assert_string_equal(str(check_row(f, "sleepers"), "result"), "warning");
}

static void count(const struct kgr_sleeper *s, void *arg)
{
	unsigned int *counts = arg;

	counts[s->id]++;
}

/* Each of many names is found, and nothing but those */
static void many_names(void **state)
{
	struct fixture *f = *state;
	struct kgr_body bodies[300];
	char names[300][16];
	unsigned int counts[300] = { 0 }, threads;

	for (size_t i = 0; i < 300; i++) {
		char *path = kgr_asprintf("proc/50/task/%zu/stack", 1000 + i), *text;

		snprintf(names[i], sizeof(names[i]), "fun_%zu", i * 2);
		bodies[i] = (struct kgr_body) { names[i], i };
		text = kgr_asprintf("[<0>] fun_%zu+0x1/0x2\n", i);
		put_file(f, path, text);
		free(path);
		free(text);
	}
	assert_int_equal(kgr_threads_in(&f->ctx, bodies, 300, count, counts, &threads), 0);
	assert_int_equal(threads, 301);
	for (size_t i = 0; i < 300; i++)
		assert_int_equal(counts[i], i < 150);
}

static void quick_part_of_load(void **state)
{
	struct fixture *f = *state;

	put_file(f, TRACING "enabled_functions", KLP_LINE("first"));
	assert_int_equal(run(f, "load", GOOD, NULL), KGR_EXIT_CONFLICT);
	assert_contains(f->err, "first is held by a livepatch");
	put_file(f, TRACING "enabled_functions", "");
	put_file(f, "sys/kernel/kgraft/dead", "1\n");
	assert_int_equal(run(f, "load", GOOD, NULL), KGR_EXIT_FAIL);
	assert_contains(f->err, "can't redirect functions any more");
}

#define TEST(name)	cmocka_unit_test_setup_teardown(name, host_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(all_well),
		TEST(by_hand),
		TEST(damaged_files),
		TEST(not_a_patch),
		TEST(other_kernel),
		TEST(signatures),
		TEST(loaded_already),
		TEST(transition_runs),
		TEST(symbols),
		TEST(module_to_come),
		TEST(entries),
		TEST(held),
		TEST(shared),
		TEST(stacking),
		TEST(sleepers),
		TEST(many_names),
		TEST(quick_part_of_load),
	};

	return cmocka_run_group_tests_name("kgr-ctl: preflight, conflicts", tests, NULL, NULL);
}
