/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Waiting for a transition's end: event driven, with a deadline, stoppable by
 * SIGINT and SIGTERM.
 */
#ifndef _KGR_WAIT_H
#define _KGR_WAIT_H

#include <signal.h>

#include "kgr-ctl.h"

typedef void kgr_wait_view(void *arg, const char *patch);

struct kgr_wait {
	struct kgr_ctx *ctx;
	int64_t start_ms;	/* monotonic */
	int sig_fd;
	sigset_t old_mask;
	/* if set: called after each event that is not the end, and at the beginning */
	kgr_wait_view *view;
	void *view_arg;
};

/*
 * From kgr_wait_begin() to kgr_wait_end() the two signals do not end the
 * process: begin before the transition is started, so that none gets lost
 * between its start and the waiting.
 */
enum kgr_exit kgr_wait_begin(struct kgr_ctx *ctx, struct kgr_wait *w);
void kgr_wait_end(struct kgr_wait *w);

/* KGR_EXIT_OK: no transition of @patch runs (any more), or the patch is gone */
enum kgr_exit kgr_wait_patch(struct kgr_wait *w, const char *patch);

int64_t kgr_monotonic_ms(void);
int64_t kgr_wait_elapsed_ms(const struct kgr_wait *w);

/*
 * The end of load, enable and revert: waits unless told not to, checks that
 * the patch is what was wanted, and shows it.  @already: nothing was started.
 */
enum kgr_exit kgr_wait_finish(struct kgr_wait *w, const char *patch, bool enabled, bool already);

/* All of the commands wait and watch, the latter with a @view */
enum kgr_exit kgr_wait_command(struct kgr_ctx *ctx, kgr_wait_view *view, void *view_arg);

#endif /* _KGR_WAIT_H */
