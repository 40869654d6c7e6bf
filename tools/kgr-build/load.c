// SPDX-License-Identifier: GPL-2.0
/* From an object file to the model: sections are split into atoms */
#include <elf.h>
#include <stdlib.h>

#include "arch/x86/insn.h"
#include "elf.h"
#include "kgr-build.h"
#include "load.h"
#include "names.h"
#include "special.h"

#define MAX_PADDING	64	/* before a function, by -fpatchable-function-entry */

struct loader {
	struct diag *d;
	struct arena *a;
	struct obj *o;
	bool is_asm;
};

#define WHERE(l)	AT(.object = (l)->o->path)

static bool is_code(const struct sect *s)
{
	return s->flags & SHF_EXECINSTR;
}

static bool pc_relative(uint32_t type)
{
	return type == R_X86_64_PC32 || type == R_X86_64_PLT32 || type == R_X86_64_PC64 ||
		type == R_X86_64_PC8;
}

static struct atom *add_atom(struct loader *l, struct sect *s, uint64_t off, uint64_t size,
			     struct sym *sym)
{
	struct atom *at = arena_alloc(l->a, sizeof(*at));

	at->obj = l->o;
	at->sect = s;
	at->off = off;
	at->size = size;
	at->data = s->data ? s->data + off : NULL;
	at->sym = sym;
	at->entry = sym ? sym->value - off : 0;
	at->same_source = s->kind->cls == SECT_POOL ||
		(s->kind->cls == SECT_CONST && (!sym || name_disposable(sym->name)));
	vec_push(l->a, &s->atoms, at);
	return at;
}

/* Symbols that begin an atom of @s, by address; the one with the better name first */
static int by_value(const void *a, const void *b)
{
	const struct sym *x = *(struct sym * const *)a, *y = *(struct sym * const *)b;

	if (x->value != y->value)
		return x->value < y->value ? -1 : 1;
	if (x->size != y->size)		/* empty structs have an address, and it is another's */
		return x->size > y->size ? -1 : 1;
	if (x->bind != y->bind)
		return x->bind == STB_GLOBAL ? -1 : y->bind == STB_GLOBAL ? 1 : 0;
	return x->index < y->index ? -1 : 1;
}

static bool begins_atom(const struct sect *s, const struct sym *sym)
{
	if (sym->sect != s || sym->type == STT_SECTION || sym->type == STT_FILE ||
	    str_starts(sym->name, ".L"))
		return false;
	if (is_code(s))
		return sym->type == STT_FUNC && !str_starts(sym->name, "__pfx_");
	return true;
}

static struct sym **sorted_symbols(struct loader *l, struct sect *s, size_t *n)
{
	VEC(struct sym *) v = { 0 };

	for (size_t i = 0; i < l->o->syms.n; i++)
		if (begins_atom(s, l->o->syms.v[i]))
			vec_push(l->a, &v, l->o->syms.v[i]);
	if (v.n)
		qsort(v.v, v.n, sizeof(*v.v), by_value);
	*n = v.n;
	return v.v;
}

/* Where the padding of the function at @value begins, not before @floor */
static uint64_t padded_start(const struct sect *s, uint64_t value, uint64_t floor)
{
	for (size_t i = 0; i < s->pads.n; i++)
		if (s->pads.v[i] >= floor && s->pads.v[i] <= value &&
		    value - s->pads.v[i] <= MAX_PADDING)
			return s->pads.v[i];
	return value;
}

static bool all_zero(const uint8_t *p, uint64_t n)
{
	while (n && !*p) {
		p++;
		n--;
	}
	return !n;
}

/* What lies between two atoms is alignment, or else an atom without a name */
static void fill_gap(struct loader *l, struct sect *s, uint64_t from, uint64_t to)
{
	struct rela *r;
	bool used = false;

	if (from >= to || !s->data)
		return;
	vec_each(r, &s->relas)
		used |= r->offset >= from && r->offset < to;
	if (!used && is_code(s) && insn_padding(s->data + from, to - from) == to - from)
		return;
	if (!used && !is_code(s) && all_zero(s->data + from, to - from))
		return;
	add_atom(l, s, from, to - from, NULL);
}

