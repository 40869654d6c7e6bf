/* SPDX-License-Identifier: GPL-2.0 */
/*
 * For diffs that kgr-build makes a patch module from: what can't be said by changing
 * a function.  None of it means anything in a kernel that is built with it.
 */
#ifndef _LINUX_KGRAFT_AUTHOR_H
#define _LINUX_KGRAFT_AUTHOR_H

#include <linux/compiler.h>
#include <linux/jump_label.h>
#include <linux/kgraft.h>
#include <linux/kgraft_shadow.h>

/**
 * KGR_PRE_PATCH - call a function before the patch is applied
 * @fn:	``int fn(struct kgr_patch *patch, struct module *mod)``; an error refuses
 *	the patch
 *
 * At most once for vmlinux and for each module that the diff touches; the object
 * that the file is part of is the one that the callback is about. See &struct
 * kgr_callbacks for when it is called and what it may do.
 */
#define KGR_PRE_PATCH(fn)						\
	static int (* const __kgr_pre_patch)(struct kgr_patch *, struct module *) \
	__used __section(".discard.kgr.pre_patch") = fn

#define __KGR_CALLBACK(kind, fn)					\
	static void (* const __kgr_##kind)(struct kgr_patch *, struct module *) \
	__used __section(".discard.kgr." #kind) = fn

/**
 * KGR_POST_PATCH - call a function when every context has the new functions
 * @fn:	``void fn(struct kgr_patch *patch, struct module *mod)``
 */
#define KGR_POST_PATCH(fn)	__KGR_CALLBACK(post_patch, fn)

/**
 * KGR_PRE_UNPATCH - call a function before the first context goes back
 * @fn:	``void fn(struct kgr_patch *patch, struct module *mod)``
 */
#define KGR_PRE_UNPATCH(fn)	__KGR_CALLBACK(pre_unpatch, fn)

/**
 * KGR_POST_UNPATCH - call a function when no context has the new functions
 * @fn:	``void fn(struct kgr_patch *patch, struct module *mod)``
 */
#define KGR_POST_UNPATCH(fn)	__KGR_CALLBACK(post_unpatch, fn)

#define __KGR_IGNORE(what)						\
	static const char __UNIQUE_ID(kgr_ignore)[]			\
	__used __section(".discard.kgr.ignore") = what

/**
 * KGR_IGNORE_SECTION - leave out what the diff changes in a section
 * @name:	".init.text" and the like, as a string
 *
 * Where kgr-build would refuse the patch for a change that doesn't matter to a
 * running kernel. What is left out is listed for review.
 */
#define KGR_IGNORE_SECTION(name)	__KGR_IGNORE("section:" name)

/**
 * KGR_IGNORE - leave out what the diff changes in a function or variable
 * @symbol:	its name, not as a string
 *
 * The running one stays as it is, and new code uses it.
 */
#define KGR_IGNORE(symbol)		__KGR_IGNORE("symbol:" #symbol)

/**
 * KGR_SHADOW - the shadow variable of an object, or NULL
 * @type:	its type
 * @obj:	the object that has it
 * @id:		which one: a number that the patch chooses
 */
#define KGR_SHADOW(type, obj, id)	((type *)kgr_shadow_get(obj, id))

/**
 * KGR_SHADOW_ATTACH - the shadow variable of an object, made if it has none
 * @type:	its type; a new one is filled with zeroes
 * @obj:	the object that has it
 * @id:		which one
 * @gfp:	how memory is allocated
 *
 * NULL if there is no memory.
 */
#define KGR_SHADOW_ATTACH(type, obj, id, gfp)				\
	((type *)kgr_shadow_get_or_alloc(obj, id, sizeof(type), gfp, NULL, NULL))

/**
 * KGR_STATIC_KEY_ENABLED - is a static key on, by looking at it
 * @key:	pointer to a &struct static_key_true or static_key_false
 *
 * For a key whose branch can't be patched in, since it isn't known when the patch
 * module is loaded. Slower than a branch, and right at any time.
 */
#define KGR_STATIC_KEY_ENABLED(key)	static_key_enabled(key)

/*
 * A system call whose arguments change: SYSCALL_DEFINEn() without the description
 * for tracing, which is registered at boot and stays what it was.
 */
#define KGR_SYSCALL_DEFINE1(name, ...)	__KGR_SYSCALL(1, name, __VA_ARGS__)
#define KGR_SYSCALL_DEFINE2(name, ...)	__KGR_SYSCALL(2, name, __VA_ARGS__)
#define KGR_SYSCALL_DEFINE3(name, ...)	__KGR_SYSCALL(3, name, __VA_ARGS__)
#define KGR_SYSCALL_DEFINE4(name, ...)	__KGR_SYSCALL(4, name, __VA_ARGS__)
#define KGR_SYSCALL_DEFINE5(name, ...)	__KGR_SYSCALL(5, name, __VA_ARGS__)
#define KGR_SYSCALL_DEFINE6(name, ...)	__KGR_SYSCALL(6, name, __VA_ARGS__)
#define __KGR_SYSCALL(n, name, ...)					\
	__KGR_SYSCALL_IGNORE(name)					\
	__SYSCALL_DEFINEx(n, _##name, __VA_ARGS__)
#define __KGR_SYSCALL_IGNORE(name)					\
	__KGR_IGNORE("?section:_ftrace_events\0"			\
		     "?section:__syscalls_metadata\0"			\
		     "?symbol:event_enter__" #name "\0"			\
		     "?symbol:event_exit__" #name "\0"			\
		     "?symbol:__syscall_meta__" #name "\0"		\
		     "?symbol:types__" #name "\0"			\
		     "?symbol:args__" #name);

#endif /* _LINUX_KGRAFT_AUTHOR_H */
