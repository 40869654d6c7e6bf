// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include "loaded.h"
#include "patchfile.h"
#include "sysfs.h"

/* Is the module that is loaded under this name another one?  What tells: of it, of the file */
struct version {
	const char *kind;
	char loaded[128], file[128];
};

static bool other_version(struct kgr_ctx *ctx, const struct kgr_module *m, struct version *v)
{
	v->kind = "build-id";
	if (!kgr_patchfile_build_id(m->path, v->file, sizeof(v->file)) &&
	    !kgr_sysfs_module_build_id(ctx, m->name, v->loaded, sizeof(v->loaded)))
		return strcmp(v->loaded, v->file);
	/* a compressed file, or a kernel that does not tell: not every module has this */
	v->kind = "source version";
	if (!m->srcversion ||
	    kgr_sysfs_module_attr(ctx, m->name, "srcversion", v->loaded, sizeof(v->loaded)))
		return false;
	snprintf(v->file, sizeof(v->file), "%s", m->srcversion);
	return strcmp(v->loaded, v->file);
}

enum kgr_exit kgr_loaded_is_same(struct kgr_ctx *ctx, const struct kgr_module *m,
				 const struct kgr_patch *patch)
{
	struct version v;
	enum kgr_exit ret;

	if (!patch->name) {
		ret = kgr_fail(ctx, KGR_EXIT_CONFLICT,
			       "module %s is loaded but has no patch in the kernel", m->name);
		kgr_why(ctx, "it is being loaded or removed just now, or its loading failed half-way");
		kgr_next(ctx, "try again; else rmmod %s", m->name);
		return ret;
	}
	if (!patch->enabled) {
		ret = kgr_fail(ctx, KGR_EXIT_CONFLICT, "%s is loaded, and its patch '%s' is %s",
			       m->name, patch->name, kgr_patch_state(patch));
		kgr_next(ctx, "kgr-ctl enable %s (to apply it again)", patch->name);
		kgr_next(ctx, "kgr-ctl unload %s (to make room for this file)", patch->name);
		return ret;
	}
	if (!other_version(ctx, m, &v))
		return KGR_EXIT_OK;
	ret = kgr_fail(ctx, KGR_EXIT_CONFLICT, "another build of %s is loaded", m->name);
	kgr_why(ctx, "loaded is %s %s", v.kind, v.loaded);
	kgr_why(ctx, "this file is %s %s", v.kind, v.file);
	kgr_next(ctx, "kgr-ctl unload --revert %s, then load this one", patch->name);
	return ret;
}
