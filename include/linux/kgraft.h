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
#include <linux/kgraft_shadow.h>
#include <linux/kgraft_types.h>
#include <linux/list.h>
#include <linux/types.h>

struct kgr_func;
struct kgr_object;
struct kgr_patch;
struct module;

/**
 * struct kgr_patch_fun - one function to be replaced
 * @name:	symbol of the function, as in kallsyms
 * @new_fun:	its replacement, in the patch module
 * @objname:	object that holds it: name of a module, loaded or not; NULL or
 *		"vmlinux" for the kernel proper
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
	struct kgr_object *obj;		/* what holds the function */
	struct list_head node;		/* place among all of the patch */
	struct kgr_func *func;		/* what stands at the entry */
	struct list_head stack_node;	/* place among its variants */
};

/**
 * struct kgr_callbacks - what a patch does besides replacing functions
 * @objname:	object that it is about; NULL or "vmlinux" for the kernel proper
 * @pre_patch:	before the first context gets a new function of the object;
 *		another value than 0 refuses the patch, or the module
 * @post_patch:	when every context has the new functions
 * @pre_unpatch: before the first context goes back
 * @post_unpatch: when no context has the new functions any more, also after
 *		@pre_patch when what should have followed has failed or been
 *		reversed
 *
 * Each may be NULL. They get the patch and the module, NULL for the kernel
 * proper, and run in process context under kGraft's mutex: they may sleep, but
 * neither apply or revert patches nor load or unload modules.
 *
 * For an object that is loaded they run when the patch is applied or reverted,
 * for one that comes or goes while the patch is applied then: before its init
 * and after its exit function. Those of a patch that is being replaced don't
 * run; taking over from it is up to the callbacks of the new one.
 */
struct kgr_callbacks {
	const char *objname;
	int (*pre_patch)(struct kgr_patch *patch, struct module *mod);
	void (*post_patch)(struct kgr_patch *patch, struct module *mod);
	void (*pre_unpatch)(struct kgr_patch *patch, struct module *mod);
	void (*post_unpatch)(struct kgr_patch *patch, struct module *mod);
};

/**
 * struct kgr_sysstate - a change to the system that outlives a function call
 * @id:		number of the change, agreed on by the authors of a series of
 *		patches; 0 ends an array of these
 * @version:	version of the change that this patch makes or can take over
 * @data:	the author's own, for the callbacks of the next patch
 */
struct kgr_sysstate {
	unsigned long id;
	unsigned int version;
	void *data;
};

/**
 * struct kgr_patch - a set of functions that is applied and reverted as a whole
 * @name:	name, and that of its directory in /sys/kernel/kgraft
 * @owner:	module that holds it: THIS_MODULE
 * @replace_all: the patch is cumulative: it takes the place of all earlier
 *		patches of its set
 * @replace_set: name of the set that it belongs to, NULL for the common one;
 *		patches of two sets have no function in common
 * @model:	consistency model, &enum kgr_model; universe if left alone
 * @cve:	what it fixes, blank-separated, or NULL
 * @build_id:	build-id of the kernel it was made for, lower-case hex, or NULL
 * @callbacks:	closed by KGR_CALLBACKS_END, or NULL
 * @sysstates:	changes to the system that it makes or takes over, closed by one
 *		with the id 0, or NULL
 * @late:	what waits for modules, made by kgr-build, or NULL
 * @clear_of:	names of functions of vmlinux that it does not replace, but that
 *		must be on no stack either where a stack is checked, closed by
 *		NULL; or NULL
 * @timeout_ms:	deadline of each of its transitions, milliseconds after the
 *		beginning; 0: as /sys/kernel/kgraft/timeout_ms says
 * @on_timeout:	what is done then, &enum kgr_on_timeout; with @timeout_ms 0, as
 *		/sys/kernel/kgraft/on_timeout says
 * @patches:	the functions, closed by KGR_PATCH_END
 */
struct kgr_patch {
	const char *name;
	struct module *owner;
	bool replace_all;
	const char *replace_set;
	enum kgr_model model;
	const char *cve;
	const char *build_id;
	const struct kgr_callbacks *callbacks;
	struct kgr_sysstate *sysstates;
	const struct kgr_late *late;
	const char * const *clear_of;
	unsigned int timeout_ms;
	enum kgr_on_timeout on_timeout;

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

/* The first entry without any function ends an array of callbacks */
#define KGR_CALLBACKS_END	{ }

#define kgr_for_each_patch_fun(p, f)	\
	for (f = (p)->patches; (f)->name; f++)

#ifdef CONFIG_KGRAFT
int kgr_patch_kernel(struct kgr_patch *patch);
void kgr_patch_remove(struct kgr_patch *patch);
struct kgr_sysstate *kgr_sysstate_get(struct kgr_patch *patch, unsigned long id);
struct kgr_sysstate *kgr_sysstate_prev(struct kgr_patch *patch, unsigned long id);
#endif

#endif /* _LINUX_KGRAFT_H */
