/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Failures that more than one command explains.
 */
#ifndef _KGR_EXPLAIN_H
#define _KGR_EXPLAIN_H

#include "kgr-ctl.h"

/* Does "6.12.1 SMP preempt ..." begin with the running kernel's release? */
bool kgr_same_release(const char *vermagic, const char *release);

/* Functions can't be redirected any more */
enum kgr_exit kgr_fail_dead(struct kgr_ctx *ctx);

/* What to do where tracefs is not there, or may not be read; adds to the diagnosis */
void kgr_tracefs_hint(struct kgr_ctx *ctx);

#endif /* _KGR_EXPLAIN_H */
