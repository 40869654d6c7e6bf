// SPDX-License-Identifier: GPL-2.0
/*
 * Calls the targets from system calls, soft interrupts and kernel threads, and
 * counts what they return. Files in /sys/kernel/debug/kgraft_test/:
 *
 *   run      write "nested N", "seq N", "bh N" or "work N": N pairs within this
 *            call; "both N": of the first two, "all N": of all
 *   stats    read: a line for each context and pair; write 0: from zero
 *   softirq  write 1/0: per-CPU timers run both pairs
 *   kthread  write 1/0: one thread for each CPU runs both pairs; N: and sleeps
 *            for N ms after each round, outside of everything
 *   interrupts  write 1/0: see test_irq.c
 *   sleep    write 0, 1, 2: sleep in kgr_test_sleep(), &enum kgr_test_how
 *   wake     write anything: wake whoever sleeps there
 *   hold     write anything: sleep uninterruptibly outside of any target until
 *            woken; then call kgr_test_hook() and log what it returns
 *   kbusy    write "MS": a kernel thread is busy for so long, calling
 *            cond_resched(); "n MS": without
 *   ksleep   write "0|1": a kernel thread calls kgr_test_sleep()
 *   check    write a number: the result of kgr_test_check()
 *   version  read: version of each body as this call sees it
 *   mix      (CONFIG_KGRAFT_DEBUG) write 0: a system call that sees a mix of
 *            universes, 1: a hard interrupt that does; the checker must notice
 */
#include <linux/bits.h>
#include <linux/bottom_half.h>
#include <linux/container_of.h>
#include <linux/cpu.h>
#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/init.h>
#include <linux/irq_work.h>
#include <linux/kthread.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/sched/signal.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/task_work.h>
#include <linux/timer.h>
#include <linux/uaccess.h>
#include <linux/wait.h>

#include "test.h"

#define KGR_TEST_TEXT(name, text)		text,
static const char * const context_names[] = { KGR_TEST_CONTEXTS(KGR_TEST_TEXT) };
static const char * const pair_names[] = { KGR_TEST_PAIRS(KGR_TEST_TEXT) };

/* Indexed by how the versions compare */
enum { SEEN_OLD, SEEN_NEW, SEEN_MIXED, NR_SEEN };

static atomic_long_t stats[NR_CONTEXTS][NR_PAIRS][NR_SEEN];

static DEFINE_MUTEX(driver_mutex);
static DECLARE_WAIT_QUEUE_HEAD(sleepers);
static unsigned int wakeups;

static DEFINE_PER_CPU(struct timer_list, pair_timer);
static bool timers_on;
static DEFINE_PER_CPU(struct task_struct *, pair_thread);
static unsigned int threads_on;	/* and how long they rest, from 2 on */

#define PAUSE_US	50

/**
 * kgr_test_count - note what a run of a pair has seen
 * @context:	who ran it
 * @kind:	which pair
 * @pair:	the versions that it has seen
 *
 * Context: any.
 */
void kgr_test_count(enum kgr_test_context context, enum kgr_test_pair_kind kind,
		    const struct kgr_test_pair *pair)
{
	int seen = pair->first != pair->second ? SEEN_MIXED :
		   pair->first == 1 ? SEEN_OLD : SEEN_NEW;

	atomic_long_inc(&stats[context][kind][seen]);
}

/* Time passes between the two functions of a pair */
void kgr_test_pause(const struct kgr_test_pair *pair)
{
	if (pair->may_sleep)
		cond_resched();
	udelay(pair->pause_us);
	if (pair->may_sleep)
		cond_resched();
}
EXPORT_SYMBOL_GPL(kgr_test_pause);

/*
 * Sleep until the next wake-up.
 * Return: 0 or -ERESTARTSYS.
 */
int kgr_test_wait(int how)
{
	unsigned int before = READ_ONCE(wakeups);

	switch (how) {
	case KGR_TEST_UNINTERRUPTIBLE:
		wait_event(sleepers, READ_ONCE(wakeups) != before);
		return 0;
	case KGR_TEST_KILLABLE:
		return wait_event_killable(sleepers, READ_ONCE(wakeups) != before);
	default:
		return wait_event_interruptible(sleepers, READ_ONCE(wakeups) != before);
	}
}
EXPORT_SYMBOL_GPL(kgr_test_wait);

/* noinline: patches can want nobody in these, by name */
static noinline void kgr_test_run_nested(enum kgr_test_context context,
					 bool may_sleep, unsigned int pause_us)
{
	struct kgr_test_pair pair = { .pause_us = pause_us, .may_sleep = may_sleep };

	kgr_test_outer(&pair);
	kgr_test_count(context, PAIR_NESTED, &pair);
}

