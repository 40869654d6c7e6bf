// SPDX-License-Identifier: GPL-2.0
/*
 * Objects that a header is in, but that stay what they are.
 *
 * A header may be in thousands of objects, few of which use what changes in it. Where
 * that has a name, those that never mention it are told from their preprocessed text:
 * see mention.c. For the others it is enough to compile each once, from the patched source by the
 * recorded command, and to look at the tree's own object: if they hold the same,
 * nothing of the object changes. Only the others are compiled twice, in sections,
 * and taken apart. Should the compiler depend on anything that isn't recorded, then
 * the objects differ, and that is looked into by the passes that follow.
 */
#include <elf.h>
#include <unistd.h>

#include "elf.h"
#include "kgr-build.h"
#include "names.h"
#include "screen.h"
#include "special.h"

#define MANY	64	/* objects that are postponed */
#define BATCH	32	/* objects on the disk at a time, for each compiler at work */

/*
 * Does it end up in memory, or say something about what does?  Not what objtool
 * has added to objects of the tree that are modules by themselves.
 */
static bool counts(const struct sect *s)
{
	const struct sect_kind *kind = section_kind(s);

	if (kind && kind->cls == SECT_DROP)
		return false;
	return (s->flags & SHF_ALLOC) || str_starts(s->name, ".discard") ||
		str_starts(s->name, ".export_symbol") || str_starts(s->name, ".modinfo");
}

static bool same_name(const char *x, const char *y)
{
	struct arena tmp = { 0 };
	bool same;

	if (!strcmp(x, y))
		return true;
	same = name_numbered(x) && !strcmp(name_key(&tmp, x), name_key(&tmp, y));
	arena_free(&tmp);
	return same;
}

static bool same_place(const struct sect *x, const struct sect *y)
{
	return !x == !y && (!x || !strcmp(x->name, y->name));
}

/* Debug data stands between the sections, so that their numbers mean nothing */
static bool same_sym(const struct sym *x, const struct sym *y)
{
	if (!x || !y)
		return x == y;
	return x->value == y->value && x->size == y->size && x->type == y->type &&
		x->bind == y->bind && x->other == y->other && same_place(x->sect, y->sect) &&
		(x->sect || x->shndx == y->shndx) && same_name(x->name, y->name);
}

static bool same_section(const struct sect *x, const struct sect *y)
{
	if (!same_place(x, y) || x->type != y->type || x->flags != y->flags ||
	    x->size != y->size || x->align != y->align || x->entsize != y->entsize ||
	    x->relas.n != y->relas.n || !x->data != !y->data)
		return false;
	if (x->data && memcmp(x->data, y->data, x->size))
		return false;
	for (size_t i = 0; i < x->relas.n; i++) {
		const struct rela *r = &x->relas.v[i], *q = &y->relas.v[i];

		if (r->offset != q->offset || r->type != q->type || r->addend != q->addend ||
		    !same_sym(r->sym, q->sym))
			return false;
	}
	return true;
}

static const struct sect *next_section(const struct obj *o, size_t *i)
{
	while (*i < o->sects.n)
		if (counts(o->sects.v[(*i)++]))
			return o->sects.v[*i - 1];
	return NULL;
}

/* What is undefined is seen where it's used */
static const struct sym *next_symbol(const struct obj *o, size_t *i)
{
	while (*i < o->syms.n) {
		const struct sym *s = o->syms.v[(*i)++];

		if (s->type != STT_SECTION && s->type != STT_FILE && s->sect && counts(s->sect) &&
		    !str_starts(s->name, "__pfx_"))
			return s;
	}
	return NULL;
}

bool screen_same(const struct obj *x, const struct obj *y)
{
	const struct sect *s, *t;
	const struct sym *u, *v;
	size_t i = 0, k = 0;

	do {
		s = next_section(x, &i);
		t = next_section(y, &k);
		if (!s != !t || (s && !same_section(s, t)))
			return false;
	} while (s);
	i = k = 0;
	do {
		u = next_symbol(x, &i);
		v = next_symbol(y, &k);
		if (!same_sym(u, v))
			return false;
	} while (u);
	return true;
}

/* Made from headers of the diff only: nothing says yet that it changes */
static bool by_header(const struct kgr_build *b, const struct unit *u)
{
	for (size_t i = 0; i < u->object->files.n; i++)
		if (!b->touched.v[u->object->files.v[i]].header)
			return false;
	return !u->object->is_text;
}

/*
 * Of each header one object is taken apart in any case, if there is one in C: its
 * debug data has the types.
 */
static bool is_witness(const struct kgr_build *b, struct unit *u, bool *seen)
{
	bool first = false;

	if (u->object->is_asm || u->object->kind != OBJECT_VMLINUX)
		return false;
	for (size_t i = 0; i < u->object->files.n; i++) {
		unsigned int f = u->object->files.v[i];

		first |= !seen[f] && b->touched.v[f].header;
		seen[f] = true;
	}
	return first;
}

