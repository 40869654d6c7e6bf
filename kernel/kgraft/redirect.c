// SPDX-License-Identifier: GPL-2.0
/*
 * What stands at the entry of a patched function: which body a caller gets.
 *
 * A function that is patched has one struct kgr_func, found by the address of
 * its entry site, with a stack of variants: the functions of patches that
 * replace it, the newest first, the original below the last.
 *
 * A caller asks for the choice that is in force and compares one number: in the
 * epoch that the choice names it gets the body of the patch in transition, in any
 * other the one below. That epoch is the one that a patch is being applied with,
 * or that it is being reverted from. A new transition never edits a choice that
 * callers may be reading. It fills the other of two and publishes it: for
 * everybody, whether it still reads the old choice or already the new one,
 * nothing changes. When it is complete, a choice without a choice is published:
 * later transitions, of other patches, use other numbers. A slot is filled anew
 * only after a grace period, since readers have preemption disabled.
 *
 * What the entry does is the architecture's business (linux/kgraft_arch.h): ask
 * for each call, or lead to a body directly, or to a stub that has the choice
 * built in. Whatever it is, it follows the choice: it is changed after a choice
 * has been published that gives everybody the body that it had.
 */
#include "internal.h"

#include <linux/err.h>
#include <linux/error-injection.h>
#include <linux/hashtable.h>
#include <linux/list.h>
#include <linux/lockdep.h>
#include <linux/percpu.h>
#include <linux/rculist.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>

static DEFINE_HASHTABLE(kgr_funcs, 10);

static __always_inline struct kgr_func *kgr_func_lookup(unsigned long site)
{
	struct kgr_func *func;

	hash_for_each_possible_rcu_notrace(kgr_funcs, func, node, site) {
		if (func->site.ip == site)
			return func;
	}
	return NULL;
}

/**
 * kgr_func_find - the function that has this entry site
 * @site:	address of the site
 *
 * Context: kgr_mutex held, or rcu_read_lock() for as long as it is used.
 * Return: the function, NULL when it is not patched.
 */
struct kgr_func *kgr_func_find(unsigned long site)
{
	RCU_LOCKDEP_WARN(!lockdep_is_held(&kgr_mutex) && !rcu_read_lock_held(),
			 "neither lock is held");

	return kgr_func_lookup(site);
}

/**
 * kgr_func_create - a function is about to be patched for the first time
 * @site:	address of its entry site
 * @addr:	its address
 *
 * Context: process context, kgr_mutex held, may sleep.
 * Return: the function, no variant on its stack, its entry as it was; NULL: no
 * memory.
 */
struct kgr_func *kgr_func_create(unsigned long site, unsigned long addr)
{
	struct kgr_func *func;

	lockdep_assert_held(&kgr_mutex);

	func = kzalloc(sizeof(*func), GFP_KERNEL);
	if (!func)
		return NULL;

	func->site.ip = site;
	func->addr = addr;
	func->choice = &func->slot[0];
	INIT_LIST_HEAD(&func->stack);
	hash_add_rcu(kgr_funcs, &func->node, site);
	return func;
}

/**
 * kgr_func_destroy - forget a function that no patch replaces any more
 * @func:	the function
 *
 * Context: process context, kgr_mutex held.
 */
void kgr_func_destroy(struct kgr_func *func)
{
	lockdep_assert_held(&kgr_mutex);

	/* An entry that could not be given back leads to the original */
	if (func->installed)
		return;
	/* Model: free */
	hash_del_rcu(&func->node);
	kfree_rcu(func, rcu);
}

/**
 * kgr_site_find - what is known about a site
 * @ip:	its address
 *
 * Context: process context; the function is installed, or being installed or
 * removed, under locks of the architecture.
 * Return: the site; NULL: not one of ours.
 */
struct kgr_site *kgr_site_find(unsigned long ip)
{
	struct kgr_func *func;

	guard(preempt_notrace)();
	func = kgr_func_lookup(ip);
	return func ? &func->site : NULL;
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

