// SPDX-License-Identifier: GPL-2.0
/*
 * The two contexts that every CPU has of its own: its interrupt level and its
 * idle task; and CPUs that come and go in the middle of a transition.
 *
 * From the outermost interrupt until a CPU is back in task context, all of its
 * interrupts see one epoch. An interrupt handler must not change it, since it
 * may stand on top of a soft interrupt. Code in task context of that CPU may:
 * nothing can be below it. It is done by whoever comes by a safe point on that
 * CPU first, and by the CPU's stopper thread when nobody does.
 */
#include "internal.h"

#include <linux/cpu.h>
#include <linux/cpuhotplug.h>
#include <linux/sched/idle.h>
#include <linux/sched/task.h>
#include <linux/smp.h>
#include <linux/stop_machine.h>

#include <trace/events/ipi.h>
#include <trace/events/kgraft.h>

DEFINE_PER_CPU(struct kgr_cpu, kgr_cpu);
static DEFINE_PER_CPU(struct cpu_stop_work, kgr_stop_work);

/**
 * kgr_irq_pending - has the interrupt level of this CPU yet to migrate?
 * @cpu:	any CPU
 *
 * Context: any.
 * Return: true when a transition runs and waits for it.
 */
bool kgr_irq_pending(unsigned int cpu)
{
	return test_bit(KGR_CPU_PENDING, &per_cpu(kgr_cpu, cpu).flags);
}

static bool kgr_irq_unmark(unsigned int cpu)
{
	/* Model: irq-unmark; (B) pairs with (C) in kgr_mark_all(); orders by itself */
	return test_and_clear_bit(KGR_CPU_PENDING, &per_cpu(kgr_cpu, cpu).flags);
}

/* Give the interrupt level of this CPU, or of one that is offline, its epoch */
void kgr_irq_set_epoch(unsigned int cpu)
{
	kgr_check_cpu_begin(cpu);
	WRITE_ONCE(per_cpu(kgr_cpu, cpu).epoch, kgr_target_epoch());
	kgr_check_cpu_end(cpu);
}

/**
 * kgr_irq_migrate - migrate the interrupt level of this CPU if it is due
 *
 * Context: task context, preemption disabled; does nothing otherwise. An
 * interrupt that comes in between sees either epoch, and the same one to its
 * end.
 */
void kgr_irq_migrate(void)
{
	unsigned int cpu = raw_smp_processor_id();

	/* Model: irq-claim */
	if (kgr_in_interrupt() || likely(!kgr_irq_pending(cpu)))
		return;

	if (kgr_irq_unmark(cpu)) {
		kgr_irq_set_epoch(cpu);
		kgr_pending_put();
	}
}

/* The idle task of a CPU that is offline, likewise */
static void kgr_idle_set_epoch(unsigned int cpu)
{
	struct task_struct *idle = idle_task(cpu);

	if (!idle)
		return;
	WRITE_ONCE(idle->kgr_epoch, kgr_target_epoch());
	kgr_check_forget(idle);
}

/**
 * kgr_cpus_mark - mark the contexts of all CPUs that are not in the target epoch
 *
 * Those of CPUs that are offline are changed on the spot.
 *
 * Context: process context, kgr_mutex and cpu_hotplug_lock held.
 */
void kgr_cpus_mark(void)
{
	u32 target = kgr_target_epoch();
	unsigned int cpu;

	lockdep_assert_cpus_held();

	/* Model: cpus-mark */
	for_each_possible_cpu(cpu) {
		struct kgr_cpu *kc = per_cpu_ptr(&kgr_cpu, cpu);

		if (!cpu_online(cpu)) {
			kgr_irq_set_epoch(cpu);
			kgr_idle_set_epoch(cpu);
			continue;
		}

		kgr_task_mark(idle_task(cpu));
		if (READ_ONCE(kc->epoch) != target) {
			kgr_pending_get();
			set_bit(KGR_CPU_PENDING, &kc->flags);
		}
	}
}

/**
 * kgr_cpus_unmark - take those marks back
 *
 * Context: process context, kgr_mutex and cpu_hotplug_lock held.
 */
void kgr_cpus_unmark(void)
{
	unsigned int cpu;

	lockdep_assert_cpus_held();

	/* Model: cpus-unmark */
	for_each_online_cpu(cpu) {
		if (kgr_task_unmark(idle_task(cpu)))
			kgr_pending_put();
		if (kgr_irq_unmark(cpu))
			kgr_pending_put();
	}
}

/**
 * kgr_cpus_force - give the contexts of all CPUs the target epoch
 *
 * From here, whatever those CPUs are doing: an interrupt in progress may see both.
 *
 * Context: process context, kgr_mutex and cpu_hotplug_lock held, nobody is marked.
 */
