// SPDX-License-Identifier: GPL-2.0
/* What the author of a diff says by the macros of <linux/kgraft_author.h> */
#include <elf.h>

#include "author.h"
#include "names.h"
#include "resolve.h"
#include "special.h"
#include "target.h"

#define PREFIX	".discard.kgr."

static const char * const kinds[] = { "pre_patch", "post_patch", "pre_unpatch", "post_unpatch" };

static struct atom *target_of(const struct rela *r)
{
	if (!r->sym || !r->sym->sect)
		return NULL;
	return sect_atom_at(r->sym->sect, r->sym->value + r->addend);
}

static const char *objname_of(struct kgr_build *b, const struct atom *a)
{
	const struct unit *u = unit_of_atom(b, a);

	return u->syms ? u->syms->objname : NULL;
}

static bool same_object(const char *x, const char *y)
{
	return x == y || (x && y && !strcmp(x, y));
}

static void add_callback(struct kgr_build *b, const char *kind, struct atom *a)
{
	struct callback c = { .kind = kind, .function = a };
	struct where at = where_atom(a);
	struct callback *other;

	c.objname = objname_of(b, a);
	vec_each(other, &b->callbacks)
		if (!strcmp(other->kind, kind) && same_object(other->objname, c.objname)) {
			diag(&b->diag, D_CALLBACK, &at, "%s is the %s callback of %s already",
			     atom_name(other->function), kind, c.objname ? c.objname : "vmlinux");
			return;
		}
	if (a->twin) {
		diag(&b->diag, D_CALLBACK, &at, "it exists in the running kernel: it has to be new");
		return;
	}
	vec_push(&b->arena, &b->callbacks, c);
}

/* "?" before it: a macro says so and knows why, and it need not be there */
static void add_ignored(struct kgr_build *b, const struct obj *o, const char *text)
{
	struct ignored new = { .maybe = *text == '?' }, *g;

	new.what = text + new.maybe;
	new.object = o->path;
	vec_each(g, &b->ignored)
		if (!strcmp(g->what, new.what))
			return;
	vec_push(&b->arena, &b->ignored, new);
}

static void read_section(struct kgr_build *b, const struct obj *o, const struct sect *s)
{
	const char *kind = s->name + strlen(PREFIX);

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (strcmp(kind, kinds[i]))
			continue;
		for (size_t k = 0; k < s->relas.n; k++) {
			struct atom *a = target_of(&s->relas.v[k]);

			if (a && a->sym && a->sect->kind && a->sect->kind->cls == SECT_TEXT)
				add_callback(b, kinds[i], a);
			else
				diag(&b->diag, D_CALLBACK, AT(.object = o->path),
				     "the %s callback is no function of the file that names it",
				     kinds[i]);
		}
		return;
	}
	if (strcmp(kind, "ignore") || !s->data || !s->size || s->data[s->size - 1])
		return;
	/* strings, with zeroes between them where one is aligned */
	for (uint64_t i = 0; i < s->size; i += strlen((const char *)s->data + i) + 1)
		if (s->data[i])
			add_ignored(b, o, (const char *)s->data + i);
}

static bool says(struct ignored *g, const char *what, const char *name)
{
	size_t n = strlen(what);

	return !strncmp(g->what, what, n) && !strcmp(g->what + n, name);
}

bool author_ignores(struct kgr_build *b, const struct atom *a)
{
	const char *out = section_out_name(&b->arena, a->sect);
	const char *name = name_source(&b->arena, atom_name(a));
	struct where at = where_atom(a);
	struct ignored *g;
	bool hit = false, silent = false;

	vec_each(g, &b->ignored)
		if (says(g, "section:", a->sect->name) || says(g, "section:", out) ||
		    says(g, "symbol:", name)) {
			hit = g->used = true;
			silent |= g->maybe;
		}
	if (hit && !silent)
		diag(&b->diag, D_IGNORED, &at, "%s%s%s", atom_name(a),
		     *atom_name(a) ? ", section " : "section ", a->sect->name);
	return hit;
}

void author_check(struct kgr_build *b)
{
	struct ignored *g;

	vec_each(g, &b->ignored)
		if (!g->used && !g->maybe)
			diag(&b->diag, D_IGNORED_NOTHING, AT(.object = g->object), "%s", g->what);
}

static void drop_ignored(struct kgr_build *b)
{
	size_t n = 0;

	for (size_t i = 0; i < b->changed.n; i++) {
		struct atom *a = b->changed.v[i];

		if (author_ignores(b, a))
			a->state = ATOM_SAME;
		else
			b->changed.v[n++] = a;
	}
	b->changed.n = n;
}

int pass_author(struct kgr_build *b)
{
	struct unit *u;

	vec_each(u, &b->units) {
		if (!u->patched || !unit_is_target(u))
			continue;
		for (size_t i = 0; i < u->patched->sects.n; i++)
			if (str_starts(u->patched->sects.v[i]->name, PREFIX))
				read_section(b, u->patched, u->patched->sects.v[i]);
	}
	drop_ignored(b);
	return 0;
}

const struct callback *author_callback(const struct kgr_build *b, const struct atom *a)
{
	struct callback *c;

	vec_each(c, &b->callbacks)
		if (c->function == a)
			return c;
	return NULL;
}

static bool first_of_object(const struct kgr_build *b, const struct callback *c)
{
	struct callback *other;

	vec_each(other, &b->callbacks)
		if (same_object(other->objname, c->objname))
			return other == c;
	return false;
}

void author_write(struct kgr_build *b, struct buf *out)
{
	struct callback *c, *k;

	if (!b->callbacks.n)
		return;
	vec_each(c, &b->callbacks)
		buf_printf(out, "extern %s %s(struct kgr_patch *patch, struct module *mod);\n",
			   strcmp(c->kind, "pre_patch") ? "void" : "int", c->function->out_name);
	buf_puts(out, "\nstatic const struct kgr_callbacks callbacks[] = {\n");
	vec_each(c, &b->callbacks) {
		if (!first_of_object(b, c))
			continue;
		buf_puts(out, "\t{\n");
		if (c->objname)
			buf_printf(out, "\t\t.objname = \"%s\",\n", c->objname);
		vec_each(k, &b->callbacks)
			if (same_object(k->objname, c->objname))
				buf_printf(out, "\t\t.%s = %s,\n", k->kind, k->function->out_name);
		buf_puts(out, "\t},\n");
	}
	buf_puts(out, "\tKGR_CALLBACKS_END\n};\n");
}
