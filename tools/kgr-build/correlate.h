/* SPDX-License-Identifier: GPL-2.0 */
/* Which atom of the patched object is which of the original one */
#ifndef KGR_BUILD_CORRELATE_H
#define KGR_BUILD_CORRELATE_H

#include "diag.h"
#include "model.h"

/* Sets atom->twin on both sides.  0 or -1. */
int correlate(struct diag *d, struct obj *orig, struct obj *patched);

#endif
