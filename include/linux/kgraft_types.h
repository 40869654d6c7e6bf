/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * What a patch module and the tools that make it agree on: section names, the
 * late relocation record, modinfo tags, models and states.  Shared by the
 * kernel and by tools/kgr-build; plain C with no kernel types, so that both
 * include this very file.
 */
#ifndef _LINUX_KGRAFT_TYPES_H
#define _LINUX_KGRAFT_TYPES_H

/* .modinfo tags of a patch module */
#define KGR_MODINFO_TAG		"kgraft"		/* "Y" */
#define KGR_MODINFO_BUILD_ID	"kgraft_build_id"	/* target, lower-case hex */
#define KGR_MODINFO_MODEL	"kgraft_model"
#define KGR_MODINFO_CVE		"kgraft_cve"		/* blank-separated list */
#define KGR_MODINFO_REPLACE	"kgraft_replace"	/* "Y": cumulative (replace_all) */
#define KGR_MODINFO_HASH	"kgraft_hash"		/* one for each function, for tools */

/* Array of struct kgr_reloc; every pointer in it is an ordinary relocation */
#define KGR_RELOC_SECTION	".kgraft.relocs"
/* NUL-terminated strings that the records point to */
#define KGR_STRING_SECTION	".kgraft.strings"

#define KGR_RELOC_NAME_LEN	512	/* KSYM_NAME_LEN of the kernel */

/**
 * struct kgr_reloc - one reference to a symbol that the module loader can't see
 * @place:	address of the field to be written, inside the patch module
 * @name:	name of the symbol, exactly as in kallsyms
 * @objname:	module that holds the symbol, NULL for vmlinux
 * @addend:	r_addend of the ELF relocation that this record stands for
 * @type:	ELF relocation type (R_X86_64_*)
 * @sympos:	0: the name is unique in its object; n: its nth occurrence in
 *		ascending order of addresses (livepatch's sympos)
 *
 * Applied after the module's ordinary relocations and before its alternatives,
 * static keys and other special sections are processed.
 */
struct kgr_reloc {
	void		*place;
	const char	*name;
	const char	*objname;
	long		addend;
	unsigned int	type;
	unsigned int	sympos;
};

/*
 * Parts that can only be put in place when a module is there: references to its
 * symbols, and entries of special sections that hold such references.
 */

/* Array of struct kgr_late, which struct kgr_patch points to */
#define KGR_LATE_SECTION	".kgraft.late"
/* The tables it lists are in sections named so, with OBJNAME.KIND behind it */
#define KGR_LATE_PREFIX		".kgraft.late."

/*
 * Kinds of tables: enumerator, number, name.  Entries are struct kgr_reloc, those
 * of __jump_table, .static_call_sites, .altinstructions and .call_sites.
 */
#define KGR_LATE_KINDS(X)			\
	X(RELOCS,	0, "relocs")		\
	X(JUMPS,	1, "jump_table")	\
	X(CALLS,	2, "static_call_sites")	\
	X(ALTS,		3, "altinstructions")	\
	X(DEPTHS,	4, "call_sites")

/**
 * struct kgr_late - one table of what waits for a module
 * @objname:	the module, whose functions the new code stands for; NULL ends the
 *		array
 * @start:	its entries
 * @num:	how many
 * @kind:	what they are, &enum kgr_late_kind
 *
 * Behind the last entry is another one that is all zero.
 */
struct kgr_late {
	const char	*objname;
	void		*start;
	unsigned int	num;
	unsigned int	kind;
};

/*
 * Consistency models: enumerator, name in sysfs, modinfo and on command lines.
 * Numbers are ABI.
 */
#define KGR_MODELS(X)			\
	X(UNIVERSE,	0, "universe")	\
	X(HYBRID,	1, "hybrid")	\
	X(IMMEDIATE,	2, "immediate")	\
	X(QUIESCE,	3, "quiesce")

/* What becomes of a transition at its deadline: enumerator, name in sysfs */
#define KGR_ON_TIMEOUTS(X)		\
	X(KEEP,		0, "keep")	\
	X(REVERT,	1, "revert")

/* States of one function of a patch; the numbers are those of published kGraft */
#define KGR_PATCH_STATES(X)		\
	X(INIT,		0, "init")	\
	X(SLOW,		1, "slow")	\
	X(APPLIED,	2, "applied")	\
	X(REVERT_SLOW,	3, "revert_slow") \
	X(REVERTED,	4, "reverted")	\
	X(SKIPPED,	5, "skipped")

#define KGR_ENUM_ENTRY(name, number, text)	KGR_ENUM_PREFIX(name) = number,

#define KGR_ENUM_PREFIX(name)	KGR_MODEL_##name
enum kgr_model {
	KGR_MODELS(KGR_ENUM_ENTRY)
};
#undef KGR_ENUM_PREFIX

#define KGR_ENUM_PREFIX(name)	KGR_ON_TIMEOUT_##name
enum kgr_on_timeout {
	KGR_ON_TIMEOUTS(KGR_ENUM_ENTRY)
};
#undef KGR_ENUM_PREFIX

#define KGR_ENUM_PREFIX(name)	KGR_PATCH_##name
enum kgr_patch_state {
	KGR_PATCH_STATES(KGR_ENUM_ENTRY)
};
#undef KGR_ENUM_PREFIX

#define KGR_ENUM_PREFIX(name)	KGR_LATE_##name
enum kgr_late_kind {
	KGR_LATE_KINDS(KGR_ENUM_ENTRY)
};
#undef KGR_ENUM_PREFIX
#undef KGR_ENUM_ENTRY

#endif /* _LINUX_KGRAFT_TYPES_H */
