// SPDX-License-Identifier: GPL-2.0
/*
 * stragglers and nudge, with netlink.c replaced.
 */
#include "fixture.h"

#include <errno.h>
#include <linux/kgraft.h>
#include <stdlib.h>
#include <string.h>

#include "netlink.h"
#include "reasons.h"

int __wrap_kgr_nl_open(struct kgr_nl **nl);
void __wrap_kgr_nl_close(struct kgr_nl *nl);
int __wrap_kgr_nl_stragglers(struct kgr_nl *nl, kgr_straggler_fn fn, void *arg);
int __wrap_kgr_nl_nudge(struct kgr_nl *nl, uint32_t tid, uint32_t *nudged);
const char *__wrap_kgr_nl_message(const struct kgr_nl *nl);
int __wrap_kgr_nl_subscribe(struct kgr_nl *nl);

static int open_ret, dump_ret, nudge_ret, gaps, dumps;
static uint32_t nudged_tids[8];
static unsigned int nudges;
static bool all_past;

#define HAS(attr)	(1ull << KGRAFT_A_##attr)
#define THREAD		(HAS(KIND) | HAS(REASON) | HAS(PID) | HAS(TID) | HAS(CPU) | HAS(AGE_MS))

static const struct kgr_straggler list[] = {
	{ .present = THREAD, .kind = KGRAFT_KIND_USER, .reason = KGRAFT_REASON_IN_SYSCALL,
	  .pid = 200, .tid = 201, .comm = "poller", .age_ms = 1500, .syscall = 7,
	  .wchan = "do_sys_poll" },
	{ .present = THREAD | HAS(OFFSET), .kind = KGRAFT_KIND_USER,
	  .reason = KGRAFT_REASON_IN_PATCHED_FUNCTION, .pid = 200, .tid = 200,
	  .comm = "sl\033eeper\xff", .age_ms = 2000, .function = "kgr_test_sleep", .offset = 0x42,
	  .caller = "sleep_write+0x10/0x30" },
	{ .present = THREAD | HAS(TRACER), .kind = KGRAFT_KIND_USER,
	  .reason = KGRAFT_REASON_STOPPED_OR_TRACED, .pid = 300, .tid = 300, .comm = "traced",
	  .age_ms = 2000, .tracer = 301 },
	{ .present = HAS(KIND) | HAS(REASON) | HAS(CPU), .kind = KGRAFT_KIND_CPU,
	  .reason = KGRAFT_REASON_IRQ_CPU, .cpu = 1 },
	{ .present = HAS(KIND) | HAS(REASON), .kind = 77, .reason = 99 },
};

int __wrap_kgr_nl_open(struct kgr_nl **nl)
{
	*nl = NULL;
	return open_ret;
}

void __wrap_kgr_nl_close(struct kgr_nl *nl)
{
	(void)nl;
}

int __wrap_kgr_nl_stragglers(struct kgr_nl *nl, kgr_straggler_fn fn, void *arg)
{
	(void)nl;
	dumps++;
	if (dump_ret)
		return dump_ret;
	for (size_t i = 0; i < ARRAY_SIZE(list); i++) {
		struct kgr_straggler s = list[i];
		int ret;

		if (s.syscall)
			s.present |= HAS(SYSCALL);
		if (all_past) {
			s.present |= HAS(PAST);
			s.patch = "gone";
		}
		ret = fn(&s, arg);
		if (ret)
			return ret;
	}
	return gaps-- > 0 ? -EINTR : 0;
}

int __wrap_kgr_nl_nudge(struct kgr_nl *nl, uint32_t tid, uint32_t *nudged)
{
	(void)nl;
	*nudged = nudge_ret ? 0 : tid ? 1 : 5;
	nudged_tids[nudges++] = tid;
	return nudge_ret;
}

const char *__wrap_kgr_nl_message(const struct kgr_nl *nl)
{
	(void)nl;
	return "from the kernel";
}

/* A kernel that sends no events */
int __wrap_kgr_nl_subscribe(struct kgr_nl *nl)
{
	(void)nl;
	return -ENOENT;
}

