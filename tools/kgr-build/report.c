// SPDX-License-Identifier: GPL-2.0
/* The outcome, for people and for programs */
#include <stdio.h>

#include "facts.h"

static const char * const verdict_names[] = {
	[VERDICT_SAFE] = "safe", [VERDICT_REVIEW] = "review", [VERDICT_REFUSED] = "refused",
	[VERDICT_NO_CHANGE] = "no-change", [VERDICT_FAILED] = "failed",
};

const char *verdict_name(enum verdict v)
{
	return verdict_names[v];
}

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

static char *location(struct arena *a, const struct atom *at)
{
	return at->file ? arena_printf(a, "%s:%u", at->file, at->line) :
		arena_strdup(a, at->obj->path);
}

static void print_diagnostics(struct kgr_build *b)
{
	struct diag_item *it;

	vec_each(it, &b->diag.items)
		if (diag_class(it->code) != CLASS_NOTE)
			fprintf(stderr, "%s\n", diag_line(&b->arena, it));
}

static void print_others(const struct kgr_build *b)
{
	if (b->screened)
		printf(", and %zu that stay the same", b->screened);
	if (b->postponed)
		printf(", and %zu with a changed header that were not looked at", b->postponed);
	printf("\n");
}

static void print_objects(struct kgr_build *b)
{
	struct unit *u;

	if (!b->units.n)
		return;
	printf("objects:  ");
	if (b->units.n > 8 && !b->opts.verbose) {
		printf("%zu rebuilt", b->units.n);
		print_others(b);
		return;
	}
	vec_each(u, &b->units)
		printf("%s%s", u == b->units.v ? "" : " ", u->object->path);
	print_others(b);
}

static void print_atoms(struct kgr_build *b)
{
	struct atom **a;

	vec_each(a, &b->changed) {
		const char *module = fact_module(b, *a);

		printf("changed:  %s  %s%s%s\n          %s\n", atom_name(*a),
		       location(&b->arena, *a), module ? ", module " : "", module ? module : "",
		       (*a)->reason);
	}
	vec_each(a, &b->added)
		printf("new:      %s  %s, %s\n", atom_name(*a), fact_type(*a),
		       location(&b->arena, *a));
}

/* What is good to know, and no reason against anything */
static void print_notes(struct kgr_build *b)
{
	struct diag_item *it;

	vec_each(it, &b->diag.items)
		if (diag_class(it->code) == CLASS_NOTE)
			printf("note:     %s%s%s%s%s\n", diag_where(&b->arena, &it->where),
			       *diag_where(&b->arena, &it->where) ? ": " : "",
			       diag_message(it->code), *it->detail ? ": " : "", it->detail);
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
	if (b->description)
		printf("subject:  %s\n", b->description);
	if (b->cve)
		printf("fixes:    %s\n", b->cve);
	print_objects(b);
	print_atoms(b);
	if (b->written) {
		printf("model:    %s: %s\n", model_name(b->model), b->model_why);
		if (b->opts.replace)
			printf("replaces: all other patches of %s%s\n", b->opts.replace_set ?
			       "the set " : "the common set", b->opts.replace_set ?
			       b->opts.replace_set : "");
		printf("symbols:  %zu of vmlinux, %u of them not exported", b->xrefs.n - fact_late(b),
		       fact_private(b));
		printf(fact_late(b) ? "; %u of modules\n" : "\n", fact_late(b));
		printf("kernel:   %s, build-id %s\n", b->tree.release, b->vmlinux.build_id);
		printf("module:   %s%s\n", b->out_path, b->is_signed ? ", signed" : "");
		if (b->package_path)
			printf("package:  %s\n", b->package_path);
	}
	print_notes(b);
	print_times(b);
	fflush(stdout);
}

int report_json(struct kgr_build *b)
{
	json_t *root = facts(b);
	int err = json_dumpf(root, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);

	putchar('\n');
	json_decref(root);
	return err || fflush(stdout) ? -1 : 0;
}
