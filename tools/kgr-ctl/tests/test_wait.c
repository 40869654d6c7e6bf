// SPDX-License-Identifier: GPL-2.0
/*
 * Waiting, with poll() replaced: what a wait does between a read of
 * "transition" and the next, on events, time-outs and signals.
 */
#include "fixture.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "netlink.h"

int __wrap_kgr_nl_open(struct kgr_nl **nl);
void __wrap_kgr_nl_close(struct kgr_nl *nl);
int __wrap_kgr_nl_subscribe(struct kgr_nl *nl);
int __wrap_kgr_nl_fd(const struct kgr_nl *nl);
int __wrap_kgr_nl_take_events(struct kgr_nl *nl);

/* A kernel that sends events, or one that only raises POLLPRI */
static bool has_netlink;
static int subscribe_ret, taken, take_ret;
#define NL_FD	1000	/* never polled for real */

int __wrap_kgr_nl_open(struct kgr_nl **nl)
{
	*nl = has_netlink ? (struct kgr_nl *)&has_netlink : NULL;
	return has_netlink ? 0 : -ENOENT;
}

void __wrap_kgr_nl_close(struct kgr_nl *nl)
{
	(void)nl;
}

int __wrap_kgr_nl_subscribe(struct kgr_nl *nl)
{
	(void)nl;
	return subscribe_ret;
}

int __wrap_kgr_nl_fd(const struct kgr_nl *nl)
{
	(void)nl;
	return NL_FD;
}

int __wrap_kgr_nl_take_events(struct kgr_nl *nl)
{
	(void)nl;
	taken++;
	return take_ret;
}

/* As for somebody who may not see them */
int __wrap_kgr_nl_stragglers(struct kgr_nl *nl, kgr_straggler_fn fn, void *arg);
int __wrap_kgr_nl_stragglers(struct kgr_nl *nl, kgr_straggler_fn fn, void *arg)
{
	(void)nl, (void)fn, (void)arg;
	return -EPERM;
}

int __wrap_poll(struct pollfd *fds, nfds_t n, int timeout);
int __real_poll(struct pollfd *fds, nfds_t n, int timeout);

/* What the kernel does while we are in poll(); NULL: the real one */
static int (*in_poll)(struct pollfd *fds, int timeout);
static struct fixture *fix;
static int polls;

int __wrap_poll(struct pollfd *fds, nfds_t n, int timeout)
{
	polls++;
	if (!in_poll)
		return __real_poll(fds, n, timeout);
	/* the event is the first descriptor's, and it has been read since it was opened */
	assert_int_equal(fds[0].events, has_netlink && !subscribe_ret ? POLLIN : POLLPRI);
	if (has_netlink && !subscribe_ret)
		assert_int_equal(fds[0].fd, NL_FD);
	for (nfds_t i = 0; i < n; i++)
		fds[i].revents = 0;
	return in_poll(fds, timeout);
}

static int setup(void **state)
{
	int ret = fixture_setup(state);

	fix = *state;
	in_poll = NULL;
	polls = 0;
	has_netlink = false;
	subscribe_ret = 0;
	taken = 0;
	take_ret = 0;
	return ret;
}

static int raise_event(struct pollfd *fds)
{
	fds[0].revents = POLLPRI | POLLERR;
	return 1;
}

static int completes(struct pollfd *fds, int timeout)
{
	(void)timeout;
	put_patch(fix, "demo", "applied");
	return raise_event(fds);
}

static int is_turned_round(struct pollfd *fds, int timeout)
{
	(void)timeout;
	put_patch(fix, "demo", "reverted");
	return raise_event(fds);
}

static int vanishes(struct pollfd *fds, int timeout)
{
	(void)timeout;
	put_patch(fix, "demo", "reverted");
	remove_file(fix, "sys/kernel/kgraft/demo/enabled");
	remove_file(fix, "sys/kernel/kgraft/demo");
	return raise_event(fds);
}

