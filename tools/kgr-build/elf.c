// SPDX-License-Identifier: GPL-2.0
/* ELF files in and out: the only file that knows libelf */
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "elf.h"

/* Further than anything in a file or in the kernel, and sums of them don't overflow */
#define MAX_ADDEND	(INT64_C(1) << 56)

struct reader {
	struct diag *d;
	const char *name;
	Elf *elf;
	struct obj *o;
	struct sect **by_index;
	size_t nsects;
	size_t shstrndx;
	struct sym **sym_by_index;
	size_t nsyms;
	Elf_Scn *symtab;
};

#define BAD_ELF(r, ...)	diag((r)->d, D_ELF, AT(.object = (r)->name), __VA_ARGS__)

static void *map_file(const char *path, size_t *size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	void *p;

	if (fd < 0)
		return NULL;
	if (fstat(fd, &st)) {
		close(fd);
		return NULL;
	}
	*size = st.st_size;
	p = *size ? mmap(NULL, *size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0) : MAP_FAILED;
	close(fd);
	return p == MAP_FAILED ? NULL : p;
}

/* libelf would unpack names into memory that goes with it */
static bool packed(const GElf_Shdr *sh)
{
	return sh->sh_type == SHT_STRTAB && (sh->sh_flags & SHF_COMPRESSED);
}

static int read_sections(struct reader *r)
{
	Elf_Scn *names = elf_getscn(r->elf, r->shstrndx), *scn = NULL;
	uint64_t total = 0;
	GElf_Shdr nsh;

	if (!gelf_getshdr(names, &nsh) || packed(&nsh))
		return BAD_ELF(r, "its sections have no names");

	while ((scn = elf_nextscn(r->elf, scn))) {
		struct sect s = { 0 };
		GElf_Shdr sh;
		Elf_Data *data;
		const char *name;

		if (!gelf_getshdr(scn, &sh))
			return BAD_ELF(r, "%s", elf_errmsg(-1));
		name = elf_strptr(r->elf, r->shstrndx, sh.sh_name);
		if (!name)
			return BAD_ELF(r, "a section has no name");
		s.name = name;
		s.type = sh.sh_type;
		s.info = sh.sh_info;
		s.flags = sh.sh_flags;
		s.addr = sh.sh_addr;
		s.align = sh.sh_addralign;
		s.entsize = sh.sh_entsize;
		s.size = sh.sh_size;
		s.index = elf_ndxscn(scn);
		if (sh.sh_type != SHT_NOBITS && sh.sh_type != SHT_NULL) {
			data = elf_rawdata(scn, NULL);
			if (!data || data->d_size != sh.sh_size)
				return BAD_ELF(r, "section %s reaches beyond the file", name);
			s.data = data->d_buf;
			total += s.size;
			if (total > r->o->map_size || packed(&sh))
				return BAD_ELF(r, "section %s shares its content, or is packed",
					       name);
		}
		if (sh.sh_type == SHT_SYMTAB)
			r->symtab = scn;
		r->by_index[s.index] = obj_add_sect(r->o, &s);
	}
	return 0;
}

static int link_sections(struct reader *r)
{
	for (size_t i = 0; i < r->o->sects.n; i++) {
		struct sect *s = r->o->sects.v[i];
		GElf_Shdr sh;

		gelf_getshdr(elf_getscn(r->elf, s->index), &sh);
		if (sh.sh_link >= r->nsects)
			return BAD_ELF(r, "section %s has a bad sh_link", s->name);
		s->link = r->by_index[sh.sh_link];
	}
	return 0;
}

