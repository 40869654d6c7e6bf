// SPDX-License-Identifier: GPL-2.0
/*
 * The redirect, looked at from close by. In debugfs
 *
 *   truth    read while a patch of kgr_test_first() is in transition: which body
 *            a caller gets at each interrupt level and in each epoch, as it should
 *            be, as kgr_redirect_target() says and as a call shows
 *   cost     read: the least number of time stamp ticks that 100 calls of
 *            kgr_test_empty() take out of 1,000 times, as the reader is; in a
 *            transition also as somebody in the old and in the new universe and
 *            in an interrupt of the old one. Where the TSC counts instructions
 *            these are instructions.
 *   stub     read: can a stack be walked from inside a stub? For each stub
 *   ftrace_kill
 *            write anything: ftrace shuts itself down, until the next boot
 */
#include "internal.h"

#include <linux/debugfs.h>
#include <linux/ftrace.h>
#include <linux/init.h>
#include <linux/irqflags.h>
#include <linux/kgraft_ftrace.h>
#include <linux/kgraft_test.h>
#include <linux/kallsyms.h>
#include <linux/seq_file.h>

#include <asm/msr.h>
#include <asm/unwind.h>

#define COST_CALLS	100
#define COST_BATCHES	1000

/* The universe that a stretch of code pretends to be in, interrupts off */
struct disguise {
	unsigned int count;	/* for preempt_count() */
	u32 task;
	u32 cpu;
};

static unsigned long put_on(const struct disguise *as, struct disguise *real)
{
	unsigned long flags;

	local_irq_save(flags);
	/* A disguise is no violation of a universe */
	kgr_check_forget(current);
	kgr_check_cpu_begin(raw_smp_processor_id());
	real->task = current->kgr_epoch;
	real->cpu = raw_cpu_read(kgr_cpu.epoch);
	WRITE_ONCE(current->kgr_epoch, as->task);
	raw_cpu_write(kgr_cpu.epoch, as->cpu);
	__preempt_count_add(as->count);
	return flags;
}

static void take_off(const struct disguise *as, const struct disguise *real,
		     unsigned long flags)
{
	__preempt_count_sub(as->count);
	raw_cpu_write(kgr_cpu.epoch, real->cpu);
	WRITE_ONCE(current->kgr_epoch, real->task);
	kgr_check_cpu_end(raw_smp_processor_id());
	kgr_check_forget(current);
	local_irq_restore(flags);
}

struct level {
	const char *name;
	unsigned int count;
	bool interrupt;
};

static const struct level levels[] = {
	{ "task",		0,				false },
	{ "preempt-off",	PREEMPT_OFFSET,			false },
	{ "bh-off",		SOFTIRQ_DISABLE_OFFSET,		false },
	{ "softirq",		SOFTIRQ_OFFSET,			true },
	{ "softirq-bh-off",	SOFTIRQ_OFFSET + SOFTIRQ_DISABLE_OFFSET, true },
	{ "hardirq",		HARDIRQ_OFFSET,			true },
	{ "hardirq-in-softirq",	HARDIRQ_OFFSET + SOFTIRQ_OFFSET, true },
	{ "nmi",		NMI_OFFSET + HARDIRQ_OFFSET,	true },
};

static void truth_row(struct seq_file *m, const struct level *level, u32 task, u32 cpu)
{
	const struct disguise as = { level->count, task, cpu };
	unsigned long site = arch_kgr_site((unsigned long)kgr_test_first);
	struct disguise real;
	unsigned long flags, target;
	u32 from, to, epoch;
	bool apply;
	int called;

	apply = kgr_transition_epochs(&from, &to);
	epoch = level->interrupt ? cpu : task;

	flags = put_on(&as, &real);
	target = kgr_redirect_target(site, _THIS_IP_);
	called = kgr_test_first();
	take_off(&as, &real, flags);

	seq_printf(m, "%s task=%s cpu=%s wanted=%d asked=%d called=%d\n", level->name,
		   task == to ? "to" : "from", cpu == to ? "to" : "from",
		   (epoch == to) == apply ? 2 : 1, target ? 2 : 1, called);
}

