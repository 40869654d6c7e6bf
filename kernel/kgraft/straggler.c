// SPDX-License-Identifier: GPL-2.0
/*
 * Stragglers: contexts that have not migrated, what is done about them, and why
 * they have not.
 *
 * Everybody left over is visited at once, then after a millisecond, and then at
 * intervals that double up to a second. Whoever runs has been sent an interrupt
 * before the first visit, which therefore sends none. The rungs of the ladder,
 * each counted:
 *
 *   stack check    threads that may migrate asleep (kernel threads under every
 *                  model, user threads under all but universe)
 *   resched        an interrupt to a thread that runs; after ten milliseconds
 *                  the CPU's stopper takes the place of one that may move inside
 *                  the kernel, and looks at its stack
 *   wake           a kernel thread asleep on an abandoned variant
 *   signal         a fake signal to a user thread, after nudge_delay_ms: a sleep
 *                  ends early, no handler runs, restartable calls restart;
 *                  after twice that time in the form that io_uring_enter(2)
 *                  heeds as well
 *
 * Interrupt levels that no task has migrated in passing are left to their CPU's
 * stopper after ten milliseconds as well. cond_resched() becomes a safe point when
 * a thread that could move there still runs after a second.
 */
#include "internal.h"

#include <linux/cpu.h>
#include <linux/ptrace.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/sched/task_stack.h>
#include <linux/smp.h>
#include <linux/string.h>
#include <linux/workqueue.h>

#include <asm/syscall.h>

#include <trace/events/ipi.h>
#include <trace/events/kgraft.h>

#define KGR_FIRST_MS	1U
#define KGR_LAST_MS	1000U
#define KGR_PATIENCE_MS	10
#define KGR_HOOK_MS	1000

/* Milliseconds until fake signals are sent, 0: never. Plain value, racy reads. */
unsigned int kgr_nudge_delay_ms = 1000;

static unsigned int kgr_interval_ms;	/* [M] */

static void kgr_straggler_work_fn(struct work_struct *work);
static DECLARE_DELAYED_WORK(kgr_straggler_work, kgr_straggler_work_fn);

/* What can be told about a thread while it is held still */
struct kgr_look {
	bool running;
	unsigned int state;
	unsigned long orig_ax;
	int stack;
	struct kgr_stack_hit hit;
};

static void kgr_count_rung(struct task_struct *task, enum kgr_rung rung)
{
	atomic_inc(&kgr_transition_patch()->priv->nudges[rung]);
	trace_kgr_nudge(task, rung);
}

static bool kgr_try_move(struct task_struct *task)
{
	if (!kgr_may_move_inside(task))
		return false;

	kgr_count_rung(task, KGR_RUNG_STACK_CHECK);
	return kgr_move_resting(task);
}

/* How hard to push in one visit; nothing: stacks of those that rest are checked */
struct kgr_push {
	bool resched;
	bool wake;
	bool signal;
	bool signal_harder;
};

/*
 * Interrupt the sleep of a user thread. No signal is pending, so that on its way
 * to user mode it finds none and restarts what can be restarted. A few sleeps
 * take notify signals for task work, do that and sleep on; those end when a
 * real signal seems to be there.
 */
static void kgr_fake_signal(struct task_struct *task, bool harder)
{
	unsigned long flags;

	kgr_count_rung(task, KGR_RUNG_SIGNAL);
	set_notify_signal(task);

	if (harder && lock_task_sighand(task, &flags)) {
		signal_wake_up(task, 0);
		unlock_task_sighand(task, &flags);
	}
}

/*
 * One visit to one thread. Returns true when it has been nudged: made to do
 * something.
 */
static bool kgr_visit(struct task_struct *task, const struct kgr_push *push)
{
	if (kgr_try_move(task))
		return true;

	if (push->signal && !(task->flags & PF_KTHREAD)) {
		kgr_fake_signal(task, push->signal_harder);
		return true;
	}

	if (task_curr(task) && push->resched) {
		kgr_count_rung(task, KGR_RUNG_RESCHED);
		if (push->wake && kgr_may_move_inside(task))
			kgr_cpu_stop_task(task);
		else
			smp_send_reschedule(task_cpu(task));
		return true;
	}

	if (push->wake && (task->flags & PF_KTHREAD)) {
		kgr_count_rung(task, KGR_RUNG_WAKE);
		wake_up_state(task, TASK_INTERRUPTIBLE);
		return true;
	}
	return false;
}

/* The idle task of a CPU that is never idle has to be moved by somebody else */
static void kgr_visit_idle(void)
{
	unsigned int cpu;

	cpus_read_lock();
	for_each_online_cpu(cpu) {
		if (kgr_task_pending(idle_task(cpu)))
			kgr_try_move(idle_task(cpu));
	}
	cpus_read_unlock();
}

