// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include "loaded.h"
#include "sysfs.h"

/* Is the module that is loaded under this name made from other source? */
static bool other_version(struct kgr_ctx *ctx, const struct kgr_module *m)
{
	char loaded[64];

	return m->srcversion &&
	       !kgr_sysfs_module_attr(ctx, m->name, "srcversion", loaded, sizeof(loaded)) &&
	       strcmp(loaded, m->srcversion);
}

enum kgr_exit kgr_loaded_is_same(struct kgr_ctx *ctx, const struct kgr_module *m,
				 const struct kgr_patch *patch)
{
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
	if (!other_version(ctx, m))
		return KGR_EXIT_OK;
	ret = kgr_fail(ctx, KGR_EXIT_CONFLICT, "another build of %s is loaded", m->name);
	kgr_why(ctx, "the source versions differ; this file has %s", m->srcversion);
	kgr_next(ctx, "kgr-ctl unload --revert %s, then load this one", patch->name);
	return ret;
}
