// SPDX-License-Identifier: GPL-2.0
/*
 * Calls the targets from everything that an interrupt can set off. On each CPU a
 * timer runs in hard interrupt context; it runs both pairs itself and lets a
 * tasklet, an NMI, a work item, an RCU callback and a threaded interrupt handler
 * do so. The work item schedules another tasklet, which ksoftirqd runs unless an
 * interrupt is quicker.
 *
 * One more pair begins in the tasklet and ends in an interrupt, and another time
 * in an NMI, that comes on top of it: the level at which the CPU's interrupts
 * have begun decides, for all that comes above.
 */
#include <linux/cpu.h>
#include <linux/debugfs.h>
#include <linux/err.h>
#include <linux/hrtimer.h>
#include <linux/interrupt.h>
#include <linux/irq_sim.h>
#include <linux/irq_work.h>
#include <linux/irqdomain.h>
#include <linux/ktime.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/rcupdate.h>
#include <linux/workqueue.h>

#include "test.h"

/* For each CPU: all of them may have to share one of the host's */
#define PERIOD_NS	(2 * NSEC_PER_MSEC)
#define PAUSE_US	20

/* What one CPU has of its own */
struct irq_tester {
	struct hrtimer timer;
	struct tasklet_struct tasklet;
	struct tasklet_struct deferred;
	struct irq_work above;
	struct work_struct work;
	struct rcu_head rcu;
	bool rcu_busy;
	bool expects_nmi;
	struct kgr_test_pair pair;	/* begun in the tasklet */
	bool pair_begun;
	unsigned int turn;
};

static DEFINE_PER_CPU(struct irq_tester, irq_tester);
static DEFINE_MUTEX(irq_tester_mutex);
static bool running;
static unsigned int sim_irq;
static bool have_nmi;

/* Ends a pair that the tasklet of this CPU has begun below us */
static void end_pair(struct irq_tester *t)
{
	if (!READ_ONCE(t->pair_begun))
		return;
	WRITE_ONCE(t->pair_begun, false);
	t->pair.second = kgr_test_second();
	kgr_test_count(CONTEXT_TASKLET, PAIR_ABOVE, &t->pair);
}

static void nmi_fn(void)
{
	struct irq_tester *t = this_cpu_ptr(&irq_tester);

	if (!READ_ONCE(t->expects_nmi))
		return;
	WRITE_ONCE(t->expects_nmi, false);
	kgr_test_run(CONTEXT_NMI, 0);
	end_pair(t);
}

static void above_fn(struct irq_work *work)
{
	end_pair(container_of(work, struct irq_tester, above));
}

/* Either a hard interrupt or an NMI comes, by turns, while this waits */
static void tasklet_fn(struct tasklet_struct *tasklet)
{
	struct irq_tester *t = from_tasklet(t, tasklet, tasklet);

	kgr_test_run(CONTEXT_TASKLET, PAUSE_US);

	t->pair = (struct kgr_test_pair){ .pause_us = PAUSE_US };
	t->pair.first = kgr_test_first();
	WRITE_ONCE(t->pair_begun, true);
	if (have_nmi && t->turn % 2) {
		WRITE_ONCE(t->expects_nmi, true);
		arch_kgr_test_nmi(smp_processor_id());
	} else {
		irq_work_queue(&t->above);
	}
	kgr_test_pause(&t->pair);
	WRITE_ONCE(t->pair_begun, false);
}

static void deferred_fn(struct tasklet_struct *tasklet)
{
	kgr_test_run(current == this_cpu_ksoftirqd() ? CONTEXT_KSOFTIRQD : CONTEXT_TASKLET,
		     PAUSE_US);
}

static void work_fn(struct work_struct *work)
{
	struct irq_tester *t = container_of(work, struct irq_tester, work);

	kgr_test_run(CONTEXT_WORKQUEUE, PAUSE_US);
	tasklet_schedule(&t->deferred);
}

static void rcu_fn(struct rcu_head *head)
{
	struct irq_tester *t = container_of(head, struct irq_tester, rcu);

	kgr_test_run(CONTEXT_RCU, PAUSE_US);
	WRITE_ONCE(t->rcu_busy, false);
}

