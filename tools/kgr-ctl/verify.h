/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Does what is applied match what stands at the entries of functions?
 */
#ifndef _KGR_VERIFY_H
#define _KGR_VERIFY_H

#include "kgr-ctl.h"
#include "patch.h"

/*
 * Rows of the functions of all patches in @list, or of the one @name.  *@wrong: how many
 * do not match; *@users_err: 0, or -errno when ftrace could not be asked.
 */
enum kgr_exit kgr_verify(struct kgr_ctx *ctx, const struct kgr_patch_list *list,
			 const char *name, json_t **rows, size_t *wrong, int *users_err);

#endif /* _KGR_VERIFY_H */
