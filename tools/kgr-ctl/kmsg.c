// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "kmsg.h"
#include "out.h"

#define RECORD_MAX	8192	/* the kernel returns one record per read() */
#define LINES_MAX	32

int kgr_kmsg_open(struct kgr_ctx *ctx)
{
	int fd = open(ctx->kmsg_path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	lseek(fd, 0, SEEK_END);
	return fd;
}

static bool begins(const char *s, const char *prefix)
{
	return !strncmp(s, prefix, strlen(prefix));
}

static bool wanted(const char *text, const char *module)
{
	/* some messages of the module loader don't name the module */
	return begins(text, "kgraft: ") || begins(text, "Loading of ") ||
	       begins(text, "Lockdown: ") || begins(text, "module: ") ||
	       (module && begins(text, module) && text[strlen(module)] == ':');
}

/* "6,339,5140900,-;text\n KEY=value\n" */
static void take_record(json_t *lines, char *record, const char *module)
{
	char *text = strchr(record, ';');

	if (!text++)
		return;
	text[strcspn(text, "\n")] = 0;
	if (wanted(text, module) && json_array_size(lines) < LINES_MAX)
		json_array_append_new(lines, kgr_json_str(text));
}

json_t *kgr_kmsg_collect(int fd, const char *module)
{
	json_t *lines = json_array();
	char record[RECORD_MAX];

	while (fd >= 0) {
		ssize_t len = read(fd, record, sizeof(record) - 1);

		if (len < 0 && (errno == EINTR || errno == EPIPE))
			continue;	/* EPIPE: records were overwritten before this one */
		if (len <= 0)
			break;
		record[len] = 0;
		take_record(lines, record, module);
	}
	return lines;
}
