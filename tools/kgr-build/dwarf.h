/* SPDX-License-Identifier: GPL-2.0 */
/* Where in the source things are, from debug data */
#ifndef KGR_BUILD_DWARF_H
#define KGR_BUILD_DWARF_H

#include "diag.h"
#include "model.h"

struct dw_func {
	const char *file;
	unsigned int line;
	VEC(const struct dw_func *) inlined;	/* functions that are inlined into it */
	const char *name;
};

struct dw_index {
	struct map funcs;		/* name to struct dw_func */
	struct map vars;		/* the same, file scope */
};

/* Reads the debug data of the object file @path; none is no error.  0 or -1. */
int dwarf_read(struct arena *a, const char *path, struct dw_index *ix);

#endif
