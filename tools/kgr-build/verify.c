// SPDX-License-Identifier: GPL-2.0
/* Everything that stands against a module, said at once */
#include <elf.h>

#include "author.h"
#include "built.h"
#include "callers.h"
#include "closure.h"
#include "compare.h"
#include "names.h"
#include "resolve.h"
#include "special.h"
#include "target.h"

/* Code for a change to an atom of a class, or D_MAX if that is fine */
static enum diag_code change_code(const struct atom *a)
{
	switch (a->sect->kind->cls) {
	case SECT_DATA:
	case SECT_CONST:
		return a->same_source || name_disposable(atom_name(a)) ? D_MAX : D_DATA_CHANGED;
	case SECT_BOOT:
		return D_INIT_CHANGED;
	case SECT_REGISTER:
		return D_REGISTER_NEW;
	case SECT_EXPORT:
		return D_EXPORT_NEW;
	case SECT_UNKNOWN:
		return D_SECTION_UNKNOWN;
	default:
		return D_MAX;
	}
}

static bool is_anonymous(const struct atom *a)
{
	return !a->sym || str_starts(a->sym->name, ".L");
}

static const char *display_name(const struct atom *a)
{
	const char *name = atom_name(a);

	if (a->sect->kind->cls == SECT_EXPORT && str_starts(name, "__export_symbol_"))
		return name + strlen("__export_symbol_");
	return *name ? name : a->sect->name;
}

/* The variable's member that differs first, and its values if they are numbers */
static const char *data_difference(struct kgr_build *b, const struct atom *a)
{
	const struct atom *old = a->twin;
	const struct dw_member *m;
	uint64_t i = 0, x = 0, y = 0, n, at;

	while (i < a->size && i < old->size && (a->data ? a->data[i] : 0) ==
	       (old->data ? old->data[i] : 0))
		i++;
	if (a->size != old->size || i == a->size)
		return a->reason;
	m = layout_member_at(b, atom_name(a), i, &at);
	n = m ? m->bits / 8 : a->size <= 8 ? a->size : 0;
	at = m ? at : 0;
	if (!n || n > 8 || (m && m->bitfield) || at + n > a->size)
		return arena_printf(&b->arena, "%s, first at offset %llu%s%s", a->reason,
				    (unsigned long long)i, m ? ", in ." : "", m ? m->name : "");
	memcpy(&x, old->data ? old->data + at : (const uint8_t *)&(uint64_t){ 0 }, n);
	memcpy(&y, a->data ? a->data + at : (const uint8_t *)&(uint64_t){ 0 }, n);
	return arena_printf(&b->arena, "%s%s was %llu, is %llu", m ? "." : "it",
			    m ? m->name : "", (unsigned long long)x, (unsigned long long)y);
}

static void refuse_atom(struct kgr_build *b, const struct atom *a, enum diag_code code,
			const char *what)
{
	struct where at = { .object = a->obj->path, .file = a->file, .line = a->line };
	bool code_atom = a->sect->flags & SHF_EXECINSTR;

	if (author_ignores(b, a))
		return;
	if (code_atom)
		at.function = display_name(a);
	if (code_atom || is_anonymous(a))
		diag(&b->diag, code, &at, "section %s: %s", a->sect->name, what);
	else
		diag(&b->diag, code, &at, "%s, section %s: %s", display_name(a), a->sect->name,
		     what);
}

/* .text, and the parts of it that the compiler sorts functions into */
static bool plain_text(const char *section)
{
	return !strcmp(section, ".text") || !strcmp(section, ".text.unlikely") ||
		!strcmp(section, ".text.hot");
}

/* __init, noinstr and their like, given or taken away */
static void check_section(struct kgr_build *b, const struct atom *a)
{
	const char *old, *new;
	struct where at;

	if (!a->twin || !(a->sect->flags & SHF_EXECINSTR))
		return;
	old = section_out_name(&b->arena, a->twin->sect);
	new = section_out_name(&b->arena, a->sect);
	if (!strcmp(old, new) || (plain_text(old) && plain_text(new)))
		return;
	at = where_atom(a);
	diag(&b->diag, D_SECTION_MOVED, &at, "it was in %s, is in %s", old, new);
}

