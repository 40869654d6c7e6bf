// SPDX-License-Identifier: GPL-2.0
/*
 * Targets: modules that hold patched functions, as they come and go.
 *
 * A module is patched after its ftrace sites have been made ready and before
 * its init function runs, by every patch that is in force or in transition, in
 * the order in which those were applied. What its functions do for a context is
 * then what the same patches do elsewhere. When it goes, its functions are taken
 * out of all patches after its exit function has run; nobody can be in them, or
 * in what replaced them, any more.
 */
#include "internal.h"

#include <linux/err.h>
#include <linux/error-injection.h>
#include <linux/lockdep.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>

/**
 * struct kgr_target - a module from its coming to its going
 * @list:	place in kgr_targets
 * @mod:	the module
 *
 * The state of a module does not tell whether it has passed our hooks; this does.
 */
struct kgr_target {
	struct list_head list;
	struct module *mod;
};

static LIST_HEAD(kgr_targets);	/* [M] */

static struct kgr_target *kgr_target_of(const struct module *mod)
{
	struct kgr_target *target;

	list_for_each_entry(target, &kgr_targets, list) {
		if (target->mod == mod)
			return target;
	}
	return NULL;
}

/**
 * kgr_target_find - a module that can be patched
 * @name:	its name
 *
 * Context: kgr_mutex held, which keeps it from going.
 * Return: the module, or NULL when it is not there.
 */
struct module *kgr_target_find(const char *name)
{
	struct kgr_target *target;

	lockdep_assert_held(&kgr_mutex);

	list_for_each_entry(target, &kgr_targets, list) {
		if (!strcmp(target->mod->name, name))
			return target->mod;
	}
	return NULL;
}

static void kgr_target_set_state(struct kgr_patch *patch, struct kgr_object *obj,
				 enum kgr_patch_state state)
{
	struct kgr_patch_fun *fun;

	kgr_for_each_linked_fun(patch, fun) {
		if (fun->obj == obj)
			kgr_fun_set_state(fun, state);
	}
}

static int kgr_target_patch_one(struct kgr_patch *patch, struct kgr_object *obj,
				struct module *mod)
{
	int ret;

	ret = kgr_object_bind(patch, obj, mod);
	if (ret)
		return ret;

	ret = kgr_redirect_add(patch, obj);
	if (ret)
		goto unbind;

	ret = kgr_pre_patch(patch, obj);
	if (ret)
		goto remove;

	kgr_target_set_state(patch, obj, patch->priv->state);
	return 0;

remove:
	kgr_redirect_remove(patch, obj);
unbind:
	kgr_object_unbind(patch, obj);
	return ret;
}

static void kgr_target_unpatch_one(struct kgr_patch *patch, struct kgr_object *obj)
{
	kgr_target_set_state(patch, obj, KGR_PATCH_SKIPPED);
	kgr_redirect_remove(patch, obj);
	kgr_post_unpatch(patch, obj);
	kgr_object_unbind(patch, obj);
}

/* The stack check has to know the functions of a module, or forget them */
static int kgr_target_abandon(void)
{
	struct kgr_patch *patch = kgr_transition_patch();

	return patch ? kgr_stack_abandon(patch, kgr_transition_applies()) : 0;
}

/* Newest first, as a stack is taken down */
static void kgr_target_unpatch(struct module *mod)
{
	struct kgr_patch *patch;
	struct kgr_object *obj;

	list_for_each_entry_reverse(patch, &kgr_patches, list) {
		obj = kgr_object_find(patch, mod->name);
		if (obj && obj->bound)
			kgr_target_unpatch_one(patch, obj);
	}
}

/* Once all patches are on the stacks of its functions */
static int kgr_target_redirect(struct module *mod)
{
	struct kgr_patch *patch;
	struct kgr_object *obj;
	int ret;

	list_for_each_entry(patch, &kgr_patches, list) {
		obj = kgr_object_find(patch, mod->name);
		if (!obj || !obj->bound)
			continue;
		ret = kgr_redirect_refresh(patch, obj);
		if (ret)
			return ret;
	}
	return 0;
}

static int kgr_target_patch(struct module *mod)
{
	struct kgr_patch *patch;
	struct kgr_object *obj;
	int ret = 0;

	list_for_each_entry(patch, &kgr_patches, list) {
		obj = kgr_object_find(patch, mod->name);
		if (!obj || !kgr_patch_in_force(patch))
			continue;
		ret = kgr_target_patch_one(patch, obj, mod);
		if (ret)
			goto unpatch;
	}
	ret = kgr_target_redirect(mod);
	if (!ret)
		ret = kgr_target_abandon();
	if (ret)
		goto unpatch;

	list_for_each_entry(patch, &kgr_patches, list) {
		obj = kgr_object_find(patch, mod->name);
		if (!obj || !obj->bound)
			continue;
		if (kgr_transition_patch() != patch)
			kgr_post_patch(patch, obj);
		pr_notice("patch '%s': module '%s' is patched\n", patch->name, mod->name);
	}
	return 0;

unpatch:
	kgr_target_unpatch(mod);
	return ret;
}

static int kgr_target_add(struct module *mod)
{
	struct kgr_target *target = kzalloc(sizeof(*target), GFP_KERNEL);

	if (!target)
		return -ENOMEM;
	target->mod = mod;
	list_add_tail(&target->list, &kgr_targets);
	return 0;
}

static void kgr_target_del(struct module *mod)
{
	struct kgr_target *target = kgr_target_of(mod);

	if (!target)
		return;
	list_del(&target->list);
	kfree(target);
}

/**
 * kgr_module_coming - patch a module that is being loaded
 * @mod:	module, fully formed, its init function has not run yet
 *
 * Context: process context, takes kgr_mutex, may sleep.
 * Return: 0, also when it could not be patched and /sys/kernel/kgraft says to
 * let it in nevertheless; else why it can't be.
 */
int kgr_module_coming(struct module *mod)
{
	int ret;

	guard(mutex)(&kgr_mutex);

	ret = kgr_target_add(mod);
	if (ret)
		return ret;

	ret = kgr_target_patch(mod);
	if (!ret)
		return 0;

	if (READ_ONCE(kgr_force_load_module)) {
		pr_warn("module '%s': delayed patching failed (%pe), it runs without any patch since force_load_module is set\n",
			mod->name, ERR_PTR(ret));
		return 0;
	}
	pr_err("module '%s': delayed patching failed (%pe), module was not inserted; revert the patch, or set force_load_module to load it unpatched\n",
	       mod->name, ERR_PTR(ret));
	kgr_target_del(mod);
	return ret;
}
ALLOW_ERROR_INJECTION(kgr_module_coming, ERRNO);

/**
 * kgr_module_going - forget a module
 * @mod:	module whose exit function has run, or that could not be loaded;
 *		its ftrace records are still there
 *
 * Context: process context, takes kgr_mutex, may sleep.
 */
void kgr_module_going(struct module *mod)
{
	struct kgr_patch *patch;
	struct kgr_object *obj;

	guard(mutex)(&kgr_mutex);

	if (!kgr_target_of(mod))
		return;

	list_for_each_entry_reverse(patch, &kgr_patches, list) {
		obj = kgr_object_find(patch, mod->name);
		if (obj && obj->bound && kgr_transition_patch() != patch)
			kgr_pre_unpatch(patch, obj);
	}
	kgr_target_unpatch(mod);
	kgr_target_del(mod);

	/* Without memory its old ranges stay: that costs time, never consistency */
	kgr_target_abandon();
}
