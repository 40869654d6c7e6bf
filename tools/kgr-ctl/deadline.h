/* SPDX-License-Identifier: GPL-2.0 */
/*
 * --on-timeout: the deadline that the kernel keeps for a patch's transitions.
 */
#ifndef _KGR_DEADLINE_H
#define _KGR_DEADLINE_H

#include "kgr-ctl.h"

/* When it is asked for: does the kernel know such a thing? */
enum kgr_exit kgr_deadline_possible(struct kgr_ctx *ctx);

/*
 * When it is asked for: sets it.  It counts from the beginning of the transition, so
 * that it does no harm when that is running already.
 */
enum kgr_exit kgr_deadline_set(struct kgr_ctx *ctx, const char *patch);

#endif /* _KGR_DEADLINE_H */
