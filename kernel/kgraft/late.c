// SPDX-License-Identifier: GPL-2.0
/*
 * Late binding: what a patch module leaves open until a module is there.
 *
 * New code that stands for functions of a module refers to symbols of that
 * module, and has entries in special sections that do: of static keys, static
 * calls and alternatives. The tables of those (struct kgr_late) are kept apart
 * from the module's own, which the module loader has processed long before. By
 * the time they are bound the code is read-only and executable, though nobody
 * runs it yet.
 *
 * What binding overwrites is saved before. Letting go puts it back, tables that
 * have been sorted included, so that the next time finds everything as it was.
 */
#include "internal.h"

#include <linux/jump_label.h>
#include <linux/list.h>
#include <linux/lockdep.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/static_call.h>
#include <linux/string.h>

#include <asm/alternative.h>

/**
 * struct kgr_late_bound - a patch and a module that are bound to one another
 * @list:	place in kgr_late_list
 * @patch:	the patch
 * @target:	the module
 * @saved:	what was overwritten, in the order of kgr_late_ranges()
 */
struct kgr_late_bound {
	struct list_head list;
	struct kgr_patch *patch;
	struct module *target;
	u8 saved[];
};

static LIST_HEAD(kgr_late_list);	/* [M] */

static const size_t kgr_late_sizes[] = {
	[KGR_LATE_RELOCS] = sizeof(struct kgr_reloc),
	[KGR_LATE_JUMPS] = sizeof(struct jump_entry),
	[KGR_LATE_CALLS] = sizeof(struct static_call_site),
	[KGR_LATE_ALTS] = sizeof(struct alt_instr),
	[KGR_LATE_DEPTHS] = sizeof(s32),
};

/* The first table of a kind that waits for a module, from @late on, or NULL */
static const struct kgr_late *kgr_late_find(const struct kgr_late *late,
					    const struct module *target,
					    unsigned int kind)
{
	for (; late && late->objname; late++) {
		if (late->kind == kind && !strcmp(late->objname, target->name))
			return late;
	}
	return NULL;
}

/* The tables of one kind that wait for a module */
#define kgr_for_each_late(patch, target, kind, late)			\
	for (late = kgr_late_find((patch)->late, target, kind); late;	\
	     late = kgr_late_find(late + 1, target, kind))

/* The entries of such a table */
#define kgr_for_each_late_entry(late, entry)				\
	for (entry = (late)->start;					\
	     (void *)entry < (late)->start + (late)->num * sizeof(*entry); \
	     entry++)

static void *kgr_late_end(const struct kgr_late *late)
{
	return late->start + late->num * kgr_late_sizes[late->kind];
}

static bool kgr_late_within(const struct module *mod, const void *addr, size_t len)
{
	return within_module((unsigned long)addr, mod) &&
	       within_module((unsigned long)addr + len - 1, mod);
}

static void *kgr_call_site(const struct static_call_site *site)
{
	return (void *)&site->addr + site->addr;
}

typedef void (*kgr_range_fn)(void *data, void *addr, size_t len);

/*
 * All that binding may write to. Other than jump labels, which go back to what
 * they were by themselves. First the tables, by which the rest is found.
 */
static void kgr_late_ranges(const struct kgr_patch *patch,
			    const struct module *target, kgr_range_fn fn,
			    void *data)
{
	const struct static_call_site *call;
	const struct kgr_reloc *reloc;
	const struct kgr_late *late;
	struct alt_instr *alt;
	unsigned int kind;
	size_t len;
	void *site;

	for (kind = KGR_LATE_JUMPS; kind < ARRAY_SIZE(kgr_late_sizes); kind++)
		kgr_for_each_late(patch, target, kind, late)
			fn(data, late->start, kgr_late_end(late) - late->start);

	kgr_for_each_late(patch, target, KGR_LATE_RELOCS, late)
		kgr_for_each_late_entry(late, reloc)
			fn(data, reloc->place, kgr_reloc_width(patch->owner, reloc));
	kgr_for_each_late(patch, target, KGR_LATE_CALLS, late)
		kgr_for_each_late_entry(late, call)
			fn(data, kgr_call_site(call), ARCH_KGR_CALL_BYTES);
	kgr_for_each_late(patch, target, KGR_LATE_ALTS, late)
		kgr_for_each_late_entry(late, alt) {
			site = arch_kgr_alt_site(alt, &len);
			fn(data, site, len);
		}
}

