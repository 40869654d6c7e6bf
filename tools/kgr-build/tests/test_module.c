// SPDX-License-Identifier: GPL-2.0
/* From two objects and a vmlinux to the finished module, without a kernel; bad ELF files */
#include <elf.h>
#include <stdlib.h>

#include "../built.h"
#include "../elf.h"
#include "../load.h"
#include "../postlink.h"
#include "fixture.h"

/* Sections of a vmlinux as far as kgr-build looks at them */
static const char script[] =
	"SECTIONS { . = 0xffffffff81000000;\n"
	" .text : { *(.text .text.*) }\n"
	" .mcount : { __start_mcount_loc = .; *(__mcount_loc) __stop_mcount_loc = .; }\n"
	" .rodata : { *(.rodata .rodata.*) } .data : { *(.data .data.*) } .bss : { *(.bss .bss.*) }\n"
	" .notes : { *(.note.gnu.build-id) }\n"
	" /DISCARD/ : { *(__patchable_function_entries) *(.discard.*) } }\n";

static const char other[] =
	"asm(\".globl __fentry__\\n.type __fentry__,@function\\n__fentry__: ret\");\n"
	"int exported(const char *s, long a) { return a + *s; }\n"
	"int hidden(long a) { return a * 3; }\n"
	"int shared_var;\n"
	"__attribute__((noinline)) static int twice(int a) { return hidden(a); }\n"
	"int uses_twice(int a) { return twice(a) + 1; }\n";

static const char before[] =
	"extern int exported(const char *, long); extern int hidden(long); extern int shared_var;\n"
	"static long kept;\n"
	"__attribute__((noinline)) static int twice(int a) { kept += a; return exported(\"t\", a); }\n"
	"int patchme(int a) { if (a > 9) return exported(\"r\", patchme(a - 1)) * patchme(a - 2); return twice(a) + 1; }\n"
	"int quiet(int a) { return twice(a) + kept; }\n";

struct run {
	struct fixture *f;
	struct kgr_build b;
	struct unit *u;
};

static char *edited(struct fixture *f, const char *from, const char *to)
{
	const char *p = strstr(before, from);

	assert_non_null(p);
	return arena_printf(&f->arena, "%.*s%s%s", (int)(p - before), before, to, p + strlen(from));
}

/* As after the compile pass: the two objects, the one in the tree, vmlinux */
static void prepare(struct run *r, struct fixture *f, const char *after)
{
	static struct object object = { .path = "t/test.o", .source = "t/test.c",
					.command = "gcc -mfentry" };
	struct unit u = { .object = &object };
	char *other_o, *built, *vmlinux = fixture_path(f, "vmlinux");
	unsigned int matches;

	r->f = f;
	r->b.diag.arena = &r->b.arena;
	r->b.tmp = f->dir;
	r->b.opts.model = MODEL_AUTO;
	r->b.patch_name = "kgr-test";
	r->b.module_dir = fixture_path(f, "module");
	u.orig_path = fixture_compile(f, "orig", before, "-ffunction-sections -fdata-sections");
	u.patched_path = fixture_compile(f, "patched", after, "-ffunction-sections -fdata-sections");
	built = fixture_compile(f, "built", before, "");
	other_o = fixture_compile(f, "other", other, "");
	fixture_file(f, "vmlinux.lds", script);
	fixture_file(f, "symvers", "0x00000000\texported\tvmlinux\tEXPORT_SYMBOL_GPL\t\n"
		     "0x00000000\t__fentry__\tvmlinux\tEXPORT_SYMBOL\t\n");
	assert_int_equal(fixture_system(f,
		"ld --build-id=sha1 --no-warn-rwx-segments -T %s/vmlinux.lds -o %s %s %s",
		f->dir, vmlinux, other_o, built), 0);
	vec_push(&r->b.arena, &r->b.units, u);
	r->u = &r->b.units.v[0];
	assert_int_equal(symtab_open(&r->b.diag, &r->b.arena, &r->b.vmlinux, vmlinux,
				     fixture_path(f, "symvers")), 0);
	r->u->syms = &r->b.vmlinux;
	r->u->built = arena_alloc(&r->b.arena, sizeof(struct obj));
	assert_int_equal(load_object(&r->b.diag, &r->b.arena, built, "t/test.o", false,
				     r->u->built), 0);
	/* both files are called test.c: their contents tell them apart */
	r->u->vm_file = symtab_file(&r->b.vmlinux, r->u->built, "t/test.c", &matches);
	assert_int_equal(matches, 1);
}

