// SPDX-License-Identifier: GPL-2.0
/* Does every context see one universe? Asked at each call of a patched function. */

/**
 * DOC: universe checker
 *
 * With CONFIG_KGRAFT_DEBUG each call of a patched function compares the epoch of
 * its context with that of the context's call before. The two may differ only if
 * the context has passed a safe point in between, at which it was to migrate; the
 * record is dropped there. Everything else, an epoch written in the middle of a
 * system call or of an interrupt, is reported with both calls.
 *
 * A safe point at which a context does not migrate needs no attention: its epoch
 * is the same on both sides, so that the record of the earlier call says what a
 * new one would say. The checker therefore sees migrations only. It does not take
 * the word of the code that migrates a context: which safe points count under the
 * model in force, and that a user thread at kernel entry or exit has no abandoned
 * function on its stack, it finds out for itself. A migration that does not hold
 * leaves the record, and the next call of a patched function is reported.
 *
 * Not checked across: transitions under the immediate model, in which a context
 * gets the new functions whatever its epoch is. Not seen: calls that a jump at a
 * function's entry takes past the handler, as with kgraft.redirect=jmp. Whether a
 * body fits an epoch is not checked either; the pairs of the selftests show that.
 */
#include "internal.h"

#include <linux/bits.h>
#include <linux/bug.h>
#include <linux/hash.h>
#include <linux/irq_work.h>
#include <linux/kgraft_test.h>
#include <linux/percpu.h>
#include <linux/ptrace.h>
#include <linux/sched/task_stack.h>
#include <linux/string.h>

#include <asm/processor.h>
#include <trace/events/kgraft.h>

/**
 * struct kgr_call - a call of a patched function
 * @site:	address of the redirect site; 0: there is no call to compare with
 * @caller:	where it was called from
 * @epoch:	of the context
 */
struct kgr_call {
	unsigned long site;
	unsigned long caller;
	u32 epoch;
};

/**
 * struct kgr_task_record - last call of a thread, at task level
 * @task:	thread that has this slot; NULL: free [A]
 * @last:	used by the thread itself, and by others only while it can't run
 */
struct kgr_task_record {
	struct task_struct *task;
	struct kgr_call last;
};

/**
 * struct kgr_cpu_record - last call at the interrupt level of a CPU
 * @last:	used on this CPU, or while it is offline
 * @moving:	its epoch is just being written: interrupts look away
 */
struct kgr_cpu_record {
	struct kgr_call last;
	bool moving;
};

/*
 * Beside task_struct, so that modules fit kernels with and without the checker.
 * A thread that finds no room is not checked.
 */
#define KGR_CHECK_BITS	11
#define KGR_CHECK_WAYS	8
static struct kgr_task_record kgr_task_records[1U << KGR_CHECK_BITS][KGR_CHECK_WAYS];
static DEFINE_PER_CPU(struct kgr_cpu_record, kgr_cpu_record);

/**
 * struct kgr_violation - two calls that don't fit
 * @first:	the earlier one
 * @then:	the later one
 * @comm:	name of who was running
 * @pid:	its thread id
 * @cpu:	where
 * @interrupt:	at interrupt level
 * @model:	of the transition that runs, or ran last
 */
struct kgr_violation {
	struct kgr_call first;
	struct kgr_call then;
	char comm[TASK_COMM_LEN];
	pid_t pid;
	unsigned int cpu;
	bool interrupt;
	enum kgr_model model;
};

/* The one that is being reported; belongs to whoever has set the bit */
static struct kgr_violation kgr_violation;
static unsigned long kgr_violation_busy;

static void kgr_check_report(struct irq_work *work)
{
	const struct kgr_violation *v = &kgr_violation;

	WARN(1, "kgraft: universe violated: %s of %s/%d on CPU %u called %ps from %pS in epoch %u, then %ps from %pS in epoch %u, with no safe point in between (model %s)\n",
	     v->interrupt ? "an interrupt on top" : "a system call or thread",
	     v->comm, v->pid, v->cpu,
	     (void *)v->first.site, (void *)v->first.caller, v->first.epoch,
	     (void *)v->then.site, (void *)v->then.caller, v->then.epoch,
	     kgr_model_name(v->model) ?: "?");
	clear_bit_unlock(0, &kgr_violation_busy);
}

static DEFINE_IRQ_WORK(kgr_check_work, kgr_check_report);

/* Calls of patched functions stand anywhere; what is said has to wait */
static void kgr_check_complain(const struct kgr_call *first,
			       const struct kgr_call *then, bool interrupt)
{
	struct kgr_violation *v = &kgr_violation;

	/* One at a time is enough to know that something is wrong */
	if (test_and_set_bit_lock(0, &kgr_violation_busy))
		return;

	v->first = *first;
	v->then = *then;
	memcpy(v->comm, current->comm, sizeof(v->comm));
	v->comm[sizeof(v->comm) - 1] = '\0';
	v->pid = current->pid;
	v->cpu = raw_smp_processor_id();
	v->interrupt = interrupt;
	v->model = kgr_transition_model();
	irq_work_queue(&kgr_check_work);
}

/* Slot of @task, or, if @free, one that it may have; NULL when there is none */
static struct kgr_task_record *kgr_task_record(struct task_struct *task, bool free)
{
	struct kgr_task_record *set = kgr_task_records[hash_ptr(task, KGR_CHECK_BITS)];
	unsigned int i;

