// SPDX-License-Identifier: GPL-2.0
/*
 * Does a stack hold a variant that is being abandoned?
 *
 * Abandoned is what a context must not return into once it has migrated: when
 * a patch is applied, the bodies below it on the stacks of its functions; when
 * it is reverted, all text of its module, since helpers of a new body
 * may stand on a stack alone after a tail call, the originals of functions that
 * it takes back, and the redirect sites, where a task may be on its way into the
 * module.
 */
#include "internal.h"
#include "ranges.h"

#include <linux/error-injection.h>
#include <linux/kallsyms.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/sched/task_stack.h>
#include <linux/slab.h>
#include <linux/stacktrace.h>

/* [M, readers under preempt_disable()] NULL: nothing is being abandoned */
static struct kgr_ranges __rcu *kgr_ranges;

struct kgr_walk {
	const struct kgr_ranges *ranges;
	struct kgr_stack_hit *hit;
	bool found;
};

static bool kgr_walk_entry(void *cookie, unsigned long addr)
{
	struct kgr_walk *walk = cookie;

	if (walk->found) {
		walk->hit->caller = addr;
		return false;
	}
	if (!kgr_ranges_have(walk->ranges, addr))
		return true;

	walk->found = true;
	if (!walk->hit)
		return false;

	walk->hit->addr = addr;
	walk->hit->caller = 0;
	return true;
}

/* Does something else know return addresses that are not on the stack? */
static bool kgr_return_hooks(const struct task_struct *task)
{
#ifdef CONFIG_FUNCTION_GRAPH_TRACER
	if (task->ret_stack && READ_ONCE(task->curr_ret_stack))
		return true;
#endif
#ifdef CONFIG_RETHOOK
	if (!llist_empty(&task->rethooks))
		return true;
#endif
#if defined(CONFIG_KRETPROBES) && !defined(CONFIG_KRETPROBE_ON_RETHOOK)
	if (!llist_empty(&task->kretprobe_instances))
		return true;
#endif
	return false;
}

/*
 * A task that blocked has come to the scheduler by calls alone: whatever it will
 * return into is a word on its stack. When no word is in a range, there is
 * nothing to unwind. One that was preempted may stand anywhere, such as in a
 * redirect, and is left to the unwinder.
 */
static bool kgr_scan_clean(struct task_struct *task,
			   const struct kgr_ranges *ranges)
{
	unsigned long *word, *end;

	if (task == current || READ_ONCE(task->on_rq) || kgr_return_hooks(task))
		return false;

	end = (unsigned long *)task_pt_regs(task);
	for (word = (unsigned long *)arch_kgr_saved_sp(task); word < end; word++) {
		if (kgr_ranges_have(ranges, *word))
			return false;
	}
	return true;
}

/**
 * kgr_stack_check - look for abandoned variants on a task's stack
 * @task:	%current, or a task that can't start to run meanwhile
 * @hit:	where to say what was found, or NULL
 *
 * Context: preemption disabled. Takes no lock.
 * Return: 0: there is none, the task may change universe; -EADDRINUSE: there is
 * one; -EINVAL: the stack can't be walked reliably.
 */
int kgr_stack_check(struct task_struct *task, struct kgr_stack_hit *hit)
{
	struct kgr_walk walk = { .hit = hit };
	int ret;

	/*
	 * Model: walk
	 * (H) pairs with (C) in kgr_mark_all(), so that a caller that has seen a
	 * mark sees the ranges that the mark was set for
	 */
	smp_rmb();
	walk.ranges = rcu_dereference_sched(kgr_ranges);
	if (!walk.ranges)
		return 0;

	/* The stack of a dead task is empty */
	if (!try_get_task_stack(task))
		return 0;

	ret = 0;
	if (!kgr_scan_clean(task, walk.ranges))
		ret = arch_stack_walk_reliable(kgr_walk_entry, &walk, task);
	put_task_stack(task);

	if (walk.found)
		return -EADDRINUSE;
	return ret ? -EINVAL : 0;
}

static int kgr_range_add_whole(void *data, unsigned long addr)
{
	kgr_ranges_add(data, addr, addr + kgr_resolve_size(addr));
	return 0;
}

static int kgr_range_count(void *data, unsigned long addr)
{
	++*(unsigned int *)data;
	return 0;
}

/*
 * GCC moves unlikely parts of a function into a symbol of its own. Those of
 * namesakes are taken too: that may cost time, never consistency.
 */
static int kgr_each_cold(const char *objname, const char *function,
			 int (*fn)(void *, unsigned long), void *data)
{
	char *name = kasprintf(GFP_KERNEL, "%s.cold", function);

	if (!name)
		return -ENOMEM;
	kgr_resolve_each(objname, name, fn, data);
	kfree(name);
	return 0;
}

static void kgr_range_add_module(struct kgr_ranges *ranges,
				 const struct module *mod)
{
	const struct module_memory *text = &mod->mem[MOD_TEXT];

	kgr_ranges_add(ranges, (unsigned long)text->base,
		       (unsigned long)text->base + text->size);
}

