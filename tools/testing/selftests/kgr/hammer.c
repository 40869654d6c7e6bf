// SPDX-License-Identifier: GPL-2.0
/*
 * Load: threads that call the pairs of functions through write(2) again and
 * again until SIGTERM. Each write is one system call, within which a user
 * thread must not change universe. The kernel counts what it saw; this only
 * says how many calls were made and whether one failed.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "util.h"

#define MAX_THREADS	4096

static const char *work = "all 2";
static int cpu = -1;
static unsigned int pause_ms;
static atomic_int stop;
static atomic_ulong writes, interrupted, failed;
static atomic_int last_error;

static void pin(void)
{
	cpu_set_t set;

	if (cpu < 0)
		return;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set)) {
		last_error = errno;
		failed++;
	}
}

static void *hammer(void *arg)
{
	size_t len = strlen(work);
	int fd;

	(void)arg;
	pin();
	fd = open(KGR_TARGETS "/run", O_WRONLY | O_CLOEXEC);
	if (fd < 0) {
		last_error = errno;
		failed++;
		return NULL;
	}
	while (!stop) {
		if (pwrite(fd, work, len, 0) == (ssize_t)len) {
			writes++;
			if (pause_ms)
				kgr_sleep_ms(pause_ms);
		} else if (errno == EINTR) {
			interrupted++;
		} else {
			last_error = errno;
			failed++;
			break;
		}
	}
	close(fd);
	return NULL;
}

static int start(pthread_t *threads, int count)
{
	pthread_attr_t attr;
	int i, err = 0;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 65536);
	for (i = 0; i < count && !err; i++)
		err = pthread_create(&threads[i], &attr, hammer, NULL);
	pthread_attr_destroy(&attr);
	return err ? -err : 0;
}

static int run(int count)
{
	static pthread_t threads[MAX_THREADS];
	sigset_t set;
	int sig, i, err;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	err = start(threads, count);
	if (err)
		return err;
	printf("ready\n");
	fflush(stdout);
	sigwait(&set, &sig);
	stop = 1;
	for (i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	return 0;
}

int main(int argc, char **argv)
{
	int count = 64, opt, err;

	/* the test itself wants to get on */
	setpriority(PRIO_PROCESS, 0, 10);
	while ((opt = getopt(argc, argv, "t:w:c:p:")) != -1) {
		if (opt == 't')
			count = atoi(optarg);
		else if (opt == 'w')
			work = optarg;
		else if (opt == 'c')
			cpu = atoi(optarg);
		else if (opt == 'p')
			pause_ms = atoi(optarg);
		else
			count = -1;
	}
	if (count < 1 || count > MAX_THREADS || optind != argc) {
		fprintf(stderr, "usage: hammer [-t THREADS] [-w WORK] [-c CPU] [-p PAUSE_MS]\n");
		return 2;
	}
	err = run(count);
	if (err) {
		printf("hammer: threads: %s\n", kgr_errname(err));
		return 1;
	}
	printf("threads=%d writes=%lu interrupted=%lu failed=%lu error=%s\n", count,
	       (unsigned long)writes, (unsigned long)interrupted, (unsigned long)failed,
	       last_error ? kgr_errname(last_error) : "none");
	return failed ? 1 : 0;
}
