// SPDX-License-Identifier: GPL-2.0
/* Writing into code and data of a patch module that is loaded already. */
#include <linux/kgraft_module.h>
#include <linux/memory.h>
#include <linux/mutex.h>

#include <asm/alternative.h>
#include <asm/kgraft.h>
#include <asm/text-patching.h>

/**
 * arch_kgr_write - write to a module's memory, read-only or not
 * @addr:	where
 * @bytes:	what
 * @len:	how much
 *
 * Nobody runs what is there, or arch_kgr_write_done() would be too late.
 *
 * Context: process context, may sleep.
 */
void arch_kgr_write(void *addr, const void *bytes, size_t len)
{
	text_poke_copy(addr, bytes, len);
}

/**
 * arch_kgr_write_done - from now on each CPU runs what has been written
 *
 * A CPU may have decoded the code before: it may have run for a module that has
 * been unloaded and comes back.
 *
 * Context: process context, may sleep.
 */
void arch_kgr_write_done(void)
{
	mutex_lock(&text_mutex);
	text_poke_sync();
	mutex_unlock(&text_mutex);
}

/**
 * arch_kgr_alt_site - the code that an alternative replaces
 * @entry:	entry of .altinstructions
 * @len:	where to put its length
 *
 * Context: any.
 * Return: its address.
 */
void *arch_kgr_alt_site(const struct alt_instr *entry, size_t *len)
{
	*len = entry->instrlen;
	return (void *)&entry->instr_offset + entry->instr_offset;
}

/**
 * arch_kgr_track_call - let a direct call go through call depth tracking
 * @site:	a call instruction, or what an alternative has made of it
 *
 * Does nothing where the kernel doesn't use that mitigation.
 *
 * Context: process context, may sleep.
 */
void arch_kgr_track_call(void *site)
{
	u8 *insn = site, call[CALL_INSN_SIZE];
	void *dest, *target;

	if (*insn != CALL_INSN_OPCODE)
		return;

	dest = site + CALL_INSN_SIZE + *(s32 *)(insn + 1);
	mutex_lock(&text_mutex);
	target = callthunks_translate_call_dest(dest);
	mutex_unlock(&text_mutex);
	if (target == dest)
		return;

	__text_gen_insn(call, CALL_INSN_OPCODE, site, target, CALL_INSN_SIZE);
	arch_kgr_write(site, call, CALL_INSN_SIZE);
}
