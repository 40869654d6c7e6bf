// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "out.h"
#include "reasons.h"
#include "straggler.h"
#include "sysfs.h"

static const struct kgr_col verbose_columns[] = {
	{ .key = "pid", .head = "PID", .right = true },
	{ .key = "tid", .head = "TID", .right = true },
	{ .key = "kind", .head = "KIND" },
	{ .key = "cpu", .head = "CPU", .right = true },
	{ .key = "comm", .head = "COMM" },
	{ .key = "reason", .head = "REASON" },
	{ .key = "age_ms", .head = "AGE", .right = true, .fmt = kgr_fmt_ms },
	{ .key = "detail", .head = "DETAIL" },
	{ .key = "cmdline", .head = "COMMAND LINE" },
	{ 0 }
};

static void put_remedies(struct kgr_ctx *ctx, const json_t *remedies)
{
	const char *reason;
	json_t *obj;

	json_object_foreach((json_t *)remedies, reason, obj) {
		fprintf(ctx->out, "\n%s%s%s: %s\n", ctx->color_out ? KGR_BOLD : "", reason,
			ctx->color_out ? KGR_PLAIN : "",
			json_string_value(json_object_get(obj, "what")));
		fprintf(ctx->out, "  remedy: %s\n",
			json_string_value(json_object_get(obj, "remedy")));
	}
}

static void put_transition(struct kgr_ctx *ctx, const json_t *doc, const json_t *patch,
			   const char *past)
{
	fprintf(ctx->out, "patch '%s' is %s: %lld of %lld contexts left%s\n",
		json_string_value(json_object_get(patch, "name")),
		json_string_value(json_object_get(patch, "state")),
		(long long)json_integer_value(json_object_get(doc, "left")),
		(long long)json_integer_value(json_object_get(patch, "total")),
		past ? "; all move at once, and these were in the way last:" : "");
}

/* Below the table: a line would be too long */
static void put_stacks(struct kgr_ctx *ctx, const json_t *rows)
{
	json_t *row, *line, *stack;
	size_t i, j;

	json_array_foreach((json_t *)rows, i, row) {
		if (!json_is_integer(json_object_get(row, "tid")))
			continue;
		fprintf(ctx->out, "\nstack of %lld",
			(long long)json_integer_value(json_object_get(row, "tid")));
		if (json_is_string(json_object_get(row, "comm"))) {
			fputs(" (", ctx->out);
			kgr_put_clean(ctx->out, json_string_value(json_object_get(row, "comm")));
			fputc(')', ctx->out);
		}
		stack = json_object_get(row, "stack");
		fputs(json_is_null(stack) ? ": can't be read\n" :
		      json_array_size(stack) ? ":\n" : ": empty, it is running\n", ctx->out);
		json_array_foreach(stack, j, line) {
			fputs("  ", ctx->out);
			kgr_put_clean(ctx->out, json_string_value(line));
			fputc('\n', ctx->out);
		}
	}
}

static void stragglers_text(struct kgr_ctx *ctx, const json_t *doc)
{
	const json_t *rows = json_object_get(doc, "stragglers");
	const json_t *patch = json_object_get(doc, "patch");
	const char *past = json_string_value(json_object_get(doc, "past"));

	if (json_is_null(patch))
		fputs("no transition is running\n", ctx->out);
	if (json_is_null(patch) && past)
		fprintf(ctx->out, "left when that of patch '%s' timed out: %zu\n", past,
			json_array_size(rows));
	if (json_is_object(patch))
		put_transition(ctx, doc, patch, past);
	if (!json_array_size(rows))
		return;
	fputc('\n', ctx->out);
	kgr_table(ctx, rows, kgr_opt(ctx, KGR_OPT_VERBOSE) ? verbose_columns :
		  kgr_straggler_columns);
	if (ctx->opts.verbose > 1)
		put_stacks(ctx, rows);
	put_remedies(ctx, json_object_get(doc, "remedies"));
}

/* What the reasons that occur mean; a reason of a newer kernel has the last entry */
static json_t *remedies_json(const json_t *counts)
{
	json_t *obj = json_object();

	for (unsigned int i = 0; i <= kgr_reason_count; i++) {
		const struct kgr_reason *r = kgr_reason(i);

		if (json_object_get(counts, r->name))
			json_object_set_new(obj, r->name, json_pack("{s:s,s:s}", "what", r->what,
								    "remedy", r->remedy));
	}
	return obj;
}

static enum kgr_exit dump_failed(struct kgr_ctx *ctx, int err)
{
	enum kgr_exit ret = kgr_fail(ctx, kgr_exit_of_errno(err),
				     "can't list stragglers: %s", strerror(err));

	if (ret == KGR_EXIT_PERM) {
		kgr_why(ctx, "it needs CAP_SYS_ADMIN in the initial user namespace");
		kgr_next(ctx, "run kgr-ctl as root");
	}
	return ret;
}

enum kgr_exit kgr_cmd_stragglers(struct kgr_ctx *ctx)
{
	json_t *rows = NULL, *counts = NULL, *doc;
	char *past = NULL;
	struct kgr_patch patch;
	enum kgr_exit ret = kgr_sysfs_find_transition(ctx, &patch);
	int err;

	if (ret)
		return ret;
	err = -kgr_stragglers(ctx, &rows, &counts, &past);
	/* no transition, and nothing to be told of the last one, or not to us */
	if (!patch.name && (err || !past)) {
		json_decref(rows);
		json_decref(counts);
		rows = NULL;
		counts = NULL;
		err = 0;
	}
	if (err && err != ENOENT) {
		ret = dump_failed(ctx, err);
		goto out;
	}
	if (err)
		kgr_note(ctx, "this kernel has no netlink family \"kgraft\" (or no CONFIG_NET), so only the number of stragglers is known, not who they are");
	doc = json_pack("{s:s,s:o,s:I,s:o,s:O?,s:O?,s:o}",
			"source", err ? "sysfs" : "netlink",
			"patch", patch.name ? kgr_patch_json(&patch, false) : json_null(),
			"left", (json_int_t)kgr_patch_left(&patch),
			"past", kgr_json_str_or_null(past),
			"reasons", counts, "stragglers", rows,
			"remedies", remedies_json(counts));
	ret = kgr_show(ctx, doc, stragglers_text);
out:
	json_decref(rows);
	json_decref(counts);
	free(past);
	kgr_patch_free(&patch);
	return ret;
}
