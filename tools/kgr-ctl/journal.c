// SPDX-License-Identifier: GPL-2.0
#include <endian.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include "journal.h"
#include "proc.h"

#define IDENTIFIER	"kgr-ctl"

struct field {
	const char *name;
	char *value;		/* NULL: left out */
};

/* Commands that show something, or find that there is nothing to do, change nothing */
static bool changes(const struct kgr_ctx *ctx, enum kgr_exit ret)
{
	const char *result = json_string_value(json_object_get(ctx->shown, "result"));

	if (!ctx->cmd->message_id || kgr_opt(ctx, KGR_OPT_HELP) || ret == KGR_EXIT_USAGE)
		return false;
	if (ctx->cmd->run == kgr_cmd_mode)
		return ctx->opts.argc || kgr_opt(ctx, KGR_OPT_GUARD);
	return ret || !result || strncmp(result, "already-", strlen("already-"));
}

static const char *get(const json_t *doc, const char *key)
{
	return json_string_value(json_object_get(doc, key));
}

/* What the document says that it is about, or else what was typed */
static const char *patch_name(const struct kgr_ctx *ctx)
{
	const json_t *patch = json_object_get(ctx->shown, "patch");
	const char *name = json_is_object(patch) ? get(patch, "name") : json_string_value(patch);

	if (ctx->cmd->run == kgr_cmd_mode)
		return NULL;
	if (!name)
		name = get(ctx->shown, "name");
	if (!name && ctx->opts.argc)
		name = ctx->opts.argv[0];
	return name;
}

static const struct kgr_exit_info *exit_info(enum kgr_exit code)
{
	for (size_t i = 0; i < kgr_exit_count; i++)
		if (kgr_exits[i].code == (int)code)
			return &kgr_exits[i];
	return &kgr_exits[0];
}

static const char *result_word(const struct kgr_ctx *ctx, enum kgr_exit ret)
{
	const char *word = get(ctx->shown, ctx->cmd->run == kgr_cmd_mode ? "mode" : "result");

	return !ret && word ? word : exit_info(ret)->word;
}

static char *join_lines(const json_t *lines)
{
	char *text = NULL, *longer;
	json_t *line;
	size_t i;

	json_array_foreach((json_t *)lines, i, line) {
		longer = kgr_asprintf("%s%s%s", text ? text : "", text ? "\n" : "",
				      json_string_value(line));
		free(text);
		text = longer;
	}
	return text;
}

static char *release(struct kgr_ctx *ctx)
{
	const char *shown = get(ctx->shown, "release");
	char running[256];

	if (!shown)
		shown = ctx->opts.kernel;
	if (shown)
		return strdup(shown);
	kgr_proc_release(ctx, running, sizeof(running));
	return strdup(running);
}

static char *message(const struct kgr_ctx *ctx, enum kgr_exit ret)
{
	const char *patch = patch_name(ctx);

	return kgr_asprintf("%s%s%s: %s", ctx->cmd->name, patch ? " " : "", patch ? patch : "",
			    ret && ctx->diag.what ? ctx->diag.what : result_word(ctx, ret));
}

/* A value of several lines comes with its length, so that none of them is a field */
static void put_field(FILE *f, const struct field *field)
{
	uint64_t len = htole64(strlen(field->value));

	if (!strchr(field->value, '\n')) {
		fprintf(f, "%s=%s\n", field->name, field->value);
		return;
	}
	fprintf(f, "%s\n", field->name);
	fwrite(&len, sizeof(len), 1, f);
	fprintf(f, "%s\n", field->value);
}

static bool send_datagram(const char *path, const void *data, size_t len)
{
	/* a journal that is stuck must not hold us up */
	const struct timeval limit = { .tv_sec = 1 };
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd;
	bool sent;

	if (strlen(path) >= sizeof(to.sun_path))
		return false;
	strcpy(to.sun_path, path);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	sent = sendto(fd, data, len, MSG_NOSIGNAL, (struct sockaddr *)&to, sizeof(to)) ==
	       (ssize_t)len;
	close(fd);
	return sent;
}

static bool to_journal(const struct kgr_ctx *ctx, const struct field *fields, size_t n)
{
	char *data;
	size_t len;
	bool sent;
	FILE *f = open_memstream(&data, &len);

	if (!f)
		return false;
	for (size_t i = 0; i < n; i++)
		if (fields[i].value)
			put_field(f, &fields[i]);
	if (fclose(f))
		return false;
	sent = send_datagram(ctx->journal_path, data, len);
	free(data);
	return sent;
}

/* One line: the message, then the fields that are ours */
static void to_syslog(int priority, const struct field *fields, size_t n)
{
	char *line = NULL, *longer;

	for (size_t i = 0; i < n; i++) {
		if (fields[i].value && !strncmp(fields[i].name, "KGR_", 4)) {
			longer = kgr_asprintf("%s %s=\"%s\"", line ? line : "", fields[i].name,
					      fields[i].value);
			free(line);
			line = longer;
		}
	}
	for (char *p = line; p && *p; p++)
		if (*p == '\n')
			*p = ' ';
	openlog(IDENTIFIER, LOG_PID, LOG_DAEMON);
	syslog(priority, "%s%s", fields[0].value, line ? line : "");
	closelog();
	free(line);
}

void kgr_journal_command(struct kgr_ctx *ctx, enum kgr_exit ret)
{
	int priority = ret ? LOG_WARNING : LOG_NOTICE;
	const char *patch;

	if (!ctx->journal_path || !changes(ctx, ret))
		return;
	patch = patch_name(ctx);

	struct field fields[] = {
		{ "MESSAGE", message(ctx, ret) },
		{ "MESSAGE_ID", strdup(ctx->cmd->message_id) },
		{ "PRIORITY", kgr_asprintf("%d", priority) },
		{ "SYSLOG_IDENTIFIER", strdup(IDENTIFIER) },
		{ "KGR_COMMAND", strdup(ctx->cmd->name) },
		{ "KGR_PATCH", patch ? strdup(patch) : NULL },
		{ "KGR_RESULT", strdup(result_word(ctx, ret)) },
		{ "KGR_EXIT", kgr_asprintf("%d", ret) },
		{ "KGR_RELEASE", release(ctx) },
		{ "KGR_WHY", ret ? join_lines(ctx->diag.why) : NULL },
	};

	if (!to_journal(ctx, fields, ARRAY_SIZE(fields)))
		to_syslog(priority, fields, ARRAY_SIZE(fields));
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		free(fields[i].value);
}
