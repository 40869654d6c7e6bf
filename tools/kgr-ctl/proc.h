/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel's files in /proc; no other file knows a path there.
 */
#ifndef _KGR_PROC_H
#define _KGR_PROC_H

#include "kgr-ctl.h"

/* Of a file right under /proc; NULL and errno */
FILE *kgr_proc_open(struct kgr_ctx *ctx, const char *name);
/* Of the running kernel, as uname -r says it */
void kgr_proc_release(struct kgr_ctx *ctx, char *buf, size_t size);
#define KGR_BOOT_ID_LEN	36
/* Another one for each boot; 0 or -errno */
int kgr_proc_boot_id(struct kgr_ctx *ctx, char buf[KGR_BOOT_ID_LEN + 1]);
bool kgr_proc_is_boot_id(const char *text);
/* Is the word @param on the kernel's command line? */
bool kgr_proc_booted_with(struct kgr_ctx *ctx, const char *param);
bool kgr_proc_modules_disabled(struct kgr_ctx *ctx);
/* kernel.ftrace_enabled=0 */
bool kgr_proc_ftrace_disabled(struct kgr_ctx *ctx);
/* Arguments joined with blanks, to be freed; NULL for kernel threads or when unreadable */
char *kgr_proc_cmdline(struct kgr_ctx *ctx, unsigned int pid);
int kgr_proc_comm(struct kgr_ctx *ctx, unsigned int pid, char *buf, size_t size);
/* 'S', 'D', ... as in /proc/PID/stat; 0 when it has gone */
char kgr_proc_state(struct kgr_ctx *ctx, unsigned int tid);
/* The kernel stack of a thread, lines without addresses; NULL when it can't be had */
json_t *kgr_proc_stack(struct kgr_ctx *ctx, unsigned int tid);
/* Does it run a 64-bit program? */
bool kgr_proc_is_64bit(struct kgr_ctx *ctx, unsigned int pid);

#endif /* _KGR_PROC_H */
