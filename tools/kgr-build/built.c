// SPDX-License-Identifier: GPL-2.0
/*
 * Is what was rebuilt from the original source what the tree, and vmlinux, hold?
 *
 * Everything that kgr-build concludes rests on it: a function that it calls
 * unchanged must be in vmlinux just as it was rebuilt.  The objects of the tree are
 * compiled without function sections, so the assembler has made some branches
 * shorter; apart from that, instruction follows instruction.
 */
#include <elf.h>

#include "arch/x86/insn.h"
#include "built.h"
#include "kgr-build.h"
#include "names.h"
#include "resolve.h"
#include "special.h"

#define NOWHERE	UINT64_MAX

struct side {
	struct atom *atom;
	uint64_t pos;
	size_t ref;		/* next reference */
	struct insn insn;
};

struct offsets {
	uint64_t built, orig;
};

struct walk {
	struct arena *a;
	struct side b, o;
	uint64_t *map;			/* offset of an instruction in built to that in orig */
	VEC(struct offsets) inner;	/* branches inside: where they must lead */
};

static bool step(struct side *s)
{
	const struct atom *a = s->atom;

	return !insn_decode(a->data + s->pos, a->size - s->pos, &s->insn);
}

/* The reference that the instruction makes, if it makes one more */
static const struct ref *next_ref(struct side *s)
{
	const struct atom *a = s->atom;

	while (s->ref < a->refs.n && a->refs.v[s->ref].off < s->pos)
		s->ref++;
	if (s->ref < a->refs.n && a->refs.v[s->ref].off < s->pos + s->insn.len)
		return &a->refs.v[s->ref++];
	return NULL;
}

static void expect(struct walk *w, int64_t built, int64_t orig)
{
	struct offsets e = { built, orig };

	vec_push(w->a, &w->inner, e);
}

static bool same_key(struct walk *w, const struct atom *x, const struct atom *y)
{
	return !strcmp(name_key(w->a, atom_name(x)), name_key(w->a, atom_name(y)));
}

/* Anonymous data is cut differently in the two objects: compare what both have */
static bool same_bytes(const struct ref *x, const struct ref *y)
{
	const struct atom *a = x->target, *b = y->target;

	if (x->addend < 0 || y->addend < 0 || (a->sym && b->sym))
		return x->addend == y->addend && a->size == b->size;
	for (uint64_t i = x->addend, k = y->addend; i < a->size && k < b->size; i++, k++)
		if ((a->data ? a->data[i] : 0) != (b->data ? b->data[k] : 0))
			return false;
	return true;
}

/*
 * One past the end of an array, or before its start: in a section that is shared
 * this looks like a reference to the neighbour.  The place tells.
 */
static bool same_place(const struct walk *w, const struct ref *x, const struct ref *y)
{
	const struct atom *t = x->target, *u = y->target;
	const struct atom *b = u->built;

	if (!b && u->sym) {
		const struct sym *s = obj_find_sym(w->b.atom->obj, u->sym->name);

		b = s ? s->atom : NULL;
	}
	return b && b->sect == t->sect &&
		(int64_t)t->off + x->addend == (int64_t)b->off + y->addend;
}

static bool same_target(struct walk *w, const struct ref *x, const struct ref *y)
{
	struct atom *t = x->target, *u = y->target;

	if (x->sym || y->sym)
		return x->sym && y->sym && x->addend == y->addend &&
			!strcmp(x->sym->name, y->sym->name);
	if (!t || !u)
		return t == u;
	if (atom_is_code(t) != atom_is_code(u))
		return false;
	if (t->sect->kind->cls == SECT_PIECE)
		return u->sect->kind->cls == SECT_PIECE;
	if (t == w->b.atom && u == w->o.atom) {
		expect(w, x->addend, y->addend);
		return true;
	}
	if (!u->size)			/* an empty struct: where it is means nothing */
		return true;
	if (t->sym && u->sym && !t->same_source && !u->same_source) {
		if (!same_key(w, t, u) || (u->built && u->built != t))
			return !atom_is_code(t) && same_place(w, x, y);
		u->built = t;
		return atom_is_code(t) || x->addend == y->addend;
	}
	return same_bytes(x, y);
}

/* Condition and kind of a direct branch, however long its offset is */
static unsigned int branch_kind(const struct side *s)
{
	const uint8_t *p = s->atom->data + s->pos + s->insn.opcode_at;

	if (*p == 0xe9 || *p == 0xeb)
		return 0x100;
	if ((*p & 0xf0) == 0x70 || (s->insn.opcode_at && (*p & 0xf0) == 0x80 && p[-1] == 0x0f))
		return 0x200 | (*p & 0xf);
	return *p;
}

static bool same_branch(struct walk *w)
{
	const struct ref *x = next_ref(&w->b), *y = next_ref(&w->o);
	const struct side *b = &w->b, *o = &w->o;

	if (branch_kind(b) != branch_kind(o) || !x != !y)
		return false;
	if (x)
		return same_target(w, x, y);
	expect(w, b->pos + b->insn.len +
	       insn_field(b->atom->data + b->pos, b->insn.imm_at, b->insn.imm_size),
	       o->pos + o->insn.len +
	       insn_field(o->atom->data + o->pos, o->insn.imm_at, o->insn.imm_size));
	return true;
}

