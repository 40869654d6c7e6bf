/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Lengths of x86-64 instructions, and where their address fields are.
 *
 * Two things can't be known without: which object a PC-relative relocation
 * means (its addend counts from the end of the instruction), and which branches
 * the assembler has resolved by itself because both ends are in one section.
 */
#ifndef KGR_BUILD_X86_INSN_H
#define KGR_BUILD_X86_INSN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct insn {
	unsigned int len;
	unsigned int opcode_at;		/* the last opcode byte */
	unsigned int disp_at;		/* displacement, if disp_size */
	unsigned int disp_size;
	unsigned int imm_at;		/* immediate or branch offset, if imm_size */
	unsigned int imm_size;
	bool rip_relative;		/* disp counts from the end of the instruction */
	bool branch;			/* imm counts from the end of the instruction */
	bool call;
	bool mov_imm64;			/* mov $imm64,%reg */
};

/* 0, or -1 if @code doesn't start with an instruction that is known and whole */
int insn_decode(const uint8_t *code, size_t size, struct insn *insn);

/* Value of the displacement or immediate at @at */
int64_t insn_field(const uint8_t *code, unsigned int at, unsigned int size);

/* Length of the padding that starts here: nops and int3s; 0 if it isn't one */
size_t insn_padding(const uint8_t *code, size_t size);

bool insn_is_endbr(const uint8_t *code, size_t size);

#endif
