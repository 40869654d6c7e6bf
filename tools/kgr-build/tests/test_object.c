// SPDX-License-Identifier: GPL-2.0
/* Loading, correlating and comparing objects compiled here and now */
#include <elf.h>

#include "../compare.h"
#include "../load.h"
#include "../special.h"
#include "fixture.h"

static enum atom_state state_of(struct obj *o, const char *name)
{
	return fixture_atom(o, name)->state;
}

static const char base[] =
	"extern int ext(const char *, ...); extern int other(void);\n"
	"static int counter; int table[4] = { 1, 2, 3, 4 };\n"
	"__attribute__((noinline)) static int helper(int a) { counter += a; return ext(\"one\", a); }\n"
	"int stays(int a) { return helper(a) + table[a & 3]; }\n"
	"int moves(int a) { return a * 3 + counter; }\n";

static void test_same(void **state)
{
	struct obj *orig, *patched;

	fixture_pair(*state, base, base, &orig, &patched);
	assert_int_equal(state_of(patched, "helper"), ATOM_SAME);
	assert_int_equal(state_of(patched, "stays"), ATOM_SAME);
	assert_int_equal(state_of(patched, "moves"), ATOM_SAME);
	assert_int_equal(state_of(patched, "counter"), ATOM_SAME);
	assert_int_equal(state_of(patched, "table"), ATOM_SAME);
	assert_ptr_equal(fixture_atom(patched, "helper")->twin, fixture_atom(orig, "helper"));
}

/* @base with the first @from replaced */
static char *edit(struct fixture *f, const char *from, const char *to)
{
	const char *p = strstr(base, from);

	assert_non_null(p);
	return arena_printf(&f->arena, "%.*s%s%s", (int)(p - base), base, to, p + strlen(from));
}

static void test_code(void **state)
{
	struct fixture *f = *state;
	struct obj *orig, *patched;

	fixture_pair(f, base, edit(f, "a * 3", "a * 5"), &orig, &patched);
	assert_int_equal(state_of(patched, "moves"), ATOM_CHANGED);
	assert_int_equal(state_of(patched, "helper"), ATOM_SAME);
	assert_int_equal(state_of(patched, "stays"), ATOM_SAME);
}

static void test_string(void **state)
{
	struct fixture *f = *state;
	struct obj *orig, *patched;

	fixture_pair(f, base, edit(f, "\"one\"", "\"two\""), &orig, &patched);
	assert_int_equal(state_of(patched, "helper"), ATOM_CHANGED);
	assert_int_equal(state_of(patched, "stays"), ATOM_SAME);
}

static void test_callee(void **state)
{
	struct fixture *f = *state;
	struct obj *orig, *patched;

	fixture_pair(f, base, edit(f, "ext(\"one\", a)", "other()"), &orig, &patched);
	assert_int_equal(state_of(patched, "helper"), ATOM_CHANGED);
	assert_non_null(fixture_atom(patched, "helper")->reason);
}

static void test_data(void **state)
{
	struct fixture *f = *state;
	struct obj *orig, *patched;

	fixture_pair(f, base, edit(f, "1, 2, 3, 4", "1, 2, 3, 5"), &orig, &patched);
	assert_int_equal(state_of(patched, "table"), ATOM_CHANGED);
	assert_int_equal(state_of(patched, "stays"), ATOM_SAME);
	/* from .bss to .data: the same variable with another value */
	fixture_pair(f, base, edit(f, "counter;", "counter = 7;"), &orig, &patched);
	assert_int_equal(state_of(patched, "counter"), ATOM_CHANGED);
}

static void test_new(void **state)
{
	struct fixture *f = *state;
	struct obj *orig, *patched;

	fixture_pair(f, base, edit(f, "int moves(int a) {",
		"static int fresh; __attribute__((noinline)) static int made(int a) { return ext(\"x\", ++fresh + a); }\n"
		"int moves(int a) { a = made(a * 7);"), &orig, &patched);
	assert_int_equal(state_of(patched, "made"), ATOM_NEW);
	assert_int_equal(state_of(patched, "fresh"), ATOM_NEW);
	assert_int_equal(state_of(patched, "moves"), ATOM_CHANGED);
	assert_int_equal(state_of(patched, "counter"), ATOM_SAME);
}

