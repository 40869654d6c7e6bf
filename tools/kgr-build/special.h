/* SPDX-License-Identifier: GPL-2.0 */
/* What a section is to the kernel: one table, and nothing is guessed */
#ifndef KGR_BUILD_SPECIAL_H
#define KGR_BUILD_SPECIAL_H

#include "diag.h"
#include "model.h"

enum sect_class {
	SECT_TEXT,	/* functions */
	SECT_PIECE,	/* code without symbols that other entries or jumps lead to */
	SECT_DATA,	/* variables */
	SECT_CONST,	/* constants that have a name */
	SECT_POOL,	/* strings and literals: only their content matters */
	SECT_TABLE,	/* entries that belong to the function their key points to */
	SECT_BOOT,	/* code and data of init and exit: gone, or unused, afterwards */
	SECT_REGISTER,	/* lists that are read at boot or when a module is loaded */
	SECT_EXPORT,	/* exported symbols */
	SECT_DROP,	/* of no interest to a patch module */
	SECT_UNKNOWN,
};

/* What has to be done with the entries of a table */
enum table_use { TABLE_COPY, TABLE_RUNTIME_PTR, TABLE_RUNTIME_SHIFT };

struct sect_kind {
	const char *name;
	enum sect_class cls;
	unsigned int entsize;		/* of a table; its key is at offset 0 */
	enum table_use use;
	const char *type;		/* struct that is an entry, or "" */
	const char *start, *stop;	/* symbols around the table in vmlinux, or "" */
	const char *remark;
};

/* NULL: the section isn't looked at (debug data and the like) */
const struct sect_kind *section_kind(const struct sect *s);

/* One sentence: what is done with sections of its class */
const char *section_treatment(const struct sect_kind *kind);

/* The table itself: tables.c sets the sizes that this kernel has */
struct sect_kind *section_tables(size_t *n);

/* The table for people, as reStructuredText */
void section_list(struct buf *out);

/* Section of the module that atoms of @s go to */
char *section_out_name(struct arena *a, const struct sect *s);

/* Compiles in what only the kernel's boot code could patch in.  0 or -1. */
int runtime_const_fix(struct diag *d, struct atom *function, const struct atom *entry);

#endif
