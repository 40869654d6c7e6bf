// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>

#include "out.h"
#include "progress.h"
#include "straggler.h"
#include "sysfs.h"

#define BAR_WIDTH	24
#define COUNTS_EVERY	2	/* draws; a dump looks at every straggler */

char *kgr_progress_text(const struct kgr_patch *patch, const json_t *counts)
{
	int64_t full = patch->total > 0 ? patch->migrated * BAR_WIDTH / patch->total : 0;
	char *reasons = kgr_straggler_counts_text(counts), *line;
	char bar[BAR_WIDTH + 1];

	for (int64_t i = 0; i < BAR_WIDTH; i++)
		bar[i] = i < full ? '#' : '.';
	bar[BAR_WIDTH] = 0;
	line = kgr_asprintf("%s %s [%s] %lld/%lld%s%s", patch->name, kgr_patch_state(patch), bar,
			    (long long)patch->migrated, (long long)patch->total,
			    *reasons ? "  left: " : "", reasons);
	free(reasons);
	return line;
}

void kgr_progress_draw(struct kgr_progress *p)
{
	struct kgr_ctx *ctx = p->ctx;
	struct kgr_patch patch;
	char *line;

	if (kgr_sysfs_progress(ctx, p->patch, &patch)) {
		kgr_diag_reset(&ctx->diag);
		return;
	}
	if (!patch.transition || p->drawn % COUNTS_EVERY == 0) {
		json_decref(p->counts);
		p->counts = patch.transition ? kgr_straggler_counts(ctx) : NULL;
	}
	line = kgr_progress_text(&patch, p->counts);
	/* one column is kept free: writing into the last one may start a new line */
	if (strlen(line) >= ctx->width)
		line[ctx->width - 1] = 0;
	fputs("\r\033[K", ctx->err);
	kgr_put_clean(ctx->err, line);
	fflush(ctx->err);
	p->drawn++;
	free(line);
	kgr_patch_free(&patch);
}

void kgr_progress_end(struct kgr_progress *p)
{
	if (p->drawn) {
		kgr_progress_draw(p);
		fputc('\n', p->ctx->err);
	}
	json_decref(p->counts);
	p->counts = NULL;
}
