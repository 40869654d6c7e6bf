// SPDX-License-Identifier: GPL-2.0
/*
 * Special tables of this very kernel: how large their entries are.
 *
 * The sizes in sections.def are those of headers. The kernel's own type information
 * (BTF in vmlinux) has the last word, since a size may depend on the configuration;
 * then vmlinux's table has to be a whole number of such entries, each of which begins
 * with the address of code. If that doesn't hold, nothing made of such entries can be
 * trusted, and the kernel is refused.
 */
#include <elf.h>

#include "kgr-build.h"
#include "special.h"
#include "tables.h"

#define BTF_MAGIC	0xeb9f
#define BTF_STRUCT	4

struct btf_head {
	uint16_t magic;
	uint8_t version, flags;
	uint32_t hdr_len, type_off, type_len, str_off, str_len;
};

struct btf_entry {
	uint32_t name, info, size;
};

/* Bytes behind an entry of @kind with @n members; -1: no such kind */
static int btf_tail(unsigned int kind, unsigned int n)
{
	static const struct {
		bool known;
		uint8_t fixed, each;
	} kinds[] = {
		[1] = { true, 4, 0 },	/* int */
		[2] = { true, 0, 0 },	/* pointer */
		[3] = { true, 12, 0 },	/* array */
		[4] = { true, 0, 12 },	/* struct */
		[5] = { true, 0, 12 },	/* union */
		[6] = { true, 0, 8 },	/* enum */
		[7] = { true, 0, 0 },	/* forward declaration */
		[8] = { true, 0, 0 },	/* typedef, volatile, const, restrict, function */
		[9] = { true, 0, 0 }, [10] = { true, 0, 0 }, [11] = { true, 0, 0 },
		[12] = { true, 0, 0 },
		[13] = { true, 0, 8 },	/* prototype */
		[14] = { true, 4, 0 },	/* variable */
		[15] = { true, 0, 12 },	/* section */
		[16] = { true, 0, 0 },	/* float */
		[17] = { true, 4, 0 },	/* tag of a declaration, of a type */
		[18] = { true, 0, 0 },
		[19] = { true, 0, 12 },	/* enum of 64 bits */
	};

	if (kind >= ARRAY_SIZE(kinds) || !kinds[kind].known)
		return -1;
	return kinds[kind].fixed + kinds[kind].each * n;
}

uint32_t btf_struct_size(const uint8_t *data, uint64_t size, const char *name)
{
	struct btf_head h;
	uint64_t at, end, strings;

	if (size < sizeof(h))
		return 0;
	memcpy(&h, data, sizeof(h));
	at = (uint64_t)h.hdr_len + h.type_off;
	end = at + h.type_len;
	strings = (uint64_t)h.hdr_len + h.str_off;
	if (h.magic != BTF_MAGIC || end > size || strings + h.str_len > size)
		return 0;
	while (at + sizeof(struct btf_entry) <= end) {
		struct btf_entry e;
		int tail;

		memcpy(&e, data + at, sizeof(e));
		tail = btf_tail(e.info >> 24 & 0x1f, e.info & 0xffff);
		if (tail < 0)
			return 0;
		if ((e.info >> 24 & 0x1f) == BTF_STRUCT && e.name < h.str_len &&
		    strnlen((const char *)data + strings + e.name, h.str_len - e.name) ==
		    strlen(name) && !memcmp(data + strings + e.name, name, strlen(name)))
			return e.size;
		at += sizeof(e) + tail;
	}
	return 0;
}

/* Some tables are filled up to the next page */
static bool is_filler(const uint8_t *entry, unsigned int size)
{
	while (size && !entry[size - 1])
		size--;
	return !size;
}

static bool is_code(const struct symtab *st, uint64_t addr)
{
	for (size_t i = 0; i < st->obj.sects.n; i++) {
		const struct sect *s = st->obj.sects.v[i];

		if ((s->flags & SHF_EXECINSTR) && addr >= s->addr && addr - s->addr <= s->size)
			return true;
	}
	return false;
}

/* An address, or, where it's four bytes, the distance to it */
static uint64_t entry_key(const uint8_t *entry, uint64_t at, unsigned int size)
{
	uint64_t addr;
	int32_t rel;

	if (size == sizeof(addr)) {
		memcpy(&addr, entry, sizeof(addr));
		return addr;
	}
	memcpy(&rel, entry, sizeof(rel));
	return at + rel;
}

int table_check(struct diag *d, const struct symtab *st, const struct sect_kind *k)
{
	const struct sym *start = obj_find_sym(&st->obj, k->start);
	const struct sym *stop = obj_find_sym(&st->obj, k->stop);
	struct where at = AT_VMLINUX;
	const uint8_t *data;
	uint64_t size;

	if (!start || !stop || stop->value <= start->value)
		return 0;		/* this kernel has none */
	size = stop->value - start->value;
	data = symtab_bytes(st, start->value, size);
	if (!data || !k->entsize || size % k->entsize)
		return diag(d, D_SECTION_TABLE, &at, "%s: %llu bytes in entries of %u", k->name,
			    (unsigned long long)size, k->entsize);
	for (uint64_t i = 0; i < size; i += k->entsize)
		if (!is_filler(data + i, k->entsize) &&
		    !is_code(st, entry_key(data + i, start->value + i, k->entsize)))
			return diag(d, D_SECTION_TABLE, &at,
				    "%s: entry %llu, of %u bytes, doesn't begin with the address of code",
				    k->name, (unsigned long long)i / k->entsize, k->entsize);
	return 0;
}

int pass_tables(struct kgr_build *b)
{
	const struct sect *btf = obj_find_sect(&b->vmlinux.obj, ".BTF");
	int err = 0;
	size_t n;
	struct sect_kind *kinds = section_tables(&n);

	for (size_t i = 0; i < n; i++) {
		struct sect_kind *k = &kinds[i];
		uint32_t size = 0;

		if (k->cls != SECT_TABLE)
			continue;
		if (*k->type && btf && btf->data)
			size = btf_struct_size(btf->data, btf->size, k->type);
		if (size)
			k->entsize = size;
		if (*k->start)
			err |= table_check(&b->diag, &b->vmlinux, k);
	}
	return err;
}
