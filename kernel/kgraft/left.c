// SPDX-License-Identifier: GPL-2.0
/*
 * Who was left when a transition ran into its deadline, or when the quiesce
 * model last could not have its instant: a list of descriptions that outlives
 * what it describes, so that it can be read afterwards.
 */
#include "internal.h"

#include <linux/cpu.h>
#include <linux/module.h>
#include <linux/sched/task.h>
#include <linux/seq_buf.h>
#include <linux/string.h>
#include <linux/string_choices.h>

/* As many are described; all are counted */
#define KGR_LEFT_MAX	64

/**
 * struct kgr_left - the contexts that were left, once
 * @nr:		how many
 * @by_reason:	how many for each reason
 * @age_ms:	age of the transition at that time
 * @entry:	what is known of the first ones
 * @patch:	name of the patch; copied since that may be unloaded
 */
static struct kgr_left {
	unsigned int nr;
	unsigned int by_reason[__KGRAFT_REASON_COUNT];
	s64 age_ms;
	struct kgr_straggler entry[KGR_LEFT_MAX];
	char patch[KGR_LEFT_NAME];
} kgr_left;	/* [M] */

#define KGR_REASON_NAME(name, text)	text,
static const char * const kgr_reason_names[] = {
	KGRAFT_REASONS(KGR_REASON_NAME)
};
#undef KGR_REASON_NAME

/**
 * kgr_left_begin - forget the list, and begin one for this patch
 * @patch:	patch in transition, or about to be
 *
 * Context: process context, kgr_mutex held.
 */
void kgr_left_begin(const struct kgr_patch *patch)
{
	lockdep_assert_held(&kgr_mutex);

	kgr_generation++;
	kgr_left.nr = 0;
	memset(kgr_left.by_reason, 0, sizeof(kgr_left.by_reason));
	kgr_left.age_ms = kgr_transition_age_ms();
	strscpy(kgr_left.patch, patch->name);
}

/**
 * kgr_left_add - one more
 * @s:		what is known of it
 *
 * Context: process context, kgr_mutex held.
 */
void kgr_left_add(const struct kgr_straggler *s)
{
	lockdep_assert_held(&kgr_mutex);

	if (kgr_left.nr < KGR_LEFT_MAX)
		kgr_left.entry[kgr_left.nr] = *s;
	kgr_left.nr++;
	kgr_left.by_reason[s->reason]++;
}

/**
 * kgr_left_collect - write down everybody who has not migrated
 * @patch:	patch in transition
 *
 * Context: process context, kgr_mutex held, may sleep.
 */
void kgr_left_collect(const struct kgr_patch *patch)
{
	struct kgr_straggler s;
	struct task_struct *task;
	pid_t cursor = 1;
	unsigned int cpu;

	kgr_left_begin(patch);
	while ((task = kgr_task_next(&cursor))) {
		if (kgr_straggler_task(task, &s))
			kgr_left_add(&s);
		put_task_struct(task);
		cond_resched();
	}

	cpus_read_lock();
	for_each_online_cpu(cpu) {
		if (kgr_straggler_task(idle_task(cpu), &s))
			kgr_left_add(&s);
		if (kgr_straggler_cpu(cpu, &s))
			kgr_left_add(&s);
	}
	cpus_read_unlock();
}

/**
 * kgr_left_get - a description that was written down
 * @n:		which, from 0
 * @patch:	where to put the name of the patch
 * @age_ms:	where to put the age of its transition at that time
 *
 * Context: process context, kgr_mutex held.
 * Return: NULL behind the last one.
 */
const struct kgr_straggler *kgr_left_get(unsigned int n, const char **patch,
					 s64 *age_ms)
{
	lockdep_assert_held(&kgr_mutex);

	if (n >= min(kgr_left.nr, KGR_LEFT_MAX))
		return NULL;
	*patch = kgr_left.patch;
	*age_ms = kgr_left.age_ms;
	return &kgr_left.entry[n];
}

/**
 * kgr_left_unload - forget addresses that will mean something else
 * @patch:	patch whose module is going
 *
 * Context: process context, kgr_mutex held.
 */
void kgr_left_unload(const struct kgr_patch *patch)
{
	unsigned int i;

	lockdep_assert_held(&kgr_mutex);

	for (i = 0; i < min(kgr_left.nr, KGR_LEFT_MAX); i++) {
		struct kgr_straggler *s = &kgr_left.entry[i];

		if (within_module(s->hit.addr, patch->owner))
			s->hit.addr = 0;
		if (within_module(s->hit.caller, patch->owner))
			s->hit.caller = 0;
		if (within_module(s->wchan, patch->owner))
			s->wchan = 0;
	}
}

/**
 * kgr_left_print - "2 contexts left: in-patched-function 2"
 * @buf:	where to add it
 *
 * Context: process context, kgr_mutex held.
 */
void kgr_left_print(struct seq_buf *buf)
{
	const char *before = ": ";
	unsigned int i;

	lockdep_assert_held(&kgr_mutex);

	seq_buf_printf(buf, "%u context%s left", kgr_left.nr, str_plural(kgr_left.nr));
	for (i = 0; i < __KGRAFT_REASON_COUNT; i++) {
		if (!kgr_left.by_reason[i])
			continue;
		seq_buf_printf(buf, "%s%s %u", before, kgr_reason_names[i],
			       kgr_left.by_reason[i]);
		before = ", ";
	}
}
