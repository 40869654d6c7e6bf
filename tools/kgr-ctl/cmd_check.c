// SPDX-License-Identifier: GPL-2.0
#include "out.h"
#include "sysfs.h"

static void check_text(struct kgr_ctx *ctx, const json_t *doc)
{
	const json_t *patch = json_object_get(doc, "patch");

	if (json_is_null(patch))
		fputs("ready\n", ctx->out);
	else
		fprintf(ctx->out, "in_progress: patch '%s' is %s, %lld of %lld contexts are left\n",
			json_string_value(json_object_get(patch, "name")),
			json_string_value(json_object_get(patch, "state")),
			(long long)json_integer_value(json_object_get(doc, "left")),
			(long long)json_integer_value(json_object_get(patch, "total")));
}

enum kgr_exit kgr_cmd_check(struct kgr_ctx *ctx)
{
	struct kgr_patch patch;
	enum kgr_exit ret = kgr_sysfs_find_transition(ctx, &patch);
	bool running = patch.name;

	if (ret)
		return ret;
	ret = kgr_show(ctx, json_pack("{s:s,s:o,s:I}", "state", running ? "in_progress" : "ready",
				      "patch", running ? kgr_patch_json(&patch, false) : json_null(),
				      "left", (json_int_t)kgr_patch_left(&patch)),
		       check_text);
	kgr_patch_free(&patch);
	return !ret && running ? KGR_EXIT_FAIL : ret;
}
