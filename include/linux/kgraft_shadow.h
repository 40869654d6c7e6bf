/* SPDX-License-Identifier: GPL-2.0 */
/*
 * kGraft: shadow variables, data that a patch attaches to objects that the
 * kernel has created without room for it. Rules are in kernel/kgraft/shadow.c.
 */
#ifndef _LINUX_KGRAFT_SHADOW_H
#define _LINUX_KGRAFT_SHADOW_H

#include <linux/types.h>

/**
 * typedef kgr_shadow_ctor_t - make a new variable usable
 * @obj:	object that it belongs to
 * @data:	the variable, filled with zeroes
 * @ctor_data:	what the caller has passed on
 *
 * Context: atomic, interrupts off, before anybody else can see @data. Must not
 * call kgr_shadow_*().
 * Return: 0, or a negative errno: there will be no variable.
 */
typedef int (*kgr_shadow_ctor_t)(void *obj, void *data, void *ctor_data);

/**
 * typedef kgr_shadow_dtor_t - release what a variable holds
 * @obj:	object that it belonged to; may be gone already
 * @data:	the variable; its memory is freed by kGraft, a grace period later
 *
 * Context: that of the caller, no lock of kGraft held. The variable can't be
 * found any more; see :c:func:`kgr_shadow_get` for who may still read it.
 */
typedef void (*kgr_shadow_dtor_t)(void *obj, void *data);

#ifdef CONFIG_KGRAFT
void *kgr_shadow_get(void *obj, unsigned long id);
void *kgr_shadow_alloc(void *obj, unsigned long id, size_t size, gfp_t gfp,
		       kgr_shadow_ctor_t ctor, void *ctor_data);
void *kgr_shadow_get_or_alloc(void *obj, unsigned long id, size_t size, gfp_t gfp,
			      kgr_shadow_ctor_t ctor, void *ctor_data);
void kgr_shadow_free(void *obj, unsigned long id, kgr_shadow_dtor_t dtor);
void kgr_shadow_free_all(unsigned long id, kgr_shadow_dtor_t dtor);
#endif

#endif /* _LINUX_KGRAFT_SHADOW_H */
