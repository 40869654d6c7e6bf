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

/* What an event message says has happened */
#define KGRAFT_EVENTS(X)						\
	X(STARTED,	"started")	/* a transition has begun */	\
	X(PROGRESS,	"progress")	/* contexts have migrated */	\
	X(NUDGED,	"nudged")	/* stragglers were nudged */	\
	X(TIMED_OUT,	"timed-out")	/* at its deadline */		\
	X(REVERSED,	"reversed")	/* goes the other way now */	\
	X(FORCED,	"forced")	/* completed by force */	\
	X(COMPLETED,	"completed")	/* nobody is left */

#define KGRAFT_EVENT_ENUM(name, text)	KGRAFT_EVENT_##name,
enum kgraft_event {
	KGRAFT_EVENTS(KGRAFT_EVENT_ENUM)
	__KGRAFT_EVENT_COUNT
};
#undef KGRAFT_EVENT_ENUM

/* Multicast group of the events; anybody may join */
#define KGRAFT_MCGRP_EVENTS	"events"

enum kgraft_cmd {
	KGRAFT_CMD_UNSPEC,
	/*
	 * Dump: one message per straggler. When no transition runs, those that
	 * were left when the last one timed out, with KGRAFT_A_PAST; under the
	 * quiesce model, those that were in the way of the last attempt,
	 * likewise. Needs CAP_SYS_ADMIN, as /proc/PID/stack does.
	 */
	KGRAFT_CMD_STRAGGLER_GET,
	/*
	 * Do: nudge the thread KGRAFT_A_TID now, or every straggler when the
	 * attribute is absent.  The answer is a message with KGRAFT_A_NUDGED.
	 * Needs CAP_SYS_ADMIN.  -EAGAIN: no transition runs; -ESRCH: no such
	 * thread; -EALREADY: the thread has migrated; -EOPNOTSUPP: a transition
	 * of the quiesce model runs, which nudges nobody.
	 */
	KGRAFT_CMD_NUDGE,
	/*
	 * Dump: one message per registered patch, oldest first.  Do: the patch
	 * KGRAFT_A_PATCH.  -ENOENT: there is none of that name.
	 */
	KGRAFT_CMD_PATCH_GET,
	/*
	 * Dump: one message per function of the patch KGRAFT_A_PATCH, or of all
	 * patches when the attribute is absent.
	 */
	KGRAFT_CMD_FUNCTION_GET,
	/* Notification in the group KGRAFT_MCGRP_EVENTS */
	KGRAFT_CMD_EVENT,
	__KGRAFT_CMD_MAX
};
#define KGRAFT_CMD_MAX (__KGRAFT_CMD_MAX - 1)

enum kgraft_attr {
	KGRAFT_A_UNSPEC,
	KGRAFT_A_PAD,
	KGRAFT_A_PATCH,		/* string: name of a patch */
	KGRAFT_A_KIND,		/* u32: enum kgraft_kind */
	KGRAFT_A_REASON,	/* u32: enum kgraft_reason */
	KGRAFT_A_PID,		/* u32: process (absent for idle, cpu) */
	KGRAFT_A_TID,		/* u32: thread (absent for idle, cpu) */
	KGRAFT_A_CPU,		/* u32: last CPU, or the CPU itself */
	KGRAFT_A_COMM,		/* string */
	KGRAFT_A_AGE_MS,	/* u64: time since the transition began */
	KGRAFT_A_FUNCTION,	/* string: of a patch; in-patched-function: which */
	KGRAFT_A_OFFSET,	/* u32: offset of the return address in it */
	KGRAFT_A_CALLER,	/* string: who called it, symbol+offset/size */
	KGRAFT_A_SYSCALL,	/* u32: in-syscall: its number */
	KGRAFT_A_WCHAN,		/* string: function the task sleeps in */
	KGRAFT_A_TRACER,	/* u32: stopped-or-traced: the tracer, if any */
	KGRAFT_A_NUDGES,	/* u32: rungs tried on it (reserved, 0) */
	KGRAFT_A_NUDGED,	/* u32: threads nudged by the request */
	KGRAFT_A_PAST,		/* flag: as it was at KGRAFT_A_AGE_MS */
	KGRAFT_A_EVENT,		/* u32: enum kgraft_event */
	KGRAFT_A_SEQ,		/* u32: number of the event, without gaps */
	KGRAFT_A_MODEL,		/* u32: enum kgr_model of linux/kgraft_types.h */
	KGRAFT_A_ENABLED,	/* u32: 1: applied or being applied */
	KGRAFT_A_TRANSITION,	/* u32: 1: its transition runs */
	KGRAFT_A_MIGRATED,	/* u32: contexts, in that or its last transition */
	KGRAFT_A_TOTAL,		/* u32: of so many */
	KGRAFT_A_SINCE_MS,	/* u64: its beginning, since the Epoch */
	KGRAFT_A_REFS,		/* u32: patches that stand on it */
	KGRAFT_A_REPLACE_ALL,	/* flag */
	KGRAFT_A_FORCED,	/* flag: its module stays for ever */
	KGRAFT_A_MODULE,	/* string: the module that it is in */
	KGRAFT_A_CVE,		/* string: blank-separated */
	KGRAFT_A_BUILD_ID,	/* string: of the kernel it was made for */
	KGRAFT_A_FUNCTIONS,	/* u32: how many functions it has */
	KGRAFT_A_TIMEOUT_MS,	/* u32: deadline, 0: none */
	KGRAFT_A_ON_TIMEOUT,	/* u32: enum kgr_on_timeout */
	KGRAFT_A_WHY,		/* string: what became of the transition */
	KGRAFT_A_STOPS,		/* u32: times that the machine was stopped */
	KGRAFT_A_STOPPED_US,	/* u32: and for how long at most */
	KGRAFT_A_OBJECT,	/* string: "vmlinux", or a module */
	KGRAFT_A_SYMPOS,	/* u32: position among symbols of that name */
	KGRAFT_A_STATE,		/* u32: enum kgr_patch_state of a function */
	KGRAFT_A_REDIRECT,	/* string: what stands at its entry */
	__KGRAFT_A_MAX
};
#define KGRAFT_A_MAX (__KGRAFT_A_MAX - 1)

#endif /* _UAPI_LINUX_KGRAFT_H */
