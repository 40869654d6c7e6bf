// SPDX-License-Identifier: GPL-2.0
/* The outcome, for people and for programs */
#include <elf.h>
#include <jansson.h>
#include <stdio.h>

#include "kgr-build.h"
#include "resolve.h"
#include "special.h"

#define JSON_SCHEMA	1

static const char * const verdict_names[] = {
	[VERDICT_SAFE] = "safe", [VERDICT_REVIEW] = "review", [VERDICT_REFUSED] = "refused",
	[VERDICT_NO_CHANGE] = "no-change", [VERDICT_FAILED] = "failed",
};

enum verdict verdict(const struct kgr_build *b)
{
	if (diag_fatal(&b->diag))
		return VERDICT_FAILED;
	if (b->diag.count[CLASS_REFUSE])
		return VERDICT_REFUSED;
	if (!b->changed.n)
		return VERDICT_NO_CHANGE;
	return b->diag.count[CLASS_REVIEW] ? VERDICT_REVIEW : VERDICT_SAFE;
}

int exit_code(const struct kgr_build *b)
{
	switch (verdict(b)) {
	case VERDICT_SAFE:
		return EXIT_SAFE;
	case VERDICT_REVIEW:
		return EXIT_REVIEW;
	case VERDICT_REFUSED:
		return EXIT_REFUSED;
	case VERDICT_NO_CHANGE:
		return EXIT_NO_CHANGE;
	case VERDICT_FAILED:
		break;
	}
	return b->diag.count[CLASS_TREE] ? EXIT_TREE : EXIT_FAIL;
}

static const char *atom_type(const struct atom *a)
{
	return a->sect->kind->cls == SECT_TEXT ? "function" : "data";
}

static char *location(struct arena *a, const struct atom *at)
{
	return at->file ? arena_printf(a, "%s:%u", at->file, at->line) :
		arena_strdup(a, at->obj->path);
}

static const char *module_of(struct kgr_build *b, const struct atom *a)
{
	const struct symtab *st = unit_of_atom(b, a)->syms;

	return st ? st->objname : NULL;
}

static unsigned int private_symbols(const struct kgr_build *b)
{
	unsigned int n = 0;

	for (size_t i = 0; i < b->xrefs.n; i++)
		n += !b->xrefs.v[i]->exported && !b->xrefs.v[i]->late;
	return n;
}

static unsigned int late_symbols(const struct kgr_build *b)
{
	unsigned int n = 0;

	for (size_t i = 0; i < b->xrefs.n; i++)
		n += b->xrefs.v[i]->late != NULL;
	return n;
}

static void print_diagnostics(struct kgr_build *b)
{
	struct diag_item *it;

	vec_each(it, &b->diag.items)
		if (b->opts.verbose || diag_class(it->code) != CLASS_NOTE)
			fprintf(stderr, "%s\n", diag_line(&b->arena, it));
}

static void print_objects(struct kgr_build *b)
{
	struct unit *u;

	if (!b->units.n)
		return;
	printf("objects:  ");
	if (b->units.n > 8 && !b->opts.verbose) {
		printf("%zu rebuilt, and %zu that stay the same\n", b->units.n, b->screened);
		return;
	}
	vec_each(u, &b->units)
		printf("%s%s", u == b->units.v ? "" : " ", u->object->path);
	if (b->screened)
		printf(", and %zu that stay the same", b->screened);
	printf("\n");
}

static void print_atoms(struct kgr_build *b)
{
	struct atom **a;

	vec_each(a, &b->changed) {
		const char *module = module_of(b, *a);

		printf("changed:  %s  %s%s%s\n          %s\n", atom_name(*a),
		       location(&b->arena, *a), module ? ", module " : "", module ? module : "",
		       (*a)->reason);
	}
	vec_each(a, &b->added)
		printf("new:      %s  %s, %s\n", atom_name(*a), atom_type(*a),
		       location(&b->arena, *a));
}

static void print_times(struct kgr_build *b)
{
	struct stage_time *t;

	printf("time:     %.1f s", now() - b->started);
	if (b->opts.verbose)
		vec_each(t, &b->times)
			printf("%s%s %.2f", t == b->times.v ? " (" : ", ", t->name, t->seconds);
	printf("%s\n", b->opts.verbose && b->times.n ? ")" : "");
}

