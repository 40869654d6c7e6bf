/* SPDX-License-Identifier: GPL-2.0 */
/* Same or changed, and why */
#ifndef KGR_BUILD_COMPARE_H
#define KGR_BUILD_COMPARE_H

#include "model.h"

/* Same content, and the same (by twin or by content) is referred to */
bool atom_equal(struct atom *orig, struct atom *patched);

/* NULL if they are equal, else what differs first */
const char *atom_difference(struct arena *a, struct atom *orig, struct atom *patched);

/* Where the first instruction is that differs, or refers to something else; false: none */
bool code_differs_at(struct atom *orig, struct atom *patched, uint64_t *at);

/* Sets state and reason of every atom of @patched that has an identity or is code */
void compare_objects(struct arena *a, struct obj *patched);

#endif
