/* SPDX-License-Identifier: GPL-2.0 */
/* From an object file to the model */
#ifndef KGR_BUILD_LOAD_H
#define KGR_BUILD_LOAD_H

#include "diag.h"
#include "model.h"

/*
 * Reads @path and splits it into atoms.  @name is for messages.  Code that can't
 * be decoded is an error unless it's @is_asm, written by hand.  0 or -1.
 */
int load_object(struct diag *d, struct arena *a, const char *path, const char *name, bool is_asm,
		struct obj *o);

#endif
