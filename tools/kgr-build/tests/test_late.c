// SPDX-License-Identifier: GPL-2.0
/* What waits for a module is taken out of the tables that the kernel reads at load */
#include <elf.h>

#include "../elf.h"
#include "../late.h"
#include "../postlink.h"
#include "fixture.h"

/*
 * Of two functions the second refers to a module: jump label, static call, call,
 * alternatives (one by its replacement, and one more for the same place).
 */
static const char source[] =
	"asm(\".text\\n\"\n"
	"\"early: call vm_func\\n 1: .byte 0x0f,0x1f,0x44,0,0\\n 2: call __SCT__vm\\n 3: movl vm_var(%rip), %eax\\n\"\n"
	"\"late:  call mod_func\\n 4: .byte 0x0f,0x1f,0x44,0,0\\n 5: call __SCT__mod\\n 6: movl $1, %eax\\n .byte 0x90\\n 7: ret\\n\"\n"
	"\".section .altinstr_replacement, \\\"ax\\\"\\n 8: movl vm_var(%rip), %eax\\n 9: movl mod_var(%rip), %eax\\n\"\n"
	"\".section .altinstructions, \\\"a\\\"\\n\"\n"
	"\".long 3b - ., 8b - ., 117\\n .byte 6, 6\\n\"\n"
	"\".long 6b - ., 9b - ., 118\\n .byte 6, 6\\n\"\n"
	"\".long 6b - ., 8b - ., 119\\n .byte 6, 6\\n\"\n"
	"\".section __jump_table, \\\"aw\\\"\\n\"\n"
	"\".long 4b - ., 7b - .\\n .quad mod_key + 2 - .\\n\"\n"
	"\".long 1b - ., 3b - .\\n .quad vm_key - .\\n\"\n"
	"\".section .static_call_sites, \\\"aw\\\"\\n\"\n"
	"\".long 5b - ., __SCK__mod + 1 - .\\n .long 2b - ., __SCK__vm - .\\n\"\n"
	"\".section .call_sites, \\\"a\\\"\\n .long early - ., late - ., 5b - .\\n\"\n"
	"\".section __bug_table, \\\"aw\\\"\\n .long 7b - ., 0, 0\\n\"\n"
	"\".data\\n pointer: .quad mod_func + 8\\n\"\n"
	"\".section .kgraft.late, \\\"aw\\\"\\n .globl kgr_late_tables\\n kgr_late_tables: .zero 24\\n\"\n"
	"\".section .kgraft.strings, \\\"a\\\"\\n .zero 1\\n"
	" .asciz \\\"vm_func\\\", \\\"__SCT__vm\\\", \\\"__SCK__vm\\\", \\\"vm_var\\\", \\\"vm_key\\\"\\n"
	" .asciz \\\"mod_func\\\", \\\"__SCT__mod\\\", \\\"__SCK__mod\\\", \\\"mod_var\\\", \\\"mod_key\\\"\\n"
	" .asciz \\\"target\\\"\\n\");\n";

static const char * const names[] = {
	"vm_func", "__SCT__vm", "__SCK__vm", "vm_var", "vm_key",
	"mod_func", "__SCT__mod", "__SCK__mod", "mod_var", "mod_key",
};

struct linked {
	struct fixture *f;
	struct obj ko;
	struct map privates;
};

static const char *string(const struct linked *l, const struct rela *r)
{
	return (const char *)obj_find_sect(&l->ko, KGR_STRING_SECTION)->data + r->addend;
}

