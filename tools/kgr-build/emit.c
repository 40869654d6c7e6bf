// SPDX-License-Identifier: GPL-2.0
/* From the model to one object file with all that the module needs */
#include <elf.h>

#include "arch/x86/insn.h"
#include "author.h"
#include "closure.h"
#include "elf.h"
#include "kgr-build.h"
#include "late.h"
#include "names.h"
#include "special.h"

struct emitter {
	struct kgr_build *b;
	struct arena *a;
	struct obj out;
};

static struct sym *section_symbol(struct emitter *e, struct sect *s)
{
	struct sym sym = { .name = s->name, .type = STT_SECTION, .bind = STB_LOCAL, .sect = s };

	if (!s->sym)
		s->sym = obj_add_sym(&e->out, &sym);
	return s->sym;
}

static struct sect *out_section(struct emitter *e, const char *name, uint64_t flags, uint32_t type)
{
	struct sect *s = obj_find_sect(&e->out, name);
	struct sect new = {
		.name = name, .type = type, .align = 1,
		.flags = flags & ~(uint64_t)(SHF_MERGE | SHF_STRINGS | SHF_LINK_ORDER),
	};

	if (!s)
		s = obj_add_sect(&e->out, &new);
	s->flags |= flags & (SHF_WRITE | SHF_ALLOC | SHF_EXECINSTR);
	return s;
}

/* Entries of tables stand close together; other atoms keep their alignment */
static uint64_t alignment(const struct atom *a)
{
	uint64_t low = a->off & -a->off, align = a->sect->align ? a->sect->align : 1;

	if (a->sect->kind->cls == SECT_TABLE)
		return 1;
	return a->off && low < align ? low : align;
}

static void place(struct emitter *e, struct atom *a)
{
	struct sect *s = out_section(e, section_out_name(e->a, a->sect), a->sect->flags,
				     a->sect->type);
	uint64_t align = alignment(a), start = (s->size + align - 1) & ~(align - 1);
	bool code = s->flags & SHF_EXECINSTR;
	struct buf data = { .arena = e->a };

	if (s->align < a->sect->align)
		s->align = a->sect->align;
	a->out_sect = s;
	a->out_off = start;
	if (s->type != SHT_NOBITS) {
		uint8_t *all;

		if (s->size)
			buf_add(&data, s->data, s->size);
		while (data.n < start)
			buf_add(&data, code ? "\x90" : "", 1);
		all = arena_alloc(e->a, start + a->size + 1);
		if (data.n)
			memcpy(all, data.s, data.n);
		if (a->data)
			memcpy(all + start, a->data, a->size);
		s->data = all;
	}
	s->size = start + a->size;
}

static bool name_used(const struct emitter *e, const char *name)
{
	return obj_find_sym(&e->out, name) != NULL;
}

static char *new_name(struct emitter *e, const struct atom *a)
{
	char *base = arena_printf(e->a, "kgr_new_%s", name_identifier(e->a, atom_name(a)));
	char *name = base;

	for (unsigned int i = 2; name_used(e, name); i++)
		name = arena_printf(e->a, "%s_%u", base, i);
	return name;
}

static void make_symbol(struct emitter *e, struct atom *a)
{
	struct sym sym = {
		.value = a->out_off + a->entry, .size = a->size - a->entry, .sect = a->out_sect,
		.bind = STB_LOCAL,
	};

	if (!a->sym || a->same_source || a->out_sym)
		return;
	if (a->parent) {
		make_symbol(e, a->parent);
		sym.name = arena_printf(e->a, "%s.cold", a->parent->out_name);
	} else if (a->twin && a->sect->kind->cls == SECT_TEXT) {
		sym.name = new_name(e, a);
		sym.bind = STB_GLOBAL;
	} else if (author_callback(e->b, a)) {	/* generated code refers to it */
		sym.name = new_name(e, a);
		sym.bind = STB_GLOBAL;
	} else {
		sym.name = a->sym->name;
		sym.bind = a->sym->bind;
	}
	sym.type = a->sect->kind->cls == SECT_TEXT ? STT_FUNC : STT_OBJECT;
	a->out_name = sym.name;
	a->out_sym = obj_add_sym(&e->out, &sym);
}

static void make_xref_symbols(struct emitter *e)
{
	for (size_t i = 0; i < e->b->xrefs.n; i++) {
		struct sym sym = { .name = e->b->xrefs.v[i]->alias, .bind = STB_GLOBAL };

		e->b->xrefs.v[i]->out_sym = obj_add_sym(&e->out, &sym);
	}
}

