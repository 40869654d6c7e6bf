/* SPDX-License-Identifier: GPL-2.0 */
/* Why a function, or anything else, is in the module, or isn't */
#ifndef KGR_BUILD_EXPLAIN_H
#define KGR_BUILD_EXPLAIN_H

#include "kgr-build.h"

/*
 * Everything that is known about @name, a function or variable: what it is in the
 * original, what differs, at which instruction first, and who pulled it in.
 */
void explain(struct kgr_build *b, const char *name, struct buf *out);

#endif