/*
 * Returns how many threads have been nudged. Sets *@busy when one that could
 * move at a safe point has been found running.
 */
static unsigned int kgr_visit_all(const struct kgr_push *push, bool *busy)
{
	struct task_struct *task;
	unsigned int nudged = 0;
	pid_t cursor = 1;

	lockdep_assert_held(&kgr_mutex);

	*busy = false;
	kgr_visit_idle();
	while ((task = kgr_task_next(&cursor))) {
		nudged += kgr_visit(task, push);
		if (kgr_task_pending(task) && kgr_may_move_inside(task) &&
		    task_is_running(task))
			*busy = true;
		put_task_struct(task);
		cond_resched();
	}
	return nudged;
}

static void kgr_straggler_again(s64 age)
{
	unsigned int delay = READ_ONCE(kgr_nudge_delay_ms);
	unsigned int next = kgr_interval_ms;

	/* Be there when the signals are due */
	if (age < delay && age + next > delay)
		next = delay - age;

	kgr_interval_ms = min(kgr_interval_ms * 2, KGR_LAST_MS);
	kgr_queue_delayed(&kgr_straggler_work, next);
}

static void kgr_straggler_work_fn(struct work_struct *work)
{
	unsigned int delay = READ_ONCE(kgr_nudge_delay_ms);
	struct kgr_push push;
	unsigned int nudged;
	bool late, busy;
	s64 age;

	mutex_lock(&kgr_mutex);

	if (!kgr_transition_patch())
		goto out;

	age = kgr_transition_age_ms();
	late = age >= KGR_PATIENCE_MS;
	if (late)
		kgr_cpus_stop();
	push = (struct kgr_push) {
		.resched = true,
		.wake = late,
		.signal = delay && age >= delay,
		.signal_harder = age >= 2LL * delay,
	};
	nudged = kgr_visit_all(&push, &busy);
	kgr_event_progress(kgr_transition_patch());
	if (push.wake || push.signal)
		kgr_event_nudged(kgr_transition_patch(), nudged);
	if (age >= KGR_HOOK_MS && busy)
		kgr_safepoint_hook(true);
	kgr_straggler_again(age);
out:
	mutex_unlock(&kgr_mutex);
}

/**
 * kgr_straggler_start - visit everybody, and those left over again and again
 *
 * Context: process context, kgr_mutex held, a transition runs.
 */
void kgr_straggler_start(void)
{
	static const struct kgr_push gently;
	bool busy;

	lockdep_assert_held(&kgr_mutex);

	kgr_interval_ms = KGR_FIRST_MS;
	kgr_visit_all(&gently, &busy);
	kgr_queue_delayed(&kgr_straggler_work, KGR_FIRST_MS);
}

/**
 * kgr_straggler_stop - nobody is left
 *
 * Context: process context, kgr_mutex held. A visit that waits for the mutex
 * finds no transition, or the next one, which it does no harm.
 */
void kgr_straggler_stop(void)
{
	cancel_delayed_work(&kgr_straggler_work);
}

/**
 * kgr_nudge - nudge stragglers now, whatever nudge_delay_ms says
 * @tid:	thread in the initial pid namespace, 0: all of them
 * @nudged:	how many threads were made to do something
 *
 * Context: process context; takes kgr_mutex.
 * Return: 0; -EAGAIN: no transition runs; -ESRCH: no such thread; -EALREADY: it
 * has migrated; -EOPNOTSUPP: a transition of the quiesce model runs.
 */
int kgr_nudge(pid_t tid, unsigned int *nudged)
{
	static const struct kgr_push hard = {
		.resched = true, .wake = true, .signal = true, .signal_harder = true,
	};
	struct task_struct *task;
	bool busy;
	int ret = 0;

	guard(mutex)(&kgr_mutex);

	*nudged = 0;
	if (!kgr_transition_patch())
		return -EAGAIN;
	/* Back in the same function a moment later is what it would achieve */
	if (kgr_transition_model() == KGR_MODEL_QUIESCE)
		return -EOPNOTSUPP;

	if (!tid) {
		*nudged = kgr_visit_all(&hard, &busy);
		kgr_event_nudged(kgr_transition_patch(), *nudged);
		return 0;
	}

	rcu_read_lock();
	task = find_task_by_pid_ns(tid, &init_pid_ns);
	if (task)
		get_task_struct(task);
	rcu_read_unlock();
	if (!task)
		return -ESRCH;

	if (kgr_task_pending(task))
		*nudged = kgr_visit(task, &hard);
	else
		ret = -EALREADY;
	put_task_struct(task);
	kgr_event_nudged(kgr_transition_patch(), *nudged);
	return ret;
}

