// SPDX-License-Identifier: GPL-2.0
/*
 * wait, with a picture of the transition that is drawn anew after each event.
 */
#include <stdlib.h>
#include <string.h>

#include "out.h"
#include "progress.h"
#include "straggler.h"
#include "sysfs.h"
#include "wait.h"

#define ROWS_MAX	12	/* so that it fits on any screen */

struct view {
	struct kgr_ctx *ctx;
	unsigned int lines;	/* that the last picture has taken */
	char *last;		/* the last line that was printed where nothing can be drawn */
};

static void put_rows(struct kgr_ctx *ctx, json_t *rows)
{
	size_t more = json_array_size(rows);

	if (!more)
		return;
	more = more > ROWS_MAX ? more - ROWS_MAX : 0;
	while (json_array_size(rows) > ROWS_MAX)
		json_array_remove(rows, ROWS_MAX);
	fputc('\n', ctx->out);
	kgr_table(ctx, rows, kgr_straggler_columns);
	if (more)
		fprintf(ctx->out, "and %zu more\n", more);
}

/* One screenful, or one line where it can't be drawn over */
static char *picture(struct kgr_ctx *ctx, const struct kgr_patch *patch)
{
	json_t *rows = NULL, *counts = NULL;
	FILE *out = ctx->out;
	char *text = NULL, *past = NULL, *line;
	bool color = ctx->color_out;
	size_t len;

	/* may not be permitted; the numbers are there all the same */
	if (!ctx->live)
		counts = kgr_straggler_counts(ctx);
	else if (kgr_stragglers(ctx, &rows, &counts, &past))
		rows = NULL;
	line = kgr_progress_text(patch, counts);
	ctx->out = open_memstream(&text, &len);
	ctx->color_out = false;
	if (!ctx->out)
		abort();	/* no memory for one screenful */
	kgr_put_clean(ctx->out, line);
	fputc('\n', ctx->out);
	if (ctx->live)
		put_rows(ctx, rows);
	fclose(ctx->out);
	ctx->out = out;
	ctx->color_out = color;
	free(line);
	free(past);
	json_decref(rows);
	json_decref(counts);
	return text;
}

static void draw_over(struct view *v, const char *text)
{
	struct kgr_ctx *ctx = v->ctx;

	if (v->lines)
		fprintf(ctx->out, "\033[%uA", v->lines);
	fputs("\r\033[J", ctx->out);
	for (v->lines = 0; *text; v->lines++) {
		size_t len = strcspn(text, "\n");

		/* a line that is broken by the terminal would not be counted */
		fprintf(ctx->out, "%.*s\n", (int)(len < ctx->width ? len : ctx->width - 1), text);
		text += len + 1;
	}
	fflush(ctx->out);
}

static void draw(void *arg, const char *name)
{
	struct view *v = arg;
	struct kgr_ctx *ctx = v->ctx;
	struct kgr_patch patch;
	char *text;

	if (ctx->json || ctx->quiet)
		return;
	if (kgr_sysfs_progress(ctx, name, &patch)) {
		kgr_diag_reset(&ctx->diag);
		return;
	}
	text = patch.transition == 1 ? picture(ctx, &patch) : NULL;
	kgr_patch_free(&patch);
	if (!text)
		return;		/* it has just ended */
	if (ctx->live) {
		draw_over(v, text);
	} else if (!v->last || strcmp(v->last, text)) {
		fputs(text, ctx->out);
		fflush(ctx->out);
		free(v->last);
		v->last = text;
		return;
	}
	free(text);
}

enum kgr_exit kgr_cmd_watch(struct kgr_ctx *ctx)
{
	struct view v = { .ctx = ctx };
	enum kgr_exit ret;

	ctx->progress = false;
	ret = kgr_wait_command(ctx, draw, &v);
	free(v.last);
	return ret;
}
