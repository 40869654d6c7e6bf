// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>

#include "out.h"
#include "progress.h"
#include "straggler.h"
#include "sysfs.h"

#define BAR_WIDTH	24
#define COUNTS_EVERY	2	/* draws; a dump looks at every straggler */

static void bar(char *buf, int64_t migrated, int64_t total)
{
	int full = total > 0 ? (int)(migrated * BAR_WIDTH / total) : 0;

	if (full > BAR_WIDTH)
		full = BAR_WIDTH;
	memset(buf, '#', full);
	memset(buf + full, '.', BAR_WIDTH - full);
	buf[BAR_WIDTH] = 0;
}

void kgr_progress_draw(struct kgr_progress *p)
{
	struct kgr_ctx *ctx = p->ctx;
	char cells[BAR_WIDTH + 1], *reasons, *line;
	struct kgr_patch patch;

	if (kgr_sysfs_patch(ctx, p->patch, &patch)) {
		kgr_diag_reset(&ctx->diag);
		return;
	}
	if (!patch.transition || p->drawn % COUNTS_EVERY == 0) {
		json_decref(p->counts);
		p->counts = patch.transition ? kgr_straggler_counts(ctx) : NULL;
	}
	bar(cells, patch.migrated, patch.total);
	reasons = kgr_straggler_counts_text(p->counts);
	line = kgr_asprintf("%s %s [%s] %lld/%lld%s%s", patch.name, kgr_patch_state(&patch),
			    cells, (long long)patch.migrated, (long long)patch.total,
			    *reasons ? "  left: " : "", reasons);
	/* one column is kept free: writing into the last one may start a new line */
	if (strlen(line) >= ctx->width)
		line[ctx->width - 1] = 0;
	fputs("\r\033[K", ctx->err);
	kgr_put_clean(ctx->err, line);
	fflush(ctx->err);
	p->drawn++;
	free(line);
	free(reasons);
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