static int read_symbols(struct reader *r)
{
	Elf_Data *data;
	GElf_Shdr sh;

	if (!r->symtab)
		return BAD_ELF(r, "it has no symbol table");
	data = elf_getdata(r->symtab, NULL);
	if (!data || !gelf_getshdr(r->symtab, &sh) || sh.sh_entsize != sizeof(Elf64_Sym))
		return BAD_ELF(r, "its symbol table is damaged");
	r->nsyms = data->d_size / sh.sh_entsize;
	r->sym_by_index = arena_alloc(r->o->arena, (r->nsyms + 1) * sizeof(*r->sym_by_index));
	for (size_t i = 1; i < r->nsyms; i++) {
		struct sym s = { .index = i };
		struct sect *sect = NULL;
		GElf_Sym gs;

		if (!gelf_getsym(data, i, &gs))
			return BAD_ELF(r, "%s", elf_errmsg(-1));
		s.name = elf_strptr(r->elf, sh.sh_link, gs.st_name);
		if (!s.name)
			return BAD_ELF(r, "symbol %zu has a bad name", i);
		s.value = gs.st_value;
		s.size = gs.st_size;
		s.type = GELF_ST_TYPE(gs.st_info);
		s.bind = GELF_ST_BIND(gs.st_info);
		s.other = gs.st_other;
		s.shndx = gs.st_shndx;
		if (gs.st_shndx == SHN_XINDEX)
			return BAD_ELF(r, "it has more than 65000 sections");
		if (gs.st_shndx != SHN_UNDEF && gs.st_shndx < SHN_LORESERVE) {
			if (gs.st_shndx >= r->nsects)
				return BAD_ELF(r, "symbol %s is in no section", s.name);
			sect = r->by_index[gs.st_shndx];
		}
		s.sect = sect;
		r->sym_by_index[i] = obj_add_sym(r->o, &s);
		if (sect && s.type == STT_SECTION) {
			r->sym_by_index[i]->name = sect->name;
			sect->sym = r->sym_by_index[i];
		}
	}
	return 0;
}

static int read_relas(struct reader *r, struct sect *rs)
{
	Elf_Data *data = elf_getdata(elf_getscn(r->elf, rs->index), NULL);
	struct sect *to;
	size_t n;

	if (!data || rs->entsize != sizeof(Elf64_Rela))
		return BAD_ELF(r, "section %s is damaged", rs->name);
	if (rs->info >= r->nsects || !r->by_index[rs->info])
		return BAD_ELF(r, "section %s belongs to no section", rs->name);
	to = r->by_index[rs->info];
	n = data->d_size / rs->entsize;
	if (str_starts(to->name, ".debug_") && to->size > (16 << 20))
		return 0;
	if (to->relas.n)
		return BAD_ELF(r, "two sections have the relocations of %s", to->name);
	to->relas.v = arena_alloc(r->o->arena, (n + 1) * sizeof(*to->relas.v));
	to->relas.cap = n + 1;
	for (size_t i = 0; i < n; i++) {
		struct rela rel = { 0 };
		GElf_Rela gr;
		size_t sym;

		if (!gelf_getrela(data, i, &gr))
			return BAD_ELF(r, "%s", elf_errmsg(-1));
		sym = GELF_R_SYM(gr.r_info);
		if (sym >= r->nsyms || gr.r_offset >= to->size ||
		    gr.r_addend > MAX_ADDEND || gr.r_addend < -MAX_ADDEND)
			return BAD_ELF(r, "relocation %zu of section %s is damaged", i, to->name);
		rel.offset = gr.r_offset;
		rel.type = GELF_R_TYPE(gr.r_info);
		rel.sym = r->sym_by_index[sym];
		rel.addend = gr.r_addend;
		to->relas.v[to->relas.n++] = rel;
	}
	return 0;
}

/* SHT_REL, groups and the like never come from a compiler for the kernel */
static int check_kinds(struct reader *r)
{
	for (size_t i = 0; i < r->o->sects.n; i++) {
		struct sect *s = r->o->sects.v[i];

		if (s->type == SHT_REL || s->type == SHT_GROUP || s->type == SHT_SYMTAB_SHNDX)
			return BAD_ELF(r, "section %s is of a kind that isn't supported", s->name);
		if (s->type == SHT_RELA && read_relas(r, s))
			return -1;
	}
	return 0;
}

static int check_header(struct reader *r, GElf_Ehdr *eh)
{
	if (elf_kind(r->elf) != ELF_K_ELF || !gelf_getehdr(r->elf, eh))
		return BAD_ELF(r, "not an ELF file");
	if (eh->e_ident[EI_CLASS] != ELFCLASS64 || eh->e_machine != EM_X86_64)
		return BAD_ELF(r, "not for x86-64");
	if (elf_getshdrnum(r->elf, &r->nsects) || elf_getshdrstrndx(r->elf, &r->shstrndx))
		return BAD_ELF(r, "%s", elf_errmsg(-1));
	return 0;
}

