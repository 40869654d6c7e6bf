/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel's log lines from one stretch of time, to be quoted in an error.
 */
#ifndef _KGR_KMSG_H
#define _KGR_KMSG_H

#include "kgr-ctl.h"

/* A file descriptor that is at the end of the log; -errno (no error for the caller) */
int kgr_kmsg_open(struct kgr_ctx *ctx);

/* What was logged since by kGraft, or about @module by the module loader: array of strings */
json_t *kgr_kmsg_collect(int fd, const char *module);

#endif /* _KGR_KMSG_H */
