/* SPDX-License-Identifier: GPL-2.0 */
/* kGraft: what generic code has to know of x86; the rest is linux/kgraft_arch.h. */
#ifndef _ASM_X86_KGRAFT_H
#define _ASM_X86_KGRAFT_H

#include <linux/sched.h>
#include <linux/types.h>

/*
 * Code in front of a function's symbol that belongs to it: the padding that
 * call depth tracking and FineIBT run through on the way in.
 */
#ifdef CONFIG_FUNCTION_PADDING_BYTES
#define ARCH_KGR_PREFIX_BYTES	CONFIG_FUNCTION_PADDING_BYTES
#else
#define ARCH_KGR_PREFIX_BYTES	0
#endif

/* Lowest word of the stack of a task that has switched away */
static inline unsigned long arch_kgr_saved_sp(const struct task_struct *task)
{
	return task->thread.sp;
}

/* Bytes of a call instruction that a static call owns */
#define ARCH_KGR_CALL_BYTES	5

struct alt_instr;

void arch_kgr_write(void *addr, const void *bytes, size_t len);
void arch_kgr_write_done(void);
void *arch_kgr_alt_site(const struct alt_instr *entry, size_t *len);
void arch_kgr_track_call(void *site);

#endif /* _ASM_X86_KGRAFT_H */
