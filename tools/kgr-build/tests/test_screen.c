// SPDX-License-Identifier: GPL-2.0
/* Objects that stay the same, who mentions what, tables of a kernel, pairings */
#include <elf.h>

#include "../elf.h"
#include "../load.h"
#include "../mention.h"
#include "../screen.h"
#include "../tables.h"
#include "fixture.h"

static bool same(struct fixture *f, const char *before, const char *after, const char *flags)
{
	struct obj x, y;
	char *a = fixture_compile(f, "before", before, "-g");
	char *b = fixture_compile(f, "after", after, flags);
	bool result;

	assert_int_equal(elf_read(&f->diag, &f->arena, a, "a", &x), 0);
	assert_int_equal(elf_read(&f->diag, &f->arena, b, "b", &y), 0);
	result = screen_same(&x, &y);
	elf_close(&x);
	elf_close(&y);
	return result;
}

static const char plain[] =
	"extern int ext(const char *); static int n; int v = 3;\n"
	"int f(int a) { static int c; return ext(\"text\") + a + n++ + c++; }\n"
	"int g(int a) { static int c; return f(a) + c++; }\n";

static void test_screen(void **state)
{
	struct fixture *f = *state;
	char *edited = arena_strdup(&f->arena, plain);

	assert_true(same(f, plain, plain, "-g0"));
	/* unused inline functions, and other numbers of static variables */
	assert_true(same(f, plain, arena_printf(&f->arena,
		"static inline int unused(void) { static int c; return c++; }\n%s", plain), "-g0"));
	strstr(edited, "+ a")[2] = '2';
	assert_false(same(f, plain, edited, "-g0"));
	edited = arena_strdup(&f->arena, plain);
	strstr(edited, "v = 3")[4] = '4';
	assert_false(same(f, plain, edited, "-g0"));
	edited = arena_strdup(&f->arena, plain);
	memcpy(strstr(edited, "text"), "tent", 4);
	assert_false(same(f, plain, edited, "-g0"));
	/* the same bytes, another symbol */
	edited = arena_strdup(&f->arena, plain);
	memcpy(strstr(edited, "return f("), "return h(", 9);
	assert_false(same(f, plain, edited, "-g0"));
	assert_false(same(f, plain, plain, "-O1 -g0"));
}

static const char header[] =
	"#define LIMIT 3\n"				/* 1 */
	"#define TWICE(x) \\\n"			/* 2 */
	"	((x) * 2)\n"				/* 3 */
	"struct s {\n"				/* 4 */
	"	int a;\n"				/* 5 */
	"};\n"					/* 6 */
	"int proto(int a,\n"			/* 7 */
	"	  int b);\n"			/* 8 */
	"static inline int inl(struct s *s)\n"	/* 9 */
	"{\n"					/* 10 */
	"	return s->a;\n"			/* 11 */
	"}\n"					/* 12 */
	"MAKE(thing,\n"				/* 13 */
	"     other(1));\n";			/* 14 */

/* What the change of one line of the header is called; "?": nothing */
static char *called(struct fixture *f, unsigned int line)
{
	struct diff_hunk h = { .old_start = line, .old_len = 1, .new_start = line, .new_len = 1 };
	struct buf out = { .arena = &f->arena };
	mentions names = { 0 };
	struct src_map map;
	struct mention *m;

	src_scan(&f->arena, header, &map);
	if (!mention_collect(&f->arena, header, header, &map, &map, &h, 1, &names))
		return "?";
	buf_puts(&out, "");
	vec_each(m, &names)
		if (!strstr(out.s, m->name))
			buf_printf(&out, "%s%s ", m->macro ? "#" : "", m->name);
	return out.s;
}

static void test_names(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(called(f, 1), "#LIMIT ");
	assert_string_equal(called(f, 3), "#TWICE ");
	assert_string_equal(called(f, 5), "?");
	assert_string_equal(called(f, 7), "proto ");
	assert_string_equal(called(f, 8), "proto ");
	assert_string_equal(called(f, 11), "inl ");
}

static bool found(struct fixture *f, unsigned int line, const char *text)
{
	struct diff_hunk h = { .old_start = line, .old_len = 1, .new_start = line, .new_len = 1 };
	mentions names = { 0 };
	struct src_map map;

	src_scan(&f->arena, header, &map);
	return !mention_collect(&f->arena, header, header, &map, &map, &h, 1, &names) ||
		mention_found(text, "include/h.h", &names);
}

#define IN_HEADER(line, text)	"# 1 \"a.c\"\n# " line " \"./include/h.h\" 1\n" text "# 2 \"a.c\" 2\n"

static void test_found(void **state)
{
	struct fixture *f = *state;
	static const char inl[] = IN_HEADER("9", "static inline int inl(struct s *s)\n{\n return s->a;\n}\n");

	assert_false(found(f, 11, arena_printf(&f->arena, "%sint x(void) { return 1; }\n", inl)));
	assert_true(found(f, 11, arena_printf(&f->arena, "%sint x(void) { return inl(0); }\n", inl)));
	/* part of another word, and another file of that name */
	assert_false(found(f, 11, arena_printf(&f->arena, "%sint inl2, xinl;\n", inl)));
	assert_true(found(f, 11, arena_printf(&f->arena, "%s# 9 \"my_include/h.h\"\nint inl;\n", inl)));
	/* a macro is seen only where it's used */
	assert_false(found(f, 1, IN_HEADER("1", "\n")));
	assert_true(found(f, 1, IN_HEADER("1", "#define LIMIT 3\n")));
	/* what a macro makes of it has no name that one could look for */
	assert_true(found(f, 14, IN_HEADER("13", "int made_of_thing;\n\n")));
}

