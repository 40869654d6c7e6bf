// SPDX-License-Identifier: GPL-2.0
/* What a section is to the kernel: one table, and nothing is guessed */
#include <elf.h>

#include "special.h"

/*
 * Names as in the object file.  "x*" stands for everything that starts with x;
 * the first entry that fits counts.
 */
#define IS(pattern, c)			{ .name = pattern, .cls = SECT_##c }
#define TABLE(pattern, size, what)	\
	{ .name = pattern, .cls = SECT_TABLE, .entsize = size, .use = what }

static const struct sect_kind kinds[] = {
	/* The key of each of these stands at the start of the entry */
	TABLE("__bug_table", 12, TABLE_COPY),
	TABLE("__ex_table", 12, TABLE_COPY),
	TABLE(".altinstructions", 14, TABLE_COPY),
	TABLE("__jump_table", 16, TABLE_COPY),
	TABLE(".smp_locks", 4, TABLE_COPY),
	TABLE("__mcount_loc", 8, TABLE_COPY),
	TABLE("_kprobe_blacklist", 8, TABLE_COPY),
	TABLE(".discard.reachable", 4, TABLE_COPY),
	TABLE(".discard.unreachable", 4, TABLE_COPY),
	TABLE(".discard.noendbr", 4, TABLE_COPY),
	TABLE(".discard.retpoline_safe", 4, TABLE_COPY),
	TABLE(".discard.instr_begin", 4, TABLE_COPY),
	TABLE(".discard.instr_end", 4, TABLE_COPY),
	TABLE(".discard.ignore_alts", 4, TABLE_COPY),
	TABLE(".discard.intra_function_calls", 4, TABLE_COPY),
	TABLE(".discard.validate_unret", 4, TABLE_COPY),
	TABLE(".discard.unwind_hints", 12, TABLE_COPY),
	TABLE(".discard.annotate_insn", 8, TABLE_COPY),
	TABLE(".discard.ibt_endbr_noseal", 8, TABLE_COPY),
	TABLE(".discard.func_stack_frame_non_standard", 8, TABLE_COPY),
	TABLE("runtime_ptr_*", 4, TABLE_RUNTIME_PTR),
	TABLE("runtime_shift_*", 4, TABLE_RUNTIME_SHIFT),

	IS(".altinstr_replacement", PIECE),
	IS(".altinstr_aux", PIECE),

	/*
	 * Left out of a module: lists of vmlinux's own functions, which stay what
	 * they are; an index of messages; what objtool will make for the module.
	 */
	IS("_error_injection_whitelist", DROP),
	IS("__patchable_function_entries", DROP),
	IS(".printk_index", DROP),
	IS(".discard.addressable", DROP),
	IS(".orc_*", DROP),
	IS(".return_sites", DROP),
	IS(".retpoline_sites", DROP),
	IS(".call_sites", DROP),
	IS(".static_call_sites", DROP),
	IS(".ibt_endbr_seal", DROP),
	IS(".note.gnu.property", DROP),
	IS(".eh_frame", DROP),

	IS(".export_symbol", EXPORT),
	IS("___ksymtab*", EXPORT),
	IS("___kcrctab*", EXPORT),
	IS("__ksymtab*", EXPORT),

	IS(".init.*", BOOT),
	IS(".exit.*", BOOT),
	IS(".head.text", BOOT),
	IS(".bss..brk", BOOT),
	IS(".meminit.*", BOOT),

	IS(".initcall*", REGISTER),
	IS(".exitcall*", REGISTER),
	IS(".con_initcall.init", REGISTER),
	IS(".modinfo", REGISTER),
	IS("__param", REGISTER),
	IS("__modver", REGISTER),
	IS("__tracepoints*", REGISTER),
	IS("_ftrace_events", REGISTER),
	IS("_ftrace_eval_map", REGISTER),
	IS("__bpf_raw_tp_map", REGISTER),
	IS("__syscalls_metadata", REGISTER),
	IS(".static_call.text", REGISTER),
	IS(".static_call_tramp_key", REGISTER),
	IS(".BTF_ids", REGISTER),
	IS(".pci_fixup*", REGISTER),
	IS(".x86_cpu_dev.init", REGISTER),
	IS(".x86_intel_mid_dev.init", REGISTER),
	IS(".apicdrivers", REGISTER),
	IS(".iommu_table", REGISTER),
	IS("__earlycon_table", REGISTER),
	IS("___srcu_struct_ptrs", REGISTER),
	IS(".kunit*", REGISTER),
	IS(".note.*", REGISTER),
	IS(".builtin_fw", REGISTER),

	IS("__dyndbg", DATA),
	IS("__dyndbg_classes", REGISTER),
	IS("__tracepoint_str", DATA),
	IS("__trace_printk_fmt", DATA),
	IS("__*_sched_class", CONST),
	IS(".ref.data", DATA),
	IS(".data.rel.ro*", CONST),
	IS(".data*", DATA),
	IS(".bss*", DATA),
	IS(".vvar*", DATA),
	IS(".rodata*", CONST),

	IS(".text*", TEXT),
	IS(".ref.text", TEXT),
	IS(".sched.text", TEXT),
	IS(".spinlock.text", TEXT),
	IS(".cpuidle.text", TEXT),
	IS(".kprobes.text", TEXT),
	IS(".noinstr.text", TEXT),
	IS(".entry.text", TEXT),
	IS(".irqentry.text", TEXT),
	IS(".softirqentry.text", TEXT),
};

static const struct sect_kind pool = IS("(pool)", POOL);
static const struct sect_kind unknown = IS("(unknown)", UNKNOWN);

static bool fits(const char *pattern, const char *name)
{
	const char *star = strchr(pattern, '*');
	size_t n;

	if (!star)
		return !strcmp(pattern, name);
	n = star - pattern;
	return !strncmp(pattern, name, n) && (!star[1] || str_ends(name + n, star + 1));
}

const struct sect_kind *section_kind(const struct sect *s)
{
	bool wanted = (s->flags & SHF_ALLOC) || str_starts(s->name, ".discard.");

	if (!wanted || s->type == SHT_SYMTAB || s->type == SHT_STRTAB || s->type == SHT_RELA)
		return NULL;
	if (s->flags & SHF_MERGE)
		return &pool;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (fits(kinds[i].name, s->name))
			return &kinds[i];
	return &unknown;
}

/*
 * -ffunction-sections and -fdata-sections append ".name" to these; anything else
 * was asked for in the source and is kept.  ".data..x" is such a thing.
 */
char *section_out_name(struct arena *a, const struct sect *s)
{
	static const char * const bases[] = {
		".text.unlikely", ".text.hot", ".text", ".data.rel.ro.local", ".data.rel.ro",
		".data.rel.local", ".data.rel", ".data", ".bss", ".rodata",
	};

	for (size_t i = 0; i < ARRAY_SIZE(bases); i++) {
		size_t n = strlen(bases[i]);

		if (!strncmp(s->name, bases[i], n) && (!s->name[n] || s->name[n] == '.') &&
		    s->name[n + !!s->name[n]] != '.')
			return arena_strdup(a, bases[i]);
	}
	if (s->flags & SHF_MERGE)
		return arena_strdup(a, ".rodata");
	return arena_strdup(a, s->name);
}
