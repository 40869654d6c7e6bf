// SPDX-License-Identifier: GPL-2.0
/*
 * States of a function of a patch.
 *
 *   INIT ----------> SLOW ----------> APPLIED
 *                    ^  |                |
 *            reverse |  | reverse        | revert
 *                    |  v                v
 *   SLOW <------- REVERT_SLOW <----------+
 *   (enable)           |
 *      ^               v
 *      +---------- REVERTED
 *
 * SLOW and REVERT_SLOW are the states in transition: the variant is chosen by
 * the epoch of the caller. A patch that is replaced by another one goes from
 * APPLIED to REVERTED at once: the transition is the other's. Names and numbers
 * are those of published kGraft.
 *
 * Functions of modules that are not there are SKIPPED while the rest of the
 * patch is applied, in transition or reverted. When the module comes they take
 * the state of the patch, when it goes they are SKIPPED again.
 */
#include "internal.h"

#include <kunit/visibility.h>
#include <linux/bits.h>
#include <linux/bug.h>
#include <linux/lockdep.h>

#include <trace/events/kgraft.h>

#define KGR_NAME_ENTRY(name, number, text)	[number] = text,

static const char * const kgr_state_names[] = {
	KGR_PATCH_STATES(KGR_NAME_ENTRY)
};

static const char * const kgr_model_names[] = {
	KGR_MODELS(KGR_NAME_ENTRY)
};

/* From each state, the set of states that may follow */
static const u8 kgr_state_changes[] = {
	[KGR_PATCH_INIT]	= BIT(KGR_PATCH_SLOW) | BIT(KGR_PATCH_SKIPPED),
	[KGR_PATCH_SLOW]	= BIT(KGR_PATCH_APPLIED) | BIT(KGR_PATCH_REVERT_SLOW) |
				  BIT(KGR_PATCH_SKIPPED),
	[KGR_PATCH_APPLIED]	= BIT(KGR_PATCH_REVERT_SLOW) |
				  BIT(KGR_PATCH_REVERTED) | BIT(KGR_PATCH_SKIPPED),
	[KGR_PATCH_REVERT_SLOW]	= BIT(KGR_PATCH_REVERTED) | BIT(KGR_PATCH_SLOW) |
				  BIT(KGR_PATCH_SKIPPED),
	[KGR_PATCH_REVERTED]	= BIT(KGR_PATCH_SLOW) | BIT(KGR_PATCH_SKIPPED),
	[KGR_PATCH_SKIPPED]	= BIT(KGR_PATCH_SLOW) | BIT(KGR_PATCH_APPLIED) |
				  BIT(KGR_PATCH_REVERT_SLOW),
};

/**
 * kgr_state_name - name of a state
 * @state:	any value
 *
 * Context: any.
 * Return: its name, or "?" for a value that is none.
 */
const char *kgr_state_name(enum kgr_patch_state state)
{
	if (state >= ARRAY_SIZE(kgr_state_names))
		return "?";
	return kgr_state_names[state];
}
EXPORT_SYMBOL_IF_KUNIT(kgr_state_name);

/**
 * kgr_model_name - name of a consistency model
 * @model:	any value
 *
 * Context: any.
 * Return: its name, or NULL for a value that is none.
 */
const char *kgr_model_name(enum kgr_model model)
{
	if (model >= ARRAY_SIZE(kgr_model_names))
		return NULL;
	return kgr_model_names[model];
}
EXPORT_SYMBOL_IF_KUNIT(kgr_model_name);

/**
 * kgr_state_may_change - is a change of state legal?
 * @from:	state now
 * @to:		state wanted
 *
 * Context: any.
 * Return: true when the picture above has an arrow for it.
 */
bool kgr_state_may_change(enum kgr_patch_state from, enum kgr_patch_state to)
{
	return from < ARRAY_SIZE(kgr_state_changes) &&
	       to < ARRAY_SIZE(kgr_state_names) &&
	       (kgr_state_changes[from] & BIT(to));
}
EXPORT_SYMBOL_IF_KUNIT(kgr_state_may_change);

/**
 * kgr_fun_set_state - change the state of a function
 * @fun:	function
 * @state:	its new state
 *
 * The only writer of &kgr_patch_fun.state.
 *
 * Context: kgr_mutex held.
 */
void kgr_fun_set_state(struct kgr_patch_fun *fun, enum kgr_patch_state state)
{
	lockdep_assert_held(&kgr_mutex);

	WARN_ONCE(!kgr_state_may_change(fun->state, state),
		  "kgraft: function '%s': illegal change of state, %s to %s\n",
		  fun->name, kgr_state_name(fun->state), kgr_state_name(state));

	trace_kgr_state(fun->patch->name, fun->name, fun->state, state);
	fun->state = state;
}

/**
 * kgr_patch_set_state - change the state of a patch and of all its functions
 * @patch:	patch, its functions in place
 * @state:	their new state; those of modules that are not there are skipped
 *
 * Context: kgr_mutex held.
 */
void kgr_patch_set_state(struct kgr_patch *patch, enum kgr_patch_state state)
{
	struct kgr_patch_fun *fun;

	patch->priv->state = state;
	kgr_for_each_fun(patch, fun) {
		if (fun->func)
			kgr_fun_set_state(fun, state);
		else if (fun->state != KGR_PATCH_SKIPPED)
			kgr_fun_set_state(fun, KGR_PATCH_SKIPPED);
	}
}
