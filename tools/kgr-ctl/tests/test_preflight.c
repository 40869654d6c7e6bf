// SPDX-License-Identifier: GPL-2.0
/*
 * preflight, conflicts, verify and doctor on a host that is made of files.
 */
#include "fixture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "patchfile.h"
#include "threads.h"

#define GOOD	FIXTURE_DIR "/kgr-good.ko"	/* first, second at 2, third of ext4 */
#define HAND	FIXTURE_DIR "/kgr-hand.ko"
#define TRACING	"sys/kernel/tracing/"

/* A host on which kgr-good.ko can be applied at once */
static int setup(void **state)
{
	int ret = fixture_setup(state);
	struct fixture *f = *state;

	put_file(f, "proc/kallsyms",
		 "ffffffff81000100 T first\n"
		 "ffffffff81000200 t second\n"
		 "ffffffff81000300 t second\n"
		 "ffffffff81000400 t other\n"
		 "ffffffffc0000200 t third\t[ext4]\n"
		 "ffffffffc0000100 t helper\t[ext4]\n");
	put_file(f, "sys/module/ext4/initstate", "live\n");
	put_file(f, TRACING "README", "");
	put_file(f, TRACING "available_filter_functions_addrs",
		 "ffffffff81000104 first\nffffffff81000304 second\n"
		 "ffffffffc0000200 third [ext4]\n");
	put_file(f, TRACING "enabled_functions", "");
	put_file(f, "proc/1/task/1/stack", "[<0>] do_epoll_wait+0x10/0x20\n");
	put_file(f, "proc/self/stack", "");
	return ret;
}

static const json_t *check_row(const struct fixture *f, const char *name)
{
	json_t *row;
	size_t i;

	json_array_foreach(json_object_get(f->doc, "checks"), i, row)
		if (!strcmp(str(row, "check"), name))
			return row;
	fail_msg("no check '%s' in:\n%s", name, f->out);
	return NULL;
}

/* Asserts that @check, and only it, has this result */
static void assert_only(const struct fixture *f, const char *check, const char *result)
{
	json_t *row;
	size_t i;

	json_array_foreach(json_object_get(f->doc, "checks"), i, row) {
		const char *want = !strcmp(str(row, "check"), check) ? result : "ok";

		/* the module's release is not that of this machine, whatever that is */
		if (!strcmp(str(row, "check"), "vermagic") ||
		    (geteuid() && !strcmp(str(row, "check"), "rights")))
			continue;
		if (strcmp(str(row, "result"), want))
			fail_msg("check '%s' is '%s':\n%s", str(row, "check"), str(row, "result"),
				 f->out);
	}
}

static const json_t *function(const struct fixture *f, size_t i)
{
	return json_array_get(json_object_get(f->doc, "functions"), i);
}

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
	free(path);
	put_file(f, "sys/module/module/parameters/sig_enforce", "N\n");
	put_file(f, "sys/kernel/security/lockdown", "none integrity [confidentiality]\n");
	assert_int_equal(run(f, "preflight", GOOD, NULL), KGR_EXIT_PERM);
	assert_contains(f->out, "locked down (confidentiality)");
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

static void put_functions(struct fixture *f, const char *patch, const char *state,
			  const char *redirect)
{
	char *path = kgr_asprintf("sys/kernel/kgraft/%s/state", patch);

	put_file(f, path, state);
	free(path);
	path = kgr_asprintf("sys/kernel/kgraft/%s/redirect", patch);
	put_file(f, path, redirect);
	free(path);
}

#define HEAD	"Function Object Sympos State\n"

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

#define TEST(name)	cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)

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
		TEST(verify_fits),
		TEST(verify_finds),
		TEST(doctor_well),
		TEST(doctor_finds),
		TEST(doctor_stuck),
		TEST(doctor_without),
	};

	return cmocka_run_group_tests_name("kgr-ctl: preflight, verify, doctor", tests, NULL, NULL);
}