/* Events that turn out to be about something else, then the real one */
static int completes_at_last(struct pollfd *fds, int timeout)
{
	return polls < 5 ? raise_event(fds) : completes(fds, timeout);
}

static int is_disturbed(struct pollfd *fds, int timeout)
{
	if (polls == 1) {
		errno = EINTR;
		return -1;
	}
	return completes(fds, timeout);
}

static int times_out(struct pollfd *fds, int timeout)
{
	(void)fds;
	assert_in_range(timeout, 1, 50);
	usleep(timeout * 1000);
	return 0;
}

static int fails(struct pollfd *fds, int timeout)
{
	(void)fds, (void)timeout;
	errno = ENOMEM;
	return -1;
}

static int gets_sigint(struct pollfd *fds, int timeout)
{
	raise(SIGINT);
	in_poll = NULL;
	return __real_poll(fds, 3, timeout);
}

static int gets_sigterm(struct pollfd *fds, int timeout)
{
	raise(SIGTERM);
	in_poll = NULL;
	return __real_poll(fds, 3, timeout);
}

static void nothing_to_wait_for(void **state)
{
	struct fixture *f = *state;

	put_patch(f, "demo", "applied");
	assert_int_equal(run(f, "wait", "--json", NULL), 0);
	assert_keys(f->doc, "schema command result elapsed_ms patch");
	assert_string_equal(str(f->doc, "result"), "nothing-to-wait-for");
	assert_int_equal(run(f, "wait", "demo", "--json", NULL), 0);
	assert_string_equal(str(f->doc, "result"), "complete");
	assert_int_equal(polls, 0);
}

static void one_event(void **state)
{
	struct fixture *f = *state;

	put_patch(f, "demo", "applying");
	in_poll = completes;
	assert_int_equal(run(f, "wait", "--json", NULL), 0);
	assert_int_equal(polls, 1);
	assert_string_equal(str(f->doc, "result"), "complete");
	assert_string_equal(str(json_object_get(f->doc, "patch"), "state"), "applied");
	/* no timer, no time limit: it slept until the event */
	put_patch(f, "demo", "applying");
	assert_int_equal(run(f, "wait", NULL), 0);
	assert_int_equal(polls, 2);
}

static void unrelated_events(void **state)
{
	struct fixture *f = *state;

	put_patch(f, "demo", "applying");
	in_poll = completes_at_last;
	assert_int_equal(run(f, "wait", "-t", "5", NULL), 0);
	assert_int_equal(polls, 5);
	put_patch(f, "demo", "applying");
	polls = 0;
	in_poll = is_disturbed;
	assert_int_equal(run(f, "wait", NULL), 0);
	assert_int_equal(polls, 2);
}

static void patch_vanishes(void **state)
{
	struct fixture *f = *state;

	put_patch(f, "demo", "reverting");
	in_poll = vanishes;
	assert_int_equal(run(f, "wait", "demo", "--json", NULL), 0);
	assert_string_equal(str(f->doc, "result"), "unloaded");
	put_patch(f, "demo", "reverting");
	assert_int_equal(run(f, "revert", "demo", NULL), 0);
	put_patch(f, "demo", "applying");
	assert_int_equal(run(f, "enable", "demo", NULL), KGR_EXIT_CONFLICT);
	assert_contains(f->err, "patch 'demo' was reverted and unloaded meanwhile");
}

static void time_out(void **state)
{
	struct fixture *f = *state;
	const json_t *error;

	put_patch(f, "demo", "applying");
	in_poll = times_out;
	assert_int_equal(run(f, "wait", "-t", "0.05", "demo", NULL), KGR_EXIT_TIMEOUT);
	assert_contains(f->err, "still applying");
	assert_contains(f->err, "4 of 124 contexts are left");
	assert_contains(f->err, "kgr-ctl revert demo");
	assert_int_equal(run(f, "wait", "-t", "0.05", "--json", NULL), KGR_EXIT_TIMEOUT);
	error = json_object_get(f->doc, "error");
	assert_int_equal(json_integer_value(json_object_get(error, "code")), 6);
	assert_string_equal(str(error, "kind"), "timeout-pending");
}

