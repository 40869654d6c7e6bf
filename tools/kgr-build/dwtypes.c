// SPDX-License-Identifier: GPL-2.0
/* Types, from debug data: what members they have, and where */
#include <stdlib.h>

#include "dwtypes.h"

#define MAX_TEXT	400	/* of a type; more than that tells nobody anything */

int dw_next(Dwarf_Die *die)
{
	Dwarf_Off before = dwarf_dieoffset(die);
	int err = dwarf_siblingof(die, die);

	return err ? err : dwarf_dieoffset(die) <= before;
}

const char *dw_file(struct arena *a, Dwarf_Die *die, unsigned int *line)
{
	const char *file = dwarf_decl_file(die);
	int n = 0;

	dwarf_decl_line(die, &n);
	*line = n;
	if (file && str_starts(file, "./"))
		file += 2;
	return file ? arena_strdup(a, file) : NULL;
}

/* What DW_AT_type names */
static bool type_of(Dwarf_Die *die, Dwarf_Die *type)
{
	Dwarf_Attribute attr;

	return dwarf_attr_integrate(die, DW_AT_type, &attr) && dwarf_formref_die(&attr, type);
}

static bool skips(int tag)
{
	return tag == DW_TAG_const_type || tag == DW_TAG_volatile_type ||
		tag == DW_TAG_restrict_type || tag == DW_TAG_atomic_type;
}

static uint64_t number(Dwarf_Die *die, unsigned int name, uint64_t other)
{
	Dwarf_Attribute attr;
	Dwarf_Word v;

	return dwarf_attr(die, name, &attr) && !dwarf_formudata(&attr, &v) ? v : other;
}

static const char *keyword(int tag)
{
	switch (tag) {
	case DW_TAG_structure_type:
		return "struct";
	case DW_TAG_union_type:
		return "union";
	case DW_TAG_enumeration_type:
		return "enum";
	default:
		return NULL;
	}
}

static void text(struct buf *out, Dwarf_Die *die, unsigned int depth);

static void text_of(struct buf *out, Dwarf_Die *die, unsigned int depth)
{
	Dwarf_Die type;

	if (type_of(die, &type))
		text(out, &type, depth + 1);
	else
		buf_puts(out, "void");
}

static void text_params(struct buf *out, Dwarf_Die *die, unsigned int depth)
{
	unsigned int n = 0;
	Dwarf_Die child;

	buf_puts(out, " (");
	if (!dwarf_child(die, &child))
		do {
			int tag = dwarf_tag(&child);

			if (tag != DW_TAG_formal_parameter && tag != DW_TAG_unspecified_parameters)
				continue;
			buf_puts(out, n++ ? ", " : "");
			if (tag == DW_TAG_formal_parameter)
				text_of(out, &child, depth);
			else
				buf_puts(out, "...");
		} while (out->n < MAX_TEXT && !dw_next(&child));
	buf_puts(out, n ? ")" : "void)");
}

static void text_bounds(struct buf *out, Dwarf_Die *die)
{
	Dwarf_Die child;

	if (dwarf_child(die, &child))
		return;
	do {
		uint64_t n;

		if (dwarf_tag(&child) != DW_TAG_subrange_type)
			continue;
		n = number(&child, DW_AT_count, number(&child, DW_AT_upper_bound, -1) + 1);
		if (n)
			buf_printf(out, "[%llu]", (unsigned long long)n);
		else
			buf_puts(out, "[]");
	} while (out->n < MAX_TEXT && !dw_next(&child));
}

/* A nameless struct or enum is what it holds */
static void text_body(struct buf *out, Dwarf_Die *die, unsigned int depth)
{
	Dwarf_Die child;

	buf_puts(out, " {");
	if (!dwarf_child(die, &child))
		do {
			int tag = dwarf_tag(&child);
			const char *name = dwarf_diename(&child);

			if (tag == DW_TAG_enumerator)
				buf_printf(out, " %s,", name ? name : "?");
			if (tag != DW_TAG_member)
				continue;
			buf_puts(out, " ");
			text_of(out, &child, depth);
			buf_printf(out, "%s%s;", name ? " " : "", name ? name : "");
		} while (out->n < MAX_TEXT && !dw_next(&child));
	buf_puts(out, " }");
}