static void check_named(struct kgr_build *b, const struct atom *a)
{
	enum diag_code code = change_code(a);

	check_section(b, a);

	if (is_anonymous(a) || code == D_MAX || a->state == ATOM_SAME)
		return;
	if (a->state == ATOM_CHANGED)
		refuse_atom(b, a, code, code == D_DATA_CHANGED ? data_difference(b, a) : a->reason);
	else if (code != D_DATA_CHANGED)
		refuse_atom(b, a, code, "it is new");
}

/* Without names, data is what it is by its place in the section */
static void check_anonymous(struct kgr_build *b, const struct sect *s, const struct sect *old)
{
	size_t k = 0;

	for (size_t i = 0; i < s->atoms.n; i++) {
		struct atom *a = s->atoms.v[i];

		if (!is_anonymous(a) || change_code(a) == D_MAX)
			continue;
		while (old && k < old->atoms.n && !is_anonymous(old->atoms.v[k]))
			k++;
		if (!old || k >= old->atoms.n || !atom_equal(old->atoms.v[k], a))
			refuse_atom(b, a, change_code(a), "it differs");
		k++;
	}
}

/* " of f" for the only function that uses it, else "" */
static const char *used_by(struct kgr_build *b, const struct atom *a)
{
	const struct atom *user = NULL;

	for (size_t i = 0; i < a->obj->syms.n; i++) {
		const struct atom *f = a->obj->syms.v[i]->atom;

		if (!f || f->sym != a->obj->syms.v[i] || !atom_is_code(f))
			continue;
		for (size_t k = 0; k < f->refs.n; k++)
			if (f->refs.v[k].target == a) {
				if (user && user != f)
					return "";
				user = f;
			}
	}
	return user ? arena_printf(&b->arena, " of %s", atom_name(user)) : "";
}

/* A callback of RCU, a timer, an ops table: what is pending runs the old function */
static void check_pointer_gone(struct kgr_build *b, const struct atom *a)
{
	struct where at = where_atom(a);

	for (size_t i = 0; i < a->obj->sects.n; i++) {
		const struct sect *s = a->obj->sects.v[i];

		if (!s->kind || s->kind->cls == SECT_TABLE || s->kind->cls == SECT_DROP)
			continue;
		for (size_t k = 0; k < s->atoms.n; k++)
			for (size_t m = 0; m < s->atoms.v[k]->refs.n; m++) {
				const struct ref *r = &s->atoms.v[k]->refs.v[m];

				if (r->target != a || r->branch)
					continue;
				diag(&b->diag, D_POINTER_GONE, &at, "by %s",
				     *atom_name(s->atoms.v[k]) ? atom_name(s->atoms.v[k]) : s->name);
				return;
			}
	}
}

static void static_gone(struct kgr_build *b, const struct atom *a)
{
	if (!author_ignores(b, a))
		diag(&b->diag, D_STATIC_GONE, AT(.object = a->obj->path, .file = a->file,
		     .line = a->line), "%s%s", name_source(&b->arena, atom_name(a)),
		     used_by(b, a));
}

static void check_removed(struct kgr_build *b, const struct atom *a)
{
	enum diag_code code = change_code(a);

	if (is_anonymous(a) || a->twin)
		return;
	if (a->sect->kind->cls == SECT_TEXT && atom_is_global(a))
		refuse_atom(b, a, D_FUNC_REMOVED, "it is gone");
	else if (a->sect->kind->cls == SECT_TEXT && !a->parent)
		check_pointer_gone(b, a);
	else if (a->sect->kind->cls == SECT_DATA && !atom_is_global(a) && !a->same_source &&
		 !name_disposable(atom_name(a)))
		static_gone(b, a);
	else if (code != D_MAX && (code != D_DATA_CHANGED || atom_is_global(a)))
		refuse_atom(b, a, code, "it is gone");
}

