// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "readfile.h"

static ssize_t read_fd(int fd, char *buf, size_t size)
{
	size_t len = 0;

	while (len < size) {
		ssize_t n = read(fd, buf + len, size - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			break;
		len += n;
	}
	return len;
}

ssize_t kgr_read_file(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len;

	buf[0] = 0;
	if (fd < 0)
		return -errno;
	len = read_fd(fd, buf, size - 1);
	close(fd);
	buf[len < 0 ? 0 : len] = 0;
	return len;
}

int kgr_slurp_file(const char *path, char **text, size_t *len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = -EINVAL;
	struct stat st;

	*text = NULL;
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st)) {
		n = -errno;
	} else if (S_ISREG(st.st_mode)) {
		*text = malloc(st.st_size + 1);
		n = *text ? read_fd(fd, *text, st.st_size) : -ENOMEM;
	}
	close(fd);
	if (n < 0) {
		free(*text);
		*text = NULL;
		return (int)n;
	}
	(*text)[n] = 0;
	*len = n;
	return 0;
}

void kgr_chomp(char *s)
{
	size_t len = strlen(s);

	while (len && (s[len - 1] == '\n' || s[len - 1] == ' '))
		s[--len] = 0;
}
