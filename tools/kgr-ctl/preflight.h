/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Would this patch module be taken by the running kernel, and what would become of it?
 * Nothing is changed by looking.
 */
#ifndef _KGR_PREFLIGHT_H
#define _KGR_PREFLIGHT_H

#include "module.h"

/* What can be told without the long lists of the kernel; load begins with this */
enum kgr_exit kgr_preflight_quick(struct kgr_ctx *ctx, struct kgr_module *m);

/* Everything, as a document with "checks", "functions" and "stragglers", "verdict" and "code" */
enum kgr_exit kgr_preflight(struct kgr_ctx *ctx, struct kgr_module *m, json_t **doc);

#endif /* _KGR_PREFLIGHT_H */