/* Entries of a table that nobody knows, for code that goes into the module */
static void check_unknown(struct kgr_build *b, const struct sect *s)
{
	const struct atom *last = NULL;

	if (!s->kind || s->kind->cls != SECT_UNKNOWN)
		return;
	for (size_t i = 0; i < s->atoms.n; i++)
		for (size_t k = 0; k < s->atoms.v[i]->refs.n; k++) {
			const struct atom *to = s->atoms.v[i]->refs.v[k].target;
			struct where at;

			if (!to || to == last || !to->included || !atom_is_code(to) ||
			    author_ignores(b, s->atoms.v[i]))
				continue;
			last = to;
			at = where_atom(to);
			diag(&b->diag, D_SECTION_UNKNOWN, &at, "section %s has an entry for it", s->name);
		}
}

static void check_unit(struct kgr_build *b, const struct unit *u)
{
	for (size_t i = 0; i < u->patched->sects.n; i++) {
		struct sect *s = u->patched->sects.v[i];

		for (size_t k = 0; k < s->atoms.n; k++)
			check_named(b, s->atoms.v[k]);
		if (s->kind)
			check_anonymous(b, s, obj_find_sect(u->orig, s->name));
		check_unknown(b, s);
	}
	for (size_t i = 0; i < u->orig->sects.n; i++)
		for (size_t k = 0; k < u->orig->sects.v[i]->atoms.n; k++)
			check_removed(b, u->orig->sects.v[i]->atoms.v[k]);
}

/* Assembler code, and objects that aren't in vmlinux, must not differ at all */
static void check_foreign(struct kgr_build *b, const struct unit *u)
{
	const char *what = u->object->module ? "it is part of several modules" :
		"it is part of a module that modules.order doesn't list";
	struct atom **a;

	if (!u->differs)
		return;
	if (u->object->is_text || u->object->is_asm) {
		diag(&b->diag, D_ASM_CHANGED, AT(.object = u->object->path), "%s", "");
		return;
	}
	vec_each(a, &b->changed) {
		struct where at = where_atom(*a);

		if ((*a)->obj != u->patched)
			continue;
		if (u->object->kind == OBJECT_MODULE)
			diag(&b->diag, D_NOT_VMLINUX, &at, "%s", what);
		else
			diag(&b->diag, D_NOT_KERNEL, &at, "%s", u->object->path);
	}
}

static bool has_site(const struct atom *a)
{
	for (size_t i = 0; i < a->entries.n; i++)
		if (!strcmp(a->entries.v[i]->sect->name, "__mcount_loc"))
			return true;
	return false;
}

static const char *why_no_site(struct kgr_build *b, const struct atom *a)
{
	struct unit *u = unit_of_atom(b, a);

	if (strcmp(a->sect->name, ".text") && !str_starts(a->sect->name, ".text."))
		return arena_printf(&b->arena, "it is in section %s (noinstr and the like)",
				    a->sect->name);
	if (!strstr(u->object->command, "-mfentry"))
		return "its file is compiled without ftrace (its Makefile says so)";
	if (!has_site(a->twin))
		return "it is notrace, or an inline function that the compiler made out of line";
	return arena_printf(&b->arena, "its site isn't in %s", u->syms->obj.path);
}

/* Is it what the tree's object has that was linked?  If not, that is diagnosed. */
static bool check_linked(struct kgr_build *b, const struct unit *u, const struct atom *a,
			 const struct vm_sym *s)
{
	const struct atom *built = a->twin->built;
	struct where at = where_atom(a);

	if (!built || built_in_vmlinux(u->syms, built, s))
		return true;
	if (built->sym->bind == STB_WEAK)
		diag(&b->diag, D_WEAK, &at, "%s", "");
	else if (built->sym->size != s->size)
		diag(&b->diag, D_SIZE_MISMATCH, &at, "%llu bytes in %s, %llu in %s",
		     (unsigned long long)s->size, u->syms->obj.path,
		     (unsigned long long)built->sym->size, u->object->path);
	else
		diag(&b->diag, D_SIZE_MISMATCH, &at, "it differs from that in %s", u->object->path);
	return false;
}

static void check_changed(struct kgr_build *b, struct atom *a)
{
	struct where at = where_atom(a);
	const struct vm_sym *s;
	struct unit *u = unit_of_atom(b, a);
	char *by;

	if (!unit_is_target(u))
		return;			/* refused as a whole */
	s = resolve_atom(b, a, &at);
	if (!s || !check_linked(b, u, a, s) || symtab_has_fentry(u->syms, s))
		return;
	by = callers_patchable(&b->arena, u->syms, s);
	diag(&b->diag, D_NO_FENTRY, &at, "%s; %s%s", why_no_site(b, a),
	     *by ? "the nearest that call it and can be patched: " :
	     "nothing that could be patched is seen to call it", by);
}

