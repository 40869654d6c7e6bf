/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One patch as its directory in sysfs shows it.
 */
#ifndef _KGR_PATCH_H
#define _KGR_PATCH_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Rungs of the nudge ladder: files in nudges/ */
#define KGR_NUDGES(X)	X(stack_check) X(wake) X(resched) X(signal)

#define KGR_NUDGE_ENUM(name)	KGR_NUDGE_##name,
enum kgr_nudge {
	KGR_NUDGES(KGR_NUDGE_ENUM)
	KGR_NUDGE_COUNT
};
#undef KGR_NUDGE_ENUM

struct kgr_patch_func {
	char *name;
	char *object;
	char *redirect;		/* what stands at its entry; NULL: the kernel does not say */
	int64_t sympos;
	int64_t state;		/* KGR_PATCH_STATES */
};

/* Where the kernel has no such file: NULL, or -1 */
struct kgr_patch {
	char *name;
	char *module;
	char *model;
	char *cve;
	char *build_id;
	char *on_timeout;
	char *reason;
	int64_t enabled;
	int64_t transition;
	int64_t refs;
	int64_t replace_all;
	int64_t since_ms;
	int64_t migrated;
	int64_t total;
	int64_t timeout_ms;
	int64_t stops;
	int64_t stopped_us;
	int64_t forced;
	int64_t nudges[KGR_NUDGE_COUNT];
	struct kgr_patch_func *funcs;
	size_t func_count;
	bool cut_off;		/* it has more functions than these */
};

struct kgr_patch_list {
	struct kgr_patch *v;
	size_t n;
};

/* All strings are copied; -ENOMEM */
int kgr_patch_add_func(struct kgr_patch *patch, const struct kgr_patch_func *f);
void kgr_patch_clear_funcs(struct kgr_patch *patch);
void kgr_patch_free(struct kgr_patch *patch);
void kgr_patch_list_free(struct kgr_patch_list *list);
/* Sorts it by when each was applied or reverted last */
void kgr_patch_list_by_age(struct kgr_patch_list *list);
/* "6.12.1+kgr-fix+kgr-more", to be freed; the list has to be by age */
char *kgr_patch_list_effective(const struct kgr_patch_list *list, const char *release);

/* "applied", "applying", "reverting", "reverted" */
const char *kgr_patch_state(const struct kgr_patch *patch);
/* Was its last transition reversed, or given up, at its deadline? */
bool kgr_patch_timed_out(const struct kgr_patch *patch);
int64_t kgr_patch_left(const struct kgr_patch *patch);
/* -1 when unknown */
int64_t kgr_patch_age_ms(const struct kgr_patch *patch);

json_t *kgr_patch_json(const struct kgr_patch *patch, bool with_functions);

#endif /* _KGR_PATCH_H */
