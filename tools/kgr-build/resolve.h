/* SPDX-License-Identifier: GPL-2.0 */
/* Which symbol of vmlinux or a module is meant */
#ifndef KGR_BUILD_RESOLVE_H
#define KGR_BUILD_RESOLVE_H

#include "kgr-build.h"

/*
 * The symbol of vmlinux or its module that stands for @a, an atom that exists there already.
 * Diagnoses at @at and returns NULL if there is none, or no telling which.
 */
const struct vm_sym *resolve_atom(struct kgr_build *b, const struct atom *a,
				  const struct where *at);

struct unit *unit_of_atom(struct kgr_build *b, const struct atom *a);

/* For what happened in atom @a */
struct where where_atom(const struct atom *a);

#endif
