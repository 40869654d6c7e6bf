/* SPDX-License-Identifier: GPL-2.0 */
/* What debug data tells: where in the source things are, prototypes, types */
#ifndef KGR_BUILD_DWARF_H
#define KGR_BUILD_DWARF_H

#include "diag.h"
#include "model.h"

struct dw_func {
	const char *file;
	unsigned int line;
	VEC(const struct dw_func *) inlined;	/* functions that are inlined into it */
	const char *name;
	const char *proto;		/* "long (struct foo *, int)"; NULL: not known */
	unsigned int nparams;
	bool external;
};

struct dw_member {
	const char *name;		/* NULL: a bit-field without one */
	uint64_t at, bits;		/* in bits; those of a nameless struct are the outer one's */
	bool bitfield;
	const char *type;
	const char *embeds;		/* key of the type that it is, or is an array of, or NULL */
};

struct dw_value {
	const char *name;
	int64_t value;
};

/* A struct, union or enum; of a nameless one the name is that of its typedef */
struct dw_type {
	const char *key;		/* "struct foo", "foo_t" */
	const char *file;
	unsigned int line;
	uint64_t size;
	bool is_enum;
	VEC(struct dw_member) members;
	VEC(struct dw_value) values;
};

/* A variable that is, or is an array of, a type */
struct dw_use {
	const char *type;		/* its key */
	const char *name;		/* of the variable */
	const char *function;		/* NULL: at file scope */
	bool is_static;			/* lives outside the stack */
};

struct dw_index {
	struct map funcs;		/* name to struct dw_func */
	struct map vars;		/* the same, file scope */
	struct map types;		/* key to struct dw_type, of those that are complete */
	VEC(struct dw_type *) type_list;
	VEC(struct dw_use) uses;
	VEC(struct dw_func *) func_list;
};

/*
 * Reads the debug data of the object file @path; none is no error.  Types that
 * @known has already, at the same place in the source and with the same size, are
 * left out.  0 or -1.
 */
int dwarf_read(struct arena *a, const char *path, const struct map *known, struct dw_index *ix);

/* DW_AT_producer of the first unit: compiler and flags; NULL: there is none */
char *dwarf_producer(struct arena *a, const char *path);

#endif