static noinline void kgr_test_run_seq(enum kgr_test_context context,
				      bool may_sleep, unsigned int pause_us)
{
	struct kgr_test_pair pair = { };

	pair.first = kgr_test_first();
	if (may_sleep)
		schedule_timeout_interruptible(1);
	else
		udelay(pause_us);
	pair.second = kgr_test_second();
	kgr_test_count(context, PAIR_SEQ, &pair);
}

/**
 * kgr_test_run - run the nested and the sequential pair
 * @context:	who runs them
 * @pause_us:	how long to busy-wait between two functions, in microseconds
 *
 * Context: any; does not sleep.
 */
void kgr_test_run(enum kgr_test_context context, unsigned int pause_us)
{
	kgr_test_run_nested(context, false, pause_us);
	kgr_test_run_seq(context, false, pause_us);
}

/*
 * The second of the two is called with bottom halves disabled: that is still
 * task context.
 */
static noinline void kgr_test_run_bh(enum kgr_test_context context)
{
	struct kgr_test_pair pair = { .pause_us = PAUSE_US, .may_sleep = true };

	pair.first = kgr_test_first();
	kgr_test_pause(&pair);
	local_bh_disable();
	pair.second = kgr_test_second();
	local_bh_enable();
	kgr_test_count(context, PAIR_BH, &pair);
}

struct pair_work {
	struct callback_head head;
	struct kgr_test_pair pair;
};

static void pair_work_fn(struct callback_head *head)
{
	struct pair_work *work = container_of(head, struct pair_work, head);

	work->pair.second = kgr_test_second();
	kgr_test_count(CONTEXT_TASK, PAIR_WORK, &work->pair);
	kfree(work);
}

/* The second of the two is called by task work, which ends the system call */
static void run_work(void)
{
	struct pair_work *work = kzalloc(sizeof(*work), GFP_KERNEL);

	if (!work)
		return;
	init_task_work(&work->head, pair_work_fn);
	work->pair.first = kgr_test_first();
	if (task_work_add(current, &work->head, TWA_RESUME))
		kfree(work);
}

static ssize_t get_words(char *buf, size_t size, const char __user *from, size_t count)
{
	if (count >= size)
		return -EINVAL;
	if (copy_from_user(buf, from, count))
		return -EFAULT;
	buf[count] = '\0';
	return 0;
}

#define BOTH_PAIRS	(BIT(PAIR_NESTED) | BIT(PAIR_SEQ))
#define ALL_PAIRS	(BOTH_PAIRS | BIT(PAIR_BH) | BIT(PAIR_WORK))

/* The pairs that a word of "run" means, as bits; 0 for no such word */
static unsigned long pairs_of(const char *word)
{
	int pair;

	if (!strcmp(word, "both"))
		return BOTH_PAIRS;
	if (!strcmp(word, "all"))
		return ALL_PAIRS;
	pair = match_string(pair_names, NR_PAIRS, word);
	return pair < 0 ? 0 : BIT(pair) & ALL_PAIRS;
}

static ssize_t run_write(struct file *file, const char __user *from, size_t count,
			 loff_t *pos)
{
	unsigned long pairs;
	char buf[32], which[8];
	unsigned int n;
	ssize_t ret;

	ret = get_words(buf, sizeof(buf), from, count);
	if (ret)
		return ret;
	if (sscanf(buf, "%7s %u", which, &n) != 2)
		return -EINVAL;
	pairs = pairs_of(which);
	if (!pairs)
		return -EINVAL;

	while (n-- && !fatal_signal_pending(current)) {
		if (pairs & BIT(PAIR_NESTED))
			kgr_test_run_nested(CONTEXT_TASK, true, PAUSE_US);
		if (pairs & BIT(PAIR_WORK))
			run_work();
		if (pairs & BIT(PAIR_SEQ))
			kgr_test_run_seq(CONTEXT_TASK, true, PAUSE_US);
		if (pairs & BIT(PAIR_BH))
			kgr_test_run_bh(CONTEXT_TASK);
	}
	return count;
}

static const struct file_operations run_fops = {
	.owner = THIS_MODULE,
	.write = run_write,
};

static int stats_show(struct seq_file *m, void *unused)
{
	int c, p;

	for (c = 0; c < NR_CONTEXTS; c++) {
		for (p = 0; p < NR_PAIRS; p++) {
			long old = atomic_long_read(&stats[c][p][SEEN_OLD]);
			long new = atomic_long_read(&stats[c][p][SEEN_NEW]);
			long mixed = atomic_long_read(&stats[c][p][SEEN_MIXED]);

			seq_printf(m, "%s %s calls=%ld old=%ld new=%ld mixed=%ld\n",
				   context_names[c], pair_names[p],
				   old + new + mixed, old, new, mixed);
		}
	}
	return 0;
}

