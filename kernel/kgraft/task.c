// SPDX-License-Identifier: GPL-2.0
/*
 * The epoch of a thread, from fork to its last switch.
 *
 * A thread that has to migrate carries two bits. TIF_KGRAFT is the one that
 * counts: whoever clears it, the thread itself or somebody who holds it still,
 * has claimed the migration, and only one can. SYSCALL_WORK_KGRAFT makes the
 * entry code look; when it is set without the other it does no harm.
 *
 * A thread past exit_notify() no longer has a bit. It is counted by the epoch
 * that it carries and keeps, in one of a few slots, until the scheduler has
 * switched away from it.
 */
#include "internal.h"

#include <linux/error-injection.h>
#include <linux/export.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>

#include <trace/events/kgraft.h>

/*
 * Dying threads by the epoch that they carry. Two epochs are live at a time,
 * one more for each reversal under the immediate model; kgr_epoch_next() hands
 * out no number whose slot is in use.
 */
#define KGR_DYING_SLOTS	64
static atomic_t kgr_dying[KGR_DYING_SLOTS];

static atomic_t *kgr_dying_slot(u32 epoch)
{
	return &kgr_dying[epoch % KGR_DYING_SLOTS];
}

/**
 * kgr_task_pending - has this thread yet to migrate?
 * @task:	any thread
 *
 * Context: any.
 * Return: true when a transition runs and waits for it.
 */
bool kgr_task_pending(struct task_struct *task)
{
	return test_tsk_thread_flag(task, TIF_KGRAFT);
}

/**
 * kgr_task_is_kernel - does this thread never leave the kernel?
 * @task:	any thread
 *
 * Kernel threads, idle tasks, and those user threads that are created to work
 * in the kernel (io_uring, vhost).
 *
 * Context: any.
 * Return: true when it does not.
 */
bool kgr_task_is_kernel(const struct task_struct *task)
{
	return task->flags & (PF_KTHREAD | PF_USER_WORKER | PF_IO_WORKER);
}

static void kgr_task_set_bits(struct task_struct *task)
{
	set_tsk_thread_flag(task, TIF_KGRAFT);
	set_task_syscall_work(task, KGRAFT);
}

static bool kgr_task_clear_bits(struct task_struct *task)
{
	clear_task_syscall_work(task, KGRAFT);
	/* Model: clear; (B) pairs with (C) in kgr_mark_all(); orders by itself */
	return test_and_clear_tsk_thread_flag(task, TIF_KGRAFT);
}

/**
 * kgr_task_mark - make a thread migrate if it is not where it should be
 * @task:	thread on the task list, or an idle task
 *
 * Context: tasklist_lock held, or cpu_hotplug_lock for idle tasks.
 * Return: true when it has been marked and counted.
 */
bool kgr_task_mark(struct task_struct *task)
{
	if (task->kgr_dying || READ_ONCE(task->kgr_epoch) == kgr_target_epoch())
		return false;

	/* Model: mark */
	kgr_pending_get();
	kgr_task_set_bits(task);
	return true;
}

/**
 * kgr_task_unmark - take the mark back
 * @task:	thread on the task list, or an idle task
 *
 * Context: any.
 * Return: true when it was still marked; the caller has to
 * account for that.
 */
bool kgr_task_unmark(struct task_struct *task)
{
	/* Model: unmark */
	return kgr_task_clear_bits(task);
}

/**
 * kgr_task_claim - migrate a thread
 * @task:	%current, or a thread that can't start to run meanwhile
 * @point:	where, &enum kgr_point
 *
 * Context: preemption disabled. The stack of @task holds no abandoned variant.
 * Return: true when it has migrated by this call; the caller owes a
 * kgr_pending_put() once it holds no scheduler lock.
 */
bool kgr_task_claim(struct task_struct *task, unsigned int point)
{
	u32 target;

	/* Model: claim */
	if (!kgr_task_clear_bits(task))
		return false;

	target = kgr_target_epoch();
	WRITE_ONCE(task->kgr_epoch, target);
	kgr_check_moved(task, point);
	trace_kgr_migrate(task, target, point);
	return true;
}

