// SPDX-License-Identifier: GPL-2.0
/*
 * A transition: every context of the system moves from one epoch to another.
 */

/**
 * DOC: ordering
 *
 * Who touches what::
 *
 *   choice      redirect.c: which body for which epoch; one pointer per function
 *   target      the epoch that contexts are to be in
 *   mark        TIF_KGRAFT of a thread, KGR_CPU_PENDING of a CPU
 *   epoch       of a thread, or of a CPU's interrupt level
 *   pending     marks not yet claimed, plus one while marks are being set
 *   dying       threads past exit_notify(), by epoch
 *
 * Beginning a transition against a context that migrates and then calls a
 * patched function::
 *
 *   beginner                           context
 *   --------                           -------
 *   choice = { N: new, else: old }     stubs that an entry leads to: likewise
 *   (A) store-release  ------------.
 *   target = N                      \
 *   (C) smp_mb()  ---------------.   \
 *   set mark                      \   \
 *                                  `---\--> (B) test and clear mark
 *                                       \   epoch = target
 *                                        `-> (D) load-acquire choice
 *                                           epoch == N ? new : old
 *
 *   Forbidden: the mark is seen and target is still the previous one (B, C);
 *   the epoch is N and choice is still the previous one, which gives everybody
 *   the old body (A, D). A context that has not migrated gets the same body from
 *   both choices.
 *
 *   What is abandoned is said before the marks are set as well, and a stack check
 *   that is made because of a mark reads it after the mark: (C) and (H).
 *
 *   When all contexts carry the target, a choice that gives everybody the body of
 *   that side is published: nobody sees a change, and the numbers of later
 *   transitions, of other patches, mean nothing to it.
 *
 *   A child inherits epoch and mark under tasklist_lock, which the walk that sets
 *   the marks holds as well; a CPU comes up with the target epoch under
 *   cpu_hotplug_lock, likewise.
 *
 * The last context to move completes the transition::
 *
 *   last context                       dying thread
 *   ------------                       ------------
 *   epoch = target, or inc dying       (E) dec and test dying
 *   (G) dec and test pending           if zero: kick
 *   if zero: kick
 *                   worker, kicked
 *                   --------------
 *                   (F) smp_mb()
 *                   (I) load-acquire pending: zero?
 *                   dying zero?
 *
 *   Both decrements are full barriers, and both kick; the worker that is kicked
 *   by the later of the two sees both at zero. A kick too many costs a look.
 *   Pending is read first: a thread that is being handed over is in one of them
 *   at least.
 *
 * Reversing takes all marks back, waits for a grace period, which ends every
 * migration in flight since those run with preemption disabled, changes the
 * target and marks the contexts that are in the wrong epoch now. No redirect
 * changes but under the immediate model.
 *
 * Where the entry of a function is a jump, it leads to a stub during a transition,
 * to a body otherwise. The stub's choice takes the place of the pointer: its epoch
 * is written (A) before the entry leads to it, is read (D) by each caller, and is
 * written again only when everybody carries the same number. Entries are rewritten
 * while everybody gets the same body, before the marks are set and after the last
 * has been claimed.
 */
#include "internal.h"

#include <linux/cpu.h>
#include <linux/error-injection.h>
#include <linux/irq_work.h>
#include <linux/lockdep.h>
#include <linux/rcupdate.h>
#include <linux/string_choices.h>
#include <linux/workqueue.h>

/**
 * struct kgr_transition - the transition that runs, if one does
 * @patch:	patch in transition, NULL when none runs [M, read anywhere as a
 *		mere fact]
 * @apply:	contexts go to the side of @patch; false: to what is below it [M]
 * @from:	epoch that all contexts carried when it began [M]
 * @to:		epoch whose callers see the side that it began towards [M]
 * @target:	@to, or @from when it has been reversed; the epoch of everybody
 *		when none runs
 * @model:	consistency model of @patch
 * @began:	monotonic time of its beginning or last reversal [M]
 * @pending:	marks not yet claimed [A]
 * @total:	contexts marked so far [A]
 */
static struct kgr_transition {
	struct kgr_patch *patch;
	bool apply;
	u32 from;
	u32 to;
	u32 target;
	enum kgr_model model;
	ktime_t began;
	atomic_t pending;
	atomic_t total;
} kgr_transition;

/* [M] Grows with everything that makes a list of stragglers another list */
u32 kgr_generation;

static struct workqueue_struct *kgr_wq;

static void kgr_transition_work_fn(struct work_struct *work);
static DECLARE_WORK(kgr_transition_work, kgr_transition_work_fn);

