/* SPDX-License-Identifier: GPL-2.0 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM kgraft

#if !defined(_TRACE_KGRAFT_H) || defined(TRACE_HEADER_MULTI_READ)
#define _TRACE_KGRAFT_H

#include <linux/kgraft_types.h>
#include <linux/sched.h>
#include <linux/tracepoint.h>

#ifndef _TRACE_KGRAFT_DEFS
#define _TRACE_KGRAFT_DEFS
/* Where a context migrated: enumerator, text */
#define KGR_POINTS(X)			\
	X(ENTRY,	"entry")	\
	X(EXIT,		"exit")		\
	X(SAFE_POINT,	"safe-point")	\
	X(ASLEEP,	"asleep")	\
	X(DEAD,		"dead")		\
	X(QUIESCE,	"quiesce")	\
	X(FORCED,	"forced")

#define KGR_POINT_ENUM(name, text)	KGR_POINT_##name,
enum kgr_point {
	KGR_POINTS(KGR_POINT_ENUM)
};
#undef KGR_POINT_ENUM
#endif

#define show_kgr_state(val)			\
	__print_symbolic(val,			\
		{ 0, "init" },			\
		{ 1, "slow" },			\
		{ 2, "applied" },		\
		{ 3, "revert_slow" },		\
		{ 4, "reverted" },		\
		{ 5, "skipped" })

#define show_kgr_point(val)			\
	__print_symbolic(val,			\
		{ 0, "entry" },			\
		{ 1, "exit" },			\
		{ 2, "safe-point" },		\
		{ 3, "asleep" },		\
		{ 4, "dead" },			\
		{ 5, "quiesce" },		\
		{ 6, "forced" })

#define show_kgr_rung(val)			\
	__print_symbolic(val,			\
		{ 0, "stack_check" },		\
		{ 1, "wake" },			\
		{ 2, "resched" },		\
		{ 3, "signal" })

TRACE_EVENT(kgr_state,

	TP_PROTO(const char *patch, const char *function,
		 unsigned int from, unsigned int to),

	TP_ARGS(patch, function, from, to),

	TP_STRUCT__entry(
		__string(patch, patch)
		__string(function, function)
		__field(unsigned int, from)
		__field(unsigned int, to)
	),

	TP_fast_assign(
		__assign_str(patch);
		__assign_str(function);
		__entry->from = from;
		__entry->to = to;
	),

	TP_printk("patch=%s function=%s from=%s to=%s",
		  __get_str(patch), __get_str(function),
		  show_kgr_state(__entry->from), show_kgr_state(__entry->to))
);

TRACE_EVENT(kgr_migrate,

	TP_PROTO(struct task_struct *task, u32 epoch, unsigned int point),

	TP_ARGS(task, epoch, point),

	TP_STRUCT__entry(
		__array(char, comm, TASK_COMM_LEN)
		__field(pid_t, pid)
		__field(u32, epoch)
		__field(unsigned int, point)
	),

	TP_fast_assign(
		memcpy(__entry->comm, task->comm, TASK_COMM_LEN);
		__entry->pid = task->pid;
		__entry->epoch = epoch;
		__entry->point = point;
	),

	TP_printk("comm=%s pid=%d epoch=%u point=%s",
		  __entry->comm, __entry->pid, __entry->epoch,
		  show_kgr_point(__entry->point))
);

TRACE_EVENT(kgr_nudge,

	TP_PROTO(struct task_struct *task, unsigned int rung),

	TP_ARGS(task, rung),

	TP_STRUCT__entry(
		__array(char, comm, TASK_COMM_LEN)
		__field(pid_t, pid)
		__field(unsigned int, rung)
	),

	TP_fast_assign(
		memcpy(__entry->comm, task->comm, TASK_COMM_LEN);
		__entry->pid = task->pid;
		__entry->rung = rung;
	),

	TP_printk("comm=%s pid=%d rung=%s",
		  __entry->comm, __entry->pid, show_kgr_rung(__entry->rung))
);

#endif /* _TRACE_KGRAFT_H */

#include <trace/define_trace.h>