static void poll_fails(void **state)
{
	struct fixture *f = *state;

	put_patch(f, "demo", "applying");
	in_poll = fails;
	assert_int_equal(run(f, "wait", NULL), KGR_EXIT_FAIL);
}

/* A shell starts "command &" with SIGINT ignored: it stays so */
static void ignored_signal(void **state)
{
	struct fixture *f = *state;
	void (*old)(int) = signal(SIGINT, SIG_IGN);

	put_patch(f, "demo", "applying");
	in_poll = gets_sigint;
	assert_int_equal(run(f, "wait", "-t", "0.05", NULL), KGR_EXIT_TIMEOUT);
	signal(SIGINT, old);
}

static void signals(void **state)
{
	struct fixture *f = *state;
	sigset_t mask;

	signal(SIGINT, SIG_DFL);
	put_patch(f, "demo", "reverting");
	in_poll = gets_sigint;
	assert_int_equal(run(f, "wait", NULL), KGR_EXIT_INTERRUPTED);
	assert_contains(f->err, "goes on");
	assert_contains(f->err, "kgr-ctl wait demo");
	assert_contains(f->err, "kgr-ctl enable demo");
	in_poll = gets_sigterm;
	assert_int_equal(run(f, "revert", "demo", NULL), KGR_EXIT_TERMINATED);
	/* both are as they were */
	sigprocmask(SIG_SETMASK, NULL, &mask);
	assert_false(sigismember(&mask, SIGINT));
	assert_false(sigismember(&mask, SIGTERM));
}

static char *content(struct fixture *f, const char *path)
{
	char *full = kgr_asprintf("%s/%s", f->root, path);
	static char buf[64];
	FILE *file = fopen(full, "r");
	size_t n;

	assert_non_null(file);
	n = fread(buf, 1, sizeof(buf) - 1, file);
	buf[n] = 0;
	fclose(file);
	free(full);
	return buf;
}

/* The kernel, after somebody has written to "revert" */
static int obeys(struct pollfd *fds, int timeout)
{
	if (!strcmp(content(fix, "sys/kernel/kgraft/demo/revert"), "1")) {
		put_patch(fix, "demo", "reverted");
		return raise_event(fds);
	}
	raise(SIGINT);
	return __real_poll(fds, 3, timeout);
}

/* Two signals, then it completes */
static int is_impatient(struct pollfd *fds, int timeout)
{
	if (polls > 2)
		return completes(fds, timeout);
	raise(SIGINT);
	return __real_poll(fds, 3, timeout);
}

static int enable_answered(struct fixture *f, const char *answers)
{
	int ret;

	polls = 0;
	put_patch(f, "demo", "applying");
	f->ctx.in = fmemopen((void *)answers, strlen(answers), "r");
	assert_non_null(f->ctx.in);
	f->ctx.ask = true;
	ret = run(f, "enable", "demo", NULL);
	fclose(f->ctx.in);
	f->ctx.in = NULL;
	f->ctx.ask = false;
	return ret;
}

/* What Ctrl-C does is told on the command line, or asked */
static void interrupted(void **state)
{
	struct fixture *f = *state;

	signal(SIGINT, SIG_DFL);
	in_poll = obeys;
	put_patch(f, "demo", "applying");
	assert_int_equal(run(f, "enable", "demo", NULL), KGR_EXIT_INTERRUPTED);
	assert_contains(f->err, "goes on");
	assert_int_equal(run(f, "enable", "demo", "--on-interrupt", "keep", NULL),
			 KGR_EXIT_INTERRUPTED);
	assert_contains(f->err, "goes on");
	/* nobody can be asked */
	assert_int_equal(run(f, "enable", "demo", "--on-interrupt", "ask", NULL),
			 KGR_EXIT_INTERRUPTED);
	assert_string_equal(content(f, "sys/kernel/kgraft/demo/revert"), "");
	assert_int_equal(run(f, "enable", "demo", "--on-interrupt=revert", "--json", NULL),
			 KGR_EXIT_INTERRUPTED);
	assert_contains(f->out, "patch 'demo' is reverted again");

	assert_int_equal(enable_answered(f, "r\n"), KGR_EXIT_INTERRUPTED);
	assert_contains(f->err, "[w]ait for it, [r]everse it, or [l]eave it?");
	assert_contains(f->err, "patch 'demo' is reverted again");
	assert_int_equal(enable_answered(f, "l\n"), KGR_EXIT_INTERRUPTED);
	assert_contains(f->err, "goes on");
	assert_int_equal(enable_answered(f, "\n"), KGR_EXIT_INTERRUPTED);
	assert_string_equal(content(f, "sys/kernel/kgraft/demo/revert"), "");
	in_poll = is_impatient;
	assert_int_equal(enable_answered(f, "w\nw\n"), 0);
	assert_contains(f->out, "demo: applied after ");
}