/* A pointer to new code may be left in a timer, a list, an ops table */
static void check_address_taken(struct kgr_build *b, struct atom *from)
{
	bool kasan = tree_config(&b->tree, "CONFIG_KASAN");

	for (size_t i = 0; i < from->refs.n; i++) {
		const struct ref *r = &from->refs.v[i];
		struct atom *to = r->target;
		struct where at;

		if (r->branch || !to || to->twin || to->parent ||
		    to->sect->kind->cls != SECT_TEXT || from->sect->kind->cls == SECT_TABLE)
			continue;
		if (kasan && to == from)	/* its stack frames say whose they are */
			continue;
		at = where_atom(to);
		diag(&b->diag, D_ADDRESS_TAKEN, &at, "by %s",
		     from->sym ? atom_name(from) : from->sect->name);
	}
}

int pass_verify(struct kgr_build *b)
{
	struct unit *u;
	struct atom **a;

	vec_each(u, &b->units) {
		if (unit_is_target(u))
			check_unit(b, u);
		else
			check_foreign(b, u);
	}
	vec_each(a, &b->changed)
		check_changed(b, *a);
	vec_each(u, &b->units)
		for (size_t i = 0; u->patched && i < u->patched->sects.n; i++)
			for (size_t k = 0; k < u->patched->sects.v[i]->atoms.n; k++)
				if (u->patched->sects.v[i]->atoms.v[k]->included)
					check_address_taken(b, u->patched->sects.v[i]->atoms.v[k]);
	author_check(b);
	return 0;
}

static bool is_changed(const struct kgr_build *b, const struct atom *a)
{
	for (size_t i = 0; i < b->changed.n; i++)
		if (b->changed.v[i] == a || b->changed.v[i] == a->parent)
			return true;
	return false;
}

/* Can it be entered from code that doesn't change? */
static bool entered_from_outside(struct kgr_build *b, const struct atom *fn)
{
	if (atom_is_global(fn))
		return true;
	for (size_t i = 0; i < fn->obj->sects.n; i++) {
		struct sect *s = fn->obj->sects.v[i];

		if (s->kind && (s->kind->cls == SECT_TABLE || s->kind->cls == SECT_DROP))
			continue;
		for (size_t k = 0; k < s->atoms.n; k++)
			for (size_t m = 0; m < s->atoms.v[k]->refs.n; m++) {
				const struct ref *r = &s->atoms.v[k]->refs.v[m];

				if (r->target == fn &&
				    (!r->branch || !is_changed(b, s->atoms.v[k])))
					return true;
			}
	}
	return false;
}

/*
 * hybrid is enough if a task can meet the changed functions only nested in one
 * another: then a clean stack proves that it is between two entries of the first.
 */
int pass_choose_model(struct kgr_build *b)
{
	const char *root = NULL;
	unsigned int roots = 0;

	for (size_t i = 0; i < b->changed.n; i++)
		if (entered_from_outside(b, b->changed.v[i])) {
			root = atom_name(b->changed.v[i]);
			roots++;
		}
	if (b->opts.model != MODEL_AUTO) {
		b->model = b->opts.model;
		b->model_why = b->model == KGR_MODEL_QUIESCE ?
			"it was asked for; it stops all CPUs for an instant, or patches nothing" :
			"it was asked for";
	} else if (b->changed.n == 1) {
		b->model = KGR_MODEL_HYBRID;
		b->model_why = "one function changes";
	} else if (roots == 1) {
		b->model = KGR_MODEL_HYBRID;
		b->model_why = arena_printf(&b->arena,
			"the changed functions are only reached through %s", root);
	} else {
		b->model = KGR_MODEL_UNIVERSE;
		b->model_why = arena_printf(&b->arena,
			"%u of the changed functions are entered from elsewhere, maybe one after the other",
			roots);
	}
	return 0;
}
