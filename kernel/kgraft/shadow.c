// SPDX-License-Identifier: GPL-2.0
/* Shadow variables: data of a patch for objects that have no room for it. */

/**
 * DOC: shadow variables
 *
 * A fix may need one more member in a structure that thousands of objects have
 * been made of already. It can't be added to them; a shadow variable stands
 * beside the object and is found by the address of the object and a number that
 * says what it means. All patch modules share them: a later patch goes on using
 * what an earlier one has attached, as long as both mean the same by the number.
 *
 * What is safe to do at the same time:
 *
 * * All functions may be called concurrently, for the same and for different
 *   objects. Of several callers that create the same variable one wins, and its
 *   constructor alone runs.
 * * A variable that is returned is complete: whatever the constructor has
 *   written is visible to whoever finds it.
 * * kGraft does not serialize access to the variable's contents. It needs the
 *   lock that an ordinary member of the object would need.
 *
 * How long a variable lives:
 *
 * * Until kgr_shadow_free() or kgr_shadow_free_all(); nothing frees it by itself,
 *   neither the end of its object nor the removal of the patch. The new body of
 *   the function that frees the object has to free it. Otherwise the next object
 *   at that address would inherit it.
 * * Who holds a reference to the object, or a lock that keeps it from being freed,
 *   may use the pointer for as long, if the variable is freed together with the
 *   object only.
 * * Anybody else calls kgr_shadow_get() and uses the result within one
 *   rcu_read_lock() section. The memory stays for a grace period; what the
 *   destructor has released may be gone, so that the destructor has to leave to
 *   RCU, too, what such readers follow.
 * * kgr_shadow_free_all() is for the end: when every context has left the patch.
 *   While some can still call kgr_shadow_get_or_alloc(), a new variable may appear
 *   behind it.
 *
 * Objects that were created before the patch was applied have none. Readers must
 * expect NULL, or create the variable when they first need it.
 */
#include "internal.h"

#include <linux/export.h>
#include <linux/hash.h>
#include <linux/init.h>
#include <linux/overflow.h>
#include <linux/rculist.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

/**
 * struct kgr_shadow - one variable
 * @node:	place in its bucket [bucket's lock, readers under RCU]
 * @rcu:	for freeing, once it is out of its bucket
 * @dead:	next of those that kgr_shadow_free_all() has taken out
 * @obj:	object that it belongs to [W]
 * @id:		what it means [W]
 * @data:	the variable itself, aligned for any type that needs no more than a
 *		long long
 */
struct kgr_shadow {
	struct hlist_node node;
	union {
		struct rcu_head rcu;
		struct kgr_shadow *dead;
	};
	void *obj;
	unsigned long id;
	u8 data[] __aligned(__alignof__(unsigned long long));
};

#define KGR_SHADOW_BITS		10
#define KGR_SHADOW_BUCKETS	(1U << KGR_SHADOW_BITS)

/*
 * Writers of a bucket exclude one another. Taken with interrupts off: a patched
 * function may be called by an interrupt handler.
 */
struct kgr_shadow_bucket {
	spinlock_t lock;
	struct hlist_head head;
};

static struct kgr_shadow_bucket kgr_shadows[KGR_SHADOW_BUCKETS];

static struct kgr_shadow_bucket *kgr_shadow_bucket(void *obj, unsigned long id)
{
	unsigned long key = (unsigned long)obj + hash_long(id, BITS_PER_LONG);

	return &kgr_shadows[hash_long(key, KGR_SHADOW_BITS)];
}

/* Context: bucket's lock held, or an RCU read-side section */
static struct kgr_shadow *kgr_shadow_find(struct kgr_shadow_bucket *bucket,
					  void *obj, unsigned long id)
{
	struct kgr_shadow *shadow;

	hlist_for_each_entry_rcu(shadow, &bucket->head, node,
				 lockdep_is_held(&bucket->lock)) {
		if (shadow->obj == obj && shadow->id == id)
			return shadow;
	}
	return NULL;
}