static const char statics[] =
	"extern int ext(int *);\n"
	"int one(void) { static int n; return ext(&n); }\n"
	"int two(void) { static int n; return ext(&n) + 1; }\n"
	"int three(void) { static int n; return ext(&n) + 2; }\n";

/* Another static in front gives the others new numbers; they are still the same */
static void test_statics_renumbered(void **state)
{
	struct fixture *f = *state;
	struct obj *orig, *patched;
	char *after = arena_printf(&f->arena, "%s%s",
		"extern int ext(int *); int zero(void) { static int k; static int m; return ext(&k) + ext(&m); }\n",
		statics);

	fixture_pair(f, statics, after, &orig, &patched);
	assert_int_equal(state_of(patched, "one"), ATOM_SAME);
	assert_int_equal(state_of(patched, "two"), ATOM_SAME);
	assert_int_equal(state_of(patched, "three"), ATOM_SAME);
	assert_int_equal(fixture_count(f, D_STATIC_PAIR), 0);
}

/* One more of the same name in a new function: the old ones must keep their twins */
static void test_statics_ambiguous(void **state)
{
	struct fixture *f = *state;
	struct obj *orig, *patched;
	char *after = arena_printf(&f->arena, "%s%s",
		"extern int ext(int *); int zero(void) { static int n; return ext(&n) + 9; }\n", statics);

	fixture_pair(f, statics, after, &orig, &patched);
	assert_int_equal(state_of(patched, "one"), ATOM_SAME);
	assert_int_equal(state_of(patched, "three"), ATOM_SAME);
	assert_int_equal(state_of(patched, "zero"), ATOM_NEW);
	assert_null(fixture_atom(patched, "zero")->refs.v[1].target->twin);
	assert_int_equal(fixture_count(f, D_STATIC_PAIR), 0);
}

/* Two become one in the same function: which one is left can't be told */
static void test_statics_refused(void **state)
{
	struct fixture *f = *state;
	struct obj *orig, *patched;

	fixture_pair(f,
		"extern int ext(int *); int a(int x) { if (x) { static int n; return ext(&n); } else { static int n; return ext(&n) * 3; } }\n"
		"int b(void) { static int n; return ext(&n); }\n",
		"extern int ext(int *); int a(int x) { static int n; return ext(&n); }\n"
		"int c(void) { static int n; return ext(&n); }\n", &orig, &patched);
	assert_int_equal(fixture_count(f, D_STATIC_PAIR), 1);
}

static void test_clones(void **state)
{
	static const char before[] =
		"extern int ext(int, int, int);\n"
		"__attribute__((noinline)) static int work(int a, int b) { return ext(a, b, 1) + b; }\n"
		"int x(int a) { return work(a, 7); }\n"
		"int y(int a) { return work(a, 7) + 1; }\n";
	struct fixture *f = *state;
	struct obj *orig, *patched;
	char *after = arena_strdup(&f->arena, before);

	strstr(after, "+ b")[0] = '-';
	fixture_pair(f, before, after, &orig, &patched);
	assert_int_equal(state_of(patched, "work.constprop.0"), ATOM_CHANGED);
	assert_int_equal(state_of(patched, "x"), ATOM_SAME);
	assert_int_equal(state_of(patched, "y"), ATOM_SAME);
}

static void test_cold(void **state)
{
	static const char before[] =
		"extern void bad(const char *) __attribute__((cold)); extern int ext(int);\n"
		"int f(int a) { if (a < 0) { bad(\"x\"); bad(\"y\"); a = ext(a); } return ext(a) + 1; }\n";
	struct fixture *f = *state;
	struct obj *orig, *patched;
	char *after = arena_strdup(&f->arena, before);

	strstr(after, "\"y\"")[1] = 'z';
	fixture_pair(f, before, after, &orig, &patched);
	assert_ptr_equal(fixture_atom(patched, "f.cold")->parent, fixture_atom(patched, "f"));
	assert_int_equal(state_of(patched, "f"), ATOM_CHANGED);
	assert_int_equal(state_of(patched, "f.cold"), ATOM_CHANGED);
}

