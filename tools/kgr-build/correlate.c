// SPDX-License-Identifier: GPL-2.0
/*
 * Which atom of the patched object is which of the original one, on levels of which
 * the surest comes first (enum pairing):
 *
 * name		what the source calls it is unique in an object, and settles it
 * only		a name with a number (foo.isra.0, counter.12) that may be another one
 *		in the other object, but no other has the same but for the number
 * scope	static variables of one name: who uses them, in the order of use
 * content	clones, constants and entries of tables: those that are equal
 * order	what is left of clones, and of what has no value of its own
 *
 * The next level, which file a local symbol of vmlinux belongs to, is resolve.c's.
 * Strings, literals and what macros make anew at each use have no twin: only their
 * content counts.
 */
#include <elf.h>

#include "compare.h"
#include "correlate.h"
#include "kgr-build.h"
#include "names.h"
#include "special.h"

struct group {
	const char *key;
	VEC(struct atom *) orig, patched;	/* those without a twin */
};

struct correlator {
	struct diag *d;
	struct arena *a;
	struct obj *orig, *patched;
	struct map by_key;			/* to struct group */
	VEC(struct group *) groups;
	bool progress;
};

/* Has it an identity that outlives a compilation? */
static bool has_identity(const struct atom *a)
{
	enum sect_class cls = a->sect->kind->cls;

	return a->sym && !a->same_source && cls != SECT_TABLE && cls != SECT_PIECE &&
		!(cls == SECT_DATA && name_disposable(a->sym->name));
}

static void pair(struct atom *orig, struct atom *patched, enum pairing how)
{
	orig->twin = patched;
	patched->twin = orig;
	orig->paired = patched->paired = how;
}

static void join(struct correlator *c, struct atom *orig, struct atom *patched, enum pairing how)
{
	pair(orig, patched, how);
	c->progress = true;
	if (orig->cold && patched->cold && !orig->cold->twin && !patched->cold->twin)
		pair(orig->cold, patched->cold, PAIRED_PARENT);
}

/* Code stays code; a variable may go from .bss to .data and is the same one */
static bool compatible(const struct atom *a, const struct atom *b)
{
	return atom_is_code(a) == atom_is_code(b);
}

static struct group *group_of(struct correlator *c, const struct atom *at)
{
	char *key = arena_printf(c->a, "%c%s", atom_is_code(at) ? 'f' : 'v',
				 name_key(c->a, at->sym->name));
	struct group *g = map_get(&c->by_key, key);

	if (!g) {
		g = arena_alloc(c->a, sizeof(*g));
		g->key = key;
		map_set(c->a, &c->by_key, key, g);
		vec_push(c->a, &c->groups, g);
	}
	return g;
}

static void each_atom(struct obj *o, void (*fn)(struct correlator *c, struct atom *a),
		      struct correlator *c)
{
	for (size_t i = 0; i < o->sects.n; i++)
		for (size_t k = 0; k < o->sects.v[i]->atoms.n; k++)
			if (has_identity(o->sects.v[i]->atoms.v[k]))
				fn(c, o->sects.v[i]->atoms.v[k]);
}

static void match_name(struct correlator *c, struct atom *patched)
{
	struct sym *s;

	if (patched->twin || name_numbered(patched->sym->name))
		return;
	s = map_get(&c->by_key, patched->sym->name);
	if (s && s->atom && !s->atom->twin && has_identity(s->atom) && compatible(s->atom, patched))
		join(c, s->atom, patched, PAIRED_NAME);
}

static void sort_in(struct correlator *c, struct atom *at)
{
	struct group *g;

	if (at->twin || at->parent)
		return;
	g = group_of(c, at);
	if (at->obj == c->orig)
		vec_push(c->a, &g->orig, at);
	else
		vec_push(c->a, &g->patched, at);
}

static size_t count_single(struct atom **v, size_t n, struct atom **single)
{
	size_t left = 0;

	for (size_t i = 0; i < n; i++)
		if (!v[i]->twin) {
			*single = v[i];
			left++;
		}
	return left;
}

/* One on each side: no choice */
static void match_single(struct correlator *c, struct group *g)
{
	struct atom *orig = NULL, *patched = NULL;

	if (count_single(g->orig.v, g->orig.n, &orig) == 1 &&
	    count_single(g->patched.v, g->patched.n, &patched) == 1 && compatible(orig, patched))
		join(c, orig, patched, PAIRED_ONLY);
}

static void match_content(struct correlator *c, struct group *g)
{
	for (size_t i = 0; i < g->patched.n; i++)
		for (size_t j = 0; j < g->orig.n && !g->patched.v[i]->twin; j++)
			if (!g->orig.v[j]->twin && compatible(g->orig.v[j], g->patched.v[i]) &&
			    atom_equal(g->orig.v[j], g->patched.v[i]))
				join(c, g->orig.v[j], g->patched.v[i], PAIRED_CONTENT);
}

static void match_order(struct correlator *c, struct group *g)
{
	size_t k = 0;

	for (size_t i = 0; i < g->patched.n; i++) {
		while (k < g->orig.n && g->orig.v[k]->twin)
			k++;
		if (k < g->orig.n && !g->patched.v[i]->twin)
			join(c, g->orig.v[k], g->patched.v[i], PAIRED_ORDER);
	}
}