	func = kgr_func_lookup(site);
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

/* Entries could not be changed when that was due; no transition any more [M] */
static bool kgr_redirect_stuck;

/**
 * kgr_redirect_dead - can the entries of functions no longer be changed?
 *
 * Context: any.
 * Return: true when nothing can be applied or reverted until the next boot.
 */
bool kgr_redirect_dead(void)
{
	return READ_ONCE(kgr_redirect_stuck) || arch_kgr_dead();
}

/* Only the newest variant of a function has a say */
static bool kgr_fun_is_top(const struct kgr_patch_fun *fun)
{
	return kgr_func_top(fun->func) == fun;
}

/* The next of a patch's functions that are that; NULL: the first, no other */
static struct kgr_patch_fun *kgr_top_fun(const struct kgr_patch *patch,
					 struct kgr_patch_fun *fun)
{
	do {
		fun = kgr_linked_fun(patch, fun);
	} while (fun && !kgr_fun_is_top(fun));
	return fun;
}

#define kgr_for_each_top_fun(patch, fun)	\
	for (fun = kgr_top_fun(patch, NULL); fun; fun = kgr_top_fun(patch, fun))

/*
 * Who is in the epoch gets the body of @fun. Under the immediate model everybody
 * gets the same.
 */
static void kgr_fun_begin(struct kgr_patch_fun *fun)
{
	unsigned long there = kgr_body(fun);
	unsigned long here = kgr_body(kgr_func_below(fun));

	if (fun->patch->model == KGR_MODEL_IMMEDIATE)
		here = there = kgr_begun.apply ? there : here;
	kgr_redirect_publish(fun->func, kgr_begun.epoch, here, there);
}

static void kgr_fun_settle(struct kgr_patch_fun *fun, bool applied)
{
	unsigned long body = kgr_body(applied ? fun : kgr_func_below(fun));

	kgr_redirect_publish(fun->func, 0, body, body);
}

static unsigned int kgr_stub_specs(struct kgr_patch *patch,
				   struct kgr_stub_spec *spec)
{
	struct kgr_patch_fun *fun;
	unsigned int nr = 0;

	kgr_for_each_top_fun(patch, fun) {
		spec[nr++] = (struct kgr_stub_spec) {
			.name = fun->name,
			.site = fun->func->site.ip,
			.there = kgr_body(fun),
			.here = kgr_body(kgr_func_below(fun)),
		};
	}
	return nr;
}

/*
 * Stubs for a transition of @patch: those it has, if they choose between the
 * right bodies. Returns an error or, when there can be none, NULL: the entries
 * have to ask then.
 */
static struct kgr_stubs *kgr_stubs_get(struct kgr_patch *patch)
{
	struct kgr_patch_priv *priv = patch->priv;
	struct kgr_stubs *stubs = priv->stubs;
	struct kgr_stub_spec *spec;
	unsigned int nr;

	spec = kvcalloc(priv->nr_funs + priv->nr_taken, sizeof(*spec), GFP_KERNEL);
	if (!spec)
		return ERR_PTR(-ENOMEM);

	nr = kgr_stub_specs(patch, spec);
	if (!nr) {
		stubs = NULL;
	} else if (!stubs || !arch_kgr_stubs_match(stubs, spec, nr)) {
		stubs = arch_kgr_stubs_create(spec, nr);
		/* No entry leads to the old ones outside of a transition */
		if (!IS_ERR(stubs)) {
			kgr_redirect_release(patch);
			priv->stubs = stubs;
		}
	}
	kvfree(spec);
	return stubs == ERR_PTR(-EOPNOTSUPP) ? NULL : stubs;
}

/**
 * kgr_redirect_release - a patch needs its stubs no longer
 * @patch:	patch that is not in transition
 *
 * Context: process context, may sleep. The stubs go when nobody is in them.
 */
void kgr_redirect_release(struct kgr_patch *patch)
{
	if (patch->priv->stubs)
		arch_kgr_stubs_release(patch->priv->stubs);
	patch->priv->stubs = NULL;
}

/* Where the entry of @fun is to lead; @stub: what it leads to if it has a choice */
static struct kgr_aim kgr_fun_aim(const struct kgr_patch_fun *fun, unsigned long stub)
{
	const struct kgr_choice *choice = fun->func->choice;

