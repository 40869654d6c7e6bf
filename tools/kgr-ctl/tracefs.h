/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What ftrace says about functions.  The kernel's files in tracefs; no other file
 * knows a path there.
 */
#ifndef _KGR_TRACEFS_H
#define _KGR_TRACEFS_H

#include "kgr-ctl.h"

/* What to look for, and what was found */
struct kgr_entry {
	const char *name;
	const char *object;
	uint64_t addr;		/* of the function; 0: any of that name will do */

	bool site;		/* it has an entry that can be redirected */
	unsigned int users;	/* of that entry */
	bool decided;		/* one of them decides where the function continues */
	bool jumps;		/* kGraft has put a jump there */
	char *to;		/* where the jump leads, or whom the entry calls; or NULL */
	char *to_module;	/* NULL: in the kernel proper */
};

bool kgr_tracefs_mounted(struct kgr_ctx *ctx);
/* Both look for all of @entries in one pass; -ENOENT: no tracefs, or no function tracer */
int kgr_tracefs_sites(struct kgr_ctx *ctx, struct kgr_entry *entries, size_t n);
int kgr_tracefs_users(struct kgr_ctx *ctx, struct kgr_entry *entries, size_t n);
void kgr_entry_free(struct kgr_entry *entry);

/* Calls @fn for each function whose course a user of ftrace decides; the entry is its own */
typedef void (*kgr_entry_fn)(const struct kgr_entry *entry, void *arg);
int kgr_tracefs_each_decided(struct kgr_ctx *ctx, kgr_entry_fn fn, void *arg);

#endif /* _KGR_TRACEFS_H */
