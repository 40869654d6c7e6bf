/* SPDX-License-Identifier: GPL-2.0 */
/*
 * kGraft: what the files of this directory share, grouped by the file that
 * owns it.
 *
 * Letters in brackets at fields say what protects them:
 *
 *   M	kgr_mutex
 *   T	tasklist_lock
 *   W	written once before anybody else can see it
 *   A	atomic; see the Ordering block in transition.c
 *   C	written in task context of the CPU it belongs to, or while that CPU is
 *	offline
 *
 * Lock order:
 *
 *   genl_mutex, active references of sysfs files
 *   kgr_mutex
 *     sched_dynamic_mutex, ftrace's direct_mutex and ftrace_lock, and below them
 *       static_call_mutex and text_mutex
 *     cpu_hotplug_lock (read)
 *       tasklist_lock (read)
 *     sighand->siglock
 *     p->pi_lock, rq->lock			(task_call_func)
 *
 * Hotplug callbacks run with cpu_hotplug_lock held for writing and so must not
 * take kgr_mutex. Everything on the way into and out of the kernel, in fork,
 * exit and the scheduler takes no lock of ours at all.
 */
#ifndef _KERNEL_KGRAFT_INTERNAL_H
#define _KERNEL_KGRAFT_INTERNAL_H

#undef pr_fmt
#define pr_fmt(fmt) "kgraft: " fmt

#include <linux/atomic.h>
#include <linux/kgraft.h>
#include <linux/kgraft_module.h>
#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/workqueue.h>
#include <uapi/linux/kgraft.h>

#include <asm/kgraft.h>

/* Rungs of the nudge ladder: enumerator, name in sysfs and traces */
#define KGR_RUNGS(X)				\
	X(STACK_CHECK,	"stack_check")		\
	X(WAKE,		"wake")			\
	X(RESCHED,	"resched")		\
	X(SIGNAL,	"signal")

#define KGR_RUNG_ENUM(name, text)	KGR_RUNG_##name,
enum kgr_rung {
	KGR_RUNGS(KGR_RUNG_ENUM)
	KGR_RUNG_COUNT
};
#undef KGR_RUNG_ENUM

/**
 * struct kgr_patch_priv - the part of a patch that authors don't see
 * @nr_funs:	number of functions [W]
 * @sites:	room for the address of each one's redirect site [M]
 * @in_transition: a transition of this patch runs [M]
 * @started:	wall-clock time at which its last transition began [M]
 * @migrated:	contexts that had migrated when its last transition ended [M]
 * @total:	contexts it had to migrate [M]
 * @nudges:	how often each rung was used in its last transition [A]
 */
struct kgr_patch_priv {
	unsigned int nr_funs;
	unsigned long *sites;
	bool in_transition;
	struct timespec64 started;
	unsigned int migrated;
	unsigned int total;
	atomic_t nudges[KGR_RUNG_COUNT];
};

/* core.c: the registry, entry points */
extern struct mutex kgr_mutex;
extern struct list_head kgr_patches;	/* [M] oldest first */
int kgr_patch_enable(struct kgr_patch *patch);
int kgr_patch_revert(struct kgr_patch *patch);
unsigned int kgr_patch_refs(const struct kgr_patch *patch);
bool kgr_patch_enabled(const struct kgr_patch *patch);
void kgr_patch_finished(struct kgr_patch *patch, bool applied);

/* state.c: states of a function and their legal changes */
const char *kgr_state_name(enum kgr_patch_state state);
const char *kgr_model_name(enum kgr_model model);
bool kgr_state_may_change(enum kgr_patch_state from, enum kgr_patch_state to);
void kgr_fun_set_state(struct kgr_patch_fun *fun, enum kgr_patch_state state);
void kgr_patch_set_state(struct kgr_patch *patch, enum kgr_patch_state state);

/* transition.c: moving every context from one epoch to another */
u32 kgr_target_epoch(void);
int kgr_transition_begin(struct kgr_patch *patch, bool apply);
int kgr_transition_reverse(void);
struct kgr_patch *kgr_transition_patch(void);
bool kgr_transition_applies(void);
void kgr_transition_counts(const struct kgr_patch *patch,
			   unsigned int *migrated, unsigned int *total);
enum kgr_model kgr_transition_model(void);
s64 kgr_transition_age_ms(void);
void kgr_transition_kick(void);
void kgr_pending_get(void);
void kgr_pending_put(void);
bool kgr_queue_delayed(struct delayed_work *work, unsigned int ms);
int kgr_transition_init(void);

/* task.c: the epoch of a thread */
bool kgr_task_pending(struct task_struct *task);
bool kgr_task_is_kernel(const struct task_struct *task);
bool kgr_task_mark(struct task_struct *task);
bool kgr_task_unmark(struct task_struct *task);
bool kgr_task_claim(struct task_struct *task, unsigned int point);
void kgr_tasks_mark(void);
void kgr_tasks_unmark(void);
bool kgr_dying_done(void);
int kgr_epoch_next(u32 from, u32 first, u32 *epoch);
struct task_struct *kgr_task_next(pid_t *cursor);