	return (struct kgr_aim) {
		.site = &fun->func->site,
		.target = choice->here == choice->there ? choice->here : stub,
	};
}

static void kgr_set_installed(const struct kgr_aim *aims, unsigned int nr,
			      bool installed)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		container_of(aims[i].site, struct kgr_func, site)->installed = installed;
}

static int kgr_install(struct kgr_aim *aims, unsigned int nr)
{
	int ret = nr ? arch_kgr_install(aims, nr) : 0;

	if (!ret)
		kgr_set_installed(aims, nr, true);
	return ret;
}

/* One batch for entries that are installed already, one update for all others */
static int kgr_redirect_lead(struct kgr_patch *patch, const struct kgr_stubs *stubs)
{
	struct kgr_patch_priv *priv = patch->priv;
	unsigned int room = priv->nr_funs + priv->nr_taken;
	unsigned int fresh = 0, rest = room, number = 0;
	struct kgr_patch_fun *fun;
	unsigned long stub;
	int ret;

	kgr_for_each_top_fun(patch, fun) {
		stub = stubs ? arch_kgr_stub(stubs, number++) : KGR_AIM_HANDLER;
		priv->aims[fun->func->installed ? --rest : fresh++] = kgr_fun_aim(fun, stub);
	}

	/* Model: install */
	ret = arch_kgr_retarget(priv->aims + rest, room - rest);
	return ret ?: kgr_install(priv->aims, fresh);
}

/**
 * kgr_redirect_begin - let the functions of a patch tell two epochs apart
 * @patch:	patch whose transition begins
 * @epoch:	callers in this epoch get the bodies of @patch, all others what is
 *		below: when it is applied a number that nobody carries yet, when it
 *		is reverted the one that everybody carries
 * @apply:	direction
 *
 * Changes nothing for anybody but under %KGR_MODEL_IMMEDIATE, where it changes
 * everything for everybody.
 *
 * Context: process context, kgr_mutex held, may sleep: waits for a grace period
 * if another transition ended just now.
 * Return: 0; see arch_kgr_install() and arch_kgr_retarget() for -EBUSY, -EILSEQ,
 * -ENODEV and -ENOMEM. Nothing has changed then.
 */
int kgr_redirect_begin(struct kgr_patch *patch, u32 epoch, bool apply)
{
	struct kgr_stubs *stubs = NULL;
	struct kgr_patch_fun *fun;
	int ret;

	lockdep_assert_held(&kgr_mutex);

	if (patch->model != KGR_MODEL_IMMEDIATE)
		stubs = kgr_stubs_get(patch);
	if (IS_ERR(stubs))
		return PTR_ERR(stubs);
	if (stubs)
		arch_kgr_stubs_set_epoch(stubs, epoch);

	/* Model: reuse. Nor is any stack still checked for what the last one abandoned */
	cond_synchronize_rcu(kgr_slot_free);

	kgr_begun.epoch = epoch;
	kgr_begun.apply = apply;
	kgr_for_each_top_fun(patch, fun)
		kgr_fun_begin(fun);

	ret = kgr_redirect_lead(patch, stubs);
	if (!ret)
		return 0;

	pr_err("patch '%s': can't redirect its functions (%pe)\n",
	       patch->name, ERR_PTR(ret));
	synchronize_rcu();
	kgr_redirect_settle(patch, !apply);
	return ret;
}

/**
 * kgr_redirect_settle - everybody gets the same body from now on
 * @patch:	patch whose transition is complete
 * @applied:	the body of @patch, else the one below it
 *
 * Changes nothing for anybody: all contexts are on that side already. Entries
 * that lead to a stub lead to the body afterwards; if that can't be done they stay
 * as they are, and right, because there will be no other transition.
 *
 * Context: process context, kgr_mutex held, may sleep.
 */
