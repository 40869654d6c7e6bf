// SPDX-License-Identifier: GPL-2.0
/*
 * The quiesce model: all contexts migrate at one instant, at which no stack holds
 * anything abandoned. For that instant all CPUs are stopped, which no other
 * model does.
 *
 * An attempt looks at everybody twice. First while the system runs: whoever does
 * not run has its stack checked, and who is found clean is written down with the
 * number of times that it has been switched away from. If anybody is not, that is
 * it: the machine isn't stopped. Then with all CPUs
 * stopped: a thread that was clean and has not been switched since, has not run,
 * and is clean still; what is left to check is whoever has run in the meantime,
 * that is a few. When all are clean, each context's epoch is written.
 *
 * While the CPUs are stopped nothing is allocated and nobody is waited for but
 * the other CPUs, and the check is given up after KGR_STOP_LIMIT_MS. After an
 * attempt that failed the next one follows, at intervals that double, until the
 * deadline of the transition (deadline.c). Until an attempt succeeds nothing has
 * changed for anybody, so that giving up needs no migration: no context carries a
 * mark under this model.
 */
#include "internal.h"

#include <linux/bsearch.h>
#include <linux/cpu.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/stat.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/stop_machine.h>
#include <linux/string_choices.h>
#include <linux/workqueue.h>

#include <trace/events/kgraft.h>

#define KGR_FIRST_RETRY_MS	2U
#define KGR_LAST_RETRY_MS	512U

/* A check that has not come to its end by then is given up */
#define KGR_STOP_LIMIT_MS	100

/* So many are told by name when they were found with the CPUs stopped */
#define KGR_FOUND_MAX		16

/* A thread whose stack was clean, and how often it had been switched away from */
struct kgr_seen {
	struct task_struct *task;
	unsigned long switches;
};

/* A thread whose stack was not, when the CPUs were stopped */
struct kgr_found {
	struct task_struct *task;
	int error;
	struct kgr_stack_hit hit;
};

/**
 * struct kgr_attempt - one try to have the instant
 * @epoch:	where everybody is to go
 * @seen:	who was clean while the system ran, by address [M]
 * @nr_seen:	how many
 * @room:	room in @seen
 * @total:	contexts that were met while the system ran
 * @blocked:	threads that can't migrate, found while the system ran
 *
 * From here on used by those who are in the stop, one of them at a time but for
 * the atomic ones:
 *
 * @limit:	when to give up
 * @arrived:	CPUs that have looked at themselves [A]
 * @dirty:	CPUs whose own stopper has an abandoned variant on its stack [A]
 * @verdict:	0 until it is known; 1: migrate, or a negative errno [A]
 * @left:	CPUs that have written their epoch, or not [A]
 * @nr_found:	threads that can't migrate
 * @found:	the first ones
 * @ended:	when the last CPU was done
 */
struct kgr_attempt {
	u32 epoch;
	struct kgr_seen *seen;
	unsigned int nr_seen;
	unsigned int room;
	unsigned int total;
	unsigned int blocked;
	ktime_t limit;
	atomic_t arrived;
	atomic_t dirty;
	atomic_t verdict;
	atomic_t left;
	unsigned int nr_found;
	struct kgr_found found[KGR_FOUND_MAX];
	ktime_t ended;
};

static u32 kgr_goal;			/* [M] epoch that is wanted */
static unsigned int kgr_retry_ms;	/* [M] */
static int kgr_obstacle;		/* [M] of the last attempt; 0: see left.c */

static void kgr_quiesce_work_fn(struct work_struct *work);
static DECLARE_DELAYED_WORK(kgr_quiesce_work, kgr_quiesce_work_fn);

static unsigned long kgr_switches(const struct task_struct *task)
{
	return READ_ONCE(task->nvcsw) + READ_ONCE(task->nivcsw);
}

/* While the system runs */

static int kgr_seen_order(const void *a, const void *b)
{
	const struct kgr_seen *x = a, *y = b;

	return x->task < y->task ? -1 : x->task > y->task;
}

/* task_call_func(): 0: clean, and not running; -EBUSY: running */
static int kgr_see(struct task_struct *task, void *switches)
{
	if (task_curr(task))
		return -EBUSY;

	*(unsigned long *)switches = kgr_switches(task);
	return kgr_stack_check(task, NULL);
}

/* Takes over a reference to @task */
static void kgr_see_task(struct kgr_attempt *try, struct task_struct *task)
{
	struct kgr_straggler s;
	unsigned long switches;
	int ret;

	try->total++;
	ret = task_call_func(task, kgr_see, &switches);
	if (!ret && try->nr_seen < try->room) {
		try->seen[try->nr_seen++] = (struct kgr_seen){ task, switches };
		return;
	}

	if (ret && ret != -EBUSY) {
		kgr_straggler_look(task, &s);
		kgr_left_add(&s);
		try->blocked++;
	}
	put_task_struct(task);
}

