// SPDX-License-Identifier: GPL-2.0
/*
 * In a module, a struct kgr_patch is recognised by its first two members: a name and
 * THIS_MODULE, which are relocations one behind the other.  What it begins with, and
 * what each of its functions begins with, is the interface for patch authors in
 * include/linux/kgraft.h; what comes between is the kernel's own and holds no
 * relocations.
 */
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "notes.h"
#include "patchfile.h"

enum {
	PATCH_OWNER	= 8,
	PATCH_PRIVATE	= 96,	/* behind on_timeout; the functions are later */

	FUN_NEW		= 8,
	FUN_OBJNAME	= 16,
	FUN_SYMPOS	= 24,
	FUN_PUBLIC	= 40,
};

struct file {
	Elf *elf;
	Elf_Data *symbols;
	size_t names;		/* section of their names */
	/* of the section being looked at */
	Elf_Data *data;
	GElf_Rela *rels;
	size_t n;
};

static int by_offset(const void *a, const void *b)
{
	const GElf_Rela *x = a, *y = b;

	return x->r_offset < y->r_offset ? -1 : x->r_offset > y->r_offset;
}

static const GElf_Rela *rel_at(const struct file *f, uint64_t offset)
{
	GElf_Rela key = { .r_offset = offset };

	return bsearch(&key, f->rels, f->n, sizeof(key), by_offset);
}

static bool symbol_of(const struct file *f, const GElf_Rela *rel, GElf_Sym *sym)
{
	return rel && GELF_R_TYPE(rel->r_info) == R_X86_64_64 &&
	       gelf_getsym(f->symbols, (int)GELF_R_SYM(rel->r_info), sym);
}

/* The text that a pointer leads to, NULL when it leads elsewhere */
static const char *string_of(const struct file *f, const GElf_Rela *rel)
{
	GElf_Sym sym;
	GElf_Shdr shdr;
	Elf_Scn *scn;
	Elf_Data *data;
	uint64_t at;

	if (!symbol_of(f, rel, &sym))
		return NULL;
	scn = elf_getscn(f->elf, sym.st_shndx);
	if (!scn || !gelf_getshdr(scn, &shdr) || shdr.sh_flags & SHF_EXECINSTR)
		return NULL;
	data = elf_getdata(scn, NULL);
	at = sym.st_value + (uint64_t)rel->r_addend;
	if (!data || !data->d_buf || at >= data->d_size ||
	    !memchr((char *)data->d_buf + at, 0, data->d_size - at))
		return NULL;
	return (char *)data->d_buf + at;
}

static bool is_code(const struct file *f, const GElf_Rela *rel)
{
	GElf_Sym sym;
	GElf_Shdr shdr;
	Elf_Scn *scn;

	if (!symbol_of(f, rel, &sym))
		return false;
	scn = elf_getscn(f->elf, sym.st_shndx);
	return scn && gelf_getshdr(scn, &shdr) && shdr.sh_flags & SHF_EXECINSTR;
}

static bool is_this_module(const struct file *f, const GElf_Rela *rel)
{
	const char *name;
	GElf_Sym sym;

	if (!symbol_of(f, rel, &sym))
		return false;
	name = elf_strptr(f->elf, f->names, sym.st_name);
	return name && !strcmp(name, "__this_module");
}

/* Where the variable that holds @offset ends */
static uint64_t end_of(const struct file *f, size_t section, uint64_t offset)
{
	GElf_Sym sym;

	for (int i = 0; gelf_getsym(f->symbols, i, &sym); i++)
		if (sym.st_shndx == section && GELF_ST_TYPE(sym.st_info) == STT_OBJECT &&
		    sym.st_value <= offset && offset < sym.st_value + sym.st_size)
			return sym.st_value + sym.st_size;
	return f->data->d_size;
}

static int take_functions(const struct file *f, uint64_t start, uint64_t end,
			  struct kgr_patch *patch)
{
	int ret = 0;

	for (size_t i = 0; !ret && i < f->n; i++) {
		uint64_t at = f->rels[i].r_offset;
		const char *name, *object;
		uint64_t sympos;

		if (at < start || at + FUN_PUBLIC > end || at + FUN_PUBLIC > f->data->d_size)
			continue;
		name = string_of(f, &f->rels[i]);
		if (!name || !is_code(f, rel_at(f, at + FUN_NEW)))
			continue;
		object = string_of(f, rel_at(f, at + FUN_OBJNAME));
		memcpy(&sympos, (char *)f->data->d_buf + at + FUN_SYMPOS, sizeof(sympos));
		ret = kgr_patch_add_func(patch, &(struct kgr_patch_func) {
			.name = (char *)name,
			.object = (char *)(object ? object : "vmlinux"),
			.sympos = (int64_t)sympos,
		});
	}
	return ret;
}

