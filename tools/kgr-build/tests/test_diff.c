// SPDX-License-Identifier: GPL-2.0
/* The diff parser: whole, odd, cut short, garbled */
#include <stdio.h>

#include "fixture.h"

static const char plain[] =
	"--- a/x/y.c\n+++ b/x/y.c\n@@ -1,3 +1,4 @@ int f(void)\n a\n-b\n+c\n+d\n e\n";

static int parse(struct fixture *f, const char *text, struct diff *out)
{
	return diff_parse(&f->diag, "t.patch", text, out);
}

static unsigned int error_line(struct fixture *f)
{
	return f->diag.items.n ? f->diag.items.v[f->diag.items.n - 1].where.line : 0;
}

static void test_plain(void **state)
{
	struct diff df;

	assert_int_equal(parse(*state, plain, &df), 0);
	assert_int_equal(df.files.n, 1);
	assert_string_equal(df.files.v[0].old_path, "a/x/y.c");
	assert_int_equal(df.files.v[0].hunks.n, 1);
	assert_int_equal(df.files.v[0].hunks.v[0].old_len, 3);
	assert_int_equal(df.files.v[0].hunks.v[0].new_len, 4);
	assert_int_equal(df.files.v[0].oddity, DIFF_PLAIN);
}

static void test_git_mail(void **state)
{
	struct diff df;

	assert_int_equal(parse(*state,
		"From 123 Mon Sep 17 00:00:00 2001\nFrom: A <a@b>\nSubject: x\n\ntext\n"
		"--- not a header\n---\n x/y.c | 2 +-\n 1 file changed\n\n"
		"diff --git a/x/y.c b/x/y.c\nindex 1..2 100644\n--- a/x/y.c\n+++ b/x/y.c\n"
		"@@ -5 +5 @@\n-a\n+b\n"
		"diff --git a/z.c b/z.c\nindex 1..2 100644\n--- a/z.c\n+++ b/z.c\n"
		"@@ -1,2 +1 @@\n-a\n b\n\\ No newline at end of file\n-- \n2.39.2\n\n", &df), 0);
	assert_int_equal(df.files.n, 2);
	assert_int_equal(df.files.v[1].hunks.v[0].old_len, 2);
	assert_int_equal(df.files.v[1].hunks.v[0].new_len, 1);
}

static void test_oddities(void **state)
{
	struct diff df;

	assert_int_equal(parse(*state,
		"diff --git a/n.c b/n.c\nnew file mode 100644\n--- /dev/null\n+++ b/n.c\n@@ -0,0 +1 @@\n+x\n"
		"diff --git a/d.c b/d.c\ndeleted file mode 100644\n--- a/d.c\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n"
		"diff --git a/r.c b/s.c\nsimilarity index 100%\nrename from r.c\nrename to s.c\n"
		"diff --git a/p.png b/p.png\nBinary files a/p.png and b/p.png differ\n"
		"diff --git a/m.sh b/m.sh\nold mode 100644\nnew mode 100755\n", &df), 0);
	assert_int_equal(df.files.n, 5);
	assert_int_equal(df.files.v[0].oddity, DIFF_NEW);
	assert_int_equal(df.files.v[1].oddity, DIFF_DELETED);
	assert_int_equal(df.files.v[2].oddity, DIFF_RENAMED);
	assert_int_equal(df.files.v[3].oddity, DIFF_BINARY);
	assert_int_equal(df.files.v[4].oddity, DIFF_MODE);
}

/* Whatever the place, a diff that is cut within a hunk must not pass */
static void test_truncated(void **state)
{
	struct fixture *f = *state;
	const char *body = strstr(plain, "@@");

	for (size_t n = body - plain + 1; n < sizeof(plain) - 3; n++) {
		char *cut = arena_strndup(&f->arena, plain, n);
		struct diff df;

		assert_int_equal(parse(f, cut, &df), -1);
	}
	assert_true(fixture_count(f, D_DIFF_SYNTAX) > 0);
}

