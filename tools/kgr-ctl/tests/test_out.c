// SPDX-License-Identifier: GPL-2.0
/*
 * Tables, records, values and what must never reach a terminal.
 */
#include "fixture.h"

#include <stdlib.h>
#include <string.h>

#include "out.h"

static const struct kgr_col columns[] = {
	{ .key = "name", .head = "NAME" },
	{ .key = "n", .head = "N", .right = true },
	{ .key = "state", .head = "STATE", .color = kgr_color_state },
	{ 0 }
};

static char *table(bool color, json_t *rows)
{
	struct kgr_ctx ctx = { .color_out = color };
	char *text;
	size_t len;

	ctx.out = open_memstream(&text, &len);
	kgr_table(&ctx, rows, columns);
	fclose(ctx.out);
	json_decref(rows);
	return text;
}

static void alignment(void **state)
{
	char *text = table(false, json_pack("[{s:s,s:i,s:s},{s:s,s:i,s:s},{s:s}]",
					    "name", "a", "n", 1, "state", "applied",
					    "name", "long-name", "n", 12345, "state", "x",
					    "name", "no-more"));

	(void)state;
	assert_string_equal(text,
			    "NAME           N  STATE\n"
			    "a              1  applied\n"
			    "long-name  12345  x\n"
			    "no-more        -  -\n");
	free(text);
}

static void empty_table(void **state)
{
	char *text = table(false, json_array());

	(void)state;
	assert_string_equal(text, "NAME  N  STATE\n");
	free(text);
}

static void colors(void **state)
{
	char *text = table(true, json_pack("[{s:s,s:i,s:s}]", "name", "a", "n", 1,
					   "state", "applied"));

	(void)state;
	assert_contains(text, KGR_BOLD "NAME" KGR_PLAIN);
	assert_contains(text, KGR_GREEN "applied" KGR_PLAIN);
	free(text);
}

/* A program may call itself anything */
static void control_characters(void **state)
{
	char *text = table(true, json_pack("[{s:s,s:i,s:s}]", "name", "e\033[2J\nx", "n", 1,
					   "state", "\x7f"));

	(void)state;
	assert_contains(text, "e?[2J?x");
	assert_lacks(text, "\033[2J");
	assert_lacks(text, "\x7f");
	free(text);
}

static void wide_characters(void **state)
{
	char *text = table(false, json_pack("[{s:s,s:i,s:s},{s:s,s:i,s:s}]",
					    "name", "h\xc3\xb6he", "n", 1, "state", "x",
					    "name", "hoehe", "n", 1, "state", "x"));

	(void)state;
	assert_contains(text, "h\xc3\xb6he   1  x\nhoehe  1  x\n");
	free(text);
}

static void invalid_utf8(void **state)
{
	json_t *s = kgr_json_str("a\xff\x62");

	(void)state;
	assert_string_equal(json_string_value(s), "a?b");
	json_decref(s);
	s = kgr_json_str_or_null("");
	assert_true(json_is_null(s));
	json_decref(s);
}

static void check_ms(json_int_t ms, const char *expected)
{
	json_t *value = json_integer(ms);
	char *text = kgr_fmt_ms(value);

	assert_string_equal(text, expected);
	free(text);
	json_decref(value);
}

static void durations(void **state)
{
	char *text = kgr_fmt_ms(NULL);

	(void)state;
	assert_string_equal(text, "-");
	free(text);
	check_ms(0, "0ms");
	check_ms(999, "999ms");
	check_ms(1000, "1.0s");
	check_ms(59999, "59.9s");
	check_ms(60000, "1m00s");
	check_ms(3599999, "59m59s");
	check_ms(3600000, "1h00m");
	check_ms(90061000, "25h01m");
}

static void words(void **state)
{
	json_t *w = kgr_json_words("  CVE-1,CVE-2  CVE-3 ");

	(void)state;
	assert_int_equal(json_array_size(w), 3);
	assert_string_equal(json_string_value(json_array_get(w, 2)), "CVE-3");
	json_decref(w);
	w = kgr_json_words(NULL);
	assert_int_equal(json_array_size(w), 0);
	json_decref(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(alignment),
		cmocka_unit_test(empty_table),
		cmocka_unit_test(colors),
		cmocka_unit_test(control_characters),
		cmocka_unit_test(wide_characters),
		cmocka_unit_test(invalid_utf8),
		cmocka_unit_test(durations),
		cmocka_unit_test(words),
	};

	return cmocka_run_group_tests_name("kgr-ctl: output", tests, NULL, NULL);
}
