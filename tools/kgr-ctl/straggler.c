// SPDX-License-Identifier: GPL-2.0
/*
 * One row per straggler, with what its reason is about put into words.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "netlink.h"
#include "out.h"
#include "proc.h"
#include "reasons.h"
#include "straggler.h"
#include "syscalls.h"

const struct kgr_col kgr_straggler_columns[] = {
	{ .key = "pid", .head = "PID", .right = true },
	{ .key = "tid", .head = "TID", .right = true },
	{ .key = "comm", .head = "COMM" },
	{ .key = "reason", .head = "REASON" },
	{ .key = "age_ms", .head = "AGE", .right = true, .fmt = kgr_fmt_ms },
	{ .key = "detail", .head = "DETAIL" },
	{ 0 }
};

#define DUMP_TRIES	3

struct collect {
	struct kgr_ctx *ctx;
	json_t *rows;				/* NULL: only count */
	char *past;				/* patch of a list of what was */
	uint32_t n[__KGRAFT_REASON_COUNT + 1];	/* the last: reasons of a newer kernel */
};

static char *syscall_text(struct kgr_ctx *ctx, const struct kgr_straggler *s)
{
	/* a 32-bit program's numbers mean something else */
	const char *name = kgr_has(s, KGRAFT_A_PID) && kgr_proc_is_64bit(ctx, s->pid) ?
			   kgr_syscall_name(s->syscall) : NULL;

	if (name)
		return kgr_asprintf("in %s (system call %u)", name, s->syscall);
	return kgr_asprintf("in system call %u", s->syscall);
}

static char *tracer_text(struct kgr_ctx *ctx, const struct kgr_straggler *s)
{
	char comm[64];

	if (!kgr_has(s, KGRAFT_A_TRACER) || !s->tracer)
		return strdup("stopped, no tracer");
	if (kgr_proc_comm(ctx, s->tracer, comm, sizeof(comm)))
		return kgr_asprintf("traced by %u", s->tracer);
	return kgr_asprintf("traced by %u (%s)", s->tracer, comm);
}

static char *function_text(const struct kgr_straggler *s)
{
	char offset[16] = "";

	if (kgr_has(s, KGRAFT_A_OFFSET))
		snprintf(offset, sizeof(offset), "+0x%x", s->offset);
	return kgr_asprintf("in %s%s%s%s", s->function, offset, s->caller ? " called from " : "",
			    s->caller ? s->caller : "");
}

/* What is known about it, most telling first; NULL: nothing */
static char *detail_text(struct kgr_ctx *ctx, const struct kgr_straggler *s)
{
	if (s->function)
		return function_text(s);
	if (s->reason == KGRAFT_REASON_STOPPED_OR_TRACED)
		return tracer_text(ctx, s);
	if (kgr_has(s, KGRAFT_A_SYSCALL)) {
		char *call = syscall_text(ctx, s), *both;

		if (!s->wchan)
			return call;
		both = kgr_asprintf("%s, sleeps in %s", call, s->wchan);
		free(call);
		return both;
	}
	if (s->wchan)
		return kgr_asprintf("sleeps in %s", s->wchan);
	if (kgr_has(s, KGRAFT_A_CPU))
		return kgr_asprintf("CPU %u", s->cpu);
	return NULL;
}

static json_t *u32_or_null(const struct kgr_straggler *s, enum kgraft_attr attr, uint32_t value)
{
	return kgr_has(s, attr) ? json_integer(value) : json_null();
}

