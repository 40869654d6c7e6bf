// SPDX-License-Identifier: GPL-2.0
/*
 * Types whose layout or meaning differs between the two sides, from debug data: what
 * the source says is not enough, since a macro or a type of another file can change
 * them.  Objects that exist when the patch is applied have the old layout, and keep it.
 */
#include "kgr-build.h"

struct layout_change {
	const struct dw_type *old, *new;
	struct buf what;
	bool own;		/* more than what comes from a type inside it */
	bool moved;		/* what old code knows is somewhere else, or the size differs */
	const char *shadow;	/* a member that comes in, to be suggested for a shadow variable */
};

typedef VEC(struct layout_change) changevec;

/*
 * Types of one name can be different ones in different files.  What is in the index
 * already at the same place in the source has been left out by dwarf_read().
 */
static void collect(struct kgr_build *b, struct type_set *set, const struct dw_index *ix)
{
	for (size_t i = 0; i < ix->type_list.n; i++) {
		struct dw_type *t = ix->type_list.v[i];
		const char *key = t->key;

		if (map_get(&set->by_key, key))
			key = arena_printf(&b->arena, "%s@%s", t->key, t->file ? t->file : "");
		if (map_get(&set->by_key, key))
			continue;
		map_set(&b->arena, &set->by_key, key, t);
		vec_push(&b->arena, &set->list, t);
	}
	for (size_t i = 0; i < ix->uses.n; i++)
		vec_push(&b->arena, &set->uses, ix->uses.v[i]);
}

void layout_collect(struct kgr_build *b, const struct dw_index *orig,
		    const struct dw_index *patched)
{
	collect(b, &b->types[0], orig);
	collect(b, &b->types[1], patched);
}

static bool same_file(struct kgr_build *b, const struct dw_type *x, const struct dw_type *y)
{
	const char *f = source_name(b, x->file), *g = source_name(b, y->file);

	return f && g && !strcmp(f, g);
}

static const struct dw_type *old_type(struct kgr_build *b, const struct dw_type *new)
{
	const struct dw_type *t = map_get(&b->types[0].by_key, new->key);

	if (t && same_file(b, t, new))
		return t;
	t = map_get(&b->types[0].by_key, arena_printf(&b->arena, "%s@%s", new->key,
						      new->file ? new->file : ""));
	return t && same_file(b, t, new) ? t : NULL;
}

static const struct dw_member *find_member(const struct dw_type *t, const char *name)
{
	for (size_t i = 0; i < t->members.n; i++)
		if (name && t->members.v[i].name && !strcmp(t->members.v[i].name, name))
			return &t->members.v[i];
	return NULL;
}

static char *place(struct arena *a, const struct dw_member *m)
{
	if (!m->bitfield)
		return arena_printf(a, "%s at offset %llu", m->type, (unsigned long long)m->at / 8);
	return arena_printf(a, "%llu bit%s at bit %llu", (unsigned long long)m->bits,
			    m->bits == 1 ? "" : "s", (unsigned long long)m->at);
}

static bool overlap(const struct dw_member *x, const struct dw_member *y)
{
	return x->at < y->at + y->bits && y->at < x->at + x->bits;
}

/* A member that is only in @in and stands where @m stood, or the other way round */
static const struct dw_member *in_its_place(const struct dw_type *in, const struct dw_type *other,
					    const struct dw_member *m)
{
	for (size_t i = 0; i < in->members.n; i++) {
		const struct dw_member *x = &in->members.v[i];

		if (overlap(x, m) && x->name && !find_member(other, x->name))
			return x;
	}
	return NULL;
}

static void note(struct layout_change *c, const char *fmt, ...) __printf(2, 3);

static void note(struct layout_change *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	buf_printf(&c->what, "%s%s", c->what.n ? "; " : "",
		   arena_vprintf(c->what.arena, fmt, ap));
	va_end(ap);
}

static void gone_members(struct arena *a, struct layout_change *c)
{
	for (size_t i = 0; i < c->old->members.n; i++) {
		const struct dw_member *m = &c->old->members.v[i], *n;

		if (!m->name || find_member(c->new, m->name))
			continue;
		n = in_its_place(c->new, c->old, m);
		if (n)
			note(c, "%s (%s) becomes %s (%s)", m->name, place(a, m), n->name,
			     place(a, n));
		else
			note(c, "%s (%s) is gone", m->name, place(a, m));
		c->own = true;
	}
}

