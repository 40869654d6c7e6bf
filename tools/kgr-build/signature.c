// SPDX-License-Identifier: GPL-2.0
/*
 * Functions that take or return something else than before.  Who calls one without
 * being compiled again passes what the old one took, through the very entry that now
 * leads to the new one.
 */
#include <elf.h>

#include "callers.h"
#include "kgr-build.h"
#include "names.h"
#include "resolve.h"
#include "target.h"

static bool is_changed(struct kgr_build *b, const struct symtab *st, const struct vm_sym *s,
		       const uint64_t *addrs)
{
	for (size_t i = 0; i < b->changed.n; i++)
		if (addrs[i] == s->addr && unit_of_atom(b, b->changed.v[i])->syms == st)
			return true;
	return false;
}

/* The text of a prototype up to its parameters */
static bool returns_void(const char *proto)
{
	return str_starts(proto, "void (");
}

static const char *parameters(const char *proto)
{
	const char *p = strrchr(proto, '(');

	for (const char *q = strchr(proto, '('); q; q = strchr(q + 1, '('))
		if (q == proto || q[1] != '*') {
			p = q;
			break;
		}
	return p ? p : proto;
}

/* Nobody who called the old one looks at what a new one returns in its place */
static bool harmless(const struct dw_func *old, const struct dw_func *new)
{
	return returns_void(old->proto) && !strcmp(parameters(old->proto), parameters(new->proto));
}

static char *outsiders(struct kgr_build *b, struct symtab *st, const struct vm_sym *s,
		       const uint64_t *addrs)
{
	const struct export *e = s->file ? NULL : symtab_export(st, s->name);
	struct buf out = { .arena = &b->arena };
	struct callers c;
	unsigned int n = 0;

	buf_puts(&out, "");
	callers_find(st, s, &c);
	for (size_t i = 0; i < c.calls.n; i++)
		if (!is_changed(b, st, c.calls.v[i], addrs) && n++ < 5)
			buf_printf(&out, "%s%s", n > 1 ? ", " : "", c.calls.v[i]->name);
	if (n > 5)
		buf_printf(&out, " and %u more", n - 5);
	if (c.stored)
		buf_printf(&out, "%swhoever calls it by its address", out.n ? ", " : "");
	if (e)
		buf_printf(&out, "%smodules (it is exported)", out.n ? ", " : "");
	return out.s;
}

static const struct vm_sym *symbol_of(struct kgr_build *b, const struct atom *a)
{
	const struct atom *old = a->twin;
	struct unit *u = unit_of_atom(b, a);
	const char *name = old->built ? old->built->sym->name : old->sym->name;

	if (!unit_is_target(u))
		return NULL;
	return atom_is_global(old) ? symtab_global(u->syms, name) :
		symtab_local(u->syms, u->vm_file, name);
}

static void check(struct kgr_build *b, const struct atom *a, const uint64_t *addrs)
{
	struct unit *u = unit_of_atom(b, a);
	const char *name = name_source(&b->arena, atom_name(a));
	const struct dw_func *old, *new;
	const struct vm_sym *s = symbol_of(b, a);
	struct where at = where_atom(a);
	char *who;

	old = u->dw_orig ? map_get(&u->dw_orig->funcs, name) : NULL;
	new = u->dw_patched ? map_get(&u->dw_patched->funcs, name) : NULL;
	if (!s || !old || !new || !old->proto || !new->proto || !strcmp(old->proto, new->proto) ||
	    harmless(old, new))
		return;
	who = outsiders(b, u->syms, s, addrs);
	if (*who)
		diag(&b->diag, D_SIGNATURE, &at, "it was %s, is %s; called by %s", old->proto,
		     new->proto, who);
}

int pass_signature(struct kgr_build *b)
{
	uint64_t *addrs = arena_alloc(&b->arena, (b->changed.n + 1) * sizeof(*addrs));

	for (size_t i = 0; i < b->changed.n; i++) {
		const struct vm_sym *s = b->changed.v[i]->twin ? symbol_of(b, b->changed.v[i]) : NULL;

		addrs[i] = s ? s->addr : 0;
	}
	for (size_t i = 0; i < b->changed.n; i++)
		if (b->changed.v[i]->twin)
			check(b, b->changed.v[i], addrs);
	return 0;
}
