/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel's symbols, from /proc/kallsyms.
 */
#ifndef _KGR_KALLSYMS_H
#define _KGR_KALLSYMS_H

#include "kgr-ctl.h"

/* What to look for, and what was found */
struct kgr_ksym {
	const char *name;
	const char *object;	/* "vmlinux", or a module */
	int64_t sympos;		/* as in struct kgr_patch_func */

	size_t count;		/* symbols of that name in the object */
	char other[64];		/* an object that has one too, or "" */
	uint64_t *addrs;	/* count of them, ascending; 0 where they are hidden */
};

/* One pass for all of @syms; -errno.  kgr_kallsyms_free() after it, whatever it returned */
int kgr_kallsyms(struct kgr_ctx *ctx, struct kgr_ksym *syms, size_t n);
void kgr_kallsyms_free(struct kgr_ksym *syms, size_t n);

/* The address of the one that is meant; 0: there is none, or not just one, or it is hidden */
uint64_t kgr_ksym_addr(const struct kgr_ksym *sym);

#endif /* _KGR_KALLSYMS_H */
