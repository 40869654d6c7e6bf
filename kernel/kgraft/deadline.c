// SPDX-License-Identifier: GPL-2.0
/*
 * Transitions that take too long.
 *
 * A transition may have a deadline, counted from its beginning. When it is not
 * complete by then, that is announced with who was left and why; and if the patch
 * says so it is reversed, so that everything becomes as it was before. Under the
 * quiesce model that is all that can be done, and changes nothing for anybody.
 *
 * The deadline belongs to the direction that the transition began with: once
 * reversed, by whomever, it has none.
 */
#include "internal.h"

#include <linux/array_size.h>
#include <linux/lockdep.h>
#include <linux/seq_buf.h>
#include <linux/string.h>
#include <linux/workqueue.h>

/* The quiesce model has to give up some time */
#define KGR_QUIESCE_TIMEOUT_MS	10000

/* When a reversal fails, for want of memory */
#define KGR_AGAIN_MS		1000

/* For patches that have no deadline of their own. Plain values, racy reads. */
unsigned int kgr_timeout_ms;
enum kgr_on_timeout kgr_on_timeout = KGR_ON_TIMEOUT_KEEP;

/* A transition runs that has not been reversed [M] */
static bool kgr_deadline_armed;

static void kgr_deadline_work_fn(struct work_struct *work);
static DECLARE_DELAYED_WORK(kgr_deadline_work, kgr_deadline_work_fn);

#define KGR_ON_TIMEOUT_TEXT(name, number, text)	[number] = text,
static const char * const kgr_on_timeout_names[] = {
	KGR_ON_TIMEOUTS(KGR_ON_TIMEOUT_TEXT)
};
#undef KGR_ON_TIMEOUT_TEXT

/* Its name, or NULL for a value that is none; context: any */
const char *kgr_on_timeout_name(enum kgr_on_timeout on_timeout)
{
	if (on_timeout >= ARRAY_SIZE(kgr_on_timeout_names))
		return NULL;
	return kgr_on_timeout_names[on_timeout];
}

/**
 * kgr_on_timeout_parse - what a name stands for
 * @text:	name, maybe with a newline
 * @on_timeout:	where to put the value
 *
 * Context: any.
 * Return: 0, or -EINVAL for a name that is none.
 */
int kgr_on_timeout_parse(const char *text, enum kgr_on_timeout *on_timeout)
{
	int n = __sysfs_match_string(kgr_on_timeout_names,
				     ARRAY_SIZE(kgr_on_timeout_names), text);

	if (n < 0)
		return -EINVAL;
	*on_timeout = n;
	return 0;
}

/**
 * kgr_deadline_init_patch - take over the deadline that a patch is made with
 * @patch:	patch that is about to be registered
 *
 * Context: any; nobody else knows the patch.
 */
void kgr_deadline_init_patch(struct kgr_patch *patch)
{
	struct kgr_patch_priv *priv = patch->priv;

	priv->timeout_ms = patch->timeout_ms;
	priv->on_timeout = patch->on_timeout;
	if (!priv->timeout_ms) {
		priv->timeout_ms = READ_ONCE(kgr_timeout_ms);
		priv->on_timeout = READ_ONCE(kgr_on_timeout);
	}

	if (patch->model != KGR_MODEL_QUIESCE)
		return;
	if (!priv->timeout_ms)
		priv->timeout_ms = KGR_QUIESCE_TIMEOUT_MS;
	priv->on_timeout = KGR_ON_TIMEOUT_REVERT;
}

static void kgr_deadline_queue(const struct kgr_patch *patch)
{
	s64 left = patch->priv->timeout_ms - kgr_transition_age_ms();

	if (patch->priv->timeout_ms)
		kgr_queue_delayed(&kgr_deadline_work, max(left, 0));
	else
		cancel_delayed_work(&kgr_deadline_work);
}

