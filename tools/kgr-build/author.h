/* SPDX-License-Identifier: GPL-2.0 */
/* What the author of a diff says by the macros of <linux/kgraft_author.h> */
#ifndef KGR_BUILD_AUTHOR_H
#define KGR_BUILD_AUTHOR_H

#include "kgr-build.h"

/* Has the author said to leave the changes of @a out?  Lists it for review. */
bool author_ignores(struct kgr_build *b, const struct atom *a);

/* Complains of what the author wants ignored and doesn't change */
void author_check(struct kgr_build *b);

/* The callback that @a is, or NULL */
const struct callback *author_callback(const struct kgr_build *b, const struct atom *a);

/* The array of struct kgr_callbacks, its declarations before it; nothing if there are none */
void author_write(struct kgr_build *b, struct buf *out);

#endif
