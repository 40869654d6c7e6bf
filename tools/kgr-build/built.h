/* SPDX-License-Identifier: GPL-2.0 */
/* Is what was rebuilt from the original source what the tree, and vmlinux, hold? */
#ifndef KGR_BUILD_BUILT_H
#define KGR_BUILD_BUILT_H

#include "model.h"
#include "symtab.h"

/*
 * Same function, compiled without and with a section of its own?  Lengths of
 * branches may differ, and where things lie; nothing else.  Remembers which
 * variable is which (atom->built).
 */
bool built_same(struct arena *a, struct atom *built, struct atom *orig);

/* Is @built what vmlinux holds at @s, fields that the linker fills in aside? */
bool built_in_vmlinux(const struct symtab *st, const struct atom *built, const struct vm_sym *s);

#endif