static void kgr_deadline_explain(struct kgr_patch *patch)
{
	const char *obstacle = NULL;
	struct seq_buf reason;

	seq_buf_init(&reason, patch->priv->reason, sizeof(patch->priv->reason));
	seq_buf_printf(&reason, "timed out after %lld ms, ", kgr_transition_age_ms());

	/* Of quiesce the last attempt has left its list */
	if (patch->model == KGR_MODEL_QUIESCE)
		obstacle = kgr_quiesce_obstacle();
	else
		kgr_left_collect(patch);

	if (obstacle)
		seq_buf_puts(&reason, obstacle);
	else
		kgr_left_print(&reason);
	seq_buf_str(&reason);
}

static void kgr_deadline_work_fn(struct work_struct *work)
{
	struct kgr_patch *patch;

	guard(mutex)(&kgr_mutex);

	/* The last one may have migrated since, or the deadline been changed */
	patch = kgr_transition_patch();
	if (!patch || !kgr_deadline_armed || !patch->priv->timeout_ms ||
	    kgr_transition_over())
		return;

	/* Too early if ticks were late, and jiffies with them, when it was queued */
	if (kgr_transition_age_ms() < patch->priv->timeout_ms) {
		kgr_deadline_queue(patch);
		return;
	}

	kgr_deadline_explain(patch);
	pr_warn("patch '%s': %s %s\n", patch->name,
		kgr_transition_applies() ? "patching" : "reverting",
		patch->priv->reason);

	kgr_event(patch, KGRAFT_EVENT_TIMED_OUT);
	if (patch->priv->on_timeout == KGR_ON_TIMEOUT_REVERT &&
	    kgr_transition_reverse())
		kgr_queue_delayed(&kgr_deadline_work, KGR_AGAIN_MS);
}

/**
 * kgr_deadline_start - a transition is beginning
 * @patch:	its patch
 *
 * Context: process context, kgr_mutex held.
 */
void kgr_deadline_start(struct kgr_patch *patch)
{
	lockdep_assert_held(&kgr_mutex);

	patch->priv->reason[0] = '\0';
	kgr_deadline_armed = true;
	kgr_deadline_queue(patch);
}

/**
 * kgr_deadline_stop - a transition has been reversed or is complete
 *
 * Context: process context, kgr_mutex held. A look that waits for the mutex
 * finds that.
 */
void kgr_deadline_stop(void)
{
	lockdep_assert_held(&kgr_mutex);

	kgr_deadline_armed = false;
	cancel_delayed_work(&kgr_deadline_work);
}

/**
 * kgr_deadline_set - set the deadline of a patch's transitions
 * @patch:	registered patch
 * @timeout_ms:	milliseconds from the beginning, 0: none
 *
 * Counts for the transition that runs, too: one that is older times out at once,
 * also when it has before.
 *
 * Context: process context, kgr_mutex held.
 */
void kgr_deadline_set(struct kgr_patch *patch, unsigned int timeout_ms)
{
	lockdep_assert_held(&kgr_mutex);

	patch->priv->timeout_ms = timeout_ms;
	if (kgr_transition_patch() == patch && kgr_deadline_armed)
		kgr_deadline_queue(patch);
}

/**
 * kgr_deadline_set_action - say what is done at the deadline
 * @patch:	registered patch
 * @on_timeout:	what
 *
 * A transition that is past its deadline stays as it is until that is set anew.
 *
 * Context: process context, kgr_mutex held.
 * Return: 0; -EINVAL: the quiesce model can't keep anything.
 */
int kgr_deadline_set_action(struct kgr_patch *patch, enum kgr_on_timeout on_timeout)
{
	lockdep_assert_held(&kgr_mutex);

	if (patch->model == KGR_MODEL_QUIESCE && on_timeout != KGR_ON_TIMEOUT_REVERT) {
		pr_err("patch '%s': of the quiesce model, has nothing to keep at its deadline\n",
		       patch->name);
		return -EINVAL;
	}
	patch->priv->on_timeout = on_timeout;
	return 0;
}
