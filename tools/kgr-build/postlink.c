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
#include "late.h"
#include "postlink.h"
#include "sha256.h"

#define FAIL(to, ...)	diag((to)->d, D_POSTLINK, AT(.object = (to)->ko->path), __VA_ARGS__)

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

const struct xref *private_of(const struct map *privates, const struct sym *s)
{
	if (!s || s->sect || s->shndx != SHN_UNDEF)
		return NULL;
	return map_get(privates, s->name);
}

/* A symbol that the place can be given relative to */
static struct sym *anchor(const struct obj *ko, const struct sect *s)
{
	if (s->sym)
		return s->sym;
	for (size_t i = 0; i < ko->syms.n; i++)
		if (ko->syms.v[i]->sect == s)
			return ko->syms.v[i];
	return NULL;
}

static void point_to_string(const struct records *to, size_t field, size_t string)
{
	struct rela r = {
		.offset = to->data.n + field, .type = R_X86_64_64, .sym = to->strings->sym,
		.addend = string,
	};

	vec_push(to->ko->arena, &to->sect->relas, r);
}

int add_record(struct records *to, const struct sect *s, const struct rela *r,
	       const struct xref *x)
{
	struct kgr_reloc entry = { .addend = r->addend, .type = r->type, .sympos = x->sympos };
	struct sym *base = anchor(to->ko, s);
	struct rela place = {
		.offset = to->data.n + offsetof(struct kgr_reloc, place), .type = R_X86_64_64,
		.sym = base, .addend = r->offset - (base ? base->value : 0),
	};

	if (!base)
		return FAIL(to, "section %s has no symbol", s->name);
	if (!known_type(r->type))
		return FAIL(to, "relocation of type %u to %s in %s", r->type, x->name, s->name);
	if (!(s->flags & SHF_ALLOC))
		return FAIL(to, "a reference to %s in %s", x->name, s->name);
	vec_push(to->ko->arena, &to->sect->relas, place);
	point_to_string(to, offsetof(struct kgr_reloc, name), x->string);
	if (x->objname)
		point_to_string(to, offsetof(struct kgr_reloc, objname), x->obj_string);
	buf_add(&to->data, &entry, sizeof(entry));
	return 0;
}

void drop_rela(struct rela *r)
{
	r->type = R_X86_64_NONE;
	r->sym = NULL;
	r->addend = 0;
}

static int convert_section(struct records *to, const struct map *privates, struct sect *s)
{
	struct rela *r;

	vec_each(r, &s->relas) {
		const struct xref *x = private_of(privates, r->sym);

		if (!x)
			continue;
		if (add_record(to, s, r, x))
			return -1;
		drop_rela(r);
	}
	return 0;
}

static int convert(struct records *to, const struct map *privates)
{
	struct sect relocs = {
		.name = KGR_RELOC_SECTION, .type = SHT_PROGBITS, .flags = SHF_ALLOC | SHF_WRITE,
		.align = 8, .entsize = sizeof(struct kgr_reloc),
	};
	size_t n = to->ko->sects.n;

	if (obj_find_sect(to->ko, KGR_RELOC_SECTION))
		return FAIL(to, "it has a section %s already", KGR_RELOC_SECTION);
	to->sect = obj_add_sect(to->ko, &relocs);
	for (size_t i = 0; i < n; i++)
		if (convert_section(to, privates, to->ko->sects.v[i]))
			return -1;
	to->sect->data = (uint8_t *)to->data.s;
	to->sect->size = to->data.n;
	if (!to->data.n)		/* nothing private: no empty section */
		to->ko->sects.n--;
	return 0;
}

int postlink(struct diag *d, struct obj *ko, const struct map *privates)
{
	struct records to = {
		.d = d, .ko = ko, .strings = obj_find_sect(ko, KGR_STRING_SECTION),
		.data = { .arena = ko->arena },
	};

	if (!to.strings || !to.strings->sym)
		return FAIL(&to, "it has lost its section %s", KGR_STRING_SECTION);
	if (late_split(d, ko, to.strings, privates) || convert(&to, privates))
		return -1;
	for (size_t i = 0; i < ko->syms.n; i++)
		if (private_of(privates, ko->syms.v[i]))
			ko->syms.v[i]->shndx = SHN_ABS;
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
	size_t size;
	char *data;
	int err;

	if (elf_write_rel(&b->diag, linked, ko)) {
		out_of_space(b, NULL);
		return -1;
	}
	if (elf_read(&b->diag, &b->arena, linked, ko->path, &check) || check_undefined(b, &check))
		return -1;
	if (sign_module(b, linked) || run_interrupted(&b->diag))
		return -1;
	err = file_read(&b->arena, linked, &data, &size);
	if (!err)
		err = file_copy(linked, tmp);
	if (!err && rename(tmp, b->out_path))
		err = -errno;
	if (err) {
		unlink(tmp);
		return diag(&b->diag, D_IO, AT_FILE(b->out_path), "%s", strerror(-err));
	}
	b->sha256 = sha256_hex(&b->arena, data, size);
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