void kgr_cpus_force(void)
{
	unsigned int cpu;

	lockdep_assert_cpus_held();

	for_each_possible_cpu(cpu) {
		kgr_idle_set_epoch(cpu);
		kgr_irq_set_epoch(cpu);
	}
}

/**
 * kgr_cpus_kick - make CPUs pass a safe point
 *
 * A CPU in user mode, or in the kernel on behalf of a user task, passes the exit
 * work after the interrupt; an idle one turns its loop.
 *
 * Context: process context; one interrupt for each CPU that waits for one.
 */
void kgr_cpus_kick(void)
{
	unsigned int cpu;

	cpus_read_lock();
	for_each_online_cpu(cpu) {
		if (idle_cpu(cpu))
			wake_up_if_idle(cpu);
		else
			smp_send_reschedule(cpu);
	}
	cpus_read_unlock();
}

/*
 * The stopper has got the CPU: whoever ran there is off it, and no interrupt is
 * in progress below.
 */
static int kgr_stopper(void *unused)
{
	struct kgr_cpu *kc = raw_cpu_ptr(&kgr_cpu);
	struct task_struct *task = kc->task;

	kc->task = NULL;
	clear_bit_unlock(KGR_CPU_STOPPER, &kc->flags);

	preempt_disable();
	kgr_irq_migrate();
	preempt_enable();

	/* Model: stopper */
	if (task) {
		if (kgr_task_pending(task))
			kgr_move_resting(task);
		put_task_struct(task);
	}
	return 0;
}

/* Takes over a reference to @task, if there is one */
static void kgr_cpu_stop(unsigned int cpu, struct task_struct *task)
{
	struct kgr_cpu *kc = per_cpu_ptr(&kgr_cpu, cpu);

	lockdep_assert_cpus_held();

	if (!test_and_set_bit_lock(KGR_CPU_STOPPER, &kc->flags)) {
		kc->task = task;
		if (stop_one_cpu_nowait(cpu, kgr_stopper, NULL,
					&per_cpu(kgr_stop_work, cpu)))
			return;
		kc->task = NULL;
		clear_bit_unlock(KGR_CPU_STOPPER, &kc->flags);
	}
	if (task)
		put_task_struct(task);
}

/**
 * kgr_cpus_stop - last rung for interrupt levels: the CPU's stopper thread
 *
 * It preempts everything on that one CPU, real-time tasks included.
 *
 * Context: process context, kgr_mutex held. Does not wait.
 */
void kgr_cpus_stop(void)
{
	unsigned int cpu;

	cpus_read_lock();
	for_each_online_cpu(cpu) {
		if (kgr_task_pending(idle_task(cpu)))
			wake_up_if_idle(cpu);
		if (kgr_irq_pending(cpu))
			kgr_cpu_stop(cpu, NULL);
	}
	cpus_read_unlock();
}

/**
 * kgr_cpu_stop_task - let the stopper of its CPU look at a thread that runs
 * @task:	thread that may move inside the kernel; the caller has a reference
 *
 * A thread that never sleeps gives up the CPU in cond_resched() or by preemption
 * all the same, to somebody who has a higher priority than everybody.
 *
 * Context: process context, kgr_mutex held. Does not wait.
 */
void kgr_cpu_stop_task(struct task_struct *task)
{
	unsigned int cpu = task_cpu(task);

	cpus_read_lock();
	if (cpu_online(cpu))
		kgr_cpu_stop(cpu, get_task_struct(task));
	cpus_read_unlock();
}

/* The CPU is about to come up: nothing runs on it yet */
static int kgr_cpu_prepare(unsigned int cpu)
{
	/* Model: cpu-prepare */
	kgr_irq_set_epoch(cpu);
	kgr_idle_set_epoch(cpu);
	return 0;
}

/* The CPU is dead: nothing will run on it that has begun before */
static int kgr_cpu_dead(unsigned int cpu)
{
	struct task_struct *idle = idle_task(cpu);

	/* Model: cpu-dead */
	if (idle && kgr_task_claim(idle, KGR_POINT_DEAD))
		kgr_pending_put();
	if (kgr_irq_unmark(cpu)) {
		kgr_irq_set_epoch(cpu);
		kgr_pending_put();
	}
	return 0;
}

/**
 * kgr_cpu_init - look after CPUs that come and go
 *
 * Context: boot.
 * Return: 0 or a negative errno of cpuhp_setup_state().
 */
int __init kgr_cpu_init(void)
{
	int ret;

	ret = cpuhp_setup_state_nocalls(CPUHP_BP_PREPARE_DYN, "kgraft:prepare",
					kgr_cpu_prepare, kgr_cpu_dead);
	return ret < 0 ? ret : 0;
}