static void split_by_symbols(struct loader *l, struct sect *s)
{
	struct atom *last = NULL;
	uint64_t end = 0;
	struct sym **syms;
	size_t n;

	syms = sorted_symbols(l, s, &n);
	for (size_t i = 0; i < n; i++) {
		uint64_t start = is_code(s) ? padded_start(s, syms[i]->value, end) : syms[i]->value;
		uint64_t stop = syms[i]->value + syms[i]->size;

		if (stop > s->size)
			stop = s->size;
		if (last && (start < end || syms[i]->value == last->off + last->entry)) {
			syms[i]->atom = last;		/* another name, or an inner symbol */
			if (stop > end) {
				last->size = stop - last->off;
				end = stop;
			}
			continue;
		}
		if (!syms[i]->size && i + 1 < n)	/* assembler doesn't tell: up to the next */
			stop = syms[i + 1]->value;
		else if (!syms[i]->size)
			stop = s->size;
		fill_gap(l, s, end, start);
		last = add_atom(l, s, start, stop - start, syms[i]);
		syms[i]->atom = last;
		end = stop;
	}
	fill_gap(l, s, end, s->size);
}

static int split_by_size(struct loader *l, struct sect *s, uint64_t size)
{
	if (s->size && (!size || s->size % size))
		return diag(l->d, D_SECTION_TABLE, WHERE(l), "%s: %llu bytes in entries of %llu",
			    s->name, (unsigned long long)s->size, (unsigned long long)size);
	for (uint64_t off = 0; off < s->size; off += size)
		add_atom(l, s, off, size, NULL);
	return 0;
}

static void split_strings(struct loader *l, struct sect *s)
{
	uint64_t off = 0;

	while (off < s->size) {
		const uint8_t *end = memchr(s->data + off, 0, s->size - off);
		uint64_t size = end ? (uint64_t)(end - s->data) + 1 - off : s->size - off;

		add_atom(l, s, off, size, NULL);
		off += size;
	}
}

/* Those that need to know what leads to them are split later */
static bool split_at_targets(const struct sect *s)
{
	return s->kind->cls == SECT_PIECE || (s->kind->cls == SECT_CONST && !s->atoms.n);
}

static int split(struct loader *l, struct sect *s)
{
	if (!s->kind)
		return 0;
	if (!s->data && s->size && (s->kind->cls == SECT_TABLE || s->kind->cls == SECT_POOL))
		return diag(l->d, D_ELF, WHERE(l), "section %s has no content", s->name);
	switch (s->kind->cls) {
	case SECT_DROP:
	case SECT_PIECE:
		return 0;
	case SECT_TABLE:
		return split_by_size(l, s, s->kind->entsize);
	case SECT_POOL:
		if ((s->flags & SHF_STRINGS) && s->entsize == 1)
			split_strings(l, s);
		else
			return split_by_size(l, s, s->entsize);
		return 0;
	default:
		split_by_symbols(l, s);
		if (s->kind->cls == SECT_CONST && s->atoms.n == 1 && !s->atoms.v[0]->sym)
			s->atoms.n = 0;
		return 0;
	}
}

static int by_offset(const void *a, const void *b)
{
	const struct rela *x = a, *y = b;

	return x->offset < y->offset ? -1 : x->offset > y->offset;
}

