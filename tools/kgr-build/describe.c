// SPDX-License-Identifier: GPL-2.0
/* What a diff says about itself, in the text before it: subject, CVEs */
#include <ctype.h>

#include "kgr-build.h"

#define MAX_DESCRIPTION	160

/* Where the first file begins */
static size_t header_length(const char *text)
{
	const char *p = text;

	while (*p && !str_starts(p, "diff ") && !str_starts(p, "--- a/") && !str_starts(p, "Index: "))
		p += strcspn(p, "\n") + !!p[strcspn(p, "\n")];
	return p - text;
}

/* A literal of C: printable, no quotes */
static char *clean(struct arena *a, const char *s, size_t n)
{
	char *out = arena_strndup(a, s, n), *to = out;

	for (const char *p = out; *p && to < out + MAX_DESCRIPTION; p++) {
		bool blank = isspace((unsigned char)*p);

		if (blank && (to == out || to[-1] == ' '))
			continue;
		*to++ = blank ? ' ' : !isprint((unsigned char)*p) || *p == '\\' ? '?' :
			*p == '"' ? '\'' : *p;
	}
	while (to > out && to[-1] == ' ')
		to--;
	*to = 0;
	return out;
}

/* With the lines that continue it, and without [PATCH 1/2] and the like */
static char *subject(struct arena *a, const char *head)
{
	const char *p = str_starts(head, "Subject: ") ? head : strstr(head, "\nSubject: "), *end;

	if (!p)			/* git show and git log: the first line that is indented */
		return (p = strstr(head, "\n    ")) && str_starts(head, "commit ") ?
			clean(a, p + 5, strcspn(p + 5, "\n")) : NULL;
	p = strchr(p, ':') + 1;
	for (end = p; *end && !(*end == '\n' && end[1] != ' ' && end[1] != '\t'); end++)
		;
	while (*p == ' ' || *p == '\t')
		p++;
	while (*p == '[' && memchr(p, ']', end - p)) {
		p = strchr(p, ']') + 1;
		while (*p == ' ')
			p++;
	}
	return p < end ? clean(a, p, end - p) : NULL;
}

static void add_cves(struct kgr_build *b, const char *head)
{
	struct buf out = { .arena = &b->arena };

	if (b->cve)
		buf_puts(&out, b->cve);
	for (const char *p = head; (p = strstr(p, "CVE-")); p += 4) {
		size_t n = 4 + strspn(p + 4, "0123456789-");
		char *id = arena_strndup(&b->arena, p, n);

		if (n < strlen("CVE-2000-0001") || id[8] != '-' || strchr(id + 9, '-') ||
		    (out.s && strstr(out.s, id)))
			continue;
		buf_printf(&out, "%s%s", out.n ? " " : "", id);
	}
	b->cve = out.s;
}

void describe_read(struct kgr_build *b, const char *text)
{
	char *head = arena_strndup(&b->arena, text, header_length(text));

	if (b->opts.cve)
		b->cve = b->opts.cve;
	else
		add_cves(b, head);
	if (!b->description)
		b->description = b->opts.description ?
			clean(&b->arena, b->opts.description, strlen(b->opts.description)) :
			subject(&b->arena, head);
}
