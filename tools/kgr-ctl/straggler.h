/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Stragglers as JSON rows, and their counts by reason.
 */
#ifndef _KGR_STRAGGLER_H
#define _KGR_STRAGGLER_H

#include "kgr-ctl.h"
#include "out.h"

/*
 * An array of rows, oldest first, and {"in-syscall": 3, ...}: the reasons that
 * occur, in the kernel's order.  -ENOENT: this kernel has no netlink family
 * "kgraft"; other errors are those of the request.  @past, to be freed: NULL, or
 * the list is of those who were left when the transition of this patch timed out,
 * or when the quiesce model last tried.
 */
int kgr_stragglers(struct kgr_ctx *ctx, json_t **rows, json_t **counts, char **past);

/* The counts alone, cheaply; NULL when they can't be had */
json_t *kgr_straggler_counts(struct kgr_ctx *ctx);

/* What a table of such rows shows */
extern const struct kgr_col kgr_straggler_columns[];

/* "in-syscall 3, in-patched-function 1", to be freed; "" for NULL */
char *kgr_straggler_counts_text(const json_t *counts);

#endif /* _KGR_STRAGGLER_H */
