/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * Generic netlink family "kgraft": lists that do not fit into sysfs.
 * Documentation/netlink/specs/kgraft.yaml describes it; values are ABI.
 */
#ifndef _UAPI_LINUX_KGRAFT_H
#define _UAPI_LINUX_KGRAFT_H

#define KGRAFT_FAMILY_NAME	"kgraft"
#define KGRAFT_FAMILY_VERSION	1

/*
 * Why a context has not migrated: enumerator, text as shown to people and in
 * JSON.  The list is closed: every pending context maps to exactly one.
 */
#define KGRAFT_REASONS(X)					\
	X(IN_PATCHED_FUNCTION,	"in-patched-function")		\
	X(RUNNING_IN_KERNEL,	"running-in-kernel")		\
	X(RUNNABLE_NOT_RUNNING,	"runnable-not-running")		\
	X(UNRELIABLE_STACK,	"unreliable-stack")		\
	X(IN_SYSCALL,		"in-syscall")			\
	X(IN_EXCEPTION,		"in-exception")			\
	X(IN_GUEST,		"in-guest")			\
	X(UNINTERRUPTIBLE,	"uninterruptible")		\
	X(STOPPED_OR_TRACED,	"stopped-or-traced")		\
	X(KTHREAD_NO_SAFE_POINT, "kernel-thread-no-safe-point")	\
	X(IRQ_CPU,		"irq-cpu")

#define KGRAFT_REASON_ENUM(name, text)	KGRAFT_REASON_##name,
enum kgraft_reason {
	KGRAFT_REASONS(KGRAFT_REASON_ENUM)
	__KGRAFT_REASON_COUNT
};
#undef KGRAFT_REASON_ENUM

/* What kind of context a straggler is */
#define KGRAFT_KINDS(X)			\
	X(USER,		"user")		\
	X(KTHREAD,	"kthread")	\
	X(WORKER,	"worker")	/* io_uring, vhost */	\
	X(IDLE,		"idle")		\
	X(CPU,		"cpu")		/* a CPU's interrupt level */

#define KGRAFT_KIND_ENUM(name, text)	KGRAFT_KIND_##name,
enum kgraft_kind {
	KGRAFT_KINDS(KGRAFT_KIND_ENUM)
	__KGRAFT_KIND_COUNT
};
#undef KGRAFT_KIND_ENUM

enum kgraft_cmd {
	KGRAFT_CMD_UNSPEC,
	/*
	 * Dump: one message per straggler; none when no transition runs.
	 * Needs CAP_SYS_ADMIN, as /proc/PID/stack does.
	 */
	KGRAFT_CMD_STRAGGLER_GET,
	/*
	 * Do: nudge the thread KGRAFT_A_TID now, or every straggler when the
	 * attribute is absent.  The answer is a message with KGRAFT_A_NUDGED.
	 * Needs CAP_SYS_ADMIN.  -EAGAIN: no transition runs; -ESRCH: no such
	 * thread; -EALREADY: the thread has migrated.
	 */
	KGRAFT_CMD_NUDGE,
	__KGRAFT_CMD_MAX
};
#define KGRAFT_CMD_MAX (__KGRAFT_CMD_MAX - 1)

enum kgraft_attr {
	KGRAFT_A_UNSPEC,
	KGRAFT_A_PAD,
	KGRAFT_A_PATCH,		/* string: patch in transition */
	KGRAFT_A_KIND,		/* u32: enum kgraft_kind */
	KGRAFT_A_REASON,	/* u32: enum kgraft_reason */
	KGRAFT_A_PID,		/* u32: process (absent for idle, cpu) */
	KGRAFT_A_TID,		/* u32: thread (absent for idle, cpu) */
	KGRAFT_A_CPU,		/* u32: last CPU, or the CPU itself */
	KGRAFT_A_COMM,		/* string */
	KGRAFT_A_AGE_MS,	/* u64: time since the transition began */
	KGRAFT_A_FUNCTION,	/* string: in-patched-function: which */
	KGRAFT_A_OFFSET,	/* u32: offset of the return address in it */
	KGRAFT_A_CALLER,	/* string: who called it, symbol+offset/size */
	KGRAFT_A_SYSCALL,	/* u32: in-syscall: its number */
	KGRAFT_A_WCHAN,		/* string: function the task sleeps in */
	KGRAFT_A_TRACER,	/* u32: stopped-or-traced: the tracer, if any */
	KGRAFT_A_NUDGES,	/* u32: rungs tried on it (reserved, 0) */
	KGRAFT_A_NUDGED,	/* u32: threads nudged by the request */
	__KGRAFT_A_MAX
};
#define KGRAFT_A_MAX (__KGRAFT_A_MAX - 1)

#endif /* _UAPI_LINUX_KGRAFT_H */
