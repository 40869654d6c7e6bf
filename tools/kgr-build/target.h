/* SPDX-License-Identifier: GPL-2.0 */
/* What an object is part of: vmlinux, or a module of the tree */
#ifndef KGR_BUILD_TARGET_H
#define KGR_BUILD_TARGET_H

#include "kgr-build.h"

/* Can functions of it be patched? */
bool unit_is_target(const struct unit *u);

/* Finds the symbols of what @u is part of (u->syms).  0 or -1. */
int target_open(struct kgr_build *b, struct unit *u);

/*
 * What another object calls @name and @u doesn't define: in the same module, in
 * vmlinux, or exported by a module that this one depends on.  @st: where it was
 * found.  NULL: nowhere.
 */
const struct vm_sym *target_find(struct kgr_build *b, const struct unit *u, const char *name,
				 struct symtab **st);

#endif
