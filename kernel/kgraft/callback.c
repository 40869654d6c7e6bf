// SPDX-License-Identifier: GPL-2.0
/*
 * Callbacks: what patches do besides replacing functions. The rules are those of
 * livepatch: a pre_patch that has succeeded is followed by a post_unpatch some
 * day, unless the patch is replaced.
 */
#include "internal.h"

#include <linux/error-injection.h>
#include <linux/lockdep.h>
#include <linux/module.h>

/**
 * kgr_pre_patch - ask a patch whether an object may be patched
 * @patch:	patch
 * @obj:	one of its objects, bound
 *
 * Context: process context, kgr_mutex held, may sleep.
 * Return: 0, or why not.
 */
int kgr_pre_patch(struct kgr_patch *patch, struct kgr_object *obj)
{
	const struct kgr_callbacks *cb = obj->callbacks;
	int ret = 0;

	lockdep_assert_held(&kgr_mutex);

	if (cb && cb->pre_patch)
		ret = cb->pre_patch(patch, obj->mod);
	if (ret > 0) {
		pr_warn("patch '%s': object '%s': pre_patch returned %d instead of an error\n",
			patch->name, obj->name, ret);
		ret = -EINVAL;
	}
	if (ret)
		pr_err("patch '%s': object '%s': refused by its pre_patch callback (%pe)\n",
		       patch->name, obj->name, ERR_PTR(ret));
	obj->prepared = !ret;
	return ret;
}

/* Everybody has the new functions of an object; context: as kgr_pre_patch() */
void kgr_post_patch(struct kgr_patch *patch, struct kgr_object *obj)
{
	const struct kgr_callbacks *cb = obj->callbacks;

	lockdep_assert_held(&kgr_mutex);

	if (obj->bound && cb && cb->post_patch)
		cb->post_patch(patch, obj->mod);
}

/* Somebody is about to lose the new functions; context: as kgr_pre_patch() */
void kgr_pre_unpatch(struct kgr_patch *patch, struct kgr_object *obj)
{
	const struct kgr_callbacks *cb = obj->callbacks;

	lockdep_assert_held(&kgr_mutex);

	if (obj->bound && cb && cb->pre_unpatch)
		cb->pre_unpatch(patch, obj->mod);
}

/* Nobody has the new functions any more; context: as kgr_pre_patch() */
void kgr_post_unpatch(struct kgr_patch *patch, struct kgr_object *obj)
{
	const struct kgr_callbacks *cb = obj->callbacks;

	lockdep_assert_held(&kgr_mutex);

	if (obj->prepared && cb && cb->post_unpatch)
		cb->post_unpatch(patch, obj->mod);
	obj->prepared = false;
}
ALLOW_ERROR_INJECTION(kgr_pre_patch, ERRNO);

/**
 * kgr_pre_patch_all - ask a patch whether it may be applied
 * @patch:	patch, its objects bound
 *
 * Context: process context, kgr_mutex held, may sleep.
 * Return: 0, or why not; what was prepared until then has been taken back.
 */
int kgr_pre_patch_all(struct kgr_patch *patch)
{
	struct kgr_object *obj;
	int ret;

	kgr_for_each_object(patch, obj) {
		if (!obj->bound)
			continue;
		ret = kgr_pre_patch(patch, obj);
		if (ret) {
			kgr_post_unpatch_all(patch);
			return ret;
		}
	}
	return 0;
}

/* The same for all objects of a patch that are bound; context: likewise */

void kgr_post_patch_all(struct kgr_patch *patch)
{
	struct kgr_object *obj;

	kgr_for_each_object(patch, obj)
		kgr_post_patch(patch, obj);
}

void kgr_pre_unpatch_all(struct kgr_patch *patch)
{
	struct kgr_object *obj;

	kgr_for_each_object(patch, obj)
		kgr_pre_unpatch(patch, obj);
}

void kgr_post_unpatch_all(struct kgr_patch *patch)
{
	struct kgr_object *obj;

	kgr_for_each_object(patch, obj)
		kgr_post_unpatch(patch, obj);
}
