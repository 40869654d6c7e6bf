/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which threads sleep in given functions, by their kernel stacks.
 */
#ifndef _KGR_THREADS_H
#define _KGR_THREADS_H

#include "kgr-ctl.h"

/* A body of a function that may be on a stack */
struct kgr_body {
	const char *name;	/* as stacks show it, without ".cold" */
	size_t id;		/* for the caller */
};

/* A thread that is in one; strings live as long as the call */
struct kgr_sleeper {
	unsigned int pid, tid;
	size_t id;
	const char *frame;	/* "name+0x42/0x60" */
	const char *caller;	/* likewise, or NULL */
};

typedef void (*kgr_sleeper_fn)(const struct kgr_sleeper *s, void *arg);

/*
 * One pass over all threads; @bodies gets sorted.  *@threads: how many could be looked
 * at.  -EACCES: stacks may not be read; -ENOENT: this kernel does not show them.
 */
int kgr_threads_in(struct kgr_ctx *ctx, struct kgr_body *bodies, size_t n, kgr_sleeper_fn fn,
		   void *arg, unsigned int *threads);

#endif /* _KGR_THREADS_H */
