/* SPDX-License-Identifier: GPL-2.0 */
/*
 * kGraft: hooks of entry code, scheduler, fork, exit and kernel threads. Light
 * enough for linux/sched.h to include; nothing here needs struct task_struct.
 */
#ifndef _LINUX_KGRAFT_SCHED_H
#define _LINUX_KGRAFT_SCHED_H

#include <linux/jump_label.h>
#include <linux/thread_info.h>

struct pid;
struct pid_namespace;
struct seq_file;
struct task_struct;

#ifdef CONFIG_KGRAFT

void kgr_enter_from_user_mode(void);
void kgr_exit_to_user_mode(void);

void kgr_task_fork(struct task_struct *child);
void kgr_task_exit(struct task_struct *task);
void kgr_task_dead(struct task_struct *task);

void __kgr_task_safe(void);
void __kgr_sched_try_switch(void);

int proc_pid_kgr_in_progress(struct seq_file *m, struct pid_namespace *ns,
			     struct pid *pid, struct task_struct *task);

/**
 * kgr_task_safe - safe point of a kernel thread
 * @task:	%current; the parameter is that of published kGraft
 *
 * Place it where a kernel thread turns its main loop and holds nothing that
 * depends on which universe it is in. The thread changes universe here when
 * one is due and its stack holds no function that is being abandoned.
 * kthread_should_stop(), kthread_should_park() and try_to_freeze() imply it.
 *
 * Context: task context of @task, any locks, preemption and interrupts on or
 * off. Never sleeps, leaves the task state alone. One test of a flag unless a
 * transition runs.
 */
static __always_inline void kgr_task_safe(struct task_struct *task)
{
	if (unlikely(test_thread_flag(TIF_KGRAFT)))
		__kgr_task_safe();
}

#if !defined(CONFIG_PREEMPT_DYNAMIC) || !defined(CONFIG_HAVE_PREEMPT_DYNAMIC_CALL)

DECLARE_STATIC_KEY_FALSE(kgr_sched_try_switch_key);

static __always_inline void kgr_sched_try_switch(void)
{
	if (static_branch_unlikely(&kgr_sched_try_switch_key))
		__kgr_sched_try_switch();
}

#endif

#else /* !CONFIG_KGRAFT */

static inline void kgr_enter_from_user_mode(void) { }
static inline void kgr_exit_to_user_mode(void) { }
static inline void kgr_task_fork(struct task_struct *child) { }
static inline void kgr_task_exit(struct task_struct *task) { }
static inline void kgr_task_dead(struct task_struct *task) { }
static inline void kgr_task_safe(struct task_struct *task) { }
static inline void kgr_sched_try_switch(void) { }
static inline void __kgr_sched_try_switch(void) { }

#endif /* CONFIG_KGRAFT */

#endif /* _LINUX_KGRAFT_SCHED_H */