static void test_garbled(void **state)
{
	static const struct {
		const char *text;
		unsigned int line;
	} bad[] = {
		{ "--- a/x.c\n+++ b/x.c\n@@ -1,2 +1,2 @@\n a\nxyz\n", 5 },
		{ "--- a/x.c\n+++ b/x.c\n@@ -1,2 +1,x @@\n a\n b\n", 3 },
		{ "--- a/x.c\n+++ b/x.c\n@@ -1,1 +1,1 @@\n-a\n+b\n+c\n", 6 },
		{ "--- a/x.c\n+++ b/x.c\n@@ -1,2 +1,1 @@\n-a\n+b\n+c\n", 6 },
		{ "--- a/x.c\n+++ b/x.c\nhello\n", 3 },
		{ "--- a/x.c\nhello\n", 2 },
		{ "@@ -1 +1 @@\n-a\n+b\n", 1 },
		{ "diff --git a/x.c b/x.c\nindex 1..2\n", 1 },
		{ "--- /dev/null\n+++ /dev/null\n@@ -1 +1 @@\n-a\n+b\n", 2 },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct diff df;

		f->diag.items.n = 0;
		assert_int_equal(parse(f, bad[i].text, &df), -1);
		assert_int_equal(f->diag.items.v[0].code, D_DIFF_SYNTAX);
		assert_int_equal(error_line(f), bad[i].line);
	}
}

static void test_empty(void **state)
{
	static const char * const texts[] = { "", "hello\nworld\n", "--- nothing\n" };
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct diff df;

		f->diag.items.n = 0;
		assert_int_equal(parse(f, texts[i], &df), -1);
		assert_int_equal(f->diag.items.v[0].code, D_DIFF_EMPTY);
	}
}

static void test_noise(void **state)
{
	struct fixture *f = *state;
	unsigned int seed = 1;

	for (int i = 0; i < 3000; i++) {
		char *text = arena_strdup(&f->arena, plain);
		struct diff df;

		for (int k = 0; k < 3; k++) {
			seed = seed * 1103515245 + 12345;
			text[(seed >> 8) % (sizeof(plain) - 1)] = (seed >> 20) % 127 + 1;
		}
		f->diag.items.n = 0;
		if (parse(f, text, &df))	/* it says why it fails, and where */
			assert_true(f->diag.items.n > 0);
	}
}

static void test_strip(void **state)
{
	struct fixture *f = *state;
	struct diff df;

	fixture_file(f, "x/y.c", "");
	assert_int_equal(parse(f, plain, &df), 0);
	assert_int_equal(diff_resolve(&f->diag, f->dir, &df), 0);
	assert_int_equal(df.strip, 1);
	assert_string_equal(df.files.v[0].path, "x/y.c");

	/* diff -u between a file and its copy: one of the names is the file's */
	assert_int_equal(parse(f, "--- x/y.c.orig\n+++ x/y.c\n@@ -1 +1 @@\n-a\n+b\n", &df), 0);
	assert_int_equal(diff_resolve(&f->diag, f->dir, &df), 0);
	assert_int_equal(df.strip, 0);
	assert_string_equal(df.files.v[0].path, "x/y.c");

	assert_int_equal(parse(f, "--- x/z.c\n+++ x/z.c\n@@ -1 +1 @@\n-a\n+b\n", &df), 0);
	assert_int_equal(diff_resolve(&f->diag, f->dir, &df), -1);

	assert_int_equal(parse(f, "--- x/y.c\told\n+++ x/y.c\tnew\n@@ -1 +1 @@\n-a\n+b\n", &df), 0);
	assert_int_equal(diff_resolve(&f->diag, f->dir, &df), 0);
	assert_int_equal(df.strip, 0);
}

static void test_path_escape(void **state)
{
	static const char * const paths[] = { "a/../x/y.c", "/etc/passwd", "a/x/../../y.c" };
	struct fixture *f = *state;

	fixture_file(f, "x/y.c", "");
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		struct diff df;

		f->diag.items.n = 0;
		assert_int_equal(parse(f, arena_printf(&f->arena,
			"--- %s\n+++ %s\n@@ -1 +1 @@\n-a\n+b\n", paths[i], paths[i]), &df), 0);
		assert_int_equal(diff_resolve(&f->diag, fixture_path(f, "x"), &df), -1);
		assert_int_equal(f->diag.items.v[0].code, D_DIFF_PATH);
	}
}

#define TEST(name)	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_plain), TEST(test_git_mail), TEST(test_oddities), TEST(test_truncated),
		TEST(test_garbled), TEST(test_empty), TEST(test_noise), TEST(test_strip),
		TEST(test_path_escape),
	};

	return cmocka_run_group_tests_name("diff", tests, NULL, NULL);
}
