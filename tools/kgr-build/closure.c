// SPDX-License-Identifier: GPL-2.0
/*
 * What must come along with the changed functions: their cold parts, entries of
 * special tables, new functions and variables, strings and literals.  Whatever
 * exists in vmlinux already is referred to there, the changed functions and
 * recursion included: so a later patch, or going back, takes effect.
 */
#include <elf.h>

#include "closure.h"
#include "kgr-build.h"
#include "names.h"
#include "resolve.h"
#include "special.h"
#include "target.h"

struct closure {
	struct kgr_build *b;
	VEC(struct atom *) queue;
};

/* The function that @a is, or is a part of, or was taken along for */
static struct atom *function_of(struct atom *a)
{
	while (a && a->sect->kind->cls != SECT_TEXT)
		a = a->owner ? a->owner : a->pulled_by;
	return a && a->parent ? a->parent : a;
}

static struct where place(struct atom *a)
{
	struct atom *fn = function_of(a);

	return (struct where){ .object = a->obj->path, .function = fn ? atom_name(fn) : NULL };
}

bool ref_inside(struct atom *from, const struct ref *r)
{
	struct atom *to = r->target;

	if (!to || !atom_is_code(to))
		return false;
	if (to->sect->kind->cls == SECT_PIECE)
		return true;
	if (function_of(to) != function_of(from) || from->sect->kind->cls == SECT_DATA)
		return false;
	if (from->sect->kind->cls == SECT_CONST)	/* a switch: its labels, not its entry */
		return !from->twin && (to->parent || r->addend != (int64_t)to->entry);
	return from->sect->kind->cls == SECT_TABLE || to->parent ||
		r->addend != (int64_t)to->entry;
}

static void take(struct closure *c, struct atom *a, struct atom *by)
{
	if (a->included)
		return;
	a->included = true;
	a->pulled_by = by;
	vec_push(&c->b->arena, &c->queue, a);
}

static void take_code(struct closure *c, struct atom *from, struct ref *r)
{
	struct atom *to = r->target;

	if (!ref_inside(from, r) &&
	    (to->parent || r->addend != (int64_t)to->entry || r->type == R_X86_64_PC8)) {
		struct where at = place(from);

		diag(&c->b->diag, D_CROSS_BRANCH, &at, "%s+0x%llx", atom_name(to),
		     (long long)(r->addend - (int64_t)to->entry));
		return;
	}
	if (ref_inside(from, r) || !to->twin)
		take(c, to, from);
}

static void take_target(struct closure *c, struct atom *from, struct ref *r)
{
	struct atom *to = r->target;
	struct where at = place(from);

	switch (to->sect->kind->cls) {
	case SECT_TEXT:
	case SECT_PIECE:
		take_code(c, from, r);
		break;
	case SECT_DATA:
	case SECT_CONST:
	case SECT_POOL:
		if (!to->twin)
			take(c, to, from);
		break;
	case SECT_REGISTER:
		if (to->twin)
			break;		/* a tracepoint, say, that exists */
		diag(&c->b->diag, D_REGISTER_NEW, &at, "%s in section %s", atom_name(to),
		     to->sect->name);
		break;
	case SECT_BOOT:
		diag(&c->b->diag, D_INIT_CHANGED, &at,
		     "the new code needs %s, which is gone after boot",
		     *atom_name(to) ? atom_name(to) : to->sect->name);
		break;
	default:
		diag(&c->b->diag, D_SECTION_UNKNOWN, &at, "%s", to->sect->name);
	}
}

static void take_entries(struct closure *c, struct atom *a)
{
	for (size_t i = 0; i < a->entries.n; i++) {
		struct atom *e = a->entries.v[i];

		if (e->sect->kind->use == TABLE_COPY)
			take(c, e, a);
		else
			runtime_const_fix(&c->b->diag, a, e);
	}
}

/*
 * A global function or variable that the diff adds in another file, of the same
 * module if there is one.
 */
static struct atom *added_elsewhere(struct kgr_build *b, const struct unit *from, const char *name)
{
	struct atom *found = NULL;
	struct unit *u;

	vec_each(u, &b->units) {
		struct sym *s = u->patched ? obj_find_sym(u->patched, name) : NULL;

		if (s && s->atom && s->bind != STB_LOCAL && !s->atom->twin &&
		    (!found || u->syms == from->syms))
			found = s->atom;
	}
	return found;
}

static bool exists(struct kgr_build *b, const struct unit *u, const char *name)
{
	struct symtab *st;

	return target_find(b, u, name, &st);
}

static void follow(struct closure *c, struct atom *a)
{
	struct unit *u = unit_of_atom(c->b, a);

	take_entries(c, a);
	if (a->cold)
		take(c, a->cold, a);
	for (size_t i = 0; i < a->refs.n; i++) {
		struct ref *r = &a->refs.v[i];

		if (!r->target && r->sym && !exists(c->b, u, r->sym->name)) {
			r->target = added_elsewhere(c->b, u, r->sym->name);
			r->addend += r->target ? r->target->entry : 0;
		}
		if (r->target)
			take_target(c, a, r);
		else if (r->sym && r->sym->type == STT_TLS)
			diag(&c->b->diag, D_TLS, AT(.object = a->obj->path), "%s", r->sym->name);
	}
}

int pass_closure(struct kgr_build *b)
{
	struct closure c = { .b = b };

	for (size_t i = 0; i < b->changed.n; i++)
		if (unit_is_target(unit_of_atom(b, b->changed.v[i])))
			take(&c, b->changed.v[i], NULL);
	for (size_t i = 0; b->changed.n && i < b->callbacks.n; i++)
		take(&c, b->callbacks.v[i].function, NULL);
	for (size_t i = 0; i < c.queue.n; i++) {
		struct atom *a = c.queue.v[i];

		follow(&c, a);
		if (a->sym && !a->twin && !a->parent && !a->same_source &&
		    !name_disposable(a->sym->name))
			vec_push(&b->arena, &b->added, a);
	}
	return 0;
}
