// SPDX-License-Identifier: GPL-2.0
/*
 * System calls that sleep, and the fake signal that makes their task pass its
 * safe point: restartable ones restart without user space noticing; a few answer
 * EINTR, as they do for any signal and as under livepatch.
 *
 * For each: a child sleeps in the call, a patch starts under the universe model,
 * the child alone is nudged and has to migrate; it must then be asleep again, or
 * have got EINTR where that is documented. In the end the event it waits for
 * comes, and the call returns what it should.
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../kselftest.h"
#include "scenarios.h"
#include "util.h"

#define PATCH	"kgr_test_check"

/* Wait for a condition to hold, at most some seconds */
static int until(bool (*holds)(pid_t pid), pid_t pid, int seconds)
{
	unsigned long long end = kgr_now_ms() + seconds * 1000ULL;

	while (!holds(pid)) {
		if (kgr_now_ms() > end)
			return -ETIMEDOUT;
		kgr_sleep_ms(10);
	}
	return 0;
}

static char state_of(pid_t pid)
{
	char path[64], text[1024], *paren;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	if (kgr_read(path, text, sizeof(text)) < 0)
		return 'X';
	paren = strrchr(text, ')');
	return paren && paren[1] ? paren[2] : 'X';
}

static bool is_asleep(pid_t pid)
{
	return state_of(pid) == 'S';
}

static bool is_dead(pid_t pid)
{
	return state_of(pid) == 'Z';
}

static bool has_migrated(pid_t pid)
{
	/* a thread that has died has, too: its file says so or is gone */
	return kgr_task_pending(pid, pid) != 1;
}

static int settled(pid_t pid)
{
	/* asleep again or dead, and for more than an instant */
	unsigned long long end = kgr_now_ms() + 5000;

	while (kgr_now_ms() < end) {
		kgr_sleep_ms(30);
		if (is_dead(pid))
			return 1;
		if (is_asleep(pid)) {
			kgr_sleep_ms(50);
			if (is_asleep(pid))
				return 0;
		}
	}
	return -ETIMEDOUT;
}

/* The part of the test in which the transition runs; what is wrong, or NULL */
static const char *nudge_child(const struct scenario *s, pid_t pid)
{
	int nudged, ended;

	if (kgr_task_pending(pid, pid) != 1)
		return "it is not waited for";
	nudged = kgr_nudge(pid);
	if (nudged != 1)
		return nudged < 0 ? kgr_errname(nudged) : "nudge did nothing";
	if (until(has_migrated, pid, 5))
		return "the nudge did not make it migrate";
	ended = settled(pid);
	if (ended < 0)
		return "it neither sleeps nor ends";
	if (ended && !s->may_eintr)
		return "the nudge ended the call";
	return NULL;
}

static const char *with_patch(const struct scenario *s, pid_t pid)
{
	const char *wrong;
	int err;

	err = kgr_patch_set(PATCH, 1);
	if (err)
		return kgr_errname(err);
	wrong = nudge_child(s, pid);
	/* the rest of the system is left to the ladder */
	kgr_write(KGR_SYSFS "/nudge_delay_ms", "1");
	kgr_nudge(0);
	err = kgr_patch_wait(PATCH, 30000);
	return wrong ? wrong : err ? "the transition does not end" : NULL;
}

static const char *finish_child(const struct scenario *s, pid_t pid)
{
	int status, err;

	if (!is_dead(pid)) {
		err = s->end(pid);
		if (err)
			return kgr_errname(err);
	}
	if (until(is_dead, pid, 20))
		return "the call does not end";
	waitpid(pid, &status, 0);
	if (!WIFEXITED(status))
		return "it was killed";
	if (WEXITSTATUS(status) == EINTR && s->may_eintr) {
		ksft_print_msg("%s: EINTR\n", s->name);
		return NULL;
	}
	return WEXITSTATUS(status) ? strerrorname_np(WEXITSTATUS(status)) : NULL;
}

static const char *run(const struct scenario *s)
{
	const char *wrong, *end;
	pid_t pid;
	int err;

	err = s->make();
	if (err)
		return kgr_errname(err);
	pid = fork();
	if (pid < 0)
		return kgr_errname(errno);
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		_exit(-s->call());
	}
	kgr_sleep_ms(50);
	wrong = until(is_asleep, pid, 5) ? "the call does not sleep" : with_patch(s, pid);
	end = finish_child(s, pid);
	if (end)
		kill(pid, SIGKILL);
	if (s->remove)
		s->remove();
	return wrong ? wrong : end;
}

static int revert(void)
{
	int err = kgr_patch_set(PATCH, 0);

	if (!err)
		err = kgr_patch_wait(PATCH, 30000);
	kgr_write(KGR_SYSFS "/nudge_delay_ms", "0");
	return err;
}

static void test_one(const struct scenario *s)
{
	const char *wrong;
	struct kgr_gate gate;
	int complaints, err;

	err = kgr_gate_begin(&gate);
	wrong = err ? kgr_errname(err) : run(s);
	err = revert();
	complaints = kgr_gate_end(&gate);
	scenario_close();
	if (!wrong && err)
		wrong = "the patch can't be reverted";
	if (!wrong && complaints)
		wrong = "the kernel complains";
	ksft_test_result(!wrong, "%s: %s\n", s->name,
			 wrong ? wrong : s->may_eintr ? "restarts or EINTR" : "restarts");
}

int main(void)
{
	char delay[32] = "1000";
	unsigned int i;
	int err;

	ksft_print_header();
	if (access(KGR_SYSFS, F_OK))
		ksft_exit_skip("CONFIG_KGRAFT is not set\n");
	if (access(KGR_TARGETS, F_OK))
		ksft_exit_skip("CONFIG_KGRAFT_TEST is not set\n");
	if (geteuid())
		ksft_exit_skip("must be run as root\n");
	ksft_set_plan(nr_scenarios);

	kgr_read(KGR_SYSFS "/nudge_delay_ms", delay, sizeof(delay));
	kgr_write(KGR_SYSFS "/nudge_delay_ms", "1");
	err = kgr_mod_load("test_modules/" PATCH ".ko", "model=0");
	if (!err)
		err = kgr_patch_wait(PATCH, 30000);
	if (!err)
		err = revert();
	if (err)
		ksft_exit_fail_msg("can't load " PATCH ": %s\n", kgr_errname(err));

	for (i = 0; i < nr_scenarios; i++)
		test_one(&scenarios[i]);

	err = kgr_mod_unload(PATCH);
	if (err)
		ksft_print_msg("can't unload " PATCH ": %s\n", kgr_errname(err));
	kgr_write(KGR_SYSFS "/nudge_delay_ms", delay);
	ksft_finished();
}
