// SPDX-License-Identifier: GPL-2.0
/*
 * What a change to a header is called, and which objects speak of it.
 *
 * An object that includes a header but never mentions the function or macro that
 * changes in it stays what it is. Preprocessed text tells that for certain, names
 * that macros paste together included, and costs a third of a compilation. Changes
 * to anything else, types above all, act without being mentioned.
 */
#include <ctype.h>
#include <stdlib.h>

#include "mention.h"

static bool word_char(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

/* Line @nr of @text, 1 is the first; NULL if there are fewer */
static const char *line_at(const char *text, unsigned int nr)
{
	while (--nr && *text) {
		text = strchrnul(text, '\n');
		text += *text == '\n';
	}
	return *text ? text : NULL;
}

static size_t line_length(const char *line)
{
	return strchrnul(line, '\n') - line;
}

static bool continued(const char *line)
{
	size_t n = line_length(line);

	return n && line[n - 1] == '\\';
}

struct side {
	const char *text;
	const struct src_map *map;
};

/* First line of the directive that @nr is part of, 0 if it isn't in one */
static unsigned int directive_start(const struct side *s, unsigned int nr)
{
	const char *line;

	while (nr > 1) {
		line = line_at(s->text, nr - 1);
		if (!line || !continued(line))
			break;
		nr--;
	}
	line = line_at(s->text, nr);
	return line && line[strspn(line, " \t")] == '#' ? nr : 0;
}

static void add(struct arena *a, mentions *out, const char *name, size_t n, bool macro,
		unsigned int first, unsigned int last)
{
	struct mention m = { .name = arena_strndup(a, name, n), .macro = macro, .first = first,
			     .last = last };

	vec_push(a, out, m);
}

/* #define NAME, whatever follows it */
static bool add_macro(struct arena *a, const struct side *s, unsigned int nr, mentions *out)
{
	const char *p = line_at(s->text, nr);
	size_t n = 0;

	p += strspn(p, " \t") + 1;
	p += strspn(p, " \t");
	if (!str_starts(p, "define"))
		return false;
	p += strlen("define");
	p += strspn(p, " \t");
	while (word_char(p[n]))
		n++;
	add(a, out, p, n, true, 0, 0);
	return n > 0;
}

/* Every word with a parenthesis behind it: one of them is the function's name */
static bool add_functions(struct arena *a, const char *from, const char *to, unsigned int first,
			  unsigned int last, mentions *out)
{
	bool any = false;

	for (const char *p = from; p < to; ) {
		const char *word = p;

		while (p < to && word_char(*p))
			p++;
		if (p == word) {
			p++;
			continue;
		}
		if (p[strspn(p, " \t\n")] == '(' && !isdigit((unsigned char)*word)) {
			add(a, out, word, p - word, false, first, last);
			any = true;
		}
	}
	return any;
}

static bool add_block(struct arena *a, const struct side *s, const struct src_block *b,
		      mentions *out)
{
	const char *head = line_at(s->text, b->first), *brace;

	brace = head ? strchr(head, '{') : NULL;
	if (b->is_type || !brace || memchr(head, '=', brace - head))
		return false;
	return add_functions(a, head, brace, b->first, b->last, out);
}

/* int foo(void); and nothing else: it stands between two places where a block may end */
static bool add_prototype(struct arena *a, const struct side *s, unsigned int nr, mentions *out)
{
	unsigned int first = nr, last = nr;
	const char *from, *to;

	while (first > 1 && !s->map->boundary[first])
		first--;
	while (last < s->map->nlines && !s->map->boundary[last + 1])
		last++;
	from = line_at(s->text, first);
	to = line_at(s->text, last + 1);
	if (!from)
		return false;
	if (!to)
		to = from + strlen(from);
	if (memchr(from, '{', to - from) || memchr(from, '}', to - from) ||
	    memchr(from, '=', to - from) || memchr(from, '#', to - from) ||
	    memmem(from, to - from, "typedef", 7) || !memchr(from, ';', to - from))
		return false;
	return add_functions(a, from, to, first, last, out);
}

static bool is_blank(const char *line)
{
	line += strspn(line, " \t");
	return *line == '\n' || !*line;
}

static bool add_line(struct arena *a, const struct side *s, unsigned int nr, mentions *out)
{
	const char *line = line_at(s->text, nr);
	const struct src_block *b;
	unsigned int start;

	if (!line || is_blank(line))
		return true;
	start = directive_start(s, nr);
	if (start)
		return add_macro(a, s, start, out);
	b = src_block_at(s->map, nr);
	return b ? add_block(a, s, b, out) : add_prototype(a, s, nr, out);
}

bool mention_collect(struct arena *a, const char *before, const char *after,
		     const struct src_map *orig, const struct src_map *patched,
		     const struct diff_hunk *hunks, size_t n, mentions *out)
{
	struct side old = { before, orig }, new = { after, patched };

	for (; n; hunks++, n--) {
		for (unsigned int i = 0; i < hunks->old_len; i++)
			if (!add_line(a, &old, hunks->old_start + i, out))
				return false;
		for (unsigned int i = 0; i < hunks->new_len; i++)
			if (!add_line(a, &new, hunks->new_start + i, out))
				return false;
	}
	return true;
}

static void add_macros(struct arena *a, const struct side *s, unsigned int start, unsigned int len,
		       strvec *out)
{
	for (unsigned int nr = start; nr < start + len; nr++) {
		unsigned int first = directive_start(s, nr);
		mentions found = { 0 };

		if (first && add_macro(a, s, first, &found))
			strvec_add_unique(a, out, found.v[0].name);
	}
}

void mention_macros(struct arena *a, const char *before, const char *after,
		    const struct src_map *orig, const struct src_map *patched,
		    const struct diff_hunk *hunks, size_t n, strvec *out)
{
	struct side old = { before, orig }, new = { after, patched };

	for (; n; hunks++, n--) {
		add_macros(a, &old, hunks->old_start, hunks->old_len, out);
		add_macros(a, &new, hunks->new_start, hunks->new_len, out);
	}
}

/* # 12 "dir/file.h" 1 3: sets the line that comes next */
static bool marker(const char *line, unsigned int *nr, const char **file, size_t *len)
{
	const char *end;
	char *quote;

	if (line[0] != '#' || line[1] != ' ' || !isdigit((unsigned char)line[2]))
		return false;
	*nr = strtoul(line + 2, &quote, 10);
	if (quote[0] != ' ' || quote[1] != '"')
		return false;
	end = strpbrk(quote + 2, "\"\n");
	if (!end || *end != '"')
		return false;
	*file = quote + 2;
	*len = end - *file;
	return true;
}

static bool in_header(const char *file, size_t len, const char *header)
{
	size_t n = strlen(header);

	return len >= n && !strncmp(file + len - n, header, n) &&
		(len == n || file[len - n - 1] == '/');
}

bool mention_in(const char *text, size_t len, const char *name)
{
	size_t n = strlen(name);

	for (const char *p = text; (p = memmem(p, text + len - p, name, n)); p++)
		if ((p == text || !word_char(p[-1])) &&
		    (p + n == text + len || !word_char(p[n])))
			return true;
	return false;
}

/* What was seen of the lines that define something */
struct own {
	bool text, name;
};

static bool is_own(const struct mention *m, bool header, unsigned int nr)
{
	return header && !m->macro && nr >= m->first && nr <= m->last;
}

/*
 * Can it be that this line uses one of the names?  #line directives give some lines
 * of a definition the numbers that they have in the original file, so that what is
 * in the range of either side counts as its own.
 */
static bool line_uses(const char *line, size_t len, bool header, unsigned int nr,
		      const mentions *names, struct own *own)
{
	for (size_t i = 0; i < names->n; i++) {
		const struct mention *m = &names->v[i];
		bool mentions = mention_in(line, len, m->name), defines = false;

		for (size_t k = 0; k < names->n; k++)
			defines |= !strcmp(names->v[k].name, m->name) &&
				is_own(&names->v[k], header, nr);
		if (mentions && !defines)
			return true;
		if (is_own(m, header, nr)) {
			own[i].text |= strspn(line, " \t\r") < len;
			own[i].name |= mentions;
		}
	}
	return false;
}

/* A definition that doesn't hold any of the names is made by a macro: who knows of what */
static bool made_by_macro(const mentions *names, const struct own *own)
{
	for (size_t i = 0; i < names->n; i++) {
		bool named = false;

		for (size_t k = 0; k < names->n; k++)
			named |= own[k].name && names->v[k].first == names->v[i].first &&
				names->v[k].last == names->v[i].last;
		if (own[i].text && !named)
			return true;
	}
	return false;
}

bool mention_found(const char *text, const char *file, const mentions *names)
{
	struct own *own = calloc(names->n + 1, sizeof(*own));
	const char *current = "";
	unsigned int nr = 1;
	bool found = !own;
	size_t len = 0;

	for (const char *line = text; !found && *line; nr++) {
		size_t n = line_length(line);

		if (marker(line, &nr, &current, &len))
			nr--;
		else
			found = line_uses(line, n, in_header(current, len, file), nr, names, own);
		line += n + (line[n] == '\n');
	}
	found = found || made_by_macro(names, own);
	free(own);
	return found;
}
