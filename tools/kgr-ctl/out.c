// SPDX-License-Identifier: GPL-2.0
/*
 * The only printer: JSON documents, and tables and records made from them.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "out.h"

json_t *kgr_json_str(const char *s)
{
	json_t *str = json_string(s);
	char *copy;

	if (str)
		return str;
	copy = kgr_asprintf("%s", s);
	for (char *p = copy; *p; p++)
		if ((unsigned char)*p >= 0x80)
			*p = '?';
	str = json_string(copy);
	free(copy);
	return str;
}

json_t *kgr_json_str_or_null(const char *s)
{
	return s && *s ? kgr_json_str(s) : json_null();
}

json_t *kgr_json_words(const char *s)
{
	json_t *array = json_array();
	char *copy = strdup(s ? s : ""), *rest = copy, *word;

	while (copy && (word = strsep(&rest, " \t,")))
		if (*word)
			json_array_append_new(array, kgr_json_str(word));
	free(copy);
	return array;
}

void kgr_json_sort(json_t *array, int (*cmp)(const void *a, const void *b))
{
	size_t n = json_array_size(array);
	json_t **v = calloc(n + 1, sizeof(*v));

	if (!v)
		return;
	for (size_t i = 0; i < n; i++)
		v[i] = json_incref(json_array_get(array, i));
	qsort(v, n, sizeof(*v), cmp);
	for (size_t i = 0; i < n; i++)
		json_array_set_new(array, i, v[i]);
	free(v);
}

static bool is_control(char c)
{
	return (unsigned char)c < 0x20 || c == 0x7f;
}

void kgr_put_clean(FILE *f, const char *s)
{
	for (; *s; s++)
		fputc(is_control(*s) ? '?' : *s, f);
}

/*
 * "schema" and "command" come first, then the keys in the order in which the
 * command set them.
 */
void kgr_json_dump(struct kgr_ctx *ctx, json_t *doc)
{
	json_t *head = json_pack("{s:i,s:s?}", "schema", KGR_SCHEMA,
				 "command", ctx->cmd ? ctx->cmd->name : NULL);

	json_object_update(head, doc);
	json_dumpf(head, ctx->out, JSON_INDENT(2) | JSON_REAL_PRECISION(15));
	fputc('\n', ctx->out);
	json_decref(head);
	json_decref(doc);
}

enum kgr_exit kgr_show(struct kgr_ctx *ctx, json_t *doc, kgr_text_fn text)
{
	if (!doc)
		return kgr_fail(ctx, KGR_EXIT_FAIL, "out of memory, or a value that JSON can't hold");
	json_decref(ctx->shown);
	ctx->shown = json_incref(doc);
	if (ctx->json) {
		kgr_json_dump(ctx, doc);
		return KGR_EXIT_OK;
	}
	if (!ctx->quiet)
		text(ctx, doc);
	json_decref(doc);
	return KGR_EXIT_OK;
}

static char *fmt_array(const json_t *array)
{
	char *text = NULL, *longer;
	json_t *item;
	size_t i;

	json_array_foreach((json_t *)array, i, item) {
		char *one = kgr_fmt_value(item);

		longer = kgr_asprintf("%s%s%s", text ? text : "", text ? " " : "", one);
		free(one);
		free(text);
		text = longer;
	}
	return text ? text : strdup("-");
}

char *kgr_fmt_value(const json_t *value)
{
	switch (value ? json_typeof(value) : JSON_NULL) {
	case JSON_STRING:
		return strdup(json_string_value(value));
	case JSON_INTEGER:
		return kgr_asprintf("%lld", (long long)json_integer_value(value));
	case JSON_REAL:
		return kgr_asprintf("%.3f", json_real_value(value));
	case JSON_TRUE:
		return strdup("yes");
	case JSON_FALSE:
		return strdup("no");
	case JSON_ARRAY:
		return fmt_array(value);
	default:
		return strdup("-");
	}
}

char *kgr_fmt_ms(const json_t *value)
{
	long long ms;

	if (!json_is_integer(value))
		return strdup("-");
	ms = json_integer_value(value);
	if (ms < 1000)
		return kgr_asprintf("%lldms", ms);
	if (ms < 60 * 1000)
		return kgr_asprintf("%lld.%llds", ms / 1000, ms % 1000 / 100);
	if (ms < 3600 * 1000)
		return kgr_asprintf("%lldm%02llds", ms / 60000, ms / 1000 % 60);
	return kgr_asprintf("%lldh%02lldm", ms / 3600000, ms / 60000 % 60);
}

