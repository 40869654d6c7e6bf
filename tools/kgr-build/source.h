/* SPDX-License-Identifier: GPL-2.0 */
/* C source as lines and blocks: enough to know what a changed line belongs to */
#ifndef KGR_BUILD_SOURCE_H
#define KGR_BUILD_SOURCE_H

#include "diff.h"

struct src_block {			/* { ... } that isn't inside a function */
	unsigned int first, last;	/* lines, from its head to the closing brace */
	bool is_type;			/* struct, union or enum */
};

struct src_map {
	unsigned int nlines;
	bool *boundary;		/* [n]: a directive may stand before line n */
	VEC(struct src_block) blocks;
};

void src_scan(struct arena *a, const char *text, struct src_map *map);

/* The outermost block that holds @line, or NULL */
const struct src_block *src_block_at(const struct src_map *map, unsigned int line);

/*
 * Returns @text with #line directives after each hunk that moves lines, so that
 * what stands behind it keeps the line numbers it has in the original: __LINE__
 * is in the code of every WARN_ON() and must not make functions look changed.
 */
char *src_keep_lines(struct arena *a, const char *text, const struct diff_hunk *hunks, size_t n);

#endif
