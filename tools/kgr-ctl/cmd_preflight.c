// SPDX-License-Identifier: GPL-2.0
#include "checks.h"
#include "out.h"
#include "preflight.h"

static const struct kgr_col func_columns[] = {
	{ .key = "name", .head = "FUNCTION" },
	{ .key = "object", .head = "OBJECT" },
	{ .key = "sympos", .head = "SYMPOS", .right = true },
	{ .key = "status", .head = "STATUS" },
	{ .key = "redirect", .head = "REDIRECT" },
	{ .key = "patches", .head = "PATCHES" },
	{ .key = "held_by", .head = "HELD BY" },
	{ 0 }
};

static const struct kgr_col sleeper_columns[] = {
	{ .key = "pid", .head = "PID", .right = true },
	{ .key = "tid", .head = "TID", .right = true },
	{ .key = "comm", .head = "COMM" },
	{ .key = "task_state", .head = "STATE" },
	{ .key = "frame", .head = "IN" },
	{ .key = "caller", .head = "CALLED FROM" },
	{ 0 }
};

static void preflight_text(struct kgr_ctx *ctx, const json_t *doc)
{
	const json_t *functions = json_object_get(doc, "functions");
	const json_t *sleepers = json_object_get(doc, "stragglers");
	json_t *shown = json_object(), *row;
	size_t i;

	if (json_array_size(functions)) {
		kgr_table(ctx, functions, func_columns);
		fputc('\n', ctx->out);
	}
	if (json_array_size(sleepers)) {
		kgr_table(ctx, sleepers, sleeper_columns);
		json_array_foreach((json_t *)sleepers, i, row) {
			const char *remedy = json_string_value(json_object_get(row, "remedy"));

			if (!json_object_get(shown, remedy))
				fprintf(ctx->out, "  remedy: %s\n", remedy);
			json_object_set_new(shown, remedy, json_true());
		}
		fputc('\n', ctx->out);
	}
	json_decref(shown);
	kgr_checks_text(ctx, doc);
}

enum kgr_exit kgr_cmd_preflight(struct kgr_ctx *ctx)
{
	struct kgr_module m;
	json_t *doc = NULL;
	enum kgr_exit ret = kgr_module_open(ctx, ctx->opts.argv[0], &m), code;

	if (ret)
		return ret;
	ret = kgr_preflight(ctx, &m, &doc);
	kgr_module_close(&m);
	if (ret)
		return ret;
	code = kgr_checks_verdict(doc);
	ret = kgr_show(ctx, doc, preflight_text);
	return ret ? ret : code;
}