/* A header, one type "entry" of 24 bytes, one int before it */
static size_t make_btf(uint8_t *out)
{
	static const char strings[] = "\0int\0entry";
	const uint32_t head[] = { 0x0001eb9f, 24, 0, 12 + 4 + 12 + 12, 12 + 4 + 12 + 12, sizeof(strings) };
	const uint32_t types[] = { 1, 1 << 24, 4, 32, 5, (4 << 24) | 1, 24, 1, 1, 0 };

	memcpy(out, head, sizeof(head));
	memcpy(out + 24, types, sizeof(types));
	memcpy(out + 24 + sizeof(types), strings, sizeof(strings));
	return 24 + sizeof(types) + sizeof(strings);
}

static void test_btf(void **state)
{
	uint8_t data[256] = { 0 };
	size_t n = make_btf(data);

	(void)state;
	assert_int_equal(btf_struct_size(data, n, "entry"), 24);
	assert_int_equal(btf_struct_size(data, n, "int"), 0);
	assert_int_equal(btf_struct_size(data, n, "entr"), 0);
	/* cut short or damaged: no answer, and nothing is read that isn't there */
	for (size_t i = 0; i < n; i++)
		btf_struct_size(data, i, "entry");
	for (size_t i = 0; i < n; i++) {
		uint8_t old = data[i];

		data[i] = 0xff;
		btf_struct_size(data, n, "entry");
		data[i] = old;
	}
}

static void test_table(void **state)
{
	static const uint32_t good[] = { 0x100, 7, 8, 0x1f4, 9, 9, 0, 0, 0 };
	struct fixture *f = *state;
	struct sect_kind k = { .name = "t", .entsize = 12, .start = "first", .stop = "last" };
	struct symtab st = { .arena = &f->arena, .obj = { .arena = &f->arena } };
	struct sect text = { .name = ".text", .addr = 0x10000, .size = 0x400, .type = SHT_PROGBITS,
			     .flags = SHF_ALLOC | SHF_EXECINSTR };
	struct sect table = { .name = "t", .addr = 0x10000, .size = sizeof(good), .flags = SHF_ALLOC,
			      .type = SHT_PROGBITS, .data = (const uint8_t *)good };
	struct sym first = { .name = "first", .value = 0x10000 };
	struct sym last = { .name = "last", .value = 0x10000 + sizeof(good) };

	text.addr = 0x10080;
	first.sect = last.sect = obj_add_sect(&st.obj, &table);
	obj_add_sect(&st.obj, &text);
	obj_add_sym(&st.obj, &first);
	obj_add_sym(&st.obj, &last);
	assert_int_equal(table_check(&f->diag, &st, &k), 0);
	k.entsize = 16;		/* not a whole number of them */
	assert_int_equal(table_check(&f->diag, &st, &k), -1);
	k.entsize = 4;		/* then the second one begins with no address */
	assert_int_equal(table_check(&f->diag, &st, &k), -1);
	assert_int_equal(fixture_count(f, D_SECTION_TABLE), 2);
}

static const struct {
	const char *before, *after, *name;
	enum pairing how;
} pairs[] = {
	{ "int v = 1;", "int v = 2;", "v", PAIRED_NAME },
	{ "int *f(void) { static int n; return &n; }",
	  "int *g(void) { static int m; return &m; } int *f(void) { static int n; return &n; }",
	  "n.", PAIRED_ONLY },
	{ "int *f(void) { static int n; return &n; } int *g(void) { static int n; return &n; }",
	  "int *h(void) { static int n; return &n; } int *f(void) { static int n; return &n; } int *g(void) { static int n; return &n; }",
	  "n.", PAIRED_SCOPE },
	{ "asm(\".section .BTF_ids,\\\"a\\\"\\n__BTF_ID__func__a__1:\\n.zero 4\\n__BTF_ID__func__a__2:\\n.zero 4\\n.previous\");",
	  "asm(\".section .BTF_ids,\\\"a\\\"\\n__BTF_ID__func__a__3:\\n.zero 4\\n__BTF_ID__func__a__4:\\n.zero 4\\n.previous\");",
	  "__BTF_ID__func__a__3", PAIRED_CONTENT },
};

static void test_pairs(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		struct obj *orig, *patched;
		bool seen = false;

		fixture_pair(f, pairs[i].before, pairs[i].after, &orig, &patched);
		for (size_t k = 0; k < patched->syms.n; k++) {
			struct atom *a = patched->syms.v[k]->atom;

			if (!a || a->sym != patched->syms.v[k] || !a->twin ||
			    !str_starts(a->sym->name, pairs[i].name))
				continue;
			assert_int_equal(a->paired, pairs[i].how);
			assert_true(*pairing_text(a->paired));
			seen = true;
		}
		assert_true(seen);
	}
	assert_int_equal(fixture_count(f, D_STATIC_PAIR), 0);
}

#define TEST(name)	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_screen), TEST(test_names), TEST(test_found), TEST(test_btf),
		TEST(test_table), TEST(test_pairs),
	};

	return cmocka_run_group_tests_name("screen", tests, NULL, NULL);
}
