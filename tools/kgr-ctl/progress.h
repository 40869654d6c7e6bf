/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KGR_PROGRESS_H
#define _KGR_PROGRESS_H

#include "kgr-ctl.h"
#include "patch.h"

#define KGR_PROGRESS_MS	250	/* how often the bar is drawn */

/* A bar on the terminal; nothing here decides when waiting ends */
struct kgr_progress {
	struct kgr_ctx *ctx;
	const char *patch;
	unsigned int drawn;	/* how many times */
	json_t *counts;		/* by reason, refreshed now and then */
};

/* "NAME applying [####....] 12/24  left: in-syscall 12", to be freed; @counts may be NULL */
char *kgr_progress_text(const struct kgr_patch *patch, const json_t *counts);
void kgr_progress_draw(struct kgr_progress *p);
void kgr_progress_end(struct kgr_progress *p);

#endif /* _KGR_PROGRESS_H */
