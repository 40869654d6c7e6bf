// SPDX-License-Identifier: GPL-2.0
/*
 * crowd THREADS INSIDE - that many threads asleep, so many of them in
 * kgr_test_sleep(). Prints the ids of the latter, a line "ready", and stays until it
 * is killed.
 */
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SLEEP	"/sys/kernel/debug/kgraft_test/sleep"

static atomic_int started;

static void *inside(void *arg)
{
	/* one each: threads that share a file write one after the other */
	int fd = open(SLEEP, O_WRONLY | O_CLOEXEC);

	(void)arg;
	printf("%ld\n", syscall(SYS_gettid));
	started++;
	if (fd < 0 || write(fd, "0", 1) < 0)
		perror(SLEEP);
	return NULL;
}

static void *outside(void *arg)
{
	(void)arg;
	started++;
	for (;;)
		poll(NULL, 0, -1);
	return NULL;
}

int main(int argc, char **argv)
{
	int threads = argc == 3 ? atoi(argv[1]) : 0, n = argc == 3 ? atoi(argv[2]) : 0;
	pthread_attr_t attr;
	pthread_t thread;

	if (threads < 2 || n >= threads || access(SLEEP, W_OK)) {
		fprintf(stderr, "usage: crowd THREADS INSIDE, with CONFIG_KGRAFT_TEST\n");
		return 2;
	}
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, PTHREAD_STACK_MIN);
	pthread_attr_setguardsize(&attr, 0);
	/* this one is one of them */
	threads--;
	for (int i = 0; i < threads; i++) {
		/* spread over all of them */
		void *(*fn)(void *) = (i + 1) * n / threads > i * n / threads ? inside : outside;

		if (pthread_create(&thread, &attr, fn, NULL)) {
			perror("pthread_create");
			return 1;
		}
	}
	while (started < threads)
		usleep(10000);
	usleep(500000);		/* the last ones are on their way into their sleep */
	printf("ready\n");
	fflush(stdout);
	pause();
	return 0;
}