/* Padding, ENDBR and the ftrace site belong to the function */
static void test_padding(void **state)
{
	struct obj *o = fixture_load(*state, "o", base);
	struct atom *a = fixture_atom(o, "stays");

	assert_int_equal(a->entry, 16);
	assert_int_equal(a->off, 0);
	assert_int_equal(a->entries.n, 1);
	assert_string_equal(a->entries.v[0]->sect->name, "__mcount_loc");
}

static const char tables[] =
	"#define BUG_AT(l) asm volatile(\"1: .byte 0x0f, 0x0b\\n.pushsection __bug_table,\\\"aw\\\"\\n\" \\\n"
	" \"2: .long 1b - .\\n.long %c0 - .\\n.word \" #l \"\\n.word 0\\n.org 2b+12\\n.popsection\" \\\n"
	" : : \"i\" (\"file.c\"))\n"
	"int key;\n"
	"int f(int a) { if (a) BUG_AT(10); return a; }\n"
	"int g(int a) { if (a) BUG_AT(20); if (a > 2) BUG_AT(21); return a; }\n"
	"int h(int a) { asm goto(\"1: .byte 0x0f,0x1f,0x44,0x00,0x00\\n.pushsection __jump_table,\\\"aw\\\"\\n\"\n"
	"  \".long 1b - ., %l[yes] - .\\n.quad %c0 + 2 - .\\n.popsection\" : : \"i\" (&key) : : yes);\n"
	"  return a; yes: return a + 1; }\n";

static void test_tables(void **state)
{
	struct fixture *f = *state;
	struct obj *orig, *patched;
	struct atom *h;
	char *after = arena_strdup(&f->arena, tables);

	memcpy(strstr(after, "BUG_AT(21)"), "BUG_AT(22)", 10);
	fixture_pair(f, tables, after, &orig, &patched);
	assert_int_equal(state_of(patched, "f"), ATOM_SAME);
	assert_int_equal(state_of(patched, "g"), ATOM_CHANGED);
	assert_int_equal(state_of(patched, "h"), ATOM_SAME);
	assert_int_equal(fixture_atom(patched, "f")->entries.n, 2);
	assert_int_equal(fixture_atom(patched, "g")->entries.n, 3);
	h = fixture_atom(patched, "h");
	assert_int_equal(h->entries.n, 2);
	for (size_t i = 0; i < h->entries.n; i++)
		if (!strcmp(h->entries.v[i]->sect->name, "__jump_table")) {
			assert_int_equal(h->entries.v[i]->size, 16);
			assert_int_equal(h->entries.v[i]->refs.n, 3);
			assert_ptr_equal(h->entries.v[i]->refs.v[2].target, fixture_atom(patched, "key"));
			assert_int_equal(h->entries.v[i]->refs.v[2].addend, 2);
		}
}

/* A table whose entries haven't the size that is known must not be read as if */
static void test_bad_table(void **state)
{
	struct fixture *f = *state;
	struct obj o;
	char *path = fixture_compile(f, "o",
		"int f(int a) { asm volatile(\"1: nop\\n.pushsection __bug_table,\\\"aw\\\"\\n"
		".long 1b - .\\n.long 0, 0, 0\\n.popsection\"); return a; }\n", "-ffunction-sections");

	assert_int_equal(load_object(&f->diag, &f->arena, path, "o", false, &o), -1);
	assert_int_equal(fixture_count(f, D_SECTION_TABLE), 1);
}

