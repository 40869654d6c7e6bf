// SPDX-License-Identifier: GPL-2.0
/*
 * Cumulative patches and sets.
 *
 * Each patch belongs to a set, and no function is patched by two sets. A patch
 * with replace_all takes the place of all others of its set in one transition:
 * it lies on top of their functions, and on those that it does not have itself
 * lies an entry that stands for the original body, so that a context gets either
 * all functions as the patches before left them, or all as the new one has them.
 * When the transition is complete, the others are taken out from below and are
 * reverted. If it is reversed, they are what they were.
 */
#include "internal.h"

#include <kunit/visibility.h>
#include <linux/error-injection.h>
#include <linux/lockdep.h>
#include <linux/module.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>

/* The set of a patch, "" for the common one; context: any */
const char *kgr_set_name(const struct kgr_patch *patch)
{
	return patch->replace_set ?: "";
}

/* Do two patches belong to the same set? Context: any */
bool kgr_same_set(const struct kgr_patch *a, const struct kgr_patch *b)
{
	return !strcmp(kgr_set_name(a), kgr_set_name(b));
}

/**
 * kgr_replaces - does a patch take the place of another one?
 * @patch:	patch that is being applied
 * @other:	registered patch
 *
 * Context: kgr_mutex held.
 * Return: true when it does.
 */
bool kgr_replaces(const struct kgr_patch *patch, const struct kgr_patch *other)
{
	return patch->replace_all && patch != other &&
	       kgr_patch_enabled(other) && kgr_same_set(patch, other);
}
EXPORT_SYMBOL_IF_KUNIT(kgr_replaces);

/* Does it stand for an original body that is taken back? Context: any */
bool kgr_fun_is_taken(const struct kgr_patch_fun *fun)
{
	return !fun->new_fun;
}
EXPORT_SYMBOL_IF_KUNIT(kgr_fun_is_taken);

/* A name that is the only one is also the first */
static unsigned long kgr_position(const struct kgr_patch_fun *fun)
{
	return fun->sympos ?: 1;
}

/* Is it the same function, as far as can be told without its module? */
static bool kgr_same_name(const struct kgr_patch_fun *a,
			  const struct kgr_patch_fun *b)
{
	return kgr_position(a) == kgr_position(b) && !strcmp(a->name, b->name) &&
	       !strcmp(kgr_objname(a->objname), kgr_objname(b->objname));
}

static bool kgr_has_fun(const struct kgr_patch *patch,
			const struct kgr_patch_fun *wanted)
{
	const struct kgr_patch_fun *fun;

	if (wanted->func)
		return kgr_func_top(wanted->func)->patch == patch;

	kgr_for_each_fun(patch, fun) {
		if (kgr_same_name(fun, wanted))
			return true;
	}
	return false;
}

/*
 * Functions in modules that are loaded have met on a stack already; this is
 * about those that would when their module comes.
 */
static int kgr_overlap_check(const struct kgr_patch *patch,
			     const struct kgr_patch *other)
{
	const struct kgr_patch_fun *fun;

	kgr_for_each_fun(other, fun) {
		if (fun->func || !kgr_has_fun(patch, fun))
			continue;
		pr_err("patch '%s': function '%s' of '%s' is patched by '%s' of set '%s' already\n",
		       patch->name, fun->name, kgr_objname(fun->objname), other->name,
		       kgr_set_name(other));
		return -EBUSY;
	}
	return 0;
}

static int kgr_take_back(struct kgr_patch *patch, const struct kgr_patch_fun *old)
{
	struct kgr_object *obj = kgr_object_get(patch, old->objname);
	struct kgr_patch_fun *fun;
	int ret;

	if (IS_ERR(obj))
		return PTR_ERR(obj);
	if (old->obj->bound && !obj->bound) {
		ret = kgr_object_bind(patch, obj, old->obj->mod);
		if (ret)
			return ret;
	}

	fun = kzalloc(sizeof(*fun), GFP_KERNEL);
	if (!fun)
		return -ENOMEM;

	fun->name = old->name;
	fun->objname = old->objname;
	fun->sympos = old->sympos;
	fun->patch = patch;
	fun->obj = obj;
	list_add_tail(&fun->node, &patch->priv->funs);
	patch->priv->nr_taken++;
	if (old->func)
		kgr_redirect_push(fun, old->func);
	return 0;
}

