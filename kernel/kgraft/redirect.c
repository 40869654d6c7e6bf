// SPDX-License-Identifier: GPL-2.0
/*
 * What stands at the entry of a patched function: which body a caller gets.
 *
 * A function that is patched has one struct kgr_func, found by the address of
 * its entry site, with a stack of variants: the functions of patches that
 * replace it, the newest first, the original below the last.
 *
 * A caller asks for the choice that is in force and compares one number: in the
 * epoch that the choice names it gets one body, in any other the second. A new
 * transition never edits a choice that callers may be reading. It fills the
 * other of two and publishes it with a number that nobody carries yet, so that
 * for everybody, whether it still reads the old choice or already the new one,
 * nothing changes. When it is complete, a choice without a choice is published:
 * later transitions, of other patches, use other numbers. A slot is filled anew
 * only after a grace period, since readers have preemption disabled.
 */
#include "internal.h"

#include <linux/err.h>
#include <linux/hashtable.h>
#include <linux/list.h>
#include <linux/lockdep.h>
#include <linux/percpu.h>
#include <linux/rculist.h>
#include <linux/slab.h>

/* Zero stands for the original body: leave the instruction pointer alone */
struct kgr_choice {
	u32 epoch;
	unsigned long there;	/* for callers in @epoch */
	unsigned long here;	/* for all others */
};

/**
 * struct kgr_func - a function that has been patched at least once
 * @node:	place in kgr_funcs [M, readers under preempt_disable()]
 * @site:	address of its redirect site [W]
 * @addr:	address of the original [W]
 * @stack:	variants, newest first [M]
 * @choice:	which of @slot is in force [M, readers under preempt_disable()]
 * @slot:	the choice in force and the spare one
 * @rcu:	for freeing
 */
struct kgr_func {
	struct hlist_node node;
	unsigned long site;
	unsigned long addr;
	struct list_head stack;
	struct kgr_choice *choice;
	struct kgr_choice slot[2];
	struct rcu_head rcu;
};

static DEFINE_HASHTABLE(kgr_funcs, 10);

static __always_inline struct kgr_func *kgr_func_find(unsigned long site)
{
	struct kgr_func *func;

	hash_for_each_possible_rcu_notrace(kgr_funcs, func, node, site) {
		if (func->site == site)
			return func;
	}
	return NULL;
}

/**
 * kgr_redirect_target - which body a caller of a patched function gets
 * @site:	address of the redirect site that it came by
 *
 * Context: any, NMI included. Calls nothing, takes nothing.
 * Return: address to continue at, 0 for the original.
 */
unsigned long notrace kgr_redirect_target(unsigned long site)
{
	const struct kgr_choice *choice;
	const struct kgr_func *func;
	unsigned long target = 0;
	u32 epoch;

	preempt_disable_notrace();

	func = kgr_func_find(site);
	if (likely(func)) {
		/* (D) pairs with (A) in kgr_redirect_publish() */
		choice = smp_load_acquire(&func->choice);

		if (kgr_in_interrupt())
			epoch = raw_cpu_read(kgr_cpu.epoch);
		else
			epoch = READ_ONCE(current->kgr_epoch);

		target = epoch == choice->epoch ? choice->there : choice->here;
	}

	preempt_enable_notrace();
	return target;
}

/* Variant below @fun in its function's stack, NULL when that is the original */
struct kgr_patch_fun *kgr_func_below(const struct kgr_patch_fun *fun)
{
	lockdep_assert_held(&kgr_mutex);

	if (list_is_last(&fun->stack_node, &fun->func->stack))
		return NULL;
	return list_entry(fun->stack_node.next, struct kgr_patch_fun, stack_node);
}

/* Newest variant of a function */
struct kgr_patch_fun *kgr_func_top(const struct kgr_func *func)
{
	lockdep_assert_held(&kgr_mutex);

