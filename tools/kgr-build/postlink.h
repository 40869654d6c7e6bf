/* SPDX-License-Identifier: GPL-2.0 */
/* The linked module: references to private symbols become late relocations */
#ifndef KGR_BUILD_POSTLINK_H
#define KGR_BUILD_POSTLINK_H

#include "diag.h"
#include "model.h"

/*
 * @privates: aliases to struct xref.  Makes .kgraft.relocs and takes those symbols
 * away from the module loader.  0 or -1.
 */
int postlink(struct diag *d, struct obj *ko, const struct map *privates);

#endif
