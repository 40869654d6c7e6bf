// SPDX-License-Identifier: GPL-2.0
/*
 * System states: changes that a patch makes to the system besides its functions,
 * by number and version, so that a later patch can take them over and one that
 * can't is refused.
 */
#include "internal.h"

#include <linux/error-injection.h>
#include <linux/export.h>
#include <linux/lockdep.h>

#define kgr_for_each_sysstate(patch, s)	\
	for (s = (patch)->sysstates; s && s->id; s++)

/**
 * kgr_sysstate_get - a system state of a patch
 * @patch:	patch
 * @id:		its number
 *
 * Context: any; the array is the author's.
 * Return: the state, or NULL when the patch does not have it.
 */
struct kgr_sysstate *kgr_sysstate_get(struct kgr_patch *patch, unsigned long id)
{
	struct kgr_sysstate *s;

	kgr_for_each_sysstate(patch, s) {
		if (s->id == id)
			return s;
	}
	return NULL;
}
EXPORT_SYMBOL_GPL(kgr_sysstate_get);

/**
 * kgr_sysstate_prev - a system state as the patches before have left it
 * @patch:	patch that asks, from one of its callbacks
 * @id:		number of the state
 *
 * Context: callbacks of patches, which hold kgr_mutex.
 * Return: the state of the newest other patch that is applied and has it, NULL
 * when there is none.
 */
struct kgr_sysstate *kgr_sysstate_prev(struct kgr_patch *patch, unsigned long id)
{
	struct kgr_patch *other;
	struct kgr_sysstate *s;

	lockdep_assert_held(&kgr_mutex);

	list_for_each_entry_reverse(other, &kgr_patches, list) {
		if (other == patch || !kgr_patch_enabled(other))
			continue;
		s = kgr_sysstate_get(other, id);
		if (s)
			return s;
	}
	return NULL;
}
EXPORT_SYMBOL_GPL(kgr_sysstate_prev);

static int kgr_sysstate_check_against(struct kgr_patch *patch,
				      struct kgr_patch *other)
{
	const struct kgr_sysstate *old, *new;

	kgr_for_each_sysstate(other, old) {
		new = kgr_sysstate_get(patch, old->id);
		if (!new && kgr_replaces(patch, other)) {
			pr_err("patch '%s': doesn't know the system state %lu of patch '%s', which it replaces\n",
			       patch->name, old->id, other->name);
			return -EINVAL;
		}
		if (new && new->version < old->version) {
			pr_err("patch '%s': knows the system state %lu in version %u, patch '%s' has version %u\n",
			       patch->name, old->id, new->version, other->name,
			       old->version);
			return -EINVAL;
		}
	}
	return 0;
}

/**
 * kgr_sysstate_check - can a patch follow those that are applied?
 * @patch:	patch about to be applied
 *
 * Context: process context, kgr_mutex held.
 * Return: 0; -EINVAL: one of them has a state in a later version, or one that
 * @patch replaces has a state that it does not know.
 */
int kgr_sysstate_check(struct kgr_patch *patch)
{
	struct kgr_patch *other;
	int ret;

	lockdep_assert_held(&kgr_mutex);

	list_for_each_entry(other, &kgr_patches, list) {
		if (other == patch || !kgr_patch_enabled(other))
			continue;
		ret = kgr_sysstate_check_against(patch, other);
		if (ret)
			return ret;
	}
	return 0;
}
ALLOW_ERROR_INJECTION(kgr_sysstate_check, ERRNO);