/* The tree is not a kernel: "enabled" does not follow a write to "revert" */
static void revert_writes(void **state)
{
	struct fixture *f = *state;

	put_patch(f, "demo", "applied");
	assert_int_equal(run(f, "revert", "demo", NULL), KGR_EXIT_CONFLICT);
	assert_contains(f->err, "turned round meanwhile");
	assert_string_equal(content(f, "sys/kernel/kgraft/demo/revert"), "1");

	put_patch(f, "demo", "reverted");
	assert_int_equal(run(f, "revert", "demo", "--json", NULL), 0);
	assert_keys(f->doc, "schema command result elapsed_ms patch");
	assert_string_equal(str(f->doc, "result"), "already-reverted");
	assert_string_equal(content(f, "sys/kernel/kgraft/demo/revert"), "");
}

static void enable_writes(void **state)
{
	struct fixture *f = *state;

	put_patch(f, "demo", "reverted");
	assert_int_equal(run(f, "enable", "demo_mod", "--json", NULL), 0);
	assert_string_equal(str(f->doc, "result"), "applied");
	assert_int_equal(run(f, "enable", "demo", "--json", NULL), 0);
	assert_string_equal(str(f->doc, "result"), "already-applied");
}

static void no_wait(void **state)
{
	struct fixture *f = *state;

	put_patch(f, "demo", "applying");
	assert_int_equal(run(f, "enable", "demo", "--no-wait", "--json", NULL), 0);
	assert_string_equal(str(f->doc, "result"), "applying");
	assert_int_equal(polls, 0);
	in_poll = completes;
	assert_int_equal(run(f, "enable", "demo", NULL), 0);
	assert_contains(f->out, "demo: applied after");
	put_patch(f, "demo", "applying");
	in_poll = is_turned_round;
	assert_int_equal(run(f, "enable", "demo", NULL), KGR_EXIT_CONFLICT);
}

static void bad_transition_file(void **state)
{
	struct fixture *f = *state;

	put_patch(f, "demo", "applying");
	put_file(f, "sys/kernel/kgraft/demo/transition", "maybe\n");
	assert_int_equal(run(f, "wait", "demo", NULL), KGR_EXIT_FAIL);
}

static int ticks(struct pollfd *fds, int timeout)
{
	if (polls > 3)
		return completes(fds, timeout);
	return __real_poll(fds, 3, timeout);
}

/* The bar: drawn by its timer, never longer than the line, gone from files */
static void progress_bar(void **state)
{
	struct fixture *f = *state;
	char *p;

	put_patch(f, "demo", "applying");
	f->ctx.progress = true;
	f->ctx.width = 40;
	in_poll = ticks;
	assert_int_equal(run(f, "wait", NULL), 0);
	assert_contains(f->err, "\r\033[Kdemo applying [#######################.");
	assert_contains(f->err, "demo applied [########################]");
	assert_int_equal(f->err[f->err_len - 1], '\n');
	for (p = f->err; (p = strstr(p, "\033[K")); p++)
		assert_true(strcspn(p + 3, "\r\n") < 40);
	f->ctx.progress = true;
	in_poll = completes;
	put_patch(f, "demo", "applying");
	assert_int_equal(run(f, "wait", "--no-color", NULL), 0);
	assert_int_equal(f->err_len, 0);
}

