// SPDX-License-Identifier: GPL-2.0
/* Same or changed, and why */
#include <elf.h>
#include <stdlib.h>

#include "arch/x86/insn.h"
#include "compare.h"
#include "kgr-build.h"
#include "names.h"
#include "special.h"

struct comparison {
	struct arena *a;	/* NULL: no reason is wanted */
	unsigned int depth;
};

#define MAX_NESTING	16	/* of literals that refer to literals */

static const char different[] = "";

#define REASON(c, ...)	((c)->a ? arena_printf((c)->a, __VA_ARGS__) : different)

static const char *compare(struct comparison *c, struct atom *orig, struct atom *patched);

static bool bytes_equal(const struct atom *x, const struct atom *y)
{
	if (x->size != y->size)
		return false;
	for (uint64_t i = 0; i < x->size; i++)
		if ((x->data ? x->data[i] : 0) != (y->data ? y->data[i] : 0))
			return false;
	return true;
}

static const char *target_name(const struct ref *r)
{
	if (r->sym)
		return r->sym->name;
	return r->target && r->target->sym ? r->target->sym->name : "a literal";
}

/* Of an atom without identity only the content counts, and what its name is for */
static bool literals_equal(struct comparison *c, struct atom *orig, struct atom *patched)
{
	struct comparison inner = { .depth = c->depth + 1 };
	struct arena tmp = { 0 };
	bool equal;

	if (c->depth > MAX_NESTING || orig->sect->kind->cls != patched->sect->kind->cls)
		return false;
	if (orig->key_from == patched)		/* being compared already */
		return true;
	equal = !orig->sym == !patched->sym;
	if (equal && orig->sym && !str_starts(orig->sym->name, ".L"))
		equal = !strcmp(name_key(&tmp, orig->sym->name),
				name_key(&tmp, patched->sym->name));
	arena_free(&tmp);
	return equal && !compare(&inner, orig, patched);
}

static bool refs_equal(struct comparison *c, const struct ref *x, const struct ref *y)
{
	if (x->off != y->off || x->type != y->type || x->addend != y->addend ||
	    !x->target != !y->target || !x->sym != !y->sym)
		return false;
	if (x->sym)
		return !strcmp(x->sym->name, y->sym->name);
	if (!x->target || x->target->twin == y->target || x->target->key_from == y->target)
		return true;
	if (x->target->twin || y->target->twin)
		return false;
	return literals_equal(c, x->target, y->target);
}

static size_t entries_of(const struct atom *a, const char *table, struct atom **out, size_t max)
{
	size_t n = 0;

	for (size_t i = 0; i < a->entries.n; i++)
		if (!strcmp(a->entries.v[i]->sect->name, table)) {
			if (n < max)
				out[n] = a->entries.v[i];
			n++;
		}
	return n;
}

static bool table_equal(struct comparison *c, const struct atom *orig, const struct atom *patched,
			const char *table)
{
	size_t max = orig->entries.n + patched->entries.n;
	struct atom **x = calloc(max + 1, sizeof(*x)), **y = calloc(max + 1, sizeof(*y));
	size_t n = entries_of(orig, table, x, max);
	bool equal = n == entries_of(patched, table, y, max);
	struct comparison inner = { .depth = c->depth + 1 };

	for (size_t i = 0; equal && i < n; i++)
		equal = c->depth <= MAX_NESTING && !compare(&inner, x[i], y[i]);
	free(x);
	free(y);
	return equal;
}

static const char *compare_entries(struct comparison *c, const struct atom *orig,
				   const struct atom *patched)
{
	const struct atom *both[] = { orig, patched };

	for (size_t k = 0; k < ARRAY_SIZE(both); k++)
		for (size_t i = 0; i < both[k]->entries.n; i++) {
			const char *table = both[k]->entries.v[i]->sect->name;

			if (i && !strcmp(table, both[k]->entries.v[i - 1]->sect->name))
				continue;
			if (!table_equal(c, orig, patched, table))
				return REASON(c, "its entries in %s differ", table);
		}
	return NULL;
}

static const char *compare_content(struct comparison *c, struct atom *orig, struct atom *patched)
{
	if (!bytes_equal(orig, patched))
		return REASON(c, "its %s differs (%llu bytes before, %llu now)",
			      atom_is_code(patched) ? "code" : "content",
			      (unsigned long long)(orig->size - orig->entry),
			      (unsigned long long)(patched->size - patched->entry));
	if (orig->refs.n != patched->refs.n)
		return REASON(c, "it refers to other things");
	for (size_t i = 0; i < orig->refs.n; i++) {
		const struct ref *x = &orig->refs.v[i], *y = &patched->refs.v[i];

		if (refs_equal(c, x, y))
			continue;
		if (!strcmp(target_name(x), target_name(y)))
			return REASON(c, "it refers to %s otherwise", target_name(y));
		return REASON(c, "it refers to %s instead of %s", target_name(y), target_name(x));
	}
	return compare_entries(c, orig, patched);
}

