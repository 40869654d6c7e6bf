// SPDX-License-Identifier: GPL-2.0
/*
 * The deadline that the kernel keeps for a patch's transitions.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "deadline.h"
#include "sysfs.h"

enum kgr_exit kgr_deadline_possible(struct kgr_ctx *ctx)
{
	enum kgr_exit ret;

	if (!kgr_opt(ctx, KGR_OPT_ONTIMEOUT) || kgr_sysfs_has(ctx, "on_timeout"))
		return KGR_EXIT_OK;
	ret = kgr_fail(ctx, KGR_EXIT_FAIL, "this kernel keeps no deadlines");
	kgr_why(ctx, "its kGraft is older than this tool");
	kgr_next(ctx, "leave out --on-timeout; 'kgr-ctl revert' takes a patch back by hand");
	return ret;
}

enum kgr_exit kgr_deadline_set(struct kgr_ctx *ctx, const char *patch)
{
	char ms[24];
	enum kgr_exit ret;
	int err;

	if (!kgr_opt(ctx, KGR_OPT_ONTIMEOUT))
		return KGR_EXIT_OK;
	snprintf(ms, sizeof(ms), "%lld", (long long)ctx->opts.timeout_ms);
	/* what is to be done before when: the time may be over already */
	err = -kgr_sysfs_write(ctx, patch, "on_timeout", ctx->opts.on_timeout);
	if (!err)
		err = -kgr_sysfs_write(ctx, patch, "timeout", ms);
	if (!err)
		return KGR_EXIT_OK;

	ret = kgr_fail(ctx, kgr_exit_of_errno(err), "can't set a deadline for patch '%s': %s",
		       patch, strerror(err));
	if (err == EINVAL && !strcmp(ctx->opts.on_timeout, "keep"))
		kgr_why(ctx, "a patch of the quiesce model has nothing to keep: it is given up at its deadline");
	if (ret == KGR_EXIT_PERM)
		kgr_why(ctx, "it needs CAP_SYS_ADMIN in the initial user namespace");
	else
		kgr_next(ctx, "kgr-ctl status (its transition may be running)");
	return ret;
}
