/* SPDX-License-Identifier: GPL-2.0 */
/* The kernel build tree: configuration, recorded commands, what vmlinux is made of */
#ifndef KGR_BUILD_TREE_H
#define KGR_BUILD_TREE_H

#include "diag.h"

enum object_kind {
	OBJECT_VMLINUX,		/* in vmlinux, or in a library that it takes from */
	OBJECT_MODULE,		/* part of a module */
	OBJECT_OTHER,		/* boot code, vdso, tables made at build time, ... */
};

/* A module of the tree */
struct tree_module {
	char *name;		/* as the kernel calls it */
	char *path;		/* of its file, without .ko, relative to the object directory */
};

/* A file that kbuild made, with the command that made it */
struct object {
	char *path;		/* relative to the object directory, or outside of it */
	char *source;		/* as recorded */
	char *command;		/* as recorded, make's escapes undone */
	enum object_kind kind;
	const struct tree_module *module;	/* NULL: none; without a name: several */
	bool is_asm;		/* made from a .S file */
	bool is_text;		/* assembler text: a table made at build time */
	bool is_new;		/* the diff adds it; command and source are as its neighbours' */
	VEC(unsigned int) files;	/* which of the files looked for it is made from */
};

typedef VEC(struct object *) objvec;

struct tree {
	const char *objdir, *srcdir;	/* real paths; the same for a build in the tree */
	const char *extdir;		/* of modules built outside, and then their source; or NULL */
	struct map config;		/* CONFIG_X to value, quotes taken off */
	char *release;
	char *symvers;			/* Module.symvers or vmlinux.symvers */
	struct map members;		/* of vmlinux: keys are paths of objects */
	struct map modules;		/* by path, to struct tree_module */
	struct map parts;		/* of modules: paths of objects to struct tree_module */
};

/* Opens the tree and refuses what can't be worked with.  0 or -1. */
int tree_open(struct diag *d, struct tree *t, const char *objdir, const char *srcdir);

/*
 * The same of modules that were built outside of the open tree, by make M=@dir: from
 * then on its objects are those of @dir, and so is the source.
 */
int tree_open_outside(struct diag *d, struct tree *t, const char *dir);

const char *tree_config(const struct tree *t, const char *name);	/* NULL: not set */
char *tree_path(struct arena *a, const struct tree *t, const char *path);

/*
 * Finds every object whose source is one of @files (relative to srcdir), or
 * which depends on it.  @found[i] tells how many objects file i is in.
 */
int tree_find_objects(struct diag *d, const struct tree *t, const strvec *files,
		      objvec *objects, unsigned int *found);

/* What the .cmd file @path records, NULL if it isn't about an object */
struct object *tree_read_object(struct arena *a, const struct tree *t, const char *path);

/*
 * An object for @source, which the diff adds to vmlinux: its command is that of most
 * objects of vmlinux in the same directory, with the names changed.  @like: one of
 * them.  NULL: there is none.
 */
struct object *tree_new_object(struct diag *d, const struct tree *t, const char *source,
			       const char **like);

enum command_form {
	COMMAND_SPLIT,		/* one section per function and variable */
	COMMAND_PLAIN,		/* sections as recorded, no debug data */
	COMMAND_PREPROCESS,	/* text with line markers and the macros that are used */
};

/*
 * The object's recorded command as words, up to its first ; or &&: without what
 * goes before the compiler (ccache), with @out and @dep in the place of the
 * recorded output and dependency file.  0 or -1.
 */
int object_command(struct diag *d, const struct object *o, enum command_form form,
		   const char *out, const char *dep, strvec *words);

#endif
