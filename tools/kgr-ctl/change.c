// SPDX-License-Identifier: GPL-2.0
/*
 * The one write that starts a transition of a patch that is there already, and
 * why the kernel may refuse it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "change.h"
#include "sysfs.h"

enum kgr_exit kgr_fail_other_transition(struct kgr_ctx *ctx, const char *what)
{
	struct kgr_patch other;
	enum kgr_exit ret;

	/* must come first: looking for it may fail in its own way */
	if (kgr_sysfs_find_transition(ctx, &other))
		other = (struct kgr_patch) { 0 };
	ret = kgr_fail(ctx, KGR_EXIT_CONFLICT, "%s: another transition is running", what);
	if (other.name) {
		kgr_why(ctx, "patch '%s' is %s, %lld of %lld contexts have migrated", other.name,
			kgr_patch_state(&other), (long long)other.migrated,
			(long long)other.total);
		kgr_next(ctx, "kgr-ctl wait %s", other.name);
		kgr_next(ctx, "kgr-ctl stragglers");
	} else {
		kgr_why(ctx, "it has ended since");
		kgr_next(ctx, "try again");
	}
	kgr_patch_free(&other);
	return ret;
}

static enum kgr_exit explain(struct kgr_ctx *ctx, const struct kgr_patch *patch, bool enable,
			     int err)
{
	enum kgr_exit ret;
	char *what = kgr_asprintf("can't %s patch '%s'", enable ? "apply" : "revert", patch->name);

	if (err == EAGAIN) {
		ret = kgr_fail_other_transition(ctx, what);
	} else if (err == EBUSY && !enable) {
		ret = kgr_fail(ctx, KGR_EXIT_CONFLICT, "%s: it is in use", what);
		kgr_why(ctx, patch->refs == 1 ? "%lld later patch stands above it" :
			"%lld later patches stand above it", (long long)patch->refs);
		kgr_next(ctx, "revert those first: kgr-ctl list");
	} else if (err == EPERM || err == EACCES) {
		ret = kgr_fail(ctx, KGR_EXIT_PERM, "%s: not permitted", what);
		kgr_why(ctx, "it needs CAP_SYS_ADMIN in the initial user namespace");
		kgr_next(ctx, "run kgr-ctl as root");
	} else {
		ret = kgr_fail(ctx, kgr_exit_of_errno(err), "%s", what);
		kgr_why(ctx, "the kernel's answer is: %s", strerror(err));
		kgr_next(ctx, "dmesg | grep kgraft:");
	}
	free(what);
	return ret;
}

enum kgr_exit kgr_change_start(struct kgr_ctx *ctx, const struct kgr_patch *patch, bool enable)
{
	struct kgr_patch now;
	int err;

	if (patch->enabled == enable)
		return KGR_EXIT_OK;
	if (enable)
		err = -kgr_sysfs_write(ctx, patch->name, "enabled", "1");
	else
		err = -kgr_sysfs_write(ctx, patch->name, "revert", "1");
	if (!err)
		return KGR_EXIT_OK;
	/* somebody else may have been faster */
	if (err == EINVAL && !kgr_sysfs_patch(ctx, patch->name, &now)) {
		bool same = now.enabled == enable;

		kgr_patch_free(&now);
		if (same)
			return KGR_EXIT_OK;
	}
	return explain(ctx, patch, enable, err);
}