static irqreturn_t irq_fn(int irq, void *unused)
{
	return IRQ_WAKE_THREAD;
}

static irqreturn_t irq_thread_fn(int irq, void *unused)
{
	kgr_test_run(CONTEXT_THREADIRQ, PAUSE_US);
	return IRQ_HANDLED;
}

static ktime_t period(void)
{
	return ns_to_ktime(PERIOD_NS * num_online_cpus());
}

static enum hrtimer_restart timer_fn(struct hrtimer *timer)
{
	struct irq_tester *t = container_of(timer, struct irq_tester, timer);

	/* Its own CPU has gone: this one has a timer already */
	if (t != this_cpu_ptr(&irq_tester))
		return HRTIMER_NORESTART;

	kgr_test_run(CONTEXT_HARDIRQ, PAUSE_US);

	t->turn++;
	tasklet_schedule(&t->tasklet);
	queue_work_on(smp_processor_id(), system_highpri_wq, &t->work);
	if (!READ_ONCE(t->rcu_busy)) {
		WRITE_ONCE(t->rcu_busy, true);
		call_rcu(&t->rcu, rcu_fn);
	}
	if (sim_irq)
		irq_set_irqchip_state(sim_irq, IRQCHIP_STATE_PENDING, true);

	hrtimer_forward_now(timer, period());
	return READ_ONCE(running) ? HRTIMER_RESTART : HRTIMER_NORESTART;
}

static void timer_start(void *unused)
{
	hrtimer_start(&this_cpu_ptr(&irq_tester)->timer, period(),
		      HRTIMER_MODE_REL_PINNED_HARD);
}

static void testers_stop(void)
{
	unsigned int cpu;

	WRITE_ONCE(running, false);
	for_each_possible_cpu(cpu) {
		struct irq_tester *t = per_cpu_ptr(&irq_tester, cpu);

		hrtimer_cancel(&t->timer);
		tasklet_kill(&t->tasklet);
		irq_work_sync(&t->above);
		cancel_work_sync(&t->work);
		tasklet_kill(&t->deferred);
	}
	rcu_barrier();
	if (sim_irq)
		synchronize_irq(sim_irq);
}

static int interrupts_get(void *data, u64 *val)
{
	*val = READ_ONCE(running);
	return 0;
}

static int interrupts_set(void *data, u64 val)
{
	mutex_lock(&irq_tester_mutex);
	if (val && !running) {
		WRITE_ONCE(running, true);
		on_each_cpu(timer_start, NULL, true);
	} else if (!val && running) {
		testers_stop();
	}
	mutex_unlock(&irq_tester_mutex);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(interrupts_fops, interrupts_get, interrupts_set, "%llu\n");

/* An interrupt without a device, whose handler is a thread */
static void sim_irq_init(void)
{
	struct irq_domain *domain = irq_domain_create_sim(NULL, 1);
	unsigned int irq;

	if (IS_ERR(domain))
		return;
	irq = irq_create_mapping(domain, 0);
	if (irq && !request_threaded_irq(irq, irq_fn, irq_thread_fn, IRQF_ONESHOT,
					 "kgr_test", &irq_tester))
		sim_irq = irq;
}

/**
 * kgr_test_irq_init - set all of it up
 * @dir:	directory of the test driver
 *
 * What can't be had counts no calls; the test sees that.
 *
 * Context: boot.
 */
void __init kgr_test_irq_init(struct dentry *dir)
{
	unsigned int cpu;

	for_each_possible_cpu(cpu) {
		struct irq_tester *t = per_cpu_ptr(&irq_tester, cpu);

		hrtimer_init(&t->timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL_PINNED_HARD);
		t->timer.function = timer_fn;
		tasklet_setup(&t->tasklet, tasklet_fn);
		tasklet_setup(&t->deferred, deferred_fn);
		t->above = IRQ_WORK_INIT_HARD(above_fn);
		INIT_WORK(&t->work, work_fn);
	}
	sim_irq_init();
	have_nmi = !arch_kgr_test_nmi_init(nmi_fn);
	debugfs_create_file_unsafe("interrupts", 0600, dir, NULL, &interrupts_fops);
}
