// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "out.h"
#include "straggler.h"
#include "sysfs.h"

static void force_text(struct kgr_ctx *ctx, const json_t *doc)
{
	json_int_t left = json_integer_value(json_object_get(doc, "left"));

	fprintf(ctx->out, "%s: forced, %lld context%s left\n",
		json_string_value(json_object_get(doc, "patch")), (long long)left,
		left == 1 ? " was" : "s were");
}

static enum kgr_exit not_running(struct kgr_ctx *ctx, const struct kgr_patch *patch)
{
	enum kgr_exit ret = kgr_fail(ctx, KGR_EXIT_CONFLICT,
				     "no transition of patch '%s' is running, it is %s",
				     patch->name, kgr_patch_state(patch));

	kgr_next(ctx, "nothing: there is nobody to be forced");
	return ret;
}

static enum kgr_exit wrong_name(struct kgr_ctx *ctx, const struct kgr_patch *patch,
				const char *typed)
{
	enum kgr_exit ret = kgr_fail(ctx, KGR_EXIT_USAGE, "'%s' is not the name of the patch, nothing was done",
				     typed);

	kgr_why(ctx, "the patch in transition is '%s'", patch->name);
	return ret;
}

static void warn(struct kgr_ctx *ctx, const struct kgr_patch *patch)
{
	json_t *counts = kgr_straggler_counts(ctx);
	char *reasons = kgr_straggler_counts_text(counts);

	fprintf(ctx->err, "Patch '%s' is %s, %lld of %lld contexts are left%s%s.\n", patch->name,
		kgr_patch_state(patch), (long long)kgr_patch_left(patch),
		(long long)patch->total, *reasons ? ": " : "", reasons);
	fputs("Forcing it breaks the promise that these see old or new functions and no mix: they may "
	      "crash the\nkernel or corrupt data. The kernel is tainted, and no patch that is in force "
	      "can be unloaded any more.\nNudge, wait or revert instead if you can.\n", ctx->err);
	free(reasons);
	json_decref(counts);
}

/* Has the name been typed, on the command line or now? */
static enum kgr_exit confirm(struct kgr_ctx *ctx, const struct kgr_patch *patch)
{
	char line[256] = "";
	enum kgr_exit ret;

	if (kgr_opt(ctx, KGR_OPT_YES))
		return strcmp(ctx->opts.yes, patch->name) ?
		       wrong_name(ctx, patch, ctx->opts.yes) : KGR_EXIT_OK;
	if (!ctx->ask || ctx->json || ctx->quiet) {
		ret = kgr_fail(ctx, KGR_EXIT_USAGE,
			       "forcing a transition has to be confirmed, and nobody can be asked");
		kgr_next(ctx, "kgr-ctl force %s --yes-i-understand %s", patch->name, patch->name);
		return ret;
	}
	warn(ctx, patch);
	fputs("To force it all the same, type the name of the patch: ", ctx->err);
	fflush(ctx->err);
	if (!fgets(line, sizeof(line), ctx->in))
		fputc('\n', ctx->err);
	line[strcspn(line, "\n")] = 0;
	return strcmp(line, patch->name) ? wrong_name(ctx, patch, line) : KGR_EXIT_OK;
}

static enum kgr_exit explain(struct kgr_ctx *ctx, const struct kgr_patch *patch, int err)
{
	enum kgr_exit ret;

	switch (err) {
	case EAGAIN:
		ret = kgr_fail(ctx, KGR_EXIT_CONFLICT, "the transition of patch '%s' has ended meanwhile",
			       patch->name);
		kgr_next(ctx, "kgr-ctl status");
		return ret;
	case EOPNOTSUPP:
		ret = kgr_fail(ctx, KGR_EXIT_CONFLICT, "patch '%s' can't be forced", patch->name);
		kgr_why(ctx, "under the quiesce model all contexts move at once, and so far none has");
		kgr_next(ctx, "kgr-ctl stragglers (who is in the way)");
		kgr_next(ctx, "kgr-ctl revert %s", patch->name);
		return ret;
	case ENOENT:
		ret = kgr_fail(ctx, KGR_EXIT_FAIL, "this kernel can't force a transition");
		kgr_why(ctx, "its kGraft is older than this tool");
		kgr_next(ctx, "kgr-ctl nudge, or revert");
		return ret;
	default:
		ret = kgr_fail(ctx, kgr_exit_of_errno(err), "can't force patch '%s': %s",
			       patch->name, strerror(err));
		if (ret == KGR_EXIT_PERM)
			kgr_why(ctx, "it needs CAP_SYS_ADMIN in the initial user namespace");
		return ret;
	}
}

static enum kgr_exit force(struct kgr_ctx *ctx, const struct kgr_patch *patch)
{
	int64_t left = kgr_patch_left(patch);
	enum kgr_exit ret;
	int err;

	if (!patch->transition)
		return not_running(ctx, patch);
	ret = confirm(ctx, patch);
	if (ret)
		return ret;
	err = -kgr_sysfs_write(ctx, patch->name, "force", "1");
	if (err)
		return explain(ctx, patch, err);
	return kgr_show(ctx, json_pack("{s:s,s:o,s:I}", "result", "forced",
				       "patch", kgr_json_str(patch->name),
				       "left", (json_int_t)left),
			force_text);
}

enum kgr_exit kgr_cmd_force(struct kgr_ctx *ctx)
{
	struct kgr_patch patch;
	enum kgr_exit ret = kgr_sysfs_find(ctx, ctx->opts.argv[0], &patch);

	if (ret)
		return ret;
	ret = force(ctx, &patch);
	kgr_patch_free(&patch);
	return ret;
}
