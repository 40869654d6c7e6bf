// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "explain.h"
#include "module.h"
#include "out.h"
#include "sysfs.h"
#include "target.h"

static const struct kgr_col columns[] = {
	{ .key = "name", .head = "FUNCTION" },
	{ .key = "object", .head = "OBJECT" },
	{ .key = "held_by", .head = "HELD BY" },
	{ .key = "patches", .head = "PATCHES" },
	{ 0 }
};

static void conflicts_text(struct kgr_ctx *ctx, const json_t *doc)
{
	const json_t *rows = json_object_get(doc, "functions");

	if (json_array_size(rows))
		kgr_table(ctx, rows, columns);
	else
		fputs("no conflicts\n", ctx->out);
}

static void add_row(json_t *rows, const struct kgr_target *f)
{
	json_array_append_new(rows, json_pack("{s:o,s:o,s:I,s:O,s:O}",
					      "name", kgr_json_str(f->name),
					      "object", kgr_json_str(f->object),
					      "sympos", (json_int_t)f->sympos,
					      "held_by", f->holders, "patches", f->patches));
}

/* Those that somebody else holds, or that more than @patches patches replace */
static void add_targets(json_t *rows, const struct kgr_targets *t, size_t patches)
{
	for (size_t i = 0; i < t->n; i++)
		if (json_array_size(t->v[i].holders) || json_array_size(t->v[i].patches) > patches)
			add_row(rows, &t->v[i]);
}

struct strangers {
	json_t *rows;
	const struct kgr_patch_list *patches;
};

static bool any_patch_has(const struct kgr_patch_list *list, const struct kgr_entry *e)
{
	for (size_t i = 0; i < list->n; i++)
		for (size_t j = 0; j < list->v[i].func_count; j++)
			if (!strcmp(list->v[i].funcs[j].name, e->name) &&
			    !strcmp(list->v[i].funcs[j].object, e->object))
				return true;
	return false;
}

/* Functions that no patch of ours has */
static void add_stranger(const struct kgr_entry *e, void *arg)
{
	struct strangers *s = arg;
	char *who;

	if (kgr_entry_is_ours(e) || any_patch_has(s->patches, e))
		return;
	who = kgr_entry_holder(e);
	json_array_append_new(s->rows, json_pack("{s:o,s:o,s:i,s:[o],s:[]}",
						 "name", kgr_json_str(e->name),
						 "object", kgr_json_str(e->object), "sympos", 0,
						 "held_by", kgr_json_str(who), "patches"));
	free(who);
}

/* All functions of all patches, each once */
static struct kgr_patch all_functions(const struct kgr_patch_list *list)
{
	struct kgr_patch all = { 0 };

	for (size_t i = 0; i < list->n; i++) {
		for (size_t j = 0; j < list->v[i].func_count; j++) {
			const struct kgr_patch_func *f = &list->v[i].funcs[j];
			size_t k = 0;

			while (k < all.func_count && (strcmp(all.funcs[k].name, f->name) ||
						      strcmp(all.funcs[k].object, f->object) ||
						      all.funcs[k].sympos != f->sympos))
				k++;
			if (k == all.func_count)
				kgr_patch_add_func(&all, f);
		}
	}
	return all;
}

static enum kgr_exit on_host(struct kgr_ctx *ctx, const struct kgr_patch_list *list, json_t *rows)
{
	struct strangers s = { rows, list };
	struct kgr_patch all = all_functions(list);
	struct kgr_targets t;
	enum kgr_exit ret = kgr_targets_init(ctx, &t, &all, list);
	int err = -kgr_tracefs_each_decided(ctx, add_stranger, &s);

	if (!ret && err) {
		ret = kgr_fail(ctx, kgr_exit_of_errno(err), "can't read who uses ftrace: %s",
			       strerror(err));
		kgr_tracefs_hint(ctx);
	}
	if (!ret)
		add_targets(rows, &t, 1);
	kgr_targets_free(&t);
	kgr_patch_free(&all);
	return ret;
}

static enum kgr_exit of_file(struct kgr_ctx *ctx, const struct kgr_patch_list *list, json_t *rows)
{
	struct kgr_targets t = { 0 };
	struct kgr_module m;
	enum kgr_exit ret = kgr_module_open(ctx, ctx->opts.argv[0], &m);

	if (ret)
		return ret;
	if (kgr_module_functions(&m)) {
		ret = kgr_fail(ctx, KGR_EXIT_FAIL, "%s does not tell which functions it replaces",
			       m.path);
		kgr_why(ctx, "it was not made by kgr-build, or is no patch module");
		kgr_next(ctx, "kgr-ctl preflight %s", ctx->opts.argv[0]);
	} else {
		ret = kgr_targets_init(ctx, &t, &m.content, list);
	}
	if (!ret && t.users_err) {
		ret = kgr_fail(ctx, kgr_exit_of_errno(-t.users_err), "can't read who uses ftrace: %s",
			       strerror(-t.users_err));
		kgr_tracefs_hint(ctx);
	}
	if (!ret)
		add_targets(rows, &t, 0);
	kgr_targets_free(&t);
	kgr_module_close(&m);
	return ret;
}

enum kgr_exit kgr_cmd_conflicts(struct kgr_ctx *ctx)
{
	struct kgr_patch_list list;
	enum kgr_exit ret = kgr_sysfs_patches(ctx, &list);
	bool held = false;
	json_t *rows, *row;
	size_t i;

	if (ret)
		return ret;
	rows = json_array();
	ret = ctx->opts.argc ? of_file(ctx, &list, rows) : on_host(ctx, &list, rows);
	kgr_patch_list_free(&list);
	if (ret) {
		json_decref(rows);
		return ret;
	}
	json_array_foreach(rows, i, row)
		held |= json_array_size(json_object_get(row, "held_by")) > 0;
	ret = kgr_show(ctx, json_pack("{s:o}", "functions", rows), conflicts_text);
	return !ret && held ? KGR_EXIT_CONFLICT : ret;
}
