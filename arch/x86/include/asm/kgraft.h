/* SPDX-License-Identifier: GPL-2.0 */
/*
 * kGraft: the contract between kernel/kgraft/ and an architecture. The generic
 * side decides which body of a function a caller gets; the architecture makes
 * its entry ask, and keeps arguments and the return address as they are.
 */
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

unsigned long arch_kgr_site(unsigned long func);
unsigned long arch_kgr_site_end(unsigned long site);
int arch_kgr_install(unsigned long *sites, unsigned int nr);
void arch_kgr_remove(unsigned long *sites, unsigned int nr);

/* Bytes of a call instruction that a static call owns */
#define ARCH_KGR_CALL_BYTES	5

struct alt_instr;

void arch_kgr_write(void *addr, const void *bytes, size_t len);
void arch_kgr_write_done(void);
void *arch_kgr_alt_site(const struct alt_instr *entry, size_t *len);
void arch_kgr_track_call(void *site);

/* Implemented by kernel/kgraft/redirect.c for the entry code */
unsigned long kgr_redirect_target(unsigned long site, unsigned long caller);

#endif /* _ASM_X86_KGRAFT_H */
