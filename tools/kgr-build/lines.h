/* SPDX-License-Identifier: GPL-2.0 */
/* Two lists of lines side by side */
#ifndef KGR_BUILD_LINES_H
#define KGR_BUILD_LINES_H

#include "util.h"

struct line_pair {
	const char *old, *new;	/* both: the same line; NULL: only the other side has it */
};

typedef VEC(struct line_pair) linevec;

/* As few lines as possible stand alone, but in what is too long to look through */
void lines_match(struct arena *a, const strvec *old, const strvec *new, linevec *out);

#endif
