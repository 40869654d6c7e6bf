/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Lists of things that are looked at, as preflight, verify and doctor have them.
 */
#ifndef _KGR_CHECKS_H
#define _KGR_CHECKS_H

#include "kgr-ctl.h"

/*
 * As any function with a result, but that KGR_EXIT_OK with a text in ctx->diag is a
 * warning: kgr_fail(ctx, KGR_EXIT_OK, ...), kgr_why(), kgr_next().
 */
struct kgr_check {
	const char *name;
	enum kgr_exit (*run)(struct kgr_ctx *ctx, void *arg);
};

/* Runs one and appends its row: "check", "result", "code", "what", "why", "next" */
enum kgr_exit kgr_check_run(struct kgr_ctx *ctx, const struct kgr_check *check, void *arg,
			    json_t *rows);

/* Sets "verdict" and "code" of @doc, which has "checks": the code is that of the first failure */
enum kgr_exit kgr_checks_verdict(json_t *doc);

void kgr_checks_text(struct kgr_ctx *ctx, const json_t *doc);

#endif /* _KGR_CHECKS_H */
