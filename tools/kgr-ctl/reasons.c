// SPDX-License-Identifier: GPL-2.0
/*
 * Each reason of the kernel's closed list in one sentence, with one remedy.
 * The table is made from KGRAFT_REASONS: a reason without its WHAT_ and
 * REMEDY_ text does not compile.
 */
#include <linux/kgraft.h>

#include "reasons.h"

#define WHAT_IN_PATCHED_FUNCTION \
	"It sleeps, or was interrupted, inside a function that the transition abandons, and has to return from it first."
#define REMEDY_IN_PATCHED_FUNCTION \
	"'kgr-ctl nudge PID' interrupts its sleep; if it sleeps on, provide what it waits for, or end the process."

#define WHAT_RUNNING_IN_KERNEL \
	"It is on a CPU in kernel mode and has passed no safe point yet."
#define REMEDY_RUNNING_IN_KERNEL \
	"Wait: it moves as it leaves the kernel or, if it is a kernel thread, at its next cond_resched()."

#define WHAT_RUNNABLE_NOT_RUNNING \
	"It is ready to run but gets no CPU time."
#define REMEDY_RUNNABLE_NOT_RUNNING \
	"Give it some: look for a real-time task on its CPU or a CPU quota, and change priority, quota or affinity."

#define WHAT_UNRELIABLE_STACK \
	"It sleeps and its stack can't be unwound reliably, so that nothing shows it to be outside the patched functions."
#define REMEDY_UNRELIABLE_STACK \
	"'kgr-ctl nudge PID' makes it run to its next safe point; stopping a function-graph tracer or return probes can help too."

#define WHAT_IN_SYSCALL \
	"It has been in one system call since before the transition began, and the universe model moves it at kernel entry and exit only."
#define REMEDY_IN_SYSCALL \
	"'kgr-ctl nudge PID' makes the call restart, or return EINTR."

#define WHAT_IN_EXCEPTION \
	"It sleeps in the handling of an exception from user mode, such as a page fault that waits for I/O."
#define REMEDY_IN_EXCEPTION \
	"See to it that the I/O or the userfaultfd handler it waits for makes progress, or end the process."

#define WHAT_IN_GUEST \
	"It is a virtual CPU that runs its guest from within one KVM_RUN."
#define REMEDY_IN_GUEST \
	"'kgr-ctl nudge PID' makes KVM_RUN return EINTR to the monitor, which enters the guest again."

#define WHAT_UNINTERRUPTIBLE \
	"It is in uninterruptible sleep, where no signal reaches it."
#define REMEDY_UNINTERRUPTIBLE \
	"Provide what it waits for (the function is shown): a disk, a server, a lock held by another task."

#define WHAT_STOPPED_OR_TRACED \
	"It is stopped by a signal or held by a tracer."
#define REMEDY_STOPPED_OR_TRACED \
	"'kill -CONT PID', or let the tracer resume or leave it."

#define WHAT_KTHREAD_NO_SAFE_POINT \
	"It is a kernel thread that has passed no safe point with a clean stack."
#define REMEDY_KTHREAD_NO_SAFE_POINT \
	"Give it work so that it goes round its loop; if that never helps, its loop lacks a call of kgr_task_safe()."

#define WHAT_IRQ_CPU \
	"The CPU's interrupt level has not switched, since the CPU has been in one stretch of kernel code all the time."
#define REMEDY_IRQ_CPU \
	"See what keeps the CPU busy, such as a real-time task or long-running kernel code; taking the CPU offline moves it too."

#define REASON_ROW(name, text)	[KGRAFT_REASON_##name] = { text, WHAT_##name, REMEDY_##name },
static const struct kgr_reason reasons[] = {
	KGRAFT_REASONS(REASON_ROW)
};
#undef REASON_ROW

_Static_assert(sizeof(reasons) / sizeof(reasons[0]) == __KGRAFT_REASON_COUNT,
	       "every reason of the kernel has its entry");

const unsigned int kgr_reason_count = __KGRAFT_REASON_COUNT;

#define KIND_ROW(name, text)	[KGRAFT_KIND_##name] = text,
static const char * const kinds[] = {
	KGRAFT_KINDS(KIND_ROW)
};
#undef KIND_ROW

const struct kgr_reason *kgr_reason(uint32_t number)
{
	static const struct kgr_reason unknown = {
		"unknown",
		"The kernel gives a reason that this kgr-ctl does not know.",
		"Use the kgr-ctl that belongs to the running kernel.",
	};

	return number < __KGRAFT_REASON_COUNT ? &reasons[number] : &unknown;
}

const char *kgr_kind_name(uint32_t kind)
{
	return kind < __KGRAFT_KIND_COUNT ? kinds[kind] : "unknown";
}
