// SPDX-License-Identifier: GPL-2.0
/*
 * The linked module: references to symbols that vmlinux doesn't export.
 *
 * The module loader can't resolve them, so each becomes an entry of .kgraft.relocs
 * (struct kgr_reloc), which kgraft applies before anything else of the module is
 * looked at.  The ordinary relocation turns into R_X86_64_NONE and the symbol into
 * an absolute one, which the loader leaves alone.  This happens after the link, so
 * what objtool has added (static call sites) is treated like everything else.
 */
#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "elf.h"
#include "kgr-build.h"
#include "postlink.h"

struct linker {
	struct diag *d;
	struct obj *ko;
	const struct map *privates;
	struct sect *strings;
	struct sect *relocs;
	struct buf data;
};

#define FAIL(l, ...)	diag((l)->d, D_POSTLINK, AT(.object = (l)->ko->path), __VA_ARGS__)

/* What the kernel side can apply */
static bool known_type(uint32_t type)
{
	switch (type) {
	case R_X86_64_64:
	case R_X86_64_32:
	case R_X86_64_32S:
	case R_X86_64_PC32:
	case R_X86_64_PLT32:
	case R_X86_64_PC64:
		return true;
	}
	return false;
}

static const struct xref *private_of(const struct linker *l, const struct sym *s)
{
	if (!s || s->sect || s->shndx != SHN_UNDEF)
		return NULL;
	return map_get(l->privates, s->name);
}

/* A symbol that the place can be given relative to */
static struct sym *anchor(struct linker *l, const struct sect *s)
{
	if (s->sym)
		return s->sym;
	for (size_t i = 0; i < l->ko->syms.n; i++)
		if (l->ko->syms.v[i]->sect == s)
			return l->ko->syms.v[i];
	return NULL;
}

static int add_entry(struct linker *l, const struct sect *s, const struct rela *r,
		     const struct xref *x)
{
	struct kgr_reloc entry = { .addend = r->addend, .type = r->type, .sympos = x->sympos };
	struct sym *base = anchor(l, s);
	uint64_t at = l->data.n;
	struct rela place = {
		.offset = at + offsetof(struct kgr_reloc, place), .type = R_X86_64_64, .sym = base,
		.addend = r->offset - (base ? base->value : 0),
	};
	struct rela name = {
		.offset = at + offsetof(struct kgr_reloc, name), .type = R_X86_64_64,
		.sym = l->strings->sym, .addend = x->string,
	};

	if (!base)
		return FAIL(l, "section %s has no symbol", s->name);
	if (!known_type(r->type))
		return FAIL(l, "relocation of type %u to %s in %s", r->type, x->name, s->name);
	if (!(s->flags & SHF_ALLOC))
		return FAIL(l, "a reference to %s in %s", x->name, s->name);
	buf_add(&l->data, &entry, sizeof(entry));
	vec_push(l->ko->arena, &l->relocs->relas, place);
	vec_push(l->ko->arena, &l->relocs->relas, name);
	return 0;
}

static int convert_section(struct linker *l, struct sect *s)
{
	struct rela *r;

	vec_each(r, &s->relas) {
		const struct xref *x = private_of(l, r->sym);

		if (!x)
			continue;
		if (add_entry(l, s, r, x))
			return -1;
		r->type = R_X86_64_NONE;
		r->sym = NULL;
		r->addend = 0;
	}
	return 0;
}

static int find_strings(struct linker *l)
{
	l->strings = obj_find_sect(l->ko, KGR_STRING_SECTION);
	if (!l->strings || !l->strings->sym)
		return FAIL(l, "it has lost its section %s", KGR_STRING_SECTION);
	if (obj_find_sect(l->ko, KGR_RELOC_SECTION))
		return FAIL(l, "it has a section %s already", KGR_RELOC_SECTION);
	return 0;
}

int postlink(struct diag *d, struct obj *ko, const struct map *privates)
{
	struct sect relocs = {
		.name = KGR_RELOC_SECTION, .type = SHT_PROGBITS, .flags = SHF_ALLOC | SHF_WRITE,
		.align = 8, .entsize = sizeof(struct kgr_reloc),
	};
	struct linker l = {
		.d = d, .ko = ko, .privates = privates, .data = { .arena = ko->arena },
	};
	size_t n = ko->sects.n;

	if (find_strings(&l))
		return -1;
	l.relocs = obj_add_sect(ko, &relocs);
	for (size_t i = 0; i < n; i++)
		if (convert_section(&l, ko->sects.v[i]))
			return -1;
	l.relocs->data = (uint8_t *)l.data.s;
	l.relocs->size = l.data.n;
	for (size_t i = 0; i < ko->syms.n; i++)
		if (private_of(&l, ko->syms.v[i]))
			ko->syms.v[i]->shndx = SHN_ABS;
	if (!l.data.n)		/* nothing private: no empty section */
		ko->sects.n--;
	return 0;
}

/* What is left for the loader must be something that it will find */
static int check_undefined(struct kgr_build *b, const struct obj *ko)
{
	int err = 0;

	for (size_t i = 0; i < ko->syms.n; i++) {
		const struct sym *s = ko->syms.v[i];

		if (s->sect || s->shndx != SHN_UNDEF || !*s->name)
			continue;
		if (!symtab_export(&b->vmlinux, s->name))
			err = diag(&b->diag, D_POSTLINK, AT(.object = ko->path),
				   "%s is undefined, and not exported", s->name);
	}
	return err;
}

static int save(struct kgr_build *b, struct obj *ko)
{
	char *linked = arena_printf(&b->arena, "%s/final.ko", b->module_dir);
	char *tmp = arena_printf(&b->arena, "%s.tmp%d", b->out_path, (int)getpid());
	struct obj check;
	int err;

	if (elf_write_rel(&b->diag, linked, ko)) {
		out_of_space(b, NULL);
		return -1;
	}
	if (elf_read(&b->diag, &b->arena, linked, ko->path, &check) || check_undefined(b, &check))
		return -1;
	if (run_interrupted(&b->diag))
		return -1;
	err = file_copy(linked, tmp);
	if (!err && rename(tmp, b->out_path))
		err = -errno;
	if (err) {
		unlink(tmp);
		return diag(&b->diag, D_IO, AT_FILE(b->out_path), "%s", strerror(-err));
	}
	b->written = true;
	return 0;
}

int pass_postlink(struct kgr_build *b)
{
	char *name = arena_printf(&b->arena, "%s.ko", b->module_name);
	char *path = arena_printf(&b->arena, "%s/%s", b->module_dir, name);
	struct map privates = { 0 };
	struct obj ko;

	if (elf_read(&b->diag, &b->arena, path, name, &ko))
		return -1;
	for (size_t i = 0; i < b->xrefs.n; i++)
		if (!b->xrefs.v[i]->exported)
			map_set(&b->arena, &privates, b->xrefs.v[i]->alias, b->xrefs.v[i]);
	if (postlink(&b->diag, &ko, &privates))
		return -1;
	return save(b, &ko);
}
