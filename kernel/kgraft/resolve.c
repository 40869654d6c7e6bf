// SPDX-License-Identifier: GPL-2.0
/* Names and positions of the kernel's symbols to addresses. */
#include "internal.h"

#include <linux/align.h>
#include <linux/kallsyms.h>
#include <linux/mm.h>

/*
 * A function ends where the next symbol begins, as far as kallsyms knows. The
 * linker may have left a gap in between, at most up to the next page.
 */
#define KGR_SIZE_SLACK	PAGE_SIZE

struct kgr_match {
	unsigned long wanted;	/* position, 0: must be the only one */
	unsigned long count;
	unsigned long addr;
};

static int kgr_match_symbol(void *data, unsigned long addr)
{
	struct kgr_match *match = data;

	match->count++;
	if (match->count == match->wanted || !match->wanted)
		match->addr = addr;

	/* Two are enough to know that a name is not unique */
	return match->wanted ? match->count == match->wanted : match->count > 1;
}

/**
 * kgr_resolve - address of a symbol of vmlinux
 * @name:	its name as in kallsyms
 * @sympos:	0: the name must be unique; n: its nth occurrence, in ascending
 *		order of addresses
 * @addr:	where to put the address
 *
 * Context: process context, may sleep.
 * Return: 0; -ENOENT: no such symbol; -EINVAL: ambiguous, or less than @sympos
 * symbols of that name. Says which in the log.
 */
int kgr_resolve(const char *name, unsigned long sympos, unsigned long *addr)
{
	struct kgr_match match = { .wanted = sympos };

	kallsyms_on_each_match_symbol(kgr_match_symbol, name, &match);

	if (!match.count) {
		pr_err("symbol '%s': not found in vmlinux\n", name);
		return -ENOENT;
	}
	if (!sympos && match.count > 1) {
		pr_err("symbol '%s': ambiguous, say which by its position (KGR_PATCH_OBJPOS)\n",
		       name);
		return -EINVAL;
	}
	if (sympos && match.count < sympos) {
		pr_err("symbol '%s': position %lu out of bounds, there are %lu\n",
		       name, sympos, match.count);
		return -EINVAL;
	}

	*addr = match.addr;
	return 0;
}

/**
 * kgr_resolve_size - size of a function
 * @addr:	its address
 *
 * Context: any.
 * Return: distance to the next symbol in bytes, 0 when there is no symbol at
 * @addr.
 */
unsigned long kgr_resolve_size(unsigned long addr)
{
	unsigned long size, offset;

	if (!kallsyms_lookup_size_offset(addr, &size, &offset) || offset)
		return 0;
	return size;
}

/**
 * kgr_resolve_fun - address of the function that is to be replaced
 * @fun:	as its author has filled it
 * @addr:	where to put the address
 *
 * Context: process context, may sleep.
 * Return: 0; see kgr_resolve() for -ENOENT and -EINVAL; -EINVAL also when it
 * is not the size that the builder saw; -EOPNOTSUPP: in a module.
 */
int kgr_resolve_fun(const struct kgr_patch_fun *fun, unsigned long *addr)
{
	unsigned long size;
	int ret;

	if (fun->objname && strcmp(fun->objname, "vmlinux")) {
		pr_err("function '%s': functions of modules ('%s') can't be patched yet\n",
		       fun->name, fun->objname);
		return -EOPNOTSUPP;
	}

	ret = kgr_resolve(fun->name, fun->sympos, addr);
	if (ret || !fun->old_size)
		return ret;

	size = kgr_resolve_size(*addr);
	if (fun->old_size > size || size - fun->old_size >= KGR_SIZE_SLACK) {
		pr_err("function '%s': has %lu bytes here, the patch was made for %lu\n",
		       fun->name, size, fun->old_size);
		return -EINVAL;
	}
	return 0;
}