/**
 * kgr_shadow_get - find a shadow variable
 * @obj:	object that it belongs to
 * @id:		what it means
 *
 * Context: any, NMI included. The caller makes sure that the variable is not
 * freed while it uses it: by a reference to @obj, by a lock, or by
 * rcu_read_lock(); see the section on shadow variables.
 * Return: the variable, NULL when there is none.
 */
void *kgr_shadow_get(void *obj, unsigned long id)
{
	struct kgr_shadow *shadow;

	rcu_read_lock();
	shadow = kgr_shadow_find(kgr_shadow_bucket(obj, id), obj, id);
	rcu_read_unlock();

	return shadow ? shadow->data : NULL;
}
EXPORT_SYMBOL_GPL(kgr_shadow_get);

/*
 * Put @new into its bucket, unless there is one already.
 * Return: 0; a negative errno of @ctor; -EEXIST, and the other one in @old.
 */
static int kgr_shadow_insert(struct kgr_shadow *new, kgr_shadow_ctor_t ctor,
			     void *ctor_data, struct kgr_shadow **old)
{
	struct kgr_shadow_bucket *bucket = kgr_shadow_bucket(new->obj, new->id);
	unsigned long flags;
	int ret = 0;

	spin_lock_irqsave(&bucket->lock, flags);

	*old = kgr_shadow_find(bucket, new->obj, new->id);
	if (*old)
		ret = -EEXIST;
	else if (ctor)
		ret = ctor(new->obj, new->data, ctor_data);

	if (!ret)
		hlist_add_head_rcu(&new->node, &bucket->head);

	spin_unlock_irqrestore(&bucket->lock, flags);
	return ret;
}

static struct kgr_shadow *kgr_shadow_new(void *obj, unsigned long id, size_t size,
					 gfp_t gfp)
{
	struct kgr_shadow *new;

	new = kzalloc(struct_size(new, data, size), gfp);
	if (!new)
		return NULL;
	new->obj = obj;
	new->id = id;
	return new;
}

/**
 * kgr_shadow_alloc - attach a new shadow variable to an object
 * @obj:	object that it belongs to; never dereferenced, NULL will do
 * @id:		what it means; a number that no other patch uses for anything else
 * @size:	bytes of the variable
 * @gfp:	how to allocate it
 * @ctor:	what makes it usable; NULL: zeroes will do
 * @ctor_data:	passed on to @ctor
 *
 * Context: any but NMI; may sleep if @gfp allows that.
 * Return: the variable; NULL: there is one already, which is said in the log,
 * @ctor has failed, or there is no memory.
 */
void *kgr_shadow_alloc(void *obj, unsigned long id, size_t size, gfp_t gfp,
		       kgr_shadow_ctor_t ctor, void *ctor_data)
{
	struct kgr_shadow *new, *old;
	int ret;

	new = kgr_shadow_new(obj, id, size, gfp);
	if (!new)
		return NULL;

	ret = kgr_shadow_insert(new, ctor, ctor_data, &old);
	if (!ret)
		return new->data;

	kfree(new);
	if (old)
		pr_err_ratelimited("shadow variable %#lx: %pS creates it a second time for one object; kgr_shadow_get_or_alloc() would return the first\n",
				   id, __builtin_return_address(0));
	return NULL;
}
EXPORT_SYMBOL_GPL(kgr_shadow_alloc);

/**
 * kgr_shadow_get_or_alloc - find a shadow variable or attach a new one
 * @obj:	object that it belongs to; never dereferenced, NULL will do
 * @id:		what it means
 * @size:	bytes of a new variable; one that exists has the size that it has
 * @gfp:	how to allocate a new one
 * @ctor:	what makes a new one usable; NULL: zeroes will do. Does not run when
 *		there is one already, nor when somebody else is faster
 * @ctor_data:	passed on to @ctor
 *
 * Context: any but NMI; may sleep if @gfp allows that. For the lifetime of the
 * variable see kgr_shadow_get().
 * Return: the variable; NULL: @ctor has failed, or there is no memory.
 */