/* Nothing is ever written to it, so there is no value to be lost or shared */
static bool is_constant(const struct group *g)
{
	for (size_t i = 0; i < g->orig.n; i++)
		if (g->orig.v[i]->sect->kind->cls == SECT_DATA && !g->orig.v[i]->twin)
			return false;
	for (size_t i = 0; i < g->patched.n; i++)
		if (g->patched.v[i]->sect->kind->cls == SECT_DATA && !g->patched.v[i]->twin)
			return false;
	return true;
}

/* Static locals of one name that @fn uses, in the order of use, without twins */
static size_t used_statics(struct correlator *c, const struct atom *fn, const struct group *g,
			   struct atom **out, size_t max)
{
	size_t n = 0;

	for (size_t i = 0; i < fn->refs.n; i++) {
		struct atom *t = fn->refs.v[i].target;
		bool seen = false;

		if (!t || !has_identity(t) || atom_is_code(t) || t->twin || group_of(c, t) != g)
			continue;
		for (size_t k = 0; k < n; k++)
			seen |= out[k] == t;
		if (!seen && n < max)
			out[n++] = t;
	}
	return n;
}

/*
 * Both functions use as many: then the first is the first, and so on. One may have
 * got another size, but two that have swapped theirs are not what they were.
 */
static void match_used(struct correlator *c, struct group *g, struct atom *orig,
		       struct atom *patched)
{
	struct atom *a[32], *b[32];
	size_t n = used_statics(c, orig, g, a, ARRAY_SIZE(a));
	size_t m = used_statics(c, patched, g, b, ARRAY_SIZE(b));

	if (n != m || n == ARRAY_SIZE(a))
		return;
	for (size_t i = 0; i < n; i++)
		if (a[i]->size == b[i]->size || n == 1)
			join(c, a[i], b[i], PAIRED_SCOPE);
}

static void match_by_users(struct correlator *c, struct group *g)
{
	for (size_t i = 0; i < c->patched->syms.n; i++) {
		struct atom *fn = c->patched->syms.v[i]->atom;

		if (!fn || fn->sym != c->patched->syms.v[i] || !fn->twin || !atom_is_code(fn))
			continue;
		match_used(c, g, fn->twin, fn);
		if (fn->cold && fn->twin->cold)
			match_used(c, g, fn->twin->cold, fn->cold);
	}
}

static bool left_over(const struct group *g)
{
	struct atom *x;

	return count_single(g->orig.v, g->orig.n, &x) &&
		count_single(g->patched.v, g->patched.n, &x);
}

static void index_names(struct correlator *c)
{
	c->by_key = (struct map){ 0 };
	for (size_t i = 0; i < c->orig->syms.n; i++)
		if (c->orig->syms.v[i]->atom)
			map_set(c->a, &c->by_key, c->orig->syms.v[i]->name, c->orig->syms.v[i]);
}

/*
 * A variable that could be an old one or a new one must not be guessed: taken for
 * new, it would lose its value; taken for an old one, it would share it.
 */
static int refuse_guesses(struct correlator *c)
{
	int err = 0;

	for (size_t i = 0; i < c->groups.n; i++) {
		struct group *g = c->groups.v[i];

		if (g->key[0] == 'v' && left_over(g) && !is_constant(g))
			err = diag(c->d, D_STATIC_PAIR, AT(.object = c->patched->path), "%s",
				   g->key + 1);
	}
	return err;
}

int correlate(struct diag *d, struct obj *orig, struct obj *patched)
{
	struct correlator c = { .d = d, .a = d->arena, .orig = orig, .patched = patched };

	index_names(&c);
	each_atom(patched, match_name, &c);
	c.by_key = (struct map){ 0 };
	each_atom(orig, sort_in, &c);
	each_atom(patched, sort_in, &c);
	for (size_t i = 0; i < c.groups.n; i++) {
		match_single(&c, c.groups.v[i]);
		if (c.groups.v[i]->key[0] != 'f' || !left_over(c.groups.v[i]))
			continue;
		match_content(&c, c.groups.v[i]);
		match_order(&c, c.groups.v[i]);
	}
	do {
		c.progress = false;
		for (size_t i = 0; i < c.groups.n; i++)
			if (c.groups.v[i]->key[0] == 'v' && left_over(c.groups.v[i])) {
				match_by_users(&c, c.groups.v[i]);
				match_single(&c, c.groups.v[i]);
			}
	} while (c.progress);
	for (size_t i = 0; i < c.groups.n; i++)
		if (c.groups.v[i]->key[0] == 'v' && left_over(c.groups.v[i]) &&
		    is_constant(c.groups.v[i]))
			match_content(&c, c.groups.v[i]);
	return refuse_guesses(&c);
}

int pass_correlate(struct kgr_build *b)
{
	struct unit *u;

	vec_each(u, &b->units)
		if (u->orig)
			correlate(&b->diag, u->orig, u->patched);
	return 0;
}
