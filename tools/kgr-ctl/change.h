/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KGR_CHANGE_H
#define _KGR_CHANGE_H

#include "kgr-ctl.h"
#include "patch.h"

/*
 * Starts to apply or to revert @patch, or turns its transition round; nothing
 * to do is success.  Does not wait.
 */
enum kgr_exit kgr_change_start(struct kgr_ctx *ctx, const struct kgr_patch *patch, bool enable);

/* The kernel's EAGAIN: says which patch's transition is in the way of @what */
enum kgr_exit kgr_fail_other_transition(struct kgr_ctx *ctx, const char *what);

/* Is it so already, with no transition running? */
static inline bool kgr_change_done(const struct kgr_patch *patch, bool enable)
{
	return patch->enabled == enable && !patch->transition;
}

#endif /* _KGR_CHANGE_H */
