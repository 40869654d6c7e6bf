// SPDX-License-Identifier: GPL-2.0
/* What a change to a file means, by its path and by what kind of change it is */
#include <ctype.h>

#include "kgr-build.h"
#include "scope.h"

static const struct {
	const char *prefix, *suffix;
	enum diag_code code;
	const char *why;
} kinds[] = {
	{ "Documentation/",	"",		D_DIFF_IGNORED,	"documentation" },
	{ "tools/",		"",		D_DIFF_IGNORED,	"no code of the kernel" },
	{ "samples/",		"",		D_DIFF_IGNORED,	"no code of the kernel" },
	{ "scripts/",		"",		D_DIFF_KBUILD,	"it takes part in every build" },
	{ "",			"Makefile",	D_DIFF_KBUILD,	"it says what is built, and how" },
	{ "",			"Kbuild",	D_DIFF_KBUILD,	"it says what is built, and how" },
	{ "",			"Kconfig",	D_DIFF_KBUILD,	"it says what can be configured" },
	{ "",			".tbl",		D_DIFF_KBUILD,	"tables are generated from it" },
	{ "",			".S",		D_DIFF_ASM,	"assembler" },
	{ "",			".lds",		D_DIFF_ASM,	"linker script" },
	{ "",			".lds.h",	D_DIFF_ASM,	"part of linker scripts" },
	{ "",			".rst",		D_DIFF_IGNORED,	"documentation" },
	{ "",			".txt",		D_DIFF_IGNORED,	"documentation" },
	{ "MAINTAINERS",	"",		D_DIFF_IGNORED,	"documentation" },
	{ "CREDITS",		"",		D_DIFF_IGNORED,	"documentation" },
};

/* *.c of a word *.o, in the directory of @makefile */
static char *source_of(struct arena *a, const char *makefile, const char *word)
{
	char *dir = path_dir(a, makefile);

	return arena_printf(a, "%s%s%.*sc", strcmp(dir, ".") ? dir : "",
			    strcmp(dir, ".") ? "/" : "", (int)strlen(word) - 1, word);
}

static bool is_added(const struct diff *df, const char *path)
{
	const struct diff_file *f;

	vec_each(f, &df->files)
		if ((f->oddity & DIFF_NEW) && f->path && !strcmp(f->path, path))
			return true;
	return false;
}

/* obj-y, or obj-$(CONFIG_X) where X is built in */
static bool builds_in(const struct kgr_build *b, const char *word, size_t n)
{
	static const char head[] = "obj-$(";
	struct arena tmp = { 0 };
	const char *value;
	bool yes;

	if (n == 5 && !strncmp(word, "obj-y", n))
		return true;
	if (n < sizeof(head) + 1 || strncmp(word, head, sizeof(head) - 1) || word[n - 1] != ')')
		return false;
	value = tree_config(&b->tree, arena_strndup(&tmp, word + sizeof(head) - 1,
						    n - sizeof(head)));
	yes = value && !strcmp(value, "y");
	arena_free(&tmp);
	return yes;
}

/*
 * "obj-y += new.o" for sources that the same diff adds is the one thing that a
 * Makefile may have to say: it's taken to mean that they are linked into vmlinux.
 */
static bool adds_object(struct kgr_build *b, const struct diff *df, const char *makefile,
			const char *line)
{
	const char *equals = strstr(line, "+=");
	size_t n = equals ? (size_t)(equals - line) : 0;
	char *words, *word;
	bool any = false;

	while (n && isspace((unsigned char)line[n - 1]))
		n--;
	if (!n || !builds_in(b, line, n))
		return false;
	words = arena_strdup(&b->arena, equals + 2);
	while ((word = strsep(&words, " \t\r"))) {
		if (!*word)
			continue;
		if (!str_ends(word, ".o") ||
		    !is_added(df, source_of(&b->arena, makefile, word)))
			return false;
		strvec_add_unique(&b->arena, &b->linked, source_of(&b->arena, makefile, word));
		any = true;
	}
	return any;
}

/* The first line of the change that can't be followed, or NULL */
static const char *makefile_trouble(struct kgr_build *b, const struct diff *df,
				    const struct diff_file *f)
{
	if (f->oddity || f->removed.n)
		return f->removed.n ? f->removed.v[0] : "the file is added, deleted or renamed";
	for (size_t i = 0; i < f->added.n; i++) {
		const char *line = f->added.v[i] + strspn(f->added.v[i], " \t");

		if (*line && *line != '#' && !adds_object(b, df, f->path, line))
			return line;
	}
	return NULL;
}

static void check_kbuild(struct kgr_build *b, const struct diff *df, const struct diff_file *f,
			 const char *why)
{
	struct where at = { .file = df->name, .line = f->line };
	bool list = str_ends(f->path, "Makefile") || str_ends(f->path, "Kbuild");
	const char *trouble = list ? makefile_trouble(b, df, f) : "";

	if (trouble)
		diag(&b->diag, D_DIFF_KBUILD, &at, "%s: %s%s%s", f->path, why,
		     *trouble ? ": " : "", trouble);
}

/* The value of these changes with every compilation */
static void check_time(struct kgr_build *b, const struct diff *df, const struct diff_file *f)
{
	static const char * const macros[] = { "__DATE__", "__TIME__", "__TIMESTAMP__" };
	struct where at = { .file = df->name, .line = f->line };

	for (size_t i = 0; i < f->added.n; i++)
		for (size_t k = 0; k < ARRAY_SIZE(macros); k++)
			if (strstr(f->added.v[i], macros[k]))
				diag(&b->diag, D_DATE_TIME, &at, "%s: %s", f->path, macros[k]);
}

/* File patterns that a path as a whole, or its last part, has to be */
static bool fits(const struct kgr_build *b, const char *path, size_t kind)
{
	const char *suffix = kinds[kind].suffix;

	if (b->tree.extdir && *kinds[kind].prefix && !*suffix)
		return false;		/* directories of the kernel */
	if (!str_starts(path, kinds[kind].prefix) || !str_ends(path, suffix))
		return false;
	return !*suffix || *suffix == '.' || !strcmp(path_base(path), suffix) ||
		str_starts(path_base(path), suffix);
}

static void touch(struct kgr_build *b, const struct diff_file *f)
{
	struct touched t = { .path = f->path, .is_new = f->oddity & DIFF_NEW };

	for (size_t i = 0; i < b->touched.n; i++)
		if (!strcmp(b->touched.v[i].path, f->path))
			return;
	t.header = !str_ends(f->path, ".c");
	vec_push(&b->arena, &b->touched, t);
}

void scope_file(struct kgr_build *b, const struct diff *df, const struct diff_file *f)
{
	struct where at = { .file = df->name, .line = f->line };

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (!fits(b, f->path, i))
			continue;
		if (kinds[i].code == D_DIFF_KBUILD)
			check_kbuild(b, df, f, kinds[i].why);
		else
			diag(&b->diag, kinds[i].code, &at, "%s: %s", f->path, kinds[i].why);
		return;
	}
	if (f->oddity & (DIFF_DELETED | DIFF_RENAMED))
		diag(&b->diag, D_DIFF_NEW_FILE, &at, "%s", f->path);
	else if (f->oddity & (DIFF_BINARY | DIFF_MODE))
		diag(&b->diag, D_DIFF_BINARY, &at, "%s", f->path);
	else if (f->hunks.n)
		touch(b, f);
	check_time(b, df, f);
}
