// SPDX-License-Identifier: GPL-2.0
/* What vmlinux or a module holds: its symbols as kallsyms knows them, its exports and tables */
#include <elf.h>
#include <errno.h>
#include <stdlib.h>

#include "arch/x86/insn.h"
#include "elf.h"
#include "kgr-build.h"
#include "special.h"
#include "symtab.h"

/* What scripts/mksysmap and scripts/kallsyms leave out, as far as x86 has it */
static bool in_kallsyms(const struct sym *s)
{
	if (!s->sect || s->type == STT_SECTION || s->type == STT_FILE || !*s->name)
		return false;
	if (!(s->sect->flags & SHF_ALLOC))
		return false;
	return !str_starts(s->name, ".L") && !str_starts(s->name, "$") &&
		!str_starts(s->name, "__crc_") && !str_starts(s->name, "__kstrtab_") &&
		!str_starts(s->name, "__kstrtabns_") && !str_starts(s->name, "__kcfi_typeid_");
}

static int by_address(const void *a, const void *b)
{
	const struct vm_sym *x = *(struct vm_sym * const *)a, *y = *(struct vm_sym * const *)b;

	return x->addr < y->addr ? -1 : x->addr > y->addr;
}

static int by_number(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void count_files(struct symtab *st)
{
	for (size_t i = 0; i < st->obj.syms.n; i++)
		if (st->obj.syms.v[i]->type == STT_FILE)
			vec_push(st->arena, &st->files, st->obj.syms.v[i]->name);
	st->locals = arena_alloc(st->arena, (st->files.n + 1) * sizeof(*st->locals));
}

static void index_symbols(struct symtab *st)
{
	uint32_t file = 0;

	count_files(st);
	for (size_t i = 0; i < st->obj.syms.n; i++) {
		struct sym *s = st->obj.syms.v[i];
		struct vm_sym *vs;
		vmsymvec *list;

		file += s->type == STT_FILE;
		if (!in_kallsyms(s))
			continue;
		vs = arena_alloc(st->arena, sizeof(*vs));
		vs->name = s->name;
		vs->addr = s->value;
		vs->size = s->size;
		vs->type = s->type;
		vs->file = s->bind == STB_LOCAL ? file : 0;
		list = map_get(&st->by_name, s->name);
		if (!list) {
			list = arena_alloc(st->arena, sizeof(*list));
			map_set(st->arena, &st->by_name, s->name, list);
		}
		vec_push(st->arena, list, vs);
		if (vs->file)
			vec_push(st->arena, &st->locals[vs->file - 1], vs);
	}
	for (size_t i = 0; i < st->by_name.cap; i++) {
		vmsymvec *list = st->by_name.slots[i].value;

		if (list && list->n > 1)
			qsort(list->v, list->n, sizeof(*list->v), by_address);
	}
}

const uint8_t *symtab_bytes(const struct symtab *st, uint64_t addr, uint64_t size)
{
	for (size_t i = 0; i < st->obj.sects.n; i++) {
		const struct sect *s = st->obj.sects.v[i];

		if ((s->flags & SHF_ALLOC) && s->data && addr >= s->addr && s->size >= size &&
		    addr - s->addr <= s->size - size)
			return s->data + (addr - s->addr);
	}
	return NULL;
}

/* The bytes between two symbols of the linker script */
static const uint8_t *between(const struct symtab *st, const char *from, const char *to,
			      uint64_t *addr, uint64_t *size)
{
	const struct vm_sym *a = symtab_global(st, from), *b = symtab_global(st, to);

	if (!a || !b || b->addr <= a->addr)
		return NULL;
	*addr = a->addr;
	*size = b->addr - a->addr;
	return symtab_bytes(st, *addr, *size);
}

static void sort_set(struct addrset *set)
{
	if (set->n)
		qsort(set->v, set->n, sizeof(*set->v), by_number);
}

static int read_mcount(struct diag *d, struct symtab *st, const char *vmlinux)
{
	uint64_t addr, size;
	const uint8_t *p = between(st, "__start_mcount_loc", "__stop_mcount_loc", &addr, &size);

	if (!p)
		return diag(d, D_TREE_VMLINUX, AT_FILE(vmlinux), "it has no table of ftrace sites");
	st->mcount.n = size / 8;
	st->mcount.v = arena_memdup(st->arena, p, size);
	sort_set(&st->mcount);
	if (!st->mcount.n || !st->mcount.v[st->mcount.n - 1])
		return diag(d, D_TREE_VMLINUX, AT_FILE(vmlinux),
			    "its table of ftrace sites is filled in only at boot");
	return 0;
}

/* Offsets from where they stand; the table is absent without IBT */
static void read_sealed(struct symtab *st)
{
	uint64_t addr, size;
	const uint8_t *p = between(st, "__ibt_endbr_seal", "__ibt_endbr_seal_end", &addr, &size);

	if (!p)
		return;
	st->sealed.n = size / 4;
	st->sealed.v = arena_alloc(st->arena, st->sealed.n * sizeof(uint64_t));
	for (size_t i = 0; i < st->sealed.n; i++)
		st->sealed.v[i] = addr + i * 4 + insn_field(p, i * 4, 4);
	sort_set(&st->sealed);
}

static bool in_set(const struct addrset *set, uint64_t from, uint64_t to)
{
	size_t lo = 0, hi = set->n;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (set->v[mid] < from)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < set->n && set->v[lo] < to;
}

/* Notes: sizes of name and description, type, name, description, each padded to 4 */
static char *find_build_id(struct symtab *st)
{
	const uint8_t *p, *end;
	struct buf hex = { .arena = st->arena };
	struct sect *s = obj_find_sect(&st->obj, ".notes");

	if (!s)
		s = obj_find_sect(&st->obj, ".note.gnu.build-id");
	if (!s || !s->data)
		return NULL;
	for (p = s->data, end = p + s->size; end - p >= 12; ) {
		uint32_t h[3], name, desc;

		memcpy(h, p, sizeof(h));
		name = (h[0] + 3) & ~3u;
		desc = (h[1] + 3) & ~3u;
		p += 12;
		if (h[0] > name || h[1] > desc || name > (size_t)(end - p) ||
		    desc > (size_t)(end - p) - name)
			return NULL;
		if (h[2] == 3 && h[0] == 4 && !memcmp(p, "GNU", 4)) {
			for (uint32_t i = 0; i < h[1]; i++)
				buf_printf(&hex, "%02x", p[name + i]);
			return hex.s;
		}
		p += name + desc;
	}
	return NULL;
}

/* Lines: CRC, symbol, path of the module, kind of export, namespace */
static int read_exports(struct diag *d, struct symtab *st, const char *symvers, const char *path)
{
	char *text, *line;
	int err = file_read(st->arena, symvers, &text, NULL);

	if (err)
		return diag(d, D_IO, AT_FILE(symvers), "%s", strerror(-err));
	while ((line = strsep(&text, "\n"))) {
		struct export *e;
		char *f[5] = { 0 };

		for (size_t i = 0; i < ARRAY_SIZE(f) && line; i++)
			f[i] = strsep(&line, "\t");
		if (!f[3] || strcmp(f[2], path))
			continue;
		e = arena_alloc(st->arena, sizeof(*e));
		e->gpl = !strcmp(f[3], "EXPORT_SYMBOL_GPL");
		e->ns = f[4] && *f[4] ? f[4] : NULL;
		map_set(st->arena, &st->exports, f[1], e);
	}
	return 0;
}

int symtab_open(struct diag *d, struct arena *a, struct symtab *st, const char *vmlinux,
		const char *symvers)
{
	*st = (struct symtab){ .arena = a };
	if (elf_read(d, a, vmlinux, "vmlinux", &st->obj))
		return diag(d, D_TREE_VMLINUX, AT_FILE(vmlinux), "it can't be read");
	index_symbols(st);
	if (read_mcount(d, st, vmlinux))
		return -1;
	read_sealed(st);
	st->build_id = find_build_id(st);
	if (!st->build_id)
		return diag(d, D_TREE_VMLINUX, AT_FILE(vmlinux), "it has no build-id");
	return read_exports(d, st, symvers, "vmlinux");
}

/* A relocatable file has no addresses: its sections get some here */
static void place_sections(struct symtab *st)
{
	uint64_t addr = 1 << 20;

	for (size_t i = 0; i < st->obj.sects.n; i++) {
		struct sect *s = st->obj.sects.v[i];
		uint64_t align = s->align ? s->align : 1;

		if (!(s->flags & SHF_ALLOC))
			continue;
		addr = (addr + align - 1) / align * align;
		s->addr = addr;
		addr += s->size;
		if (str_starts(s->name, ".init"))
			s->flags &= ~(uint64_t)SHF_ALLOC;
	}
	for (size_t i = 0; i < st->obj.syms.n; i++)
		if (st->obj.syms.v[i]->sect)
			st->obj.syms.v[i]->value += st->obj.syms.v[i]->sect->addr;
}

/* Addresses that the fields of a table will hold, or lead to */
static void read_table(struct symtab *st, const char *name, struct addrset *set)
{
	struct sect *s = obj_find_sect(&st->obj, name);
	struct rela *r;

	if (!s)
		return;
	set->v = arena_alloc(st->arena, (s->relas.n + 1) * sizeof(*set->v));
	vec_each(r, &s->relas)
		if (r->sym && r->sym->sect)
			set->v[set->n++] = r->sym->value + r->addend;
	sort_set(set);
}

/* .modinfo: strings NAME=VALUE */
static void read_depends(struct symtab *st)
{
	struct sect *s = obj_find_sect(&st->obj, ".modinfo");
	size_t len;

	for (uint64_t at = 0; s && s->data && at < s->size; at += len + 1) {
		char *text = arena_strndup(st->arena, (const char *)s->data + at, s->size - at);
		char *name;

		len = strlen(text);
		if (!str_starts(text, "depends="))
			continue;
		text += strlen("depends=");
		while ((name = strsep(&text, ",")))
			if (*name)
				vec_push(st->arena, &st->depends, name);
	}
}

int symtab_open_module(struct diag *d, struct arena *a, struct symtab *st, const struct tree *t,
		       const struct tree_module *m)
{
	char *ko = arena_printf(a, "%s.ko", m->path), *symvers = t->symvers;

	*st = (struct symtab){ .arena = a, .objname = m->name };
	if (elf_read(d, a, tree_path(a, t, ko), ko, &st->obj))
		return diag(d, D_TREE_UNBUILT, AT_FILE(ko), "the module can't be read");
	place_sections(st);
	index_symbols(st);
	read_table(st, "__mcount_loc", &st->mcount);
	read_table(st, ".ibt_endbr_seal", &st->sealed);
	read_depends(st);
	if (*m->path == '/')
		symvers = arena_printf(a, "%s/Module.symvers", t->extdir);
	return read_exports(d, st, symvers, m->path);
}

const struct vm_sym *symtab_global(const struct symtab *st, const char *name)
{
	vmsymvec *list = map_get(&st->by_name, name);

	for (size_t i = 0; list && i < list->n; i++)
		if (!list->v[i]->file)
			return list->v[i];
	return NULL;
}

const struct vm_sym *symtab_local(const struct symtab *st, uint32_t file, const char *name)
{
	vmsymvec *list = file ? map_get(&st->by_name, name) : NULL;
	const struct vm_sym *found = NULL;

	for (size_t i = 0; list && i < list->n; i++)
		if (list->v[i]->file == file) {
			if (found)
				return NULL;
			found = list->v[i];
		}
	return found;
}

static bool holds(const vmsymvec *locals, const struct sym *s)
{
	for (size_t i = 0; i < locals->n; i++)
		if (locals->v[i]->size == s->size && !strcmp(locals->v[i]->name, s->name))
			return true;
	return false;
}

static bool kept_by_link(const struct sym *s)
{
	enum sect_class cls;

	if (!s->sect || !s->sect->kind || s->bind != STB_LOCAL || str_starts(s->name, ".L") ||
	    (s->type != STT_FUNC && s->type != STT_OBJECT))
		return false;
	cls = s->sect->kind->cls;
	return cls == SECT_TEXT || cls == SECT_DATA || cls == SECT_CONST;
}

uint32_t symtab_file(const struct symtab *st, const struct obj *built, const char *source,
		     unsigned int *matches)
{
	uint32_t found = 0;

	*matches = 0;
	for (size_t f = 0; f < st->files.n; f++) {
		bool all = !strcmp(st->files.v[f], path_base(source));

		for (size_t i = 0; all && i < built->syms.n; i++)
			if (kept_by_link(built->syms.v[i]))
				all = holds(&st->locals[f], built->syms.v[i]);
		if (all) {
			found = f + 1;
			(*matches)++;
		}
	}
	return *matches == 1 ? found : 0;
}

/* What the module loader puts together: text, constants, data, data per CPU */
static unsigned int memory_of(const struct symtab *st, const struct vm_sym *vs)
{
	for (size_t i = 0; i < st->obj.sects.n; i++) {
		const struct sect *s = st->obj.sects.v[i];

		if (!(s->flags & SHF_ALLOC) || vs->addr < s->addr || vs->addr >= s->addr + s->size)
			continue;
		return (s->flags & SHF_EXECINSTR ? 1 : s->flags & SHF_WRITE ? 2 : 4) |
			(str_starts(s->name, ".data..percpu") ? 8 : 0) |
			(str_starts(s->name, ".data..ro_after_init") ? 16 : 0);
	}
	return 0;
}

unsigned int symtab_sympos(const struct symtab *st, const struct vm_sym *s)
{
	vmsymvec *list = map_get(&st->by_name, s->name);
	unsigned int pos = 0;

	for (size_t i = 0; list && list->n > 1 && i < list->n; i++) {
		if (st->objname && memory_of(st, list->v[i]) != memory_of(st, s))
			return SYMPOS_UNKNOWN;
		if (list->v[i] == s)
			pos = i + 1;
	}
	return pos;
}

const struct export *symtab_export(const struct symtab *st, const char *name)
{
	return map_get(&st->exports, name);
}

/* The site is the first instruction, or stands behind ENDBR */
bool symtab_has_fentry(const struct symtab *st, const struct vm_sym *s)
{
	return in_set(&st->mcount, s->addr, s->addr + 5);
}

bool symtab_is_sealed(const struct symtab *st, const struct vm_sym *s)
{
	const uint8_t *code = symtab_bytes(st, s->addr, 4);

	if (in_set(&st->sealed, s->addr, s->addr + 1))
		return true;
	return st->sealed.n && code && !insn_is_endbr(code, 4);
}
