/* SPDX-License-Identifier: GPL-2.0 */
/* What comes along with the changed functions */
#ifndef KGR_BUILD_CLOSURE_H
#define KGR_BUILD_CLOSURE_H

#include "model.h"

/*
 * Does @r, made by @from, lead to another place of the same function?  Recursion
 * doesn't: it goes through the function's entry in vmlinux.
 */
bool ref_inside(struct atom *from, const struct ref *r);

#endif
