// SPDX-License-Identifier: GPL-2.0
/*
 * The stack of variants of each patched function: which patch lies on which.
 *
 * What stands at the entry of these functions is in redirect.c.
 */
#include "internal.h"

#include <linux/err.h>
#include <linux/list.h>
#include <linux/lockdep.h>

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
	return func->site.ip;
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
	if (!func)
		func = kgr_func_create(site, addr);
	return func ?: ERR_PTR(-ENOMEM);
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
	WRITE_ONCE(func->owner, fun->patch->name);
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
	struct kgr_func *func = fun->func;

	list_del(&fun->stack_node);
	if (list_empty(&func->stack))
		kgr_func_destroy(func);
	else
		WRITE_ONCE(func->owner, kgr_func_top(func)->patch->name);
	fun->func = NULL;
}

/**
 * kgr_redirect_owner - who has patched the function at this site?
 * @site:	address of a redirect site
 *
 * Context: rcu_read_lock() held for as long as the name is used.
 * Return: name of the newest patch of the function, "?" when there is none.
 */
const char *kgr_redirect_owner(unsigned long site)
{
	struct kgr_func *func = kgr_func_find(site);

	return func ? READ_ONCE(func->owner) ?: "?" : "?";
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

/* Aims at the originals for the functions that @patch is alone on */
static unsigned int kgr_own_aims(struct kgr_patch *patch,
				 const struct kgr_some *some)
{
	struct kgr_aim *aims = patch->priv->aims;
	struct kgr_patch_fun *fun;
	unsigned int nr = 0;

	kgr_for_each_linked_fun(patch, fun) {
		if (kgr_fun_among(fun, some) && fun->func->installed &&
		    list_is_singular(&fun->func->stack))
			aims[nr++] = (struct kgr_aim) { &fun->func->site, 0 };
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
 * No entry is changed by that; kgr_redirect_begin() and kgr_redirect_refresh() do.
 *
 * Context: process context, kgr_mutex held, may sleep.
 * Return: 0; -ENOENT, -EINVAL: see kgr_resolve_fun(); -EINVAL: a function can't
 * be redirected or is named twice; -EBUSY: a patch of another set holds one;
 * -ENOMEM. Nothing has changed then.
 */
int kgr_redirect_add(struct kgr_patch *patch, const struct kgr_object *obj)
{
	const struct kgr_some some = { .obj = obj };
	struct kgr_patch_fun *fun;
	int ret;

	lockdep_assert_held(&kgr_mutex);

	kgr_for_each_fun(patch, fun) {
		if (!kgr_fun_among(fun, &some))
			continue;
		ret = kgr_fun_link(fun);
		if (ret) {
			kgr_unlink(patch, &some);
			return ret;
		}
	}
	return 0;
}

static void kgr_remove_some(struct kgr_patch *patch, const struct kgr_some *some)
{
	lockdep_assert_held(&kgr_mutex);

	/* Model: remove */
	kgr_redirect_end(patch, kgr_own_aims(patch, some));
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
