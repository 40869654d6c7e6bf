// SPDX-License-Identifier: GPL-2.0
/*
 * The getpid patch of SUSE's tests: processes call getpid() without a pause
 * while the patch comes and goes. Each call returns the number, or the number
 * plus the patch's constant, and nothing else; within one transition a process
 * goes over once and never back; before and after, all agree.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../kselftest.h"
#include "util.h"

#define GETPID_OFFSET	0x10000000L
#define MAX_PROCESSES	256
#define PATCH		"kgr_test_getpid"

/* What all processes must see now; ANY while a transition may be running */
enum phase { ANY, OLD, NEW };

struct shared {
	int phase;
	int transitions;
	int stop;
	struct {
		unsigned long calls;
		unsigned long wrong_value;
		unsigned long wrong_phase;
		unsigned long turns;
		unsigned long turns_too_many;
		int last;
		long value;
	} process[MAX_PROCESSES];
};

static struct shared *shared;
static int processes;
static unsigned long long waited_ms, longest_ms;

static int load(const int *p)
{
	return __atomic_load_n(p, __ATOMIC_SEQ_CST);
}

static void hammer(int i, pid_t pid)
{
	typeof(shared->process[0]) *me = &shared->process[i];
	int before, after, version;
	long value;

	me->last = OLD;
	while (!load(&shared->stop)) {
		before = load(&shared->phase);
		value = syscall(SYS_getpid);
		after = load(&shared->phase);
		me->calls++;

		if (value == pid) {
			version = OLD;
		} else if (value == pid + GETPID_OFFSET) {
			version = NEW;
		} else {
			me->wrong_value++;
			me->value = value;
			continue;
		}
		if (before == after && before != ANY && version != before)
			me->wrong_phase++;
		if (version != me->last) {
			me->turns++;
			if (me->turns > (unsigned long)load(&shared->transitions))
				me->turns_too_many++;
		}
		me->last = version;
	}
}

static void set_phase(int phase)
{
	__atomic_store_n(&shared->phase, phase, __ATOMIC_SEQ_CST);
}

/* One transition; returns 0 or a negative errno */
static int go(int apply)
{
	unsigned long long begin;
	int err;

	set_phase(ANY);
	__atomic_add_fetch(&shared->transitions, 1, __ATOMIC_SEQ_CST);
	err = kgr_patch_set(PATCH, apply);
	begin = kgr_now_ms();
	if (!err)
		err = kgr_patch_wait(PATCH, 60000);
	begin = kgr_now_ms() - begin;
	waited_ms += begin;
	if (begin > longest_ms)
		longest_ms = begin;
	if (!err)
		set_phase(apply ? NEW : OLD);
	kgr_sleep_ms(20);
	return err;
}

static int load_patch(void)
{
	int err;

	set_phase(ANY);
	shared->transitions++;
	err = kgr_mod_load("test_modules/" PATCH ".ko", "");
	if (!err)
		err = kgr_patch_wait(PATCH, 60000);
	if (!err)
		set_phase(NEW);
	return err;
}

static int start(pid_t *pids)
{
	int i;

	for (i = 0; i < processes; i++) {
		pids[i] = fork();
		if (pids[i] < 0)
			return -errno;
		if (!pids[i]) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			/* the test itself wants to get on */
			setpriority(PRIO_PROCESS, 0, 10);
			hammer(i, syscall(SYS_gettid));
			_exit(0);
		}
	}
	return 0;
}

static void test_cycles(int reps)
{
	int i, err;

	err = load_patch();
	ksft_test_result(!err, "getpid patch is applied (%s)\n", err ? kgr_errname(err) : "ok");
	for (i = 0; !err && i < reps; i++) {
		err = go(0);
		if (!err)
			err = go(1);
	}
	ksft_test_result(!err, "%d cycles of revert and apply (%s)\n", i,
			 err ? kgr_errname(err) : "ok");
	err = go(0);
	if (!err)
		err = kgr_mod_unload(PATCH);
	ksft_test_result(!err, "getpid patch is reverted and unloaded (%s)\n",
			 err ? kgr_errname(err) : "ok");
}

static void report(void)
{
	unsigned long calls = 0, value = 0, phase = 0, turns = 0, many = 0, idle = 0;
	int i;

	for (i = 0; i < processes; i++) {
		calls += shared->process[i].calls;
		value += shared->process[i].wrong_value;
		phase += shared->process[i].wrong_phase;
		turns += shared->process[i].turns;
		many += shared->process[i].turns_too_many;
		idle += shared->process[i].turns < 2;
		if (shared->process[i].wrong_value)
			ksft_print_msg("process %d got %ld\n", i, shared->process[i].value);
	}
	ksft_print_msg("%d processes, %lu calls, %lu turns in %d transitions\n", processes,
		       calls, turns, shared->transitions);
	ksft_print_msg("the last to migrate took %llu ms on average, %llu ms at most\n",
		       waited_ms / (shared->transitions - 1), longest_ms);
	ksft_test_result(!value, "each call returned the old or the new value (%lu did not)\n",
			 value);
	ksft_test_result(!many, "each process turned once a transition (%lu did more often)\n",
			 many);
	ksft_test_result(!phase, "all agreed between transitions (%lu calls did not)\n", phase);
	ksft_test_result(!idle, "each process saw both versions (%lu did not)\n", idle);
}

int main(void)
{
	pid_t pids[MAX_PROCESSES];
	char delay[32] = "1000";
	struct kgr_gate gate;
	int i, err;

	ksft_print_header();
	if (access(KGR_SYSFS, F_OK))
		ksft_exit_skip("CONFIG_KGRAFT is not set\n");
	if (geteuid())
		ksft_exit_skip("must be run as root\n");
	ksft_set_plan(8);

	/* others asleep in system calls need not hold this up */
	kgr_read(KGR_SYSFS "/nudge_delay_ms", delay, sizeof(delay));
	kgr_write(KGR_SYSFS "/nudge_delay_ms", "5");

	processes = kgr_env_long("KGR_PROCESSES", 8);
	if (processes < 1 || processes > MAX_PROCESSES)
		processes = MAX_PROCESSES;
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	if (shared == MAP_FAILED)
		ksft_exit_fail_perror("mmap");
	shared->phase = OLD;

	err = kgr_gate_begin(&gate);
	if (!err)
		err = start(pids);
	if (err)
		ksft_exit_fail_msg("can't start: %s\n", kgr_errname(err));
	kgr_sleep_ms(100);
	test_cycles(kgr_env_long("KGR_REPS", 20));
	__atomic_store_n(&shared->stop, 1, __ATOMIC_SEQ_CST);
	for (i = 0; i < processes; i++)
		waitpid(pids[i], NULL, 0);
	report();
	kgr_write(KGR_SYSFS "/nudge_delay_ms", delay);
	ksft_test_result(!kgr_gate_end(&gate), "the kernel does not complain\n");
	ksft_finished();
}