static int kgr_range_add_original(struct kgr_ranges *ranges,
				  const struct kgr_patch_fun *fun)
{
	unsigned long addr = kgr_func_address(fun->func);

	kgr_ranges_add(ranges, addr - ARCH_KGR_PREFIX_BYTES,
		       addr + kgr_resolve_size(addr));
	return kgr_each_cold(fun->objname, fun->name, kgr_range_add_whole, ranges);
}

static int kgr_range_add_fun(struct kgr_ranges *ranges,
			     const struct kgr_patch_fun *fun, bool apply)
{
	const struct kgr_patch_fun *below = kgr_func_below(fun);
	unsigned long addr = kgr_func_address(fun->func);

	/* The body below it, or what it stands for itself */
	if (apply ? !below : kgr_fun_is_taken(fun))
		return kgr_range_add_original(ranges, fun);

	/* A task in the redirect may be bound for the abandoned body */
	kgr_ranges_add(ranges, addr - ARCH_KGR_PREFIX_BYTES,
		       arch_kgr_site_end(kgr_func_site(fun->func)));
	if (apply)
		kgr_range_add_module(ranges, below->patch->owner);
	return 0;
}

/* What the patch does not replace but wants nobody in; see kgr_stack_resolve() */
static int kgr_range_add_clear_of(struct kgr_ranges *ranges,
				  const struct kgr_patch *patch)
{
	const char * const *name;
	unsigned long addr;
	int ret = 0;

	for (name = patch->clear_of; !ret && name && *name; name++) {
		ret = kgr_resolve(NULL, *name, 0, &addr);
		if (ret)
			break;
		kgr_range_add_whole(ranges, addr);
		ret = kgr_each_cold(NULL, *name, kgr_range_add_whole, ranges);
	}
	return ret;
}

/* How many ranges there may be, or -ENOMEM */
static int kgr_ranges_room(const struct kgr_patch *patch)
{
	const struct kgr_patch_fun *fun;
	const char * const *name;
	unsigned int room = 1;
	int ret;

	kgr_for_each_linked_fun(patch, fun) {
		room += 2;
		ret = kgr_each_cold(fun->objname, fun->name, kgr_range_count, &room);
		if (ret)
			return ret;
	}
	for (name = patch->clear_of; name && *name; name++) {
		room++;
		ret = kgr_each_cold(NULL, *name, kgr_range_count, &room);
		if (ret)
			return ret;
	}
	return room;
}

/**
 * kgr_stack_resolve - can all the names be found that a patch wants nobody in?
 * @patch:	patch that is to be registered
 *
 * Context: process context, may sleep.
 * Return: 0; -ENOENT, -EINVAL: see kgr_resolve().
 */
int kgr_stack_resolve(const struct kgr_patch *patch)
{
	const char * const *name;
	unsigned long addr;
	int ret = 0;

	for (name = patch->clear_of; !ret && name && *name; name++)
		ret = kgr_resolve(NULL, *name, 0, &addr);
	return ret;
}

/**
 * kgr_stack_abandon - say what a transition abandons
 * @patch:	patch in transition, on top of its functions
 * @apply:	the bodies below it are abandoned, else its own
 *
 * Replaces what the last call said.
 *
 * Context: process context, kgr_mutex held, may sleep.
 * Return: 0, or -ENOMEM and nothing has changed.
 */
int kgr_stack_abandon(struct kgr_patch *patch, bool apply)
{
	struct kgr_ranges *ranges, *old;
	struct kgr_patch_fun *fun;
	int room, ret;

	lockdep_assert_held(&kgr_mutex);

	room = kgr_ranges_room(patch);
	if (room < 0)
		return room;

	ranges = kgr_ranges_alloc(room);
	if (!ranges)
		return -ENOMEM;

	ret = kgr_range_add_clear_of(ranges, patch);
	kgr_for_each_linked_fun(patch, fun) {
		if (ret)
			break;
		ret = kgr_range_add_fun(ranges, fun, apply);
	}
	if (ret) {
		kvfree(ranges);
		return ret;
	}
	if (!apply)
		kgr_range_add_module(ranges, patch->owner);

	kgr_ranges_seal(ranges);

	/* Model: abandon */
	old = rcu_replace_pointer(kgr_ranges, ranges, lockdep_is_held(&kgr_mutex));
	if (old)
		kvfree_rcu(old, rcu);
	return 0;
}
ALLOW_ERROR_INJECTION(kgr_stack_abandon, ERRNO);

/**
 * kgr_stack_forget - nothing is being abandoned any more
 *
 * Context: process context, kgr_mutex held.
 */
void kgr_stack_forget(void)
{
	struct kgr_ranges *old;

	/* Model: forget */
	old = rcu_replace_pointer(kgr_ranges, NULL, lockdep_is_held(&kgr_mutex));
	if (old)
		kvfree_rcu(old, rcu);
}