static int kgr_take_back_all(struct kgr_patch *patch, const struct kgr_patch *other)
{
	const struct kgr_patch_fun *fun;
	int ret;

	kgr_for_each_fun(other, fun) {
		if (kgr_has_fun(patch, fun))
			continue;
		ret = kgr_take_back(patch, fun);
		if (ret)
			return ret;
	}
	return 0;
}

/* Room for the entries of whatever is taken back, besides its own */
static int kgr_aims_room(struct kgr_patch_priv *priv)
{
	struct kgr_aim *aims;

	if (!priv->nr_taken)
		return 0;

	aims = kvcalloc(priv->nr_funs + priv->nr_taken, sizeof(*aims), GFP_KERNEL);
	if (!aims)
		return -ENOMEM;
	kvfree(priv->aims);
	priv->aims = aims;
	return 0;
}

/**
 * kgr_replace_prepare - find out what else a patch changes
 * @patch:	patch on top of its functions, about to be applied
 *
 * Adds entries for functions that it takes back.
 *
 * Context: process context, kgr_mutex held, no transition runs; may sleep.
 * Return: 0; -EBUSY: a function is patched by a patch of another set; -ENOMEM.
 * The caller then has to call kgr_redirect_remove() and kgr_replace_cancel().
 */
int kgr_replace_prepare(struct kgr_patch *patch)
{
	struct kgr_patch *other;
	int ret = 0;

	lockdep_assert_held(&kgr_mutex);

	list_for_each_entry(other, &kgr_patches, list) {
		if (other == patch || !kgr_patch_enabled(other))
			continue;
		if (!kgr_same_set(patch, other))
			ret = kgr_overlap_check(patch, other);
		else if (patch->replace_all)
			ret = kgr_take_back_all(patch, other);
		if (ret)
			return ret;
	}
	return kgr_aims_room(patch->priv);
}
EXPORT_SYMBOL_IF_KUNIT(kgr_replace_prepare);

/**
 * kgr_replace_cancel - forget the entries for functions that were taken back
 * @patch:	patch, those entries in place nowhere
 *
 * Context: process context, kgr_mutex held.
 */
void kgr_replace_cancel(struct kgr_patch *patch)
{
	struct kgr_patch_fun *fun, *next;

	lockdep_assert_held(&kgr_mutex);

	list_for_each_entry_safe(fun, next, &patch->priv->funs, node) {
		if (!kgr_fun_is_taken(fun))
			continue;
		list_del(&fun->node);
		kfree(fun);
	}
	patch->priv->nr_taken = 0;
}
EXPORT_SYMBOL_IF_KUNIT(kgr_replace_cancel);

static void kgr_replaced(struct kgr_patch *other, const struct kgr_patch *patch)
{
	struct kgr_object *obj;

	kgr_patch_set_state(other, KGR_PATCH_REVERTED);
	kgr_redirect_remove(other, NULL);
	/* What its callbacks have done is the business of the new one's */
	kgr_for_each_object(other, obj)
		obj->prepared = false;
	kgr_objects_unbind(other);

	pr_notice("patch '%s': replaced by '%s'\n", other->name, patch->name);
	kgr_event(other, KGRAFT_EVENT_COMPLETED);
	module_put(other->owner);
}

/**
 * kgr_replace_commit - all contexts are on the side of a patch
 * @patch:	patch whose transition is complete
 *
 * Those that it replaces are reverted from now on, and their modules can go.
 *
 * Context: process context, kgr_mutex held, may sleep.
 */
void kgr_replace_commit(struct kgr_patch *patch)
{
	struct kgr_patch *other;

	lockdep_assert_held(&kgr_mutex);

	if (!patch->replace_all)
		return;

	list_for_each_entry(other, &kgr_patches, list) {
		if (kgr_replaces(patch, other))
			kgr_replaced(other, patch);
	}

	/*
	 * They lie alone on their functions now. Their names are those of the
	 * others, whose modules are there as long as kgr_mutex is held.
	 */
	kgr_redirect_remove_taken(patch);
	kgr_replace_cancel(patch);
}
ALLOW_ERROR_INJECTION(kgr_replace_prepare, ERRNO);
