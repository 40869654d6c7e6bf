/* SPDX-License-Identifier: GPL-2.0 */
/* As much of the kernel's as kgr-build's generated source needs */
#ifndef MINI_KGRAFT_H
#define MINI_KGRAFT_H

#include <linux/kgraft_types.h>

#define NULL	((void *)0)
#define true	1

struct module;

struct kgr_patch_fun {
	const char *name;
	void *new_fun;
	const char *objname;
	unsigned long sympos, old_size;
};

struct kgr_patch;

struct kgr_callbacks {
	const char *objname;
	int (*pre_patch)(struct kgr_patch *patch, struct module *mod);
	void (*post_patch)(struct kgr_patch *patch, struct module *mod);
	void (*pre_unpatch)(struct kgr_patch *patch, struct module *mod);
	void (*post_unpatch)(struct kgr_patch *patch, struct module *mod);
};

#define KGR_CALLBACKS_END	{ }

struct kgr_patch {
	const char *name;
	struct module *owner;
	_Bool replace_all;
	const char *replace_set;
	enum kgr_model model;
	const char *cve;
	const char *build_id;
	const struct kgr_callbacks *callbacks;
	const struct kgr_late *late;
	struct kgr_patch_fun patches[];
};

#define KGR_PATCH_OBJPOS_SIZE(_name, _new, _obj, _pos, _size)	\
	{ #_name, _new, _obj, _pos, _size }
#define KGR_PATCH_END	{ }

int kgr_patch_kernel(struct kgr_patch *patch);
void kgr_patch_remove(struct kgr_patch *patch);

#endif
