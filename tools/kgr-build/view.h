/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The private view: the build tree as it is, read-only, with the patched files
 * in the place of the original ones.  Commands run in it as if it were the tree.
 *
 * overlay:  a read-only overlay is mounted over the tree, at the tree's own path,
 *           in a mount namespace that only the command lives in
 * symlinks: a directory of symbolic links into the tree, for hosts without user
 *           namespaces; paths in commands are rewritten to it
 */
#ifndef KGR_BUILD_VIEW_H
#define KGR_BUILD_VIEW_H

#include "diag.h"
#include "run.h"

enum view_kind { VIEW_AUTO, VIEW_OVERLAY, VIEW_SYMLINKS };

struct view {
	enum view_kind kind;
	const char *why;	/* overlay isn't used */
	const char *srcdir;	/* real paths */
	const char *objdir;
	const char *layer;	/* patched files, at their paths in srcdir */
	const char *empty;	/* an empty directory */
	const char *links;	/* root of the symlink view, stands for srcdir */
};

/* Chooses and makes a view of @srcdir and @objdir below @tmp.  0 or -1. */
int view_setup(struct diag *d, struct view *v, const char *tmp, enum view_kind want,
	       const strvec *touched);

/* In a child, before exec: makes the view visible.  0 or -1 with errno. */
int view_enter(const struct view *v, enum view_side side);

/* Directory that recorded commands have to run in */
const char *view_cwd(struct arena *a, const struct view *v, enum view_side side);

/* @word of a recorded command, as it has to read in the view */
char *view_word(struct arena *a, const struct view *v, enum view_side side, const char *word);

#endif
