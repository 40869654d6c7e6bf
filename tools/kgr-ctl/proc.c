// SPDX-License-Identifier: GPL-2.0
/*
 * What /proc tells about processes; its root can be moved, for tests.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "out.h"
#include "proc.h"
#include "readfile.h"

FILE *kgr_proc_open(struct kgr_ctx *ctx, const char *name)
{
	char *path = kgr_asprintf("%s/%s", ctx->proc_root, name);
	FILE *f = fopen(path, "re");

	free(path);
	return f;
}

static ssize_t read_proc(struct kgr_ctx *ctx, const char *file, char *buf, size_t size)
{
	char *path = kgr_asprintf("%s/%s", ctx->proc_root, file);
	ssize_t len = kgr_read_file(path, buf, size);

	kgr_chomp(buf);
	free(path);
	return len;
}

void kgr_proc_release(struct kgr_ctx *ctx, char *buf, size_t size)
{
	struct utsname uts = { .release = "?" };

	if (read_proc(ctx, "sys/kernel/osrelease", buf, size) > 0)
		return;
	uname(&uts);
	snprintf(buf, size, "%s", uts.release);
}

bool kgr_proc_is_boot_id(const char *text)
{
	return strlen(text) == KGR_BOOT_ID_LEN &&
	       strspn(text, "0123456789abcdef-") == KGR_BOOT_ID_LEN;
}

int kgr_proc_boot_id(struct kgr_ctx *ctx, char buf[KGR_BOOT_ID_LEN + 1])
{
	char text[KGR_BOOT_ID_LEN + 8];
	ssize_t len = read_proc(ctx, "sys/kernel/random/boot_id", text, sizeof(text));

	if (len < 0)
		return (int)len;
	if (!kgr_proc_is_boot_id(text))
		return -EBADMSG;
	memcpy(buf, text, KGR_BOOT_ID_LEN + 1);
	return 0;
}

bool kgr_proc_booted_with(struct kgr_ctx *ctx, const char *param)
{
	char line[4096], *rest = line, *word;
	bool found = false;

	if (read_proc(ctx, "cmdline", line, sizeof(line)) < 0)
		return false;
	while (!found && (word = strsep(&rest, " ")))
		found = !strcmp(word, param);
	return found;
}

bool kgr_proc_modules_disabled(struct kgr_ctx *ctx)
{
	char buf[8];

	read_proc(ctx, "sys/kernel/modules_disabled", buf, sizeof(buf));
	return buf[0] == '1';
}

bool kgr_proc_ftrace_disabled(struct kgr_ctx *ctx)
{
	char buf[8];

	read_proc(ctx, "sys/kernel/ftrace_enabled", buf, sizeof(buf));
	return buf[0] == '0';
}

char *kgr_proc_cmdline(struct kgr_ctx *ctx, unsigned int pid)
{
	char *path = kgr_asprintf("%s/%u/cmdline", ctx->proc_root, pid);
	char buf[4096];
	ssize_t len = kgr_read_file(path, buf, sizeof(buf));

	free(path);
	while (len > 0 && !buf[len - 1])
		len--;
	if (len <= 0)
		return NULL;
	for (ssize_t i = 0; i < len; i++)
		if (!buf[i])
			buf[i] = ' ';
	return strdup(buf);
}

int kgr_proc_comm(struct kgr_ctx *ctx, unsigned int pid, char *buf, size_t size)
{
	char *path = kgr_asprintf("%s/%u/comm", ctx->proc_root, pid);
	ssize_t len = kgr_read_file(path, buf, size);

	kgr_chomp(buf);
	free(path);
	return len < 0 ? (int)len : 0;
}

char kgr_proc_state(struct kgr_ctx *ctx, unsigned int tid)
{
	char *path = kgr_asprintf("%s/%u/stat", ctx->proc_root, tid), *end;
	char buf[512];

	kgr_read_file(path, buf, sizeof(buf));
	free(path);
	/* the name before it may hold anything, blanks and parentheses included */
	end = strrchr(buf, ')');
	return end && end[1] == ' ' ? end[2] : 0;
}

json_t *kgr_proc_stack(struct kgr_ctx *ctx, unsigned int tid)
{
	/* a thread has a directory under /proc, though not an entry there */
	char *path = kgr_asprintf("%s/%u/stack", ctx->proc_root, tid);
	char buf[8192], *rest = buf, *line;
	ssize_t len = kgr_read_file(path, buf, sizeof(buf));
	json_t *lines;

	free(path);
	if (len < 0)
		return NULL;
	lines = json_array();
	/* "[<0>] name+0x1/0x2" */
	while ((line = strsep(&rest, "\n"))) {
		char *name = strstr(line, "] ");

		if (name)
			json_array_append_new(lines, kgr_json_str(name + 2));
	}
	return lines;
}

bool kgr_proc_is_64bit(struct kgr_ctx *ctx, unsigned int pid)
{
	char *path = kgr_asprintf("%s/%u/exe", ctx->proc_root, pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	unsigned char ident[EI_NIDENT] = "";
	bool ret = false;

	free(path);
	if (fd < 0)
		return false;
	if (pread(fd, ident, sizeof(ident), 0) == (ssize_t)sizeof(ident))
		ret = !memcmp(ident, ELFMAG, SELFMAG) && ident[EI_CLASS] == ELFCLASS64;
	close(fd);
	return ret;
}
