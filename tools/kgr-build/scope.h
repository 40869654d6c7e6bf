/* SPDX-License-Identifier: GPL-2.0 */
/* Which changes can be followed at all */
#ifndef KGR_BUILD_SCOPE_H
#define KGR_BUILD_SCOPE_H

#include "kgr-build.h"

/*
 * Adds @f to the files that the build is about, or says why it isn't one of them.
 * Sources that a Makefile of the diff adds to vmlinux go to b->linked.
 */
void scope_file(struct kgr_build *b, const struct diff *df, const struct diff_file *f);

#endif