static void kgr_kick_fn(struct irq_work *work)
{
	queue_work(kgr_wq, &kgr_transition_work);
}

static DEFINE_IRQ_WORK(kgr_kick, kgr_kick_fn);

/**
 * kgr_transition_kick - somebody who was waited for is done
 *
 * By way of an interrupt to this CPU: callers may be past their last look at
 * need_resched() on the way to user mode.
 *
 * Context: any but NMI.
 */
void kgr_transition_kick(void)
{
	/* Model: kick */
	if (READ_ONCE(kgr_transition.patch))
		irq_work_queue(&kgr_kick);
}

/* Epoch that contexts are to be in */
u32 kgr_target_epoch(void)
{
	return READ_ONCE(kgr_transition.target);
}

/* One more context has been marked */
void kgr_pending_get(void)
{
	atomic_inc(&kgr_transition.total);
	atomic_inc(&kgr_transition.pending);
}

/*
 * A marked context has migrated, has died and is counted as dying from now on, or
 * its mark has been taken back. Context: any but NMI, no scheduler lock held.
 */
void kgr_pending_put(void)
{
	/*
	 * Model: put
	 * (G) pairs with (F) and (I) in kgr_transition_over(); orders by itself
	 */
	if (atomic_dec_and_test(&kgr_transition.pending))
		kgr_transition_kick();
}

/* Patch in transition or NULL; context: any, exact under kgr_mutex */
struct kgr_patch *kgr_transition_patch(void)
{
	return READ_ONCE(kgr_transition.patch);
}

/* Does the transition go towards its patch? Context: kgr_mutex held */
bool kgr_transition_applies(void)
{
	lockdep_assert_held(&kgr_mutex);

	return kgr_transition.apply;
}

/**
 * kgr_transition_epochs - what a transition moves contexts between
 * @from:	number that all carried when it began
 * @to:		number that it began to move them to
 *
 * Context: kgr_mutex held, a transition runs.
 * Return: true when it began as an application of its patch.
 */
bool kgr_transition_epochs(u32 *from, u32 *to)
{
	lockdep_assert_held(&kgr_mutex);

	*from = kgr_transition.from;
	*to = kgr_transition.to;
	return kgr_transition.apply == (kgr_transition.target == kgr_transition.to);
}

/* Model of the transition that runs; any when none does */
enum kgr_model kgr_transition_model(void)
{
	return READ_ONCE(kgr_transition.model);
}

/* Milliseconds since the transition began or was reversed last */
s64 kgr_transition_age_ms(void)
{
	return ktime_ms_delta(ktime_get(), READ_ONCE(kgr_transition.began));
}

/**
 * kgr_transition_counts - how far a patch's last transition has come
 * @patch:	patch
 * @migrated:	contexts that have migrated
 * @total:	contexts that had to, so far
 *
 * Context: kgr_mutex held.
 */
void kgr_transition_counts(const struct kgr_patch *patch,
			   unsigned int *migrated, unsigned int *total)
{
	int pending;

	lockdep_assert_held(&kgr_mutex);

	if (kgr_transition.patch != patch) {
		*migrated = patch->priv->migrated;
		*total = patch->priv->total;
		return;
	}

	pending = max(atomic_read(&kgr_transition.pending), 0);
	*total = max(atomic_read(&kgr_transition.total), pending);
	*migrated = *total - pending;
}

/* Mark whoever is not in the target epoch; the caller has set that */
static void kgr_mark_all(void)
{
	atomic_set(&kgr_transition.total, 0);
	/* Keep it from completing before everybody is counted */
	atomic_set(&kgr_transition.pending, 1);

	/*
	 * Model: mark-all
	 * (C) pairs with (B) in kgr_task_clear_bits() and kgr_irq_unmark(), and
	 * with (H) in kgr_stack_check()
	 */
	smp_mb();

	kgr_tasks_mark();
	kgr_cpus_mark();
}

/**
 * kgr_transition_hold - quiesce: nobody has migrated yet
 * @total:	contexts that are to
 *
 * Context: kgr_mutex held.
 */
void kgr_transition_hold(unsigned int total)
{
	atomic_set(&kgr_transition.total, total);
	atomic_set(&kgr_transition.pending, total);
}

/* quiesce: new contexts get this epoch; context: all CPUs stopped */
void kgr_transition_retarget(u32 epoch)
{
	WRITE_ONCE(kgr_transition.target, epoch);
}

/* quiesce: everybody is where they should be; context: kgr_mutex held */
void kgr_transition_release(void)
{
	atomic_set(&kgr_transition.pending, 0);
	kgr_transition_kick();
}

