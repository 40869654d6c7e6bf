// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "out.h"
#include "sysfs.h"

static void uname_text(struct kgr_ctx *ctx, const json_t *doc)
{
	fprintf(ctx->out, "%s\n", json_string_value(json_object_get(doc, "effective")));
}

enum kgr_exit kgr_cmd_uname(struct kgr_ctx *ctx)
{
	struct utsname uts = { .release = "?" };
	struct kgr_patch_list list;
	enum kgr_exit ret = kgr_sysfs_patches(ctx, &list);
	char *effective;
	json_t *names, *doc;

	if (ret)
		return ret;
	uname(&uts);
	kgr_patch_list_by_age(&list);
	effective = kgr_patch_list_effective(&list, uts.release);
	names = json_array();
	for (size_t i = 0; i < list.n; i++)
		if (list.v[i].enabled && !list.v[i].transition)
			json_array_append_new(names, kgr_json_str(list.v[i].name));
	kgr_patch_list_free(&list);
	doc = json_pack("{s:s,s:s,s:o,s:o}", "release", uts.release, "version", uts.version,
			"patches", names, "effective", kgr_json_str(effective));
	free(effective);
	return kgr_show(ctx, doc, uname_text);
}
