// SPDX-License-Identifier: GPL-2.0
/* Which symbols of vmlinux the new code uses, and how the module gets at them */
#include <elf.h>

#include "closure.h"
#include "names.h"
#include "resolve.h"
#include "special.h"

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
	vmsymvec *all = map_get(&b->vmlinux.by_name, name);

	if (!all) {
		diag(&b->diag, D_SYM_MISSING, at, "%s", name);
		return NULL;
	}
	if (atom_is_global(old))
		s = symtab_global(&b->vmlinux, name);
	else if (u->vm_file)
		s = symtab_local(&b->vmlinux, u->vm_file, name);
	else
		s = all->n == 1 ? all->v[0] : NULL;
	if (!s)
		diag(&b->diag, D_SYM_AMBIGUOUS, at,
		     "%zu symbols are called %s, and which one is from %s can't be told", all->n,
		     name, u->object->path);
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

/*
 * In the module the symbol has its own name, which objtool knows many of, unless
 * that name is something else's already: another symbol's, or a new function's.
 */
static struct xref *get_xref(struct kgr_build *b, const struct vm_sym *s)
{
	const struct export *e = s->file ? NULL : symtab_export(&b->vmlinux, s->name);
	unsigned int sympos = symtab_sympos(&b->vmlinux, s);
	struct xref *x;

	for (size_t i = 0; i < b->xrefs.n; i++)
		if (!strcmp(b->xrefs.v[i]->name, s->name) && b->xrefs.v[i]->exported == !!e &&
		    (e || b->xrefs.v[i]->sympos == sympos))
			return b->xrefs.v[i];
	x = arena_alloc(&b->arena, sizeof(*x));
	x->name = x->alias = s->name;
	x->sympos = sympos;
	x->exported = e;
	x->ns = e ? e->ns : NULL;
	if (!e && (symtab_export(&b->vmlinux, s->name) || alias_taken(b, s->name)))
		x->alias = arena_printf(&b->arena, "kgr_ref_%s.%u", s->name, sympos);
	vec_push(&b->arena, &b->xrefs, x);
	return x;
}

/*
 * A call through a trampoline becomes a static call site, and that needs the key.
 * Keys that aren't exported though their trampoline is are found by the kernel.
 */
static void static_call_key(struct kgr_build *b, const struct vm_sym *s, const struct where *at)
{
	const struct vm_sym *key;
	char *name;

	if (!str_starts(s->name, "__SCT__"))
		return;
	name = arena_printf(&b->arena, "__SCK__%s", s->name + strlen("__SCT__"));
	if (symtab_export(&b->vmlinux, s->name) && !symtab_export(&b->vmlinux, name))
		return;
	key = symtab_global(&b->vmlinux, name);
	if (key)
		get_xref(b, key);
	else
		diag(&b->diag, D_SYM_MISSING, at, "%s", name);
}

static void resolve_ref(struct kgr_build *b, struct atom *from, struct ref *r)
{
	const struct vm_sym *s = NULL;
	struct where at = where_atom(from);

	if (r->target) {
		if (!r->target->twin || ref_inside(from, r))
			return;
		s = resolve_atom(b, r->target, &at);
	} else if (r->sym) {
		s = symtab_global(&b->vmlinux, r->sym->name);
		if (!s)
			diag(&b->diag, D_SYM_MISSING, &at, "%s", r->sym->name);
	}
	if (!s)
		return;
	if (!r->branch && s->type == STT_FUNC && from->sect->kind->cls != SECT_TABLE &&
	    symtab_is_sealed(&b->vmlinux, s))
		diag(&b->diag, D_SEALED, &at, "%s", s->name);
	if (r->target)
		r->addend -= r->target->entry;
	r->xref = get_xref(b, s);
	static_call_key(b, s, &at);
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
					resolve_ref(b, s->atoms.v[k], &s->atoms.v[k]->refs.v[m]);
		}
	}
	return 0;
}