static void kgr_migrate_current(unsigned int point)
{
	/* Model: pass */
	preempt_disable_notrace();

	if (kgr_task_claim(current, point))
		kgr_pending_put();
	kgr_irq_migrate();

	preempt_enable_notrace();
}

/**
 * kgr_enter_from_user_mode - safe point: a system call begins
 *
 * Context: first thing that syscall_trace_enter() does; interrupts on.
 */
void kgr_enter_from_user_mode(void)
{
	kgr_migrate_current(KGR_POINT_ENTRY);
}

/**
 * kgr_exit_to_user_mode - safe point: about to return to user mode
 *
 * Context: end of exit_to_user_mode_loop(); interrupts off, nothing left to do.
 */
void kgr_exit_to_user_mode(void)
{
	kgr_migrate_current(KGR_POINT_EXIT);
}

/**
 * kgr_task_fork - a new thread takes the universe of its creator
 * @child:	thread about to be put on the task list, or an idle task
 *
 * Its bits were copied with the rest long ago and may be out of date.
 *
 * Context: copy_process(), past the last failure; tasklist_lock held for
 * writing, so that no walk marks or unmarks anybody meanwhile.
 */
void kgr_task_fork(struct task_struct *child)
{
	/* Model: fork */
	child->kgr_epoch = current->kgr_epoch;
	child->kgr_dying = 0;
	kgr_task_clear_bits(child);

	/* CPU hotplug looks after idle tasks */
	if (child->pid && kgr_task_pending(current)) {
		kgr_pending_get();
		kgr_task_set_bits(child);
	}
}

/**
 * kgr_task_exit - a thread is about to become a zombie
 * @task:	%current
 *
 * From here on it may vanish from the task list at any time and still run. It
 * does not migrate any more; the transition waits for its end.
 *
 * Context: exit_notify(), tasklist_lock held for writing.
 */
void kgr_task_exit(struct task_struct *task)
{
	/* Model: exit. Into the one count before out of the other */
	task->kgr_dying = 1;
	atomic_inc(kgr_dying_slot(task->kgr_epoch));
	if (kgr_task_clear_bits(task))
		kgr_pending_put();
}

/**
 * kgr_task_dead - a thread has run for the last time
 * @task:	thread that the scheduler has just switched away from
 *
 * Context: finish_task_switch(), preemption disabled, runqueue unlocked.
 */
void kgr_task_dead(struct task_struct *task)
{
	kgr_check_forget(task);

	if (!task->kgr_dying) {
		/* It died of an oops while it was dying */
		if (kgr_task_claim(task, KGR_POINT_DEAD))
			kgr_pending_put();
		return;
	}

	/*
	 * Model: dead
	 * (E) pairs with (F) in kgr_transition_over(); orders by itself
	 */
	if (atomic_dec_and_test(kgr_dying_slot(task->kgr_epoch)))
		kgr_transition_kick();
}

/**
 * kgr_dying_done - are all threads dead that died in another epoch?
 *
 * Context: any.
 * Return: true when each dying thread carries the target epoch.
 */
bool kgr_dying_done(void)
{
	atomic_t *target = kgr_dying_slot(kgr_target_epoch());
	unsigned int i;

	for (i = 0; i < KGR_DYING_SLOTS; i++) {
		if (&kgr_dying[i] != target && atomic_read(&kgr_dying[i]))
			return false;
	}
	return true;
}

/**
 * kgr_dying_any - is any thread dying?
 *
 * Context: any; the answer stays true as long as no thread runs.
 * Return: true when one is between exit_notify() and its last switch.
 */
bool kgr_dying_any(void)
{
	unsigned int i;

	for (i = 0; i < KGR_DYING_SLOTS; i++) {
		if (atomic_read(&kgr_dying[i]))
			return true;
	}
	return false;
}

