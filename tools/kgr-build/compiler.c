// SPDX-License-Identifier: GPL-2.0
/*
 * Is the compiler the one that the tree was built with, called in the same way?  The
 * tree's own records tell: the version text of its configuration, and what stands in
 * its objects, which ccache, an upgrade, or another host can have made otherwise.
 */
#include <sys/stat.h>

#include "elf.h"
#include "kgr-build.h"

static void check_plugins(struct kgr_build *b, const struct unit *u, const char *tree)
{
	char *text = arena_strdup(&b->arena, u->object->command), *word;
	struct stat object, plugin;

	while ((word = strsep(&text, " "))) {
		const char *path = word + strlen("-fplugin=");

		if (!str_starts(word, "-fplugin="))
			continue;
		if (*path != '/')
			path = tree_path(&b->arena, &b->tree, path);
		if (stat(path, &plugin))
			diag(&b->diag, D_TREE_PLUGIN, AT(.object = u->object->path),
			     "%s isn't there", path);
		else if (!stat(tree, &object) && plugin.st_mtime > object.st_mtime)
			diag(&b->diag, D_TREE_PLUGIN, AT(.object = u->object->path),
			     "%s is newer than the object", path);
	}
}

int compiler_check(struct kgr_build *b, char *compiler)
{
	char *argv[] = { compiler, "--version", NULL }, *want, *have;
	struct cmd cmd = { .argv = argv };
	struct unit *u;

	if (!find_program(&b->arena, compiler))
		return diag(&b->diag, D_TREE_COMPILER, NULL, "%s is not installed", compiler);
	if (run_one(&b->diag, &cmd))
		return -1;
	want = (char *)tree_config(&b->tree, "CONFIG_CC_VERSION_TEXT");
	have = arena_strndup(&b->arena, cmd.output, strcspn(cmd.output, "\n"));
	b->compiler_version = have;
	if (!want || strcmp(want, have))
		return diag(&b->diag, D_TREE_COMPILER, NULL, "the kernel: \"%s\", here: \"%s\"",
			    want ? want : "not recorded", have);
	vec_each(u, &b->units)
		check_plugins(b, u, tree_path(&b->arena, &b->tree, u->object->path));
	return diag_fatal(&b->diag) ? -1 : 0;
}

/* What the compiler says of itself in .comment: several strings, all the same */
static const char *comment_of(const struct obj *o)
{
	const struct sect *s = obj_find_sect(o, ".comment");
	const char *p = s ? (const char *)s->data : NULL, *end = p ? p + s->size : NULL;

	while (p && p < end && !*p)
		p++;
	return p && p < end && memchr(p, 0, end - p) ? p : NULL;
}

static int check_comment(struct kgr_build *b, const struct unit *u, const char *tree)
{
	struct obj built = { 0 }, now = { 0 };
	const char *x, *y;

	if (elf_read(&b->diag, &b->arena, tree, u->object->path, &built) ||
	    elf_read(&b->diag, &b->arena, u->orig_path, u->object->path, &now))
		return -1;
	x = comment_of(&built);
	y = comment_of(&now);
	if (x && y && strcmp(x, y))
		diag(&b->diag, D_TREE_COMPILER, AT(.object = u->object->path),
		     "in the tree: \"%s\", here: \"%s\"", x, y);
	elf_close(&built);
	elf_close(&now);
	return 0;
}

/* Words that kgr-build adds or overrides, and those that choose the kind of debug data */
static bool is_ours(const char *word)
{
	return str_ends(word, "function-sections") || str_ends(word, "data-sections") ||
		str_starts(word, "-g") || str_starts(word, "-fno-var-tracking");
}

static strvec flags(struct arena *a, const char *producer)
{
	char *text = arena_strdup(a, producer), *word;
	strvec out = { 0 };

	while ((word = strsep(&text, " ")))
		if (*word && !is_ours(word))
			vec_push(a, &out, word);
	return out;
}

static char *missing(struct arena *a, const strvec *from, const strvec *in)
{
	struct buf out = { .arena = a };

	buf_puts(&out, "");
	for (size_t i = 0; i < from->n; i++)
		if (!strvec_has(in, from->v[i]))
			buf_printf(&out, "%s%s", out.n ? " " : "", from->v[i]);
	return out.s;
}

/* The debug data of an object holds the flags that it was compiled with */
static void check_flags(struct kgr_build *b, const struct unit *u, const char *tree)
{
	char *x = dwarf_producer(&b->arena, tree), *y = dwarf_producer(&b->arena, u->orig_path);
	strvec was, is;
	char *only_was, *only_is;

	if (!x || !y)
		return;
	was = flags(&b->arena, x);
	is = flags(&b->arena, y);
	only_was = missing(&b->arena, &was, &is);
	only_is = missing(&b->arena, &is, &was);
	if (*only_was || *only_is)
		diag(&b->diag, D_TREE_FLAGS, AT(.object = u->object->path),
		     "in the tree: \"%s\", recorded: \"%s\"", only_was, only_is);
}

int compiler_check_objects(struct kgr_build *b)
{
	struct unit *u;

	vec_each(u, &b->units) {
		char *tree = tree_path(&b->arena, &b->tree, u->object->path);

		if (u->object->is_text || u->object->is_asm || u->object->is_new)
			continue;
		if (check_comment(b, u, tree))
			return -1;
		check_flags(b, u, tree);
	}
	return diag_fatal(&b->diag) ? -1 : 0;
}
