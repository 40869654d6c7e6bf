// SPDX-License-Identifier: GPL-2.0
/* Unified diffs: what they touch, and whether they are whole */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "diff.h"

struct parser {
	struct diag *d;
	struct diff *out;
	const char *p;			/* next line */
	unsigned int line;		/* its number */
	struct diff_file *file;		/* the one that is open, or NULL */
	bool in_git_header;
	bool after_hunk;		/* the line before belongs to a hunk */
};

#define FAIL(ps, ...)	\
	diag((ps)->d, D_DIFF_SYNTAX, AT(.file = (ps)->out->name, .line = (ps)->line), __VA_ARGS__)

static char *take_line(struct parser *ps)
{
	const char *end = strchrnul(ps->p, '\n');
	char *line;

	line = arena_strndup(ps->d->arena, ps->p, end - ps->p);
	ps->p = *end ? end + 1 : end;
	ps->line++;
	return line;
}

static struct diff_file *open_file(struct parser *ps)
{
	struct diff_file f = { .line = ps->line };

	vec_push(ps->d->arena, &ps->out->files, f);
	ps->file = &ps->out->files.v[ps->out->files.n - 1];
	return ps->file;
}

/* The path of a "---" or "+++" line: up to a tab or the end */
static char *header_path(struct parser *ps, const char *s)
{
	size_t n = strcspn(s, "\t\r");
	char *path;

	while (n && s[n - 1] == ' ')
		n--;
	if (n > 1 && s[0] == '"' && s[n - 1] == '"') {
		s++;
		n -= 2;
	}
	path = arena_strndup(ps->d->arena, s, n);
	return strcmp(path, "/dev/null") ? path : NULL;
}

static bool parse_range(const char **s, unsigned int *start, unsigned int *len)
{
	char *end;

	if (!isdigit((unsigned char)**s))
		return false;
	*start = strtoul(*s, &end, 10);
	*len = 1;
	if (*end == ',') {
		if (!isdigit((unsigned char)end[1]))
			return false;
		*len = strtoul(end + 1, &end, 10);
	}
	*s = end;
	return true;
}

static bool parse_hunk_header(const char *s, struct diff_hunk *h)
{
	if (!str_starts(s, "@@ -"))
		return false;
	s += 4;
	if (!parse_range(&s, &h->old_start, &h->old_len) || !str_starts(s, " +"))
		return false;
	s += 2;
	return parse_range(&s, &h->new_start, &h->new_len) && str_starts(s, " @@");
}

static int parse_hunk(struct parser *ps, const char *header)
{
	struct diff_hunk h = { .line = ps->line };
	unsigned int old, new;

	if (!parse_hunk_header(header, &h))
		return FAIL(ps, "bad hunk header: %s", header);
	old = h.old_len;
	new = h.new_len;
	while (old || new) {
		char *line;

		if (!*ps->p) {
			ps->line = h.line;
			return FAIL(ps, "the hunk ends early: %u old and %u new lines are missing",
				    old, new);
		}
		line = take_line(ps);
		switch (*line) {
		case ' ':
		case '\t':	/* a context line whose blank was lost */
		case '\r':
		case 0:
			if (!old || !new)
				return FAIL(ps, "the hunk has more lines than its header says");
			old--;
			new--;
			break;
		case '-':
			if (!old)
				return FAIL(ps, "the hunk has more old lines than its header says");
			old--;
			vec_push(ps->d->arena, &ps->file->removed, line + 1);
			break;
		case '+':
			if (!new)
				return FAIL(ps, "the hunk has more new lines than its header says");
			new--;
			vec_push(ps->d->arena, &ps->file->added, line + 1);
			break;
		case '\\':
			break;
		default:
			return FAIL(ps, "not a line of a hunk: %.40s", line);
		}
	}
	vec_push(ps->d->arena, &ps->file->hunks, h);
	ps->after_hunk = true;
	return 0;
}

static void git_header(struct parser *ps, const char *line)
{
	static const struct {
		const char *text;
		enum diff_oddity oddity;
	} marks[] = {
		{ "new file mode",	DIFF_NEW },
		{ "deleted file mode",	DIFF_DELETED },
		{ "rename ",		DIFF_RENAMED },
		{ "copy ",		DIFF_RENAMED },
		{ "old mode",		DIFF_MODE },
		{ "Binary files",	DIFF_BINARY },
		{ "GIT binary patch",	DIFF_BINARY },
	};

	for (size_t i = 0; i < ARRAY_SIZE(marks); i++)
		if (str_starts(line, marks[i].text))
			ps->file->oddity |= marks[i].oddity;
}

/* "diff --git a/x b/x": the only place where a change without hunks has a name */
static int git_line(struct parser *ps, const char *line)
{
	const char *names = line + strlen("diff --git "), *mid;

	open_file(ps);
	ps->in_git_header = true;
	mid = strstr(names, " b/");
	if (!mid && strlen(names) % 2 && names[strlen(names) / 2] == ' ')	/* --no-prefix */
		mid = names + strlen(names) / 2;
	if (mid) {
		ps->file->old_path = arena_strndup(ps->d->arena, names, mid - names);
		ps->file->new_path = arena_strdup(ps->d->arena, mid + 1);
	}
	return 0;
}