/* safepoint.c: where contexts without a user mode migrate */
bool kgr_may_move_inside(const struct task_struct *task);
bool kgr_move_resting(struct task_struct *task);
void kgr_safepoint_hook(bool enable);

/* cpu.c: the contexts that each CPU has of its own; CPUs coming and going */

/**
 * struct kgr_cpu - interrupt level of a CPU
 * @epoch:	universe that interrupts of this CPU run in [C]
 * @flags:	KGR_CPU_* [A]
 * @task:	thread that the stopper is to look at; belongs to whoever set
 *		%KGR_CPU_STOPPER, from then on to the stopper
 */
struct kgr_cpu {
	u32 epoch;
	unsigned long flags;
	struct task_struct *task;
};

/* @epoch has to change; counted in the pending contexts */
#define KGR_CPU_PENDING		0
/* The stopper of this CPU has been asked to look */
#define KGR_CPU_STOPPER		1

DECLARE_PER_CPU(struct kgr_cpu, kgr_cpu);
int kgr_cpu_init(void);
void kgr_irq_migrate(void);
bool kgr_irq_pending(unsigned int cpu);
void kgr_cpus_mark(void);
void kgr_cpus_unmark(void);
void kgr_cpus_kick(void);
void kgr_cpus_stop(void);
void kgr_cpu_stop_task(struct task_struct *task);

/* stack.c: does a stack hold an abandoned variant? */

/**
 * struct kgr_stack_hit - an abandoned variant on a stack
 * @addr:	address in it that a task stands at or will return to
 * @caller:	the same of its caller, 0 when the stack ends there
 */
struct kgr_stack_hit {
	unsigned long addr;
	unsigned long caller;
};

int kgr_stack_abandon(struct kgr_patch *patch, bool apply);
void kgr_stack_forget(void);
int kgr_stack_check(struct task_struct *task, struct kgr_stack_hit *hit);

/* straggler.c: contexts that have not migrated yet */

/**
 * struct kgr_straggler - a context that has not migrated, and why
 * @kind:	what it is
 * @reason:	why; decides which of the others mean anything
 * @task:	the thread, NULL for the interrupt level of a CPU
 * @cpu:	CPU that it last ran on, or that it is
 * @hit:	in-patched-function: where
 * @syscall:	in-syscall: its number
 * @wchan:	where it sleeps, 0 when it does not
 * @tracer:	stopped-or-traced: pid of the tracer, 0 when there is none
 */
struct kgr_straggler {
	enum kgraft_kind kind;
	enum kgraft_reason reason;
	struct task_struct *task;	/* NULL for a CPU */
	unsigned int cpu;
	struct kgr_stack_hit hit;
	unsigned int syscall;
	unsigned long wchan;
	pid_t tracer;
};

extern unsigned int kgr_nudge_delay_ms;
void kgr_straggler_start(void);
void kgr_straggler_stop(void);
int kgr_nudge(pid_t tid, unsigned int *nudged);
bool kgr_straggler_task(struct task_struct *task, struct kgr_straggler *s);
bool kgr_straggler_cpu(unsigned int cpu, struct kgr_straggler *s);

/* redirect.c: what stands at a function's entry */
int kgr_redirect_add(struct kgr_patch *patch);
void kgr_redirect_remove(struct kgr_patch *patch);
void kgr_redirect_begin(struct kgr_patch *patch, u32 epoch, bool apply);
void kgr_redirect_settle(struct kgr_patch *patch, bool applied);
void kgr_redirect_flip(struct kgr_patch *patch, u32 epoch, bool apply);
struct kgr_patch_fun *kgr_func_below(const struct kgr_patch_fun *fun);
struct kgr_patch_fun *kgr_func_top(const struct kgr_func *func);
unsigned long kgr_func_address(const struct kgr_func *func);
unsigned long kgr_func_site(const struct kgr_func *func);

/* resolve.c: name and position to address */
int kgr_resolve(const char *name, unsigned long sympos, unsigned long *addr);
int kgr_resolve_fun(const struct kgr_patch_fun *fun, unsigned long *addr);
unsigned long kgr_resolve_size(unsigned long addr);

/* module.c: identity and relocation of patch modules */
int kgr_build_id_check(const char *what, const char *build_id);

/* sysfs.c */
int kgr_sysfs_init(void);
void kgr_sysfs_init_patch(struct kgr_patch *patch);
bool kgr_sysfs_reserved(const char *name);
int kgr_sysfs_add(struct kgr_patch *patch);
void kgr_sysfs_remove(struct kgr_patch *patch);
void kgr_sysfs_notify(struct kgr_patch *patch);

/* netlink.c */
int kgr_netlink_init(void);

/**
 * kgr_in_interrupt - does this code run at the interrupt level of its CPU?
 *
 * True from the outermost NMI, hard or soft interrupt on. Process context with
 * bottom halves disabled is task context: only the bit that
 * softirq_count() has while a softirq is being served counts, which
 * in_interrupt() does not tell apart.
 *
 * Context: any.
 * Return: true when it does.
 */
static __always_inline bool kgr_in_interrupt(void)
{
	return preempt_count() & (NMI_MASK | HARDIRQ_MASK | SOFTIRQ_OFFSET);
}

#endif /* _KERNEL_KGRAFT_INTERNAL_H */