static void kgr_set_target(u32 epoch)
{
	WRITE_ONCE(kgr_transition.began, ktime_get());
	if (kgr_transition.model == KGR_MODEL_QUIESCE) {
		kgr_quiesce_start(epoch);
		return;
	}

	/* Model: target */
	cpus_read_lock();
	WRITE_ONCE(kgr_transition.target, epoch);
	kgr_mark_all();
	cpus_read_unlock();

	/* Whoever runs passes a safe point soon; whoever sleeps is looked at */
	kgr_cpus_kick();
	kgr_straggler_start();
	kgr_pending_put();
}

static void kgr_set_direction(bool apply)
{
	struct kgr_patch *patch = kgr_transition.patch;

	kgr_generation++;
	kgr_transition.apply = apply;
	kgr_patch_set_state(patch, apply ? KGR_PATCH_SLOW : KGR_PATCH_REVERT_SLOW);
}

/**
 * kgr_transition_begin - move every context
 * @patch:	patch on top of its functions, redirects in place
 * @apply:	towards it, else away from it
 *
 * Returns as soon as everybody is marked and sleepers have been looked at once;
 * the rest goes on by itself.
 *
 * Context: process context, kgr_mutex held, no transition runs; may sleep.
 * Return: 0; -ENOMEM; -EAGAIN: see kgr_epoch_next(); -EBUSY, -EILSEQ, -ENODEV: see
 * kgr_redirect_begin(). Nothing has changed then.
 */
int kgr_transition_begin(struct kgr_patch *patch, bool apply)
{
	struct kgr_patch_priv *priv = patch->priv;
	unsigned int i;
	u32 epoch;
	int ret;

	lockdep_assert_held(&kgr_mutex);

	/* Model: begin */
	ret = kgr_epoch_next(kgr_transition.target, 0, &epoch);
	if (ret)
		return ret;

	ret = kgr_stack_abandon(patch, apply);
	if (ret)
		return ret;

	ret = kgr_redirect_begin(patch, apply ? epoch : kgr_transition.target, apply);
	if (ret) {
		kgr_stack_forget();
		return ret;
	}

	for (i = 0; i < KGR_RUNG_COUNT; i++)
		atomic_set(&priv->nudges[i], 0);
	priv->stops = priv->stopped_us = priv->stopped_total_us = 0;
	ktime_get_real_ts64(&priv->started);

	kgr_transition.from = kgr_transition.target;
	kgr_transition.to = epoch;
	WRITE_ONCE(kgr_transition.model, patch->model);
	WRITE_ONCE(kgr_transition.patch, patch);
	priv->in_transition = true;
	kgr_left_begin(patch);
	kgr_set_direction(apply);

	pr_notice("patch '%s': %s started (model %s, %u function%s, %u taken back)\n",
		  patch->name, apply ? "patching" : "reverting",
		  kgr_model_name(patch->model), priv->nr_funs,
		  str_plural(priv->nr_funs), priv->nr_taken);

	kgr_set_target(epoch);
	kgr_deadline_start(patch);
	kgr_event(patch, KGRAFT_EVENT_STARTED);
	return 0;
}
ALLOW_ERROR_INJECTION(kgr_transition_begin, ERRNO);

/*
 * Under the immediate model anybody may be in either body whatever epoch it
 * carries, so that all have to be seen again: under a number of its own.
 */
static int kgr_reverse_epoch(u32 *epoch)
{
	u32 now = kgr_transition.target;

	if (kgr_transition.model == KGR_MODEL_IMMEDIATE)
		return kgr_epoch_next(kgr_transition.from, kgr_transition.to, epoch);

	/* Until all have gone there at once, the target is where they are */
	if (kgr_transition.model == KGR_MODEL_QUIESCE)
		now = kgr_quiesce_goal();

	*epoch = now == kgr_transition.to ? kgr_transition.from : kgr_transition.to;
	return 0;
}

static int kgr_reverse_redirects(struct kgr_patch *patch, u32 epoch, bool apply)
{
	int ret;

	ret = kgr_redirect_flip(patch, epoch, apply);
	if (ret)
		return ret;
	ret = kgr_stack_abandon(patch, apply);
	if (ret) {
		synchronize_rcu();
		kgr_redirect_flip(patch, epoch, !apply);
	}
	return ret;
}

/**
 * kgr_transition_reverse - send everybody back
 *
 * Context: process context, kgr_mutex held, a transition runs; may sleep.
 * Return: 0; -ENOMEM, -EAGAIN: it goes on in the direction that it had.
 */
