// SPDX-License-Identifier: GPL-2.0
/* What an object is part of: vmlinux, or a module of the tree */
#include "target.h"

bool unit_is_target(const struct unit *u)
{
	if (u->object->is_asm || u->object->is_text)
		return false;
	return u->object->kind == OBJECT_VMLINUX ||
		(u->object->kind == OBJECT_MODULE && u->object->module && u->object->module->name);
}

static struct symtab *module_symbols(struct kgr_build *b, const struct tree_module *m)
{
	struct symtab *st;

	for (size_t i = 0; i < b->modules.n; i++)
		if (!strcmp(b->modules.v[i]->objname, m->name))
			return b->modules.v[i];
	st = arena_alloc(&b->arena, sizeof(*st));
	if (symtab_open_module(&b->diag, &b->arena, st, &b->tree, m))
		return NULL;
	vec_push(&b->arena, &b->modules, st);
	return st;
}

int target_open(struct kgr_build *b, struct unit *u)
{
	u->syms = u->object->kind == OBJECT_VMLINUX ? &b->vmlinux :
		module_symbols(b, u->object->module);
	return u->syms ? 0 : -1;
}

/* Dependencies are recorded by the name of the file */
static const struct tree_module *find_module(const struct kgr_build *b, const char *file)
{
	for (size_t i = 0; i < b->tree.modules.cap; i++) {
		const struct tree_module *m = b->tree.modules.slots[i].value;

		if (m && !strcmp(path_base(m->path), file))
			return m;
	}
	return NULL;
}

const struct vm_sym *target_find(struct kgr_build *b, const struct unit *u, const char *name,
				 struct symtab **st)
{
	const struct vm_sym *s = symtab_global(u->syms, name);

	*st = u->syms;
	if (s || u->syms == &b->vmlinux)
		return s;
	*st = &b->vmlinux;
	s = symtab_global(*st, name);
	for (size_t i = 0; !s && i < u->syms->depends.n; i++) {
		const struct tree_module *m = find_module(b, u->syms->depends.v[i]);

		*st = m ? module_symbols(b, m) : NULL;
		if (*st && symtab_export(*st, name))
			s = symtab_global(*st, name);
	}
	return s;
}
