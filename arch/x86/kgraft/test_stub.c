// SPDX-License-Identifier: GPL-2.0
/*
 * For the test driver in kernel/kgraft: does the code of stubs keep what stub.c
 * promises? In debugfs
 *
 *   stub_code   read: for each stub how many instructions it has, to how many
 *               bodies it leads, which registers it writes, and what is wrong
 *
 * The kernel's own decoder takes each stub to pieces as it stands in memory. What
 * may be there is listed, the rest is a fault: so there is no indirect jump, which
 * would want an ENDBR where it leads and a retpoline on its way, no call, which
 * would want an account of its depth, and nothing that writes to memory.
 */
#include <linux/bits.h>
#include <linux/debugfs.h>
#include <linux/init.h>
#include <linux/kallsyms.h>
#include <linux/kgraft_arch.h>
#include <linux/kgraft_ftrace.h>
#include <linux/mm.h>
#include <linux/seq_file.h>

#include <asm/insn.h>
#include <asm/inat.h>
#include <asm/pgtable.h>

#include "stub.h"

/* Scratch registers that hold nothing at a function's entry */
#define MAY_WRITE	(BIT(10) | BIT(11))

/* One stub, taken to pieces; offsets are bits */
struct dissection {
	unsigned long addr;
	u64 starts;		/* an instruction begins here */
	u64 traps;		/* this one is an int3 */
	u64 lands;		/* a jump of the stub leads here */
	unsigned int insns;
	unsigned int exits;
	unsigned int writes;	/* registers */
	bool ended;		/* nothing gets past the instruction before */
	const char *fault;
	unsigned int fault_at;
};

static_assert(KGR_STUB_SIZE == 64);

static void found(struct dissection *d, unsigned int at, const char *fault)
{
	if (d->fault)
		return;
	d->fault = fault;
	d->fault_at = at;
}

/* Is this where a direct jump may enter a function? */
static bool enters_function(unsigned long to)
{
	unsigned long size, offset, func;

	if (!kallsyms_lookup_size_offset(to, &size, &offset))
		return false;
	func = to - offset;
	return to == kgr_body_entry(func) ||
	       (arch_kgr_site(func) && to == arch_kgr_site_end(arch_kgr_site(func)));
}

static void jump(struct dissection *d, unsigned int at, const struct insn *insn)
{
	unsigned long to = d->addr + at + insn->length + insn->immediate.value;

	if (to - d->addr < KGR_STUB_SIZE) {
		d->lands |= BIT_ULL(to - d->addr);
		return;
	}
	d->exits++;
	if (!enters_function(to))
		found(d, at, "leads to no entry of a function");
}

static void load(struct dissection *d, unsigned int at, struct insn *insn)
{
	unsigned int reg = X86_MODRM_REG(insn->modrm.value);

	if (insn->rex_prefix.nbytes && X86_REX_R(insn->rex_prefix.value))
		reg += 8;
	d->writes |= BIT(reg);
	if (BIT(reg) & ~MAY_WRITE)
		found(d, at, "writes to a register that is not its own");
}

static void instruction(struct dissection *d, unsigned int at, struct insn *insn)
{
	u8 first = insn->opcode.bytes[0], second = insn->opcode.bytes[1];

	d->ended = false;
	switch (first) {
	case 0x3b:		/* cmp */
		return;
	case 0xf7:		/* test, or not, neg, mul, div */
		if (X86_MODRM_REG(insn->modrm.value))
			found(d, at, "does arithmetic");
		return;
	case 0x8b:		/* mov to a register */
		load(d, at, insn);
		return;
	case 0xe9:		/* jmp */
	case 0xeb:
		d->ended = true;
		fallthrough;
	case 0x70 ... 0x7f:	/* jcc */
		jump(d, at, insn);
		return;
	case 0x0f:
		if ((second & 0xf0) == 0x80) {
			jump(d, at, insn);
			return;
		}
	}
	found(d, at, "is no comparison, load or direct jump");
}

static void dissect(struct dissection *d)
{
	unsigned int at, level;
	struct insn insn;
	pte_t *pte;

	for (at = 0; at < KGR_STUB_SIZE; at += insn.length) {
		if (insn_decode(&insn, (void *)d->addr + at, KGR_STUB_SIZE - at,
				INSN_MODE_KERN)) {
			found(d, at, "is no instruction");
			break;
		}
		d->starts |= BIT_ULL(at);
		if (insn.opcode.bytes[0] == INT3_INSN_OPCODE) {
			d->traps |= BIT_ULL(at);
			if (!d->ended)
				found(d, at, "can be come to");
			continue;
		}
		d->insns++;
		instruction(d, at, &insn);
	}
	if (!d->ended)
		found(d, KGR_STUB_SIZE - 1, "runs out of the stub");
	if (d->lands & (~d->starts | d->traps))
		found(d, __ffs64(d->lands & (~d->starts | d->traps)),
		      "is jumped to, and is no instruction of the stub");

	pte = lookup_address(d->addr, &level);
	if (!pte || pte_write(*pte) || !pte_exec(*pte))
		found(d, 0, "is in memory that can be written to, or can't be executed");
}

static int stub_code_show(struct seq_file *m, void *unused)
{
	char name[KSYM_NAME_LEN];
	unsigned long addr;
	unsigned int i;
	char type;

	for (i = 0; !kgr_get_kallsym(i, &addr, &type, name); i++) {
		struct dissection d = { .addr = addr };

		dissect(&d);
		seq_printf(m, "%s insns=%u exits=%u writes=%#x", name, d.insns, d.exits,
			   d.writes);
		if (d.fault)
			seq_printf(m, " +%#x %s\n", d.fault_at, d.fault);
		else
			seq_puts(m, " clean\n");
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(stub_code);

static int __init kgr_test_stub_init(void)
{
	debugfs_create_file("stub_code", 0400, debugfs_lookup("kgraft_test", NULL), NULL,
			    &stub_code_fops);
	return 0;
}
late_initcall_sync(kgr_test_stub_init);