/*
 * What a jump label owns: a jump to the compiler, and a nop once objtool has looked
 * at it, which it has in an object that is a module by itself.
 */
static bool is_label(const struct side *s)
{
	for (size_t i = 0; i < s->atom->entries.n; i++) {
		const struct atom *e = s->atom->entries.v[i];

		if (!strcmp(e->sect->name, "__jump_table") && e->refs.n &&
		    e->refs.v[0].addend == (int64_t)s->pos)
			return true;
	}
	return false;
}

static bool same_insn(struct walk *w)
{
	const uint8_t *p = w->b.atom->data + w->b.pos, *q = w->o.atom->data + w->o.pos;
	const struct ref *x, *y;

	if (is_label(&w->b) && is_label(&w->o))
		return true;
	if (w->b.insn.branch && w->o.insn.branch)
		return same_branch(w);
	if (w->b.insn.len != w->o.insn.len || memcmp(p, q, w->b.insn.len))
		return false;
	do {
		x = next_ref(&w->b);
		y = next_ref(&w->o);
		if (!x != !y || (x && !same_target(w, x, y)))
			return false;
	} while (x);
	return true;
}

bool built_same(struct arena *a, struct atom *built, struct atom *orig)
{
	struct walk w = {
		.a = a, .b = { .atom = built, .pos = built->entry },
		.o = { .atom = orig, .pos = orig->entry },
	};
	struct offsets *e;

	w.map = arena_alloc(a, (built->size + 1) * sizeof(*w.map));
	for (uint64_t i = 0; i <= built->size; i++)
		w.map[i] = NOWHERE;
	while (w.b.pos < built->size && w.o.pos < orig->size) {
		w.map[w.b.pos] = w.o.pos;
		if (!step(&w.b) || !step(&w.o) || !same_insn(&w))
			return false;
		w.b.pos += w.b.insn.len;
		w.o.pos += w.o.insn.len;
	}
	if (w.b.pos != built->size || w.o.pos != orig->size)
		return false;
	w.map[built->size] = orig->size;
	vec_each(e, &w.inner)
		if (e->built > built->size || w.map[e->built] != e->orig)
			return false;
	return true;
}

static void mask(uint8_t *hidden, uint64_t size, uint64_t at, uint64_t n)
{
	for (uint64_t i = at; i < at + n && i < size; i++)
		hidden[i] = 1;
}

static unsigned int field_size(uint32_t type)
{
	return type == R_X86_64_64 || type == R_X86_64_PC64 ? 8 : type == R_X86_64_PC8 ? 1 : 4;
}

/*
 * Places that relocations and jump labels own are left out: objtool turns some
 * jump labels into nops when vmlinux is linked.
 */
bool built_in_vmlinux(const struct symtab *st, const struct atom *built, const struct vm_sym *s)
{
	uint64_t size = built->size - built->entry;
	const uint8_t *there = symtab_bytes(st, s->addr, size);
	struct arena tmp = { 0 };
	uint8_t *hidden = arena_alloc(&tmp, built->size + 1);
	bool same = there && s->size == size;

	for (size_t i = 0; i < built->refs.n; i++)
		mask(hidden, built->size, built->refs.v[i].off, field_size(built->refs.v[i].type));
	for (size_t i = 0; i < built->entries.n; i++)
		if (!strcmp(built->entries.v[i]->sect->name, "__jump_table"))
			mask(hidden, built->size, built->entries.v[i]->refs.v[0].addend, 5);
	for (uint64_t i = 0; same && i < size; i++)
		same = hidden[built->entry + i] || there[i] == built->data[built->entry + i];
	arena_free(&tmp);
	return same;
}

static struct atom *find_built(struct arena *a, struct obj *built, const struct atom *orig)
{
	struct sym *s = obj_find_sym(built, atom_name(orig));
	struct atom *found = NULL;
	char *key;

	if (s && s->atom && atom_is_code(s->atom))
		return s->atom;
	key = name_key(a, atom_name(orig));
	for (size_t i = 0; i < built->syms.n; i++) {
		s = built->syms.v[i];
		if (s->atom && atom_is_code(s->atom) && !strcmp(name_key(a, s->name), key)) {
			if (found)
				return NULL;
			found = s->atom;
		}
	}
	return found;
}

static void check_function(struct kgr_build *b, struct unit *u, struct atom *a)
{
	struct atom *built = find_built(&b->arena, u->built, a);
	struct where at = where_atom(a);

	if (!built || !built_same(&b->arena, built, a)) {
		diag(&b->diag, D_TREE_STALE, &at, "%s", built ?
		     "compiled again from its original source, this function is another one" :
		     "this function isn't in the tree's object");
		return;
	}
	a->built = built;
}

/*
 * All functions that stay in memory are compared, not only those that change:
 * another one could have a changed one inlined in vmlinux, and not here.
 */
int pass_built(struct kgr_build *b)
{
	struct unit *u;

	vec_each(u, &b->units) {
		if (!u->built || !u->differs)
			continue;
		for (size_t i = 0; i < u->orig->sects.n; i++) {
			struct sect *s = u->orig->sects.v[i];

			if (!s->kind || s->kind->cls != SECT_TEXT)
				continue;
			for (size_t k = 0; k < s->atoms.n; k++)
				if (s->atoms.v[k]->sym)
					check_function(b, u, s->atoms.v[k]);
		}
	}
	return 0;
}
