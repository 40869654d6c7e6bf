/* SPDX-License-Identifier: GPL-2.0 */
/* kGraft on x86: what the files of this directory share. */
#ifndef _ARCH_X86_KGRAFT_STUB_H
#define _ARCH_X86_KGRAFT_STUB_H

#include <asm/text-patching.h>

/* Bytes of a stub, of which they are multiples apart */
#define KGR_STUB_SIZE	64

/* Does a relative jump or call at @from reach @to? */
static inline bool kgr_reaches(unsigned long from, unsigned long to)
{
	long disp = to - (from + JMP32_INSN_SIZE);

	return disp == (s32)disp;
}

bool kgr_jmp_wanted(void);
unsigned long kgr_body_entry(unsigned long body);
bool kgr_is_stub(unsigned long addr);

#endif /* _ARCH_X86_KGRAFT_STUB_H */
