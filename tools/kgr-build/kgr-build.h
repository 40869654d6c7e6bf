/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One run of kgr-build: what the passes work on.  Each pass is a function of
 * this state; pass.c says in which order they run.
 */
#ifndef KGR_BUILD_H
#define KGR_BUILD_H

#include "../../include/linux/kgraft_types.h"
#include "diag.h"
#include "diff.h"
#include "dwarf.h"
#include "mention.h"
#include "model.h"
#include "opts.h"
#include "source.h"
#include "symtab.h"
#include "tree.h"
#include "view.h"

/* A file of the source tree that the diffs change */
struct touched {
	const char *path;
	bool header;			/* .h, or another file that is only included */
	bool is_new;			/* the diff adds it */
	VEC(struct diff_hunk) hunks;	/* between the original and the patched file */
	struct src_map orig, patched;	/* blocks; lines of each side's own file */
	mentions mentions;		/* what changes in a header, if it has names */
	bool mentionable;
	strvec macros;			/* that change */
};

/* An object that is built from a touched file, in both forms */
struct unit {
	struct object *object;
	char *orig_path, *patched_path;	/* what the compiler made */
	char *dep_path;			/* what the patched one was made from */
	struct obj *orig, *patched;	/* the model of the two */
	struct obj *built;		/* of the object in the tree */
	struct symtab *syms;		/* of vmlinux or the module that it's part of */
	uint32_t vm_file;		/* its group of local symbols there, 0: none */
	struct dw_index *dw_orig, *dw_patched;
	bool differs;
	bool candidate;			/* may be found unchanged without being taken apart */
	bool screened;			/* was found so */
};

/* Types of all objects of one side */
struct type_set {
	struct map by_key;		/* to struct dw_type */
	VEC(struct dw_type *) list;
	VEC(struct dw_use) uses;
};

/* A function that the author wants called, <linux/kgraft_author.h> */
struct callback {
	const char *kind;		/* "pre_patch" and so on */
	const char *objname;		/* of a module; NULL: vmlinux */
	struct atom *function;
};

/* A change that the author wants left out */
struct ignored {
	const char *what;		/* "section:.init.text", "symbol:foo" */
	const char *object;		/* that says so */
	bool maybe;			/* it need not be there, nor be listed */
	bool used;
};

struct stage_time {
	const char *name;
	double seconds;
};

struct kgr_build {
	struct arena arena;
	struct opts opts;
	struct diag diag;

	char *tmp;			/* removed at the end, whatever happens */
	struct tree tree;
	VEC(struct diff) diffs;
	VEC(struct touched) touched;
	strvec linked;			/* sources that the diff adds, and to vmlinux */
	struct view view;
	VEC(struct unit) units;
	size_t screened;		/* objects that turned out to stay the same */
	size_t postponed;		/* objects that only include a header: looked at last */
	bool whole;			/* nothing is postponed any more */
	struct type_set types[2];	/* original, patched */
	struct symtab vmlinux;
	VEC(struct symtab *) modules;	/* those that are looked at */

	VEC(struct atom *) changed;	/* functions that are replaced */
	VEC(struct atom *) added;	/* functions and data that are new */
	VEC(struct xref *) xrefs;	/* symbols of the kernel that the module uses */
	VEC(struct callback) callbacks;
	VEC(struct ignored) ignored;
	unsigned int model;		/* enum kgr_model */
	char *model_why;
	char *module_dir;		/* where the module is linked */
	const char *compiler;		/* as in the recorded commands */
	const char *compiler_version;	/* what it says of itself */
	unsigned int cache_hits;	/* objects that needn't be compiled */
	char *module_name;		/* as a module: dashes are underscores */
	char *patch_name;
	const char *cve;		/* by option, or as the diffs say; NULL: none */
	const char *description;	/* the same */
	const char *sha256;		/* of the module that was written */
	bool is_signed;
	char *out_path;
	char *package_path;		/* NULL: none was made */
	bool written;

	VEC(struct stage_time) times;
	double started;
	size_t pass;			/* that runs */
};

