// SPDX-License-Identifier: GPL-2.0
/* C source as lines and blocks: enough to know what a changed line belongs to */
#include <ctype.h>
#include <stdlib.h>

#include "source.h"

#define MAX_DEPTH	64

struct scanner {
	struct arena *arena;
	struct src_map *map;
	const char *p;
	unsigned int line;
	unsigned int depth;			/* of braces */
	bool type_at[MAX_DEPTH];		/* what each open brace belongs to */
	unsigned int head_at[MAX_DEPTH];
	unsigned int head;			/* first line of this statement, 0: none yet */
	bool saw_type, saw_paren, saw_assign;	/* in this statement */
	char last;				/* last character that isn't blank or comment */
};

static void count_lines(struct scanner *s, const char *from, const char *to)
{
	for (; from < to; from++)
		s->line += *from == '\n';
}

static void new_statement(struct scanner *s)
{
	s->head = 0;
	s->saw_type = s->saw_paren = s->saw_assign = false;
}

static void skip_to(struct scanner *s, const char *to)
{
	count_lines(s, s->p, to);
	s->p = to;
}

static void skip_comment(struct scanner *s)
{
	const char *end = strstr(s->p + 2, "*/");

	skip_to(s, end ? end + 2 : s->p + strlen(s->p));
}

/* A literal ends at its quote, or, in text that isn't quite C, at the line's end */
static void skip_literal(struct scanner *s)
{
	char quote = *s->p;
	const char *p = s->p + 1;

	while (*p && *p != quote && *p != '\n')
		p += p[0] == '\\' && p[1] ? 2 : 1;
	skip_to(s, *p == quote ? p + 1 : p);
	s->last = quote;
}

static void skip_directive(struct scanner *s)
{
	const char *p = s->p;

	while (*p && *p != '\n') {
		if (p[0] == '/' && p[1] == '*') {
			const char *end = strstr(p + 2, "*/");

			p = end ? end + 2 : p + strlen(p);
		} else {
			p += p[0] == '\\' && p[1] ? 2 : 1;
		}
	}
	skip_to(s, p);
	s->last = ';';
}

static void take_word(struct scanner *s)
{
	const char *end = s->p;
	size_t n;

	while (isalnum((unsigned char)*end) || *end == '_')
		end++;
	n = end - s->p;
	if (!s->head)
		s->head = s->line;
	if ((n == 6 && !strncmp(s->p, "struct", 6)) || (n == 5 && !strncmp(s->p, "union", 5)) ||
	    (n == 4 && !strncmp(s->p, "enum", 4)))
		s->saw_type |= !s->saw_paren;
	s->last = 'a';
	s->p = end;
}

static void open_brace(struct scanner *s)
{
	if (s->depth < MAX_DEPTH) {
		s->type_at[s->depth] = s->saw_type && !s->saw_paren && !s->saw_assign;
		s->head_at[s->depth] = s->head ? s->head : s->line;
	}
	s->depth++;
	new_statement(s);
}

static void close_brace(struct scanner *s)
{
	if (!s->depth)
		return;
	s->depth--;
	if (s->depth < MAX_DEPTH && (!s->depth || s->type_at[s->depth])) {
		struct src_block b = { s->head_at[s->depth], s->line, s->type_at[s->depth] };

		vec_push(s->arena, &s->map->blocks, b);
	}
	new_statement(s);
}

static void take_char(struct scanner *s)
{
	char c = *s->p;

	switch (c) {
	case '{':
		open_brace(s);
		break;
	case '}':
		close_brace(s);
		break;
	case ';':
		new_statement(s);
		break;
	case '(':
		s->saw_paren = true;
		break;
	case '=':
		s->saw_assign = true;
		break;
	}
	if (!isspace((unsigned char)c) && c != '\\')
		s->last = c;
	s->p++;
}

/*
 * A directive is put only where a statement, block or directive has just ended:
 * never inside a macro's arguments or body, a literal or a comment.
 */
static void end_of_line(struct scanner *s, const char *start)
{
	bool continued = s->p > start && s->p[-1] == '\\';

	s->p++;
	s->line++;
	if (s->line <= s->map->nlines)
		s->map->boundary[s->line] = !continued && s->last && strchr(";{}", s->last);
}

void src_scan(struct arena *a, const char *text, struct src_map *map)
{
	struct scanner s = { .arena = a, .map = map, .p = text, .line = 1, .last = ';' };
	bool line_start = true;

	*map = (struct src_map){ .nlines = 1 };
	for (const char *p = text; *p; p++)
		map->nlines += *p == '\n';
	map->boundary = arena_alloc(a, map->nlines + 2);
	map->boundary[1] = true;
	while (*s.p) {
		if (*s.p == '\n') {
			end_of_line(&s, text);
			line_start = true;
			continue;
		}
		if (line_start && *s.p == '#') {
			skip_directive(&s);
			continue;
		}
		line_start &= isspace((unsigned char)*s.p) != 0;
		if (s.p[0] == '/' && s.p[1] == '*')
			skip_comment(&s);
		else if (s.p[0] == '/' && s.p[1] == '/')
			skip_to(&s, strchrnul(s.p, '\n'));
		else if (*s.p == '"' || *s.p == '\'')
			skip_literal(&s);
		else if (isalpha((unsigned char)*s.p) || *s.p == '_')
			take_word(&s);
		else
			take_char(&s);
	}
}

const struct src_block *src_block_at(const struct src_map *map, unsigned int line)
{
	const struct src_block *b, *best = NULL;

	vec_each(b, &map->blocks)
		if (b->first <= line && line <= b->last &&
		    (!best || b->last - b->first > best->last - best->first))
			best = b;
	return best;
}

static const char *line_end(const char *p)
{
	p = strchrnul(p, '\n');
	return *p ? p + 1 : p;
}

/* The first line after a hunk, in both files; with no lines at all a hunk's
 * start is the line before it
 */
static unsigned int after(unsigned int start, unsigned int len)
{
	return len ? start + len : start + 1;
}

char *src_keep_lines(struct arena *a, const char *text, const struct diff_hunk *hunks, size_t n)
{
	struct buf out = { .arena = a };
	struct src_map map;
	unsigned int line = 1;
	long pending = 0;
	bool moved = false;

	src_scan(a, text, &map);
	buf_puts(&out, "");
	for (const char *p = text; *p; line++) {
		const char *end = line_end(p);

		for (; n && after(hunks->new_start, hunks->new_len) <= line; hunks++, n--) {
			long shift = (long)after(hunks->old_start, hunks->old_len) -
				     (long)after(hunks->new_start, hunks->new_len);

			moved |= hunks->old_len != hunks->new_len;
			pending = shift;
		}
		if (moved && map.boundary[line]) {
			buf_printf(&out, "#line %ld\n", line + pending);
			moved = false;
		}
		buf_add(&out, p, end - p);
		p = end;
	}
	return out.s;
}
