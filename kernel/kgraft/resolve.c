// SPDX-License-Identifier: GPL-2.0
/* Names and positions of symbols, of the kernel and of modules, to addresses. */
#include "internal.h"

#include <kunit/visibility.h>
#include <linux/align.h>
#include <linux/error-injection.h>
#include <linux/kallsyms.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/string.h>

/*
 * A function ends where the next symbol begins, as far as kallsyms knows. The
 * linker may have left a gap in between, at most up to the next page.
 */
#define KGR_SIZE_SLACK	PAGE_SIZE

struct kgr_each {
	const struct module *mod;
	const char *name;
	int (*fn)(void *data, unsigned long addr);
	void *data;
};

/* What is freed after init comes and goes, positions must not depend on that */
static int kgr_each_symbol(void *data, const char *name, unsigned long addr)
{
	struct kgr_each *each = data;

	if (strcmp(name, each->name) || within_module_init(addr, each->mod))
		return 0;
	return each->fn(each->data, addr);
}

/**
 * kgr_resolve_each - visit the symbols of a name
 * @objname:	module that holds them; NULL or "vmlinux" for the kernel proper
 * @name:	their name as in kallsyms
 * @fn:		gets @data and the address of each; another value than 0 ends it
 * @data:	for @fn
 *
 * In no particular order.
 *
 * Context: process context, kgr_mutex held for modules; may sleep.
 * Return: what @fn returned last, 0 when there is no such symbol or module.
 */
int kgr_resolve_each(const char *objname, const char *name,
		     int (*fn)(void *data, unsigned long addr), void *data)
{
	struct kgr_each each = { .name = name, .fn = fn, .data = data };

	if (!strcmp(kgr_objname(objname), "vmlinux"))
		return kallsyms_on_each_match_symbol(fn, name, data);

	each.mod = kgr_target_find(objname);
	if (!each.mod)
		return 0;
	return module_kallsyms_on_each_symbol(objname, kgr_each_symbol, &each);
}

struct kgr_match {
	unsigned long above;	/* address that it has to lie above */
	unsigned long addr;	/* the lowest such, so far */
	unsigned long count;	/* of all */
};

static int kgr_match_symbol(void *data, unsigned long addr)
{
	struct kgr_match *match = data;

	match->count++;
	if (addr > match->above)
		match->addr = min(match->addr, addr);
	return 0;
}

/**
 * kgr_resolve - address of a symbol
 * @objname:	module that holds it; NULL or "vmlinux" for the kernel proper
 * @name:	its name as in kallsyms
 * @sympos:	0: the name must be unique; n: its nth occurrence, in ascending
 *		order of addresses
 * @addr:	where to put the address
 *
 * Context: process context, kgr_mutex held for modules; may sleep.
 * Return: 0; -ENOENT: no such symbol, or the module is not there; -EINVAL:
 * ambiguous, or less than @sympos symbols of that name. Says which in the log.
 */
int kgr_resolve(const char *objname, const char *name, unsigned long sympos,
		unsigned long *addr)
{
	struct kgr_match match = { .addr = 0 };
	unsigned long pos = 0;

	do {
		match.above = match.addr;
		match.addr = ULONG_MAX;
		match.count = 0;
		kgr_resolve_each(objname, name, kgr_match_symbol, &match);
	} while (++pos < sympos && match.addr != ULONG_MAX);

	if (!match.count) {
		pr_err("symbol '%s': not found in %s\n", name, kgr_objname(objname));
		return -ENOENT;
	}
	if (!sympos && match.count > 1) {
		pr_err("symbol '%s': ambiguous in %s, say which by its position (KGR_PATCH_OBJPOS)\n",
		       name, kgr_objname(objname));
		return -EINVAL;
	}
	if (match.addr == ULONG_MAX) {
		pr_err("symbol '%s': position %lu out of bounds, there are %lu in %s\n",
		       name, sympos, match.count, kgr_objname(objname));
		return -EINVAL;
	}

	*addr = match.addr;
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(kgr_resolve);

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
EXPORT_SYMBOL_IF_KUNIT(kgr_resolve_size);

/**
 * kgr_resolve_fun - address of the function that is to be replaced
 * @fun:	as its author has filled it
 * @addr:	where to put the address
 *
 * Context: process context, kgr_mutex held, may sleep.
 * Return: 0; see kgr_resolve() for -ENOENT and -EINVAL; -EINVAL also when it
 * is not the size that the builder saw.
 */
int kgr_resolve_fun(const struct kgr_patch_fun *fun, unsigned long *addr)
{
	unsigned long size;
	int ret;

	ret = kgr_resolve(fun->objname, fun->name, fun->sympos, addr);
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
EXPORT_SYMBOL_IF_KUNIT(kgr_resolve_fun);
ALLOW_ERROR_INJECTION(kgr_resolve_fun, ERRNO);
