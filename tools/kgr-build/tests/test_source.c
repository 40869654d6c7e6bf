// SPDX-License-Identifier: GPL-2.0
/* C source as lines and blocks, and #line directives */
#include "../names.h"
#include "../tree.h"
#include "fixture.h"

static const char text[] =
	"/* struct in a comment {\n"		/* 1 */
	" */\n"
	"#define M(x) \\\n"			/* 3 */
	"	do { x; } while (0)\n"
	"struct s {\n"				/* 5 */
	"	int a;\n"
	"	union { int b; } u;\n"
	"};\n"					/* 8 */
	"static struct s v = {\n"		/* 9 */
	"	.a = 1,\n"
	"};\n"
	"struct s *f(int a,\n"			/* 12 */
	"	     char *b)\n"
	"{\n"
	"	call(a, \"}{\",\n"		/* 15 */
	"	     '}');\n"
	"	if (a)\n"
	"		return 0;\n"		/* 18 */
	"	return &v;\n"
	"}\n"
	"enum e { A, B };\n";			/* 21 */

static void test_blocks(void **state)
{
	struct fixture *f = *state;
	const struct src_block *b;
	struct src_map map;

	src_scan(&f->arena, text, &map);
	b = src_block_at(&map, 6);
	assert_non_null(b);
	assert_true(b->is_type);
	assert_int_equal(b->first, 5);
	assert_int_equal(b->last, 8);
	b = src_block_at(&map, 10);
	assert_non_null(b);
	assert_false(b->is_type);
	b = src_block_at(&map, 16);
	assert_non_null(b);
	assert_false(b->is_type);
	assert_int_equal(b->first, 12);
	assert_int_equal(b->last, 20);
	b = src_block_at(&map, 21);
	assert_non_null(b);
	assert_true(b->is_type);
	assert_null(src_block_at(&map, 1));
}

static void test_boundaries(void **state)
{
	static const unsigned int yes[] = { 1, 5, 6, 7, 8, 9, 12, 15, 17, 19, 20, 21 };
	static const unsigned int no[] = { 2, 4, 13, 14, 16, 18 };
	struct fixture *f = *state;
	struct src_map map;

	src_scan(&f->arena, text, &map);
	for (size_t i = 0; i < ARRAY_SIZE(yes); i++)
		assert_true(map.boundary[yes[i]]);
	for (size_t i = 0; i < ARRAY_SIZE(no); i++)
		assert_false(map.boundary[no[i]]);
}

static void test_keep_lines(void **state)
{
	static const struct diff_hunk add = { .old_start = 1, .old_len = 0, .new_start = 2,
					      .new_len = 2 };
	static const struct diff_hunk del = { .old_start = 2, .old_len = 2, .new_start = 1,
					      .new_len = 0 };
	static const struct diff_hunk same = { .old_start = 2, .old_len = 1, .new_start = 2,
					       .new_len = 1 };
	struct fixture *f = *state;

	assert_string_equal(src_keep_lines(&f->arena, "a;\nx;\ny;\nb;\nc;\n", &add, 1),
			    "a;\nx;\ny;\n#line 2\nb;\nc;\n");
	assert_string_equal(src_keep_lines(&f->arena, "a;\nd;\n", &del, 1), "a;\n#line 4\nd;\n");
	assert_string_equal(src_keep_lines(&f->arena, "a;\nx;\nd;\n", &same, 1), "a;\nx;\nd;\n");
	/* in the middle of a statement it waits for the end */
	assert_string_equal(src_keep_lines(&f->arena, "f(a,\nx,\ny,\n  b);\nc;\n", &add, 1),
			    "f(a,\nx,\ny,\n  b);\n#line 3\nc;\n");
}

