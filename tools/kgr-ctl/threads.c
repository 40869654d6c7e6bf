// SPDX-License-Identifier: GPL-2.0
/*
 * Ten thousand threads are a matter of a second, nearly all of which the kernel spends
 * on unwinding: so each stack is read once, by a path as short as can be, and names
 * are looked up by bisection.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proc.h"
#include "threads.h"

#define STACK_MAX	16384	/* of text; deeper frames don't matter, the top ones sleep */

struct scan {
	struct kgr_ctx *ctx;
	const struct kgr_body *bodies;
	size_t n;
	kgr_sleeper_fn fn;
	void *arg;
	unsigned int threads;
	int err;		/* why stacks could not be read */
	char buf[STACK_MAX];
};

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct kgr_body *)a)->name, ((const struct kgr_body *)b)->name);
}

/* @name ends at its '+' */
static const struct kgr_body *find(const struct scan *s, const char *name)
{
	size_t len = strcspn(name, "+");
	size_t low = 0, high = s->n;

	/* the kernel takes a cold part for the function that it belongs to */
	if (len > 5 && !memcmp(name + len - 5, ".cold", 5))
		len -= 5;
	while (low < high) {
		size_t mid = (low + high) / 2;
		int d = strncmp(name, s->bodies[mid].name, len);

		if (!d && s->bodies[mid].name[len])
			d = -1;
		if (!d)
			return &s->bodies[mid];
		if (d < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return NULL;
}

/* The next "[<0>] name+0x1/0x2" of *@text, cut out of it; NULL at the end */
static char *next_frame(char **text)
{
	char *line, *name;

	while ((line = strsep(text, "\n"))) {
		name = strstr(line, "] ");
		if (name)
			return name + 2;
	}
	return NULL;
}

static void look_at(struct scan *s, unsigned int pid, unsigned int tid)
{
	char *rest = s->buf, *frame, *caller;
	const struct kgr_body *body;

	while ((frame = next_frame(&rest))) {
		body = find(s, frame);
		if (!body)
			continue;
		caller = next_frame(&rest);
		s->fn(&(struct kgr_sleeper) { pid, tid, body->id, frame, caller }, s->arg);
		return;
	}
}

static ssize_t read_stack(struct scan *s, int dir, const char *tid)
{
	char path[32];
	ssize_t len;
	int fd;

	snprintf(path, sizeof(path), "%.20s/stack", tid);
	fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	len = read(fd, s->buf, sizeof(s->buf) - 1);
	if (len < 0)
		len = -errno;
	close(fd);
	if (len >= 0)
		s->buf[len] = 0;
	return len;
}

static void scan_process(struct scan *s, int proc, const char *pid)
{
	unsigned int id = (unsigned int)strtoul(pid, NULL, 10);
	struct dirent *entry;
	char path[32];
	DIR *dir;
	int fd;

	snprintf(path, sizeof(path), "%.20s/task", pid);
	fd = openat(proc, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		if (fd >= 0)
			close(fd);
		return;		/* it has ended */
	}
	while ((entry = readdir(dir))) {
		ssize_t len;

		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		len = read_stack(s, fd, entry->d_name);
		if (len >= 0) {
			s->threads++;
			look_at(s, id, (unsigned int)strtoul(entry->d_name, NULL, 10));
		} else if (len == -EACCES || len == -EPERM) {
			s->err = -EACCES;
		}
	}
	closedir(dir);
}

int kgr_threads_in(struct kgr_ctx *ctx, struct kgr_body *bodies, size_t n, kgr_sleeper_fn fn,
		   void *arg, unsigned int *threads)
{
	struct scan *s = calloc(1, sizeof(*s));
	DIR *proc = opendir(ctx->proc_root);
	struct dirent *entry;
	int ret = 0;

	*threads = 0;
	if (!s || !proc) {
		ret = s ? -errno : -ENOMEM;
		goto out;
	}
	*s = (struct scan) { .ctx = ctx, .bodies = bodies, .n = n, .fn = fn, .arg = arg };
	if (n)
		qsort(bodies, n, sizeof(*bodies), by_name);
	while (s->err != -EACCES && (entry = readdir(proc)))
		if (isdigit((unsigned char)entry->d_name[0]))
			scan_process(s, dirfd(proc), entry->d_name);
	*threads = s->threads;
	ret = s->err ? s->err : s->threads ? 0 : -ENOENT;
out:
	if (proc)
		closedir(proc);
	free(s);
	return ret;
}
