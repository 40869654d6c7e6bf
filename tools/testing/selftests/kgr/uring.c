// SPDX-License-Identifier: GPL-2.0
/*
 * Puts an io_uring worker to sleep: "read" in a read of an empty pipe, "sleep"
 * inside a patched function. A worker is a user thread that never leaves the
 * kernel. The main thread waits in poll(2), or with "enter" behind it in
 * io_uring_enter(2). SIGUSR1 writes to the pipe; the result is printed.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "util.h"

struct ring {
	int fd;
	struct io_uring_params params;
	char *sq, *cq;
	struct io_uring_sqe *sqes;
};

static int pipe_write = -1;

static void on_usr1(int sig)
{
	(void)sig;
	if (write(pipe_write, "x", 1) != 1)
		_exit(3);
}

static void *ring_map(const struct ring *r, size_t size, off_t offset)
{
	return mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, r->fd, offset);
}

static int ring_open(struct ring *r)
{
	struct io_uring_params *p = &r->params;

	memset(r, 0, sizeof(*r));
	r->fd = syscall(SYS_io_uring_setup, 4, p);
	if (r->fd < 0)
		return -errno;
	r->sq = ring_map(r, p->sq_off.array + p->sq_entries * sizeof(__u32), IORING_OFF_SQ_RING);
	r->cq = ring_map(r, p->cq_off.cqes + p->cq_entries * sizeof(struct io_uring_cqe),
			 IORING_OFF_CQ_RING);
	r->sqes = ring_map(r, p->sq_entries * sizeof(*r->sqes), IORING_OFF_SQES);
	if (r->sq == MAP_FAILED || r->cq == MAP_FAILED || r->sqes == MAP_FAILED)
		return -errno;
	return 0;
}

static int ring_submit(struct ring *r, int op, int fd, void *buf, unsigned int len)
{
	__u32 *tail = (__u32 *)(r->sq + r->params.sq_off.tail);
	__u32 mask = *(__u32 *)(r->sq + r->params.sq_off.ring_mask);
	__u32 *array = (__u32 *)(r->sq + r->params.sq_off.array);
	__u32 slot = *tail & mask;
	struct io_uring_sqe *sqe = &r->sqes[slot];

	memset(sqe, 0, sizeof(*sqe));
	sqe->opcode = op;
	sqe->flags = IOSQE_ASYNC;
	sqe->fd = fd;
	sqe->addr = (uintptr_t)buf;
	sqe->len = len;
	array[slot] = slot;
	__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
	return syscall(SYS_io_uring_enter, r->fd, 1, 0, 0, NULL, 0) == 1 ? 0 : -errno;
}

static int ring_sleep(struct ring *r, int enter)
{
	struct pollfd pfd = { .fd = r->fd, .events = POLLIN };
	long ret;

	if (enter)
		ret = syscall(SYS_io_uring_enter, r->fd, 0, 1, IORING_ENTER_GETEVENTS, NULL, 0);
	else
		ret = poll(&pfd, 1, -1);
	return ret < 0 && errno != EINTR ? -errno : 0;
}

static int ring_wait(struct ring *r, int enter, int *result)
{
	__u32 *head = (__u32 *)(r->cq + r->params.cq_off.head);
	__u32 *tail = (__u32 *)(r->cq + r->params.cq_off.tail);
	__u32 mask = *(__u32 *)(r->cq + r->params.cq_off.ring_mask);
	struct io_uring_cqe *cqes = (struct io_uring_cqe *)(r->cq + r->params.cq_off.cqes);

	int err;

	while (*head == __atomic_load_n(tail, __ATOMIC_ACQUIRE)) {
		err = ring_sleep(r, enter);
		if (err)
			return err;
	}
	*result = cqes[*head & mask].res;
	__atomic_store_n(head, *head + 1, __ATOMIC_RELEASE);
	return 0;
}

static int start(struct ring *r, const char *what)
{
	static char buf[] = "0";
	int fds[2], fd;

	if (!strcmp(what, "sleep")) {
		fd = open(KGR_TARGETS "/sleep", O_WRONLY);
		return fd < 0 ? -errno : ring_submit(r, IORING_OP_WRITE, fd, buf, 1);
	}
	if (pipe(fds))
		return -errno;
	pipe_write = fds[1];
	return ring_submit(r, IORING_OP_READ, fds[0], buf, 1);
}

int main(int argc, char **argv)
{
	struct sigaction sa = { .sa_handler = on_usr1, .sa_flags = SA_RESTART };
	int err, result = 0;
	struct ring ring;

	if (argc < 2 || (strcmp(argv[1], "read") && strcmp(argv[1], "sleep"))) {
		fprintf(stderr, "usage: uring read|sleep [enter]\n");
		return 2;
	}
	sigaction(SIGUSR1, &sa, NULL);
	err = ring_open(&ring);
	if (!err)
		err = start(&ring, argv[1]);
	if (!err) {
		printf("submitted=%d\n", getpid());
		fflush(stdout);
		err = ring_wait(&ring, argc > 2, &result);
	}
	if (err)
		printf("error=%s\n", kgr_errname(err));
	else if (result < 0)
		printf("result=%s\n", kgr_errname(result));
	else
		printf("result=%d\n", result);
	return err ? 1 : 0;
}