static void text_named(struct buf *out, Dwarf_Die *die, unsigned int depth)
{
	const char *name = dwarf_diename(die), *word = keyword(dwarf_tag(die));

	if (word)
		buf_printf(out, "%s%s%s", word, name ? " " : "", name ? name : "");
	else
		buf_puts(out, name ? name : "?");
	if (word && !name)
		text_body(out, die, depth);
}

static void text(struct buf *out, Dwarf_Die *die, unsigned int depth)
{
	int tag = dwarf_tag(die);
	Dwarf_Die type;

	if (depth > DW_MAX_DEPTH || out->n > MAX_TEXT)
		return;
	if (skips(tag)) {
		text_of(out, die, depth);
	} else if (tag == DW_TAG_pointer_type) {
		if (type_of(die, &type) && dwarf_tag(&type) == DW_TAG_subroutine_type) {
			text_of(out, &type, depth);
			buf_puts(out, " (*)");
			text_params(out, &type, depth);
		} else {
			text_of(out, die, depth);
			buf_puts(out, out->n && out->s[out->n - 1] == '*' ? "*" : " *");
		}
	} else if (tag == DW_TAG_array_type) {
		text_of(out, die, depth);
		text_bounds(out, die);
	} else if (tag == DW_TAG_subroutine_type || tag == DW_TAG_subprogram) {
		text_of(out, die, depth);
		text_params(out, die, depth);
	} else {
		text_named(out, die, depth);
	}
}

char *dw_type_text(struct arena *a, Dwarf_Die *die)
{
	struct buf out = { .arena = a };

	buf_puts(&out, "");
	text(&out, die, 0);
	return out.s;
}

char *dw_text_of(struct arena *a, Dwarf_Die *die)
{
	Dwarf_Die type;

	return type_of(die, &type) ? dw_type_text(a, &type) : arena_strdup(a, "void");
}

/* Behind qualifiers and arrays.  With a typedef, the nameless type it is for. */
static bool strip(Dwarf_Die *die, const char **alias)
{
	*alias = NULL;
	for (unsigned int i = 0; i < DW_MAX_DEPTH; i++) {
		int tag = dwarf_tag(die);
		Dwarf_Die type;

		if (keyword(tag))
			return true;
		if (!skips(tag) && tag != DW_TAG_array_type && tag != DW_TAG_typedef)
			return false;
		if (tag == DW_TAG_typedef)
			*alias = dwarf_diename(die);
		if (!type_of(die, &type))
			return false;
		*die = type;
	}
	return false;
}

static char *key_of(struct arena *a, Dwarf_Die *die, const char *alias)
{
	const char *name = dwarf_diename(die);

	if (name)
		return arena_printf(a, "%s %s", keyword(dwarf_tag(die)), name);
	return alias ? arena_strdup(a, alias) : NULL;
}

const char *dw_embedded(struct arena *a, Dwarf_Die *die)
{
	const char *alias;
	Dwarf_Die type;

	return type_of(die, &type) && strip(&type, &alias) ? key_of(a, &type, alias) : NULL;
}

/* DWARF 5 has the place in bits, DWARF 4 counts from the other end of a word */
static uint64_t bit_place(Dwarf_Die *die, uint64_t bits)
{
	uint64_t at = number(die, DW_AT_data_member_location, 0) * 8;
	uint64_t from_end = number(die, DW_AT_bit_offset, UINT64_MAX);

	if (dwarf_hasattr(die, DW_AT_data_bit_offset))
		return number(die, DW_AT_data_bit_offset, 0);
	if (from_end == UINT64_MAX)
		return at;
	return at + number(die, DW_AT_byte_size, 0) * 8 - from_end - bits;
}

