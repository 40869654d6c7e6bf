// SPDX-License-Identifier: GPL-2.0
/* The registry of patches, and what can be asked of one. */
#include "internal.h"

#include <kunit/visibility.h>
#include <linux/init.h>
#include <linux/module.h>
#include <linux/panic.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/string.h>

/* Guards the registry, the transition and all states; see internal.h */
DEFINE_MUTEX(kgr_mutex);
EXPORT_SYMBOL_IF_KUNIT(kgr_mutex);
LIST_HEAD(kgr_patches);
EXPORT_SYMBOL_IF_KUNIT(kgr_patches);

/* All that patches need has been set up at boot [W] */
static bool kgr_ready __ro_after_init;

/**
 * kgr_patch_enabled - is this patch applied, or being applied?
 * @patch:	registered patch
 *
 * Context: kgr_mutex held.
 * Return: true when it is.
 */
bool kgr_patch_enabled(const struct kgr_patch *patch)
{
	lockdep_assert_held(&kgr_mutex);

	return patch->priv->state == KGR_PATCH_SLOW ||
	       patch->priv->state == KGR_PATCH_APPLIED;
}

/**
 * kgr_patch_in_force - may a context get one of the functions of this patch?
 * @patch:	registered patch
 *
 * Context: kgr_mutex held.
 * Return: true when it is applied, or in transition in either direction.
 */
bool kgr_patch_in_force(const struct kgr_patch *patch)
{
	return kgr_patch_enabled(patch) ||
	       patch->priv->state == KGR_PATCH_REVERT_SLOW;
}

/**
 * kgr_patch_refs - how many patches stand on this one
 * @patch:	registered patch
 *
 * Context: kgr_mutex held.
 * Return: number of patches that replace one of its functions anew.
 */
unsigned int kgr_patch_refs(const struct kgr_patch *patch)
{
	const struct kgr_patch_fun *fun;
	struct kgr_patch *later = (struct kgr_patch *)patch;
	unsigned int refs = 0;

	lockdep_assert_held(&kgr_mutex);

	list_for_each_entry_continue(later, &kgr_patches, list) {
		kgr_for_each_linked_fun(later, fun) {
			if (kgr_func_below(fun) &&
			    kgr_func_below(fun)->patch == patch) {
				refs++;
				break;
			}
		}
	}
	return refs;
}

static int kgr_patch_busy(const struct kgr_patch *patch)
{
	struct kgr_patch *busy = kgr_transition_patch();

	if (kgr_redirect_dead()) {
		pr_err("patch '%s': functions can't be redirected any more, ftrace has shut itself down or their text is not as it should be; reboot\n",
		       patch->name);
		return -ENODEV;
	}
	if (!busy)
		return 0;

	pr_err("patch '%s': can't patch, another patching not yet finalized ('%s')\n",
	       patch->name, busy->name);
	return -EAGAIN;
}

/* Put a patch in place: all that can fail, without an effect on anybody */
static int kgr_patch_prepare(struct kgr_patch *patch)
{
	int ret;

	ret = kgr_sysstate_check(patch);
	if (ret)
		return ret;
	ret = kgr_objects_bind(patch);
	if (ret)
		return ret;

	ret = kgr_redirect_add(patch, NULL);
	if (ret)
		goto unbind;
	ret = kgr_replace_prepare(patch);
	if (ret)
		goto remove;
	ret = kgr_pre_patch_all(patch);
	if (!ret)
		return 0;
remove:
	kgr_redirect_remove(patch, NULL);
	kgr_replace_cancel(patch);
unbind:
	kgr_objects_unbind(patch);
	return ret;
}

/* Undo that, once it has had its effect or not */
static void kgr_patch_unprepare(struct kgr_patch *patch)
{
	kgr_redirect_remove(patch, NULL);
	kgr_replace_cancel(patch);
	kgr_post_unpatch_all(patch);
	kgr_objects_unbind(patch);
}

/*
 * Apply a registered patch. Its module stays as long as anybody can be in it:
 * until a reversal has completed.
 */
static int kgr_patch_apply(struct kgr_patch *patch)
{
	int ret;

	ret = kgr_patch_busy(patch);
	if (ret)
		return ret;

	if (!try_module_get(patch->owner))
		return -ENODEV;

	/* Newest last, whatever it was before */
	list_move_tail(&patch->list, &kgr_patches);

	ret = kgr_patch_prepare(patch);
	if (ret)
		goto put;

	ret = kgr_transition_begin(patch, true);
	if (!ret)
		return 0;

	kgr_patch_unprepare(patch);
put:
	module_put(patch->owner);
	return ret;
}

/**
 * kgr_patch_enable - apply a patch again, or reverse its reversal
 * @patch:	registered patch
 *
 * Context: process context, takes kgr_mutex, may sleep.
 * Return: 0, also when it is applied already; -EAGAIN: another transition runs,
 * or this one has been reversed too often; -ENODEV: its module is going;
 * otherwise as kgr_patch_kernel().
 */
