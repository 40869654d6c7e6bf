/* SPDX-License-Identifier: GPL-2.0 */
/* What a function does as far as its instructions tell: calls in their order, loops */
#ifndef KGR_BUILD_CODE_H
#define KGR_BUILD_CODE_H

#include "model.h"

struct code_call {
	const char *name;	/* of what is called */
	char *with;		/* what the first argument points to, as far as it shows; "" */
	uint64_t at;
	bool jump;		/* the function ends with it */
};

struct code_facts {
	VEC(struct code_call) calls;
	bool returns;		/* or leaves for another function */
	bool sleeps_in_loop;	/* calls the scheduler, and turns back behind it */
};

/* Looks at @fn and its cold part.  Code that can't be decoded yields what is known. */
void code_look(struct arena *a, const struct atom *fn, struct code_facts *out);

/* Is it the scheduler, for one that calls it? */
bool code_is_schedule(const char *name);

#endif
