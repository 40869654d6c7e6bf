/* SPDX-License-Identifier: GPL-2.0 */
/*
 * kGraft: what the author of a patch module needs.  Hooks of the core kernel
 * are in kgraft_sched.h and kgraft_module.h.
 */
#ifndef _LINUX_KGRAFT_H
#define _LINUX_KGRAFT_H

#include <linux/completion.h>
#include <linux/kobject.h>
#include <linux/kgraft_sched.h>
#include <linux/kgraft_types.h>
#include <linux/list.h>
#include <linux/types.h>

struct kgr_func;
struct kgr_patch;
struct module;

/**
 * struct kgr_patch_fun - one function to be replaced
 * @name:	symbol of the function, as in kallsyms
 * @new_fun:	its replacement, in the patch module
 * @objname:	object that holds it; NULL or "vmlinux" for the kernel proper
 * @sympos:	0: @name must be unique in its object; n: its nth occurrence in
 *		ascending order of addresses
 * @old_size:	size of the function in bytes as the builder saw it, checked
 *		before anything changes; 0: not checked
 *
 * Fill it with KGR_PATCH() and its like.
 */
struct kgr_patch_fun {
	const char *name;
	void *new_fun;
	const char *objname;
	unsigned long sympos;
	unsigned long old_size;

	/* private: */
	struct kgr_patch *patch;	/* the patch that it belongs to */
	enum kgr_patch_state state;	/* written by kgr_fun_set_state() */
	struct kgr_func *func;		/* what stands at the entry */
	struct list_head stack_node;	/* place among its variants */
};

/**
 * struct kgr_patch - a set of functions that is applied and reverted as a whole
 * @name:	name, and that of its directory in /sys/kernel/kgraft
 * @owner:	module that holds it: THIS_MODULE
 * @replace_all: take back all earlier patches; refused for now
 * @model:	consistency model, &enum kgr_model; universe if left alone
 * @cve:	what it fixes, blank-separated, or NULL
 * @build_id:	build-id of the kernel it was made for, lower-case hex, or NULL
 * @patches:	the functions, closed by KGR_PATCH_END
 */
struct kgr_patch {
	const char *name;
	struct module *owner;
	bool replace_all;
	enum kgr_model model;
	const char *cve;
	const char *build_id;

	/* private: */
	struct kobject kobj;		/* directory in sysfs */
	struct list_head list;		/* place in the registry */
	struct completion finish;	/* the directory is gone */
	struct kgr_patch_priv *priv;	/* all else */

	/* public: */
	struct kgr_patch_fun patches[];
};

#define KGR_PATCH_OBJPOS_SIZE(_name, _new_function, _objname, _sympos, _size) { \
		.name = #_name,						\
		.new_fun = _new_function,				\
		.objname = _objname,					\
		.sympos = _sympos,					\
		.old_size = _size,					\
	}
#define KGR_PATCH_OBJPOS(_name, _new_function, _objname, _sympos)	\
	KGR_PATCH_OBJPOS_SIZE(_name, _new_function, _objname, _sympos, 0)
#define KGR_PATCH_OBJ(_name, _new_function, _objname)			\
	KGR_PATCH_OBJPOS(_name, _new_function, _objname, 0)
#define KGR_PATCH(_name, _new_function)					\
	KGR_PATCH_OBJ(_name, _new_function, NULL)
#define KGR_PATCH_END	{ }

#define kgr_for_each_patch_fun(p, f)	\
	for (f = (p)->patches; (f)->name; f++)

#ifdef CONFIG_KGRAFT
int kgr_patch_kernel(struct kgr_patch *patch);
void kgr_patch_remove(struct kgr_patch *patch);
#endif

#endif /* _LINUX_KGRAFT_H */
