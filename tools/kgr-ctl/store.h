/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Installed patches: /var/lib/kgraft/RELEASE/ for each kernel that has some.
 *
 *	index		"NAME FILE [initramfs]" for each, in the order of loading, then "end"
 *	FILE		a module; its name holds its module's name and a hash of its content
 *	NAME.guard	see guard.h
 *
 * What the index says counts.  A module's file is there before the index names it,
 * and goes after that: writing the index is the one step that installs, replaces or
 * uninstalls.  Files that somebody who was killed has left are removed by the next
 * change.
 *
 * The root can be moved, for tests and for a root file system that is mounted
 * elsewhere.
 */
#ifndef _KGR_STORE_H
#define _KGR_STORE_H

#include "kgr-ctl.h"

struct kgr_store_patch {
	char *name;		/* of the module */
	char *file;		/* in the store's directory */
	bool initramfs;		/* load it there already */
};

struct kgr_store {
	char *release;
	char *dir;
	int lock;		/* -1: only to be read */
	struct kgr_store_patch *v;
	size_t n;
};

/* A release that has no patches is an empty store */
enum kgr_exit kgr_store_read(struct kgr_ctx *ctx, const char *release, struct kgr_store *s);
/* The same, to be changed: locked, and without leftovers */
enum kgr_exit kgr_store_change(struct kgr_ctx *ctx, const char *release, struct kgr_store *s);
void kgr_store_close(struct kgr_store *s);

/* Releases that have patches, or had some; an array of strings */
json_t *kgr_store_releases(struct kgr_ctx *ctx);

/* @name: '-' stands for '_'; NULL: not installed */
struct kgr_store_patch *kgr_store_find(const struct kgr_store *s, const char *name);
char *kgr_store_path(const struct kgr_store *s, const struct kgr_store_patch *patch);
/* Has the file of @patch the content that was installed? */
bool kgr_store_intact(const struct kgr_store *s, const struct kgr_store_patch *patch);
/* Is @path, wherever it is, a copy of what is installed as @patch? */
bool kgr_store_same(const struct kgr_store_patch *patch, const char *path);

enum kgr_put { KGR_PUT_NEW, KGR_PUT_REPLACED, KGR_PUT_SAME };

/* Copies @path in; @s is as the disk is, also when that fails */
enum kgr_exit kgr_store_put(struct kgr_ctx *ctx, struct kgr_store *s, const char *name,
			    const char *path, bool initramfs, enum kgr_put *how);
enum kgr_exit kgr_store_remove(struct kgr_ctx *ctx, struct kgr_store *s, const char *name);

/*
 * For what else is kept there: the lock against other kgr-ctls, and why a change
 * of @what failed.
 */
enum kgr_exit kgr_store_lock(struct kgr_ctx *ctx, int *lock);
enum kgr_exit kgr_store_failed(struct kgr_ctx *ctx, const char *what, int err);

#endif /* _KGR_STORE_H */
