/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel's files in /sys; no other file knows a path there.
 */
#ifndef _KGR_SYSFS_H
#define _KGR_SYSFS_H

#include "kgr-ctl.h"
#include "patch.h"

/* Is there kGraft in this kernel?  If not, says why not. */
enum kgr_exit kgr_sysfs_present(struct kgr_ctx *ctx);

/* All patches, sorted by name; one that vanishes meanwhile is left out */
enum kgr_exit kgr_sysfs_patches(struct kgr_ctx *ctx, struct kgr_patch_list *list);
enum kgr_exit kgr_sysfs_patch(struct kgr_ctx *ctx, const char *name, struct kgr_patch *patch);
/*
 * The same without functions and module, which cost the kernel something: to be asked
 * again and again.
 */
enum kgr_exit kgr_sysfs_progress(struct kgr_ctx *ctx, const char *name, struct kgr_patch *patch);
/* @name: of a patch, or of the module that holds it */
enum kgr_exit kgr_sysfs_find(struct kgr_ctx *ctx, const char *name, struct kgr_patch *patch);
/* Both find nothing: KGR_EXIT_OK, and patch->name is NULL */
enum kgr_exit kgr_sysfs_find_owner(struct kgr_ctx *ctx, const char *module,
				   struct kgr_patch *patch);
enum kgr_exit kgr_sysfs_find_transition(struct kgr_ctx *ctx, struct kgr_patch *patch);

/* Does /sys/kernel/kgraft have this file? */
bool kgr_sysfs_has(struct kgr_ctx *ctx, const char *file);
/* What stands in it, without the newline; 0 or -errno, and @buf is empty */
int kgr_sysfs_read(struct kgr_ctx *ctx, const char *file, char *buf, size_t size);
int kgr_sysfs_write(struct kgr_ctx *ctx, const char *patch, const char *attr, const char *value);

/*
 * The file "transition" of a patch, to be poll()ed for POLLPRI.  Each
 * kgr_sysfs_read_transition() returns 0, 1 or -errno (-ENODEV: the patch is
 * gone) and arms the next poll: a change after the read began ends it at once.
 */
int kgr_sysfs_open_transition(struct kgr_ctx *ctx, const char *patch);
int kgr_sysfs_read_transition(int fd);

bool kgr_sysfs_module_loaded(struct kgr_ctx *ctx, const char *module);
/* 0, or -errno; @buf is empty then */
int kgr_sysfs_module_attr(struct kgr_ctx *ctx, const char *module, const char *attr,
			  char *buf, size_t size);
/* Modules that use @module, blank-separated; to be freed */
char *kgr_sysfs_module_holders(struct kgr_ctx *ctx, const char *module);
/* Lower-case hex */
int kgr_sysfs_kernel_build_id(struct kgr_ctx *ctx, char *buf, size_t size);
int kgr_sysfs_module_build_id(struct kgr_ctx *ctx, const char *module, char *buf, size_t size);
/* Array of texts: livepatches that hold this function; @sympos as in struct kgr_patch_func */
json_t *kgr_sysfs_livepatches(struct kgr_ctx *ctx, const char *object, const char *function,
			      int64_t sympos);
/* Does the kernel load signed modules only, lockdown apart? */
bool kgr_sysfs_signatures_enforced(struct kgr_ctx *ctx);
/* Is the kernel locked down?  Then @mode says how ("integrity", ...) */
bool kgr_sysfs_locked_down(struct kgr_ctx *ctx, char *mode, size_t size);

#endif /* _KGR_SYSFS_H */