static void analyse(struct run *r)
{
	int (*const steps[])(struct kgr_build *) = {
		pass_load, pass_correlate, pass_compare, pass_closure, pass_resolve,
		pass_choose_model, pass_verify,
	};

	for (size_t i = 0; i < ARRAY_SIZE(steps); i++)
		assert_int_equal(steps[i](&r->b), 0);
	for (size_t i = 0; i < r->b.diag.items.n; i++)
		print_message("# %s\n", diag_line(&r->b.arena, &r->b.diag.items.v[i]));
}

static unsigned int count(const struct run *r, enum diag_code code)
{
	unsigned int n = 0;

	for (size_t i = 0; i < r->b.diag.items.n; i++)
		n += r->b.diag.items.v[i].code == code;
	return n;
}

static void emit_and_link(struct run *r, struct obj *ko)
{
	struct map privates = { 0 };
	char *linked = fixture_path(r->f, "linked.o"), *final = fixture_path(r->f, "final.o");

	assert_int_equal(pass_emit(&r->b), 0);
	assert_int_equal(fixture_system(r->f, "ld -r -o %s %s/kgr-diff.o_shipped", linked,
					r->b.module_dir), 0);
	assert_int_equal(elf_read(&r->b.diag, &r->b.arena, linked, "linked.o", ko), 0);
	for (size_t i = 0; i < r->b.xrefs.n; i++)
		if (!r->b.xrefs.v[i]->exported)
			map_set(&r->b.arena, &privates, r->b.xrefs.v[i]->alias, r->b.xrefs.v[i]);
	assert_int_equal(postlink(&r->b.diag, ko, &privates), 0);
	assert_int_equal(elf_write_rel(&r->b.diag, final, ko), 0);
	assert_int_equal(elf_read(&r->b.diag, &r->b.arena, final, "final.o", ko), 0);
}

static void finish(struct run *r)
{
	r->b.tmp = NULL;
	arena_free(&r->b.arena);
}

static struct rela *rela_at(struct sect *s, uint64_t offset)
{
	for (size_t i = 0; i < s->relas.n; i++)
		if (s->relas.v[i].offset == offset)
			return &s->relas.v[i];
	fail_msg("no relocation at %llu", (unsigned long long)offset);
	return NULL;
}

static void test_round_trip(void **state)
{
	struct run r = { 0 };
	struct sect *relocs, *strings, *text;
	struct obj ko;
	unsigned int to_self = 0, to_twice = 0, to_hidden = 0;

	prepare(&r, *state, edited(*state, "return twice(a) + 1;",
		"static int calls; calls++; shared_var = exported(\"new text\", calls); return twice(a) + hidden(a);"));
	analyse(&r);
	assert_int_equal(r.b.diag.count[CLASS_REFUSE], 0);
	assert_int_equal(r.b.changed.n, 1);
	assert_int_equal(r.b.model, KGR_MODEL_HYBRID);
	assert_int_equal(r.b.added.n, 1);
	assert_string_equal(r.b.added.v[0]->sym->name, "calls.0");
	emit_and_link(&r, &ko);

	text = obj_find_sect(&ko, ".text");
	relocs = obj_find_sect(&ko, KGR_RELOC_SECTION);
	strings = obj_find_sect(&ko, KGR_STRING_SECTION);
	assert_non_null(text);
	assert_non_null(relocs);
	assert_non_null(strings);
	assert_int_equal(relocs->size % sizeof(struct kgr_reloc), 0);
	for (uint64_t at = 0; at < relocs->size; at += sizeof(struct kgr_reloc)) {
		const struct kgr_reloc *kr = (const void *)(relocs->data + at);
		struct rela *place = rela_at(relocs, at + offsetof(struct kgr_reloc, place));
		struct rela *name = rela_at(relocs, at + offsetof(struct kgr_reloc, name));
		const char *s = (const char *)strings->data + name->addend;

		assert_ptr_equal(place->sym->sect, text);
		assert_ptr_equal(name->sym->sect, strings);
		assert_int_equal(rela_at(text, place->sym->value + place->addend)->type,
				 R_X86_64_NONE);
		to_self += !strcmp(s, "patchme");
		to_hidden += !strcmp(s, "hidden");
		if (!strcmp(s, "twice")) {	/* the second of two by address */
			to_twice++;
			assert_int_equal(kr->sympos, 2);
			assert_int_equal(kr->addend, -4);
		}
	}
	assert_true(to_self >= 1);		/* recursion enters through vmlinux */
	assert_int_equal(to_twice, 1);
	assert_int_equal(to_hidden, 1);
	assert_int_equal(obj_find_sym(&ko, "hidden")->shndx, SHN_ABS);
	assert_int_equal(obj_find_sym(&ko, "exported")->shndx, SHN_UNDEF);
	assert_int_equal(obj_find_sym(&ko, "kgr_new_patchme")->bind, STB_GLOBAL);
	assert_non_null(obj_find_sect(&ko, "__mcount_loc"));
	assert_null(obj_find_sym(&ko, "quiet"));
	finish(&r);
}

