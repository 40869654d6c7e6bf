// SPDX-License-Identifier: GPL-2.0
/*
 * How a source that the diff adds would be compiled: as most objects of vmlinux in
 * its directory are. Flags that a Makefile has for single files are thus left out.
 */
#include <dirent.h>

#include "names.h"
#include "tree.h"

struct neighbour {
	const char *path;		/* of its object */
	char *command;			/* with the new one's names */
};

/* @text with @before, @from, @after in a row replaced by @before, @to, @after */
static char *swap(struct arena *a, const char *text, const char *before, const char *from,
		  const char *to, const char *after)
{
	char *old = arena_printf(a, "%s%s%s", before, from, after);
	struct buf out = { .arena = a };
	const char *p;

	buf_puts(&out, "");
	for (; (p = strstr(text, old)); text = p + strlen(old)) {
		buf_add(&out, text, p - text);
		buf_printf(&out, "%s%s%s", before, to, after);
	}
	buf_puts(&out, text);
	return out.s;
}

/* The command of @dir/@stem as that of @dir/@fresh: paths, and what KBUILD_* say */
static char *renamed(struct arena *a, const char *s, const char *dir, const char *stem,
		     const char *fresh)
{
	char *id = name_identifier(a, stem), *fresh_id = name_identifier(a, fresh);

	s = swap(a, s, arena_printf(a, "%s/", dir), stem, fresh, ".c");
	s = swap(a, s, arena_printf(a, "%s/", dir), stem, fresh, ".o");
	s = swap(a, s, arena_printf(a, "%s/.", dir), stem, fresh, ".o");
	s = swap(a, s, arena_printf(a, "\"%s/", dir), stem, fresh, "\"");
	s = swap(a, s, "\"", id, fresh_id, "\"");
	return swap(a, s, "kmod_", id, fresh_id, " ");
}

static bool take(struct diag *d, const struct tree *t, const char *dir, const char *entry,
		 const char *fresh, struct neighbour *n)
{
	struct arena *a = d->arena;
	struct object *o;
	char *stem;

	if (*entry != '.' || !str_ends(entry, ".o.cmd"))
		return false;
	stem = arena_strndup(a, entry + 1, strlen(entry + 1) - strlen(".o.cmd"));
	o = tree_read_object(a, t, arena_printf(a, "%s/%s/%s", t->objdir, dir, entry));
	if (!o || o->kind != OBJECT_VMLINUX || o->is_asm ||
	    !str_ends(o->source, arena_printf(a, "/%s.c", stem)))
		return false;
	n->path = o->path;
	n->command = renamed(a, o->command, dir, stem, fresh);
	return true;
}

struct object *tree_new_object(struct diag *d, const struct tree *t, const char *source,
			       const char **like)
{
	struct arena *a = d->arena;
	char *dir = path_dir(a, source);
	char *fresh = arena_strndup(a, path_base(source), strlen(path_base(source)) - 2);
	DIR *dp = t->extdir ? NULL : opendir(arena_printf(a, "%s/%s", t->objdir, dir));
	VEC(struct neighbour) all = { 0 };
	size_t best = 0, most = 0;
	struct dirent *de;
	struct object *o;

	while (dp && (de = readdir(dp))) {
		struct neighbour n;

		if (take(d, t, dir, de->d_name, fresh, &n))
			vec_push(a, &all, n);
	}
	if (dp)
		closedir(dp);
	for (size_t i = 0; i < all.n; i++) {
		size_t votes = 0;

		for (size_t k = 0; k < all.n; k++)
			votes += !strcmp(all.v[i].command, all.v[k].command);
		if (votes > most || (votes == most && strcmp(all.v[i].path, all.v[best].path) < 0)) {
			most = votes;
			best = i;
		}
	}
	if (!all.n)
		return NULL;
	*like = all.v[best].path;
	o = arena_alloc(a, sizeof(*o));
	o->path = arena_printf(a, "%s/%s.o", dir, fresh);
	o->source = arena_strdup(a, source);
	o->command = all.v[best].command;
	o->kind = OBJECT_VMLINUX;
	o->is_new = true;
	return o;
}
