// SPDX-License-Identifier: GPL-2.0
/*
 * revert and enable: the same in two directions.
 */
#include "change.h"
#include "deadline.h"
#include "mode.h"
#include "sysfs.h"
#include "wait.h"

static enum kgr_exit turn(struct kgr_ctx *ctx, bool enable)
{
	struct kgr_patch patch;
	struct kgr_wait wait;
	enum kgr_exit ret = kgr_sysfs_find(ctx, ctx->opts.argv[0], &patch);

	if (ret)
		return ret;
	if (enable)
		ret = kgr_mode_permits(ctx);
	if (ret) {
		kgr_patch_free(&patch);
		return ret;
	}
	ret = kgr_wait_begin(ctx, &wait);
	if (!ret)
		ret = kgr_deadline_possible(ctx);
	if (!ret)
		ret = kgr_deadline_set(ctx, patch.name);
	if (!ret)
		ret = kgr_change_start(ctx, &patch, enable);
	if (!ret)
		ret = kgr_wait_finish(&wait, patch.name, enable, kgr_change_done(&patch, enable));
	kgr_wait_end(&wait);
	kgr_patch_free(&patch);
	return ret;
}

enum kgr_exit kgr_cmd_revert(struct kgr_ctx *ctx)
{
	return turn(ctx, false);
}

enum kgr_exit kgr_cmd_enable(struct kgr_ctx *ctx)
{
	return turn(ctx, true);
}
