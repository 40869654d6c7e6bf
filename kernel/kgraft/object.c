// SPDX-License-Identifier: GPL-2.0
/*
 * Objects: what a patch does to the kernel proper and to each module.
 *
 * An object is bound from the moment that the patch is applied to it, which for
 * a module may be later than for the rest, until the patch has been taken back
 * or the module is gone.
 */
#include "internal.h"

#include <kunit/visibility.h>
#include <linux/err.h>
#include <linux/error-injection.h>
#include <linux/lockdep.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>

#define KGR_VMLINUX	"vmlinux"

/* Name of an object as kgr_patch_fun.objname means it; context: any */
const char *kgr_objname(const char *objname)
{
	return objname ?: KGR_VMLINUX;
}

static bool kgr_object_is_vmlinux(const struct kgr_object *obj)
{
	return !strcmp(obj->name, KGR_VMLINUX);
}

/* Object of a patch, NULL when it does nothing to that; context: kgr_mutex held */
struct kgr_object *kgr_object_find(const struct kgr_patch *patch,
				   const char *objname)
{
	struct kgr_object *obj;

	kgr_for_each_object(patch, obj) {
		if (!strcmp(obj->name, kgr_objname(objname)))
			return obj;
	}
	return NULL;
}

/**
 * kgr_object_get - object of a patch, which is made when it has none
 * @patch:	patch
 * @objname:	name of a module; NULL or "vmlinux"
 *
 * Context: process context, may sleep; kgr_mutex held once the patch is known to
 * others.
 * Return: the object, not bound when it is new; ERR_PTR(-EINVAL): no module can
 * have that name; ERR_PTR(-ENOMEM).
 */
struct kgr_object *kgr_object_get(struct kgr_patch *patch, const char *objname)
{
	struct kgr_object *obj = kgr_object_find(patch, objname);

	if (obj)
		return obj;

	if (strchr(kgr_objname(objname), '-')) {
		pr_err("patch '%s': no module is called '%s', their names have '_' for '-'\n",
		       patch->name, objname);
		return ERR_PTR(-EINVAL);
	}

	obj = kzalloc(sizeof(*obj), GFP_KERNEL);
	if (!obj)
		return ERR_PTR(-ENOMEM);

	obj->name = kstrdup(kgr_objname(objname), GFP_KERNEL);
	if (!obj->name) {
		kfree(obj);
		return ERR_PTR(-ENOMEM);
	}
	list_add_tail(&obj->node, &patch->priv->objects);
	return obj;
}

static bool kgr_callbacks_end(const struct kgr_callbacks *cb)
{
	return !cb->pre_patch && !cb->post_patch && !cb->pre_unpatch &&
	       !cb->post_unpatch;
}

static int kgr_objects_create_callbacks(struct kgr_patch *patch)
{
	const struct kgr_callbacks *cb;
	struct kgr_object *obj;

	for (cb = patch->callbacks; cb && !kgr_callbacks_end(cb); cb++) {
		obj = kgr_object_get(patch, cb->objname);
		if (IS_ERR(obj))
			return PTR_ERR(obj);
		if (obj->callbacks) {
			pr_err("patch '%s': two sets of callbacks for '%s'\n",
			       patch->name, obj->name);
			return -EINVAL;
		}
		obj->callbacks = cb;
	}
	return 0;
}

/**
 * kgr_objects_create - find out what objects a patch is about
 * @patch:	patch
 *
 * Context: process context, may sleep.
 * Return: 0; -EINVAL: two sets of callbacks for one object, or a name that no
 * module can have; -ENOMEM. Then, too, the caller has to call
 * kgr_objects_free().
 */
int kgr_objects_create(struct kgr_patch *patch)
{
	struct kgr_patch_fun *fun;

	kgr_for_each_patch_fun(patch, fun) {
		fun->obj = kgr_object_get(patch, fun->objname);
		if (IS_ERR(fun->obj))
			return PTR_ERR(fun->obj);
	}
	return kgr_objects_create_callbacks(patch);
}
EXPORT_SYMBOL_IF_KUNIT(kgr_objects_create);

/* Context: process context; nobody else looks at the objects */
void kgr_objects_free(struct kgr_patch *patch)
{
	struct kgr_object *obj, *next;

	list_for_each_entry_safe(obj, next, &patch->priv->objects, node) {
		kfree(obj->name);
		kfree(obj);
	}
}
EXPORT_SYMBOL_IF_KUNIT(kgr_objects_free);

/**
 * kgr_object_bind - a patch gets hold of an object
 * @patch:	patch
 * @obj:	one of its objects
 * @mod:	the module, NULL for the kernel proper
 *
 * Context: process context, kgr_mutex held, may sleep.
 * Return: 0, or what kgr_late_bind() has to say.
 */
int kgr_object_bind(struct kgr_patch *patch, struct kgr_object *obj,
		    struct module *mod)
{
	int ret;

	lockdep_assert_held(&kgr_mutex);

	ret = mod ? kgr_late_bind(patch, mod) : 0;
	if (ret)
		return ret;

	obj->mod = mod;
	obj->bound = true;
	return 0;
}
ALLOW_ERROR_INJECTION(kgr_object_bind, ERRNO);

/**
 * kgr_object_unbind - a patch lets go of an object
 * @patch:	patch, none of whose functions runs on behalf of the object
 * @obj:	one of its objects, bound or not
 *
 * Context: process context, kgr_mutex held, may sleep.
 */
void kgr_object_unbind(struct kgr_patch *patch, struct kgr_object *obj)
{
	lockdep_assert_held(&kgr_mutex);

	if (!obj->bound)
		return;

	if (obj->mod)
		kgr_late_unbind(patch, obj->mod);
	obj->mod = NULL;
	obj->bound = false;
}

/**
 * kgr_objects_bind - a patch gets hold of all objects that are there
 * @patch:	patch about to be applied
 *
 * Context: process context, kgr_mutex held, may sleep.
 * Return: 0, or what kgr_late_bind() has to say; nothing is bound then.
 */
int kgr_objects_bind(struct kgr_patch *patch)
{
	struct kgr_object *obj;
	struct module *mod;
	int ret;

	kgr_for_each_object(patch, obj) {
		mod = kgr_target_find(obj->name);
		if (!mod && !kgr_object_is_vmlinux(obj))
			continue;
		ret = kgr_object_bind(patch, obj, mod);
		if (ret) {
			kgr_objects_unbind(patch);
			return ret;
		}
	}
	return 0;
}

/* A patch lets go of all its objects; context: as kgr_object_unbind() */
void kgr_objects_unbind(struct kgr_patch *patch)
{
	struct kgr_object *obj;

	kgr_for_each_object(patch, obj)
		kgr_object_unbind(patch, obj);
}

/**
 * kgr_linked_fun - walk the functions of a patch that are in place
 * @patch:	patch
 * @after:	where the walk has got to, NULL to begin
 *
 * Context: kgr_mutex held.
 * Return: the next function whose object is there, or NULL.
 */
struct kgr_patch_fun *kgr_linked_fun(const struct kgr_patch *patch,
				     const struct kgr_patch_fun *after)
{
	const struct list_head *pos = after ? &after->node : &patch->priv->funs;
	struct kgr_patch_fun *fun;

	for (pos = pos->next; pos != &patch->priv->funs; pos = pos->next) {
		fun = list_entry(pos, struct kgr_patch_fun, node);
		if (fun->func)
			return fun;
	}
	return NULL;
}
ALLOW_ERROR_INJECTION(kgr_objects_create, ERRNO);
