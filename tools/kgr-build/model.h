/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The model: an object file as atoms.  An atom is the smallest piece that can be
 * taken along by itself: a function with its padding, a variable, a string, an
 * entry of a special table.  What it refers to is a list of references to other
 * atoms or to symbols of other objects; section offsets are gone.
 */
#ifndef KGR_BUILD_MODEL_H
#define KGR_BUILD_MODEL_H

#include "util.h"

struct atom;
struct obj;
struct sect;
struct xref;

struct sym {
	const char *name;
	uint64_t value, size;
	uint8_t type, bind, other;	/* STT_*, STB_*, st_other */
	uint16_t shndx;			/* SHN_* if there is no section */
	struct sect *sect;
	struct atom *atom;
	unsigned int index;		/* in the file; scratch while one is written */
};

struct rela {
	uint64_t offset;
	uint32_t type;
	struct sym *sym;		/* NULL: made from an instruction without relocation */
	int64_t addend;
	/* filled in by load.c */
	struct sect *tsect;		/* where it leads to, unless it's another object */
	int64_t toff;
	int64_t bias;
	bool branch;			/* of a call or jump */
};

typedef VEC(struct rela) relavec;

struct sect {
	const char *name;
	uint32_t type, info;
	uint64_t flags, addr, align, entsize, size;
	const uint8_t *data;		/* NULL if it occupies no room in the file */
	struct sect *link;		/* section that sh_link names, if any */
	relavec relas;
	struct sym *sym;		/* its section symbol */
	const struct sect_kind *kind;	/* NULL: not looked at */
	VEC(struct atom *) atoms;	/* by offset */
	VEC(uint64_t) pads;		/* where functions begin, their padding included */
	unsigned int index;
};

struct ref {
	uint64_t off;			/* of the field, in the atom */
	uint32_t type;			/* R_X86_64_* */
	struct atom *target;		/* in the same object, or NULL: */
	struct sym *sym;		/* undefined here */
	int64_t addend;			/* in the target: what is really referred to */
	int64_t bias;			/* from the field to where PC-relative values count from */
	bool branch;			/* call or jump: doesn't take the address */
	struct xref *xref;		/* resolves to what exists */
};

enum atom_state {
	ATOM_UNKNOWN,
	ATOM_SAME,			/* has a twin, equal */
	ATOM_CHANGED,			/* has a twin that differs */
	ATOM_NEW,			/* has none */
};

/* What makes an atom of the one object that of the other, the surest first */
#define PAIRINGS(X)							\
	X(NONE,		"it has no twin")				\
	X(NAME,		"same name in the source")			\
	X(ONLY,		"the only one whose name differs in numbers alone")	\
	X(SCOPE,	"used by the same function, in the same order")	\
	X(CONTENT,	"same content, and a name that differs in numbers alone")	\
	X(ORDER,	"same order among those whose names differ in numbers alone")	\
	X(PARENT,	"cold part of the same function")

enum pairing {
#define X(name, text)	PAIRED_##name,
	PAIRINGS(X)
#undef X
};

const char *pairing_text(enum pairing how);

struct atom {
	struct obj *obj;
	struct sect *sect;
	uint64_t off, size;
	const uint8_t *data;		/* NULL in .bss */
	uint8_t *own_data;		/* the same, if it isn't the file's any more */
	struct sym *sym;		/* NULL: anonymous */
	uint64_t entry;			/* where sym points to, behind the padding */
	VEC(struct ref) refs;
	VEC(struct atom *) entries;	/* of special tables, that belong to this function */
	struct atom *owner;		/* of an entry: its function */
	struct atom *parent;		/* of a .cold part: its function */
	struct atom *cold;		/* of a function: its .cold part */
	struct atom *twin;		/* in the other object */
	enum pairing paired;		/* why it's that one */
	struct atom *built;		/* of the original: in the tree's object */
	struct atom *key_from;		/* scratch of the comparison */
	enum atom_state state;
	const char *reason;		/* why it differs */
	bool same_source;		/* literal: content is all there is to it */
	bool included;			/* goes into the module */
	struct atom *pulled_by;
	/* emitting */
	const char *out_name;
	struct sym *out_sym;
	struct sect *out_sect;
	uint64_t out_off;
	struct xref *xref;		/* an existing one: its symbol in vmlinux */
	/* reporting */
	uint64_t old_size;		/* of a changed function: what it replaces */
	const char *old_sha256;
	const char *file;
	unsigned int line;
};

struct obj {
	const char *path;		/* of the object in the tree */
	VEC(struct sect *) sects;
	VEC(struct sym *) syms;
	struct arena *arena;
	void *map;			/* elf.c: the file */
	size_t map_size;
};

/* A symbol of vmlinux or of a module that new code refers to */
struct xref {
	const char *name;		/* there */
	const char *alias;		/* in the patch module's symbol table */
	const char *objname;		/* module that has it; NULL: vmlinux */
	const char *late;		/* module whose code refers to it; NULL: bound at load */
	unsigned int sympos;
	bool exported;
	const char *ns;			/* namespace of the export, or NULL */
	size_t string;			/* offsets in .kgraft.strings: its name, */
	size_t obj_string, late_string;	/* and of the modules */
	struct sym *out_sym;
};

#define atom_name(a)	((a)->sym ? (a)->sym->name : "")

bool atom_is_code(const struct atom *a);	/* a function or a piece of one */
bool atom_is_global(const struct atom *a);

struct sym *obj_add_sym(struct obj *o, const struct sym *sym);
struct sect *obj_add_sect(struct obj *o, const struct sect *sect);
struct sect *obj_find_sect(const struct obj *o, const char *name);
struct sym *obj_find_sym(const struct obj *o, const char *name);

/* The atom of @s that holds @off; beyond the last one, that one.  NULL: none. */
struct atom *sect_atom_at(const struct sect *s, uint64_t off);

#endif
