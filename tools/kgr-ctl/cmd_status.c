// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "installed.h"
#include "out.h"
#include "straggler.h"
#include "sysfs.h"

/* {"stack_check": 3, ...} as "stack_check 3, ..." has the form of the reasons' counts */
static char *fmt_counts(const json_t *value)
{
	char *text = kgr_straggler_counts_text(value);

	if (*text)
		return text;
	free(text);
	return strdup("-");
}

static const struct kgr_col head[] = {
	{ .key = "state", .head = "state", .color = kgr_color_state },
	{ .key = "release", .head = "kernel" },
	{ .key = "build_id", .head = "build-id" },
	{ .key = "patch_count", .head = "patches" },
	{ .key = "applied_count", .head = "applied" },
	{ .key = "mode", .head = "mode" },
	{ .key = "installed", .head = "autoload", .fmt = kgr_installed_fmt },
	{ 0 }
};

static const struct kgr_col transition[] = {
	{ .key = "name", .head = "patch" },
	{ .key = "state", .head = "is", .color = kgr_color_state },
	{ .key = "model", .head = "model" },
	{ .key = "age_ms", .head = "for", .fmt = kgr_fmt_ms },
	{ .key = "migrated", .head = "migrated" },
	{ .key = "total", .head = "total" },
	{ .key = "left", .head = "left" },
	{ .key = "reasons", .head = "reasons", .fmt = fmt_counts },
	{ .key = "nudges", .head = "nudges", .fmt = fmt_counts },
	{ 0 }
};

static void status_text(struct kgr_ctx *ctx, const json_t *doc)
{
	const json_t *running = json_object_get(doc, "transition");

	kgr_fields(ctx, doc, head);
	if (json_is_object(running)) {
		fputc('\n', ctx->out);
		kgr_fields(ctx, running, transition);
	}
	kgr_installed_text(ctx, doc);
}

static json_t *transition_json(struct kgr_ctx *ctx, const struct kgr_patch *patch)
{
	json_t *obj = kgr_patch_json(patch, true), *counts = kgr_straggler_counts(ctx);

	json_object_del(obj, "functions");
	json_object_set_new(obj, "left", json_integer(kgr_patch_left(patch)));
	json_object_set_new(obj, "reasons", counts ? counts : json_null());
	return obj;
}

enum kgr_exit kgr_cmd_status(struct kgr_ctx *ctx)
{
	struct utsname uts = { .release = "?" };
	struct kgr_patch_list list;
	enum kgr_exit ret = kgr_sysfs_patches(ctx, &list);
	json_t *running = NULL;
	json_int_t applied = 0;
	char build_id[128];
	json_t *doc;

	if (ret)
		return ret;
	for (size_t i = 0; i < list.n; i++) {
		applied += list.v[i].enabled && !list.v[i].transition;
		if (list.v[i].transition && !running)
			running = transition_json(ctx, &list.v[i]);
	}
	uname(&uts);
	kgr_sysfs_kernel_build_id(ctx, build_id, sizeof(build_id));
	doc = json_pack("{s:s,s:s,s:o,s:I,s:I,s:o}",
			"state", running ? "in_progress" : "ready",
			"release", uts.release,
			"build_id", kgr_json_str_or_null(build_id),
			"patch_count", (json_int_t)list.n,
			"applied_count", applied,
			"transition", running ? running : json_null());
	kgr_patch_list_free(&list);
	kgr_installed_add(ctx, doc);
	return kgr_show(ctx, doc, status_text);
}