int kgr_patch_enable(struct kgr_patch *patch)
{
	guard(mutex)(&kgr_mutex);

	if (list_empty(&patch->list))
		return -ENODEV;
	if (kgr_patch_enabled(patch))
		return 0;
	if (kgr_transition_patch() == patch)
		return kgr_transition_reverse();
	return kgr_patch_apply(patch);
}

/**
 * kgr_patch_revert - take a patch back, also while it is being applied
 * @patch:	registered patch
 *
 * Context: process context, takes kgr_mutex, may sleep.
 * Return: 0: begun; -EINVAL: it is reverted, or being reverted, already; -EBUSY:
 * a later patch stands on it; -EAGAIN: another transition runs, or this one has
 * been reversed too often; -ENODEV: it is being removed; -ENOMEM.
 */
int kgr_patch_revert(struct kgr_patch *patch)
{
	int ret;

	guard(mutex)(&kgr_mutex);

	if (list_empty(&patch->list))
		return -ENODEV;
	if (!kgr_patch_enabled(patch)) {
		pr_err("patch '%s': already reverted\n", patch->name);
		return -EINVAL;
	}
	if (kgr_transition_patch() == patch)
		return kgr_transition_reverse();

	ret = kgr_patch_busy(patch);
	if (ret)
		return ret;
	if (kgr_patch_refs(patch)) {
		pr_err("patch '%s': %u later patches stand on it, revert those first\n",
		       patch->name, kgr_patch_refs(patch));
		return -EBUSY;
	}

	kgr_pre_unpatch_all(patch);
	ret = kgr_transition_begin(patch, false);
	/* As after a reversal */
	if (ret)
		kgr_post_patch_all(patch);
	return ret;
}

/**
 * kgr_patch_finished - the transition of a patch is complete
 * @patch:	patch
 * @applied:	everybody is on its side; else nobody is, or will return, in it
 *
 * Context: process context, kgr_mutex held.
 */
void kgr_patch_finished(struct kgr_patch *patch, bool applied)
{
	if (applied) {
		kgr_patch_set_state(patch, KGR_PATCH_APPLIED);
		kgr_replace_commit(patch);
		kgr_post_patch_all(patch);
		pr_notice("patch '%s': patching succeeded\n", patch->name);
		kgr_event(patch, KGRAFT_EVENT_COMPLETED);
		return;
	}

	kgr_patch_set_state(patch, KGR_PATCH_REVERTED);
	pr_notice("patch '%s': reverting succeeded\n", patch->name);
	if (kgr_redirect_dead()) {
		pr_err("patch '%s': its module has to stay, entries lead through it\n",
		       patch->name);
		kgr_event(patch, KGRAFT_EVENT_COMPLETED);
		return;
	}
	kgr_patch_unprepare(patch);
	kgr_event(patch, KGRAFT_EVENT_COMPLETED);
	module_put(patch->owner);
}

static int kgr_patch_check(struct kgr_patch *patch)
{
	struct kgr_patch_fun *fun;
	unsigned int nr = 0;
	int ret;

	if (!patch || !patch->name || !*patch->name || strchr(patch->name, '/') ||
	    !patch->owner) {
		pr_err("a patch needs a name without slashes and an owner\n");
		return -EINVAL;
	}
	if (kgr_sysfs_reserved(patch->name)) {
		pr_err("patch '%s': a file has that name, choose another\n", patch->name);
		return -EINVAL;
	}
	if (!kgr_model_name(patch->model)) {
		pr_err("patch '%s': unknown model %d\n", patch->name, patch->model);
		return -EINVAL;
	}
	if (!kgr_on_timeout_name(patch->on_timeout)) {
		pr_err("patch '%s': unknown on_timeout %d\n", patch->name,
		       patch->on_timeout);
		return -EINVAL;
	}

	kgr_for_each_patch_fun(patch, fun) {
		if (!fun->new_fun) {
			pr_err("patch '%s': function '%s' has no replacement\n",
			       patch->name, fun->name);
			return -EINVAL;
		}
		nr++;
	}
	if (!nr) {
		pr_err("patch '%s': names no function\n", patch->name);
		return -EINVAL;
	}

	ret = patch->build_id ? kgr_build_id_check(patch->name, patch->build_id) : 0;
	return ret ?: kgr_stack_resolve(patch);
}

static void kgr_patch_exit(struct kgr_patch *patch)
{
	kgr_objects_free(patch);
	kgr_redirect_release(patch);
	kvfree(patch->priv->aims);
	kfree(patch->priv);
	patch->priv = NULL;
}