int kgr_transition_reverse(void)
{
	struct kgr_patch *patch = kgr_transition.patch;
	bool apply = !kgr_transition.apply;
	u32 epoch;
	int ret;

	lockdep_assert_held(&kgr_mutex);

	ret = kgr_reverse_epoch(&epoch);
	if (ret) {
		pr_err("patch '%s': reversed too often, wait until it is complete\n",
		       patch->name);
		return ret;
	}

	/* Model: reverse. All are to be marked anew, for the other direction */
	cpus_read_lock();
	atomic_inc(&kgr_transition.pending);
	kgr_tasks_unmark();
	kgr_cpus_unmark();
	cpus_read_unlock();

	/* Model: grace. Ends migrations in flight; see the Ordering block */
	synchronize_rcu();

	ret = kgr_reverse_redirects(patch, epoch, apply);
	if (ret) {
		/* Everybody who was marked has to be again */
		kgr_set_target(kgr_transition.model == KGR_MODEL_QUIESCE ?
			       kgr_quiesce_goal() : kgr_transition.target);
		return ret;
	}

	kgr_set_direction(apply);
	pr_notice("patch '%s': reversed, %s now\n", patch->name,
		  apply ? "patching" : "reverting");

	kgr_deadline_stop();
	kgr_set_target(epoch);
	kgr_event(patch, KGRAFT_EVENT_REVERSED);
	return 0;
}

static void kgr_transition_finish(void)
{
	struct kgr_patch *patch = kgr_transition.patch;
	bool applied = kgr_transition.apply;

	/* Model: finish */
	kgr_straggler_stop();
	kgr_quiesce_stop();
	kgr_deadline_stop();
	kgr_safepoint_hook(false);
	kgr_redirect_settle(patch, applied);
	kgr_stack_forget();

	kgr_transition_counts(patch, &patch->priv->migrated, &patch->priv->total);
	patch->priv->in_transition = false;
	kgr_generation++;
	WRITE_ONCE(kgr_transition.patch, NULL);

	kgr_patch_finished(patch, applied);
}

/**
 * kgr_transition_force - say that everybody has migrated
 *
 * Dying threads are not waited for either. They are counted by the epoch that they
 * carry, so that no later transition takes that number before they are gone.
 *
 * Context: process context, kgr_mutex held, a transition runs; may sleep.
 */
void kgr_transition_force(void)
{
	lockdep_assert_held(&kgr_mutex);

	cpus_read_lock();
	atomic_inc(&kgr_transition.pending);
	kgr_tasks_unmark();
	kgr_cpus_unmark();
	cpus_read_unlock();

	/* Ends migrations in flight; see the Ordering block */
	synchronize_rcu();

	cpus_read_lock();
	kgr_tasks_force();
	kgr_cpus_force();
	cpus_read_unlock();

	atomic_set(&kgr_transition.pending, 0);
	kgr_transition_finish();
}

/**
 * kgr_transition_over - is nobody left in another epoch?
 *
 * Context: process context, kgr_mutex held, a transition runs.
 * Return: true when the transition only has to be completed.
 */
bool kgr_transition_over(void)
{
	lockdep_assert_held(&kgr_mutex);

	/*
	 * Model: look
	 * (F) pairs with (E) in kgr_task_dead() and (G) in kgr_pending_put()
	 */
	smp_mb();
	/*
	 * (I) pairs with (G) in kgr_pending_put(), so that a thread that is handed
	 * over to the dying is seen there when it is no longer seen in pending
	 */
	return !atomic_read_acquire(&kgr_transition.pending) && kgr_dying_done();
}

/* Complete the transition if nobody is left in another epoch */
static void kgr_transition_complete(void)
{
	if (kgr_transition.patch && kgr_transition_over())
		kgr_transition_finish();
}

static void kgr_transition_work_fn(struct work_struct *work)
{
	mutex_lock(&kgr_mutex);
	kgr_transition_complete();
	mutex_unlock(&kgr_mutex);
}

/* Run @work in @ms, sooner or later than it was to, on any CPU that has time */
bool kgr_queue_delayed(struct delayed_work *work, unsigned int ms)
{
	return mod_delayed_work(kgr_wq, work, msecs_to_jiffies(ms));
}

/**
 * kgr_transition_init - set up what transitions need
 *
 * Context: boot.
 * Return: 0 or -ENOMEM.
 */
int __init kgr_transition_init(void)
{
	kgr_wq = alloc_workqueue("kgraft", WQ_UNBOUND | WQ_HIGHPRI | WQ_MEM_RECLAIM, 0);
	return kgr_wq ? 0 : -ENOMEM;
}