static int look_into(struct file *f, size_t section, struct kgr_patch *patch)
{
	int ret;

	for (size_t i = 0; i < f->n; i++) {
		uint64_t at = f->rels[i].r_offset;

		if (at < PATCH_OWNER || !is_this_module(f, &f->rels[i]) ||
		    !string_of(f, rel_at(f, at - PATCH_OWNER)))
			continue;
		at -= PATCH_OWNER;
		ret = take_functions(f, at + PATCH_PRIVATE, end_of(f, section, at), patch);
		if (ret)
			return ret;
	}
	/* none: it fills them in when it is loaded */
	return patch->func_count ? 0 : -ENOENT;
}

/* Relocations of one section, sorted */
static int load_rels(struct file *f, Elf_Scn *scn, const GElf_Shdr *shdr)
{
	Elf_Data *data = elf_getdata(scn, NULL);
	Elf_Scn *target = elf_getscn(f->elf, shdr->sh_info);
	GElf_Shdr written;

	/* parameters of modules begin like a patch, but are constant */
	if (!target || !gelf_getshdr(target, &written) || !(written.sh_flags & SHF_WRITE))
		return -ENOENT;
	f->data = elf_getdata(target, NULL);
	if (!data || !shdr->sh_entsize || !f->data || !f->data->d_buf)
		return -ENOENT;
	f->n = data->d_size / shdr->sh_entsize;
	f->rels = calloc(f->n + 1, sizeof(*f->rels));
	if (!f->rels)
		return -ENOMEM;
	for (size_t i = 0; i < f->n; i++)
		if (!gelf_getrela(data, (int)i, &f->rels[i]))
			return -ENOEXEC;
	qsort(f->rels, f->n, sizeof(*f->rels), by_offset);
	return 0;
}

static bool find_symbols(struct file *f)
{
	Elf_Scn *scn = NULL;
	GElf_Shdr shdr;

	while ((scn = elf_nextscn(f->elf, scn))) {
		if (!gelf_getshdr(scn, &shdr) || shdr.sh_type != SHT_SYMTAB)
			continue;
		f->symbols = elf_getdata(scn, NULL);
		f->names = shdr.sh_link;
	}
	return f->symbols;
}

static int search(struct file *f, struct kgr_patch *patch)
{
	Elf_Scn *scn = NULL;
	int ret = -ENOENT;
	GElf_Shdr shdr;
	GElf_Ehdr ehdr;

	if (!gelf_getehdr(f->elf, &ehdr) || ehdr.e_type != ET_REL || ehdr.e_machine != EM_X86_64 ||
	    !find_symbols(f))
		return -ENOEXEC;
	while (ret == -ENOENT && (scn = elf_nextscn(f->elf, scn))) {
		if (!gelf_getshdr(scn, &shdr) || shdr.sh_type != SHT_RELA)
			continue;
		ret = load_rels(f, scn, &shdr);
		if (!ret)
			ret = look_into(f, shdr.sh_info, patch);
		free(f->rels);
		f->rels = NULL;
	}
	return ret;
}

static int open_file(const char *path, struct file *f)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	elf_version(EV_CURRENT);
	f->elf = elf_begin(fd, ELF_C_READ, NULL);
	if (f->elf && elf_kind(f->elf) == ELF_K_ELF)
		return fd;
	elf_end(f->elf);
	close(fd);
	return -ENOEXEC;
}

int kgr_patchfile_functions(const char *path, struct kgr_patch *patch)
{
	struct file f = { 0 };
	int fd = open_file(path, &f), ret;

	if (fd < 0)
		return fd;
	ret = search(&f, patch);
	elf_end(f.elf);
	close(fd);
	return ret;
}

int kgr_patchfile_build_id(const char *path, char *hex, size_t size)
{
	struct file f = { 0 };
	int fd = open_file(path, &f), ret = -ENOENT;
	Elf_Scn *scn = NULL;
	Elf_Data *data;
	GElf_Shdr shdr;

	if (fd < 0)
		return fd;
	while (ret == -ENOENT && (scn = elf_nextscn(f.elf, scn))) {
		if (!gelf_getshdr(scn, &shdr) || shdr.sh_type != SHT_NOTE)
			continue;
		data = elf_rawdata(scn, NULL);
		if (data && data->d_buf)
			ret = kgr_notes_build_id(data->d_buf, data->d_size, hex, size);
	}
	elf_end(f.elf);
	close(fd);
	return ret;
}