static int kgr_patch_init(struct kgr_patch *patch)
{
	struct kgr_patch_priv *priv;
	struct kgr_patch_fun *fun;
	int ret;

	priv = kzalloc(sizeof(*priv), GFP_KERNEL);
	if (!priv)
		return -ENOMEM;

	INIT_LIST_HEAD(&priv->objects);
	INIT_LIST_HEAD(&priv->funs);
	INIT_LIST_HEAD(&patch->list);
	patch->priv = priv;

	kgr_for_each_patch_fun(patch, fun) {
		fun->patch = patch;
		fun->state = KGR_PATCH_INIT;
		fun->func = NULL;
		list_add_tail(&fun->node, &priv->funs);
		priv->nr_funs++;
	}

	priv->aims = kvcalloc(priv->nr_funs, sizeof(*priv->aims), GFP_KERNEL);
	ret = priv->aims ? kgr_objects_create(patch) : -ENOMEM;
	if (ret) {
		kgr_patch_exit(patch);
		return ret;
	}

	kgr_deadline_init_patch(patch);
	kgr_sysfs_init_patch(patch);
	return 0;
}

static bool kgr_name_taken(const char *name)
{
	struct kgr_patch *patch;

	list_for_each_entry(patch, &kgr_patches, list) {
		if (!strcmp(patch->name, name))
			return true;
	}
	return false;
}

static int kgr_patch_register(struct kgr_patch *patch)
{
	int ret;

	guard(mutex)(&kgr_mutex);

	/* Before anything else: retrying later is all that is needed */
	ret = kgr_patch_busy(patch);
	if (ret)
		return ret;

	if (kgr_name_taken(patch->name)) {
		pr_err("patch '%s': there is one of that name already\n", patch->name);
		return -EBUSY;
	}

	ret = kgr_sysfs_add(patch);
	if (ret)
		return ret;

	list_add_tail(&patch->list, &kgr_patches);
	kgr_generation++;
	ret = kgr_patch_apply(patch);
	if (ret)
		list_del_init(&patch->list);
	return ret;
}

/**
 * kgr_patch_kernel - replace functions of the running kernel
 * @patch:	what to replace; stays in place until kgr_patch_remove()
 *
 * To be called by the init function of a patch module. Returns once the
 * transition has begun: /sys/kernel/kgraft/NAME/transition tells when it is
 * complete. The module can't be unloaded until the patch has been reverted; its
 * init function must not fail any more after this call has succeeded.
 *
 * Context: process context, takes kgr_mutex, may sleep.
 * Return: 0, or with everything as it was before:
 *
 * * -EAGAIN: another transition runs; try again when it is complete
 * * -EBUSY: a patch of that name exists, or a function is held by a patch of
 *   another set or by another user of ftrace that changes the instruction
 *   pointer
 * * -ENOENT: a function does not exist
 * * -EINVAL: a name is ambiguous, a function can't be redirected or has another
 *   size than the builder saw, a system state is older than what is there, or
 *   @patch is malformed
 * * -ENOEXEC: made for a kernel with another build-id
 * * -ENODEV: the module is being unloaded, ftrace is dead, or kGraft could not
 *   start at boot
 * * -ENOMEM: no memory
 * * whatever a pre_patch callback returned
 *
 * Functions of modules that are not there are patched when those are loaded.
 */
int kgr_patch_kernel(struct kgr_patch *patch)
{
	int ret;

	if (!kgr_ready)
		return -ENODEV;

	ret = kgr_patch_check(patch);
	if (ret)
		return ret;

	ret = kgr_patch_init(patch);
	if (ret)
		return ret;

	ret = kgr_patch_register(patch);
	if (ret) {
		pr_err("patch '%s': not applied (%pe)\n", patch->name, ERR_PTR(ret));
		/* Not under kgr_mutex: waits for readers and writers of its files */
		kgr_sysfs_remove(patch);
		kgr_patch_exit(patch);
		return ret;
	}

	add_taint(TAINT_LIVEPATCH, LOCKDEP_STILL_OK);
	return 0;
}
EXPORT_SYMBOL_GPL(kgr_patch_kernel);

/**
 * kgr_patch_remove - forget a patch that has been reverted
 * @patch:	what was given to kgr_patch_kernel()
 *
 * To be called by the exit function of a patch module, which does not run
 * before the patch has been reverted.
 *
 * Context: process context, takes kgr_mutex, may sleep.
 */
void kgr_patch_remove(struct kgr_patch *patch)
{
	mutex_lock(&kgr_mutex);
	if (WARN_ON(patch->priv->state != KGR_PATCH_REVERTED)) {
		mutex_unlock(&kgr_mutex);
		return;
	}
	list_del_init(&patch->list);
	kgr_generation++;
	kgr_left_unload(patch);
	mutex_unlock(&kgr_mutex);

	kgr_sysfs_remove(patch);
	kgr_patch_exit(patch);

	/* Model: unload; what new functions have given to call_rcu() is in the module */
	rcu_barrier();
}
EXPORT_SYMBOL_GPL(kgr_patch_remove);

static int __init kgr_init(void)
{
	int ret;

	ret = kgr_transition_init();
	if (!ret)
		ret = kgr_cpu_init();
	if (!ret)
		ret = kgr_sysfs_init();
	if (!ret)
		ret = kgr_netlink_init();
	if (ret)
		pr_err("can't start (%pe)\n", ERR_PTR(ret));
	kgr_ready = !ret;
	return ret;
}
late_initcall(kgr_init);
