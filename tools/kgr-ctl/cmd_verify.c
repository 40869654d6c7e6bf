// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>

#include "out.h"
#include "sysfs.h"
#include "verify.h"

static const struct kgr_col columns[] = {
	{ .key = "patch", .head = "PATCH" },
	{ .key = "name", .head = "FUNCTION" },
	{ .key = "object", .head = "OBJECT" },
	{ .key = "owner", .head = "IN FORCE" },
	{ .key = "redirect", .head = "REDIRECT" },
	{ .key = "entry", .head = "LEADS TO" },
	{ .key = "result", .head = "RESULT" },
	{ .key = "what", .head = "WHY" },
	{ 0 }
};

static void verify_text(struct kgr_ctx *ctx, const json_t *doc)
{
	const json_t *rows = json_object_get(doc, "functions");

	if (json_array_size(rows))
		kgr_table(ctx, rows, columns);
	else
		fputs("no patches\n", ctx->out);
	if (json_integer_value(json_object_get(doc, "wrong")))
		kgr_note(ctx, "what failed is said under WHY; what led to it: dmesg | grep -iE 'kgraft|ftrace'");
	if (json_is_false(json_object_get(doc, "asked_ftrace")))
		kgr_note(ctx, "what ftrace says could not be read: only kGraft's own word was checked");
}

static enum kgr_exit show(struct kgr_ctx *ctx, const struct kgr_patch_list *list, const char *name)
{
	size_t wrong;
	json_t *rows;
	int users_err;
	enum kgr_exit ret = kgr_verify(ctx, list, name, &rows, &wrong, &users_err);

	if (ret)
		return ret;
	ret = kgr_show(ctx, json_pack("{s:s,s:I,s:b,s:o}", "verdict", wrong ? "failed" : "ok",
				      "wrong", (json_int_t)wrong, "asked_ftrace", !users_err,
				      "functions", rows),
		       verify_text);
	return !ret && wrong ? KGR_EXIT_FAIL : ret;
}

enum kgr_exit kgr_cmd_verify(struct kgr_ctx *ctx)
{
	struct kgr_patch_list list;
	struct kgr_patch one = { 0 };
	enum kgr_exit ret = KGR_EXIT_OK;

	if (ctx->opts.argc)
		ret = kgr_sysfs_find(ctx, ctx->opts.argv[0], &one);
	if (!ret)
		ret = kgr_sysfs_patches(ctx, &list);
	if (ret)
		goto out;
	ret = show(ctx, &list, one.name);
	kgr_patch_list_free(&list);
out:
	kgr_patch_free(&one);
	return ret;
}
