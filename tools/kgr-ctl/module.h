/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Patch modules as files: the only user of libkmod.
 */
#ifndef _KGR_MODULE_H
#define _KGR_MODULE_H

#include "kgr-ctl.h"
#include "patch.h"

struct kmod_ctx;
struct kmod_module;

/* Tags that a module lacks are NULL */
struct kgr_module {
	char *path;
	char *name;		/* as the kernel will call it */
	bool kgraft;		/* it says that it is a kGraft patch */
	char *build_id;
	char *model;
	char *replace;
	char *cve;
	char *vermagic;
	char *srcversion;
	char *description;
	char *license;
	char *signer;
	char *sig_id;		/* kind of its signature */
	struct kgr_patch content;	/* nothing but its functions; see kgr_module_functions() */
	struct kmod_ctx *kmod;
	struct kmod_module *mod;
};

bool kgr_module_is_path(const char *arg);

/*
 * Fills in m->content, from the tags that kgr-build writes or else from the patch as it
 * stands in the file.  -ENOENT: the file does not tell; another -errno.
 */
int kgr_module_functions(struct kgr_module *m);

/*
 * Is it cumulative, as far as the file says: KGR_REPLACE_UNKNOWN for one that was made
 * by hand and has no such tag.
 */
enum kgr_replace { KGR_REPLACE_NO, KGR_REPLACE_YES, KGR_REPLACE_UNKNOWN };
enum kgr_replace kgr_module_replaces(const struct kgr_module *m);

/* @arg: a file, or the name of an installed module */
enum kgr_exit kgr_module_open(struct kgr_ctx *ctx, const char *arg, struct kgr_module *m);
void kgr_module_close(struct kgr_module *m);
/* Does it say that it is a kGraft patch? */
enum kgr_exit kgr_module_check_patch(struct kgr_ctx *ctx, const struct kgr_module *m);

/* Both return -errno as the kernel gave it */
int kgr_module_insert(struct kgr_module *m, const char *params);
int kgr_module_remove(const char *name);

/* Parts of that which can be told beforehand: the module is for another kernel, ... */
enum kgr_exit kgr_explain_mismatch(struct kgr_ctx *ctx, const struct kgr_module *m);
/* ... loading is off; KGR_EXIT_OK: it is not */
enum kgr_exit kgr_explain_disabled(struct kgr_ctx *ctx, const struct kgr_module *m);
/* ... a signature is missing; KGR_EXIT_OK: none is, or none is wanted */
enum kgr_exit kgr_explain_unsigned(struct kgr_ctx *ctx, const struct kgr_module *m);

/* Explains why the kernel did not take @m; @lines: what it logged */
enum kgr_exit kgr_explain_load(struct kgr_ctx *ctx, const struct kgr_module *m, int err,
			       json_t *lines);

#endif /* _KGR_MODULE_H */
