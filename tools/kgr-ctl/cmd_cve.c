// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "out.h"
#include "sysfs.h"

static char *fmt_patches(const json_t *patches)
{
	char *text = NULL, *longer;
	json_t *p;
	size_t i;

	json_array_foreach((json_t *)patches, i, p) {
		longer = kgr_asprintf("%s%s%s (%s)", text ? text : "", text ? ", " : "",
				      json_string_value(json_object_get(p, "name")),
				      json_string_value(json_object_get(p, "state")));
		free(text);
		text = longer;
	}
	return text ? text : strdup("-");
}

static const struct kgr_col columns[] = {
	{ .key = "cve", .head = "CVE" },
	{ .key = "patched", .head = "PATCHED" },
	{ .key = "patches", .head = "PATCHES", .fmt = fmt_patches },
	{ 0 }
};

static void cve_text(struct kgr_ctx *ctx, const json_t *doc)
{
	const json_t *rows = json_object_get(doc, "cves");
	const json_t *row = json_array_get(rows, 0);
	char *patches;

	if (!ctx->opts.cve) {
		if (json_array_size(rows))
			kgr_table(ctx, rows, columns);
		else
			fputs("no patch names a CVE\n", ctx->out);
		return;
	}
	patches = fmt_patches(json_object_get(row, "patches"));
	kgr_put_clean(ctx->out, ctx->opts.cve);
	fprintf(ctx->out, ": %s%s%s\n",
		json_is_true(json_object_get(row, "patched")) ? "patched" : "not patched",
		*patches == '-' ? "" : ", by ", *patches == '-' ? "" : patches);
	free(patches);
}

/* The row of @cve, which is made if there is none */
static json_t *row_of(json_t *rows, const char *cve)
{
	json_t *row;
	size_t i;

	json_array_foreach(rows, i, row)
		if (!strcasecmp(json_string_value(json_object_get(row, "cve")), cve))
			return row;
	row = json_pack("{s:o,s:b,s:[]}", "cve", kgr_json_str(cve), "patched", 0, "patches");
	json_array_append_new(rows, row);
	return row;
}

static void add_patch(json_t *rows, const struct kgr_patch *patch)
{
	json_t *words = kgr_json_words(patch->cve), *word, *row;
	size_t i;

	json_array_foreach(words, i, word) {
		row = row_of(rows, json_string_value(word));
		json_array_append_new(json_object_get(row, "patches"),
				      json_pack("{s:o,s:s}", "name", kgr_json_str(patch->name),
						"state", kgr_patch_state(patch)));
		if (patch->enabled && !patch->transition)
			json_object_set_new(row, "patched", json_true());
	}
	json_decref(words);
}

static int by_cve(const void *a, const void *b)
{
	return strcmp(json_string_value(json_object_get(*(json_t * const *)a, "cve")),
		      json_string_value(json_object_get(*(json_t * const *)b, "cve")));
}

enum kgr_exit kgr_cmd_cve(struct kgr_ctx *ctx)
{
	struct kgr_patch_list list;
	enum kgr_exit ret = kgr_sysfs_patches(ctx, &list);
	json_t *rows, *row;
	bool patched;

	if (ret)
		return ret;
	rows = json_array();
	for (size_t i = 0; i < list.n; i++)
		add_patch(rows, &list.v[i]);
	kgr_patch_list_free(&list);
	kgr_json_sort(rows, by_cve);
	if (!ctx->opts.cve)
		return kgr_show(ctx, json_pack("{s:o}", "cves", rows), cve_text);

	row = json_incref(row_of(rows, ctx->opts.cve));
	patched = json_is_true(json_object_get(row, "patched"));
	json_decref(rows);
	ret = kgr_show(ctx, json_pack("{s:[o]}", "cves", row), cve_text);
	return !ret && !patched ? KGR_EXIT_FAIL : ret;
}
