// SPDX-License-Identifier: GPL-2.0
/*
 * Safe points inside the kernel, for threads that never or seldom leave it.
 *
 * A thread is on its own stack there, in its main function at least, so that it
 * migrates only after that stack has been found free of abandoned variants.
 */
#include "internal.h"

#include <linux/export.h>

#include <trace/events/kgraft.h>

/**
 * kgr_may_move_inside - may this thread migrate inside the kernel?
 * @task:	any thread
 *
 * Under the universe model a user thread moves at kernel entry and exit and
 * nowhere else.
 *
 * Context: any, while a transition runs.
 * Return: true when it may, if only its stack is clean.
 */
bool kgr_may_move_inside(const struct task_struct *task)
{
	return kgr_task_is_kernel(task) ||
	       kgr_transition_model() != KGR_MODEL_UNIVERSE;
}

/* task_call_func(): migrate @task if it does not run and its stack is clean */
static int kgr_move_if_clean(struct task_struct *task, void *unused)
{
	int ret;

	/* Model: hold */
	if (task_curr(task))
		return -EBUSY;

	ret = kgr_stack_check(task, NULL);
	if (ret)
		return ret;

	return kgr_task_claim(task, KGR_POINT_ASLEEP) ? 0 : -EALREADY;
}

/**
 * kgr_move_resting - migrate a thread that does not run if its stack is clean
 * @task:	a thread that may move inside the kernel, not %current
 *
 * Context: process context, takes scheduler locks for a moment.
 * Return: true when it has migrated by this call.
 */
bool kgr_move_resting(struct task_struct *task)
{
	if (task_call_func(task, kgr_move_if_clean, NULL))
		return false;

	kgr_pending_put();
	return true;
}

/**
 * __kgr_task_safe - slow path of kgr_task_safe()
 *
 * User threads come by here, too, in try_to_freeze() and cond_resched().
 *
 * Context: any; does nothing at interrupt level. Never sleeps.
 */
void __kgr_task_safe(void)
{
	if (kgr_in_interrupt())
		return;

	preempt_disable_notrace();

	kgr_irq_migrate();

	/* Model: safe-point */
	if (kgr_task_pending(current) && kgr_may_move_inside(current) &&
	    !kgr_stack_check(current, NULL) &&
	    kgr_task_claim(current, KGR_POINT_SAFE_POINT))
		kgr_pending_put();

	preempt_enable_notrace();
}
EXPORT_SYMBOL(__kgr_task_safe);

/**
 * __kgr_sched_try_switch - safe point in cond_resched()
 *
 * Context: task context.
 */
void __kgr_sched_try_switch(void)
{
	if (unlikely(kgr_task_pending(current)))
		__kgr_task_safe();
}
EXPORT_SYMBOL(__kgr_sched_try_switch);

#if defined(CONFIG_PREEMPT_DYNAMIC) && defined(CONFIG_HAVE_PREEMPT_DYNAMIC_CALL)

static void kgr_hook_enable(void)
{
	sched_dynamic_kgr_enable();
}

static void kgr_hook_disable(void)
{
	sched_dynamic_kgr_disable();
}

#else

DEFINE_STATIC_KEY_FALSE(kgr_sched_try_switch_key);
EXPORT_SYMBOL(kgr_sched_try_switch_key);

static void kgr_hook_enable(void)
{
	static_branch_enable(&kgr_sched_try_switch_key);
}

static void kgr_hook_disable(void)
{
	static_branch_disable(&kgr_sched_try_switch_key);
}

#endif

/**
 * kgr_safepoint_hook - make cond_resched() a safe point, or stop that
 * @enable:	which; calling it twice with the same value does nothing
 *
 * It changes thousands of call sites, so that it is done only when a transition
 * is held up by threads that do not sleep.
 *
 * Context: process context, kgr_mutex held, may sleep.
 */
void kgr_safepoint_hook(bool enable)
{
	static bool enabled;	/* [M] */

	lockdep_assert_held(&kgr_mutex);

	if (enable == enabled)
		return;
	enabled = enable;
	if (enable)
		kgr_hook_enable();
	else
		kgr_hook_disable();
}
