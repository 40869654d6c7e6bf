// SPDX-License-Identifier: GPL-2.0
/* Which objects a source file is in, and the commands that kbuild recorded for them */
#include <ctype.h>
#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <stdlib.h>

#include "tree.h"

/* nftw() has no argument for the caller */
static struct {
	struct arena *arena;
	strvec found;
} walk;

static int visit(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	static const char * const elsewhere[] = { "Documentation", "tools", "scripts", ".git" };
	const char *name = path + ftw->base;

	(void)st;
	if (flag == FTW_D && ftw->level == 1)
		for (size_t i = 0; i < ARRAY_SIZE(elsewhere); i++)
			if (!strcmp(name, elsewhere[i]))
				return FTW_SKIP_SUBTREE;
	if (flag == FTW_F && *name == '.' &&
	    (str_ends(name, ".o.cmd") || str_ends(name, ".s.cmd")))
		vec_push(walk.arena, &walk.found, arena_strdup(walk.arena, path));
	return FTW_CONTINUE;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char * const *)a, *(char * const *)b);
}

static strvec all_cmd_files(struct arena *a, const struct tree *t)
{
	walk.arena = a;
	walk.found = (strvec){ 0 };
	nftw(t->extdir ? t->extdir : t->objdir, visit, 64, FTW_PHYS | FTW_ACTIONRETVAL);
	if (walk.found.n)
		qsort(walk.found.v, walk.found.n, sizeof(*walk.found.v), by_name);
	return walk.found;
}

static bool path_char(char c)
{
	return c && !isspace((unsigned char)c) && !strchr("\\()':", c);
}

/* Is the file named at @p, within a longer word maybe, the one we look for? */
static bool names_file(struct arena *a, const struct tree *t, const char *text, const char *p,
		       const char *file)
{
	char real[PATH_MAX], *word;
	const char *from = p, *to = p + strlen(file);

	while (from > text && path_char(from[-1]))
		from--;
	if (path_char(*to))
		return false;
	word = arena_strndup(a, from, to - from);
	if (from == p && !strcmp(t->srcdir, t->objdir))
		return true;
	if (*word != '/')
		word = arena_printf(a, "%s/%s", t->objdir, word);
	return realpath(word, real) && !strcmp(real, arena_printf(a, "%s/%s", t->srcdir, file));
}

static bool mentions(struct arena *a, const struct tree *t, const char *text, const char *file)
{
	for (const char *p = text; (p = strstr(p, file)); p++)
		if ((p == text || isspace((unsigned char)p[-1]) || p[-1] == '/') &&
		    names_file(a, t, text, p, file))
			return true;
	return false;
}

/* Make's escapes: $$ is $, $(pound) is # */
static char *unescape(struct arena *a, const char *s, size_t n)
{
	char *out = arena_strndup(a, s, n), *to = out;

	for (const char *p = out; *p; ) {
		if (str_starts(p, "$$")) {
			*to++ = '$';
			p += 2;
		} else if (str_starts(p, "$(pound)")) {
			*to++ = '#';
			p += 8;
		} else if (str_starts(p, "\\#")) {
			*to++ = '#';
			p += 2;
		} else {
			*to++ = *p++;
		}
	}
	*to = 0;
	return out;
}

/* The value of "key_PATH := value" */
static char *recorded(struct arena *a, const char *text, const char *key, const char *path)
{
	char *start = arena_printf(a, "%s_%s := ", key, path);
	const char *p = strstr(text, start);

	if (!p || (p != text && p[-1] != '\n'))
		return NULL;
	p += strlen(start);
	return unescape(a, p, strcspn(p, "\n"));
}

static struct object *parse_cmd_file(struct arena *a, const struct tree *t, const char *file,
				     const char *text)
{
	struct object *o = arena_alloc(a, sizeof(*o));
	const char *rel = t->extdir ? file : file + strlen(t->objdir) + 1;
	const char *base = path_base(rel);

	o->path = arena_printf(a, "%.*s%.*s", (int)(base - rel), rel,
			       (int)(strlen(base + 1) - strlen(".cmd")), base + 1);
	o->command = recorded(a, text, "savedcmd", o->path);
	o->source = recorded(a, text, "source", o->path);
	if (!o->command || !o->source)
		return NULL;
	o->is_asm = str_ends(o->source, ".S");
	o->is_text = str_ends(o->path, ".s");
	o->module = map_get(&t->parts, o->path);
	if (map_get(&t->members, o->path))
		o->kind = OBJECT_VMLINUX;
	else if (o->module || strstr(o->command, " -DMODULE "))
		o->kind = OBJECT_MODULE;
	else
		o->kind = OBJECT_OTHER;
	return o;
}