int elf_read(struct diag *d, struct arena *a, const char *path, const char *name, struct obj *o)
{
	struct reader r = { .d = d, .name = name, .o = o };
	GElf_Ehdr eh;
	size_t size;
	void *map;
	int err;

	elf_version(EV_CURRENT);
	*o = (struct obj){ .path = name, .arena = a };
	errno = 0;
	map = map_file(path, &size);
	if (!map)
		return diag(d, D_IO, AT_FILE(path), "%s", strerror(errno ? errno : ENODATA));
	o->map = map;
	o->map_size = size;
	r.elf = elf_memory(map, size);
	if (!r.elf)
		return BAD_ELF(&r, "%s", elf_errmsg(-1));
	err = check_header(&r, &eh);
	if (!err) {
		r.by_index = arena_alloc(a, (r.nsects + 1) * sizeof(*r.by_index));
		err = read_sections(&r) || link_sections(&r) || read_symbols(&r) ? -1 : 0;
	}
	if (!err && eh.e_type == ET_REL)
		err = check_kinds(&r);
	elf_end(r.elf);		/* not the mapping: names and contents are used in place */
	return err;
}

void elf_close(struct obj *o)
{
	if (o->map)
		munmap(o->map, o->map_size);
	o->map = NULL;
}

struct writer {
	struct diag *d;
	const char *path;
	struct arena *a;
	Elf *elf;
	struct obj *o;
	struct buf shstr, str;
};

#define WRITE_FAIL(w)	diag((w)->d, D_IO, AT_FILE((w)->path), "%s", elf_errmsg(-1))

static size_t add_string(struct buf *b, const char *s)
{
	size_t at = b->n;

	if (!*s)
		return 0;
	buf_add(b, s, strlen(s) + 1);
	return at;
}

static int set_section(struct writer *w, Elf_Scn *scn, GElf_Shdr *sh, size_t name,
		       const void *data, size_t size, Elf_Type type)
{
	Elf_Data *ed = elf_newdata(scn);

	if (!ed)
		return WRITE_FAIL(w);
	ed->d_buf = (void *)data;
	ed->d_size = size;
	ed->d_type = type;
	ed->d_align = sh->sh_addralign ? sh->sh_addralign : 1;
	ed->d_version = EV_CURRENT;
	sh->sh_name = name;
	return gelf_update_shdr(scn, sh) ? 0 : WRITE_FAIL(w);
}

static int fill_section(struct writer *w, Elf_Scn *scn, GElf_Shdr *sh, const char *name,
			const void *data, size_t size, Elf_Type type)
{
	return set_section(w, scn, sh, add_string(&w->shstr, name), data, size, type);
}

static bool made_anew(const struct sect *s)
{
	return s->type == SHT_SYMTAB || s->type == SHT_RELA || !strcmp(s->name, ".strtab") ||
		!strcmp(s->name, ".shstrtab");
}

/* Locals first, as the format wants it; returns how many, the empty one included */
static unsigned int number_symbols(struct obj *o)
{
	unsigned int n = 1, locals;

	for (size_t i = 0; i < o->syms.n; i++)
		if (o->syms.v[i]->bind == STB_LOCAL)
			o->syms.v[i]->index = n++;
	locals = n;
	for (size_t i = 0; i < o->syms.n; i++)
		if (o->syms.v[i]->bind != STB_LOCAL)
			o->syms.v[i]->index = n++;
	return locals;
}

static int write_sections(struct writer *w)
{
	for (size_t i = 0; i < w->o->sects.n; i++) {
		struct sect *s = w->o->sects.v[i];
		Elf_Scn *scn;

		if (made_anew(s))
			continue;
		scn = elf_newscn(w->elf);
		if (!scn)
			return WRITE_FAIL(w);
		s->index = elf_ndxscn(scn);
	}
	for (size_t i = 0; i < w->o->sects.n; i++) {
		struct sect *s = w->o->sects.v[i];
		GElf_Shdr sh = {
			.sh_type = s->type, .sh_flags = s->flags, .sh_size = s->size,
			.sh_addr = s->addr, .sh_addralign = s->align, .sh_entsize = s->entsize,
		};

		if (made_anew(s))
			continue;
		if (s->link && !made_anew(s->link))
			sh.sh_link = s->link->index;
		if (fill_section(w, elf_getscn(w->elf, s->index), &sh, s->name, s->data, s->size,
				 ELF_T_BYTE))
			return -1;
	}
	return 0;
}