static json_t *row(struct kgr_ctx *ctx, const struct kgr_straggler *s)
{
	const struct kgr_reason *reason = kgr_reason(s->reason);
	char *detail = detail_text(ctx, s);
	char *cmdline = kgr_has(s, KGRAFT_A_PID) && kgr_opt(ctx, KGR_OPT_VERBOSE) ?
			kgr_proc_cmdline(ctx, s->pid) : NULL;
	json_t *stack = kgr_has(s, KGRAFT_A_TID) && ctx->opts.verbose > 1 ?
			kgr_proc_stack(ctx, s->tid) : NULL;
	json_t *obj;

	obj = json_pack("{s:s,s:o,s:o,s:o,s:o,s:s,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}",
			"kind", kgr_kind_name(s->kind),
			"pid", u32_or_null(s, KGRAFT_A_PID, s->pid),
			"tid", u32_or_null(s, KGRAFT_A_TID, s->tid),
			"cpu", u32_or_null(s, KGRAFT_A_CPU, s->cpu),
			"comm", kgr_json_str_or_null(s->comm),
			"reason", reason->name,
			"age_ms", kgr_has(s, KGRAFT_A_AGE_MS) ?
				  json_integer((json_int_t)s->age_ms) : json_null(),
			"detail", kgr_json_str_or_null(detail),
			"function", kgr_json_str_or_null(s->function),
			"offset", u32_or_null(s, KGRAFT_A_OFFSET, s->offset),
			"caller", kgr_json_str_or_null(s->caller),
			"syscall", u32_or_null(s, KGRAFT_A_SYSCALL, s->syscall),
			"wchan", kgr_json_str_or_null(s->wchan),
			"tracer", u32_or_null(s, KGRAFT_A_TRACER, s->tracer),
			"cmdline", kgr_json_str_or_null(cmdline),
			"stack", stack ? stack : json_null());
	free(detail);
	free(cmdline);
	return obj;
}

static int collect(const struct kgr_straggler *s, void *arg)
{
	struct collect *c = arg;
	json_t *obj;

	c->n[s->reason < __KGRAFT_REASON_COUNT ? s->reason : __KGRAFT_REASON_COUNT]++;
	if (kgr_has(s, KGRAFT_A_PAST) && !c->past && s->patch)
		c->past = strdup(s->patch);
	if (!c->rows)
		return 0;
	obj = row(c->ctx, s);
	return !obj || json_array_append_new(c->rows, obj) ? -ENOMEM : 0;
}

static int dump(struct collect *c)
{
	struct kgr_nl *nl;
	int ret;

	ret = kgr_nl_open(&nl);
	for (int i = 0; !ret && i < DUMP_TRIES; i++) {
		memset(c->n, 0, sizeof(c->n));
		free(c->past);
		c->past = NULL;
		json_array_clear(c->rows);
		ret = kgr_nl_stragglers(nl, collect, c);
		if (ret != -EINTR)
			break;
		ret = 0;	/* in the end a list with gaps is better than none */
	}
	kgr_nl_close(nl);
	return ret;
}

static json_t *counts_json(const struct collect *c)
{
	json_t *counts = json_object();

	for (uint32_t r = 0; r <= __KGRAFT_REASON_COUNT; r++)
		if (c->n[r])
			json_object_set_new(counts, kgr_reason(r)->name, json_integer(c->n[r]));
	return counts;
}

static json_int_t row_int(const json_t *obj, const char *key)
{
	return json_integer_value(json_object_get(obj, key));
}

static int by_age(const void *a, const void *b)
{
	const json_t *x = *(json_t * const *)a, *y = *(json_t * const *)b;
	json_int_t d = row_int(y, "age_ms") - row_int(x, "age_ms");

	if (!d)
		d = row_int(x, "tid") - row_int(y, "tid");
	return d < 0 ? -1 : d > 0;
}

int kgr_stragglers(struct kgr_ctx *ctx, json_t **rows, json_t **counts, char **past)
{
	struct collect c = { .ctx = ctx, .rows = json_array() };
	int ret = dump(&c);

	*rows = NULL;
	*counts = NULL;
	*past = NULL;
	if (ret) {
		json_decref(c.rows);
		free(c.past);
		return ret;
	}
	*past = c.past;
	kgr_json_sort(c.rows, by_age);
	*rows = c.rows;
	*counts = counts_json(&c);
	return 0;
}

json_t *kgr_straggler_counts(struct kgr_ctx *ctx)
{
	struct collect c = { .ctx = ctx };
	json_t *counts = dump(&c) ? NULL : counts_json(&c);

	free(c.past);
	return counts;
}

char *kgr_straggler_counts_text(const json_t *counts)
{
	char *text = strdup(""), *longer;
	const char *name;
	json_t *n;

	json_object_foreach((json_t *)counts, name, n) {
		longer = kgr_asprintf("%s%s%s %lld", text, *text ? ", " : "", name,
				      (long long)json_integer_value(n));
		free(text);
		text = longer;
	}
	return text;
}
