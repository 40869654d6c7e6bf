// SPDX-License-Identifier: GPL-2.0
/* Why a function, or anything else, is in the module, or isn't */
#include <elf.h>

#include "arch/x86/insn.h"
#include "compare.h"
#include "explain.h"
#include "names.h"
#include "resolve.h"
#include "special.h"

#define MAX_USERS	8

static bool is_meant(struct arena *a, const struct atom *at, const char *name)
{
	return at->sym && (!strcmp(at->sym->name, name) ||
			   !strcmp(name_source(a, at->sym->name), name));
}

/* Instruction at @pos of @a as objdump has it, with what it refers to */
static const char *instruction(struct kgr_build *b, const char *path, const struct atom *a,
			       uint64_t pos)
{
	uint64_t from = a->off + pos;
	struct insn insn;
	char *line, *log;
	struct buf out = { .arena = &b->arena };
	char *argv[] = {
		"objdump", "-drw", "--no-show-raw-insn", "--no-addresses", "-j",
		(char *)a->sect->name,
		arena_printf(&b->arena, "--start-address=%llu", (unsigned long long)from), NULL,
		(char *)path, NULL
	};
	struct cmd cmd = { .argv = argv };

	if (pos >= a->size)
		return "(it ends)";
	if (insn_decode(a->data + pos, a->size - pos, &insn) || !find_program(&b->arena, "objdump"))
		return "?";
	argv[7] = arena_printf(&b->arena, "--stop-address=%llu",
			       (unsigned long long)from + insn.len);
	if (run_one(&b->diag, &cmd) || !cmd_ok(&cmd))
		return "?";
	buf_puts(&out, "");
	log = arena_strdup(&b->arena, cmd.output);
	while ((line = strsep(&log, "\n")))
		if (*line == '\t')
			buf_printf(&out, "%s%s", out.n ? "  " : "", line + strspn(line, "\t "));
	for (char *p = out.s; *p; p++)
		if (*p == '\t')
			*p = ' ';
	return out.s;
}

static void first_difference(struct kgr_build *b, const struct unit *u, struct atom *a,
			     struct buf *out)
{
	uint64_t at;

	if (!atom_is_code(a) || !code_differs_at(a->twin, a, &at))
		return;
	buf_printf(out, "  first:    at +0x%llx\n            before: %s\n            now:    %s\n",
		   (unsigned long long)(at - a->entry),
		   instruction(b, u->orig_path, a->twin, at),
		   instruction(b, u->patched_path, a, at));
}

/* Why it's in the module: a chain that ends with a function that changes */
static void pulled_in(const struct atom *a, struct buf *out)
{
	if (!a->included) {
		buf_puts(out, a->twin ? "  module:   no: the one in the kernel is referred to\n" :
			 "  module:   no: nothing that changes needs it\n");
		return;
	}
	if (!a->pulled_by) {
		buf_puts(out, "  module:   yes: it takes the place of the original\n");
		return;
	}
	buf_puts(out, "  module:   yes: needed");
	for (const struct atom *by = a->pulled_by; by; by = by->pulled_by)
		buf_printf(out, " by %s%s", *atom_name(by) ? atom_name(by) : by->sect->name,
			   by->pulled_by ? "," : "\n");
}

static void users(const struct obj *o, const struct atom *a, struct buf *out)
{
	unsigned int n = 0;

	for (size_t i = 0; i < o->syms.n; i++) {
		const struct atom *from = o->syms.v[i]->atom;
		bool uses = false;

		if (!from || from->sym != o->syms.v[i] || from == a)
			continue;
		for (size_t k = 0; k < from->refs.n; k++)
			uses |= from->refs.v[k].target == a;
		if (uses && ++n <= MAX_USERS)
			buf_printf(out, "%s%s", n == 1 ? "  used by:  " : ", ", atom_name(from));
	}
	if (n)
		buf_printf(out, "%s\n", n > MAX_USERS ? ", and more" : "");
}

static void one(struct kgr_build *b, const struct unit *u, struct atom *a, struct buf *out)
{
	static const char * const states[] = {
		[ATOM_UNKNOWN] = "not compared", [ATOM_SAME] = "unchanged",
		[ATOM_CHANGED] = "changed", [ATOM_NEW] = "new",
	};
	bool gone = a->obj == u->orig;

	buf_printf(out, "%s  %s, %s", atom_name(a), atom_is_code(a) ? "function" : "data",
		   u->object->path);
	if (a->file)
		buf_printf(out, ", %s:%u", a->file, a->line);
	buf_printf(out, "\n  twin:     %s%s%s\n", a->twin ? atom_name(a->twin) : "none",
		   a->twin ? ": " : "", a->twin ? pairing_text(a->paired) : "");
	if (gone) {
		buf_puts(out, "  state:    gone: the patched source has nothing that it could be\n");
		return;
	}
	buf_printf(out, "  state:    %s%s%s\n", states[a->state], a->reason ? ": " : "",
		   a->reason ? a->reason : "");
	if (a->state == ATOM_CHANGED)
		first_difference(b, u, a, out);
	pulled_in(a, out);
	users(u->patched, a, out);
}

static unsigned int in_object(struct kgr_build *b, const struct unit *u, const struct obj *o,
			      const char *name, struct buf *out)
{
	unsigned int n = 0;

	for (size_t i = 0; o && i < o->syms.n; i++) {
		struct atom *a = o->syms.v[i]->atom;

		if (!a || a->sym != o->syms.v[i] || !is_meant(&b->arena, a, name) ||
		    (o == u->orig && a->twin))
			continue;
		one(b, u, a, out);
		n++;
	}
	return n;
}

void explain(struct kgr_build *b, const char *name, struct buf *out)
{
	unsigned int n = 0;
	struct unit *u;

	vec_each(u, &b->units) {
		n += in_object(b, u, u->patched, name, out);
		n += in_object(b, u, u->orig, name, out);
	}
	if (!n)
		buf_printf(out, "%s  in none of the objects that were taken apart: inlined everywhere, or in an object that stays the same\n",
			   name);
}
