// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "change.h"
#include "module.h"
#include "out.h"
#include "sysfs.h"
#include "wait.h"

static enum kgr_exit still_applied(struct kgr_ctx *ctx, const struct kgr_patch *patch)
{
	enum kgr_exit ret = kgr_fail(ctx, KGR_EXIT_CONFLICT, "patch '%s' is still %s",
				     patch->name, kgr_patch_state(patch));

	kgr_why(ctx, "the kernel runs code of the module until the patch is reverted");
	kgr_next(ctx, "kgr-ctl revert %s, then unload", patch->name);
	kgr_next(ctx, "kgr-ctl unload --revert %s (both in one)", patch->name);
	return ret;
}

static enum kgr_exit stays(struct kgr_ctx *ctx, const struct kgr_patch *patch)
{
	enum kgr_exit ret = kgr_fail(ctx, KGR_EXIT_CONFLICT,
				     "module %s can't be unloaded any more", patch->module);

	kgr_why(ctx, "a transition was forced while patch '%s' was in force, so nobody knows who may still be in it",
		patch->name);
	if (patch->enabled)
		kgr_next(ctx, "kgr-ctl revert %s takes the patch back; the module stays", patch->name);
	kgr_next(ctx, "the next boot is without it");
	return ret;
}

static enum kgr_exit no_module(struct kgr_ctx *ctx, const struct kgr_patch *patch)
{
	enum kgr_exit ret = kgr_fail(ctx, KGR_EXIT_FAIL, "patch '%s' does not belong to a module",
				     patch->name);

	kgr_why(ctx, "it is built into the kernel: there is nothing to be unloaded");
	kgr_next(ctx, "kgr-ctl revert %s takes the patch back", patch->name);
	return ret;
}

static enum kgr_exit explain(struct kgr_ctx *ctx, const char *module, int err)
{
	enum kgr_exit ret;
	char *holders;

	switch (err) {
	case EAGAIN:	/* the same as EWOULDBLOCK */
	case EBUSY:
		holders = kgr_sysfs_module_holders(ctx, module);
		ret = kgr_fail(ctx, KGR_EXIT_CONFLICT, "module %s is in use", module);
		if (*holders)
			kgr_why(ctx, "used by: %s", holders);
		else
			kgr_why(ctx, "somebody holds a reference to it, such as a transition that has not ended");
		kgr_next(ctx, "kgr-ctl status");
		free(holders);
		break;
	case ENOENT:
		ret = kgr_fail(ctx, KGR_EXIT_NOTFOUND, "module %s is not loaded any more", module);
		break;
	case EPERM:
	case EACCES:
		ret = kgr_fail(ctx, KGR_EXIT_PERM, "not permitted to remove module %s", module);
		kgr_why(ctx, "it needs CAP_SYS_MODULE, and kernel.modules_disabled=0");
		kgr_next(ctx, "run kgr-ctl as root");
		break;
	default:
		ret = kgr_fail(ctx, KGR_EXIT_FAIL, "can't remove module %s: %s", module,
			       strerror(err));
		kgr_next(ctx, "dmesg | tail");
	}
	return ret;
}

static void unload_text(struct kgr_ctx *ctx, const json_t *doc)
{
	fprintf(ctx->out, "%s: unloaded\n", json_string_value(json_object_get(doc, "patch")));
}

static enum kgr_exit revert_and_remove(struct kgr_ctx *ctx, struct kgr_wait *wait,
				       const struct kgr_patch *patch)
{
	enum kgr_exit ret = kgr_change_start(ctx, patch, false);
	int err;

	if (!ret)
		ret = kgr_wait_patch(wait, patch->name);
	if (ret)
		return ret;
	err = -kgr_module_remove(patch->module);
	if (err)
		return explain(ctx, patch->module, err);
	return kgr_show(ctx, json_pack("{s:s,s:I,s:o,s:o}", "result", "unloaded",
				       "elapsed_ms", (json_int_t)kgr_wait_elapsed_ms(wait),
				       "patch", kgr_json_str(patch->name),
				       "module", kgr_json_str(patch->module)),
			unload_text);
}

enum kgr_exit kgr_cmd_unload(struct kgr_ctx *ctx)
{
	struct kgr_patch patch;
	struct kgr_wait wait;
	enum kgr_exit ret = kgr_sysfs_find(ctx, ctx->opts.argv[0], &patch);

	if (ret)
		return ret;
	if (!patch.module)
		ret = no_module(ctx, &patch);
	else if (patch.forced > 0)
		ret = stays(ctx, &patch);
	else if (patch.enabled && !kgr_opt(ctx, KGR_OPT_REVERT))
		ret = still_applied(ctx, &patch);
	if (!ret)
		ret = kgr_wait_begin(ctx, &wait);
	if (!ret) {
		ret = revert_and_remove(ctx, &wait, &patch);
		kgr_wait_end(&wait);
	}
	kgr_patch_free(&patch);
	return ret;
}