static int kgr_look_at(struct task_struct *task, void *arg)
{
	struct kgr_look *look = arg;

	look->running = task_curr(task);
	look->state = READ_ONCE(task->__state);
	if (look->running || !try_get_task_stack(task))
		return 0;

	look->stack = kgr_stack_check(task, &look->hit);
	look->orig_ax = task_pt_regs(task)->orig_ax;
	put_task_stack(task);
	return 0;
}

static enum kgraft_reason kgr_reason(struct task_struct *task,
				     const struct kgr_look *look)
{
	bool kernel = kgr_task_is_kernel(task) || is_idle_task(task);

	if (look->running) {
		if (task->flags & PF_VCPU)
			return KGRAFT_REASON_IN_GUEST;
		return kernel ? KGRAFT_REASON_KTHREAD_NO_SAFE_POINT :
				KGRAFT_REASON_RUNNING_IN_KERNEL;
	}
	if (look->stack == -EADDRINUSE)
		return KGRAFT_REASON_IN_PATCHED_FUNCTION;
	if (look->state & (__TASK_STOPPED | __TASK_TRACED))
		return KGRAFT_REASON_STOPPED_OR_TRACED;
	if (look->stack && kgr_may_move_inside(task))
		return KGRAFT_REASON_UNRELIABLE_STACK;
	if (look->state == TASK_RUNNING)
		return KGRAFT_REASON_RUNNABLE_NOT_RUNNING;
	if (kernel)
		return KGRAFT_REASON_KTHREAD_NO_SAFE_POINT;
	/* A system call has its number there */
	if (look->orig_ax == -1UL)
		return KGRAFT_REASON_IN_EXCEPTION;
	if (look->state & TASK_UNINTERRUPTIBLE)
		return KGRAFT_REASON_UNINTERRUPTIBLE;
	return KGRAFT_REASON_IN_SYSCALL;
}

static enum kgraft_kind kgr_kind(const struct task_struct *task)
{
	if (is_idle_task(task))
		return KGRAFT_KIND_IDLE;
	if (task->flags & PF_KTHREAD)
		return KGRAFT_KIND_KTHREAD;
	return kgr_task_is_kernel(task) ? KGRAFT_KIND_WORKER : KGRAFT_KIND_USER;
}

static pid_t kgr_tracer(struct task_struct *task)
{
	struct task_struct *tracer;
	pid_t pid = 0;

	rcu_read_lock();
	tracer = ptrace_parent(task);
	if (tracer)
		pid = task_pid_nr_ns(tracer, &init_pid_ns);
	rcu_read_unlock();
	return pid;
}

/**
 * kgr_straggler_look - what is to be said about this thread?
 * @task:	a thread or idle task that the caller keeps from going away
 * @s:		where to say it
 *
 * Context: process context; takes scheduler locks for a moment.
 */
void kgr_straggler_look(struct task_struct *task, struct kgr_straggler *s)
{
	struct kgr_look look = { };

	task_call_func(task, kgr_look_at, &look);

	*s = (struct kgr_straggler) {
		.kind = kgr_kind(task),
		.reason = kgr_reason(task, &look),
		.cpu = task_cpu(task),
		.hit = look.hit,
	};
	/* It may be changing its name: then this has a bit of both */
	strscpy_pad(s->comm, task->comm);
	if (!is_idle_task(task)) {
		s->pid = task_tgid_nr(task);
		s->tid = task_pid_nr(task);
	}
	if (s->reason == KGRAFT_REASON_IN_SYSCALL)
		s->syscall = look.orig_ax;
	if (s->reason == KGRAFT_REASON_STOPPED_OR_TRACED)
		s->tracer = kgr_tracer(task);
	if (!look.running && look.state != TASK_RUNNING)
		s->wchan = get_wchan(task);
}

/**
 * kgr_straggler_task - why has this thread not migrated?
 * @task:	a thread or idle task that the caller keeps from going away
 * @s:		where to say it
 *
 * Context: process context; takes scheduler locks for a moment.
 * Return: false when it has migrated.
 */
bool kgr_straggler_task(struct task_struct *task, struct kgr_straggler *s)
{
	if (!kgr_task_pending(task))
		return false;

	kgr_straggler_look(task, s);
	return true;
}

/**
 * kgr_straggler_cpu - has the interrupt level of this CPU not migrated?
 * @cpu:	a CPU
 * @s:		where to say it
 *
 * Context: any.
 * Return: false when it has.
 */
bool kgr_straggler_cpu(unsigned int cpu, struct kgr_straggler *s)
{
	if (!kgr_irq_pending(cpu))
		return false;

	*s = (struct kgr_straggler) {
		.kind = KGRAFT_KIND_CPU,
		.reason = KGRAFT_REASON_IRQ_CPU,
		.cpu = cpu,
	};
	return true;
}