void *kgr_shadow_get_or_alloc(void *obj, unsigned long id, size_t size, gfp_t gfp,
			      kgr_shadow_ctor_t ctor, void *ctor_data)
{
	struct kgr_shadow *new, *old;
	void *data;
	int ret;

	data = kgr_shadow_get(obj, id);
	if (data)
		return data;

	new = kgr_shadow_new(obj, id, size, gfp);
	if (!new)
		return NULL;

	ret = kgr_shadow_insert(new, ctor, ctor_data, &old);
	if (!ret)
		return new->data;

	kfree(new);
	return old ? old->data : NULL;
}
EXPORT_SYMBOL_GPL(kgr_shadow_get_or_alloc);

/* Context: @shadow is out of its bucket, no lock held */
static void kgr_shadow_destroy(struct kgr_shadow *shadow, kgr_shadow_dtor_t dtor)
{
	if (dtor)
		dtor(shadow->obj, shadow->data);
	kfree_rcu(shadow, rcu);
}

/**
 * kgr_shadow_free - detach a shadow variable from an object and free it
 * @obj:	object that it belongs to
 * @id:		what it means
 * @dtor:	what releases what it holds; NULL: nothing
 *
 * Does nothing when there is none. Of two callers for one variable one frees it.
 *
 * Context: any but NMI; @dtor is called in it and decides whether this may sleep.
 */
void kgr_shadow_free(void *obj, unsigned long id, kgr_shadow_dtor_t dtor)
{
	struct kgr_shadow_bucket *bucket = kgr_shadow_bucket(obj, id);
	struct kgr_shadow *shadow;
	unsigned long flags;

	spin_lock_irqsave(&bucket->lock, flags);
	shadow = kgr_shadow_find(bucket, obj, id);
	if (shadow)
		hlist_del_rcu(&shadow->node);
	spin_unlock_irqrestore(&bucket->lock, flags);

	if (shadow)
		kgr_shadow_destroy(shadow, dtor);
}
EXPORT_SYMBOL_GPL(kgr_shadow_free);

/* Take all variables of one meaning out of a bucket; a list by @dead of them */
static struct kgr_shadow *kgr_shadow_cut(struct kgr_shadow_bucket *bucket,
					 unsigned long id)
{
	struct kgr_shadow *shadow, *dead = NULL;
	struct hlist_node *next;
	unsigned long flags;

	spin_lock_irqsave(&bucket->lock, flags);
	hlist_for_each_entry_safe(shadow, next, &bucket->head, node) {
		if (shadow->id != id)
			continue;
		hlist_del_rcu(&shadow->node);
		shadow->dead = dead;
		dead = shadow;
	}
	spin_unlock_irqrestore(&bucket->lock, flags);

	return dead;
}

/**
 * kgr_shadow_free_all - free all shadow variables of one meaning
 * @id:		what they mean
 * @dtor:	what releases what each one holds; NULL: nothing
 *
 * For a patch that has been reverted for good: from its post_unpatch callback or
 * its module's exit function. Not while a later patch goes on using them.
 *
 * Context: process context, may sleep, and so may @dtor.
 */
void kgr_shadow_free_all(unsigned long id, kgr_shadow_dtor_t dtor)
{
	struct kgr_shadow *shadow, *dead;
	unsigned int i;

	might_sleep();

	for (i = 0; i < KGR_SHADOW_BUCKETS; i++) {
		dead = kgr_shadow_cut(&kgr_shadows[i], id);
		while (dead) {
			shadow = dead;
			dead = shadow->dead;
			kgr_shadow_destroy(shadow, dtor);
		}
		cond_resched();
	}
}
EXPORT_SYMBOL_GPL(kgr_shadow_free_all);

/* Before any module can be loaded; one class of locks for lockdep */
static int __init kgr_shadow_init(void)
{
	unsigned int i;

	for (i = 0; i < KGR_SHADOW_BUCKETS; i++)
		spin_lock_init(&kgr_shadows[i].lock);
	return 0;
}
core_initcall(kgr_shadow_init);
