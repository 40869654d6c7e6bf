// SPDX-License-Identifier: GPL-2.0
/* What x86 puts into its code at boot, and only for vmlinux */
#include <elf.h>

#include "../../special.h"
#include "insn.h"

/*
 * runtime_const_ptr(x) is `mov $0x0123456789abcdef,%reg`; boot code of vmlinux
 * writes the value of the variable x over the immediate.  Nobody does that for a
 * module, so load the variable instead: `mov x,%reg` with an absolute 32-bit
 * address and a two-byte nop are as long, and touch flags no more than it does.
 */
static int load_variable(struct diag *d, struct atom *fn, const struct atom *entry, uint64_t imm)
{
	const char *name = entry->sect->name + strlen("runtime_ptr_");
	static const uint8_t nop2[] = { 0x66, 0x90 };
	uint8_t *code = arena_memdup(d->arena, fn->data, fn->size);
	struct ref ref = { .off = imm + 2, .type = R_X86_64_32S };
	struct sym undefined = { .name = name, .bind = STB_GLOBAL };
	uint8_t rex, reg;

	rex = code[imm - 2];
	reg = (code[imm - 1] & 7) | (rex & 1 ? 8 : 0);
	code[imm - 2] = 0x48 | (reg & 8 ? 4 : 0);
	code[imm - 1] = 0x8b;
	code[imm] = 0x04 | ((reg & 7) << 3);
	code[imm + 1] = 0x25;
	memset(code + imm + 2, 0, 4);
	memcpy(code + imm + 6, nop2, 2);
	fn->data = code;

	ref.target = NULL;
	for (size_t i = 0; i < fn->obj->syms.n; i++) {
		struct sym *s = fn->obj->syms.v[i];

		if (strcmp(s->name, name) || s->type == STT_SECTION)
			continue;
		ref.target = s->atom;
		ref.sym = s->atom ? NULL : s;
	}
	if (!ref.target && !ref.sym)
		ref.sym = obj_add_sym(fn->obj, &undefined);
	vec_push(d->arena, &fn->refs, ref);
	return 0;
}

int runtime_const_fix(struct diag *d, struct atom *fn, const struct atom *entry)
{
	struct where at = { .object = fn->obj->path, .function = atom_name(fn) };
	uint64_t imm = entry->refs.v[0].addend;
	struct insn insn;

	if (entry->sect->kind->use != TABLE_RUNTIME_PTR)
		return diag(d, D_RUNTIME_CONST, &at, "%s", entry->sect->name);
	if (imm < 2 || imm + 8 > fn->size || insn_decode(fn->data + imm - 2, 10, &insn) ||
	    !insn.mov_imm64 || insn.len != 10)
		return diag(d, D_RUNTIME_CONST, &at, "%s: not the code that is expected",
			    entry->sect->name);
	return load_variable(d, fn, entry, imm);
}