static int stats_open(struct inode *inode, struct file *file)
{
	return single_open(file, stats_show, NULL);
}

static ssize_t stats_write(struct file *file, const char __user *from, size_t count,
			   loff_t *pos)
{
	int c, p, s;

	for (c = 0; c < NR_CONTEXTS; c++)
		for (p = 0; p < NR_PAIRS; p++)
			for (s = 0; s < NR_SEEN; s++)
				atomic_long_set(&stats[c][p][s], 0);
	return count;
}

static const struct file_operations stats_fops = {
	.owner = THIS_MODULE,
	.open = stats_open,
	.read = seq_read,
	.write = stats_write,
	.llseek = seq_lseek,
	.release = single_release,
};

/*
 * Rests as long as it took, or a slow CPU does nothing else any more. One that came
 * from a CPU that has gone ends: here is one already.
 */
static void pair_timer_fn(struct timer_list *timer)
{
	unsigned long began = jiffies, took;

	kgr_test_run(CONTEXT_SOFTIRQ, PAUSE_US);
	took = jiffies - began;
	if (READ_ONCE(timers_on) && timer == this_cpu_ptr(&pair_timer))
		mod_timer(timer, jiffies + took + 1);
}

static int softirq_get(void *data, u64 *val)
{
	*val = READ_ONCE(timers_on);
	return 0;
}