static void add_members(struct arena *a, struct dw_type *t, Dwarf_Die *die, uint64_t base,
			unsigned int depth)
{
	Dwarf_Die child;

	if (depth > DW_MAX_DEPTH || dwarf_child(die, &child))
		return;
	do {
		struct dw_member m = { 0 };
		const char *name = dwarf_diename(&child), *alias;
		Dwarf_Word size = 0;
		Dwarf_Die type;

		if (dwarf_tag(&child) != DW_TAG_member || !type_of(&child, &type))
			continue;
		m.bitfield = dwarf_hasattr(&child, DW_AT_bit_size);
		m.bits = number(&child, DW_AT_bit_size, 0);
		m.at = base + bit_place(&child, m.bits);
		if (!m.bitfield && !dwarf_aggregate_size(&type, &size))
			m.bits = size * 8;
		m.type = dw_type_text(a, &type);
		m.embeds = dw_embedded(a, &child);
		if (!name && strip(&type, &alias) && !m.embeds) {
			add_members(a, t, &type, m.at, depth + 1);
			continue;
		}
		m.name = name ? arena_strdup(a, name) : NULL;
		vec_push(a, &t->members, m);
	} while (!dw_next(&child));
}

static void add_values(struct arena *a, struct dw_type *t, Dwarf_Die *die)
{
	Dwarf_Die child;

	if (dwarf_child(die, &child))
		return;
	do {
		const char *name = dwarf_diename(&child);
		Dwarf_Attribute attr;
		struct dw_value v;
		Dwarf_Sword n;

		if (dwarf_tag(&child) != DW_TAG_enumerator || !name ||
		    !dwarf_attr(&child, DW_AT_const_value, &attr) || dwarf_formsdata(&attr, &n))
			continue;
		v.name = arena_strdup(a, name);
		v.value = n;
		vec_push(a, &t->values, v);
	} while (!dw_next(&child));
}

/* Nameless enums are told apart by their first enumerator */
static char *enum_key(struct arena *a, Dwarf_Die *die)
{
	const char *name;
	Dwarf_Die child;

	if (dwarf_child(die, &child) || dwarf_tag(&child) != DW_TAG_enumerator)
		return NULL;
	name = dwarf_diename(&child);
	return name ? arena_printf(a, "enum of %s", name) : NULL;
}

void dw_add_type(struct arena *a, const struct map *known, struct dw_index *ix, Dwarf_Die *die)
{
	const char *alias = NULL, *file;
	struct dw_type *t;
	unsigned int line;
	char *key;

	if (dwarf_tag(die) == DW_TAG_typedef) {
		Dwarf_Die type = *die;

		if (!strip(&type, &alias) || dwarf_diename(&type) || !alias)
			return;
		*die = type;
	}
	if (!keyword(dwarf_tag(die)) || dwarf_hasattr(die, DW_AT_declaration))
		return;
	key = key_of(a, die, alias);
	if (!key && dwarf_tag(die) == DW_TAG_enumeration_type)
		key = enum_key(a, die);
	if (!key || map_get(&ix->types, key))
		return;
	file = dw_file(a, die, &line);
	t = known ? map_get(known, key) : NULL;
	if (t && t->line == line && t->file && file && !strcmp(t->file, file) &&
	    t->size == number(die, DW_AT_byte_size, 0))
		return;
	t = arena_alloc(a, sizeof(*t));
	t->key = key;
	t->file = file;
	t->line = line;
	t->size = number(die, DW_AT_byte_size, 0);
	t->is_enum = dwarf_tag(die) == DW_TAG_enumeration_type;
	if (t->is_enum)
		add_values(a, t, die);
	else
		add_members(a, t, die, 0, 0);
	map_set(a, &ix->types, key, t);
	vec_push(a, &ix->type_list, t);
}
