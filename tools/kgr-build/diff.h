/* SPDX-License-Identifier: GPL-2.0 */
/* Unified diffs: what they touch, and whether they are whole */
#ifndef KGR_BUILD_DIFF_H
#define KGR_BUILD_DIFF_H

#include "diag.h"

struct diff_hunk {
	unsigned int old_start, old_len;
	unsigned int new_start, new_len;
	unsigned int line;		/* of the @@ in the diff */
};

enum diff_oddity {
	DIFF_PLAIN	= 0,
	DIFF_NEW	= 1 << 0,
	DIFF_DELETED	= 1 << 1,
	DIFF_RENAMED	= 1 << 2,	/* or copied */
	DIFF_BINARY	= 1 << 3,
	DIFF_MODE	= 1 << 4,
};

struct diff_file {
	char *old_path, *new_path;	/* as written; NULL for /dev/null */
	const char *path;		/* in the tree, set by diff_resolve() */
	unsigned int oddity;
	unsigned int line;		/* of its first header line in the diff */
	VEC(struct diff_hunk) hunks;
	strvec added, removed;		/* lines */
};

struct diff {
	const char *name;		/* of the patch file */
	unsigned int strip;		/* components, as of patch -p; set by diff_resolve() */
	VEC(struct diff_file) files;
};

/* Checks the whole text; diagnoses with line numbers.  0 or -1. */
int diff_parse(struct diag *d, const char *name, const char *text, struct diff *out);

/*
 * Finds out how many components stand before the paths of the tree (-p1 first, as
 * git and quilt have it, then -p0 and more), and that every file is in @srcdir.
 * 0 or -1.
 */
int diff_resolve(struct diag *d, const char *srcdir, struct diff *df);

#endif
