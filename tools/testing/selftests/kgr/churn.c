// SPDX-License-Identifier: GPL-2.0
/*
 * Processes in turmoil: each calls the pairs of functions again and again, and looks
 * at all versions within one system call, while it is signalled, stopped, traced,
 * killed and replaced by another, at random and from a given seed; by itself it
 * executes itself, has children and has threads.
 *
 *	churn SEED [PROCESSES]
 *
 * On SIGTERM it prints how often each of these happened. That something was seen
 * mixed is an error, as is anything that fails.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util.h"

#define TARGET		"/sys/kernel/debug/kgraft_test_target"
#define MAX_PROCESSES	256
#define TIMEOUT_MS	60000

/* Shared by all of them, also after exec: the file stays open under one number */
#define SUMS(x)									\
	x(forks) x(vforks) x(threads) x(execs) x(signals) x(handled) x(stops)	\
	x(attaches) x(syscall_stops) x(detaches) x(kills) x(target_runs)	\
	x(old) x(new) x(mixed) x(errors)

#define SUM_MEMBER(name)	unsigned long name;
static struct sums {
	SUMS(SUM_MEMBER)
} *sums;

static int sums_fd = -1;
static int last_error;
static unsigned int seed;
static volatile sig_atomic_t stop;

static void add(unsigned long *sum)
{
	__atomic_add_fetch(sum, 1, __ATOMIC_RELAXED);
}

/* Something went wrong, in any of the processes; the last reason is printed there */
static void add_error(const char *what, int err)
{
	add(&sums->errors);
	printf("churn: %s: %s\n", what, kgr_errname(err));
	fflush(stdout);
}

static unsigned int any(unsigned int below)
{
	return rand_r(&seed) % below;
}

static int map_sums(void)
{
	sums = mmap(NULL, sizeof(*sums), PROT_READ | PROT_WRITE, MAP_SHARED, sums_fd, 0);
	return sums == MAP_FAILED ? -errno : 0;
}

/*
 * The processes
 */

static void on_usr1(int sig)
{
	(void)sig;
	add(&sums->handled);
}

/* Read all versions in one system call: they have to agree */
static void look(void)
{
	char text[256];
	int ret = kgr_read(KGR_TARGETS "/version", text, sizeof(text));

	if (ret == -EINTR)
		return;
	if (ret >= 0)
		ret = kgr_version_of(text);
	if (ret < 0)
		add_error("version", ret);
	else
		add(!ret ? &sums->mixed : ret == 1 ? &sums->old : &sums->new);
}

static void run_pairs(void)
{
	int err = kgr_write(KGR_TARGETS "/run", "all 1");

	if (err && err != -EINTR)
		add_error("run", err);
}

/* The same with a function of the module, which comes and goes */
static void run_target(void)
{
	int err = kgr_write(TARGET "/run", "1");

	if (!err)
		add(&sums->target_runs);
	else if (err != -EINTR && err != -ENOENT && err != -ENXIO)
		add_error("target", err);
}

static void have_child(void)
{
	int status;
	pid_t pid;

	add(&sums->vforks);
	pid = vfork();
	if (!pid) {
		look();
		_exit(0);
	}
	if (pid < 0) {
		add_error("vfork", errno);
		return;
	}
	while (waitpid(pid, &status, 0) != pid) {
		if (errno != EINTR) {
			add_error("waitpid", errno);
			return;
		}
	}
}

static void *run_thread(void *arg)
{
	(void)arg;
	run_pairs();
	look();
	return NULL;
}

/* Nobody waits for it: exec and death may come while it is in the kernel */
static void have_thread(void)
{
	pthread_attr_t attr;
	pthread_t thread;
	int err;

	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, 65536);
	err = pthread_create(&thread, &attr, run_thread, NULL);
	pthread_attr_destroy(&attr);
	if (err)
		add_error("pthread_create", err);
	else
		add(&sums->threads);
}

static void execute(void)
{
	char number[16], fd[16];
	char *argv[] = { "churn", "process", number, fd, NULL };

	snprintf(number, sizeof(number), "%u", any(1U << 30));
	snprintf(fd, sizeof(fd), "%d", sums_fd);
	/* as long as there is no handler again */
	signal(SIGUSR1, SIG_IGN);
	add(&sums->execs);
	execv("/proc/self/exe", argv);
	add_error("exec", errno);
}

static void process(void)
{
	struct sigaction sa = { .sa_handler = on_usr1 };

	sa.sa_flags = any(2) ? SA_RESTART : 0;
	sigaction(SIGUSR1, &sa, NULL);
	for (;;) {
		switch (any(12)) {
		case 0:		have_child(); break;
		case 1:		have_thread(); break;
		case 2:		execute(); break;
		case 3: case 4:	run_target(); break;
		case 5: case 6:	look(); break;
		default:	run_pairs(); break;
		}
	}
}

/*
 * What is done to them
 */

static pid_t start(void)
{
	unsigned int next = any(1U << 30);
	pid_t pid = fork();

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		signal(SIGTERM, SIG_DFL);
		seed = next;
		process();
	}
	if (pid < 0)
		add_error("fork", errno);
	else
		add(&sums->forks);
	return pid;
}

