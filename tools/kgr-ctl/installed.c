// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>

#include "guard.h"
#include "installed.h"
#include "mode.h"
#include "out.h"
#include "proc.h"
#include "store.h"
#include "sysfs.h"

static const struct kgr_col columns[] = {
	{ .key = "name", .head = "INSTALLED" },
	{ .key = "guard", .head = "GUARD" },
	{ .key = "initramfs", .head = "INITRAMFS" },
	{ .key = "loaded", .head = "LOADED" },
	{ 0 }
};

static enum kgr_exit add_patches(struct kgr_ctx *ctx, json_t *installed, json_int_t *held)
{
	char release[256];
	struct kgr_store s;
	enum kgr_exit ret;

	kgr_proc_release(ctx, release, sizeof(release));
	ret = kgr_store_read(ctx, release, &s);
	for (size_t i = 0; !ret && i < s.n; i++) {
		const struct kgr_store_patch *patch = &s.v[i];
		struct kgr_guard guard;

		ret = kgr_guard_read(ctx, &s, patch, &guard);
		if (ret)
			break;
		if (kgr_guard_holds_back(&guard)) {
			kgr_guard_explain(ctx, &s, patch, &guard);
			(*held)++;
		}
		json_array_append_new(installed,
			json_pack("{s:o,s:s,s:b,s:b,s:o}", "name", kgr_json_str(patch->name),
				  "guard", kgr_guard_word(guard.state),
				  "initramfs", patch->initramfs,
				  "loaded", kgr_sysfs_module_loaded(ctx, patch->name),
				  "error", ctx->diag.what ? kgr_diag_json(&ctx->diag) :
							    json_null()));
		kgr_diag_reset(&ctx->diag);
	}
	kgr_store_close(&s);
	return ret;
}

void kgr_installed_add(struct kgr_ctx *ctx, json_t *doc)
{
	json_t *installed = json_array(), *error = NULL;
	json_int_t held = 0;
	struct kgr_host host;
	bool mode_known = !kgr_mode_read(ctx, &host);

	if (!mode_known) {
		error = kgr_diag_json(&ctx->diag);
		kgr_diag_reset(&ctx->diag);
	}
	if (add_patches(ctx, installed, &held)) {
		json_decref(error);
		error = kgr_diag_json(&ctx->diag);
		kgr_diag_reset(&ctx->diag);
		json_decref(installed);
		installed = json_null();
	}
	json_object_set_new(doc, "mode", mode_known ? json_string(kgr_mode_word(host.mode)) :
						      json_null());
	json_object_set_new(doc, "boot_off", json_boolean(kgr_proc_booted_with(ctx, KGR_BOOT_OFF)));
	json_object_set_new(doc, "held_back", json_integer(held));
	json_object_set_new(doc, "installed", installed);
	json_object_set_new(doc, "store_error", error ? error : json_null());
}

char *kgr_installed_fmt(const json_t *installed)
{
	size_t n = json_array_size(installed), held = 0, i;
	json_t *row;

	if (!json_is_array(installed))
		return strdup("unknown");
	json_array_foreach((json_t *)installed, i, row)
		held += json_is_object(json_object_get(row, "error"));
	if (!held)
		return n ? kgr_asprintf("%zu patch%s", n, n == 1 ? "" : "es") : strdup("none");
	return kgr_asprintf("%zu patch%s, %zu held back", n, n == 1 ? "" : "es", held);
}

static void put_error(struct kgr_ctx *ctx, const char *name, const json_t *error)
{
	if (!json_is_object(error))
		return;
	fputc('\n', ctx->out);
	if (name)
		fprintf(ctx->out, "%s is held back: ", name);
	kgr_put_clean(ctx->out, json_string_value(json_object_get(error, "what")));
	fputc('\n', ctx->out);
	kgr_put_reasons(ctx->out, error);
}

void kgr_installed_text(struct kgr_ctx *ctx, const json_t *doc)
{
	json_t *installed = json_object_get(doc, "installed"), *row;
	size_t i;

	if (json_array_size(installed)) {
		fputc('\n', ctx->out);
		kgr_table(ctx, installed, columns);
	}
	json_array_foreach(installed, i, row)
		put_error(ctx, json_string_value(json_object_get(row, "name")),
			  json_object_get(row, "error"));
	put_error(ctx, NULL, json_object_get(doc, "store_error"));
	if (i && json_is_true(json_object_get(doc, "boot_off")))
		fputs("\n" KGR_BOOT_OFF " is on the kernel's command line: this boot has loaded none of them\n"
		      "  next:   kgr-ctl load, or a boot without it\n", ctx->out);
}