static int setup(void **state)
{
	int ret = fixture_setup(state);

	open_ret = 0;
	dump_ret = 0;
	nudge_ret = 0;
	gaps = 0;
	dumps = 0;
	nudges = 0;
	all_past = false;
	return ret;
}

static void none_without_transition(void **state)
{
	struct fixture *f = *state;

	put_patch(f, "demo", "applied");
	assert_int_equal(run(f, "stragglers", NULL), 0);
	assert_string_equal(f->out, "no transition is running\n");
	assert_int_equal(run(f, "stragglers", "--json", NULL), 0);
	assert_keys(f->doc, "schema command source patch left past reasons stragglers remedies");
	assert_true(json_is_null(json_object_get(f->doc, "patch")));
	assert_true(json_is_null(json_object_get(f->doc, "stragglers")));
}

/* A list of who was left when the last transition timed out */
static void past(void **state)
{
	struct fixture *f = *state;

	put_patch(f, "demo", "reverted");
	all_past = true;
	assert_int_equal(run(f, "stragglers", "--json", NULL), 0);
	assert_string_equal(str(f->doc, "past"), "gone");
	assert_true(json_is_null(json_object_get(f->doc, "patch")));
	assert_int_equal(json_array_size(json_object_get(f->doc, "stragglers")), 5);
	assert_int_equal(run(f, "stragglers", NULL), 0);
	assert_contains(f->out, "no transition is running\n"
				"left when that of patch 'gone' timed out: 5\n");
	assert_contains(f->out, "remedy: ");
}

static void rows(void **state)
{
	struct fixture *f = *state;
	const json_t *list_json, *row, *reasons, *remedies;

	put_patch(f, "demo", "applying");
	assert_int_equal(run(f, "stragglers", "--json", NULL), 0);
	assert_keys(f->doc, "schema command source patch left past reasons stragglers remedies");
	assert_true(json_is_null(json_object_get(f->doc, "past")));
	assert_string_equal(str(f->doc, "source"), "netlink");
	list_json = json_object_get(f->doc, "stragglers");
	assert_int_equal(json_array_size(list_json), 5);
	/* oldest first, then by thread id; bytes that are no UTF-8 are replaced */
	row = json_array_get(list_json, 0);
	assert_keys(row, "kind pid tid cpu comm reason age_ms detail function offset caller syscall wchan tracer cmdline stack");
	assert_string_equal(str(row, "comm"), "sl\033eeper?");
	assert_string_equal(str(row, "reason"), "in-patched-function");
	assert_string_equal(str(row, "detail"),
			    "in kgr_test_sleep+0x42 called from sleep_write+0x10/0x30");
	assert_int_equal(json_integer_value(json_object_get(row, "offset")), 0x42);
	row = json_array_get(list_json, 2);
	assert_string_equal(str(row, "reason"), "in-syscall");
	assert_int_equal(json_integer_value(json_object_get(row, "syscall")), 7);
	assert_true(json_is_null(json_object_get(row, "function")));

	reasons = json_object_get(f->doc, "reasons");
	assert_keys(reasons, "in-patched-function in-syscall stopped-or-traced irq-cpu unknown");
	remedies = json_object_get(f->doc, "remedies");
	assert_keys(remedies, "in-patched-function in-syscall stopped-or-traced irq-cpu unknown");
	assert_string_equal(str(json_object_get(remedies, "in-syscall"), "remedy"),
			    kgr_reason(KGRAFT_REASON_IN_SYSCALL)->remedy);
}

