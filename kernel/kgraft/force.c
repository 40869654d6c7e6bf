// SPDX-License-Identifier: GPL-2.0
/*
 * Force: the last resort for a transition that can neither complete nor be
 * reversed.
 *
 * Everybody is said to have migrated, whatever is on their stacks. Who was left
 * goes on in old code until it returns, and calls new code from there: what the
 * model promises does not hold for it. Since nobody knows any more where it may be,
 * the modules of all patches in force stay for ever, and the kernel is tainted.
 */
#include "internal.h"

#include <linux/lockdep.h>
#include <linux/module.h>
#include <linux/panic.h>
#include <linux/seq_buf.h>

/* The extra reference is never put */
static void kgr_force_hold(void)
{
	struct kgr_patch *patch;

	list_for_each_entry(patch, &kgr_patches, list) {
		if (patch->priv->forced || !kgr_patch_in_force(patch))
			continue;
		__module_get(patch->owner);
		patch->priv->forced = true;
	}
}

static void kgr_force_explain(struct kgr_patch *patch)
{
	struct seq_buf reason;

	kgr_left_collect(patch);
	seq_buf_init(&reason, patch->priv->reason, sizeof(patch->priv->reason));
	seq_buf_puts(&reason, "forced, ");
	kgr_left_print(&reason);
	seq_buf_str(&reason);
}

/**
 * kgr_force - complete the transition that runs, by force
 * @patch:	patch whose transition is meant, NULL: whichever runs
 *
 * Context: process context, takes kgr_mutex, may sleep.
 * Return: 0; -EAGAIN: no such transition runs; -EOPNOTSUPP: under the quiesce model
 * nobody has migrated, and there is nothing to force.
 */
int kgr_force(struct kgr_patch *patch)
{
	struct kgr_patch *running;

	guard(mutex)(&kgr_mutex);

	running = kgr_transition_patch();
	if (!running || (patch && patch != running))
		return -EAGAIN;
	patch = running;

	if (patch->model == KGR_MODEL_QUIESCE) {
		pr_err("patch '%s': of the quiesce model, can't be forced; nobody has migrated, revert it\n",
		       patch->name);
		return -EOPNOTSUPP;
	}

	kgr_force_explain(patch);
	kgr_force_hold();
	add_taint(TAINT_USER, LOCKDEP_STILL_OK);
	pr_warn("patch '%s': %s %s; they may see old and new functions mixed, and no module of a patch that is in force can be unloaded any more\n",
		patch->name, kgr_transition_applies() ? "patching" : "reverting",
		patch->priv->reason);

	kgr_event(patch, KGRAFT_EVENT_FORCED);
	kgr_transition_force();
	return 0;
}