/* In one section the assembler resolves calls by itself; they count all the same */
static void test_shared_section(void **state)
{
	static const char before[] =
		"#define S __attribute__((section(\".sched.text\"), noinline))\n"
		"extern int ext(int);\n"
		"static S int low(int a) { return ext(a) + 1; }\n"
		"S int mid(int a) { return low(a) * 2; }\n"
		"S int rec(int a) { return a ? ext(rec(a - 1)) + 3 : 0; }\n";
	struct fixture *f = *state;
	struct obj *orig, *patched;
	struct atom *mid, *rec;
	char *after = arena_strdup(&f->arena, before);
	bool calls = false, recurses = false;

	strstr(after, "+ 1")[2] = '7';
	fixture_pair(f, before, after, &orig, &patched);
	assert_int_equal(state_of(patched, "low"), ATOM_CHANGED);
	assert_int_equal(state_of(patched, "mid"), ATOM_SAME);
	assert_int_equal(state_of(patched, "rec"), ATOM_SAME);
	mid = fixture_atom(patched, "mid");
	for (size_t i = 0; i < mid->refs.n; i++)
		calls |= mid->refs.v[i].target == fixture_atom(patched, "low");
	assert_true(calls);
	rec = fixture_atom(patched, "rec");
	for (size_t i = 0; i < rec->refs.n; i++)
		recurses |= rec->refs.v[i].target == rec &&
			    rec->refs.v[i].addend == (int64_t)rec->entry;
	assert_true(recurses);
}

/* #line keeps line numbers in the code that isn't touched */
static void test_line_numbers(void **state)
{
	static const char before[] =
		"extern int ext(int);\nint a(void) { return ext(__LINE__); }\n\nint b(void) { return ext(__LINE__); }\n";
	static const char after[] =
		"extern int ext(int);\nint a(void) {\next(1);\n return ext(__LINE__); }\n\nint b(void) { return ext(__LINE__); }\n";
	static const struct diff_hunk h = { .old_start = 2, .old_len = 1,
					    .new_start = 2, .new_len = 3 };
	struct fixture *f = *state;
	struct obj *orig, *patched;

	fixture_pair(f, before, after, &orig, &patched);
	assert_int_equal(state_of(patched, "b"), ATOM_CHANGED);
	fixture_pair(f, before, src_keep_lines(&f->arena, after, &h, 1), &orig, &patched);
	assert_int_equal(state_of(patched, "b"), ATOM_SAME);
	assert_int_equal(state_of(patched, "a"), ATOM_CHANGED);
}

static void test_section_names(void **state)
{
	static const struct {
		const char *name, *out;
	} names[] = {
		{ ".text.foo", ".text" }, { ".text.unlikely.foo", ".text.unlikely" },
		{ ".data.foo", ".data" }, { ".data..read_mostly", ".data..read_mostly" },
		{ ".data..percpu", ".data..percpu" }, { ".bss.foo", ".bss" },
		{ ".rodata.foo.str1.1", ".rodata" }, { ".sched.text", ".sched.text" },
		{ "__bug_table", "__bug_table" },
	};
	struct fixture *f = *state;
	/* functions that are called exit_x and startup are ordinary ones */
	struct sect plain[] = { { .name = ".text.exit_x", .flags = SHF_ALLOC },
				{ .name = ".text.startup", .flags = SHF_ALLOC } };
	struct sect odd = { .name = ".odd", .flags = SHF_ALLOC, .type = SHT_PROGBITS };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct sect s = { .name = names[i].name };

		assert_string_equal(section_out_name(&f->arena, &s), names[i].out);
	}
	assert_int_equal(section_kind(&plain[0])->cls, SECT_TEXT);
	assert_int_equal(section_kind(&plain[1])->cls, SECT_TEXT);
	assert_int_equal(section_kind(&odd)->cls, SECT_UNKNOWN);
	odd.flags = 0;
	assert_null(section_kind(&odd));
}

#define TEST(name)	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_same), TEST(test_code), TEST(test_string), TEST(test_callee),
		TEST(test_data), TEST(test_new), TEST(test_statics_renumbered),
		TEST(test_statics_ambiguous), TEST(test_statics_refused), TEST(test_clones),
		TEST(test_cold), TEST(test_padding), TEST(test_tables), TEST(test_bad_table),
		TEST(test_shared_section), TEST(test_line_numbers), TEST(test_section_names),
	};

	return cmocka_run_group_tests_name("object", tests, NULL, NULL);
}