struct object *tree_read_object(struct arena *a, const struct tree *t, const char *path)
{
	char *text;

	return file_read(a, path, &text, NULL) ? NULL : parse_cmd_file(a, t, path, text);
}

int tree_find_objects(struct diag *d, const struct tree *t, const strvec *files,
		      objvec *objects, unsigned int *found)
{
	strvec cmds = all_cmd_files(d->arena, t);

	for (size_t i = 0; i < cmds.n; i++) {
		struct arena tmp = { 0 };
		struct object *o = NULL;
		char *text;
		int err = file_read(&tmp, cmds.v[i], &text, NULL);

		for (size_t f = 0; !err && f < files->n; f++) {
			if (!mentions(&tmp, t, text, files->v[f]))
				continue;
			if (!o)
				o = parse_cmd_file(d->arena, t, cmds.v[i], text);
			if (!o)
				break;
			found[f]++;
			vec_push(d->arena, &o->files, f);
		}
		if (o)
			vec_push(d->arena, objects, o);
		arena_free(&tmp);
		if (err)
			return diag(d, D_IO, AT_FILE(cmds.v[i]), "%s", strerror(-err));
	}
	return 0;
}

/* One word of a shell command line; *p moves behind it.  NULL at the end. */
static char *shell_word(struct arena *a, const char **p)
{
	struct buf w = { .arena = a };
	char quote = 0;

	*p += strspn(*p, " \t");
	if (!**p || **p == ';' || str_starts(*p, "&&"))
		return NULL;
	buf_puts(&w, "");
	for (; **p; (*p)++) {
		char c = **p;

		if (quote) {
			if (c == quote)
				quote = 0;
			else if (quote == '"' && c == '\\' && (*p)[1])
				buf_add(&w, ++*p, 1);
			else
				buf_add(&w, &c, 1);
		} else if (c == '\'' || c == '"') {
			quote = c;
		} else if (c == '\\' && (*p)[1]) {
			buf_add(&w, ++*p, 1);
		} else if (c == ' ' || c == '\t' || c == ';') {
			break;
		} else {
			buf_add(&w, &c, 1);
		}
	}
	return w.s;
}

static bool is_wrapper(const char *word)
{
	const char *name = path_base(word);

	return !strcmp(name, "ccache") || !strcmp(name, "sccache") || !strcmp(name, "distcc");
}

static void add_form(struct arena *a, const struct object *o, enum command_form form,
		     strvec *words)
{
	if (form == COMMAND_PREPROCESS) {
		vec_push(a, words, arena_strdup(a, "-dU"));
	} else if (form == COMMAND_PLAIN) {
		vec_push(a, words, arena_strdup(a, "-g0"));
	} else if (!o->is_text && !o->is_asm) {
		vec_push(a, words, arena_strdup(a, "-ffunction-sections"));
		vec_push(a, words, arena_strdup(a, "-fdata-sections"));
	}
}

int object_command(struct diag *d, const struct object *o, enum command_form form,
		   const char *out, const char *dep, strvec *words)
{
	struct arena *a = d->arena;
	const char *p = o->command;
	bool have_out = false, have_c = false, have_debug = false;
	char *w;

	*words = (strvec){ 0 };
	while ((w = shell_word(a, &p))) {
		if (!words->n && (is_wrapper(w) || strchr(w, '=')))
			continue;
		if (strpbrk(w, "<>|`") && *w != '-')
			return diag(d, D_CMD_SYNTAX, AT(.object = o->path), "%s", w);
		if (str_starts(w, "-Wp,-MMD,") || str_starts(w, "-Wp,-MD,"))
			w = arena_printf(a, "-Wp,-MMD,%s", dep);
		if (!strcmp(w, "-c") || !strcmp(w, "-S")) {
			have_c = true;
			add_form(a, o, form, words);
			if (form == COMMAND_PREPROCESS)
				w = "-E";
		}
		have_debug |= str_starts(w, "-g") && strcmp(w, "-g0");
		vec_push(a, words, w);
		if (!strcmp(w, "-o") && shell_word(a, &p)) {
			vec_push(a, words, arena_strdup(a, out));
			have_out = true;
		}
	}
	if (!words->n || !have_out || !have_c)
		return diag(d, D_CMD_SYNTAX, AT(.object = o->path),
			    "not a compiler's command: %.60s", o->command);
	if (o->is_text)	/* a table: line numbers in debug data would be noise */
		vec_push(a, words, arena_strdup(a, "-g0"));
	else if (!have_debug && form == COMMAND_SPLIT && !o->is_asm)	/* for types; the code stays */
		vec_push(a, words, arena_strdup(a, "-g"));
	return 0;
}