static void new_members(struct arena *a, struct layout_change *c)
{
	for (size_t i = 0; i < c->new->members.n; i++) {
		const struct dw_member *m = &c->new->members.v[i];
		bool hole = true;

		if (!m->name || find_member(c->old, m->name) ||
		    in_its_place(c->old, c->new, m))
			continue;
		for (size_t k = 0; k < c->old->members.n; k++)
			hole &= !overlap(&c->old->members.v[k], m);
		hole &= m->at + m->bits <= c->old->size * 8;
		note(c, "%s is new (%s%s)", m->name, place(a, m), !hole ? "" : m->bitfield ?
		     ", in bits that were unused" : ", in what was padding");
		c->own = true;
		c->shadow = m->name;
	}
}

static void kept_members(struct arena *a, struct layout_change *c)
{
	const struct dw_member *first = NULL, *first_new = NULL;
	unsigned int moved = 0;

	for (size_t i = 0; i < c->old->members.n; i++) {
		const struct dw_member *m = &c->old->members.v[i];
		const struct dw_member *n = find_member(c->new, m->name);

		if (!n)
			continue;
		if (m->at != n->at && !moved++) {
			first = m;
			first_new = n;
		}
		if (strcmp(m->type, n->type) || m->bitfield != n->bitfield ||
		    (m->bitfield && m->bits != n->bits)) {
			note(c, "%s was %s, is %s", m->name, place(a, m), place(a, n));
			c->own = true;
			c->moved |= m->bits != n->bits;
		}
	}
	if (moved)
		note(c, "%s moves from %llu to %llu%s%s", first->name,
		     (unsigned long long)first->at / 8, (unsigned long long)first_new->at / 8,
		     moved > 1 ? arena_printf(a, ", %u others too", moved - 1) : "",
		     first->at % 8 || first_new->at % 8 ? " (bits)" : "");
	c->moved |= moved;
}

/* Old objects keep the number that the name stood for */
static void values(struct layout_change *c)
{
	unsigned int shown = 0, all = 0;

	for (size_t i = 0; i < c->old->values.n; i++) {
		const struct dw_value *v = &c->old->values.v[i];

		for (size_t k = 0; k < c->new->values.n; k++)
			if (!strcmp(c->new->values.v[k].name, v->name) &&
			    c->new->values.v[k].value != v->value && all++ < 4) {
				note(c, "%s was %lld, is %lld", v->name, (long long)v->value,
				     (long long)c->new->values.v[k].value);
				shown++;
			}
	}
	if (all > shown)
		note(c, "%u more", all - shown);
	c->own |= all;
}

static bool compare_types(struct kgr_build *b, struct layout_change *c)
{
	c->what.arena = &b->arena;
	gone_members(&b->arena, c);
	new_members(&b->arena, c);
	kept_members(&b->arena, c);
	values(c);
	if (c->old->size != c->new->size) {
		note(c, "its size goes from %llu to %llu bytes", (unsigned long long)c->old->size,
		     (unsigned long long)c->new->size);
		c->moved = true;
	}
	return c->what.n;
}

static const struct layout_change *find_change(const changevec *v, const char *key)
{
	struct layout_change *c;

	vec_each(c, v)
		if (key && !strcmp(c->old->key, key))
			return c;
	return NULL;
}

/* Only what a type inside it does to it */
static bool derived(const changevec *all, const struct layout_change *c)
{
	for (size_t i = 0; !c->own && i < c->new->members.n; i++)
		if (find_change(all, c->new->members.v[i].embeds))
			return true;
	return false;
}

static bool points_to(const struct dw_type *t, const char *key)
{
	size_t n = strlen(key);

	for (size_t i = 0; i < t->members.n; i++) {
		const char *type = t->members.v[i].type, *p = strstr(type, key);

		if (p && (p == type || p[-1] == ' ' || p[-1] == '(') && str_starts(p + n, " *"))
			return true;
	}
	return false;
}

/* Types that hold @key, directly or not */
static void add_embedders(struct kgr_build *b, const char *key, strvec *out)
{
	for (size_t i = 0; i < b->types[0].list.n; i++) {
		const struct dw_type *t = b->types[0].list.v[i];

		for (size_t k = 0; k < t->members.n; k++)
			if (t->members.v[k].embeds && !strcmp(t->members.v[k].embeds, key) &&
			    !strvec_has(out, t->key)) {
				vec_push(&b->arena, out, (char *)t->key);
				break;
			}
	}
}

