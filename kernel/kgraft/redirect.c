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
 * @caller:	where it called from; matters to CONFIG_KGRAFT_DEBUG only
 *
 * Context: any, NMI included. Calls nothing, takes nothing; with
 * CONFIG_KGRAFT_DEBUG, see kgr_check_call().
 * Return: address to continue at, 0 for the original.
 */
unsigned long notrace kgr_redirect_target(unsigned long site, unsigned long caller)
{
	const struct kgr_choice *choice;
	const struct kgr_func *func;
	unsigned long target = 0;
	u32 epoch;

	preempt_disable_notrace();

	func = kgr_func_find(site);
	if (likely(func)) {
		/* Model: choose; (D) pairs with (A) in kgr_redirect_publish() */
		choice = smp_load_acquire(&func->choice);

		if (kgr_in_interrupt())
			epoch = raw_cpu_read(kgr_cpu.epoch);
		else
			epoch = READ_ONCE(current->kgr_epoch);

		kgr_check_call(site, caller, epoch);
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

/* The transition that runs, as its redirects tell epochs apart [M] */
static struct {
	u32 epoch;
	bool apply;
} kgr_begun;

static void kgr_redirect_publish(struct kgr_func *func, u32 epoch,
				 unsigned long here, unsigned long there)
{
	struct kgr_choice *spare = &func->slot[func->choice == &func->slot[0]];

	spare->epoch = epoch;
	spare->here = here;
	spare->there = there;

	/* Model: publish; (A) pairs with (D) in kgr_redirect_target() */
	smp_store_release(&func->choice, spare);
}

/* Only the newest variant of a function has a say */
static bool kgr_fun_is_top(const struct kgr_patch_fun *fun)
{
	return kgr_func_top(fun->func) == fun;
}

static void kgr_fun_begin(struct kgr_patch_fun *fun)
{
	unsigned long there, here;

	if (!kgr_fun_is_top(fun))
		return;

	there = kgr_body(kgr_begun.apply ? fun : kgr_func_below(fun));
	here = kgr_body(kgr_begun.apply ? kgr_func_below(fun) : fun);
	if (fun->patch->model == KGR_MODEL_IMMEDIATE)
		here = there;
	kgr_redirect_publish(fun->func, kgr_begun.epoch, here, there);
}

static void kgr_fun_settle(struct kgr_patch_fun *fun, bool applied)
{
	unsigned long body;

	if (!kgr_fun_is_top(fun))
		return;

	body = kgr_body(applied ? fun : kgr_func_below(fun));
	kgr_redirect_publish(fun->func, 0, body, body);
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
	struct kgr_patch_fun *fun;

	lockdep_assert_held(&kgr_mutex);

	/* Model: reuse. Nor is any stack still checked for what the last one abandoned */
	cond_synchronize_rcu(kgr_slot_free);

	kgr_begun.epoch = epoch;
	kgr_begun.apply = apply;
	kgr_for_each_linked_fun(patch, fun)
		kgr_fun_begin(fun);
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

	lockdep_assert_held(&kgr_mutex);

	/* Model: settle */
	kgr_for_each_linked_fun(patch, fun)
		kgr_fun_settle(fun, applied);
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
	/* Model: flip */
	if (patch->model == KGR_MODEL_IMMEDIATE)
		kgr_redirect_begin(patch, epoch, apply);
}

/**
 * kgr_redirect_refresh - the functions of a module do what those of others do
 * @patch:	patch that is in force or in transition
 * @obj:	object of it whose functions have just been added, by this and all
 *		other patches
 *
 * Context: process context, kgr_mutex held; nobody calls the functions yet.
 */
void kgr_redirect_refresh(struct kgr_patch *patch, const struct kgr_object *obj)
{
	struct kgr_patch_fun *fun;

	lockdep_assert_held(&kgr_mutex);

	kgr_for_each_linked_fun(patch, fun) {
		if (fun->obj != obj)
			continue;
		if (kgr_transition_patch() == patch)
			kgr_fun_begin(fun);
		else
			kgr_fun_settle(fun, true);
	}
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
	/* Model: free */
	hash_del_rcu(&func->node);
	kfree_rcu(func, rcu);
}

/**
 * kgr_redirect_push - put a function on top of a stack
 * @fun:	function of a patch, or entry for one that it takes back
 * @func:	what it replaces
 *
 * Context: process context, kgr_mutex held.
 */
void kgr_redirect_push(struct kgr_patch_fun *fun, struct kgr_func *func)
{
	lockdep_assert_held(&kgr_mutex);

	fun->func = func;
	list_add(&fun->stack_node, &func->stack);
}

/* May a function of a patch lie on top of what is there? */
static int kgr_fun_check_top(const struct kgr_patch_fun *fun,
			     const struct kgr_patch_fun *top)
{
	if (top->patch == fun->patch) {
		pr_err("function '%s': named twice by patch '%s'\n",
		       fun->name, fun->patch->name);
		return -EINVAL;
	}
	if (!kgr_same_set(top->patch, fun->patch)) {
		pr_err("patch '%s': function '%s' of '%s' is patched by '%s' of set '%s' already\n",
		       fun->patch->name, fun->name, kgr_objname(fun->objname),
		       top->patch->name, kgr_set_name(top->patch));
		return -EBUSY;
	}
	return 0;
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

	if (!list_empty(&func->stack)) {
		/* Taken back under another name, an alias */
		if (kgr_fun_is_taken(fun) && kgr_func_top(func)->patch == fun->patch)
			return 0;
		ret = kgr_fun_check_top(fun, kgr_func_top(func));
		if (ret)
			return ret;
	}

	kgr_redirect_push(fun, func);
	return 0;
}

static void kgr_fun_unlink(struct kgr_patch_fun *fun)
{
	list_del(&fun->stack_node);
	kgr_func_put(fun->func);
	fun->func = NULL;
}

/* Some of the functions of a patch: of @obj or of all, @taken back or all */
struct kgr_some {
	const struct kgr_object *obj;
	bool taken;
};

static bool kgr_fun_among(const struct kgr_patch_fun *fun,
			  const struct kgr_some *some)
{
	return fun->obj->bound && (!some->obj || fun->obj == some->obj) &&
	       (!some->taken || kgr_fun_is_taken(fun));
}

/* Sites of the functions that @patch is alone on; there is room for all */
static unsigned int kgr_own_sites(struct kgr_patch *patch,
				  const struct kgr_some *some)
{
	unsigned long *sites = patch->priv->sites;
	struct kgr_patch_fun *fun;
	unsigned int nr = 0;

	kgr_for_each_linked_fun(patch, fun) {
		if (kgr_fun_among(fun, some) && list_is_singular(&fun->func->stack))
			sites[nr++] = fun->func->site;
	}
	return nr;
}

static void kgr_unlink(struct kgr_patch *patch, const struct kgr_some *some)
{
	struct kgr_patch_fun *fun;

	kgr_for_each_linked_fun(patch, fun) {
		if (kgr_fun_among(fun, some))
			kgr_fun_unlink(fun);
	}
}

/**
 * kgr_redirect_add - put a patch on top of the functions that it replaces
 * @patch:	patch
 * @obj:	only those of this object; NULL: of all that are bound
 *
 * Callers go on getting the bodies they got before; kgr_redirect_begin() changes
 * that. The entries of all functions are changed in one update.
 *
 * Context: process context, kgr_mutex held, may sleep.
 * Return: 0; -ENOENT, -EINVAL: see kgr_resolve_fun(); -EINVAL: a function can't
 * be redirected or is named twice; -EBUSY: another user of ftrace holds one, or
 * a patch of another set; -ENOMEM. Nothing has changed then.
 */
int kgr_redirect_add(struct kgr_patch *patch, const struct kgr_object *obj)
{
	const struct kgr_some some = { .obj = obj };
	struct kgr_patch_fun *fun;
	unsigned int nr;
	int ret = 0;

	lockdep_assert_held(&kgr_mutex);

	kgr_for_each_fun(patch, fun) {
		if (!kgr_fun_among(fun, &some))
			continue;
		ret = kgr_fun_link(fun);
		if (ret)
			goto unlink;
	}

	/* Model: install */
	nr = kgr_own_sites(patch, &some);
	if (nr)
		ret = arch_kgr_install(patch->priv->sites, nr);
	if (!ret)
		return 0;

	pr_err("patch '%s': can't redirect its functions (%pe)\n",
	       patch->name, ERR_PTR(ret));
unlink:
	kgr_unlink(patch, &some);
	return ret;
}

static void kgr_remove_some(struct kgr_patch *patch, const struct kgr_some *some)
{
	unsigned int nr;

	lockdep_assert_held(&kgr_mutex);

	/* Model: remove */
	nr = kgr_own_sites(patch, some);
	if (nr)
		arch_kgr_remove(patch->priv->sites, nr);

	kgr_unlink(patch, some);
}

/**
 * kgr_redirect_remove - take a patch off the functions that it replaced
 * @patch:	patch that no context is, or will return, into
 * @obj:	only those of this object; NULL: of all
 *
 * Context: process context, kgr_mutex held, may sleep.
 */
void kgr_redirect_remove(struct kgr_patch *patch, const struct kgr_object *obj)
{
	kgr_remove_some(patch, &(struct kgr_some) { .obj = obj });
}

/**
 * kgr_redirect_remove_taken - functions that were taken back are as they were
 * @patch:	patch that has taken the place of others, those removed already
 *
 * Context: process context, kgr_mutex held, may sleep.
 */
void kgr_redirect_remove_taken(struct kgr_patch *patch)
{
	kgr_remove_some(patch, &(struct kgr_some) { .taken = true });
}
