/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A command of our own, run in a process of its own: what it answers can be used
 * instead of shown, and when it hangs, in the kernel even, we do not.
 */
#ifndef _KGR_CHILD_H
#define _KGR_CHILD_H

#include "kgr-ctl.h"

#define KGR_CHILD_MORE_MS	(5 * 1000)	/* than what it waits for a transition */

/*
 * Runs the command line @argv (NULL-terminated, without "kgr-ctl"; it has to hold
 * "--json") for at most @limit_ms.  Its exit code and, in @doc, what it has said; KGR_EXIT_FAIL
 * and ctx->diag if it said nothing that can be understood, or did not end.
 */
enum kgr_exit kgr_child_run(struct kgr_ctx *ctx, const char * const *argv, int64_t limit_ms,
			    json_t **doc);

/* Takes over the error that @doc tells */
enum kgr_exit kgr_child_failed(struct kgr_ctx *ctx, enum kgr_exit code, const json_t *doc);

#endif /* _KGR_CHILD_H */