/* objtool takes a jump to the symbol of a cold part for one to another function */
static int emit_ref(struct emitter *e, struct atom *from, const struct ref *r)
{
	struct atom *to = r->target;
	struct rela rela = { .offset = from->out_off + r->off, .type = r->type };

	if (r->xref) {
		rela.sym = r->xref->out_sym;
		rela.addend = r->addend - r->bias;
	} else if (to && to->out_sect && to->out_sym && from->sect->kind->cls != SECT_TABLE &&
		   !to->parent && r->addend == (int64_t)to->entry) {
		rela.sym = to->out_sym;
		rela.addend = -r->bias;
	} else if (to && to->out_sect) {
		rela.sym = section_symbol(e, to->out_sect);
		rela.addend = to->out_off + r->addend - r->bias;
	} else {
		return diag(&e->b->diag, D_INTERNAL, AT(.object = from->obj->path,
			    .function = atom_name(from)), "a reference to %s was lost",
			    to ? atom_name(to) : r->sym ? r->sym->name : "?");
	}
	vec_push(e->a, &from->out_sect->relas, rela);
	return 0;
}

/*
 * A static function that is only called has no ENDBR, and its replacement neither:
 * it is reached by a direct jump.  The module's table of functions takes its
 * address all the same, which objtool has to be told.
 */
static void annotate_noendbr(struct emitter *e, const struct atom *a)
{
	struct rela rela = { .type = R_X86_64_32, .sym = a->out_sym };
	struct sect *s;

	if (insn_is_endbr(a->data + a->entry, a->size - a->entry))
		return;
	s = out_section(e, ".discard.noendbr", 0, SHT_PROGBITS);
	rela.offset = s->size;
	s->size += 4;
	s->data = arena_alloc(e->a, s->size);
	vec_push(e->a, &s->relas, rela);
}

static int each_included(struct emitter *e, int (*fn)(struct emitter *e, struct atom *a))
{
	struct unit *u;

	vec_each(u, &e->b->units) {
		for (size_t i = 0; u->patched && i < u->patched->sects.n; i++) {
			struct sect *s = u->patched->sects.v[i];

			for (size_t k = 0; k < s->atoms.n; k++)
				if (s->atoms.v[k]->included && fn(e, s->atoms.v[k]))
					return -1;
		}
	}
	return 0;
}

static int place_atom(struct emitter *e, struct atom *a)
{
	place(e, a);
	return 0;
}

static int name_atom(struct emitter *e, struct atom *a)
{
	make_symbol(e, a);
	return 0;
}

static int emit_refs(struct emitter *e, struct atom *a)
{
	for (size_t i = 0; i < a->refs.n; i++)
		if (emit_ref(e, a, &a->refs.v[i]))
			return -1;
	return 0;
}

static size_t add_string(struct buf *text, const char *name)
{
	size_t at = text->n;

	if (name)
		buf_add(text, name, strlen(name) + 1);
	return name ? at : 0;
}

/* Names of private symbols, for the late relocations that postlink.c will make */
static void emit_strings(struct emitter *e)
{
	struct buf text = { .arena = e->a };
	struct sect *s;

	buf_add(&text, "", 1);
	for (size_t i = 0; i < e->b->xrefs.n; i++) {
		struct xref *x = e->b->xrefs.v[i];

		if (x->exported)
			continue;
		x->string = add_string(&text, x->name);
		x->obj_string = add_string(&text, x->objname);
		x->late_string = add_string(&text, x->late);
	}
	s = out_section(e, KGR_STRING_SECTION, SHF_ALLOC, SHT_PROGBITS);
	s->data = (uint8_t *)text.s;
	s->size = text.n;
	section_symbol(e, s);
}

/* The list of tables, so far only its end */
static void emit_late(struct emitter *e)
{
	struct sym sym = { .name = LATE_SYMBOL, .type = STT_OBJECT, .bind = STB_GLOBAL };

	if (!has_late(e->b))
		return;
	sym.sect = out_section(e, KGR_LATE_SECTION, SHF_ALLOC | SHF_WRITE, SHT_PROGBITS);
	sym.sect->align = 8;
	sym.sect->size = sizeof(struct kgr_late);
	sym.sect->data = arena_alloc(e->a, sym.sect->size);
	obj_add_sym(&e->out, &sym);
}

int pass_emit(struct kgr_build *b)
{
	struct emitter e = {
		.b = b, .a = &b->arena, .out = { .path = "kgr-diff.o", .arena = &b->arena },
	};
	struct sym file = { .name = b->patch_name, .type = STT_FILE, .bind = STB_LOCAL,
			    .shndx = SHN_ABS };
	struct atom **a;
	int err;

	obj_add_sym(&e.out, &file);
	each_included(&e, place_atom);
	each_included(&e, name_atom);
	make_xref_symbols(&e);
	if (each_included(&e, emit_refs))
		return -1;
	vec_each(a, &b->changed)
		annotate_noendbr(&e, *a);
	emit_strings(&e);
	emit_late(&e);
	err = make_dirs(b->module_dir);
	if (err)
		return io_error(b, b->module_dir, err);
	if (elf_write_rel(&b->diag, arena_printf(&b->arena, "%s/kgr-diff.o_shipped", b->module_dir),
			  &e.out)) {
		out_of_space(b, NULL);
		return -1;
	}
	return 0;
}