static void link_source(struct linked *l, struct fixture *f, const char *text)
{
	char *object = fixture_compile(f, "object", text, "");
	char *linked = fixture_path(f, "linked.o"), *final = fixture_path(f, "final.o");
	size_t at = 1;

	l->f = f;
	assert_int_equal(fixture_system(f, "ld -r -o %s %s", linked, object), 0);
	assert_int_equal(elf_read(&f->diag, &f->arena, linked, "linked.o", &l->ko), 0);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct xref *x = arena_alloc(&f->arena, sizeof(*x));

		x->name = x->alias = names[i];
		x->string = at;
		at += strlen(names[i]) + 1;
		x->objname = x->late = strstr(names[i], "mod") ? "target" : NULL;
		map_set(&f->arena, &l->privates, names[i], x);
	}
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct xref *x = map_get(&l->privates, names[i]);

		x->obj_string = x->late_string = at;
	}
	if (postlink(&f->diag, &l->ko, &l->privates))
		return;
	assert_int_equal(elf_write_rel(&f->diag, final, &l->ko), 0);
	assert_int_equal(elf_read(&f->diag, &f->arena, final, "final.o", &l->ko), 0);
}

static struct rela *rela_at(struct sect *s, uint64_t offset)
{
	for (size_t i = 0; i < s->relas.n; i++)
		if (s->relas.v[i].offset == offset)
			return &s->relas.v[i];
	fail_msg("no relocation at %llu of %s", (unsigned long long)offset, s->name);
	return NULL;
}

/* Address that a PC-relative field will lead to, in .text */
static uint64_t leads_to(const struct linked *l, const char *sect, uint64_t offset)
{
	struct rela *r = rela_at(obj_find_sect(&l->ko, sect), offset);

	assert_string_equal(r->sym->sect->name, ".text");
	return r->sym->value + r->addend;
}

static void has_size(const struct linked *l, const char *name, uint64_t size)
{
	struct sect *s = obj_find_sect(&l->ko, name);

	assert_non_null(s);
	assert_int_equal(s->size, size);
}

/* Number of records in @name for @symbol, each of whose places is a field in @place */
static unsigned int records(const struct linked *l, const char *name, const char *symbol,
			    const char *place)
{
	struct sect *s = obj_find_sect(&l->ko, name);
	unsigned int n = 0;

	for (uint64_t at = 0; at + sizeof(struct kgr_reloc) <= s->size;
	     at += sizeof(struct kgr_reloc)) {
		struct rela *p, *r = NULL;

		for (size_t i = 0; i < s->relas.n; i++)
			if (s->relas.v[i].offset == at + offsetof(struct kgr_reloc, name))
				r = &s->relas.v[i];
		if (!r || strcmp(string(l, r), symbol))
			continue;
		p = rela_at(s, at + offsetof(struct kgr_reloc, place));
		if (!strcmp(p->sym->sect->name, place)) {
			n++;
			/* the loader leaves the field alone */
			for (size_t i = 0; i < p->sym->sect->relas.n; i++)
				if (p->sym->sect->relas.v[i].offset == p->sym->value + p->addend)
					assert_int_equal(p->sym->sect->relas.v[i].type,
							 R_X86_64_NONE);
		}
	}
	return n;
}

static void test_split(void **state)
{
	uint64_t late;
	struct linked l = { 0 };

	link_source(&l, *state, source);
	late = obj_find_sym(&l.ko, "late")->value;

	/* each with a zero entry at its end; what is early stays */
	has_size(&l, ".kgraft.late.target.jump_table", 2 * 16);
	has_size(&l, ".kgraft.late.target.static_call_sites", 2 * 8);
	has_size(&l, ".kgraft.late.target.altinstructions", 3 * 14);
	has_size(&l, ".kgraft.late.target.call_sites", 3 * 4);
	has_size(&l, "__jump_table", 16);
	has_size(&l, ".static_call_sites", 8);
	has_size(&l, ".altinstructions", 14);
	has_size(&l, ".call_sites", 4);
	has_size(&l, "__bug_table", 12);

	assert_int_equal(leads_to(&l, ".kgraft.late.target.jump_table", 0), late + 5);
	assert_int_equal(leads_to(&l, ".kgraft.late.target.static_call_sites", 0), late + 10);
	assert_int_equal(leads_to(&l, ".kgraft.late.target.altinstructions", 0), late + 15);
	assert_int_equal(leads_to(&l, ".kgraft.late.target.altinstructions", 14), late + 15);
	assert_int_equal(leads_to(&l, ".kgraft.late.target.call_sites", 0), late);
	assert_int_equal(leads_to(&l, "__jump_table", 0), 5);
	assert_int_equal(leads_to(&l, ".static_call_sites", 0), 10);
	assert_int_equal(leads_to(&l, ".altinstructions", 0), 15);
	assert_int_equal(leads_to(&l, ".call_sites", 0), 0);
}

