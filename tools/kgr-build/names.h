/* SPDX-License-Identifier: GPL-2.0 */
/* Names that the compiler or the kernel's macros make up */
#ifndef KGR_BUILD_NAMES_H
#define KGR_BUILD_NAMES_H

#include "util.h"

/*
 * @name without what changes from one compilation to the next: the numbers of
 * static locals (foo.12), of clones (foo.isra.0), of __UNIQUE_ID_x123 and initcalls.
 */
char *name_key(struct arena *a, const char *name);

/* Has it a number that name_key() takes off? */
bool name_numbered(const char *name);

/*
 * Static variables that a macro makes at the place where it is used and that hold
 * nothing worth keeping (once flags, lock class keys, __func__): a new function
 * takes a new one.
 */
bool name_disposable(const char *name);

/* foo of foo.cold, NULL if it isn't one */
char *name_cold_parent(struct arena *a, const char *name);

/* foo of foo.isra.0.cold */
char *name_source(struct arena *a, const char *name);

/* As part of a C identifier */
char *name_identifier(struct arena *a, const char *name);

#endif