/* Events over netlink: all are taken, sysfs says whether one of them was the end */
static void netlink_events(void **state)
{
	struct fixture *f = *state;

	has_netlink = true;
	put_patch(f, "demo", "applying");
	in_poll = completes_at_last;
	assert_int_equal(run(f, "wait", "--json", NULL), 0);
	assert_string_equal(str(f->doc, "result"), "complete");
	assert_int_equal(polls, 5);
	assert_int_equal(taken, 5);

	/* a kernel with the family and without events */
	subscribe_ret = -ENOENT;
	polls = 0;
	put_patch(f, "demo", "applying");
	in_poll = completes;
	assert_int_equal(run(f, "wait", "--json", NULL), 0);
	assert_int_equal(polls, 1);
	assert_int_equal(taken, 5);
}

static void netlink_fails(void **state)
{
	struct fixture *f = *state;

	has_netlink = true;
	take_ret = -ENOMEM;
	put_patch(f, "demo", "applying");
	in_poll = completes;
	assert_int_equal(run(f, "wait", NULL), KGR_EXIT_FAIL);
	assert_contains(f->err, "Cannot allocate memory");
}

static int is_reversed(struct pollfd *fds, int timeout)
{
	(void)timeout;
	put_patch(fix, "demo", "reverted");
	put_file(fix, "sys/kernel/kgraft/demo/reason",
		 "timed out after 2000 ms, 1 context left: in-syscall 1\n");
	return raise_event(fds);
}

/* --on-timeout: what the kernel is told, and what it says in the end */
static void deadline(void **state)
{
	struct fixture *f = *state;
	char path[256], text[32] = "";
	FILE *file;

	put_file(f, "sys/kernel/kgraft/on_timeout", "keep\n");
	put_patch(f, "demo", "reverted");
	in_poll = is_reversed;
	assert_int_equal(run(f, "enable", "demo", "-t", "2", "--on-timeout", "revert", "--no-wait",
			     NULL), 0);
	snprintf(path, sizeof(path), "%s/kernel/kgraft/demo/timeout", f->sys);
	file = fopen(path, "r");
	assert_non_null(file);
	assert_non_null(fgets(text, sizeof(text), file));
	fclose(file);
	assert_string_equal(text, "2000");
	snprintf(path, sizeof(path), "%s/kernel/kgraft/demo/on_timeout", f->sys);
	file = fopen(path, "r");
	assert_non_null(file);
	assert_non_null(fgets(text, sizeof(text), file));
	fclose(file);
	assert_string_equal(text, "revert");

	put_patch(f, "demo", "applying");
	assert_int_equal(run(f, "enable", "demo", "-t", "2", "--on-timeout", "revert", "--json",
			     NULL), KGR_EXIT_TIMEOUT_REVERTED);
	assert_string_equal(str(json_object_get(f->doc, "error"), "kind"), "timeout-reverted");
	put_patch(f, "demo", "applying");
	assert_int_equal(run(f, "enable", "demo", "-t", "2", "--on-timeout", "revert", NULL),
			 KGR_EXIT_TIMEOUT_REVERTED);
	assert_contains(f->err, "timed out after 2000 ms, 1 context left: in-syscall 1");
	assert_contains(f->err, "kgr-ctl stragglers");
}

static void deadline_refused(void **state)
{
	struct fixture *f = *state;

	put_patch(f, "demo", "reverted");
	assert_int_equal(run(f, "enable", "demo", "--on-timeout", "stop", NULL), KGR_EXIT_USAGE);
	assert_int_equal(run(f, "enable", "demo", "-t", "0", "--on-timeout", "keep", NULL),
			 KGR_EXIT_USAGE);
	assert_int_equal(run(f, "enable", "demo", "--on-timeout", "keep", NULL), KGR_EXIT_USAGE);
	assert_int_equal(run(f, "wait", "-t", "1", "--on-timeout", "keep", NULL), KGR_EXIT_USAGE);
	/* an older kernel: nothing is started */
	assert_int_equal(run(f, "enable", "demo", "-t", "1", "--on-timeout", "keep", NULL),
			 KGR_EXIT_FAIL);
	assert_contains(f->err, "keeps no deadlines");
	assert_int_equal(polls, 0);
}