/* Wait until it has stopped; 0, -ETIMEDOUT, or -ECHILD when it has ended instead */
static int stopped(pid_t pid, int options, unsigned int timeout_ms)
{
	unsigned long long end = kgr_now_ms() + timeout_ms;
	int status;

	for (;;) {
		pid_t got = waitpid(pid, &status, options | WNOHANG);

		if (got == pid)
			return WIFSTOPPED(status) ? 0 : -ECHILD;
		if (got < 0 && errno != EINTR)
			return -errno;
		if (kgr_now_ms() > end)
			return -ETIMEDOUT;
		kgr_sleep_ms(1);
	}
}

/* A thread that executes something drops a stop that another has begun */
static int hold(pid_t pid)
{
	int err;

	if (kill(pid, SIGSTOP))
		return -errno;
	err = stopped(pid, WUNTRACED, 500);
	if (!err) {
		add(&sums->stops);
		kgr_sleep_ms(any(20));
	}
	if (kill(pid, SIGCONT))
		return -errno;
	return err == -ETIMEDOUT ? 0 : err;
}

/* Signals that it is sent meanwhile are passed on by detaching only, if at all */
static int trace(pid_t pid)
{
	int turns = any(4), err;

	if (ptrace(PTRACE_SEIZE, pid, 0, 0) || ptrace(PTRACE_INTERRUPT, pid, 0, 0))
		return -errno;
	err = stopped(pid, 0, TIMEOUT_MS);
	if (err)
		return err;
	add(&sums->attaches);
	while (turns--) {
		if (ptrace(PTRACE_SYSCALL, pid, 0, 0))
			return -errno;
		err = stopped(pid, 0, TIMEOUT_MS);
		if (err)
			return err;
		add(&sums->syscall_stops);
		kgr_sleep_ms(any(5));
	}
	if (ptrace(PTRACE_DETACH, pid, 0, 0))
		return -errno;
	add(&sums->detaches);
	return 0;
}

static int destroy(pid_t pid)
{
	int err;

	if (kill(pid, SIGKILL))
		return -errno;
	err = stopped(pid, 0, TIMEOUT_MS);
	if (err != -ECHILD)
		return err ? err : -EPROTO;
	add(&sums->kills);
	return 0;
}

static void disturb(pid_t *pid)
{
	int err = 0;

	switch (any(8)) {
	case 0:
		err = destroy(*pid);
		*pid = start();
		break;
	case 1:
		err = hold(*pid);
		break;
	case 2: case 3:
		err = trace(*pid);
		break;
	default:
		err = kill(*pid, SIGUSR1) ? -errno : 0;
		add(&sums->signals);
		break;
	}
	if (err) {
		last_error = err;
		add_error("a process", err);
		stop = 1;
	}
}

static void on_term(int sig)
{
	(void)sig;
	stop = 1;
}

static int open_sums(void)
{
	int fd = memfd_create("sums", 0);

	if (fd < 0)
		return -errno;
	return ftruncate(fd, sizeof(*sums)) ? -errno : fd;
}

#define SUM_PRINT(name)		printf(#name "=%lu ", sums->name);

static int run(int count)
{
	struct sigaction sa = { .sa_handler = on_term };
	pid_t pids[MAX_PROCESSES];
	int i;

	sigaction(SIGTERM, &sa, NULL);
	/* Inherited, as it may come before a process has its handler */
	signal(SIGUSR1, SIG_IGN);
	for (i = 0; i < count; i++)
		pids[i] = start();
	printf("ready\n");
	fflush(stdout);
	while (!stop) {
		disturb(&pids[any(count)]);
		kgr_sleep_ms(1 + any(10));
	}
	for (i = 0; i < count; i++)
		kill(pids[i], SIGKILL);
	while (wait(NULL) > 0 || errno == EINTR)
		;
	SUMS(SUM_PRINT)
	printf("error=%s\n", last_error ? kgr_errname(last_error) : "none");
	return sums->mixed || sums->errors ? 1 : 0;
}

int main(int argc, char **argv)
{
	int count = 8, err;

	/* after exec: churn process SEED FD */
	if (argc == 4 && !strcmp(argv[1], "process")) {
		seed = atoi(argv[2]);
		sums_fd = atoi(argv[3]);
		if (map_sums())
			return 1;
		process();
	}
	if (argc > 1)
		seed = atoi(argv[1]);
	if (argc > 2)
		count = atoi(argv[2]);
	if (argc < 2 || argc > 3 || count < 1 || count > MAX_PROCESSES) {
		fprintf(stderr, "usage: churn SEED [PROCESSES]\n");
		return 2;
	}
	/* the test itself wants to get on */
	setpriority(PRIO_PROCESS, 0, 19);
	sums_fd = open_sums();
	err = sums_fd < 0 ? sums_fd : map_sums();
	if (err) {
		printf("churn: %s\n", kgr_errname(err));
		return 1;
	}
	return run(count);
}
