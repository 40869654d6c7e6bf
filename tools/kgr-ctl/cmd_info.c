// SPDX-License-Identifier: GPL-2.0
#include <string.h>
#include <strings.h>

#include "module.h"
#include "out.h"
#include "straggler.h"
#include "sysfs.h"

static const struct kgr_col patch_fields[] = {
	{ .key = "name", .head = "patch" },
	{ .key = "state", .head = "state", .color = kgr_color_state },
	{ .key = "model", .head = "model" },
	{ .key = "module", .head = "module" },
	{ .key = "since", .head = "since", .fmt = kgr_fmt_date },
	{ .key = "migrated", .head = "migrated" },
	{ .key = "total", .head = "total" },
	{ .key = "nudges", .head = "nudges", .fmt = kgr_straggler_counts_text },
	{ .key = "refs", .head = "patches above" },
	{ .key = "replace_all", .head = "replaces all" },
	{ .key = "cve", .head = "cve" },
	{ .key = "build_id", .head = "build-id" },
	{ 0 }
};

static const struct kgr_col func_columns[] = {
	{ .key = "name", .head = "FUNCTION" },
	{ .key = "object", .head = "OBJECT" },
	{ .key = "sympos", .head = "SYMPOS", .right = true },
	{ .key = "state", .head = "STATE", .color = kgr_color_state },
	{ .key = "redirect", .head = "REDIRECT" },
	{ 0 }
};

static const struct kgr_col file_fields[] = {
	{ .key = "path", .head = "file" },
	{ .key = "name", .head = "module" },
	{ .key = "kgraft", .head = "kgraft patch" },
	{ .key = "model", .head = "model" },
	{ .key = "cve", .head = "cve" },
	{ .key = "build_id", .head = "for build-id" },
	{ .key = "matches_kernel", .head = "fits this kernel" },
	{ .key = "loaded", .head = "loaded" },
	{ .key = "vermagic", .head = "vermagic" },
	{ .key = "srcversion", .head = "srcversion" },
	{ .key = "description", .head = "description" },
	{ .key = "license", .head = "license" },
	{ .key = "signer", .head = "signer" },
	{ 0 }
};

static void info_text(struct kgr_ctx *ctx, const json_t *doc)
{
	const json_t *patch = json_object_get(doc, "patch");
	const json_t *file = json_object_get(doc, "file");

	if (json_is_object(file))
		kgr_fields(ctx, file, file_fields);
	if (!json_is_object(patch))
		return;
	kgr_fields(ctx, patch, patch_fields);
	fputc('\n', ctx->out);
	kgr_table(ctx, json_object_get(patch, "functions"), func_columns);
}

static json_t *fits(struct kgr_ctx *ctx, const struct kgr_module *m)
{
	char build_id[128];

	if (!m->build_id || kgr_sysfs_kernel_build_id(ctx, build_id, sizeof(build_id)))
		return json_null();
	return json_boolean(!strcasecmp(build_id, m->build_id));
}

static json_t *file_json(struct kgr_ctx *ctx, const struct kgr_module *m)
{
	json_t *obj = json_pack("{s:o,s:o,s:b,s:o,s:o,s:o,s:o,s:b}",
				"path", kgr_json_str(m->path),
				"name", kgr_json_str(m->name),
				"kgraft", m->kgraft,
				"model", kgr_json_str_or_null(m->model),
				"cve", kgr_json_words(m->cve),
				"build_id", kgr_json_str_or_null(m->build_id),
				"matches_kernel", fits(ctx, m),
				"loaded", kgr_sysfs_module_loaded(ctx, m->name));

	json_object_set_new(obj, "vermagic", kgr_json_str_or_null(m->vermagic));
	json_object_set_new(obj, "srcversion", kgr_json_str_or_null(m->srcversion));
	json_object_set_new(obj, "description", kgr_json_str_or_null(m->description));
	json_object_set_new(obj, "license", kgr_json_str_or_null(m->license));
	json_object_set_new(obj, "signer", kgr_json_str_or_null(m->signer));
	return obj;
}

static enum kgr_exit info_file(struct kgr_ctx *ctx, const char *arg)
{
	struct kgr_module m;
	enum kgr_exit ret = kgr_module_open(ctx, arg, &m);
	json_t *doc;

	if (ret)
		return ret;
	doc = json_pack("{s:n,s:o}", "patch", "file", file_json(ctx, &m));
	kgr_module_close(&m);
	return kgr_show(ctx, doc, info_text);
}

static enum kgr_exit info_patch(struct kgr_ctx *ctx, const char *arg)
{
	struct kgr_patch patch;
	enum kgr_exit ret = kgr_sysfs_find(ctx, arg, &patch);
	json_t *doc;

	if (ret)
		return ret;
	doc = json_pack("{s:o,s:n}", "patch", kgr_patch_json(&patch, true), "file");
	kgr_patch_free(&patch);
	return kgr_show(ctx, doc, info_text);
}

enum kgr_exit kgr_cmd_info(struct kgr_ctx *ctx)
{
	const char *arg = ctx->opts.argv[0];
	enum kgr_exit ret;

	if (kgr_module_is_path(arg))
		return info_file(ctx, arg);
	ret = kgr_sysfs_present(ctx);
	if (ret)
		return ret;
	ret = info_patch(ctx, arg);
	if (ret == KGR_EXIT_NOTFOUND)
		ret = info_file(ctx, arg);
	if (ret != KGR_EXIT_NOTFOUND)
		return ret;
	ret = kgr_fail(ctx, KGR_EXIT_NOTFOUND,
		       "'%s' is neither a patch in the running kernel nor an installed module", arg);
	kgr_next(ctx, "kgr-ctl list");
	kgr_next(ctx, "give the file of a module, as in ./%s.ko", arg);
	return ret;
}