/* An event without news, one with, one that is the end */
static int progresses(struct pollfd *fds, int timeout)
{
	/* without a clock: what is drawn is drawn because of an event */
	assert_int_equal(timeout, -1);
	assert_true(fds[2].fd < 0);
	if (polls == 2)
		put_file(fix, "sys/kernel/kgraft/demo/migrated", "122\n");
	if (polls < 3) {
		fds[0].revents = POLLIN;
		return 1;
	}
	return completes(fds, timeout);
}

static void watch_lines(void **state)
{
	struct fixture *f = *state;

	put_patch(f, "demo", "applying");
	has_netlink = true;
	in_poll = progresses;
	assert_int_equal(run(f, "watch", NULL), 0);
	assert_int_equal(polls, 3);
	/* a line for each change, none for an event without */
	assert_string_equal(strtok(f->out, "\n"), "demo applying [#######################.] 120/124");
	assert_string_equal(strtok(NULL, "\n"), "demo applying [#######################.] 122/124");
	assert_contains(strtok(NULL, "\n"), "demo: applied, waited ");
	assert_null(strtok(NULL, "\n"));
}

static void watch_draws(void **state)
{
	struct fixture *f = *state;

	put_patch(f, "demo", "applying");
	has_netlink = true;
	in_poll = progresses;
	f->ctx.live = true;
	f->ctx.width = 20;
	assert_int_equal(run(f, "watch", "demo", NULL), 0);
	f->ctx.live = true;
	/* over the picture before it, and no wider than the terminal */
	assert_contains(f->out, "\r\033[Jdemo applying [####\n\033[1A\r\033[Jdemo");
	assert_lacks(f->out, "[#####");
	/* one document, nothing drawn */
	put_patch(f, "demo", "applying");
	polls = 0;
	assert_int_equal(run(f, "watch", "--json", NULL), 0);
	assert_string_equal(str(f->doc, "result"), "complete");
	assert_string_equal(str(f->doc, "command"), "watch");
	assert_int_equal(run(f, "watch", NULL), 0);
	assert_string_equal(f->out, "no transition is running\n");
}

/* A kernel without events: only then by the clock */
static int moves_unseen(struct pollfd *fds, int timeout)
{
	assert_true(fds[2].fd >= 0);
	if (polls > 1)
		return completes(fds, timeout);
	put_file(fix, "sys/kernel/kgraft/demo/migrated", "122\n");
	usleep(300 * 1000);
	fds[2].revents = POLLIN;
	return 1;
}

static void watch_without_events(void **state)
{
	struct fixture *f = *state;

	put_patch(f, "demo", "applying");
	in_poll = moves_unseen;
	assert_int_equal(run(f, "watch", NULL), 0);
	assert_contains(f->out, "] 120/124\n");
	assert_contains(f->out, "] 122/124\n");
}

#define TEST(name)	cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing_to_wait_for),
		TEST(one_event),
		TEST(unrelated_events),
		TEST(patch_vanishes),
		TEST(time_out),
		TEST(poll_fails),
		TEST(signals),
		TEST(ignored_signal),
		TEST(interrupted),
		TEST(revert_writes),
		TEST(enable_writes),
		TEST(no_wait),
		TEST(bad_transition_file),
		TEST(progress_bar),
		TEST(netlink_events),
		TEST(netlink_fails),
		TEST(watch_lines),
		TEST(watch_draws),
		TEST(watch_without_events),
		TEST(deadline),
		TEST(deadline_refused),
	};

	return cmocka_run_group_tests_name("kgr-ctl: waiting", tests, NULL, NULL);
}