static int softirq_set(void *data, u64 val)
{
	unsigned int cpu;

	mutex_lock(&driver_mutex);
	cpus_read_lock();
	if (val && !timers_on) {
		WRITE_ONCE(timers_on, true);
		for_each_online_cpu(cpu) {
			per_cpu(pair_timer, cpu).expires = jiffies + 1;
			add_timer_on(&per_cpu(pair_timer, cpu), cpu);
		}
	} else if (!val && timers_on) {
		WRITE_ONCE(timers_on, false);
		for_each_possible_cpu(cpu)
			timer_delete_sync(&per_cpu(pair_timer, cpu));
	}
	cpus_read_unlock();
	mutex_unlock(&driver_mutex);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(softirq_fops, softirq_get, softirq_set, "%llu\n");

static int pair_thread_fn(void *unused)
{
	unsigned int rest;

	while (!kthread_should_stop()) {
		kgr_test_run_nested(CONTEXT_KTHREAD, true, PAUSE_US);
		kgr_test_run_seq(CONTEXT_KTHREAD, true, PAUSE_US);
		kgr_test_run_bh(CONTEXT_KTHREAD);
		rest = READ_ONCE(threads_on);
		if (rest > 1)
			schedule_timeout_interruptible(msecs_to_jiffies(rest));
	}
	return 0;
}

static int threads_start(void)
{
	struct task_struct *thread;
	unsigned int cpu;

	for_each_online_cpu(cpu) {
		thread = kthread_run(pair_thread_fn, NULL, "kgr_test/%u", cpu);
		if (IS_ERR(thread))
			return PTR_ERR(thread);
		per_cpu(pair_thread, cpu) = thread;
	}
	return 0;
}

static void threads_stop(void)
{
	unsigned int cpu;

	for_each_possible_cpu(cpu) {
		if (per_cpu(pair_thread, cpu))
			kthread_stop(per_cpu(pair_thread, cpu));
		per_cpu(pair_thread, cpu) = NULL;
	}
}

static int kthread_get(void *data, u64 *val)
{
	*val = READ_ONCE(threads_on);
	return 0;
}

static int kthread_set(void *data, u64 val)
{
	int ret = 0;

	mutex_lock(&driver_mutex);
	if (val && !threads_on) {
		WRITE_ONCE(threads_on, val);
		ret = threads_start();
		if (ret) {
			threads_stop();
			WRITE_ONCE(threads_on, 0);
		}
	} else if (!val && threads_on) {
		threads_stop();
		WRITE_ONCE(threads_on, 0);
	}
	mutex_unlock(&driver_mutex);
	return ret;
}
DEFINE_DEBUGFS_ATTRIBUTE(kthread_fops, kthread_get, kthread_set, "%llu\n");

static int sleep_set(void *data, u64 val)
{
	int ret;

	if (val > KGR_TEST_KILLABLE)
		return -EINVAL;
	ret = kgr_test_sleep(val);
	return ret < 0 ? ret : 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(sleep_fops, NULL, sleep_set, "%llu\n");

/* Of a module that comes while somebody sleeps in "hold" */
int (*kgr_test_hook)(void);
EXPORT_SYMBOL_GPL(kgr_test_hook);

static int hold_set(void *data, u64 val)
{
	int (*hook)(void);
	int ret;

	ret = kgr_test_wait(KGR_TEST_UNINTERRUPTIBLE);
	hook = READ_ONCE(kgr_test_hook);
	if (hook)
		pr_info("kgr_test: hold sees %d\n", hook());
	return ret;
}
DEFINE_DEBUGFS_ATTRIBUTE(hold_fops, NULL, hold_set, "%llu\n");

static int wake_set(void *data, u64 val)
{
	WRITE_ONCE(wakeups, wakeups + 1);
	wake_up_all(&sleepers);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(wake_fops, NULL, wake_set, "%llu\n");

static int busy_thread_fn(void *data)
{
	long ms = (long)data;
	bool resched = ms > 0;
	unsigned long end = jiffies + msecs_to_jiffies(abs(ms));

	while (time_before(jiffies, end)) {
		if (resched)
			cond_resched();
		else
			cpu_relax();
	}
	return 0;
}

static ssize_t kbusy_write(struct file *file, const char __user *from, size_t count,
			   loff_t *pos)
{
	struct task_struct *thread;
	unsigned int ms;
	char buf[32];
	ssize_t ret;
	bool never;

	ret = get_words(buf, sizeof(buf), from, count);
	if (ret)
		return ret;
	never = buf[0] == 'n';
	if (kstrtouint(strim(buf + never), 10, &ms) || !ms || ms > 600000)
		return -EINVAL;

	thread = kthread_run(busy_thread_fn, (void *)(never ? -(long)ms : (long)ms),
			     "kgr_test_busy");
	return IS_ERR(thread) ? PTR_ERR(thread) : count;
}

static const struct file_operations kbusy_fops = {
	.owner = THIS_MODULE,
	.write = kbusy_write,
};

static int sleep_thread_fn(void *data)
{
	kgr_test_sleep((long)data);
	return 0;
}

static int ksleep_set(void *data, u64 val)
{
	struct task_struct *thread;

	if (val > KGR_TEST_UNINTERRUPTIBLE)
		return -EINVAL;
	thread = kthread_run(sleep_thread_fn, (void *)(long)val, "kgr_test_sleep");
	return PTR_ERR_OR_ZERO(thread);
}
DEFINE_DEBUGFS_ATTRIBUTE(ksleep_fops, NULL, ksleep_set, "%llu\n");

static int check_set(void *data, u64 val)
{
	long ret = kgr_test_check(val);

	return ret < 0 ? ret : 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(check_fops, NULL, check_set, "%llu\n");

static int version_show(struct seq_file *m, void *unused)
{
	struct kgr_test_pair pair = { };

	kgr_test_outer(&pair);
	seq_printf(m, "inner=%d outer=%d first=%d second=%d\n", kgr_test_inner(),
		   pair.first, kgr_test_first(), kgr_test_second());
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(version);

static void mix_fn(struct irq_work *work)
{
	kgr_check_provoke(kgr_test_first, kgr_test_second);
}

static int mix_set(void *data, u64 val)
{
	struct irq_work work = IRQ_WORK_INIT_HARD(mix_fn);

	if (val > 1)
		return -EINVAL;
	if (!val) {
		mix_fn(NULL);
		return 0;
	}
	irq_work_queue(&work);
	irq_work_sync(&work);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(mix_fops, NULL, mix_set, "%llu\n");

static int __init kgr_test_init(void)
{
	struct dentry *dir = debugfs_create_dir("kgraft_test", NULL);
	unsigned int cpu;

	for_each_possible_cpu(cpu)
		timer_setup(&per_cpu(pair_timer, cpu), pair_timer_fn, TIMER_PINNED);

	debugfs_create_file("run", 0200, dir, NULL, &run_fops);
	debugfs_create_file("stats", 0600, dir, NULL, &stats_fops);
	debugfs_create_file_unsafe("softirq", 0600, dir, NULL, &softirq_fops);
	debugfs_create_file_unsafe("kthread", 0600, dir, NULL, &kthread_fops);
	debugfs_create_file_unsafe("sleep", 0200, dir, NULL, &sleep_fops);
	debugfs_create_file_unsafe("hold", 0200, dir, NULL, &hold_fops);
	debugfs_create_file_unsafe("wake", 0200, dir, NULL, &wake_fops);
	debugfs_create_file("kbusy", 0200, dir, NULL, &kbusy_fops);
	debugfs_create_file_unsafe("ksleep", 0200, dir, NULL, &ksleep_fops);
	debugfs_create_file_unsafe("check", 0200, dir, NULL, &check_fops);
	debugfs_create_file("version", 0400, dir, NULL, &version_fops);
	if (IS_ENABLED(CONFIG_KGRAFT_DEBUG))
		debugfs_create_file_unsafe("mix", 0200, dir, NULL, &mix_fops);
	kgr_test_irq_init(dir);
	return 0;
}
late_initcall(kgr_test_init);
