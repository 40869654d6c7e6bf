// SPDX-License-Identifier: GPL-2.0
/*
 * The programs of the demonstration. What each does to an eventfd is visible
 * from outside only by what read(2) returns.
 *
 *	eventfd probe SIZE	read SIZE bytes from an eventfd that has an event
 *	eventfd workers N FILE	N threads probe 16 bytes again and again; FILE says
 *				how many of them saw which result last
 *	eventfd sleeper LOG FIFO  read 16 bytes, asleep until an event comes; again
 *				after each success. Results go to LOG. A line
 *				written to FIFO makes an event.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define LARGE		16	/* two counters at once */
#define WORKERS_MAX	64

/* Read from an eventfd; returns the bytes got, or -errno */
static int get(int fd, size_t size)
{
	unsigned char buf[4096];
	ssize_t n = read(fd, buf, size < sizeof(buf) ? size : sizeof(buf));

	return n < 0 ? -errno : (int)n;
}

/* One line for those who watch, as strace would show it */
static void say(int fd, size_t size, int r)
{
	if (r < 0)
		dprintf(fd, "read(eventfd, buffer, %zu) = %s\n", size, strerrorname_np(-r));
	else
		dprintf(fd, "read(eventfd, buffer, %zu) = %d\n", size, r);
}

static int probe(size_t size)
{
	int fd = eventfd(1, EFD_NONBLOCK);

	if (fd < 0) {
		perror("eventfd");
		return 1;
	}
	say(STDOUT_FILENO, size, get(fd, size));
	close(fd);
	return 0;
}

/* One result a worker, written by it alone */
static int last[WORKERS_MAX];

static void *worker(void *arg)
{
	int *mine = arg;

	for (;;) {
		int fd = eventfd(1, EFD_NONBLOCK);

		if (fd >= 0) {
			__atomic_store_n(mine, get(fd, LARGE), __ATOMIC_RELAXED);
			close(fd);
		}
		usleep(2000);
	}
	return NULL;
}

static int write_counts(const char *path, int n)
{
	int old = 0, new = 0;
	char tmp[4096];
	FILE *f;

	for (int i = 0; i < n; i++) {
		int r = __atomic_load_n(&last[i], __ATOMIC_RELAXED);

		old += r == sizeof(uint64_t);
		new += r == -EINVAL;
	}
	snprintf(tmp, sizeof(tmp), "%s.new", path);
	f = fopen(tmp, "w");
	if (!f)
		return -1;
	fprintf(f, "accepted %d refused %d\n", old, new);
	return fclose(f) || rename(tmp, path);
}

static int workers(int n, const char *path)
{
	pthread_t thread;

	if (n < 1 || n > WORKERS_MAX)
		return 2;
	for (int i = 0; i < n; i++)
		if (pthread_create(&thread, NULL, worker, &last[i]))
			return 1;
	for (;;) {
		if (write_counts(path, n)) {
			perror(path);
			return 1;
		}
		usleep(50000);
	}
}

struct waker {
	int fd;
	const char *fifo;
};

static void *waker(void *arg)
{
	const struct waker *w = arg;
	char line[64];

	for (;;) {
		FILE *f = fopen(w->fifo, "r");

		if (!f)
			return NULL;
		while (fgets(line, sizeof(line), f))
			eventfd_write(w->fd, 1);
		fclose(f);
	}
}

static int sleeper(const char *log, const char *fifo)
{
	struct waker w = { .fd = eventfd(0, 0), .fifo = fifo };
	pthread_t thread;
	int out, r;

	out = open(log, O_WRONLY | O_CREAT | O_APPEND, 0644);
	if (w.fd < 0 || out < 0 || pthread_create(&thread, NULL, waker, &w)) {
		perror(log);
		return 1;
	}
	do {
		r = get(w.fd, LARGE);
		say(out, LARGE, r);
	} while (r > 0);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "probe"))
		return probe(strtoul(argv[2], NULL, 10));
	if (argc == 4 && !strcmp(argv[1], "workers"))
		return workers(atoi(argv[2]), argv[3]);
	if (argc == 4 && !strcmp(argv[1], "sleeper"))
		return sleeper(argv[2], argv[3]);
	fputs("usage: eventfd probe SIZE | workers N FILE | sleeper LOG FIFO\n", stderr);
	return 2;
}