struct pass {
	const char *name;
	const char *doing;		/* shown while it runs */
	int (*run)(struct kgr_build *b);
	bool last_look;			/* refusals collected so far end the run after it */
};

extern const struct pass passes[];

/* One function per pass, in the file of the same name */
int pass_tree(struct kgr_build *b);
int pass_diff(struct kgr_build *b);
int pass_apply(struct kgr_build *b);
int pass_tables(struct kgr_build *b);
int pass_objects(struct kgr_build *b);
int pass_screen(struct kgr_build *b);
int pass_compile(struct kgr_build *b);
int pass_load(struct kgr_build *b);
int pass_correlate(struct kgr_build *b);
int pass_compare(struct kgr_build *b);
int pass_locate(struct kgr_build *b);
int pass_author(struct kgr_build *b);
int pass_layout(struct kgr_build *b);
int pass_built(struct kgr_build *b);
int pass_closure(struct kgr_build *b);
int pass_resolve(struct kgr_build *b);
int pass_verify(struct kgr_build *b);
int pass_signature(struct kgr_build *b);
int pass_safety(struct kgr_build *b);
int pass_choose_model(struct kgr_build *b);
int pass_emit(struct kgr_build *b);
int pass_module(struct kgr_build *b);
int pass_postlink(struct kgr_build *b);

/* compile.c: how an object is compiled, and what came of it.  0 or -1. */
int compile_command(struct kgr_build *b, const struct unit *u, enum view_side side,
		    enum command_form form, const char *out, const char *dep, struct cmd *cmd);
int compile_result(struct kgr_build *b, const struct unit *u, const struct cmd *cmd);

/* pass.c: runs them all; the verdict is in the diagnostics */
void run_passes(struct kgr_build *b);

/* pass.c: how far the pass is that runs, on a terminal */
void pass_progress(const struct kgr_build *b, size_t done, size_t total);

/* describe.c: takes in what the text of a diff says about it */
void describe_read(struct kgr_build *b, const char *text);

/* compiler.c: --version against the configuration, and objects against those of the tree */
int compiler_check(struct kgr_build *b, char *compiler);
int compiler_check_objects(struct kgr_build *b);

/* sign.c: appends a signature to the module @path, if one is wanted.  0 or -1. */
int sign_module(struct kgr_build *b, char *path);

/*
 * package.c: can the package be made that is wanted, if one is?  And makes it, of
 * the module that was written.  0 or -1.
 */
int package_check(struct kgr_build *b);
int package_write(struct kgr_build *b);

/* html.c: writes the page for review, if one is wanted.  0 or -1. */
int html_write(struct kgr_build *b);

/* report.c */
enum verdict { VERDICT_SAFE, VERDICT_REVIEW, VERDICT_REFUSED, VERDICT_NO_CHANGE, VERDICT_FAILED };

enum verdict verdict(const struct kgr_build *b);
int exit_code(const struct kgr_build *b);
void report_text(struct kgr_build *b);
int report_json(struct kgr_build *b);

/* locate.c: as in the tree: without the directories of the tree or of the view */
const char *source_name(struct kgr_build *b, const char *file);

/* layout.c: takes over the types that were read of one object */
void layout_collect(struct kgr_build *b, const struct dw_index *orig,
		    const struct dw_index *patched);

/*
 * layout.c: the member that holds byte @off of a variable at file scope (of an array,
 * in whichever element), and where it begins; NULL if that isn't known
 */
const struct dw_member *layout_member_at(struct kgr_build *b, const char *variable, uint64_t off,
					 uint64_t *start);

/* A file below the run's temporary directory */
char *tmp_path(struct kgr_build *b, const char *fmt, ...) __printf(2, 3);

/* What went wrong with a file, in the terms of the run: a full disk is said so */
int io_error(struct kgr_build *b, const char *path, int err);

/* After something failed: is a full disk why?  Diagnoses if so. */
bool out_of_space(struct kgr_build *b, const char *output);

#endif
