// SPDX-License-Identifier: GPL-2.0
/* Which symbols of the kernel the new code uses, and how the patch module gets at them */
#include <elf.h>

#include "closure.h"
#include "names.h"
#include "resolve.h"
#include "special.h"
#include "target.h"

struct unit *unit_of_atom(struct kgr_build *b, const struct atom *a)
{
	struct unit *u;

	vec_each(u, &b->units)
		if (u->patched == a->obj || u->orig == a->obj)
			return u;
	return NULL;
}

struct where where_atom(const struct atom *a)
{
	const struct atom *fn = a;

	while (fn && !fn->sym)
		fn = fn->owner ? fn->owner : fn->pulled_by;
	if (!fn)
		fn = a;
	return (struct where){
		.object = a->obj->path, .function = fn->sym ? fn->sym->name : NULL,
		.file = fn->file, .line = fn->line,
	};
}

const struct vm_sym *resolve_atom(struct kgr_build *b, const struct atom *a,
				  const struct where *at)
{
	const struct atom *old = a->twin ? a->twin : a;
	const char *name = old->built ? old->built->sym->name : old->sym->name;
	struct unit *u = unit_of_atom(b, a);
	const struct vm_sym *s;
	vmsymvec *all = map_get(&u->syms->by_name, name);

	if (!all) {
		diag(&b->diag, D_SYM_MISSING, at, "%s", name);
		return NULL;
	}
	if (atom_is_global(old))
		s = symtab_global(u->syms, name);
	else if (u->vm_file)
		s = symtab_local(u->syms, u->vm_file, name);
	else
		s = all->n == 1 ? all->v[0] : NULL;
	if (!s)
		diag(&b->diag, D_SYM_AMBIGUOUS, at,
		     "%zu symbols are called %s, and which one is from %s can't be told", all->n,
		     name, u->object->path);
	else if (symtab_sympos(u->syms, s) == SYMPOS_UNKNOWN)
		diag(&b->diag, D_SYM_AMBIGUOUS, at,
		     "%zu symbols of module %s are called %s, in different kinds of memory", all->n,
		     u->syms->objname, name);
	return s;
}

static bool alias_taken(struct kgr_build *b, const char *alias)
{
	for (size_t i = 0; i < b->xrefs.n; i++)
		if (!strcmp(b->xrefs.v[i]->alias, alias))
			return true;
	for (size_t i = 0; i < b->added.n; i++)
		if (!strcmp(atom_name(b->added.v[i]), alias))
			return true;
	return false;
}

/* objtool knows the two symbols of a static call by how they begin */
static char *other_name(struct arena *a, const struct symtab *st, const char *name,
			unsigned int sympos)
{
	static const char * const begins[] = { "__SCT__", "__SCK__" };
	const char *begin = "";

	for (size_t i = 0; i < ARRAY_SIZE(begins); i++)
		if (str_starts(name, begins[i]))
			begin = begins[i];
	name += strlen(begin);
	if (!st->objname)
		return arena_printf(a, "%skgr_ref.%s.%u", begin, name, sympos);
	return arena_printf(a, "%skgr_ref_%s.%s.%u", begin, st->objname, name, sympos);
}

/* modpost takes what is before it for the name, if a number follows the first dot */
static bool ends_at_dot(const char *name)
{
	const char *dot = strchr(name, '.');
	size_t n = dot ? strspn(dot + 1, "0123456789") : 0;

	return n && (!dot[n + 1] || dot[n + 1] == '.');
}

static struct xref *find_xref(struct kgr_build *b, const struct xref *like)
{
	for (size_t i = 0; i < b->xrefs.n; i++) {
		struct xref *x = b->xrefs.v[i];

		if (!strcmp(x->name, like->name) && x->objname == like->objname &&
		    x->late == like->late && x->exported == like->exported &&
		    (x->exported || x->sympos == like->sympos))
			return x;
	}
	return NULL;
}

/*
 * In the patch module a symbol of vmlinux has its own name, which objtool knows
 * many of, unless that name is something else's already: another symbol's, or a
 * new function's.  Those of modules might be.
 */
static struct xref *get_xref(struct kgr_build *b, const struct unit *u, const struct symtab *st,
			     const struct vm_sym *s)
{
	const struct export *e = s->file || st->objname ? NULL : symtab_export(st, s->name);
	struct xref new = {
		.name = s->name, .alias = s->name, .objname = st->objname,
		.late = st->objname ? u->syms->objname : NULL,
		.sympos = symtab_sympos(st, s), .exported = e, .ns = e ? e->ns : NULL,
	};
	struct xref *x = find_xref(b, &new);

	if (x)
		return x;
	x = arena_memdup(&b->arena, &new, sizeof(new));
	if (st->objname || ends_at_dot(s->name) ||
	    (!e && (symtab_export(st, s->name) || alias_taken(b, s->name))))
		x->alias = other_name(&b->arena, st, s->name, x->sympos);
	if (alias_taken(b, x->alias))
		x->alias = arena_printf(&b->arena, "%s.%s", x->alias, x->late);
	vec_push(&b->arena, &b->xrefs, x);
	return x;
}

/*
 * A call through a trampoline becomes a static call site, and that needs the key.
 * Keys that aren't exported though their trampoline is are found by the kernel.
 */
static void static_call_key(struct kgr_build *b, const struct unit *u, const struct symtab *st,
			    const struct vm_sym *s, const struct where *at)
{
	const struct vm_sym *key;
	char *name;

	if (!str_starts(s->name, "__SCT__"))
		return;
	name = arena_printf(&b->arena, "__SCK__%s", s->name + strlen("__SCT__"));
	if (!st->objname && symtab_export(st, s->name) && !symtab_export(st, name))
		return;
	key = symtab_global(st, name);
	if (key)
		get_xref(b, u, st, key);
	else
		diag(&b->diag, D_SYM_MISSING, at, "%s", name);
}

static void resolve_ref(struct kgr_build *b, struct unit *u, struct atom *from, struct ref *r)
{
	const struct vm_sym *s = NULL;
	struct where at = where_atom(from);
	struct symtab *st = u->syms;

	if (r->target) {
		if (!r->target->twin || ref_inside(from, r))
			return;
		s = resolve_atom(b, r->target, &at);
	} else if (r->sym) {
		s = target_find(b, u, r->sym->name, &st);
		if (!s)
			diag(&b->diag, D_SYM_MISSING, &at, "%s", r->sym->name);
	}
	if (!s)
		return;
	if (!r->branch && s->type == STT_FUNC && from->sect->kind->cls != SECT_TABLE &&
	    symtab_is_sealed(st, s))
		diag(&b->diag, D_SEALED, &at, "%s", s->name);
	if (r->target)
		r->addend -= r->target->entry;
	r->xref = get_xref(b, u, st, s);
	static_call_key(b, u, st, s, &at);
}

int pass_resolve(struct kgr_build *b)
{
	struct unit *u;

	vec_each(u, &b->units) {
		for (size_t i = 0; u->patched && i < u->patched->sects.n; i++) {
			struct sect *s = u->patched->sects.v[i];

			for (size_t k = 0; k < s->atoms.n; k++)
				for (size_t m = 0; s->atoms.v[k]->included &&
						   m < s->atoms.v[k]->refs.n; m++)
					resolve_ref(b, u, s->atoms.v[k],
						    &s->atoms.v[k]->refs.v[m]);
		}
	}
	return 0;
}
