// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"
#include "wait.h"

#define ARGS_MAX	16
#define DYING_MS	1000	/* for who was killed and need not get out of the kernel first */

static void be_child(const struct kgr_ctx *parent, const char * const *argv, int fd)
{
	struct kgr_ctx ctx = *parent;
	char *args[ARGS_MAX + 2] = { "kgr-ctl" };
	int argc = 1;

	while (argc <= ARGS_MAX && argv[argc - 1]) {
		args[argc] = (char *)argv[argc - 1];
		argc++;
	}
	ctx.opts = (struct kgr_opts) { 0 };
	ctx.diag = (struct kgr_diag) { 0 };
	ctx.cmd = NULL;
	ctx.shown = NULL;
	ctx.ask = false;
	ctx.progress = false;
	/* with --json there is nothing on the other one */
	ctx.out = fdopen(fd, "w");
	if (!ctx.out)
		_exit(KGR_EXIT_FAIL);
	_exit(kgr_run(&ctx, argc, args));
}

/* Until the end of file; NULL: the time was up */
static char *read_answer(int fd, int64_t end_ms)
{
	char *text = strdup(""), buf[4096];

	while (text) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		int64_t left = end_ms - kgr_monotonic_ms();
		char *longer;
		ssize_t n;

		if (left <= 0 || (poll(&p, 1, left > INT32_MAX ? INT32_MAX : (int)left) < 0 &&
				  errno != EINTR)) {
			free(text);
			return NULL;
		}
		if (!p.revents)
			continue;
		n = read(fd, buf, sizeof(buf) - 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		buf[n] = 0;
		longer = kgr_asprintf("%s%s", text, buf);
		free(text);
		text = longer;
	}
	return text;
}

/* Its exit code, or -1 when it did not end by itself */
static int reap(pid_t pid, bool killed)
{
	int status = 0;

	for (int ms = 0; ; ms += 10) {
		pid_t ret = waitpid(pid, &status, killed ? WNOHANG : 0);

		if (ret == pid)
			return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
		if ((ret < 0 && errno != EINTR) || ms >= DYING_MS)
			return -1;
		if (!ret)
			poll(NULL, 0, 10);
	}
}

enum kgr_exit kgr_child_run(struct kgr_ctx *ctx, const char * const *argv, int64_t limit_ms,
			    json_t **doc)
{
	int64_t end_ms = kgr_monotonic_ms() + limit_ms;
	char *text = NULL;
	int fds[2], code;
	pid_t pid;

	*doc = NULL;
	if (pipe(fds))
		return kgr_fail(ctx, KGR_EXIT_FAIL, "pipe: %s", strerror(errno));
	fflush(NULL);
	pid = fork();
	if (!pid) {
		close(fds[0]);
		be_child(ctx, argv, fds[1]);
	}
	close(fds[1]);
	if (pid > 0)
		text = read_answer(fds[0], end_ms);
	close(fds[0]);
	if (pid < 0)
		return kgr_fail(ctx, KGR_EXIT_FAIL, "fork: %s", strerror(errno));
	if (!text)
		kill(pid, SIGKILL);
	code = reap(pid, !text);
	if (text)
		*doc = json_loads(text, 0, NULL);
	free(text);
	if (*doc)
		return code < 0 ? KGR_EXIT_FAIL : (enum kgr_exit)code;
	if (code < 0) {
		kgr_fail(ctx, KGR_EXIT_FAIL, "%s did not end within %lld seconds", argv[0],
			 (long long)limit_ms / 1000);
		kgr_why(ctx, "it is stuck in the kernel, or was killed");
		kgr_next(ctx, "dmesg | tail");
		return KGR_EXIT_FAIL;
	}
	return kgr_fail(ctx, KGR_EXIT_FAIL, "%s said nothing", argv[0]);
}

enum kgr_exit kgr_child_failed(struct kgr_ctx *ctx, enum kgr_exit code, const json_t *doc)
{
	const json_t *error = json_object_get(doc, "error");
	const char *what = json_string_value(json_object_get(error, "what"));
	json_t *line;
	size_t i;

	if (!what)
		return code;	/* it did not get so far; kgr_child_run() has said why */
	kgr_fail(ctx, code, "%s", what);
	json_array_foreach(json_object_get(error, "why"), i, line)
		kgr_why(ctx, "%s", json_string_value(line));
	json_array_foreach(json_object_get(error, "next"), i, line)
		kgr_next(ctx, "%s", json_string_value(line));
	kgr_quote_kernel(ctx, json_object_get(error, "kernel"));
	return code;
}