static char *list_of(struct arena *a, const strvec *v, size_t max)
{
	struct buf out = { .arena = a };

	buf_puts(&out, "");
	for (size_t i = 0; i < v->n && i < max; i++)
		buf_printf(&out, "%s%s", i ? ", " : "", v->v[i]);
	if (v->n > max)
		buf_printf(&out, " and %zu more", v->n - max);
	return out.s;
}

/* Nothing is known to keep one: local variables at most, no variable, no pointer */
static bool only_on_stacks(struct kgr_build *b, const char *key, const strvec *embedders,
			   const strvec *variables)
{
	bool local = false;

	if (embedders->n || variables->n)
		return false;
	for (size_t i = 0; i < b->types[0].list.n; i++)
		if (strcmp(b->types[0].list.v[i]->key, key) &&
		    points_to(b->types[0].list.v[i], key))
			return false;
	for (size_t i = 0; i < b->types[0].uses.n; i++)
		local |= !b->types[0].uses.v[i].is_static &&
			!strcmp(b->types[0].uses.v[i].type, key);
	return local;
}

static void describe(struct kgr_build *b, const struct layout_change *c)
{
	struct where at = { .file = source_name(b, c->new->file), .line = c->new->line };
	strvec embedders = { 0 }, variables = { 0 };
	struct buf out = { .arena = &b->arena };
	enum diag_code code = D_LAYOUT;
	bool stacks;

	add_embedders(b, c->old->key, &embedders);
	for (size_t i = 0; i < embedders.n; i++)
		add_embedders(b, embedders.v[i], &embedders);
	for (size_t i = 0; i < b->types[0].uses.n; i++) {
		const struct dw_use *u = &b->types[0].uses.v[i];

		if (u->is_static && (!strcmp(u->type, c->old->key) ||
				     strvec_has(&embedders, u->type)))
			strvec_add_unique(&b->arena, &variables, u->name);
	}
	stacks = only_on_stacks(b, c->old->key, &embedders, &variables);
	if (c->moved && !stacks && b->changed.n && !c->old->is_enum)
		code = D_LAYOUT_MOVED;
	buf_printf(&out, "%s: %s", c->old->key, c->what.s);
	if (!c->moved && !c->old->is_enum)
		buf_printf(&out, "; size and all other offsets stay");
	if (embedders.n)
		buf_printf(&out, "; it is inside %s", list_of(&b->arena, &embedders, 6));
	if (variables.n)
		buf_printf(&out, "; variables: %s", list_of(&b->arena, &variables, 6));
	if (c->moved && stacks)
		buf_puts(&out, "; only local variables of it are seen");
	if (c->shadow && !stacks)
		buf_printf(&out, "; a shadow variable can hold %s for objects of either age",
			   c->shadow);
	diag(&b->diag, code, &at, "%s", out.s);
}

const struct dw_member *layout_member_at(struct kgr_build *b, const char *variable, uint64_t off,
					 uint64_t *start)
{
	const struct dw_type *t = NULL;
	struct dw_use *u;

	vec_each(u, &b->types[0].uses)
		if (u->is_static && !u->function && !strcmp(u->name, variable))
			t = map_get(&b->types[0].by_key, u->type);
	if (!t || !t->size)
		return NULL;
	for (size_t i = 0; i < t->members.n; i++) {
		const struct dw_member *m = &t->members.v[i];
		uint64_t at = off % t->size * 8;

		if (m->name && at >= m->at && at < m->at + m->bits) {
			*start = off - off % t->size + m->at / 8;
			return m;
		}
	}
	return NULL;
}

int pass_layout(struct kgr_build *b)
{
	changevec all = { 0 };
	struct layout_change *c;

	for (size_t i = 0; i < b->types[1].list.n; i++) {
		struct layout_change change = { .new = b->types[1].list.v[i] };

		change.old = old_type(b, change.new);
		if (change.old && compare_types(b, &change))
			vec_push(&b->arena, &all, change);
	}
	vec_each(c, &all)
		if (!derived(&all, c))
			describe(b, c);
	return 0;
}