/* The tree's object is compiled without sections: the same functions all the same */
static void test_built(void **state)
{
	static const char * const names[] = { "patchme", "quiet", "twice" };
	struct run r = { 0 };
	struct atom *a, *b;

	prepare(&r, *state, edited(*state, "kept += a;", "kept += a + 1;"));
	analyse(&r);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		b = fixture_atom(r.u->built, names[i]);
		assert_true(built_same(&r.b.arena, b, fixture_atom(r.u->orig, names[i])));
		a = fixture_atom(r.u->patched, names[i]);
		assert_int_equal(built_same(&r.b.arena, b, a), strcmp(names[i], "twice") != 0);
	}
	b = fixture_atom(r.u->built, "patchme");
	assert_true(built_in_vmlinux(&r.b.vmlinux, b, symtab_global(&r.b.vmlinux, "patchme")));
	assert_false(built_in_vmlinux(&r.b.vmlinux, b, symtab_global(&r.b.vmlinux, "quiet")));
	finish(&r);
}

/* objtool has made a nop of the jump in the tree's object; what follows still counts */
static void test_built_label(void **state)
{
	static const char label[] =
		"extern int key;\nint f(int a) { asm goto(\"1: %s\\n"
		".pushsection __jump_table,\\\"aw\\\"\\n .long 1b - ., %%l[yes] - .\\n"
		" .quad key - .\\n .popsection\" :::: yes); return a + %d; yes: return a * 5; }\n";
	struct fixture *f = *state;
	struct obj *jump, *nop, *other;

	jump = fixture_load(f, "jump", arena_printf(&f->arena, label, "jmp %l[yes]", 3));
	nop = fixture_load(f, "nop", arena_printf(&f->arena, label, ".byte 0x66,0x90", 3));
	other = fixture_load(f, "other", arena_printf(&f->arena, label, ".byte 0x66,0x90", 4));
	assert_true(built_same(&f->arena, fixture_atom(nop, "f"), fixture_atom(jump, "f")));
	assert_false(built_same(&f->arena, fixture_atom(other, "f"), fixture_atom(jump, "f")));
}

static void test_refuse_data(void **state)
{
	struct run r = { 0 };

	prepare(&r, *state, edited(*state, "static long kept;", "static long kept = 5;"));
	analyse(&r);
	assert_int_equal(count(&r, D_DATA_CHANGED), 1);
	finish(&r);
}

static void test_refuse_notrace(void **state)
{
	struct run r = { 0 };

	prepare(&r, *state, edited(*state, "int quiet(int a) { return twice(a)",
		"__attribute__((no_instrument_function)) int quiet(int a) { return twice(a)"));
	analyse(&r);		/* quiet had a site before: only its code changes */
	assert_int_equal(count(&r, D_NO_FENTRY), 0);
	assert_int_equal(r.b.changed.n, 1);
	r.b.vmlinux.mcount.n = 0;
	assert_int_equal(pass_verify(&r.b), 0);
	assert_int_equal(count(&r, D_NO_FENTRY), 1);
	finish(&r);
}