static void test_records(void **state)
{
	static const char relocs[] = ".kgraft.late.target.relocs";
	struct linked l = { 0 };

	link_source(&l, *state, source);
	assert_int_equal(records(&l, relocs, "mod_func", ".text"), 1);
	assert_int_equal(records(&l, relocs, "mod_func", ".data"), 1);
	assert_int_equal(records(&l, relocs, "__SCT__mod", ".text"), 1);
	assert_int_equal(records(&l, relocs, "mod_var", ".altinstr_replacement"), 1);
	assert_int_equal(records(&l, relocs, "mod_key", ".kgraft.late.target.jump_table"), 1);
	assert_int_equal(records(&l, relocs, "__SCK__mod", ".kgraft.late.target.static_call_sites"), 1);
	has_size(&l, relocs, 7 * sizeof(struct kgr_reloc));

	/* those of vmlinux, in sections that entries were taken out of too */
	assert_int_equal(records(&l, KGR_RELOC_SECTION, "vm_func", ".text"), 1);
	assert_int_equal(records(&l, KGR_RELOC_SECTION, "vm_var", ".text"), 1);
	assert_int_equal(records(&l, KGR_RELOC_SECTION, "vm_var", ".altinstr_replacement"), 1);
	assert_int_equal(records(&l, KGR_RELOC_SECTION, "vm_key", "__jump_table"), 1);
	assert_int_equal(records(&l, KGR_RELOC_SECTION, "__SCK__vm", ".static_call_sites"), 1);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		assert_int_equal(obj_find_sym(&l.ko, names[i])->shndx, SHN_ABS);
}

static void test_index(void **state)
{
	struct linked l = { 0 };
	const struct kgr_late *late;
	struct kgr_late copy;		/* where it is in the file it may be misaligned */
	struct sect *s;
	unsigned int kinds = 0;

	link_source(&l, *state, source);
	s = obj_find_sect(&l.ko, KGR_LATE_SECTION);
	has_size(&l, KGR_LATE_SECTION, 6 * sizeof(*late));
	assert_int_equal(obj_find_sym(&l.ko, LATE_SYMBOL)->value, 0);
	for (uint64_t at = 0; at < s->size - sizeof(*late); at += sizeof(*late)) {
		struct rela *start = rela_at(s, at + offsetof(struct kgr_late, start));

		late = memcpy(&copy, s->data + at, sizeof(copy));
		kinds |= 1 << late->kind;
		assert_string_equal(string(&l, rela_at(s, at)), "target");
		assert_int_equal(start->sym->value + start->addend, 0);
		assert_true(str_starts(start->sym->sect->name, KGR_LATE_PREFIX "target."));
		assert_int_equal(late->num, late->kind == KGR_LATE_RELOCS ? 6 :
				 late->kind == KGR_LATE_ALTS || late->kind == KGR_LATE_DEPTHS ? 2 : 1);
	}
	assert_int_equal(kinds, 0x1f);
}

/* A table that kgraft doesn't know how to bind late */
static void test_refused(void **state)
{
	struct linked l = { 0 };

	link_source(&l, *state, arena_printf(&((struct fixture *)*state)->arena,
		"%sasm(\".section __ex_table, \\\"a\\\"\\n .long mod_func - ., 0, 0\\n\");\n",
		source));
	assert_int_equal(fixture_count(*state, D_POSTLINK), 1);
	assert_non_null(strstr(l.f->diag.items.v[0].detail, "section __ex_table refers to mod_func"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_split, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_records, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_index, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_refused, fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests_name("late", tests, NULL, NULL);
}
