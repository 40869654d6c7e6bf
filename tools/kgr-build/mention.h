/* SPDX-License-Identifier: GPL-2.0 */
/* What a change to a header is called, and which objects speak of it */
#ifndef KGR_BUILD_MENTION_H
#define KGR_BUILD_MENTION_H

#include "diff.h"
#include "source.h"

struct mention {
	const char *name;
	bool macro;
	unsigned int first, last;	/* lines of the patched header that define it */
};

typedef VEC(struct mention) mentions;

/*
 * Names of the functions and macros that the hunks lie in, on both sides.  False if
 * one of them lies in something else: then nothing can be said.
 */
bool mention_collect(struct arena *a, const char *before, const char *after,
		     const struct src_map *orig, const struct src_map *patched,
		     const struct diff_hunk *hunks, size_t n, mentions *out);

/*
 * Does preprocessed @text, as of cc -E -dU, use one of them, other than in the lines
 * of @file, the header, that define it?
 */
bool mention_found(const char *text, const char *file, const mentions *names);

#endif