static char *screen_path(struct kgr_build *b, const struct unit *u, enum command_form form)
{
	return tmp_path(b, "obj/%zu-screen.%s", (size_t)(u - b->units.v),
			form == COMMAND_PLAIN ? "o" : "i");
}

/* Does it use what changes in its headers?  1: no, 0: it may, -1: failure */
static int judge_text(struct kgr_build *b, struct unit *u)
{
	char *path = screen_path(b, u, COMMAND_PREPROCESS), *text;
	struct arena tmp = { 0 };
	int err = file_read(&tmp, path, &text, NULL);
	bool found = false;

	for (size_t i = 0; !err && !found && i < u->object->files.n; i++) {
		const struct touched *t = &b->touched.v[u->object->files.v[i]];

		found = mention_found(text, t->path, &t->mentions);
	}
	arena_free(&tmp);
	unlink(path);
	return err ? io_error(b, path, err) : !found;
}

/* 1: it stays what it is, 0: it may change, -1: failure */
static int judge_object(struct kgr_build *b, struct unit *u)
{
	struct arena tmp = { 0 };
	struct diag quiet = { .arena = &tmp };
	char *path = screen_path(b, u, COMMAND_PLAIN);
	struct obj now = { 0 }, tree = { 0 };
	int same;

	same = !elf_read(&quiet, &tmp, path, u->object->path, &now) &&
		!elf_read(&quiet, &tmp, tree_path(&tmp, &b->tree, u->object->path),
			  u->object->path, &tree) && screen_same(&now, &tree);
	elf_close(&now);
	elf_close(&tree);
	arena_free(&tmp);
	unlink(path);
	return same;
}

static int screen_batch(struct kgr_build *b, struct unit **batch, size_t n,
			enum command_form form)
{
	struct cmd *cmds = arena_alloc(&b->arena, (n + 1) * sizeof(*cmds));

	for (size_t i = 0; i < n; i++)
		if (compile_command(b, batch[i], SIDE_PATCHED, form,
				    screen_path(b, batch[i], form), "/dev/null", &cmds[i]))
			return -1;
	if (run_all(&b->diag, cmds, n, b->opts.jobs))
		return -1;
	for (size_t i = 0; i < n; i++) {
		int same = compile_result(b, batch[i], &cmds[i]);

		if (!same)
			same = form == COMMAND_PLAIN ? judge_object(b, batch[i]) :
				judge_text(b, batch[i]);
		if (same < 0)
			return -1;
		batch[i]->screened = same;
	}
	return 0;
}

static size_t drop_screened(struct kgr_build *b)
{
	size_t n = 0, dropped;

	for (size_t i = 0; i < b->units.n; i++)
		if (!b->units.v[i].screened)
			b->units.v[n++] = b->units.v[i];
	dropped = b->units.n - n;
	b->units.n = n;
	return dropped;
}

/*
 * Hundreds of objects take minutes.  What is refused because of the few that the diff
 * touches by themselves can be said in seconds, so these come first; if nothing stands
 * against them, run_passes() starts over with all.
 */
static bool postpone(struct kgr_build *b)
{
	struct unit *u;
	size_t n = 0;

	vec_each(u, &b->units)
		n += u->candidate;
	if (b->whole || n < MANY)
		return false;
	vec_each(u, &b->units)
		u->screened = u->candidate;
	b->postponed = drop_screened(b);
	return true;
}

/* Has all that changes in its headers a name? */
static bool by_name(const struct kgr_build *b, const struct unit *u)
{
	for (size_t i = 0; i < u->object->files.n; i++)
		if (!b->touched.v[u->object->files.v[i]].mentionable)
			return false;
	return true;
}

static int screen_all(struct kgr_build *b, enum command_form form)
{
	struct unit **todo = arena_alloc(&b->arena, (b->units.n + 1) * sizeof(*todo));
	size_t n = 0, max = (size_t)BATCH * b->opts.jobs;
	struct unit *u;

	vec_each(u, &b->units)
		if (u->candidate && !u->screened && (form == COMMAND_PLAIN || by_name(b, u)))
			todo[n++] = u;
	for (size_t i = 0; i < n; i += max) {
		pass_progress(b, i, n);
		if (screen_batch(b, todo + i, n - i < max ? n - i : max, form))
			return -1;
	}
	return 0;
}

int pass_screen(struct kgr_build *b)
{
	bool *seen = arena_alloc(&b->arena, b->touched.n + 1);
	struct unit *u;

	vec_each(u, &b->units)
		u->candidate = by_header(b, u) && !is_witness(b, u, seen);
	if (postpone(b))
		return 0;
	if (screen_all(b, COMMAND_PREPROCESS) || screen_all(b, COMMAND_PLAIN))
		return -1;
	b->screened = drop_screened(b);
	return 0;
}