	for (i = 0; i < KGR_CHECK_WAYS; i++) {
		if (READ_ONCE(set[i].task) == task)
			return &set[i];
	}
	for (i = 0; free && i < KGR_CHECK_WAYS; i++) {
		if (!READ_ONCE(set[i].task) && !cmpxchg(&set[i].task, NULL, task))
			return &set[i];
	}
	return NULL;
}

/*
 * An NMI may come between any two of these and make a call of its own: the site
 * goes last, so that it never finds half of a record.
 */
static void kgr_check_compare(struct kgr_call *last, const struct kgr_call *call,
			      bool interrupt)
{
	struct kgr_call first = *last;

	WRITE_ONCE(last->site, 0);
	barrier();
	last->epoch = call->epoch;
	last->caller = call->caller;
	barrier();
	WRITE_ONCE(last->site, call->site);

	if (unlikely(first.site && first.epoch != call->epoch))
		kgr_check_complain(&first, call, interrupt);
}

/**
 * kgr_check_call - a patched function is called
 * @site:	its redirect site
 * @caller:	where it is called from
 * @epoch:	that it has been decided by
 *
 * Context: any, NMI included; preemption disabled.
 */
void kgr_check_call(unsigned long site, unsigned long caller, u32 epoch)
{
	const struct kgr_call call = { .site = site, .caller = caller, .epoch = epoch };
	struct kgr_cpu_record *level;
	struct kgr_task_record *record;

	if (kgr_in_interrupt()) {
		level = raw_cpu_ptr(&kgr_cpu_record);
		if (!READ_ONCE(level->moving))
			kgr_check_compare(&level->last, &call, true);
		return;
	}

	record = kgr_task_record(current, true);
	if (record)
		kgr_check_compare(&record->last, &call, false);
}

/* Was it right to migrate @task there? See the DOC section. */
static bool kgr_check_point(struct task_struct *task, unsigned int point)
{
	bool inside = task->flags & (PF_KTHREAD | PF_USER_WORKER | PF_IO_WORKER);

	switch (point) {
	case KGR_POINT_ENTRY:
	case KGR_POINT_EXIT:
		return task == current && !inside && user_mode(task_pt_regs(task)) &&
		       kgr_stack_check(task, NULL) != -EADDRINUSE;
	case KGR_POINT_SAFE_POINT:
	case KGR_POINT_ASLEEP:
		return inside || kgr_transition_model() != KGR_MODEL_UNIVERSE;
	case KGR_POINT_QUIESCE:
		return kgr_transition_model() == KGR_MODEL_QUIESCE;
	default:
		return true;
	}
}

/**
 * kgr_check_moved - a thread has been migrated
 * @task:	%current, or a thread that can't start to run meanwhile
 * @point:	where, &enum kgr_point
 *
 * Context: preemption disabled.
 */
void kgr_check_moved(struct task_struct *task, unsigned int point)
{
	if (kgr_check_point(task, point))
		kgr_check_forget(task);
}

/**
 * kgr_check_forget - no call of this thread counts any more
 * @task:	%current, a thread that can't start to run meanwhile, or a dead one
 *
 * Context: preemption disabled, or @task can't run.
 */
void kgr_check_forget(struct task_struct *task)
{
	struct kgr_task_record *record = kgr_task_record(task, false);

	if (!record)
		return;
	record->last.site = 0;
	/* The slot is empty before the next one's cmpxchg() gets it */
	smp_store_release(&record->task, NULL);
}

/**
 * kgr_check_cpu_begin - the epoch of a CPU's interrupt level is about to change
 * @cpu:	this CPU, in task context, or one that is offline
 *
 * Context: preemption disabled, or @cpu stays offline.
 */
void kgr_check_cpu_begin(unsigned int cpu)
{
	WRITE_ONCE(per_cpu(kgr_cpu_record, cpu).moving, true);
	barrier();
}

/**
 * kgr_check_cpu_end - the epoch of a CPU's interrupt level has changed
 * @cpu:	as kgr_check_cpu_begin()
 *
 * Interrupts have stacks of their own; that this code does not run on one of
 * them is the second witness that no interrupt is in progress.
 *
 * Context: as kgr_check_cpu_begin()
 */
void kgr_check_cpu_end(unsigned int cpu)
{
	struct kgr_cpu_record *level = per_cpu_ptr(&kgr_cpu_record, cpu);

	if (cpu != raw_smp_processor_id() || on_thread_stack())
		WRITE_ONCE(level->last.site, 0);
	barrier();
	WRITE_ONCE(level->moving, false);
}

#ifdef CONFIG_KGRAFT_TEST

/**
 * kgr_check_provoke - break the promise once, for a test
 * @first:	patched function that is called in the right epoch
 * @second:	patched function that is called in a wrong one
 *
 * Context: task or interrupt context, whichever is to be broken.
 */
void kgr_check_provoke(int (*first)(void), int (*second)(void))
{
	u32 *epoch;

	preempt_disable();
	epoch = kgr_in_interrupt() ? this_cpu_ptr(&kgr_cpu.epoch) : &current->kgr_epoch;

	first();
	WRITE_ONCE(*epoch, *epoch ^ BIT(31));
	second();

	/* As it was; the record would be that of the wrong one */
	WRITE_ONCE(*epoch, *epoch ^ BIT(31));
	if (kgr_in_interrupt())
		this_cpu_write(kgr_cpu_record.last.site, 0);
	else
		kgr_check_forget(current);
	preempt_enable();
}

#endif /* CONFIG_KGRAFT_TEST */
