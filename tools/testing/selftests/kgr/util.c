// SPDX-License-Identifier: GPL-2.0
/* Files, modules, patches, time; see util.h. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "util.h"

int kgr_read(const char *path, char *text, size_t size)
{
	ssize_t len;
	int fd, err;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	len = read(fd, text, size - 1);
	err = errno;
	close(fd);
	if (len < 0)
		return -err;
	if (len > 0 && text[len - 1] == '\n')
		len--;
	text[len] = '\0';
	return len;
}

int kgr_read_long(const char *path, long *value)
{
	char text[64], *end;
	int err;

	err = kgr_read(path, text, sizeof(text));
	if (err < 0)
		return err;
	*value = strtol(text, &end, 0);
	return end == text || *end ? -EBADMSG : 0;
}

int kgr_write(const char *path, const char *text)
{
	int fd, err = 0;

	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		err = -errno;
	close(fd);
	return err;
}

int kgr_mod_load(const char *file, const char *params)
{
	int fd, err = 0;

	fd = open(file, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (syscall(SYS_finit_module, fd, params, 0))
		err = -errno;
	close(fd);
	return err;
}

int kgr_mod_unload(const char *name)
{
	return syscall(SYS_delete_module, name, O_NONBLOCK) ? -errno : 0;
}

int kgr_patch_path(char *path, size_t size, const char *patch, const char *file)
{
	int len = snprintf(path, size, KGR_SYSFS "/%s/%s", patch, file);

	return len < 0 || (size_t)len >= size ? -ENAMETOOLONG : 0;
}

static int kgr_wait_zero(int fd, unsigned long long end)
{
	struct pollfd pfd = { .fd = fd, .events = POLLPRI };
	unsigned long long now;
	char c;

	for (;;) {
		/* the value first: it arms the next poll() */
		if (pread(fd, &c, 1, 0) != 1)
			return -errno;
		if (c == '0')
			return 0;
		now = kgr_now_ms();
		if (now >= end)
			return -ETIMEDOUT;
		if (poll(&pfd, 1, (int)(end - now)) < 0 && errno != EINTR)
			return -errno;
	}
}

/*
 * Sleeps until the patch's transition is over. There is no polling in
 * intervals: a change that the kernel doesn't announce shows up as a timeout.
 */
int kgr_patch_wait(const char *patch, int timeout_ms)
{
	char path[256];
	int fd, err;

	err = kgr_patch_path(path, sizeof(path), patch, "transition");
	if (err)
		return err;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	err = kgr_wait_zero(fd, kgr_now_ms() + timeout_ms);
	close(fd);
	return err;
}

int kgr_patch_set(const char *patch, int enabled)
{
	char path[256];
	int err;

	err = kgr_patch_path(path, sizeof(path), patch, "enabled");
	return err ? err : kgr_write(path, enabled ? "1" : "0");
}

int kgr_version_of(const char *text)
{
	int inner, outer, first, second;

	if (sscanf(text, "inner=%d outer=%d first=%d second=%d", &inner, &outer, &first,
		   &second) != 4)
		return -EPROTO;
	return inner == outer && inner == first && inner == second ? inner : 0;
}

int kgr_task_pending(pid_t pid, pid_t tid)
{
	char path[128];
	long value;
	int err;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/kgr_in_progress", pid, tid);
	err = kgr_read_long(path, &value);
	return err ? err : (int)value;
}

unsigned long long kgr_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000ULL + ts.tv_nsec / 1000000;
}

void kgr_sleep_ms(unsigned int ms)
{
	struct timespec ts = { ms / 1000, (ms % 1000) * 1000000L };

	while (nanosleep(&ts, &ts) && errno == EINTR)
		;
}

const char *kgr_errname(int err)
{
	const char *name = strerrorname_np(err < 0 ? -err : err);

	return name ? name : "unknown";
}

long kgr_env_long(const char *name, long fallback)
{
	const char *text = getenv(name);
	char *end;
	long value;

	if (!text || !*text)
		return fallback;
	value = strtol(text, &end, 0);
	return *end ? fallback : value;
}
