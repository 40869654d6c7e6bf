// SPDX-License-Identifier: GPL-2.0
/*
 * A system call in which the nth allocation fails, by /proc/thread-self/fail-nth.
 * All that is needed for the call is there before it is armed, so that the first
 * failure is the kernel's first allocation in the call. The answer is "ok" or the
 * name of the error, and how many more allocations it would have taken.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent.h"
#include "util.h"

struct fault {
	int file;
	int nth;
	char count[16];
};

static int fault_open(struct fault *f, const char *path, int flags, const char *nth)
{
	int err;

	snprintf(f->count, sizeof(f->count), "%d", atoi(nth));
	f->file = open(path, flags | O_CLOEXEC);
	if (f->file < 0)
		return -errno;
	f->nth = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	if (f->nth >= 0)
		return 0;
	err = -errno;
	close(f->file);
	return err;
}

static int fault_arm(struct fault *f)
{
	return pwrite(f->nth, f->count, strlen(f->count), 0) < 0 ? -errno : 0;
}

/* How many were left; disarms */
static int fault_left(struct fault *f)
{
	char text[16] = "";
	ssize_t len = pread(f->nth, text, sizeof(text) - 1, 0);
	int err = errno;

	if (pwrite(f->nth, "0", 1, 0) < 0 && len >= 0)
		return -errno;
	return len < 0 ? -err : atoi(text);
}

static void fault_close(struct fault *f)
{
	close(f->nth);
	close(f->file);
}

static void answer(int err, int left, FILE *out)
{
	fprintf(out, "result=%s left=%d", err < 0 ? kgr_errname(err) : "ok", left);
}

/* fault_put NTH TEXT FILE: one write(2) */
void agent_fault_put(int argc, char **argv, FILE *out)
{
	size_t len = strlen(argv[2]);
	struct fault f;
	int err, left;

	(void)argc;
	err = fault_open(&f, argv[3], O_WRONLY, argv[1]);
	if (!err)
		err = fault_arm(&f);
	if (err) {
		fputs(kgr_errname(err), out);
		return;
	}
	err = write(f.file, argv[2], len) < 0 ? -errno : 0;
	left = fault_left(&f);
	fault_close(&f);
	answer(err, left, out);
}