static void kgr_see_all(struct kgr_attempt *try)
{
	struct task_struct *task;
	pid_t cursor = 1;

	while ((task = kgr_thread_next(&cursor, false))) {
		kgr_see_task(try, task);
		cond_resched();
	}
	sort(try->seen, try->nr_seen, sizeof(*try->seen), kgr_seen_order, NULL);
	try->total += 2 * num_online_cpus();
}

/* With all CPUs stopped */

static bool kgr_seen_clean(const struct kgr_attempt *try, struct task_struct *task)
{
	struct kgr_seen key = { .task = task };
	const struct kgr_seen *seen;

	seen = bsearch(&key, try->seen, try->nr_seen, sizeof(key), kgr_seen_order);
	return seen && seen->switches == kgr_switches(task);
}

static void kgr_look_stopped(struct kgr_attempt *try, struct task_struct *task)
{
	struct kgr_stack_hit hit = { };
	int ret;

	/* Stoppers look at themselves; the dead have no stack */
	if (task_curr(task) || task->kgr_dying || kgr_seen_clean(try, task))
		return;

	ret = kgr_stack_check(task, &hit);
	if (!ret)
		return;
	if (try->nr_found < KGR_FOUND_MAX) {
		try->found[try->nr_found] = (struct kgr_found){
			.task = get_task_struct(task), .error = ret, .hit = hit,
		};
	}
	try->nr_found++;
}

static int kgr_look_all(struct kgr_attempt *try)
{
	struct task_struct *group, *task;
	unsigned int cpu, n = 0;

	/* They are on no list, and may be in the middle of anything */
	if (kgr_dying_any())
		return -EAGAIN;

	guard(rcu)();
	for_each_process_thread(group, task) {
		kgr_look_stopped(try, task);
		if (!(++n % 64) && ktime_after(ktime_get(), try->limit))
			return -ETIME;
	}
	for_each_online_cpu(cpu)
		kgr_look_stopped(try, idle_task(cpu));

	return try->nr_found ? -EADDRINUSE : 0;
}

static void kgr_move_stopped(struct task_struct *task, u32 epoch)
{
	WRITE_ONCE(task->kgr_epoch, epoch);
	kgr_check_moved(task, KGR_POINT_QUIESCE);
	trace_kgr_migrate(task, epoch, KGR_POINT_QUIESCE);
}

/* The interrupt levels of CPUs that are online are written by those CPUs */
static void kgr_move_all(u32 epoch)
{
	struct task_struct *group, *task;
	unsigned int cpu;

	guard(rcu)();
	kgr_transition_retarget(epoch);
	for_each_process_thread(group, task)
		kgr_move_stopped(task, epoch);

	for_each_possible_cpu(cpu) {
		if (idle_task(cpu))
			kgr_move_stopped(idle_task(cpu), epoch);
		if (!cpu_online(cpu))
			kgr_irq_set_epoch(cpu);
	}
}

/* Runs on one CPU when all have arrived */
static int kgr_decide(struct kgr_attempt *try)
{
	int ret;

	ret = atomic_read(&try->dirty) ? -EADDRINUSE : kgr_look_all(try);
	if (ret)
		return ret;

	kgr_move_all(try->epoch);
	return 1;
}

/*
 * stop_machine(): runs on each CPU, with interrupts off, in its stopper thread,
 * which has preempted whoever ran there: no interrupt is in progress below.
 */
static int kgr_stopped(void *data)
{
	struct kgr_attempt *try = data;
	int verdict;

	if (kgr_stack_check(current, NULL))
		atomic_inc(&try->dirty);

	/* The last one decides for all; orders the others' checks before that */
	if (atomic_inc_return(&try->arrived) == num_online_cpus())
		atomic_set_release(&try->verdict, kgr_decide(try));

	while (!(verdict = atomic_read_acquire(&try->verdict)))
		cpu_relax();

	/* In task context of this CPU: an NMI sees one epoch to its end */
	if (verdict > 0)
		kgr_irq_set_epoch(raw_smp_processor_id());

	if (atomic_inc_return(&try->left) == num_online_cpus())
		try->ended = ktime_get();
	return 0;
}

/* Returns whether everybody has migrated */
static bool kgr_stop(struct kgr_patch *patch, struct kgr_attempt *try)
{
	struct kgr_patch_priv *priv = patch->priv;
	ktime_t began;
	unsigned int us;

	cpus_read_lock();
	began = ktime_get();
	try->limit = ktime_add_ms(began, KGR_STOP_LIMIT_MS);
	stop_machine_cpuslocked(kgr_stopped, try, cpu_online_mask);
	cpus_read_unlock();

	us = ktime_us_delta(try->ended, began);
	priv->stops++;
	priv->stopped_us = max(priv->stopped_us, us);
	priv->stopped_total_us += us;

	return atomic_read(&try->verdict) > 0;
}

