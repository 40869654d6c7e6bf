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

/* Names of the macros that the hunks touch, whatever else they do */
void mention_macros(struct arena *a, const char *before, const char *after,
		    const struct src_map *orig, const struct src_map *patched,
		    const struct diff_hunk *hunks, size_t n, strvec *out);

/* Is @name a word of the first @len characters of @text? */
bool mention_in(const char *text, size_t len, const char *name);

/*
 * Does preprocessed @text, as of cc -E -dU, use one of them, other than in the lines
 * of @file, the header, that define it?
 */
bool mention_found(const char *text, const char *file, const mentions *names);

#endif