	return list_first_entry(&func->stack, struct kgr_patch_fun, stack_node);
}

/* Address of the original body */
unsigned long kgr_func_address(const struct kgr_func *func)
{
	return func->addr;
}

/* Address of the redirect site */
unsigned long kgr_func_site(const struct kgr_func *func)
{
	return func->site;
}

static unsigned long kgr_body(const struct kgr_patch_fun *fun)
{
	return fun ? (unsigned long)fun->new_fun : 0;
}

/* State of RCU when a slot was last taken out of force [M] */
static unsigned long kgr_slot_free;

static void kgr_redirect_publish(struct kgr_func *func, u32 epoch,
				 unsigned long here, unsigned long there)
{
	struct kgr_choice *spare = &func->slot[func->choice == &func->slot[0]];

	spare->epoch = epoch;
	spare->here = here;
	spare->there = there;

	/* (A) pairs with (D) in kgr_redirect_target() */
	smp_store_release(&func->choice, spare);
}

/**
 * kgr_redirect_begin - let the functions of a patch tell two epochs apart
 * @patch:	patch whose transition begins
 * @epoch:	number that nobody carries yet: its callers get the new side
 * @apply:	the new side is that of @patch, else what is below it
 *
 * Changes nothing for anybody but under %KGR_MODEL_IMMEDIATE, where it changes
 * everything for everybody.
 *
 * Context: process context, kgr_mutex held, may sleep: waits for a grace period
 * if another transition ended just now.
 */
void kgr_redirect_begin(struct kgr_patch *patch, u32 epoch, bool apply)
{
	unsigned long here, there;
	struct kgr_patch_fun *fun;

	lockdep_assert_held(&kgr_mutex);

	cond_synchronize_rcu(kgr_slot_free);

	kgr_for_each_patch_fun(patch, fun) {
		there = kgr_body(apply ? fun : kgr_func_below(fun));
		here = kgr_body(apply ? kgr_func_below(fun) : fun);
		if (patch->model == KGR_MODEL_IMMEDIATE)
			here = there;
		kgr_redirect_publish(fun->func, epoch, here, there);
	}
}

/**
 * kgr_redirect_settle - everybody gets the same body from now on
 * @patch:	patch whose transition is complete
 * @applied:	the body of @patch, else the one below it
 *
 * Changes nothing for anybody: all contexts are on that side already.
 *
 * Context: process context, kgr_mutex held.
 */
void kgr_redirect_settle(struct kgr_patch *patch, bool applied)
{
	struct kgr_patch_fun *fun;
	unsigned long body;

	lockdep_assert_held(&kgr_mutex);

	kgr_for_each_patch_fun(patch, fun) {
		body = kgr_body(applied ? fun : kgr_func_below(fun));
		kgr_redirect_publish(fun->func, 0, body, body);
	}
	kgr_slot_free = get_state_synchronize_rcu();
}

/**
 * kgr_redirect_flip - send all callers the other way at once
 * @patch:	patch of model %KGR_MODEL_IMMEDIATE whose transition is reversed
 * @epoch:	number that nobody carries yet
 * @apply:	direction of the transition from now on
 *
 * Under the other models a reversal changes no redirect: the contexts that have
 * moved move back.
 *
 * Context: process context, kgr_mutex held, a grace period after the publication
 * of the present choice.
 */
void kgr_redirect_flip(struct kgr_patch *patch, u32 epoch, bool apply)
{
	if (patch->model == KGR_MODEL_IMMEDIATE)
		kgr_redirect_begin(patch, epoch, apply);
}

static struct kgr_func *kgr_func_get(const char *name, unsigned long addr)
{
	unsigned long site = arch_kgr_site(addr);
	struct kgr_func *func;

	if (!site) {
		pr_err("function '%s': can't be patched, it has no fentry site (notrace, noinstr or assembly); patch its callers instead\n",
		       name);
		return ERR_PTR(-EINVAL);
	}