/* Who was found in the stop may be elsewhere by now: say what was seen there */
static void kgr_tell_found(struct kgr_attempt *try)
{
	struct kgr_straggler s;
	unsigned int i;

	for (i = 0; i < min(try->nr_found, KGR_FOUND_MAX); i++) {
		struct kgr_found *found = &try->found[i];

		kgr_straggler_look(found->task, &s);
		s.reason = found->error == -EADDRINUSE ?
			   KGRAFT_REASON_IN_PATCHED_FUNCTION :
			   KGRAFT_REASON_UNRELIABLE_STACK;
		s.hit = found->hit;
		kgr_left_add(&s);
		put_task_struct(found->task);
	}
}

static struct kgr_attempt *kgr_attempt_alloc(void)
{
	/* Whoever is born in between is looked at in the stop */
	unsigned int room = READ_ONCE(nr_threads) + 64;
	struct kgr_attempt *try;

	try = kzalloc(sizeof(*try), GFP_KERNEL);
	if (!try)
		return NULL;
	try->seen = kvmalloc_array(room, sizeof(*try->seen), GFP_KERNEL);
	if (!try->seen) {
		kfree(try);
		return NULL;
	}
	try->room = room;
	return try;
}

static void kgr_attempt_free(struct kgr_attempt *try)
{
	while (try->nr_seen)
		put_task_struct(try->seen[--try->nr_seen].task);
	kvfree(try->seen);
	kfree(try);
}

/* Returns whether everybody has migrated */
static bool kgr_attempt(struct kgr_patch *patch)
{
	struct kgr_attempt *try = kgr_attempt_alloc();
	bool moved = false;

	kgr_left_begin(patch);
	kgr_obstacle = -ENOMEM;
	if (!try)
		return false;

	try->epoch = kgr_goal;
	kgr_see_all(try);
	kgr_transition_hold(try->total);
	kgr_obstacle = 0;
	if (!try->blocked) {
		moved = kgr_stop(patch, try);
		kgr_tell_found(try);
		if (!try->nr_found)
			kgr_obstacle = atomic_read(&try->verdict);
	}
	kgr_attempt_free(try);
	return moved;
}

static void kgr_quiesce_done(struct kgr_patch *patch)
{
	struct kgr_patch_priv *priv = patch->priv;

	pr_notice("patch '%s': all contexts moved at once; the machine was stopped %u time%s, for %u us at most and %u us in all\n",
		  patch->name, priv->stops, str_plural(priv->stops),
		  priv->stopped_us, priv->stopped_total_us);
	kgr_left_begin(patch);
	kgr_transition_release();
}

static void kgr_quiesce_try(struct kgr_patch *patch)
{
	if (kgr_attempt(patch)) {
		kgr_quiesce_done(patch);
		return;
	}
	kgr_queue_delayed(&kgr_quiesce_work, kgr_retry_ms);
	kgr_retry_ms = min(kgr_retry_ms * 2, KGR_LAST_RETRY_MS);
}

static void kgr_quiesce_work_fn(struct work_struct *work)
{
	struct kgr_patch *patch;

	guard(mutex)(&kgr_mutex);

	patch = kgr_transition_patch();
	if (!patch || kgr_transition_model() != KGR_MODEL_QUIESCE ||
	    kgr_goal == kgr_target_epoch())
		return;
	kgr_quiesce_try(patch);
}

/**
 * kgr_quiesce_start - move everybody at one instant
 * @epoch:	where to; the epoch of everybody already when a transition that has
 *		changed nothing yet is reversed
 *
 * Tries once before it returns; the rest goes on by itself.
 *
 * Context: process context, kgr_mutex held, a transition runs; may sleep.
 */
void kgr_quiesce_start(u32 epoch)
{
	struct kgr_patch *patch = kgr_transition_patch();

	lockdep_assert_held(&kgr_mutex);

	kgr_goal = epoch;
	if (epoch == kgr_target_epoch()) {
		cancel_delayed_work(&kgr_quiesce_work);
		kgr_transition_release();
		return;
	}
	kgr_retry_ms = KGR_FIRST_RETRY_MS;
	kgr_transition_hold(1);
	kgr_quiesce_try(patch);
}

/**
 * kgr_quiesce_stop - the transition is complete
 *
 * Context: process context, kgr_mutex held. An attempt that waits for the mutex
 * finds no transition, or the next one, where it does no harm.
 */
void kgr_quiesce_stop(void)
{
	cancel_delayed_work(&kgr_quiesce_work);
}

/**
 * kgr_quiesce_obstacle - what was in the way, when it was no thread
 *
 * Context: kgr_mutex held.
 * Return: a text, or NULL when the list of who was left says it.
 */
const char *kgr_quiesce_obstacle(void)
{
	lockdep_assert_held(&kgr_mutex);

	switch (kgr_obstacle) {
	case -EADDRINUSE:
		return "the stopper thread of a CPU needs what the patch replaces";
	case -EAGAIN:
		return "a thread was dying";
	case -ETIME:
		return "there are too many threads to check while the machine is stopped";
	case -ENOMEM:
		return "no memory";
	default:
		return NULL;
	}
}

/* Epoch that the attempts are for; context: kgr_mutex held */
u32 kgr_quiesce_goal(void)
{
	lockdep_assert_held(&kgr_mutex);

	return kgr_goal;
}
