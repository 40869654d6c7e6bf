/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A module that is in the kernel already: is it the one that is to be loaded?
 */
#ifndef _KGR_LOADED_H
#define _KGR_LOADED_H

#include "module.h"
#include "patch.h"

/*
 * @patch: of the module that is loaded under the name of @m, or without a name.
 * KGR_EXIT_OK: it is applied, or on the way to it, so that nothing has to be loaded.
 */
enum kgr_exit kgr_loaded_is_same(struct kgr_ctx *ctx, const struct kgr_module *m,
				 const struct kgr_patch *patch);

#endif /* _KGR_LOADED_H */