void kgr_redirect_settle(struct kgr_patch *patch, bool applied)
{
	struct kgr_aim *aims = patch->priv->aims;
	struct kgr_patch_fun *fun;
	unsigned int nr = 0;
	int ret;

	lockdep_assert_held(&kgr_mutex);

	/* Model: settle */
	kgr_for_each_top_fun(patch, fun) {
		kgr_fun_settle(fun, applied);
		/* What leads to the original will be removed */
		if (fun->func->installed && fun->func->choice->here)
			aims[nr++] = kgr_fun_aim(fun, KGR_AIM_HANDLER);
	}
	kgr_slot_free = get_state_synchronize_rcu();

	ret = arch_kgr_retarget(aims, nr);
	if (ret) {
		WRITE_ONCE(kgr_redirect_stuck, true);
		pr_err("patch '%s': can't finish its redirects (%pe); they work, but nothing can be applied or reverted until the next boot\n",
		       patch->name, ERR_PTR(ret));
	}
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
 * Context: process context, kgr_mutex held, may sleep; a grace period after the
 * publication of the present choice.
 * Return: 0, or as kgr_redirect_begin(): callers go where they went.
 */
int kgr_redirect_flip(struct kgr_patch *patch, u32 epoch, bool apply)
{
	/* Model: flip */
	if (patch->model != KGR_MODEL_IMMEDIATE)
		return 0;
	return kgr_redirect_begin(patch, epoch, apply);
}

/**
 * kgr_redirect_refresh - the functions of a module do what those of others do
 * @patch:	patch that is in force or in transition
 * @obj:	object of it whose functions have just been added, by this and all
 *		other patches
 *
 * In a transition their entries ask until it is over.
 *
 * Context: process context, kgr_mutex held; nobody calls the functions yet.
 * Return: 0, or an error of arch_kgr_install().
 */
int kgr_redirect_refresh(struct kgr_patch *patch, const struct kgr_object *obj)
{
	struct kgr_aim *aims = patch->priv->aims;
	struct kgr_patch_fun *fun;
	unsigned int nr = 0;
	int ret;

	lockdep_assert_held(&kgr_mutex);

	kgr_for_each_top_fun(patch, fun) {
		if (fun->obj != obj)
			continue;
		if (kgr_transition_patch() == patch)
			kgr_fun_begin(fun);
		else
			kgr_fun_settle(fun, true);
		aims[nr++] = kgr_fun_aim(fun, KGR_AIM_HANDLER);
	}

	ret = kgr_install(aims, nr);
	if (ret)
		pr_err("patch '%s': can't redirect its functions in '%s' (%pe)\n",
		       patch->name, obj->name, ERR_PTR(ret));
	return ret;
}
ALLOW_ERROR_INJECTION(kgr_redirect_add, ERRNO);

/**
 * kgr_fun_form - what stands at the entry of a function
 * @fun:	function of a registered patch
 *
 * Context: process context, kgr_mutex held.
 * Return: form of the redirect.
 */
enum kgr_form kgr_fun_form(const struct kgr_patch_fun *fun)
{
	lockdep_assert_held(&kgr_mutex);

	if (!fun->func || !fun->func->installed)
		return KGR_FORM_NONE;
	return arch_kgr_form(&fun->func->site);
}

/**
 * kgr_redirect_end - give entries back
 * @patch:	patch that is being taken off the functions
 * @nr:		how many of its &kgr_patch_priv.aims are filled with those that no
 *		other patch replaces, aimed at their originals
 *
 * Context: process context, kgr_mutex held, may sleep.
 */
void kgr_redirect_end(struct kgr_patch *patch, unsigned int nr)
{
	struct kgr_aim *aims = patch->priv->aims;
	int ret = nr ? arch_kgr_remove(aims, nr) : 0;

	lockdep_assert_held(&kgr_mutex);

	if (!ret) {
		kgr_set_installed(aims, nr, false);
	} else if (arch_kgr_retarget(aims, nr)) {
		/* They lead to stubs, and everybody from there to the original */
		WRITE_ONCE(kgr_redirect_stuck, true);
		patch->priv->stubs = NULL;
	}
}