static void test_names(void **state)
{
	struct fixture *f = *state;
	struct arena *a = &f->arena;

	assert_string_equal(name_key(a, "foo"), "foo");
	assert_string_equal(name_key(a, "foo2"), "foo2");
	assert_string_equal(name_key(a, "foo.12"), "foo.#");
	assert_string_equal(name_key(a, "foo.isra.0"), "foo.isra.#");
	assert_string_equal(name_key(a, "foo.constprop.1.cold"), "foo.constprop.#.cold");
	assert_string_equal(name_key(a, "__UNIQUE_ID_x123"), name_key(a, "__UNIQUE_ID_x9"));
	assert_string_equal(name_key(a, "__initcall__kmod_m__12_34_f6"),
			    name_key(a, "__initcall__kmod_m__99_100_f6"));
	assert_true(name_numbered("x.3"));
	assert_true(name_numbered("f.part.0"));
	assert_false(name_numbered("f.cold"));
	assert_false(name_numbered("x3"));
	assert_true(name_disposable("__func__.5"));
	assert_true(name_disposable("__already_done.1"));
	assert_true(name_disposable("CSWTCH.123"));
	assert_true(name_disposable("__UNIQUE_ID_ddebug123.0"));
	assert_true(name_disposable("__key"));
	assert_false(name_disposable("__keyring.1"));
	assert_false(name_disposable("counter.1"));
	assert_string_equal(name_cold_parent(a, "foo.cold"), "foo");
	assert_string_equal(name_cold_parent(a, "foo.isra.0.cold"), "foo.isra.0");
	assert_null(name_cold_parent(a, "foo.colder"));
	assert_null(name_cold_parent(a, "foo"));
	assert_string_equal(name_identifier(a, "foo.isra.0"), "foo_isra_0");
	assert_string_equal(name_source(a, "foo.isra.0"), "foo");
}

static void test_clean(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *path, *clean;
	} cases[] = {
		{ "a/b", "a/b" }, { "/a/b", "/a/b" }, { "a/../b", "b" }, { "/a/./b//../c/", "/a/c" },
		{ "../a", "../a" }, { "a/../../b", "../b" }, { "../../a", "../../a" },
		{ "/../a", "/a" }, { "a/..", "" }, { "/", "/" }, { "", "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_string_equal(path_clean(&f->arena, cases[i].path), cases[i].clean);
}

static char *join(struct arena *a, const strvec *v)
{
	struct buf b = { .arena = a };

	for (size_t i = 0; i < v->n; i++)
		buf_printf(&b, "%s[%s]", i ? " " : "", v->v[i]);
	return b.s;
}

static void test_command(void **state)
{
	struct fixture *f = *state;
	struct object o = { .path = "a/b.o" };
	strvec words;

	o.command = "ccache gcc -Wp,-MMD,a/.b.o.d -DX='\"a b\"' -I./x -c -o a/b.o a/b.c  ; ./objtool a/b.o";
	assert_int_equal(object_command(&f->diag, &o, COMMAND_SPLIT, "/t/o", "/t/d", &words), 0);
	assert_string_equal(join(&f->arena, &words),
		"[gcc] [-Wp,-MMD,/t/d] [-DX=\"a b\"] [-I./x] [-ffunction-sections] [-fdata-sections] "
		"[-c] [-o] [/t/o] [a/b.c] [-g]");
	o.is_asm = true;
	o.command = "gcc -D__ASSEMBLY__ -c -o a/b.o a/b.S";
	assert_int_equal(object_command(&f->diag, &o, COMMAND_SPLIT, "/t/o", "/t/d", &words), 0);
	assert_string_equal(join(&f->arena, &words), "[gcc] [-D__ASSEMBLY__] [-c] [-o] [/t/o] [a/b.S]");
	o.command = "ld -r -o a/b.o a/c.o";
	assert_int_equal(object_command(&f->diag, &o, COMMAND_SPLIT, "/t/o", "/t/d", &words), -1);
	o.command = "gcc -c x.c -o a/b.o > log";
	assert_int_equal(object_command(&f->diag, &o, COMMAND_SPLIT, "/t/o", "/t/d", &words), -1);
	assert_int_equal(fixture_count(f, D_CMD_SYNTAX), 2);
}

#define TEST(name)	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_blocks), TEST(test_boundaries), TEST(test_keep_lines), TEST(test_names),
		TEST(test_clean), TEST(test_command),
	};

	return cmocka_run_group_tests_name("source", tests, NULL, NULL);
}