char *kgr_fmt_date(const json_t *value)
{
	char buf[32];
	struct tm tm;
	time_t t;

	if (!json_is_number(value))
		return strdup("-");
	t = (time_t)json_number_value(value);
	if (!localtime_r(&t, &tm) || !strftime(buf, sizeof(buf), "%Y-%m-%d %H:%M:%S", &tm))
		return strdup("-");
	return strdup(buf);
}

const char *kgr_color_state(const char *text)
{
	if (!strcmp(text, "applied") || !strcmp(text, "ready"))
		return KGR_GREEN;
	if (!strcmp(text, "applying") || !strcmp(text, "reverting") ||
	    !strcmp(text, "in_progress"))
		return KGR_YELLOW;
	return "";
}

static char *cell_text(const json_t *row, const struct kgr_col *col)
{
	const json_t *value = json_object_get(row, col->key);
	char *text = (col->fmt ? col->fmt : kgr_fmt_value)(value);

	for (char *p = text; *p; p++)
		if (is_control(*p))
			*p = '?';
	return text;
}

/* Columns that a terminal uses for @s: bytes that continue a UTF-8 character take none */
static int text_width(const char *s)
{
	int n = 0;

	for (; *s; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

static void put_cell(struct kgr_ctx *ctx, const struct kgr_col *col, const char *text,
		     const char *color, int width, bool last)
{
	int pad = width - text_width(text);

	if (col->right)
		fprintf(ctx->out, "%*s", pad, "");
	if (!ctx->color_out)
		color = "";
	fprintf(ctx->out, "%s%s%s", color, text, *color ? KGR_PLAIN : "");
	if (!last)
		fprintf(ctx->out, "%*s", (col->right ? 0 : pad) + 2, "");
}

static size_t col_count(const struct kgr_col *cols)
{
	size_t n = 0;

	while (cols[n].key)
		n++;
	return n;
}

static void put_row(struct kgr_ctx *ctx, const struct kgr_col *cols, size_t n_cols,
		    char **cells, const int *widths)
{
	for (size_t c = 0; c < n_cols; c++) {
		const char *color = cols[c].color ? cols[c].color(cells[c]) : "";

		put_cell(ctx, &cols[c], cells[c], color, widths[c], c + 1 == n_cols);
	}
	fputc('\n', ctx->out);
}

void kgr_table(struct kgr_ctx *ctx, const json_t *rows, const struct kgr_col *cols)
{
	size_t n_cols = col_count(cols), n_rows = json_array_size(rows);
	char **cells = calloc(n_rows * n_cols + 1, sizeof(*cells));
	int *widths = calloc(n_cols, sizeof(*widths));

	if (!cells || !widths)
		goto out;
	for (size_t c = 0; c < n_cols; c++)
		widths[c] = text_width(cols[c].head);
	for (size_t r = 0; r < n_rows; r++) {
		for (size_t c = 0; c < n_cols; c++) {
			char *text = cell_text(json_array_get(rows, r), &cols[c]);

			cells[r * n_cols + c] = text;
			if (text_width(text) > widths[c])
				widths[c] = text_width(text);
		}
	}
	for (size_t c = 0; c < n_cols; c++)
		put_cell(ctx, &cols[c], cols[c].head, KGR_BOLD, widths[c], c + 1 == n_cols);
	fputc('\n', ctx->out);
	for (size_t r = 0; r < n_rows; r++)
		put_row(ctx, cols, n_cols, cells + r * n_cols, widths);
out:
	for (size_t i = 0; cells && i < n_rows * n_cols; i++)
		free(cells[i]);
	free(cells);
	free(widths);
}

void kgr_fields(struct kgr_ctx *ctx, const json_t *obj, const struct kgr_col *cols)
{
	int width = 0;

	for (size_t c = 0; cols[c].key; c++)
		if (text_width(cols[c].head) > width)
			width = text_width(cols[c].head);
	for (size_t c = 0; cols[c].key; c++) {
		char *text = cell_text(obj, &cols[c]);
		const char *color = cols[c].color && ctx->color_out ? cols[c].color(text) : "";

		fprintf(ctx->out, "%s:%*s %s%s%s\n", cols[c].head,
			width - text_width(cols[c].head), "", color, text,
			*color ? KGR_PLAIN : "");
		free(text);
	}
}
