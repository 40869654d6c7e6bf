// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>

#include "kallsyms.h"
#include "out.h"
#include "sysfs.h"

static char *fmt_owner(const json_t *value)
{
	return strdup(json_is_string(value) ? json_string_value(value) : "the kernel's own");
}

static const struct kgr_col fields[] = {
	{ .key = "name", .head = "function" },
	{ .key = "object", .head = "object" },
	{ .key = "sympos", .head = "sympos" },
	{ .key = "owner", .head = "in force", .fmt = fmt_owner },
	{ .key = "redirect", .head = "redirect" },
	{ 0 }
};

static const struct kgr_col columns[] = {
	{ .key = "patch", .head = "PATCH" },
	{ .key = "module", .head = "MODULE" },
	{ .key = "state", .head = "STATE", .color = kgr_color_state },
	{ .key = "model", .head = "MODEL" },
	{ .key = "since", .head = "SINCE", .fmt = kgr_fmt_date },
	{ 0 }
};

static void show_text(struct kgr_ctx *ctx, const json_t *doc)
{
	json_t *f;
	size_t i;

	json_array_foreach(json_object_get(doc, "functions"), i, f) {
		if (i)
			fputc('\n', ctx->out);
		kgr_fields(ctx, f, fields);
		if (!json_array_size(json_object_get(f, "variants")))
			continue;
		fputc('\n', ctx->out);
		kgr_table(ctx, json_object_get(f, "variants"), columns);
	}
}

/* The row of one function, which is made if there is none */
static json_t *row_of(json_t *rows, const char *name, const char *object, int64_t sympos)
{
	json_t *row;
	size_t i;

	json_array_foreach(rows, i, row)
		if (!strcmp(json_string_value(json_object_get(row, "object")), object) &&
		    json_integer_value(json_object_get(row, "sympos")) == sympos)
			return row;
	row = json_pack("{s:o,s:o,s:I,s:n,s:n,s:[]}", "name", kgr_json_str(name),
			"object", kgr_json_str(object), "sympos", (json_int_t)sympos,
			"owner", "redirect", "variants");
	json_array_append_new(rows, row);
	return row;
}

static void add_variant(json_t *rows, const struct kgr_patch *patch,
			const struct kgr_patch_func *f)
{
	json_t *row = row_of(rows, f->name, f->object, f->sympos);
	json_t *variants = json_object_get(row, "variants");

	/* patches come newest first */
	if (patch->enabled && json_is_null(json_object_get(row, "owner")))
		json_object_set_new(row, "owner", kgr_json_str(patch->name));
	if (f->redirect)
		json_object_set_new(row, "redirect", kgr_json_str(f->redirect));
	json_array_append_new(variants,
		json_pack("{s:o,s:o,s:s,s:o,s:o}", "patch", kgr_json_str(patch->name),
			  "module", kgr_json_str_or_null(patch->module),
			  "state", kgr_patch_state(patch),
			  "model", kgr_json_str_or_null(patch->model),
			  "since", patch->since_ms < 0 ? json_null() :
				   json_real(patch->since_ms / 1000.0)));
}

static json_t *find(const struct kgr_patch_list *list, const char *name)
{
	json_t *rows = json_array();

	for (size_t i = list->n; i--; )
		for (size_t j = 0; j < list->v[i].func_count; j++)
			if (!strcmp(list->v[i].funcs[j].name, name))
				add_variant(rows, &list->v[i], &list->v[i].funcs[j]);
	return rows;
}

/* No patch replaces it: is there such a thing at all? */
static enum kgr_exit find_original(struct kgr_ctx *ctx, const char *name, json_t *rows)
{
	struct kgr_ksym sym = { .name = name, .object = "vmlinux" };
	int err = -kgr_kallsyms(ctx, &sym, 1);
	enum kgr_exit ret;

	if (err) {
		ret = kgr_fail(ctx, kgr_exit_of_errno(err), "can't read the kernel's symbols: %s",
			       strerror(err));
		kgr_why(ctx, "no patch has a function '%s'", name);
		if (err == ENOENT)
			kgr_next(ctx, "mount -t proc proc %s", ctx->proc_root);
	} else if (!sym.count && !*sym.other) {
		ret = kgr_fail(ctx, KGR_EXIT_NOTFOUND, "no function '%s' in the running kernel",
			       name);
		kgr_why(ctx, "neither a patch nor /proc/kallsyms has one");
		kgr_next(ctx, "grep ' %s' /proc/kallsyms (the compiler may have given it a suffix)",
			 name);
	} else {
		row_of(rows, name, sym.count ? "vmlinux" : sym.other, 0);
		ret = KGR_EXIT_OK;
	}
	kgr_kallsyms_free(&sym, 1);
	return ret;
}

enum kgr_exit kgr_cmd_show(struct kgr_ctx *ctx)
{
	const char *name = ctx->opts.argv[0];
	struct kgr_patch_list list;
	enum kgr_exit ret = kgr_sysfs_patches(ctx, &list);
	json_t *rows;

	if (ret)
		return ret;
	kgr_patch_list_by_age(&list);
	rows = find(&list, name);
	kgr_patch_list_free(&list);
	if (!json_array_size(rows))
		ret = find_original(ctx, name, rows);
	if (ret) {
		json_decref(rows);
		return ret;
	}
	return kgr_show(ctx, json_pack("{s:o}", "functions", rows), show_text);
}