static const char *compare(struct comparison *c, struct atom *orig, struct atom *patched)
{
	struct atom *outer = orig->key_from;
	const char *why;

	orig->key_from = patched;
	why = compare_content(c, orig, patched);
	orig->key_from = outer;
	return why;
}

bool atom_equal(struct atom *orig, struct atom *patched)
{
	struct comparison c = { 0 };

	return !compare(&c, orig, patched);
}

const char *atom_difference(struct arena *a, struct atom *orig, struct atom *patched)
{
	struct comparison c = { .a = a };

	return compare(&c, orig, patched);
}

/* References that an instruction makes: those from @from on that lie before @to */
static size_t refs_until(const struct atom *a, size_t from, uint64_t to)
{
	while (from < a->refs.n && a->refs.v[from].off < to)
		from++;
	return from;
}

bool code_differs_at(struct atom *orig, struct atom *patched, uint64_t *at)
{
	struct comparison c = { 0 };
	size_t i = 0, k = 0;
	struct insn x, y;

	for (*at = 0; *at < orig->size && *at < patched->size; *at += x.len) {
		size_t i_end, k_end;

		if (insn_decode(orig->data + *at, orig->size - *at, &x) ||
		    insn_decode(patched->data + *at, patched->size - *at, &y) ||
		    x.len != y.len || memcmp(orig->data + *at, patched->data + *at, x.len))
			return true;
		i_end = refs_until(orig, i, *at + x.len);
		k_end = refs_until(patched, k, *at + x.len);
		if (i_end - i != k_end - k)
			return true;
		for (; i < i_end; i++, k++)
			if (!refs_equal(&c, &orig->refs.v[i], &patched->refs.v[k]))
				return true;
	}
	return orig->size != patched->size;
}

static void judge(struct arena *a, struct atom *at)
{
	if (!at->twin) {
		at->state = ATOM_NEW;
		return;
	}
	at->reason = atom_difference(a, at->twin, at);
	at->state = at->reason ? ATOM_CHANGED : ATOM_SAME;
}

/* Of a function in two parts, both are taken if one of them differs */
static void join_cold(struct atom *at)
{
	struct atom *fn = at->parent;

	if (!fn || !fn->twin)
		return;
	if (at->state != ATOM_SAME && fn->state == ATOM_SAME) {
		fn->state = ATOM_CHANGED;
		fn->reason = "its cold part differs";
	}
	if (at->twin && fn->state != ATOM_SAME)
		at->state = ATOM_CHANGED;
}

void compare_objects(struct arena *a, struct obj *o)
{
	for (size_t i = 0; i < o->sects.n; i++)
		for (size_t k = 0; k < o->sects.v[i]->atoms.n; k++)
			judge(a, o->sects.v[i]->atoms.v[k]);
	for (size_t i = 0; i < o->sects.n; i++)
		for (size_t k = 0; k < o->sects.v[i]->atoms.n; k++)
			join_cold(o->sects.v[i]->atoms.v[k]);
}

/* Tables made at build time, for assembler code: any difference would reach it */
static int compare_text_unit(struct kgr_build *b, struct unit *u)
{
	size_t n[2];
	char *s[2];

	if (file_read(&b->arena, u->orig_path, &s[0], &n[0]) ||
	    file_read(&b->arena, u->patched_path, &s[1], &n[1]))
		return diag(&b->diag, D_IO, AT_FILE(u->patched_path), "can't be read");
	u->differs = n[0] != n[1] || memcmp(s[0], s[1], n[0]);
	return 0;
}

int pass_compare(struct kgr_build *b)
{
	struct unit *u;

	vec_each(u, &b->units) {
		if (u->object->is_text) {
			if (compare_text_unit(b, u))
				return -1;
			continue;
		}
		compare_objects(&b->arena, u->patched);
		for (size_t i = 0; i < u->patched->syms.n; i++) {
			struct atom *at = u->patched->syms.v[i]->atom;

			if (at && at->state == ATOM_CHANGED)
				u->differs = true;
			if (at && at->state == ATOM_CHANGED && at->sym == u->patched->syms.v[i] &&
			    at->sect->kind->cls == SECT_TEXT && !at->parent)
				vec_push(&b->arena, &b->changed, at);
		}
	}
	return 0;
}