static void kgr_late_count(void *data, void *addr, size_t len)
{
	*(size_t *)data += len;
}

static void kgr_late_save(void *data, void *addr, size_t len)
{
	memcpy(*(u8 **)data, addr, len);
	*(u8 **)data += len;
}

static void kgr_late_restore(void *data, void *addr, size_t len)
{
	arch_kgr_write(addr, *(u8 **)data, len);
	*(u8 **)data += len;
}

struct kgr_late_check {
	const struct module *mod;
	bool bad;
};

static void kgr_late_check_range(void *data, void *addr, size_t len)
{
	struct kgr_late_check *check = data;

	check->bad |= !len || !kgr_late_within(check->mod, addr, len);
}

/* Nothing outside of the patch module may be written to, whatever it says */
static int kgr_late_check(const struct kgr_patch *patch, const struct module *target)
{
	struct kgr_late_check check = { .mod = patch->owner };
	const struct kgr_late *late;

	for (late = patch->late; late && late->objname && !check.bad; late++)
		check.bad = late->kind >= ARRAY_SIZE(kgr_late_sizes) || !late->num ||
			    !kgr_late_within(patch->owner, late->start,
					     kgr_late_sizes[late->kind] *
					     ((size_t)late->num + 1));
	if (!check.bad)
		kgr_late_ranges(patch, target, kgr_late_check_range, &check);
	if (!check.bad)
		return 0;

	pr_err("patch '%s': a table for module '%s' is malformed\n", patch->name,
	       target->name);
	return -ENOEXEC;
}

static int kgr_late_relocate(const struct kgr_patch *patch, const struct module *target)
{
	const struct kgr_reloc *reloc;
	const struct kgr_late *late;
	u64 value;
	int ret;

	kgr_for_each_late(patch, target, KGR_LATE_RELOCS, late)
		kgr_for_each_late_entry(late, reloc) {
			ret = kgr_reloc_value(patch->owner, reloc, &value);
			if (ret)
				return ret;
			arch_kgr_write(reloc->place, &value,
				       kgr_reloc_width(patch->owner, reloc));
		}
	return 0;
}

/* A key links to the sites that it has in other modules, and so must be writable */
static int kgr_late_check_keys(const struct kgr_patch *patch, struct module *target)
{
	struct jump_entry *entry;
	const struct kgr_late *late;
	unsigned long key;

	kgr_for_each_late(patch, target, KGR_LATE_JUMPS, late)
		kgr_for_each_late_entry(late, entry) {
			key = (unsigned long)jump_entry_key(entry);
			if (!within_module_mem_type(key, target, MOD_RO_AFTER_INIT))
				continue;
			pr_err("patch '%s': static key %pS is read-only after init, new code can't follow it\n",
			       patch->name, (void *)key);
			return -EOPNOTSUPP;
		}
	return 0;
}

static void kgr_late_del(const struct kgr_patch *patch, const struct module *target)
{
	const struct kgr_late *late;

	kgr_for_each_late(patch, target, KGR_LATE_JUMPS, late)
		jump_label_del_late(patch->owner, late->start, kgr_late_end(late));
	kgr_for_each_late(patch, target, KGR_LATE_CALLS, late)
		static_call_del_late(patch->owner, late->start, kgr_late_end(late));
}