static int by_number(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void find_pads(struct loader *l)
{
	for (size_t i = 0; i < l->o->sects.n; i++) {
		struct sect *s = l->o->sects.v[i];
		struct rela *r;

		if (strcmp(s->name, "__patchable_function_entries"))
			continue;
		vec_each(r, &s->relas)
			if (r->sym && r->sym->sect &&
			    r->sym->value + r->addend <= r->sym->sect->size)
				vec_push(l->a, &r->sym->sect->pads, r->sym->value + r->addend);
	}
	for (size_t i = 0; i < l->o->sects.n; i++)
		if (l->o->sects.v[i]->pads.n)
			qsort(l->o->sects.v[i]->pads.v, l->o->sects.v[i]->pads.n,
			      sizeof(uint64_t), by_number);
}

/* A branch or %rip-relative access that the assembler has resolved by itself */
static void add_resolved(struct loader *l, struct sect *s, const struct atom *at, uint64_t pos,
			 const struct insn *insn, relavec *extra)
{
	unsigned int field = insn->branch ? insn->imm_at : insn->disp_at;
	unsigned int size = insn->branch ? insn->imm_size : insn->disp_size;
	int64_t target = pos + insn->len + insn_field(s->data + pos, field, size);
	struct rela r = {
		.offset = pos + field,
		.type = size == 1 ? R_X86_64_PC8 : insn->branch ? R_X86_64_PLT32 : R_X86_64_PC32,
		.tsect = s, .toff = target, .bias = insn->len - field, .branch = insn->branch,
	};
	bool inside = target >= (int64_t)at->off && target < (int64_t)(at->off + at->size);
	bool recursion = at->sym && size == 4 && target == (int64_t)(at->off + at->entry);

	if (!inside || recursion)
		vec_push(l->a, extra, r);
}

/*
 * Walks the instructions of @at: PC-relative relocations learn from where they
 * count, and branches that leave the atom without a relocation get one.
 */
static int decode(struct loader *l, struct sect *s, const struct atom *at, size_t *next,
		  relavec *extra)
{
	uint64_t pos = at->off, end = at->off + at->size;

	while (pos < end) {
		struct insn insn;
		bool has_rela = false;

		if (insn_decode(s->data + pos, end - pos, &insn)) {
			if (l->is_asm)
				return 0;
			return diag(l->d, D_INSN,
				    AT(.object = l->o->path, .function = atom_name(at)),
				    "at offset 0x%llx of %s", (unsigned long long)pos, s->name);
		}
		while (*next < s->relas.n && s->relas.v[*next].offset < pos)
			(*next)++;
		for (; *next < s->relas.n && s->relas.v[*next].offset < pos + insn.len; (*next)++) {
			struct rela *r = &s->relas.v[*next];

			has_rela = true;
			r->branch = insn.branch;
			if (pc_relative(r->type))
				r->bias = pos + insn.len - r->offset;
		}
		if (!has_rela && (insn.branch || insn.rip_relative))
			add_resolved(l, s, at, pos, &insn, extra);
		pos += insn.len;
	}
	return 0;
}

static int decode_section(struct loader *l, struct sect *s)
{
	struct atom whole = { .sect = s, .size = s->size };
	relavec extra = { 0 };
	struct rela *r;
	size_t next = 0;

	vec_each(r, &s->relas)
		r->bias = pc_relative(r->type) ? 4 : 0;
	if (s->kind->cls == SECT_PIECE) {
		if (decode(l, s, &whole, &next, &extra))
			return -1;
	} else {
		for (size_t i = 0; i < s->atoms.n; i++)
			if (decode(l, s, s->atoms.v[i], &next, &extra))
				return -1;
	}
	vec_each(r, &extra)
		vec_push(l->a, &s->relas, *r);
	if (extra.n)
		qsort(s->relas.v, s->relas.n, sizeof(*s->relas.v), by_offset);
	return 0;
}

static int find_targets(struct loader *l)
{
	for (size_t i = 0; i < l->o->sects.n; i++) {
		struct sect *s = l->o->sects.v[i];
		struct rela *r;

		if (!s->kind || s->kind->cls == SECT_DROP || !s->data)
			continue;
		if (s->relas.n)
			qsort(s->relas.v, s->relas.n, sizeof(*s->relas.v), by_offset);
		if (is_code(s) && decode_section(l, s))
			return -1;
		vec_each(r, &s->relas) {
			if (!r->sym || !r->sym->sect)
				continue;
			r->tsect = r->sym->sect;
			r->toff = r->sym->value + r->addend + r->bias;
		}
	}
	return 0;
}

static void split_targets(struct loader *l)
{
	for (size_t i = 0; i < l->o->sects.n; i++) {
		struct sect *from = l->o->sects.v[i];
		struct rela *r;

		if (!from->kind || from->kind->cls == SECT_DROP)
			continue;
		vec_each(r, &from->relas)
			if (r->tsect && r->tsect->kind && split_at_targets(r->tsect) &&
			    r->toff >= 0 && r->toff < (int64_t)r->tsect->size)
				vec_push(l->a, &r->tsect->pads, r->toff);
	}
	for (size_t i = 0; i < l->o->sects.n; i++) {
		struct sect *s = l->o->sects.v[i];

		if (!s->kind || !s->size || !split_at_targets(s))
			continue;
		vec_push(l->a, &s->pads, 0);
		qsort(s->pads.v, s->pads.n, sizeof(*s->pads.v), by_number);
		for (size_t k = 0; k < s->pads.n; k++) {
			uint64_t end = k + 1 < s->pads.n ? s->pads.v[k + 1] : s->size;

			if (end > s->pads.v[k])
				add_atom(l, s, s->pads.v[k], end - s->pads.v[k], NULL);
		}
	}
}

static struct atom *target_atom(const struct rela *r)
{
	if (!r->tsect || !r->tsect->kind)
		return NULL;
	if (r->sym && r->sym->atom && r->sym->type != STT_SECTION)
		return r->sym->atom;
	return sect_atom_at(r->tsect, r->toff < 0 ? 0 : r->toff);
}

/* The field of a resolved branch holds a distance in the old section: forget it */
static void clear_field(struct loader *l, struct atom *at, const struct rela *r)
{
	uint64_t off = r->offset - at->off, size = r->type == R_X86_64_PC8 ? 1 : 4;

	if (off + size > at->size || !at->data)
		return;
	if (!at->own_data) {
		at->own_data = arena_memdup(l->a, at->data, at->size);
		at->data = at->own_data;
	}
	memset(at->own_data + off, 0, size);
}

static int add_ref(struct loader *l, struct sect *s, const struct rela *r)
{
	struct atom *at = sect_atom_at(s, r->offset), *target = target_atom(r);
	struct ref ref = {
		.type = r->type, .bias = r->bias, .branch = r->branch, .target = target,
	};

	if (!at || r->offset >= at->off + at->size || r->type == R_X86_64_NONE)
		return 0;
	ref.off = r->offset - at->off;
	if (target) {
		ref.addend = r->toff - (int64_t)target->off;
	} else if (r->sym && !r->sym->sect) {
		ref.sym = r->sym;
		ref.addend = r->addend + r->bias;
	} else if (s->kind->cls != SECT_DROP) {
		return diag(l->d, D_ELF, AT(.object = l->o->path, .function = atom_name(at)),
			    "a reference leads to section %s", r->tsect ? r->tsect->name : "?");
	}
	if (!r->sym)
		clear_field(l, at, r);
	vec_push(l->a, &at->refs, ref);
	return 0;
}

static int add_refs(struct loader *l)
{
	for (size_t i = 0; i < l->o->sects.n; i++) {
		struct sect *s = l->o->sects.v[i];
		struct rela *r;

		if (!s->kind || !s->atoms.n)
			continue;
		vec_each(r, &s->relas)
			if (add_ref(l, s, r))
				return -1;
	}
	return 0;
}

static int assign_entries(struct loader *l)
{
	for (size_t i = 0; i < l->o->sects.n; i++) {
		struct sect *s = l->o->sects.v[i];

		if (!s->kind || s->kind->cls != SECT_TABLE)
			continue;
		for (size_t k = 0; k < s->atoms.n; k++) {
			struct atom *e = s->atoms.v[k];

			if (!e->refs.n || e->refs.v[0].off || !e->refs.v[0].target)
				return diag(l->d, D_SECTION_TABLE, WHERE(l),
					    "%s: entry %zu belongs to no function", s->name, k);
			e->owner = e->refs.v[0].target;
			vec_push(l->a, &e->owner->entries, e);
		}
	}
	return 0;
}

/* foo.cold is a part of foo, not a function */
static void find_cold(struct loader *l)
{
	for (size_t i = 0; i < l->o->syms.n; i++) {
		struct atom *cold = l->o->syms.v[i]->atom;
		struct sym *parent;
		char *name;

		if (!cold || cold->sym != l->o->syms.v[i] || !atom_is_code(cold))
			continue;
		name = name_cold_parent(l->a, cold->sym->name);
		parent = name ? obj_find_sym(l->o, name) : NULL;
		if (parent && parent->atom && parent->atom != cold) {
			cold->parent = parent->atom;
			parent->atom->cold = cold;
		}
	}
}

/* Everything after this relies on symbols being inside their sections */
static int check_symbols(struct loader *l)
{
	for (size_t i = 0; i < l->o->syms.n; i++) {
		const struct sym *s = l->o->syms.v[i];

		if (s->sect && (s->value > s->sect->size || s->size > s->sect->size - s->value))
			return diag(l->d, D_ELF, WHERE(l), "symbol %s reaches out of section %s",
				    s->name, s->sect->name);
	}
	return 0;
}

int load_object(struct diag *d, struct arena *a, const char *path, const char *name, bool is_asm,
		struct obj *o)
{
	struct loader l = { .d = d, .a = a, .o = o, .is_asm = is_asm };

	if (elf_read(d, a, path, name, o) || check_symbols(&l))
		return -1;
	for (size_t i = 0; i < o->sects.n; i++)
		o->sects.v[i]->kind = section_kind(o->sects.v[i]);
	find_pads(&l);
	for (size_t i = 0; i < o->sects.n; i++)
		if (split(&l, o->sects.v[i]))
			return -1;
	if (find_targets(&l))
		return -1;
	split_targets(&l);
	if (add_refs(&l) || assign_entries(&l))
		return -1;
	find_cold(&l);
	return 0;
}

int pass_load(struct kgr_build *b)
{
	struct unit *u;

	vec_each(u, &b->units) {
		if (u->object->is_text)
			continue;
		u->orig = arena_alloc(&b->arena, sizeof(*u->orig));
		u->patched = arena_alloc(&b->arena, sizeof(*u->patched));
		if (load_object(&b->diag, &b->arena, u->orig_path, u->object->path,
				u->object->is_asm, u->orig) ||
		    load_object(&b->diag, &b->arena, u->patched_path, u->object->path,
				u->object->is_asm, u->patched))
			return -1;
	}
	return 0;
}
