// SPDX-License-Identifier: GPL-2.0
/* Where the changed code stands in the source, and what changed it */
#include <elf.h>

#include "kgr-build.h"
#include "load.h"
#include "names.h"
#include "target.h"

const char *source_name(struct kgr_build *b, const char *file)
{
	const char * const roots[] = { b->tree.srcdir, b->view.links, b->tree.objdir };
	bool indirect = file && (str_starts(file, "../") || strstr(file, "/../"));

	if (indirect && *file == '/')
		file = path_clean(&b->arena, file);
	else if (indirect)		/* make O=DIR, and DIR is inside the source */
		file = path_clean(&b->arena, arena_printf(&b->arena, "%s/%s", b->tree.objdir, file));
	for (size_t i = 0; file && i < ARRAY_SIZE(roots); i++) {
		size_t n = strlen(roots[i]);

		if (!strncmp(file, roots[i], n) && file[n] == '/')
			return file + n + 1;
	}
	return file;
}

static void annotate(struct kgr_build *b, const struct dw_index *ix, struct obj *o)
{
	for (size_t i = 0; i < o->syms.n; i++) {
		struct sym *s = o->syms.v[i];
		const struct dw_func *f;

		if (!s->atom || s->atom->sym != s)
			continue;
		f = map_get(s->atom->sect->flags & SHF_EXECINSTR ? &ix->funcs : &ix->vars,
			    name_source(&b->arena, s->name));
		if (!f)
			continue;
		s->atom->file = source_name(b, f->file);
		s->atom->line = f->line;
	}
}

/* Lines of code keep their numbers, so a function is looked up in the original */
static bool lines_change(struct kgr_build *b, const char *file, unsigned int line)
{
	const struct src_block *blk;
	struct touched *t;
	struct diff_hunk *h;

	vec_each(t, &b->touched) {
		if (!file || strcmp(t->path, file))
			continue;
		blk = NULL;
		for (unsigned int k = 0; !blk && k < 8; k++)	/* the name may precede the brace */
			blk = src_block_at(&t->orig, line + k);
		if (!blk)
			return false;
		vec_each(h, &t->hunks)
			if (h->old_start <= blk->last && h->old_start + h->old_len >= blk->first &&
			    !(h->old_len == 0 && h->old_start >= blk->last))
				return true;
	}
	return false;
}

/* Text of the block that begins about @line of @file, in the tree */
static const char *function_text(struct kgr_build *b, const char *file, unsigned int line,
				 size_t *len)
{
	const struct src_block *blk = NULL;
	struct src_map map;
	char *text, *p;

	if (!file || file_read(&b->arena, arena_printf(&b->arena, "%s/%s", b->tree.srcdir, file),
			       &text, NULL))
		return NULL;
	src_scan(&b->arena, text, &map);
	for (unsigned int k = 0; !blk && k < 8; k++)
		blk = src_block_at(&map, line + k);
	if (!blk)
		return NULL;
	p = text;
	for (unsigned int k = 1; k < blk->first; k++)
		p = strchrnul(p, '\n') + 1;
	*len = 0;
	for (unsigned int k = blk->first; k <= blk->last; k++)
		*len += strcspn(p + *len, "\n") + 1;
	*len -= 1;
	return p;
}

/* A macro that changes, and that the function mentions */
static const char *changed_macro(struct kgr_build *b, const char *file, unsigned int line)
{
	struct touched *t;
	const char *text = NULL;
	size_t len = 0;

	vec_each(t, &b->touched)
		for (size_t i = 0; i < t->macros.n; i++) {
			if (!text)
				text = function_text(b, file, line, &len);
			if (text && mention_in(text, len, t->macros.v[i]))
				return t->macros.v[i];
		}
	return NULL;
}

static bool inlines(const struct dw_func *f, const char *name)
{
	for (size_t i = 0; f && i < f->inlined.n; i++)
		if (!strcmp(f->inlined.v[i]->name, name))
			return true;
	return false;
}

/* A function that is inlined now and wasn't, or was and isn't */
static const char *inlining(struct kgr_build *b, const struct dw_func *old,
			    const struct dw_func *new)
{
	for (size_t i = 0; old && i < new->inlined.n; i++)
		if (!inlines(old, new->inlined.v[i]->name))
			return arena_printf(&b->arena, "%s() is inlined into it now",
					    new->inlined.v[i]->name);
	for (size_t i = 0; old && i < old->inlined.n; i++)
		if (!inlines(new, old->inlined.v[i]->name))
			return arena_printf(&b->arena, "%s() is no longer inlined into it",
					    old->inlined.v[i]->name);
	return NULL;
}

static const char *find_cause(struct kgr_build *b, const struct unit *u, const struct atom *a)
{
	const char *name = name_source(&b->arena, atom_name(a)), *why;
	const struct dw_func *f = map_get(&u->dw_patched->funcs, name);

	if (!f)
		return NULL;
	if (lines_change(b, source_name(b, f->file), f->line))
		return "its own lines change";
	for (size_t i = 0; i < f->inlined.n; i++)
		if (lines_change(b, source_name(b, f->inlined.v[i]->file), f->inlined.v[i]->line))
			return arena_printf(&b->arena, "%s() is inlined into it and changes",
					    f->inlined.v[i]->name);
	why = changed_macro(b, source_name(b, f->file), f->line);
	if (why)
		return arena_printf(&b->arena, "macro %s, which it uses, changes", why);
	why = inlining(b, map_get(&u->dw_orig->funcs, name), f);
	return why ? why : "a type, variable or nested macro that it uses changes";
}

static int locate_unit(struct kgr_build *b, struct unit *u)
{
	struct atom **a;

	u->dw_orig = arena_alloc(&b->arena, sizeof(*u->dw_orig));
	u->dw_patched = arena_alloc(&b->arena, sizeof(*u->dw_patched));
	dwarf_read(&b->arena, u->orig_path, &b->types[0].by_key, u->dw_orig);
	dwarf_read(&b->arena, u->patched_path, &b->types[1].by_key, u->dw_patched);
	annotate(b, u->dw_orig, u->orig);
	annotate(b, u->dw_patched, u->patched);
	layout_collect(b, u->dw_orig, u->dw_patched);
	vec_each(a, &b->changed) {
		const char *cause;

		if ((*a)->obj != u->patched)
			continue;
		cause = find_cause(b, u, *a);
		if (cause)
			(*a)->reason = arena_printf(&b->arena, "%s: %s", cause, (*a)->reason);
	}
	return 0;
}

/* The object as it is in the tree says what in vmlinux or a module is local to it */
static int load_built(struct kgr_build *b, struct unit *u)
{
	unsigned int matches;

	if (target_open(b, u))
		return -1;
	u->built = arena_alloc(&b->arena, sizeof(*u->built));
	if (load_object(&b->diag, &b->arena, tree_path(&b->arena, &b->tree, u->object->path),
			u->object->path, true, u->built))
		return -1;
	u->vm_file = symtab_file(u->syms, u->built, u->object->source, &matches);
	return 0;
}

int pass_locate(struct kgr_build *b)
{
	struct unit *u;

	vec_each(u, &b->units) {
		if (!u->patched || u->object->is_asm)
			continue;
		if (locate_unit(b, u))
			return -1;
		if (u->object->is_new)
			u->syms = &b->vmlinux;
		else if (unit_is_target(u) && load_built(b, u))
			return -1;
	}
	return 0;
}
