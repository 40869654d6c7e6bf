// SPDX-License-Identifier: GPL-2.0
/* Diagnostics: codes, formatting, collecting */
#include <stdio.h>

#include "diag.h"

static const struct {
	unsigned int number;
	enum diag_class cls;
	const char *message, *hint;
} defs[] = {
#define X(num, cls, name, msg, hint)	[D_##name] = { num, CLASS_##cls, msg, hint },
#include "errors.def"
#undef X
};

static const struct {
	const char *name;
	char letter;
} classes[] = {
	[CLASS_NOTE]	= { "note",	'N' },
	[CLASS_REVIEW]	= { "review",	'W' },
	[CLASS_REFUSE]	= { "refused",	'E' },
	[CLASS_FAIL]	= { "error",	'E' },
	[CLASS_TREE]	= { "error",	'E' },
};

enum diag_class diag_class(enum diag_code code)
{
	return defs[code].cls;
}

const char *diag_class_name(enum diag_class cls)
{
	return classes[cls].name;
}

char *diag_id(struct arena *a, enum diag_code code)
{
	return arena_printf(a, "KGR-%c%03u", classes[defs[code].cls].letter, defs[code].number);
}

const char *diag_message(enum diag_code code)
{
	return defs[code].message;
}

const char *diag_hint(enum diag_code code)
{
	return defs[code].hint;
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

static bool known_already(const struct diag *d, enum diag_code code, const struct where *w,
			  const char *detail)
{
	const struct diag_item *it;

	vec_each(it, &d->items)
		if (it->code == code && same_text(it->where.object, w->object) &&
		    same_text(it->where.function, w->function) &&
		    same_text(it->where.file, w->file) && it->where.line == w->line &&
		    same_text(it->detail, detail))
			return true;
	return false;
}

static const char *keep(struct diag *d, const char *s)
{
	return s ? arena_strdup(d->arena, s) : NULL;
}

int diag(struct diag *d, enum diag_code code, const struct where *where, const char *fmt, ...)
{
	static const struct where nowhere;
	struct diag_item it = { .code = code };
	va_list ap;

	if (!where)
		where = &nowhere;
	va_start(ap, fmt);
	it.detail = arena_vprintf(d->arena, fmt, ap);
	va_end(ap);
	if (known_already(d, code, where, it.detail))
		return -1;
	it.where = *where;
	it.where.object = keep(d, where->object);
	it.where.function = keep(d, where->function);
	it.where.file = keep(d, where->file);
	vec_push(d->arena, &d->items, it);
	d->count[defs[code].cls]++;
	return -1;
}

bool diag_fatal(const struct diag *d)
{
	return d->count[CLASS_FAIL] || d->count[CLASS_TREE];
}

char *diag_where(struct arena *a, const struct where *w)
{
	struct buf b = { .arena = a };

	buf_puts(&b, "");
	if (w->file)
		buf_puts(&b, w->file);
	if (w->file && w->line)
		buf_printf(&b, ":%u", w->line);
	if (w->object && !w->file)
		buf_puts(&b, w->object);
	if (w->function)
		buf_printf(&b, "%s%s", b.n ? ": " : "", w->function);
	return b.s;
}

char *diag_line(struct arena *a, const struct diag_item *item)
{
	struct buf b = { .arena = a };
	char *where = diag_where(a, &item->where);

	buf_puts(&b, "kgr-build: ");
	if (*where)
		buf_printf(&b, "%s: ", where);
	buf_printf(&b, "%s %s: %s", diag_class_name(defs[item->code].cls),
		   diag_id(a, item->code), defs[item->code].message);
	if (*item->detail)
		buf_printf(&b, ": %s", item->detail);
	if (defs[item->code].hint)
		buf_printf(&b, "; %s", defs[item->code].hint);
	return b.s;
}

void diag_catalogue(struct buf *out)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(defs); i++)
		buf_printf(out, "%s (%s)\n    %s.%s%s%s\n", diag_id(out->arena, i),
			   classes[defs[i].cls].name, defs[i].message,
			   defs[i].hint ? "\n    Hint: " : "", defs[i].hint ? defs[i].hint : "",
			   defs[i].hint ? "." : "");
}