void report_text(struct kgr_build *b)
{
	enum verdict v = verdict(b);

	print_diagnostics(b);
	if (b->opts.quiet || b->opts.json || v == VERDICT_FAILED)
		return;
	printf("verdict:  %s\n", verdict_names[v]);
	print_objects(b);
	print_atoms(b);
	if (b->written) {
		printf("model:    %s: %s\n", model_name(b->model), b->model_why);
		printf("symbols:  %zu of vmlinux, %u of them not exported", b->xrefs.n - late_symbols(b),
		       private_symbols(b));
		printf(late_symbols(b) ? "; %u of modules\n" : "\n", late_symbols(b));
		printf("kernel:   %s, build-id %s\n", b->tree.release, b->vmlinux.build_id);
		printf("module:   %s\n", b->out_path);
	}
	print_times(b);
	fflush(stdout);
}

static void set_string(json_t *o, const char *key, const char *value)
{
	json_object_set_new(o, key, value ? json_string(value) : json_null());
}

static json_t *json_atom(const struct atom *a)
{
	json_t *o = json_object();

	set_string(o, "name", atom_name(a));
	set_string(o, "type", atom_type(a));
	set_string(o, "object", a->obj->path);
	set_string(o, "file", a->file);
	json_object_set_new(o, "line", a->line ? json_integer(a->line) : json_null());
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
	set_string(o, "object", it->where.object);
	set_string(o, "function", it->where.function);
	set_string(o, "file", it->where.file);
	json_object_set_new(o, "line", it->where.line ? json_integer(it->where.line) : json_null());
	return o;
}

static json_t *json_lists(struct kgr_build *b, json_t *root)
{
	json_t *diags = json_array(), *objects = json_array(), *changed = json_array();
	json_t *added = json_array(), *times = json_object();
	struct diag_item *it;
	struct stage_time *t;
	struct atom **a;
	struct unit *u;

	vec_each(it, &b->diag.items)
		json_array_append_new(diags, json_diag(b, it));
	vec_each(u, &b->units)
		json_array_append_new(objects, json_string(u->object->path));
	vec_each(a, &b->changed) {
		json_t *o = json_atom(*a);

		set_string(o, "module", module_of(b, *a));
		set_string(o, "reason", (*a)->reason);
		set_string(o, "replacement", (*a)->out_name);
		json_array_append_new(changed, o);
	}
	vec_each(a, &b->added)
		json_array_append_new(added, json_atom(*a));
	vec_each(t, &b->times)
		json_object_set_new(times, t->name, json_real(t->seconds));
	json_object_set_new(times, "total", json_real(now() - b->started));
	json_object_set_new(root, "diagnostics", diags);
	json_object_set_new(root, "objects", objects);
	json_object_set_new(root, "objects_same", json_integer(b->screened));
	json_object_set_new(root, "changed", changed);
	json_object_set_new(root, "new", added);
	json_object_set_new(root, "seconds", times);
	return root;
}

static json_t *json_model(const struct kgr_build *b)
{
	json_t *o = json_object();

	set_string(o, "name", model_name(b->model));
	set_string(o, "reason", b->model_why);
	return o;
}

int report_json(struct kgr_build *b)
{
	json_t *root = json_object();
	int err;

	json_object_set_new(root, "schema", json_integer(JSON_SCHEMA));
	set_string(root, "verdict", verdict_names[verdict(b)]);
	json_object_set_new(root, "exit", json_integer(exit_code(b)));
	set_string(root, "name", b->patch_name);
	set_string(root, "module", b->written ? b->out_path : NULL);
	set_string(root, "cve", b->opts.cve);
	set_string(root, "release", b->tree.release);
	set_string(root, "build_id", b->vmlinux.build_id);
	json_object_set_new(root, "model", b->model_why ? json_model(b) : json_null());
	json_object_set_new(root, "private_symbols", json_integer(private_symbols(b)));
	set_string(root, "view", !b->view.srcdir ? NULL :
		   b->view.kind == VIEW_SYMLINKS ? "symlinks" : "overlay");
	json_lists(b, root);
	err = json_dumpf(root, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
	putchar('\n');
	json_decref(root);
	return err || fflush(stdout) ? -1 : 0;
}
