// SPDX-License-Identifier: GPL-2.0
/*
 * Actors: processes in the particular situations that a transition has to deal
 * with. Each prints a line when it is there, and one when it has come out.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util.h"

static void say(const char *what, long value)
{
	printf("%s=%ld\n", what, value);
	fflush(stdout);
}

/* Waits for SIGUSR1 or SIGTERM; restarts are the kernel's business */
static void wait_for_signal(void)
{
	sigset_t set;
	int sig;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	sigwait(&set, &sig);
}

static int sleep_in(const char *file, const char *how)
{
	ssize_t ret;
	int fd;

	fd = open(file, O_WRONLY);
	if (fd < 0)
		return -errno;
	say("sleeping", getpid());
	ret = write(fd, how, strlen(how));
	printf("woken=%s\n", ret < 0 ? kgr_errname(errno) : "ok");
	close(fd);
	return 0;
}

/* Asleep inside a function that is patched; how is that of kgr_test_sleep() */
static int act_sleep(const char *how)
{
	return sleep_in(KGR_TARGETS "/sleep", how);
}

/* Uninterruptibly asleep, and not in a function that is patched */
static int act_hold(const char *arg)
{
	(void)arg;
	return sleep_in(KGR_TARGETS "/hold", "1");
}

/* Runs in user mode and never enters the kernel by itself */
static int act_spin(const char *arg)
{
	volatile unsigned long turns = 0;

	(void)arg;
	say("spinning", getpid());
	for (;;)
		turns++;
	return 0;
}

static int pin(const char *cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(atoi(cpu), &set);
	return sched_setaffinity(0, sizeof(set), &set) ? -errno : 0;
}

/*
 * As spin, but on one CPU and with a real-time priority; that first, for the CPU may
 * have no time for anybody else.
 */
static int spin_at(const char *cpu, int priority)
{
	struct sched_param param = { .sched_priority = priority };
	int err = sched_setscheduler(0, SCHED_FIFO, &param) ? -errno : pin(cpu);

	return err ? err : act_spin(cpu);
}

static int act_hog(const char *cpu)
{
	return spin_at(cpu, 50);
}

/* Does not get the CPU while a hog has it */
static int act_victim(const char *cpu)
{
	return spin_at(cpu, 10);
}

/* Asleep in a system call that has nothing to do with the patch */
static int act_pipe(const char *arg)
{
	int fds[2];
	char c;

	(void)arg;
	if (pipe(fds))
		return -errno;
	say("reading", getpid());
	printf("read=%zd errno=%s\n", read(fds[0], &c, 1), kgr_errname(errno));
	return 0;
}

/* The parent of a vfork() waits, beyond the reach of signals, for its child */
static int act_vfork(const char *arg)
{
	pid_t pid;

	(void)arg;
	say("parent", getpid());
	pid = vfork();
	if (pid < 0)
		return -errno;
	if (!pid) {
		char text[32];
		int len = snprintf(text, sizeof(text), "child=%d\n", getpid());

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (write(STDOUT_FILENO, text, len) < 0)
			_exit(1);
		pause();
		_exit(0);
	}
	say("resumed", pid);
	return 0;
}

static void *dies(void *arg)
{
	(void)arg;
	prctl(PR_SET_NAME, "kgr_dies");
	say("dying", syscall(SYS_gettid));
	return NULL;
}

/* Has a thread, kgr_dies, that has ended and that nobody waits for */
static int act_dies(const char *arg)
{
	pthread_t thread;
	int err;

	(void)arg;
	err = pthread_create(&thread, NULL, dies, NULL);
	if (err)
		return -err;
	wait_for_signal();
	return 0;
}

/* Has a child that is dead and not waited for */
static int act_zombie(const char *arg)
{
	pid_t pid;

	(void)arg;
	pid = fork();
	if (pid < 0)
		return -errno;
	if (!pid)
		_exit(0);
	say("zombie", pid);
	wait_for_signal();
	return waitpid(pid, NULL, 0) == pid ? 0 : -errno;
}

/* Holds a child in a ptrace stop until it is sent SIGUSR1 */
static int act_tracer(const char *arg)
{
	int status, err = 0;
	pid_t pid;

	(void)arg;
	pid = fork();
	if (pid < 0)
		return -errno;
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	if (ptrace(PTRACE_SEIZE, pid, 0, 0) || ptrace(PTRACE_INTERRUPT, pid, 0, 0) ||
	    waitpid(pid, &status, 0) != pid) {
		err = -errno;
	} else {
		say("tracer", getpid());
		say("tracee", pid);
		wait_for_signal();
		if (ptrace(PTRACE_CONT, pid, 0, 0))
			err = -errno;
		else
			say("continued", pid);
		wait_for_signal();
	}
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	return err;
}

static const struct {
	const char *name;
	int (*act)(const char *arg);
} acts[] = {
	{ "sleep",	act_sleep },
	{ "hold",	act_hold },
	{ "spin",	act_spin },
	{ "hog",	act_hog },
	{ "victim",	act_victim },
	{ "pipe",	act_pipe },
	{ "vfork",	act_vfork },
	{ "dies",	act_dies },
	{ "zombie",	act_zombie },
	{ "tracer",	act_tracer },
};

int main(int argc, char **argv)
{
	const char *arg = argc > 2 ? argv[2] : "0";
	size_t i;
	int err;

	for (i = 0; argc > 1 && i < ARRAY_SIZE(acts); i++) {
		if (strcmp(argv[1], acts[i].name))
			continue;
		err = acts[i].act(arg);
		if (err)
			printf("error=%s\n", kgr_errname(err));
		return err ? 1 : 0;
	}
	fprintf(stderr, "usage: actor ACT [ARG]\n");
	return 2;
}
