/* SPDX-License-Identifier: GPL-2.0 */
/* What vmlinux or a module holds: its symbols as kallsyms knows them, its exports and tables */
#ifndef KGR_BUILD_SYMTAB_H
#define KGR_BUILD_SYMTAB_H

#include "diag.h"
#include "model.h"
#include "tree.h"

struct vm_sym {
	const char *name;
	uint64_t addr, size;
	uint32_t file;		/* number of the source file it's local to; 0: global */
	uint8_t type;
};

typedef VEC(struct vm_sym *) vmsymvec;

struct export {
	bool gpl;
	const char *ns;		/* namespace or NULL */
};

struct addrset {		/* sorted */
	uint64_t *v;
	size_t n;
};

struct symtab {
	const char *objname;		/* of a module; NULL: vmlinux */
	struct arena *arena;
	struct obj obj;
	struct map by_name;		/* to vmsymvec *, by address */
	VEC(const char *) files;	/* name of file n at n - 1 */
	vmsymvec *locals;		/* of file n at n - 1 */
	struct map exports;		/* to struct export */
	struct addrset mcount;		/* ftrace sites */
	struct addrset sealed;		/* functions whose ENDBR is taken out at boot */
	vmsymvec functions;		/* by address; callers.c makes it when it is needed */
	char *build_id;			/* lower-case hex */
	strvec depends;			/* of a module: those it needs */
};

#define SYMPOS_UNKNOWN	(~0u)

int symtab_open(struct diag *d, struct arena *a, struct symtab *st, const char *vmlinux,
		const char *symvers);

/*
 * The same of a module.  Addresses are made up: sections follow one another in the
 * order of the file.  Init sections are left out.
 */
int symtab_open_module(struct diag *d, struct arena *a, struct symtab *st, const struct tree *t,
		       const struct tree_module *m);

/* The only global one of that name, or NULL */
const struct vm_sym *symtab_global(const struct symtab *st, const char *name);

/* The one that is local to file @file */
const struct vm_sym *symtab_local(const struct symtab *st, uint32_t file, const char *name);

/*
 * Which group of local symbols is that of the object @built (as it is in the
 * tree), made from a source called @source: all its functions and variables must
 * be there with their sizes.  0: none, or more than one (@matches tells).
 */
uint32_t symtab_file(const struct symtab *st, const struct obj *built, const char *source,
		     unsigned int *matches);

/*
 * 0: unique in kallsyms; n: the nth of its name by address; SYMPOS_UNKNOWN: where a
 * module has them will be known only when it's loaded.
 */
unsigned int symtab_sympos(const struct symtab *st, const struct vm_sym *s);

const struct export *symtab_export(const struct symtab *st, const char *name);
bool symtab_has_fentry(const struct symtab *st, const struct vm_sym *s);
bool symtab_is_sealed(const struct symtab *st, const struct vm_sym *s);

/* What vmlinux holds at @addr, NULL if it doesn't hold that much */
const uint8_t *symtab_bytes(const struct symtab *st, uint64_t addr, uint64_t size);

#endif
