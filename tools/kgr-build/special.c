// SPDX-License-Identifier: GPL-2.0
/* What a section is to the kernel: one table, and nothing is guessed */
#include <elf.h>

#include "special.h"

static struct sect_kind kinds[] = {
#define TABLE(pattern, size, what, ctype, first, last, text)				\
	{ .name = pattern, .cls = SECT_TABLE, .entsize = size, .use = TABLE_##what,	\
	  .type = ctype, .start = first, .stop = last, .remark = text },
#define KIND(pattern, c, text)	{ .name = pattern, .cls = SECT_##c, .remark = text },
#include "sections.def"
#undef KIND
#undef TABLE
};

static const struct sect_kind pool = {
	.name = "(mergeable)", .cls = SECT_POOL, .remark = "strings and literals, wherever they are",
};
static const struct sect_kind unknown = {
	.name = "(anything else)", .cls = SECT_UNKNOWN, .remark = "",
};

static const char * const treatments[] = {
	[SECT_TEXT]	= "changed and new functions are taken along, the others are referred to",
	[SECT_PIECE]	= "taken along with what leads to it",
	[SECT_DATA]	= "existing variables are referred to and keep their values, new ones are taken along; a changed initial value is refused",
	[SECT_CONST]	= "existing constants are referred to, new ones are taken along; a change is refused",
	[SECT_POOL]	= "taken along where new code uses them; only their content counts",
	[SECT_TABLE]	= "entries of functions that are taken along are copied",
	[SECT_BOOT]	= "gone after boot: a change is refused, and so is new code that needs it",
	[SECT_REGISTER]	= "read once, at boot or when its module is loaded: something new, or changed, is refused",
	[SECT_EXPORT]	= "a new or removed export is refused",
	[SECT_DROP]	= "left out",
	[SECT_UNKNOWN]	= "refused, with its name",
};

static bool fits(const char *pattern, const char *name)
{
	const char *star = strchr(pattern, '*');
	size_t n;

	if (!star)
		return !strcmp(pattern, name);
	n = star - pattern;
	return !strncmp(pattern, name, n) && (!star[1] || str_ends(name + n, star + 1));
}

const struct sect_kind *section_kind(const struct sect *s)
{
	bool wanted = (s->flags & SHF_ALLOC) || str_starts(s->name, ".discard.");

	if (!wanted || s->type == SHT_SYMTAB || s->type == SHT_STRTAB || s->type == SHT_RELA)
		return NULL;
	if (s->flags & SHF_MERGE)
		return &pool;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (fits(kinds[i].name, s->name))
			return &kinds[i];
	return &unknown;
}

const char *section_treatment(const struct sect_kind *kind)
{
	return treatments[kind->cls];
}

struct sect_kind *section_tables(size_t *n)
{
	*n = ARRAY_SIZE(kinds);
	return kinds;
}

static void list_kind(struct buf *out, const struct sect_kind *k)
{
	buf_printf(out, "   * - ``%s``\n     - %s\n     - %s", k->name,
		   k->entsize ? arena_printf(out->arena, "%u", k->entsize) : "",
		   section_treatment(k));
	if (*k->remark)
		buf_printf(out, "; %s", k->remark);
	buf_puts(out, "\n");
}

void section_list(struct buf *out)
{
	buf_puts(out, ".. list-table::\n   :header-rows: 1\n   :widths: 25 8 67\n\n"
		 "   * - section\n     - entry\n     - what is done with it\n");
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		list_kind(out, &kinds[i]);
	list_kind(out, &pool);
	list_kind(out, &unknown);
}

/*
 * -ffunction-sections and -fdata-sections append ".name" to these; anything else
 * was asked for in the source and is kept.  ".data..x" is such a thing.
 */
char *section_out_name(struct arena *a, const struct sect *s)
{
	static const char * const bases[] = {
		".text.unlikely", ".text.hot", ".text", ".data.rel.ro.local", ".data.rel.ro",
		".data.rel.local", ".data.rel", ".data", ".bss", ".rodata",
	};

	for (size_t i = 0; i < ARRAY_SIZE(bases); i++) {
		size_t n = strlen(bases[i]);

		if (!strncmp(s->name, bases[i], n) && (!s->name[n] || s->name[n] == '.') &&
		    s->name[n + !!s->name[n]] != '.')
			return arena_strdup(a, bases[i]);
	}
	if (s->flags & SHF_MERGE)
		return arena_strdup(a, ".rodata");
	return arena_strdup(a, s->name);
}
