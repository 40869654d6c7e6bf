// SPDX-License-Identifier: GPL-2.0
/*
 * A task that is preempted in a stub, and gets no CPU for as long as a test wants.
 *
 * A thread calls kgr_test_first() with a breakpoint on the stub of that function. What
 * comes with the breakpoint is an interrupt that wakes a second thread, which takes
 * the CPU for itself. In debugfs, "preempt"
 *
 *   write 1	start the first thread; it waits, asleep
 *   write 2	let it call; returns when the other one has the CPU
 *   write 0	the CPU is free again; returns when both are done
 *   read	how often the breakpoint was met, and what the call has returned; 0: it
 *		has not yet
 *
 * Kernel code has to be preemptible (preempt=full), the fair server of the CPU, the
 * last one online, switched off: it would give the first thread time.
 */
#include "internal.h"

#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/debugfs.h>
#include <linux/err.h>
#include <linux/hw_breakpoint.h>
#include <linux/init.h>
#include <linux/irq_work.h>
#include <linux/kallsyms.h>
#include <linux/kgraft_ftrace.h>
#include <linux/kgraft_test.h>
#include <linux/kstrtox.h>
#include <linux/kthread.h>
#include <linux/mutex.h>
#include <linux/perf_event.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/string.h>

#define PATIENCE	(10 * HZ)

static DEFINE_MUTEX(preempt_mutex);
static struct task_struct *caller, *hog;
static struct perf_event *breakpoint;
static DECLARE_COMPLETION(go);		/* the caller may call */
static DECLARE_COMPLETION(hit);		/* it has come to the stub */
static DECLARE_COMPLETION(taken);	/* its CPU has been taken away */
static bool hogging;
static unsigned int hits;
static int result;

static void wait_for_end(void)
{
	while (!kthread_should_stop())
		schedule_timeout_interruptible(HZ / 100);
}

static int caller_fn(void *unused)
{
	wait_for_completion_interruptible(&go);
	if (READ_ONCE(hogging))
		WRITE_ONCE(result, kgr_test_first());
	wait_for_end();
	return 0;
}

static int hog_fn(void *unused)
{
	wait_for_completion_interruptible(&hit);
	complete(&taken);
	while (READ_ONCE(hogging))
		cpu_relax();
	wait_for_end();
	return 0;
}

static void wake_hog(struct irq_work *work)
{
	complete(&hit);
}

static struct irq_work hog_work = IRQ_WORK_INIT_HARD(wake_hog);

static void breakpoint_fn(struct perf_event *event, struct perf_sample_data *data,
			  struct pt_regs *regs)
{
	if (!hits++)
		irq_work_queue(&hog_work);
}

static unsigned long stub_address(void)
{
	char name[KSYM_NAME_LEN];
	unsigned long addr;
	unsigned int i;
	char type;

	for (i = 0; !kgr_get_kallsym(i, &addr, &type, name); i++) {
		if (!strcmp(name, "kgr_stub_kgr_test_first"))
			return addr;
	}
	return 0;
}

static struct task_struct *thread_start(int (*fn)(void *), const char *name)
{
	struct task_struct *task = kthread_create(fn, NULL, "%s", name);

	if (!IS_ERR(task))
		kthread_bind(task, cpumask_last(cpu_online_mask));
	return task;
}

static void preempt_stop(void)
{
	WRITE_ONCE(hogging, false);
	complete(&go);
	complete(&hit);
	if (caller)
		kthread_stop(caller);
	if (hog)
		kthread_stop(hog);
	if (breakpoint)
		unregister_hw_breakpoint(breakpoint);
	irq_work_sync(&hog_work);
	caller = hog = NULL;
	breakpoint = NULL;
}

static int preempt_start(void)
{
	struct task_struct *task;

	if (caller)
		return -EBUSY;
	hits = result = 0;
	hogging = true;
	reinit_completion(&go);
	reinit_completion(&hit);
	reinit_completion(&taken);

	task = thread_start(hog_fn, "kgr_test_hog");
	if (IS_ERR(task))
		return PTR_ERR(task);
	hog = task;
	sched_set_fifo(hog);
	wake_up_process(hog);

	task = thread_start(caller_fn, "kgr_test_caller");
	if (IS_ERR(task)) {
		preempt_stop();
		return PTR_ERR(task);
	}
	caller = task;
	wake_up_process(caller);
	return 0;
}

static int preempt_go(void)
{
	struct perf_event_attr attr;
	struct perf_event *event;

	if (!caller || breakpoint)
		return -EINVAL;

	hw_breakpoint_init(&attr);
	attr.bp_addr = stub_address();
	attr.bp_len = sizeof(long);
	attr.bp_type = HW_BREAKPOINT_X;
	if (!attr.bp_addr)
		return -ENOENT;
	event = register_user_hw_breakpoint(&attr, breakpoint_fn, NULL, caller);
	if (IS_ERR(event))
		return PTR_ERR(event);
	breakpoint = event;

	complete(&go);
	return wait_for_completion_timeout(&taken, PATIENCE) ? 0 : -ETIMEDOUT;
}

static int preempt_set(u64 val)
{
	guard(mutex)(&preempt_mutex);
	switch (val) {
	case 0:
		preempt_stop();
		return 0;
	case 1:
		return preempt_start();
	case 2:
		return preempt_go();
	default:
		return -EINVAL;
	}
}

static int preempt_show(struct seq_file *m, void *unused)
{
	seq_printf(m, "hits=%u result=%d\n", READ_ONCE(hits), READ_ONCE(result));
	return 0;
}

static ssize_t preempt_write(struct file *file, const char __user *buf, size_t count,
			     loff_t *ppos)
{
	u64 val;
	int ret = kstrtou64_from_user(buf, count, 0, &val) ?: preempt_set(val);

	return ret ?: count;
}

DEFINE_SHOW_STORE_ATTRIBUTE(preempt);

static int __init kgr_test_preempt_init(void)
{
	debugfs_create_file("preempt", 0600, debugfs_lookup("kgraft_test", NULL), NULL,
			    &preempt_fops);
	return 0;
}
late_initcall_sync(kgr_test_preempt_init);
