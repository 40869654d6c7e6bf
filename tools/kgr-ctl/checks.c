// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include "checks.h"
#include "out.h"

#define NAME_WIDTH	12

enum kgr_exit kgr_check_run(struct kgr_ctx *ctx, const struct kgr_check *check, void *arg,
			    json_t *rows)
{
	enum kgr_exit ret = check->run(ctx, arg);
	const char *result = ret ? "failed" : ctx->diag.what ? "warning" : "ok";
	json_t *row = json_pack("{s:s,s:s,s:i}", "check", check->name, "result", result,
				"code", (int)ret);

	json_object_set_new(row, "what", kgr_json_str_or_null(ctx->diag.what));
	json_object_set_new(row, "why", ctx->diag.why ? json_incref(ctx->diag.why) : json_array());
	json_object_set_new(row, "next", ctx->diag.next ? json_incref(ctx->diag.next) :
			    json_array());
	json_array_append_new(rows, row);
	kgr_diag_reset(&ctx->diag);
	return ret;
}

enum kgr_exit kgr_checks_verdict(json_t *doc)
{
	enum kgr_exit code = KGR_EXIT_OK;
	const char *verdict = "ok";
	json_t *row;
	size_t i;

	json_array_foreach(json_object_get(doc, "checks"), i, row) {
		const char *result = json_string_value(json_object_get(row, "result"));

		if (!strcmp(result, "ok") || code)
			continue;
		code = (enum kgr_exit)json_integer_value(json_object_get(row, "code"));
		verdict = result;
	}
	json_object_set_new(doc, "verdict", json_string(verdict));
	json_object_set_new(doc, "code", json_integer(code));
	return code;
}

static const char *color_of(const struct kgr_ctx *ctx, const char *result)
{
	if (!ctx->color_out)
		return "";
	return !strcmp(result, "ok") ? KGR_GREEN : !strcmp(result, "failed") ? KGR_RED : KGR_YELLOW;
}

static void put_lines(struct kgr_ctx *ctx, const char *head, const json_t *lines)
{
	json_t *line;
	size_t i;

	json_array_foreach((json_t *)lines, i, line) {
		fprintf(ctx->out, "%10s%-6s", "", i ? "" : head);
		kgr_put_clean(ctx->out, json_string_value(line));
		fputc('\n', ctx->out);
	}
}

void kgr_checks_text(struct kgr_ctx *ctx, const json_t *doc)
{
	const char *verdict = json_string_value(json_object_get(doc, "verdict"));
	json_t *row;
	size_t i;

	json_array_foreach(json_object_get(doc, "checks"), i, row) {
		const char *result = json_string_value(json_object_get(row, "result"));
		const char *what = json_string_value(json_object_get(row, "what"));
		const char *color = color_of(ctx, result);

		fprintf(ctx->out, "%s%-8s%s  %-*s", color, result, *color ? KGR_PLAIN : "",
			what ? NAME_WIDTH : 0,
			json_string_value(json_object_get(row, "check")));
		if (what) {
			fputs("  ", ctx->out);
			kgr_put_clean(ctx->out, what);
		}
		fputc('\n', ctx->out);
		put_lines(ctx, "why:", json_object_get(row, "why"));
		put_lines(ctx, "next:", json_object_get(row, "next"));
	}
	fprintf(ctx->out, "verdict:  %s%s%s\n", color_of(ctx, verdict), verdict,
		ctx->color_out ? KGR_PLAIN : "");
}
