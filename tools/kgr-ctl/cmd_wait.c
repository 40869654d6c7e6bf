// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>

#include "out.h"
#include "sysfs.h"
#include "wait.h"

static void wait_text(struct kgr_ctx *ctx, const json_t *doc)
{
	const json_t *patch = json_object_get(doc, "patch");
	const char *result = json_string_value(json_object_get(doc, "result"));
	char *ms;

	if (!json_is_object(patch)) {
		fprintf(ctx->out, "%s\n", !strcmp(result, "unloaded") ? "the patch was unloaded" :
			"no transition is running");
		return;
	}
	ms = kgr_fmt_ms(json_object_get(doc, "elapsed_ms"));
	fprintf(ctx->out, "%s: %s, waited %s\n",
		json_string_value(json_object_get(patch, "name")),
		json_string_value(json_object_get(patch, "state")), ms);
	free(ms);
}

static enum kgr_exit show(struct kgr_ctx *ctx, const char *result, int64_t elapsed,
			  const struct kgr_patch *patch)
{
	return kgr_show(ctx, json_pack("{s:s,s:I,s:o}", "result", result,
				       "elapsed_ms", (json_int_t)elapsed, "patch",
				       patch ? kgr_patch_json(patch, false) : json_null()),
			wait_text);
}

static enum kgr_exit wait_for(struct kgr_ctx *ctx, struct kgr_wait *wait, const char *name)
{
	struct kgr_patch patch;
	enum kgr_exit ret = kgr_wait_patch(wait, name);

	if (ret)
		return ret;
	ret = kgr_sysfs_patch(ctx, name, &patch);
	if (ret == KGR_EXIT_NOTFOUND) {
		kgr_diag_reset(&ctx->diag);
		return show(ctx, "unloaded", kgr_wait_elapsed_ms(wait), NULL);
	}
	if (ret)
		return ret;
	ret = show(ctx, "complete", kgr_wait_elapsed_ms(wait), &patch);
	kgr_patch_free(&patch);
	return ret;
}

enum kgr_exit kgr_wait_command(struct kgr_ctx *ctx, kgr_wait_view *view, void *view_arg)
{
	struct kgr_patch patch;
	struct kgr_wait wait;
	enum kgr_exit ret;

	if (ctx->opts.argc)
		ret = kgr_sysfs_find(ctx, ctx->opts.argv[0], &patch);
	else
		ret = kgr_sysfs_find_transition(ctx, &patch);
	if (ret)
		return ret;
	if (!patch.name)
		return show(ctx, "nothing-to-wait-for", 0, NULL);
	ret = kgr_wait_begin(ctx, &wait);
	wait.view = view;
	wait.view_arg = view_arg;
	if (!ret)
		ret = wait_for(ctx, &wait, patch.name);
	kgr_wait_end(&wait);
	kgr_patch_free(&patch);
	return ret;
}

enum kgr_exit kgr_cmd_wait(struct kgr_ctx *ctx)
{
	return kgr_wait_command(ctx, NULL, NULL);
}