/* Undone by kgr_late_del(), after an error too */
static int kgr_late_add(const struct kgr_patch *patch, struct module *target)
{
	const struct kgr_late *late;
	s32 *depth;
	int ret;

	kgr_for_each_late(patch, target, KGR_LATE_ALTS, late)
		apply_alternatives_live(late->start, kgr_late_end(late));
	kgr_for_each_late(patch, target, KGR_LATE_DEPTHS, late)
		kgr_for_each_late_entry(late, depth)
			arch_kgr_track_call((void *)depth + *depth);
	kgr_for_each_late(patch, target, KGR_LATE_CALLS, late) {
		ret = static_call_add_late(patch->owner, late->start,
					   kgr_late_end(late));
		if (ret)
			return ret;
	}
	kgr_for_each_late(patch, target, KGR_LATE_JUMPS, late) {
		ret = jump_label_add_late(patch->owner, late->start,
					  kgr_late_end(late));
		if (ret)
			return ret;
	}
	return 0;
}

static void kgr_late_put_back(struct kgr_late_bound *bound)
{
	u8 *saved = bound->saved;

	kgr_late_ranges(bound->patch, bound->target, kgr_late_restore, &saved);
	arch_kgr_write_done();
	kfree(bound);
}

static struct kgr_late_bound *kgr_late_keep(struct kgr_patch *patch,
					    struct module *target)
{
	struct kgr_late_bound *bound;
	size_t size = 0;
	u8 *saved;

	kgr_late_ranges(patch, target, kgr_late_count, &size);
	bound = kmalloc(struct_size(bound, saved, size), GFP_KERNEL);
	if (!bound)
		return NULL;

	bound->patch = patch;
	bound->target = target;
	saved = bound->saved;
	kgr_late_ranges(patch, target, kgr_late_save, &saved);
	return bound;
}

static bool kgr_late_has(const struct kgr_patch *patch, const struct module *target)
{
	const struct kgr_late *late;

	for (late = patch->late; late && late->objname; late++) {
		if (!strcmp(late->objname, target->name))
			return true;
	}
	return false;
}

/**
 * kgr_late_bind - put in place what a patch has left open for a module
 * @patch:	patch, none of whose functions runs on behalf of @target yet
 * @target:	module, alive or about to be: its own static keys and static calls
 *		are set up
 *
 * Context: process context, kgr_mutex held, may sleep.
 * Return: 0; -ENOMEM; -ENOEXEC: a table is malformed or a symbol out of reach;
 * -ENOENT, -EINVAL: see kgr_resolve(); -EOPNOTSUPP: it refers to a static key
 * that becomes read-only. After an error everything is as it was.
 */
int kgr_late_bind(struct kgr_patch *patch, struct module *target)
{
	struct kgr_late_bound *bound;
	int ret;

	lockdep_assert_held(&kgr_mutex);

	if (!kgr_late_has(patch, target))
		return 0;
	ret = kgr_late_check(patch, target);
	if (ret)
		return ret;
	bound = kgr_late_keep(patch, target);
	if (!bound)
		return -ENOMEM;

	ret = kgr_late_relocate(patch, target);
	if (!ret)
		ret = kgr_late_check_keys(patch, target);
	if (ret)
		goto put_back;

	ret = kgr_late_add(patch, target);
	if (ret)
		goto del;

	arch_kgr_write_done();
	list_add(&bound->list, &kgr_late_list);
	return 0;

del:
	kgr_late_del(patch, target);
put_back:
	kgr_late_put_back(bound);
	return ret;
}

/**
 * kgr_late_unbind - take it out again
 * @patch:	patch, none of whose functions runs on behalf of @target any more
 * @target:	module, bound to it or not; its memory is still there
 *
 * Context: process context, kgr_mutex held, may sleep.
 */
void kgr_late_unbind(struct kgr_patch *patch, struct module *target)
{
	struct kgr_late_bound *bound;

	lockdep_assert_held(&kgr_mutex);

	list_for_each_entry(bound, &kgr_late_list, list) {
		if (bound->patch != patch || bound->target != target)
			continue;
		list_del(&bound->list);
		kgr_late_del(patch, target);
		kgr_late_put_back(bound);
		return;
	}
}