/**
 * kgr_epoch_next - a number that no context carries
 * @from:	epoch that all contexts carried when the transition began
 * @first:	first number that was taken for it since, 0 when it is only beginning
 * @epoch:	where to put the number; never 0
 *
 * Any of the numbers since may be carried by a dying thread, so that all have to
 * have slots of their own.
 *
 * Context: kgr_mutex held.
 * Return: 0; -EAGAIN: there is no free slot, after too many reversals of one
 * transition under the immediate model, or within an instant.
 */
int kgr_epoch_next(u32 from, u32 first, u32 *epoch)
{
	static u32 last;
	unsigned int i;

	lockdep_assert_held(&kgr_mutex);

	for (i = 0; i < KGR_DYING_SLOTS; i++) {
		u32 next = last + 1;

		if (first && next - first >= KGR_DYING_SLOTS)
			return -EAGAIN;
		last = next;
		if (next && kgr_dying_slot(next) != kgr_dying_slot(from) &&
		    !atomic_read(kgr_dying_slot(next))) {
			*epoch = next;
			return 0;
		}
	}
	return -EAGAIN;
}
ALLOW_ERROR_INJECTION(kgr_epoch_next, ERRNO);

/**
 * kgr_tasks_mark - mark every thread that is not in the target epoch
 *
 * Context: process context, kgr_mutex held; takes tasklist_lock.
 */
void kgr_tasks_mark(void)
{
	struct task_struct *group, *task;

	read_lock(&tasklist_lock);
	for_each_process_thread(group, task)
		kgr_task_mark(task);
	read_unlock(&tasklist_lock);
}

/**
 * kgr_tasks_unmark - take the marks of all threads back
 *
 * Migrations that have begun go on until a grace period is over.
 *
 * Context: process context, kgr_mutex held; takes tasklist_lock.
 */
void kgr_tasks_unmark(void)
{
	struct task_struct *group, *task;

	read_lock(&tasklist_lock);
	for_each_process_thread(group, task) {
		if (kgr_task_unmark(task))
			kgr_pending_put();
	}
	read_unlock(&tasklist_lock);
}

/**
 * kgr_tasks_force - give every thread the target epoch, whatever it is doing
 *
 * Context: process context, kgr_mutex held, nobody is marked; takes tasklist_lock.
 */
void kgr_tasks_force(void)
{
	struct task_struct *group, *task;
	u32 target = kgr_target_epoch();

	read_lock(&tasklist_lock);
	for_each_process_thread(group, task) {
		/* Who is dying is counted by the epoch that it carries */
		if (task->kgr_dying || READ_ONCE(task->kgr_epoch) == target)
			continue;
		WRITE_ONCE(task->kgr_epoch, target);
		kgr_check_moved(task, KGR_POINT_FORCED);
		trace_kgr_migrate(task, target, KGR_POINT_FORCED);
	}
	read_unlock(&tasklist_lock);
}

/**
 * kgr_thread_next - walk all threads
 * @cursor:	thread id to begin at; on return, where to go on
 * @pending:	only those that have yet to migrate
 *
 * By thread id, without a lock between two calls, so that any number of them
 * can be visited. A thread that is created meanwhile may be missed.
 *
 * Context: process context.
 * Return: the next thread, with a reference that the caller puts, or NULL.
 */
struct task_struct *kgr_thread_next(pid_t *cursor, bool pending)
{
	struct task_struct *task = NULL;
	struct pid *pid;

	rcu_read_lock();
	while ((pid = find_ge_pid(*cursor, &init_pid_ns))) {
		*cursor = pid_nr_ns(pid, &init_pid_ns) + 1;
		task = pid_task(pid, PIDTYPE_PID);
		if (task && (!pending || kgr_task_pending(task))) {
			get_task_struct(task);
			break;
		}
		task = NULL;
	}
	rcu_read_unlock();

	return task;
}

/* The next thread that has yet to migrate; see kgr_thread_next() */
struct task_struct *kgr_task_next(pid_t *cursor)
{
	return kgr_thread_next(cursor, true);
}
