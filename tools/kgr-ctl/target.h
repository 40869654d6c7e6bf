/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Functions that a patch replaces, or is to, and all that this host says about each.
 */
#ifndef _KGR_TARGET_H
#define _KGR_TARGET_H

#include "kallsyms.h"
#include "patch.h"
#include "tracefs.h"

struct kgr_target {
	const char *name;
	const char *object;
	int64_t sympos;
	bool waits;		/* its module is not loaded */
	struct kgr_ksym sym;
	struct kgr_entry entry;
	json_t *patches;	/* array of names: patches in force that replace it as well */
	json_t *holders;	/* array of texts: who else decides where it continues */
	bool maybe_held;	/* or it is another function of the same name that they hold */
	unsigned int sleepers;
};

struct kgr_targets {
	struct kgr_target *v;
	size_t n;
	/* 0, or -errno: why that could not be read */
	int symbols_err, sites_err, users_err;
};

/* Those of @funcs, which has to live as long; what sysfs and enabled_functions say is filled in */
enum kgr_exit kgr_targets_init(struct kgr_ctx *ctx, struct kgr_targets *t,
			       const struct kgr_patch *funcs, const struct kgr_patch_list *patches);
/* The long lists: do they exist, can they be redirected? */
void kgr_targets_look_up(struct kgr_ctx *ctx, struct kgr_targets *t);
void kgr_targets_free(struct kgr_targets *t);

/* "ok", "not-loaded", "missing", "ambiguous", "out-of-bounds", "no-entry", "held", "unknown" */
const char *kgr_target_status(const struct kgr_targets *t, const struct kgr_target *f);
/* Is it free, but for users that get along with kGraft, as tracers do? */
bool kgr_target_is_shared(const struct kgr_targets *t, const struct kgr_target *f);
/* An array of rows */
json_t *kgr_targets_json(const struct kgr_targets *t);

/* Who it is that @e calls, in words; to be freed */
char *kgr_entry_holder(const struct kgr_entry *e);
/* Has kGraft put there what stands there? */
bool kgr_entry_is_ours(const struct kgr_entry *e);

#endif /* _KGR_TARGET_H */
