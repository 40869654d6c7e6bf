// SPDX-License-Identifier: GPL-2.0
/* The outcome as JSON */
#include <elf.h>

#include "facts.h"
#include "resolve.h"
#include "special.h"

#define JSON_SCHEMA	1

const char *fact_type(const struct atom *a)
{
	return a->sect->kind->cls == SECT_TEXT ? "function" : "data";
}

const char *fact_module(struct kgr_build *b, const struct atom *a)
{
	const struct symtab *st = unit_of_atom(b, a)->syms;

	return st ? st->objname : NULL;
}

unsigned int fact_private(const struct kgr_build *b)
{
	unsigned int n = 0;

	for (size_t i = 0; i < b->xrefs.n; i++)
		n += !b->xrefs.v[i]->exported && !b->xrefs.v[i]->late;
	return n;
}

unsigned int fact_late(const struct kgr_build *b)
{
	unsigned int n = 0;

	for (size_t i = 0; i < b->xrefs.n; i++)
		n += b->xrefs.v[i]->late != NULL;
	return n;
}

/* What comes from files may be in any encoding, and JSON is UTF-8 */
static void set_string(json_t *o, const char *key, const char *value)
{
	json_t *s = value ? json_string(value) : json_null();

	if (!s) {
		struct arena tmp = { 0 };
		char *ascii = arena_strdup(&tmp, value);

		for (char *p = ascii; *p; p++)
			if (*p & 0x80)
				*p = '?';
		s = json_string(ascii);
		arena_free(&tmp);
	}
	json_object_set_new(o, key, s);
}

static void set_number(json_t *o, const char *key, uint64_t value)
{
	json_object_set_new(o, key, json_integer(value));
}

static json_t *json_atom(const struct atom *a)
{
	json_t *o = json_object();

	set_string(o, "name", atom_name(a));
	set_string(o, "type", fact_type(a));
	set_string(o, "object", a->obj->path);
	set_string(o, "file", a->file);
	json_object_set_new(o, "line", a->line ? json_integer(a->line) : json_null());
	return o;
}

static json_t *json_changed(struct kgr_build *b, const struct atom *a)
{
	json_t *o = json_atom(a);

	set_string(o, "module", fact_module(b, a));
	set_string(o, "reason", a->reason);
	set_string(o, "replacement", a->out_name);
	set_string(o, "sha256", a->old_sha256);
	json_object_set_new(o, "size", a->old_sha256 ? json_integer(a->old_size) : json_null());
	return o;
}

static json_t *json_diag(struct kgr_build *b, const struct diag_item *it)
{
	json_t *o = json_object();

	set_string(o, "code", diag_id(&b->arena, it->code));
	set_string(o, "class", diag_class_name(diag_class(it->code)));
	set_string(o, "message", diag_message(it->code));
	set_string(o, "detail", *it->detail ? it->detail : NULL);
	set_string(o, "hint", diag_hint(it->code));
	set_string(o, "where", diag_where(&b->arena, &it->where));
	set_string(o, "object", it->where.object);
	set_string(o, "function", it->where.function);
	set_string(o, "file", it->where.file);
	json_object_set_new(o, "line", it->where.line ? json_integer(it->where.line) : json_null());
	return o;
}

static json_t *json_symbol(const struct xref *x)
{
	json_t *o = json_object();

	set_string(o, "name", x->name);
	set_string(o, "object", x->objname ? x->objname : "vmlinux");
	set_number(o, "position", x->sympos);
	json_object_set_new(o, "exported", json_boolean(x->exported));
	return o;
}

static json_t *json_times(struct kgr_build *b)
{
	json_t *times = json_object();
	struct stage_time *t;

	vec_each(t, &b->times)
		json_object_set_new(times, t->name, json_real(t->seconds));
	json_object_set_new(times, "total", json_real(now() - b->started));
	return times;
}

static void add_lists(struct kgr_build *b, json_t *root)
{
	json_t *diags = json_array(), *objects = json_array(), *changed = json_array();
	json_t *added = json_array(), *symbols = json_array();
	struct diag_item *it;
	struct atom **a;
	struct unit *u;

	vec_each(it, &b->diag.items)
		json_array_append_new(diags, json_diag(b, it));
	vec_each(u, &b->units)
		json_array_append_new(objects, json_string(u->object->path));
	vec_each(a, &b->changed)
		json_array_append_new(changed, json_changed(b, *a));
	vec_each(a, &b->added)
		json_array_append_new(added, json_atom(*a));
	for (size_t i = 0; i < b->xrefs.n; i++)
		json_array_append_new(symbols, json_symbol(b->xrefs.v[i]));
	json_object_set_new(root, "diagnostics", diags);
	json_object_set_new(root, "objects", objects);
	set_number(root, "objects_same", b->screened);
	set_number(root, "objects_postponed", b->postponed);
	json_object_set_new(root, "changed", changed);
	json_object_set_new(root, "new", added);
	json_object_set_new(root, "symbols", symbols);
	json_object_set_new(root, "seconds", json_times(b));
}

static json_t *json_model(const struct kgr_build *b)
{
	json_t *o = json_object();

	set_string(o, "name", model_name(b->model));
	set_string(o, "reason", b->model_why);
	return o;
}

json_t *facts(struct kgr_build *b)
{
	json_t *root = json_object();

	set_number(root, "schema", JSON_SCHEMA);
	set_string(root, "verdict", verdict_name(verdict(b)));
	set_number(root, "exit", exit_code(b));
	set_string(root, "name", b->patch_name);
	set_string(root, "description", b->description);
	set_string(root, "cve", b->cve);
	json_object_set_new(root, "replace", json_boolean(b->opts.replace));
	set_string(root, "replace_set", b->opts.replace_set);
	set_string(root, "module", b->written ? b->out_path : NULL);
	set_string(root, "package", b->package_path);
	set_string(root, "sha256", b->sha256);
	json_object_set_new(root, "signed", json_boolean(b->is_signed));
	set_string(root, "release", b->tree.release);
	set_string(root, "build_id", b->vmlinux.build_id);
	set_string(root, "tree", b->tree.objdir);
	set_string(root, "oot", b->tree.extdir);
	set_string(root, "compiler", b->compiler_version);
	json_object_set_new(root, "model", b->model_why ? json_model(b) : json_null());
	set_number(root, "private_symbols", fact_private(b));
	set_string(root, "view", !b->view.srcdir ? NULL :
		   b->view.kind == VIEW_SYMLINKS ? "symlinks" : "overlay");
	set_number(root, "cache_hits", b->cache_hits);
	add_lists(b, root);
	return root;
}
