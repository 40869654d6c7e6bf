// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "durable.h"

/* Names in a directory are on the disk when the directory is */
static int sync_dir(int dir)
{
	return fsync(dir) ? -errno : 0;
}

static int open_dir(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static int write_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		data += n;
		len -= n;
	}
	return 0;
}

static int write_tmp(int dir, const void *data, size_t len)
{
	int fd = openat(dir, KGR_DURABLE_TMP, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
			0644);
	int ret;

	if (fd < 0)
		return -errno;
	ret = write_all(fd, data, len);
	/* readable by all whatever the umask: nothing here is a secret */
	if (!ret && fchmod(fd, 0644))
		ret = -errno;
	if (!ret && fsync(fd))
		ret = -errno;
	/* some file systems find out only here that the disk is full */
	if (close(fd) && !ret)
		ret = -errno;
	return ret;
}

int kgr_durable_write(const char *path, const char *name, const void *data, size_t len)
{
	int dir = open_dir(path), ret;

	if (dir < 0)
		return dir;
	ret = write_tmp(dir, data, len);
	if (!ret && renameat(dir, KGR_DURABLE_TMP, dir, name))
		ret = -errno;
	if (ret)
		unlinkat(dir, KGR_DURABLE_TMP, 0);
	else
		ret = sync_dir(dir);
	close(dir);
	return ret;
}

int kgr_durable_unlink(const char *path, const char *name)
{
	int dir = open_dir(path), ret;

	if (dir < 0)
		return dir == -ENOENT ? 0 : dir;
	if (!unlinkat(dir, name, 0))
		ret = sync_dir(dir);
	else
		ret = errno == ENOENT ? 0 : -errno;
	close(dir);
	return ret;
}

static int make_one(const char *path, const char *parent)
{
	int dir, ret;

	if (mkdir(path, 0755))
		return errno == EEXIST ? 0 : -errno;
	if (chmod(path, 0755))
		return -errno;
	dir = open_dir(parent);
	if (dir < 0)
		return dir;
	ret = sync_dir(dir);
	close(dir);
	return ret;
}

int kgr_durable_mkdir(const char *path)
{
	char *copy = strdup(path), *parent = strdup("/");
	int ret = copy && parent ? 0 : -ENOMEM;

	for (char *p = copy; !ret && p; ) {
		p = strchr(p + 1, '/');
		if (p)
			*p = 0;
		ret = make_one(copy, parent);
		free(parent);
		parent = strdup(copy);
		if (!parent)
			ret = -ENOMEM;
		if (p)
			*p = '/';
	}
	free(parent);
	free(copy);
	return ret;
}