static void table(void **state)
{
	struct fixture *f = *state;

	put_patch(f, "demo", "applying");
	put_file(f, "proc/301/comm", "gdb\n");
	put_bytes(f, "proc/200/cmdline", "prog\0--flag\0", 12);
	put_bytes(f, "proc/200/exe", "\177ELF\2\1\1\0\0\0\0\0\0\0\0\0", 16);
	assert_int_equal(run(f, "stragglers", NULL), 0);
	assert_contains(f->out, "patch 'demo' is applying: 4 of 124 contexts left\n");
	assert_contains(f->out, "PID  TID  COMM");
	assert_contains(f->out, "200  200  sl?eeper?  in-patched-function");
	assert_contains(f->out, "traced by 301 (gdb)");
	assert_contains(f->out, "in poll (system call 7), sleeps in do_sys_poll");
	assert_contains(f->out, "  -    -  -          irq-cpu");
	assert_contains(f->out, "\n  remedy: 'kgr-ctl nudge PID' makes the call restart");
	assert_lacks(f->out, "prog --flag");
	assert_int_equal(run(f, "stragglers", "-v", NULL), 0);
	assert_contains(f->out, "prog --flag");

	/* the numbers of a 32-bit program have other names */
	put_bytes(f, "proc/200/exe", "\177ELF\1\1\1\0\0\0\0\0\0\0\0\0", 16);
	assert_int_equal(run(f, "stragglers", NULL), 0);
	assert_contains(f->out, "in system call 7, sleeps in do_sys_poll");
}

static void dump_with_gaps(void **state)
{
	struct fixture *f = *state;

	put_patch(f, "demo", "applying");
	gaps = 2;
	assert_int_equal(run(f, "stragglers", "--json", NULL), 0);
	assert_int_equal(dumps, 3);
	assert_int_equal(json_array_size(json_object_get(f->doc, "stragglers")), 5);
	gaps = 100;
	dumps = 0;
	assert_int_equal(run(f, "stragglers", "--json", NULL), 0);
	assert_int_equal(dumps, 3);
	assert_int_equal(json_array_size(json_object_get(f->doc, "stragglers")), 5);
}

static void no_netlink(void **state)
{
	struct fixture *f = *state;

	put_patch(f, "demo", "applying");
	open_ret = -ENOENT;
	assert_int_equal(run(f, "stragglers", NULL), 0);
	assert_contains(f->out, "4 of 124 contexts left");
	assert_contains(f->err, "netlink family");
	assert_int_equal(run(f, "stragglers", "--json", NULL), 0);
	assert_string_equal(str(f->doc, "source"), "sysfs");
	assert_true(json_is_null(json_object_get(f->doc, "stragglers")));
	assert_int_equal(json_integer_value(json_object_get(f->doc, "left")), 4);
	assert_int_equal(run(f, "nudge", NULL), KGR_EXIT_NOTFOUND);
	assert_contains(f->err, "this kernel has no netlink family");
	assert_contains(f->err, "kill -STOP PID");
}

static void not_permitted(void **state)
{
	struct fixture *f = *state;

	put_patch(f, "demo", "applying");
	dump_ret = -EPERM;
	assert_int_equal(run(f, "stragglers", NULL), KGR_EXIT_PERM);
	assert_contains(f->err, "can't list stragglers: Operation not permitted");
	nudge_ret = -EPERM;
	assert_int_equal(run(f, "nudge", NULL), KGR_EXIT_PERM);
	assert_contains(f->err, "CAP_SYS_ADMIN");
	/* a status is an answer without the reasons too */
	assert_int_equal(run(f, "status", "--json", NULL), 0);
}

static void reasons_in_status(void **state)
{
	struct fixture *f = *state;
	const json_t *t;

	put_patch(f, "demo", "applying");
	assert_int_equal(run(f, "status", "--json", NULL), 0);
	t = json_object_get(f->doc, "transition");
	assert_int_equal(json_integer_value(json_object_get(json_object_get(t, "reasons"),
							    "in-syscall")), 1);
	assert_int_equal(run(f, "wait", "-t", "0.01", NULL), KGR_EXIT_TIMEOUT);
	assert_contains(f->err,
			"left: in-patched-function 1, in-syscall 1, stopped-or-traced 1, irq-cpu 1");
}

