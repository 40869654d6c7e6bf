/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the next boot of the running kernel will do, for those who show it.
 */
#ifndef _KGR_INSTALLED_H
#define _KGR_INSTALLED_H

#include "kgr-ctl.h"

/*
 * Adds to @doc: "mode" (or null), "boot_off", "installed" (array, or null), "held_back"
 * and "store_error" (null, or why the others are).  Never fails itself.
 */
void kgr_installed_add(struct kgr_ctx *ctx, json_t *doc);

/* "2 patches, 1 held back", for struct kgr_col; of "installed" */
char *kgr_installed_fmt(const json_t *installed);
/* A table, and what there is to explain */
void kgr_installed_text(struct kgr_ctx *ctx, const json_t *doc);

#endif /* _KGR_INSTALLED_H */
