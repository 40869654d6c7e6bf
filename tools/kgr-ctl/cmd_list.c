// SPDX-License-Identifier: GPL-2.0
#include "out.h"
#include "sysfs.h"

static const struct kgr_col columns[] = {
	{ .key = "name", .head = "NAME" },
	{ .key = "state", .head = "STATE", .color = kgr_color_state },
	{ .key = "model", .head = "MODEL" },
	{ .key = "function_count", .head = "FUNCTIONS", .right = true },
	{ .key = "since", .head = "SINCE", .fmt = kgr_fmt_date },
	{ .key = "module", .head = "MODULE" },
	{ .key = "cve", .head = "CVE" },
	{ 0 }
};

static void list_text(struct kgr_ctx *ctx, const json_t *doc)
{
	const json_t *rows = json_object_get(doc, "patches");

	if (json_array_size(rows))
		kgr_table(ctx, rows, columns);
	else
		fputs("no patches\n", ctx->out);
}

enum kgr_exit kgr_cmd_list(struct kgr_ctx *ctx)
{
	struct kgr_patch_list list;
	enum kgr_exit ret = kgr_sysfs_patches(ctx, &list);
	json_t *rows;

	if (ret)
		return ret;
	rows = json_array();
	for (size_t i = 0; i < list.n; i++)
		json_array_append_new(rows, kgr_patch_json(&list.v[i], false));
	kgr_patch_list_free(&list);
	return kgr_show(ctx, json_pack("{s:o}", "patches", rows), list_text);
}
