/* SPDX-License-Identifier: GPL-2.0 */
/* kGraft: hooks of the module loader. */
#ifndef _LINUX_KGRAFT_MODULE_H
#define _LINUX_KGRAFT_MODULE_H

#include <linux/errno.h>
#include <linux/kgraft_types.h>
#include <linux/printk.h>

struct alt_instr;
struct jump_entry;
struct module;
struct static_call_site;

/*
 * For entries of special sections that a module keeps outside of its tables
 * until what they refer to is there; see kernel/kgraft/late.c.
 */
void apply_alternatives_live(struct alt_instr *start, struct alt_instr *end);
int jump_label_add_late(struct module *mod, struct jump_entry *start,
			struct jump_entry *stop);
void jump_label_del_late(struct module *mod, struct jump_entry *start,
			 struct jump_entry *stop);
int static_call_add_late(struct module *mod, struct static_call_site *start,
			 struct static_call_site *stop);
void static_call_del_late(struct module *mod, struct static_call_site *start,
			  struct static_call_site *stop);

#ifdef CONFIG_KGRAFT

int kgr_module_check(const char *name, const char *license,
		     const char *build_id);
int kgr_module_relocate(struct module *mod, const struct kgr_reloc *relocs,
			unsigned int num);
int kgr_module_coming(struct module *mod);
void kgr_module_going(struct module *mod);

#else /* !CONFIG_KGRAFT */

static inline int kgr_module_check(const char *name, const char *license,
				   const char *build_id)
{
	pr_err("%s: module is marked as kgraft module, but kgraft support is disabled\n",
	       name);
	return -ENOEXEC;
}

static inline int kgr_module_relocate(struct module *mod,
				      const struct kgr_reloc *relocs,
				      unsigned int num)
{
	return -ENOEXEC;
}

static inline int kgr_module_coming(struct module *mod)
{
	return 0;
}

static inline void kgr_module_going(struct module *mod) { }

#endif /* CONFIG_KGRAFT */

#endif /* _LINUX_KGRAFT_MODULE_H */