	func = kgr_func_find(site);
	if (func)
		return func;

	func = kzalloc(sizeof(*func), GFP_KERNEL);
	if (!func)
		return ERR_PTR(-ENOMEM);

	func->site = site;
	func->addr = addr;
	func->choice = &func->slot[0];
	INIT_LIST_HEAD(&func->stack);
	hash_add_rcu(kgr_funcs, &func->node, site);
	return func;
}

static void kgr_func_put(struct kgr_func *func)
{
	if (!list_empty(&func->stack))
		return;
	hash_del_rcu(&func->node);
	kfree_rcu(func, rcu);
}

static int kgr_fun_link(struct kgr_patch_fun *fun)
{
	struct kgr_func *func;
	unsigned long addr;
	int ret;

	ret = kgr_resolve_fun(fun, &addr);
	if (ret)
		return ret;

	func = kgr_func_get(fun->name, addr);
	if (IS_ERR(func))
		return PTR_ERR(func);

	if (!list_empty(&func->stack) && kgr_func_top(func)->patch == fun->patch) {
		pr_err("function '%s': named twice by patch '%s'\n",
		       fun->name, fun->patch->name);
		return -EINVAL;
	}

	fun->func = func;
	list_add(&fun->stack_node, &func->stack);
	return 0;
}

static void kgr_fun_unlink(struct kgr_patch_fun *fun)
{
	list_del(&fun->stack_node);
	kgr_func_put(fun->func);
	fun->func = NULL;
}

/* Sites of the functions that @patch is alone on; @sites has room for all */
static unsigned int kgr_own_sites(struct kgr_patch *patch, unsigned long *sites)
{
	struct kgr_patch_fun *fun;
	unsigned int nr = 0;

	kgr_for_each_patch_fun(patch, fun) {
		if (list_is_singular(&fun->func->stack))
			sites[nr++] = fun->func->site;
	}
	return nr;
}

/**
 * kgr_redirect_add - put a patch on top of the functions that it replaces
 * @patch:	patch
 *
 * Callers go on getting the bodies they got before; kgr_redirect_begin() changes
 * that. The entries of all functions are changed in one update.
 *
 * Context: process context, kgr_mutex held, may sleep.
 * Return: 0; -ENOENT, -EINVAL: see kgr_resolve_fun(); -EINVAL: a function can't
 * be redirected or is named twice; -EBUSY: another user of ftrace holds one;
 * -ENOMEM. Nothing has changed then.
 */
int kgr_redirect_add(struct kgr_patch *patch)
{
	struct kgr_patch_fun *fun, *undo;
	unsigned int nr;
	int ret = 0;

	lockdep_assert_held(&kgr_mutex);

	kgr_for_each_patch_fun(patch, fun) {
		ret = kgr_fun_link(fun);
		if (ret)
			goto unlink;
	}

	nr = kgr_own_sites(patch, patch->priv->sites);
	if (nr)
		ret = arch_kgr_install(patch->priv->sites, nr);
	if (!ret)
		return 0;

	pr_err("patch '%s': can't redirect its functions (%pe)\n",
	       patch->name, ERR_PTR(ret));
unlink:
	for (undo = patch->patches; undo < fun; undo++)
		kgr_fun_unlink(undo);
	return ret;
}

/**
 * kgr_redirect_remove - take a patch off the functions that it replaced
 * @patch:	patch that no context is, or will return, into
 *
 * Context: process context, kgr_mutex held, may sleep.
 */
void kgr_redirect_remove(struct kgr_patch *patch)
{
	struct kgr_patch_fun *fun;
	unsigned int nr;

	lockdep_assert_held(&kgr_mutex);

	nr = kgr_own_sites(patch, patch->priv->sites);
	if (nr)
		arch_kgr_remove(patch->priv->sites, nr);

	kgr_for_each_patch_fun(patch, fun)
		kgr_fun_unlink(fun);
}
