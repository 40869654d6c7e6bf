// SPDX-License-Identifier: GPL-2.0
/* The model: small helpers that every pass needs */
#include <elf.h>

#include "model.h"
#include "special.h"

const char *pairing_text(enum pairing how)
{
	static const char * const texts[] = {
#define X(name, text)	[PAIRED_##name] = text,
		PAIRINGS(X)
#undef X
	};

	return texts[how];
}

bool atom_is_code(const struct atom *a)
{
	const struct sect_kind *kind = a->sect->kind;

	return kind && (kind->cls == SECT_TEXT || kind->cls == SECT_PIECE);
}

bool atom_is_global(const struct atom *a)
{
	return a->sym && a->sym->bind != STB_LOCAL;
}

struct sym *obj_add_sym(struct obj *o, const struct sym *sym)
{
	struct sym *s = arena_memdup(o->arena, sym, sizeof(*sym));

	vec_push(o->arena, &o->syms, s);
	return s;
}

struct sect *obj_add_sect(struct obj *o, const struct sect *sect)
{
	struct sect *s = arena_memdup(o->arena, sect, sizeof(*sect));

	vec_push(o->arena, &o->sects, s);
	return s;
}

struct sect *obj_find_sect(const struct obj *o, const char *name)
{
	for (size_t i = 0; i < o->sects.n; i++)
		if (!strcmp(o->sects.v[i]->name, name))
			return o->sects.v[i];
	return NULL;
}

struct sym *obj_find_sym(const struct obj *o, const char *name)
{
	for (size_t i = 0; i < o->syms.n; i++)
		if (!strcmp(o->syms.v[i]->name, name))
			return o->syms.v[i];
	return NULL;
}

struct atom *sect_atom_at(const struct sect *s, uint64_t off)
{
	size_t lo = 0, hi = s->atoms.n;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (s->atoms.v[mid]->off <= off)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo ? s->atoms.v[lo - 1] : s->atoms.n ? s->atoms.v[0] : NULL;
}
