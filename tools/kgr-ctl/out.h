/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Output: a command makes one JSON document; with --json it is printed as it
 * is, else the command's text function renders that same document through
 * tables and fields.  So text can't show what JSON does not hold.
 */
#ifndef _KGR_OUT_H
#define _KGR_OUT_H

#include <jansson.h>
#include <stdio.h>

#include "kgr-ctl.h"

#define KGR_RED		"\033[31m"
#define KGR_GREEN	"\033[32m"
#define KGR_YELLOW	"\033[33m"
#define KGR_BOLD	"\033[1m"
#define KGR_PLAIN	"\033[0m"

/* One column of a table, or one line of a record */
struct kgr_col {
	const char *key;	/* in the row's object; NULL ends the list */
	const char *head;
	bool right;		/* align to the right */
	/* text of a value, to be freed; NULL: kgr_fmt_value() */
	char *(*fmt)(const json_t *value);
	const char *(*color)(const char *text);
};

typedef void (*kgr_text_fn)(struct kgr_ctx *ctx, const json_t *doc);

/* All of these consume @doc where it is not const */
void kgr_json_dump(struct kgr_ctx *ctx, json_t *doc);
enum kgr_exit kgr_show(struct kgr_ctx *ctx, json_t *doc, kgr_text_fn text);

void kgr_table(struct kgr_ctx *ctx, const json_t *rows, const struct kgr_col *cols);
void kgr_fields(struct kgr_ctx *ctx, const json_t *obj, const struct kgr_col *cols);

/* A JSON string of any bytes: what is not UTF-8 becomes '?' */
json_t *kgr_json_str(const char *s);
json_t *kgr_json_str_or_null(const char *s);
/* An array of the words in @s, which blanks or commas divide */
json_t *kgr_json_words(const char *s);

/* Sorts an array; @cmp gets pointers to two json_t * */
void kgr_json_sort(json_t *array, int (*cmp)(const void *a, const void *b));

/* Text from outside, without control characters */
void kgr_put_clean(FILE *f, const char *s);

/* Formatters for struct kgr_col */
char *kgr_fmt_value(const json_t *value);
char *kgr_fmt_ms(const json_t *value);
char *kgr_fmt_date(const json_t *value);
const char *kgr_color_state(const char *text);

#endif /* _KGR_OUT_H */
