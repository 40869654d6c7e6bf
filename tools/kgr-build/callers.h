/* SPDX-License-Identifier: GPL-2.0 */
/* Who calls a function of vmlinux, by what vmlinux itself holds */
#ifndef KGR_BUILD_CALLERS_H
#define KGR_BUILD_CALLERS_H

#include "symtab.h"

struct callers {
	vmsymvec calls;		/* functions that call or jump to it, each once */
	bool stored;		/* its address is in data, or loaded by code */
};

void callers_find(struct symtab *st, const struct vm_sym *target, struct callers *out);

/* The function of vmlinux that @addr is in, or NULL */
const struct vm_sym *callers_function(struct symtab *st, uint64_t addr);

/*
 * Functions that can be redirected and lead to @target, over as few calls as
 * possible; "a, b and 3 more", or "" if there are none.
 */
char *callers_patchable(struct arena *a, struct symtab *st, const struct vm_sym *target);

#endif
