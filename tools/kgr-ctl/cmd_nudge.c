// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "netlink.h"
#include "out.h"
#include "sysfs.h"

/* The threads left of one process, or one thread */
struct targets {
	uint32_t id;
	uint32_t *tids;
	size_t n;
};

static int add_target(const struct kgr_straggler *s, void *arg)
{
	struct targets *t = arg;
	uint32_t *tids;

	if (!kgr_has(s, KGRAFT_A_TID) || (s->tid != t->id && s->pid != t->id))
		return 0;
	tids = realloc(t->tids, (t->n + 1) * sizeof(*tids));
	if (!tids)
		return -ENOMEM;
	t->tids = tids;
	tids[t->n++] = s->tid;
	return 0;
}

static void nudge_text(struct kgr_ctx *ctx, const json_t *doc)
{
	const char *result = json_string_value(json_object_get(doc, "result"));
	json_int_t n = json_integer_value(json_object_get(doc, "nudged"));

	if (!strcmp(result, "nudged"))
		fprintf(ctx->out, "nudged %lld thread%s\n", (long long)n, n == 1 ? "" : "s");
	else if (!strcmp(result, "already-migrated"))
		fputs("it has migrated already\n", ctx->out);
	else
		fputs("no transition is running\n", ctx->out);
}

static enum kgr_exit show(struct kgr_ctx *ctx, const char *result, uint32_t id, uint32_t nudged)
{
	return kgr_show(ctx, json_pack("{s:s,s:o,s:I}", "result", result,
				       "target", id ? json_integer(id) : json_string("all"),
				       "nudged", (json_int_t)nudged),
			nudge_text);
}

static enum kgr_exit explain(struct kgr_ctx *ctx, const struct kgr_nl *nl, uint32_t id, int err)
{
	enum kgr_exit ret;

	if (err == EAGAIN)
		return show(ctx, "no-transition", id, 0);
	if (err == EALREADY)
		return show(ctx, "already-migrated", id, 0);
	if (err == ESRCH) {
		ret = kgr_fail(ctx, KGR_EXIT_NOTFOUND, "there is no thread %u", id);
		kgr_next(ctx, "kgr-ctl stragglers");
		return ret;
	}
	ret = kgr_fail(ctx, kgr_exit_of_errno(err), "can't nudge: %s", strerror(err));
	if (*kgr_nl_message(nl))
		kgr_why(ctx, "the kernel says: %s", kgr_nl_message(nl));
	if (ret == KGR_EXIT_PERM) {
		kgr_why(ctx, "it needs CAP_SYS_ADMIN in the initial user namespace");
		kgr_next(ctx, "run kgr-ctl as root");
	}
	return ret;
}

/* The kernel takes a thread; a process is the threads of it that are left */
static int nudge_threads(struct kgr_nl *nl, const struct targets *t, uint32_t *nudged)
{
	uint32_t n;
	int ret;

	*nudged = 0;
	/* none of it is left: the kernel knows whether it exists */
	if (!t->n)
		return kgr_nl_nudge(nl, t->id, nudged);
	for (size_t i = 0; i < t->n; i++) {
		ret = kgr_nl_nudge(nl, t->tids[i], &n);
		if (!ret)
			*nudged += n;
		else if (ret != -ESRCH && ret != -EALREADY && ret != -EAGAIN)
			return ret;
	}
	return *nudged ? 0 : -EALREADY;
}

static enum kgr_exit nudge(struct kgr_ctx *ctx, struct kgr_nl *nl, uint32_t id)
{
	struct targets t = { .id = id };
	uint32_t nudged = 0;
	int ret;

	if (id) {
		ret = kgr_nl_stragglers(nl, add_target, &t);
		if (!ret || ret == -EINTR)
			ret = nudge_threads(nl, &t, &nudged);
		free(t.tids);
	} else {
		ret = kgr_nl_nudge(nl, 0, &nudged);
	}
	return ret ? explain(ctx, nl, id, -ret) : show(ctx, "nudged", id, nudged);
}

static enum kgr_exit parse_id(struct kgr_ctx *ctx, uint32_t *id)
{
	const char *arg;
	char *end;
	long n;

	*id = 0;
	if (!ctx->opts.argc)
		return KGR_EXIT_OK;
	arg = ctx->opts.argv[0];
	if (kgr_opt(ctx, KGR_OPT_ALL))
		return kgr_fail(ctx, KGR_EXIT_USAGE, "'--all' and PID exclude each other");
	errno = 0;
	n = strtol(arg, &end, 10);
	if (errno || *end || *arg < '0' || *arg > '9' || n < 1 || n > INT32_MAX)
		return kgr_fail(ctx, KGR_EXIT_USAGE, "'%s' is not a process or thread id", arg);
	*id = (uint32_t)n;
	return KGR_EXIT_OK;
}

enum kgr_exit kgr_cmd_nudge(struct kgr_ctx *ctx)
{
	struct kgr_nl *nl;
	uint32_t id;
	enum kgr_exit ret = parse_id(ctx, &id);
	int err;

	if (!ret)
		ret = kgr_sysfs_present(ctx);
	if (ret)
		return ret;
	err = -kgr_nl_open(&nl);
	if (err == ENOENT) {
		ret = kgr_fail(ctx, KGR_EXIT_NOTFOUND,
			       "this kernel has no netlink family \"kgraft\"");
		kgr_why(ctx, "it was built without CONFIG_NET, or its kGraft is older than this tool");
		kgr_next(ctx, "nudge by hand: kill -STOP PID; kill -CONT PID");
		return ret;
	}
	if (err)
		return kgr_fail(ctx, kgr_exit_of_errno(err), "netlink: %s", strerror(err));
	ret = nudge(ctx, nl, id);
	kgr_nl_close(nl);
	return ret;
}