static int truth_show(struct seq_file *m, void *unused)
{
	u32 from, to;
	int i;

	guard(mutex)(&kgr_mutex);
	if (!kgr_transition_patch())
		return -EAGAIN;

	kgr_transition_epochs(&from, &to);
	for (i = 0; i < ARRAY_SIZE(levels); i++) {
		truth_row(m, &levels[i], from, from);
		truth_row(m, &levels[i], from, to);
		truth_row(m, &levels[i], to, from);
		truth_row(m, &levels[i], to, to);
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(truth);

static u64 cost_batch(void)
{
	u64 start = rdtsc();
	int i;

	for (i = 0; i < COST_CALLS; i++)
		kgr_test_empty();
	return rdtsc() - start;
}

static void cost_row(struct seq_file *m, const char *what, const struct disguise *as)
{
	u64 least = U64_MAX;
	struct disguise real;
	unsigned long flags;
	int i;

	for (i = 0; i < COST_BATCHES; i++) {
		flags = put_on(as, &real);
		least = min(least, cost_batch());
		take_off(as, &real, flags);
		cond_resched();
	}
	seq_printf(m, "%s %llu\n", what, least);
}

static int cost_show(struct seq_file *m, void *unused)
{
	struct disguise as;
	u32 from, to;

	guard(mutex)(&kgr_mutex);
	as = (struct disguise) { 0, current->kgr_epoch, kgr_target_epoch() };
	cost_row(m, "reader", &as);
	if (!kgr_transition_patch())
		return 0;

	kgr_transition_epochs(&from, &to);
	cost_row(m, "from", &(struct disguise) { 0, from, from });
	cost_row(m, "to", &(struct disguise) { 0, to, to });
	cost_row(m, "interrupt", &(struct disguise) { HARDIRQ_OFFSET, from, from });
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(cost);

/* One step from registers as they are when a task is preempted at @ip */
static bool walks_from(unsigned long ip)
{
	unsigned long stack[2] = { (unsigned long)kgr_test_second + 1, 0 };
	struct pt_regs regs = {
		.ip = ip,
		.sp = (unsigned long)stack,
		.cs = __KERNEL_CS,
		.ss = __KERNEL_DS,
		.flags = X86_EFLAGS_IF,
	};
	struct unwind_state state;

	unwind_start(&state, current, &regs, NULL);
	unwind_next_frame(&state);
	return !unwind_error(&state);
}

static int stub_show(struct seq_file *m, void *unused)
{
	char name[KSYM_NAME_LEN];
	unsigned long addr;
	unsigned int i;
	char type;

	/* What it looks like where it can be walked */
	seq_printf(m, "kgr_test_first walks=%d\n",
		   walks_from((unsigned long)kgr_test_first));
	for (i = 0; !kgr_get_kallsym(i, &addr, &type, name); i++)
		seq_printf(m, "%s walks=%d\n", name, walks_from(addr));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(stub);

static int ftrace_kill_set(void *data, u64 val)
{
	ftrace_kill();
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(ftrace_kill_fops, NULL, ftrace_kill_set, "%llu\n");

static int __init kgr_test_redirect_init(void)
{
	struct dentry *dir = debugfs_lookup("kgraft_test", NULL);

	debugfs_create_file("truth", 0400, dir, NULL, &truth_fops);
	debugfs_create_file("cost", 0400, dir, NULL, &cost_fops);
	debugfs_create_file("stub", 0400, dir, NULL, &stub_fops);
	debugfs_create_file_unsafe("ftrace_kill", 0200, dir, NULL, &ftrace_kill_fops);
	return 0;
}
late_initcall_sync(kgr_test_redirect_init);
