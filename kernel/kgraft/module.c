// SPDX-License-Identifier: GPL-2.0
/* Patch modules in the module loader: identity and relocation. */
#include "internal.h"

#include <linux/buildid.h>
#include <linux/hex.h>
#include <linux/kallsyms.h>
#include <linux/license.h>
#include <linux/module.h>
#include <linux/string.h>

#include <asm/elf.h>

static u8 kgr_build_id[BUILD_ID_SIZE_MAX];
static bool kgr_build_id_known;

/**
 * kgr_build_id_check - was this made for the kernel that runs?
 * @what:	name for the log
 * @build_id:	build-id in hexadecimal
 *
 * Context: any.
 * Return: 0, or -ENOEXEC and a message with both.
 */
int kgr_build_id_check(const char *what, const char *build_id)
{
	u8 wanted[BUILD_ID_SIZE_MAX] = { };
	size_t len = strlen(build_id);

	if (!kgr_build_id_known) {
		pr_err("'%s': the running kernel has no build-id to compare\n", what);
		return -ENOEXEC;
	}
	if (len == 2 * BUILD_ID_SIZE_MAX &&
	    !hex2bin(wanted, build_id, BUILD_ID_SIZE_MAX) &&
	    !memcmp(wanted, kgr_build_id, BUILD_ID_SIZE_MAX))
		return 0;

	pr_err("'%s': made for the kernel with build-id %.40s, this one has %*phN\n",
	       what, build_id, BUILD_ID_SIZE_MAX, kgr_build_id);
	return -ENOEXEC;
}

/**
 * kgr_module_check - may this patch module be loaded at all?
 * @name:	its name
 * @license:	its license, NULL when it has none
 * @build_id:	build-id of the kernel that it was made for, NULL when it says
 *		none; it must not need relocations of ours then
 *
 * Context: process context, before anything of the module is in place.
 * Return: 0 or -ENOEXEC.
 */
int kgr_module_check(const char *name, const char *license, const char *build_id)
{
	if (!license || !license_is_gpl_compatible(license)) {
		pr_err("module '%s': a patch module must be under a GPL-compatible license\n",
		       name);
		return -ENOEXEC;
	}
	return build_id ? kgr_build_id_check(name, build_id) : 0;
}

static bool kgr_fits(unsigned int type, u64 value)
{
	switch (type) {
	case R_X86_64_32:
		return value == (u32)value;
	case R_X86_64_32S:
	case R_X86_64_PC32:
	case R_X86_64_PLT32:
		return (s64)value == (s32)value;
	default:
		return true;
	}
}

static unsigned int kgr_width(unsigned int type)
{
	switch (type) {
	case R_X86_64_32:
	case R_X86_64_32S:
	case R_X86_64_PC32:
	case R_X86_64_PLT32:
		return 4;
	case R_X86_64_64:
	case R_X86_64_PC64:
		return 8;
	default:
		return 0;
	}
}

static bool kgr_relative(unsigned int type)
{
	return type == R_X86_64_PC32 || type == R_X86_64_PLT32 ||
	       type == R_X86_64_PC64;
}

/**
 * kgr_reloc_width - size of the field that a record is about
 * @mod:	patch module
 * @reloc:	one of its records
 *
 * Context: any.
 * Return: number of bytes at @reloc->place; 0 and a message when the record is
 * malformed.
 */
unsigned int kgr_reloc_width(const struct module *mod,
			     const struct kgr_reloc *reloc)
{
	unsigned long place = (unsigned long)reloc->place;
	unsigned int width = kgr_width(reloc->type);

	if (width && within_module(place, mod) &&
	    within_module(place + width - 1, mod))
		return width;

	pr_err("module '%s': relocation of type %u at %p is malformed\n",
	       mod->name, reloc->type, reloc->place);
	return 0;
}

/**
 * kgr_reloc_value - what belongs into the field that a record is about
 * @mod:	patch module
 * @reloc:	one of its records, well-formed
 * @value:	where to put it
 *
 * Context: process context, may sleep; kgr_mutex held for symbols of modules.
 * Return: 0; -ENOENT, -EINVAL: see kgr_resolve(); -ENOEXEC: out of reach.
 */
int kgr_reloc_value(const struct module *mod, const struct kgr_reloc *reloc,
		    u64 *value)
{
	unsigned long symbol;
	int ret;

	ret = kgr_resolve(reloc->objname, reloc->name, reloc->sympos, &symbol);
	if (ret)
		return ret;

	*value = symbol + reloc->addend;
	if (kgr_relative(reloc->type))
		*value -= (unsigned long)reloc->place;
	if (kgr_fits(reloc->type, *value))
		return 0;

	pr_err("module '%s': symbol '%s' is out of reach of a relocation of type %u\n",
	       mod->name, reloc->name, reloc->type);
	return -ENOEXEC;
}

static int kgr_relocate(struct module *mod, const struct kgr_reloc *reloc)
{
	unsigned int width = kgr_reloc_width(mod, reloc);
	u64 value;
	int ret;

	if (!width)
		return -ENOEXEC;
	if (reloc->objname && strcmp(reloc->objname, "vmlinux")) {
		pr_err("module '%s': symbol '%s' is in module '%s' and can't be bound at load; it belongs into " KGR_LATE_PREFIX "*.relocs\n",
		       mod->name, reloc->name, reloc->objname);
		return -ENOEXEC;
	}

	ret = kgr_reloc_value(mod, reloc, &value);
	if (!ret)
		memcpy(reloc->place, &value, width);
	return ret;
}

/**
 * kgr_module_relocate - fill in references to symbols that aren't exported
 * @mod:	patch module, ordinary relocations done, text still writable
 * @relocs:	its records
 * @num:	how many
 *
 * Context: process context, may sleep.
 * Return: 0; -ENOENT, -EINVAL: see kgr_resolve(); -ENOEXEC: a record is
 * malformed, a symbol out of reach or in a module.
 */
int kgr_module_relocate(struct module *mod, const struct kgr_reloc *relocs,
			unsigned int num)
{
	unsigned int i;
	int ret;

	for (i = 0; i < num; i++) {
		ret = kgr_relocate(mod, &relocs[i]);
		if (ret)
			return ret;
	}
	return 0;
}

static int __init kgr_build_id_init(void)
{
	extern const char __start_notes[], __stop_notes[];

	kgr_build_id_known = !build_id_parse_buf(__start_notes, kgr_build_id,
						 __stop_notes - __start_notes);
	return 0;
}
core_initcall(kgr_build_id_init);