static void test_refuse_missing(void **state)
{
	struct run r = { 0 };

	prepare(&r, *state, edited(*state, "return twice(a) + 1;",
		"extern int nowhere(int); return nowhere(a) + 1;"));
	analyse(&r);
	assert_int_equal(count(&r, D_SYM_MISSING), 1);
	finish(&r);
}

static void test_refuse_removed(void **state)
{
	struct run r = { 0 };

	prepare(&r, *state, edited(*state, "int quiet(int a) { return twice(a) + kept; }", ""));
	analyse(&r);
	assert_int_equal(count(&r, D_FUNC_REMOVED), 1);
	finish(&r);
}

static void test_refuse_init(void **state)
{
	struct run r = { 0 };

	prepare(&r, *state, edited(*state, "return twice(a) + 1;",
		"static int late __attribute__((section(\".init.data\"))); return twice(a) + late++;"));
	analyse(&r);
	assert_true(count(&r, D_INIT_CHANGED) >= 1);
	finish(&r);
}

static void test_unknown_section(void **state)
{
	struct run r = { 0 };

	prepare(&r, *state, edited(*state, "return twice(a) + 1;",
		"static int odd __attribute__((section(\"oddity\"))); return twice(a) + odd++;"));
	analyse(&r);
	assert_true(count(&r, D_SECTION_UNKNOWN) >= 1);
	finish(&r);
}

static void test_address_taken(void **state)
{
	struct run r = { 0 };

	prepare(&r, *state, edited(*state, "int patchme(int a) {",
		"extern void *slot; static int callback(int a) { return a; }\n"
		"int patchme(int a) { exported(0, (long)callback);"));
	analyse(&r);
	assert_int_equal(count(&r, D_ADDRESS_TAKEN), 1);
	assert_int_equal(r.b.diag.count[CLASS_REFUSE], 0);
	finish(&r);
}

static void test_two_roots(void **state)
{
	struct run r = { 0 };

	/* twice() is inlined nowhere, but both of its callers change */
	prepare(&r, *state, edited(*state, "kept; }", "kept - 1; }\nint patchme2;"));
	analyse(&r);
	assert_int_equal(r.b.changed.n, 1);
	assert_int_equal(r.b.model, KGR_MODEL_HYBRID);
	finish(&r);
	r = (struct run){ 0 };
	prepare(&r, *state, edited(*state, "exported(\"t\", a);", "exported(\"u\", a);"));
	analyse(&r);
	assert_int_equal(r.b.changed.n, 1);
	finish(&r);
}

/* Cut or damaged, an object is refused or read; nothing is touched beyond its end */
static void test_malformed(void **state)
{
	struct fixture *f = *state;
	char *path = fixture_compile(f, "o", before, "-ffunction-sections -g0"), *data;
	char *bad = fixture_path(f, "bad.o");
	unsigned int seed = 3;
	size_t size;

	assert_int_equal(file_read(&f->arena, path, &data, &size), 0);
	for (size_t n = 0; n < size; n += 97) {
		struct arena a = { 0 };
		struct obj o;

		assert_int_equal(file_write(bad, data, n), 0);
		assert_int_equal(load_object(&f->diag, &a, bad, "bad.o", false, &o), -1);
		arena_free(&a);
	}
	for (int i = 0; i < 1500; i++) {
		char *copy = arena_memdup(&f->arena, data, size);
		struct arena a = { 0 };
		struct obj o;

		for (int k = 0; k < 4; k++) {
			seed = seed * 1103515245 + 12345;
			copy[(seed >> 4) % size] = seed >> 24;
		}
		assert_int_equal(file_write(bad, copy, size), 0);
		load_object(&f->diag, &a, bad, "bad.o", false, &o);
		arena_free(&a);
	}
	assert_true(fixture_count(f, D_ELF) > 0);
}

#define TEST(name)	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_round_trip), TEST(test_built), TEST(test_built_label),
		TEST(test_refuse_data),
		TEST(test_refuse_notrace),
		TEST(test_refuse_missing), TEST(test_refuse_removed), TEST(test_refuse_init),
		TEST(test_unknown_section), TEST(test_address_taken), TEST(test_two_roots),
		TEST(test_malformed),
	};

	return cmocka_run_group_tests_name("module", tests, NULL, NULL);
}