static void nudge_all(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(run(f, "nudge", "--json", NULL), 0);
	assert_keys(f->doc, "schema command result target nudged");
	assert_string_equal(str(f->doc, "target"), "all");
	assert_int_equal(json_integer_value(json_object_get(f->doc, "nudged")), 5);
	assert_int_equal(run(f, "nudge", "--all", NULL), 0);
	assert_string_equal(f->out, "nudged 5 threads\n");
	assert_int_equal(nudges, 2);
	assert_int_equal(nudged_tids[0] | nudged_tids[1], 0);
}

static void nudge_process_and_thread(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(run(f, "nudge", "200", NULL), 0);
	assert_string_equal(f->out, "nudged 2 threads\n");
	assert_int_equal(nudges, 2);
	assert_int_equal(nudged_tids[0], 201);
	assert_int_equal(nudged_tids[1], 200);
	assert_int_equal(run(f, "nudge", "201", "--json", NULL), 0);
	assert_int_equal(json_integer_value(json_object_get(f->doc, "target")), 201);
	assert_int_equal(nudged_tids[2], 201);
}

static void nudge_answers(void **state)
{
	struct fixture *f = *state;

	/* not in the list: the kernel is asked all the same */
	nudge_ret = -ESRCH;
	assert_int_equal(run(f, "nudge", "999", NULL), KGR_EXIT_NOTFOUND);
	assert_int_equal(nudged_tids[0], 999);
	nudge_ret = -EALREADY;
	assert_int_equal(run(f, "nudge", "999", "--json", NULL), 0);
	assert_string_equal(str(f->doc, "result"), "already-migrated");
	nudge_ret = -EAGAIN;
	assert_int_equal(run(f, "nudge", "--json", NULL), 0);
	assert_string_equal(str(f->doc, "result"), "no-transition");
	nudge_ret = -EIO;
	assert_int_equal(run(f, "nudge", NULL), KGR_EXIT_FAIL);
	assert_contains(f->err, "from the kernel");
	/* both threads of 200 moved between list and nudge */
	nudge_ret = -ESRCH;
	assert_int_equal(run(f, "nudge", "200", "--json", NULL), 0);
	assert_string_equal(str(f->doc, "result"), "already-migrated");
}

static void stacks(void **state)
{
	struct fixture *f = *state;
	const json_t *rows, *stack;

	put_patch(f, "demo", "applying");
	put_file(f, "proc/200/stack", "[<0>] kgr_test_sleep+0x42/0x60\n[<0>] sleep_write+0x10/0x30\n");
	put_file(f, "proc/201/stack", "");
	/* once is not enough */
	assert_int_equal(run(f, "stragglers", "-v", "--json", NULL), 0);
	rows = json_object_get(f->doc, "stragglers");
	assert_true(json_is_null(json_object_get(json_array_get(rows, 0), "stack")));
	assert_int_equal(run(f, "blocking", "-vv", "--json", NULL), 0);
	rows = json_object_get(f->doc, "stragglers");
	stack = json_object_get(json_array_get(rows, 0), "stack");
	assert_int_equal(json_array_size(stack), 2);
	assert_string_equal(json_string_value(json_array_get(stack, 1)), "sleep_write+0x10/0x30");
	assert_int_equal(run(f, "stragglers", "-v", "--verbose", NULL), 0);
	assert_contains(f->out, "stack of 200 (sl?eeper?):\n  kgr_test_sleep+0x42/0x60\n  sleep_write");
	assert_contains(f->out, "stack of 201 (poller): empty, it is running\n");
	/* as when it is forbidden, or the thread has gone */
	assert_contains(f->out, "stack of 300 (traced): can't be read\n");
}

#define TEST(name)	cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(none_without_transition),
		TEST(past),
		TEST(stacks),
		TEST(rows),
		TEST(table),
		TEST(dump_with_gaps),
		TEST(no_netlink),
		TEST(not_permitted),
		TEST(reasons_in_status),
		TEST(nudge_all),
		TEST(nudge_process_and_thread),
		TEST(nudge_answers),
	};

	return cmocka_run_group_tests_name("kgr-ctl: stragglers", tests, NULL, NULL);
}