static int file_header(struct parser *ps, const char *old_line)
{
	char *new_line;

	if (!ps->in_git_header)
		open_file(ps);
	ps->in_git_header = false;
	if (!str_starts(ps->p, "+++ ")) {
		ps->line++;
		return FAIL(ps, "a line with +++ has to follow the one with ---");
	}
	new_line = take_line(ps);
	ps->file->old_path = header_path(ps, old_line + 4);
	ps->file->new_path = header_path(ps, new_line + 4);
	if (!ps->file->old_path)
		ps->file->oddity |= DIFF_NEW;
	if (!ps->file->new_path)
		ps->file->oddity |= DIFF_DELETED;
	if (!ps->file->old_path && !ps->file->new_path)
		return FAIL(ps, "neither side of the change has a name");
	if (!str_starts(ps->p, "@@ ")) {
		ps->line++;
		return FAIL(ps, "a hunk has to follow the names of the files");
	}
	return 0;
}

/* "--- " also stands in commit messages; it opens a file only if "+++ " follows */
static bool is_file_header(const struct parser *ps, const char *line)
{
	return str_starts(line, "--- ") &&
		(ps->in_git_header || str_starts(ps->p, "+++ ") || str_starts(line, "--- a/"));
}

static int check_complete(struct parser *ps)
{
	struct diff_file *f;

	vec_each(f, &ps->out->files)
		if (!f->hunks.n && !f->oddity) {
			ps->line = f->line;
			return FAIL(ps, "no change follows this header");
		}
	if (!ps->out->files.n)
		return diag(ps->d, D_DIFF_EMPTY, AT_FILE(ps->out->name), "%s", "");
	return 0;
}

int diff_parse(struct diag *d, const char *name, const char *text, struct diff *out)
{
	struct parser ps = { .d = d, .out = out, .p = text };
	int err = 0;

	*out = (struct diff){ .name = arena_strdup(d->arena, name) };
	while (!err && *ps.p) {
		char *line = take_line(&ps);
		bool after_hunk = ps.after_hunk;

		ps.after_hunk = false;

		if (str_starts(line, "diff --git "))
			err = git_line(&ps, line);
		else if (is_file_header(&ps, line))
			err = file_header(&ps, line);
		else if (str_starts(line, "@@ ") && ps.file && !ps.in_git_header)
			err = parse_hunk(&ps, line);
		else if (str_starts(line, "@@ -"))
			err = FAIL(&ps, "a hunk that belongs to no file");
		else if (ps.in_git_header)
			git_header(&ps, line);
		else if (after_hunk && (*line == '+' || *line == ' '))
			err = FAIL(&ps, "the hunk has more lines than its header says");
	}
	return err ? err : check_complete(&ps);
}

static bool climbs(const char *path)
{
	return !strcmp(path, "..") || str_starts(path, "../") || strstr(path, "/../") ||
		str_ends(path, "/..");
}

/* A name that climbs anywhere is a name of nothing, whatever is stripped off it */
static const char *strip_path(const char *path, unsigned int strip)
{
	if (path && climbs(path))
		return NULL;
	while (path && strip--) {
		path = strchr(path, '/');
		if (path)
			path++;
	}
	return path;
}

static bool safe_path(const char *path)
{
	return path && *path && *path != '/';
}

static bool in_tree(struct arena *a, const char *srcdir, const char *path)
{
	return safe_path(path) && file_exists(arena_printf(a, "%s/%s", srcdir, path));
}

/*
 * One of the two names is the file's: diff -u has foo.c.orig on one side.  NULL:
 * neither is in the tree.  Of a new file the directory has to do.
 */
static const char *tree_name(struct arena *a, const char *srcdir, const struct diff_file *f,
			     unsigned int strip)
{
	const char *old = strip_path(f->old_path, strip), *new = strip_path(f->new_path, strip);

	if (f->oddity & DIFF_NEW) {
		const char *path = new ? new : old;

		return safe_path(path) && dir_exists(arena_printf(a, "%s/%s", srcdir,
						     path_dir(a, path))) ? path : NULL;
	}
	return in_tree(a, srcdir, old) ? old : in_tree(a, srcdir, new) ? new : NULL;
}

int diff_resolve(struct diag *d, const char *srcdir, struct diff *df)
{
	static const unsigned int strips[] = { 1, 0, 2, 3, 4, 5, 6, 7, 8 };
	unsigned int best = 1, most = 0;
	struct diff_file *f;
	int err = 0;

	for (size_t i = 0; i < ARRAY_SIZE(strips); i++) {
		unsigned int found = 0;

		vec_each(f, &df->files)
			found += tree_name(d->arena, srcdir, f, strips[i]) != NULL;
		if (found > most) {
			most = found;
			best = strips[i];
		}
	}
	df->strip = best;
	vec_each(f, &df->files) {
		f->path = tree_name(d->arena, srcdir, f, best);
		if (!f->path)
			err = diag(d, D_DIFF_PATH, AT(.file = df->name, .line = f->line), "%s",
				   f->old_path ? f->old_path : f->new_path ? f->new_path : "?");
	}
	return err;
}