static int write_symbols(struct writer *w, Elf_Scn *symtab, size_t strtab)
{
	unsigned int locals = number_symbols(w->o);
	size_t n = w->o->syms.n + 1;
	Elf64_Sym *out = arena_alloc(w->a, n * sizeof(*out));
	GElf_Shdr sh = {
		.sh_type = SHT_SYMTAB, .sh_link = strtab, .sh_info = locals,
		.sh_addralign = 8, .sh_entsize = sizeof(*out),
	};

	for (size_t i = 0; i < w->o->syms.n; i++) {
		const struct sym *s = w->o->syms.v[i];
		Elf64_Sym *es = &out[s->index];

		if (s->type != STT_SECTION)
			es->st_name = add_string(&w->str, s->name);
		es->st_value = s->value;
		es->st_size = s->size;
		es->st_info = ELF64_ST_INFO(s->bind, s->type);
		es->st_other = s->other;
		es->st_shndx = s->sect ? s->sect->index : s->shndx;
	}
	return fill_section(w, symtab, &sh, ".symtab", out, n * sizeof(*out), ELF_T_SYM);
}

static int write_relas(struct writer *w, struct sect *s, size_t symtab)
{
	Elf64_Rela *out = arena_alloc(w->a, s->relas.n * sizeof(*out));
	GElf_Shdr sh = {
		.sh_type = SHT_RELA, .sh_flags = SHF_INFO_LINK, .sh_link = symtab,
		.sh_info = s->index, .sh_addralign = 8, .sh_entsize = sizeof(*out),
	};
	Elf_Scn *scn = elf_newscn(w->elf);

	if (!scn)
		return WRITE_FAIL(w);
	for (size_t i = 0; i < s->relas.n; i++) {
		const struct rela *r = &s->relas.v[i];

		out[i].r_offset = r->offset;
		out[i].r_info = ELF64_R_INFO((uint64_t)(r->sym ? r->sym->index : 0), r->type);
		out[i].r_addend = r->addend;
	}
	return fill_section(w, scn, &sh, arena_printf(w->a, ".rela%s", s->name), out,
			    s->relas.n * sizeof(*out), ELF_T_RELA);
}

/* The table of section names holds its own name: that goes in before it is handed over */
static int write_strings(struct writer *w, Elf_Scn *scn, const char *name, struct buf *b)
{
	GElf_Shdr sh = { .sh_type = SHT_STRTAB, .sh_addralign = 1 };
	size_t at = add_string(&w->shstr, name);

	return set_section(w, scn, &sh, at, b->s, b->n, ELF_T_BYTE);
}

static int write_all(struct writer *w)
{
	GElf_Ehdr eh = { 0 };
	Elf_Scn *symtab, *strtab, *shstrtab;

	if (!gelf_newehdr(w->elf, ELFCLASS64))
		return WRITE_FAIL(w);
	gelf_getehdr(w->elf, &eh);
	eh.e_type = ET_REL;
	eh.e_machine = EM_X86_64;
	eh.e_version = EV_CURRENT;
	eh.e_ident[EI_DATA] = ELFDATA2LSB;
	if (write_sections(w))
		return -1;
	symtab = elf_newscn(w->elf);
	strtab = elf_newscn(w->elf);
	if (!symtab || !strtab || write_symbols(w, symtab, elf_ndxscn(strtab)) ||
	    write_strings(w, strtab, ".strtab", &w->str))
		return -1;
	for (size_t i = 0; i < w->o->sects.n; i++)
		if (w->o->sects.v[i]->relas.n && !made_anew(w->o->sects.v[i]) &&
		    write_relas(w, w->o->sects.v[i], elf_ndxscn(symtab)))
			return -1;
	shstrtab = elf_newscn(w->elf);
	if (!shstrtab || write_strings(w, shstrtab, ".shstrtab", &w->shstr))
		return -1;
	eh.e_shstrndx = elf_ndxscn(shstrtab);
	if (!gelf_update_ehdr(w->elf, &eh) || elf_update(w->elf, ELF_C_WRITE) < 0)
		return WRITE_FAIL(w);
	return 0;
}

int elf_write_rel(struct diag *d, const char *path, struct obj *o)
{
	struct writer w = {
		.d = d, .path = path, .a = o->arena, .o = o,
		.shstr = { .arena = o->arena }, .str = { .arena = o->arena },
	};
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644), err;

	if (fd < 0)
		return diag(d, D_IO, AT_FILE(path), "%s", strerror(errno));
	elf_version(EV_CURRENT);
	buf_add(&w.shstr, "", 1);
	buf_add(&w.str, "", 1);
	w.elf = elf_begin(fd, ELF_C_WRITE, NULL);
	err = w.elf ? write_all(&w) : WRITE_FAIL(&w);
	elf_end(w.elf);
	if (close(fd) && !err)
		err = diag(d, D_IO, AT_FILE(path), "%s", strerror(errno));
	return err;
}
