// SPDX-License-Identifier: GPL-2.0
/* What a function does as far as its instructions tell */
#include <elf.h>

#include "arch/x86/insn.h"
#include "code.h"

bool code_is_schedule(const char *name)
{
	static const char * const names[] = {
		"schedule", "schedule_timeout", "schedule_timeout_interruptible",
		"schedule_timeout_killable", "schedule_timeout_uninterruptible",
		"schedule_timeout_idle", "schedule_hrtimeout", "schedule_hrtimeout_range",
		"schedule_preempt_disabled", "schedule_idle", "io_schedule", "io_schedule_timeout",
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(name, names[i]))
			return true;
	return false;
}

static const struct ref *ref_in(const struct atom *a, uint64_t from, uint64_t to)
{
	for (size_t i = 0; i < a->refs.n; i++)
		if (a->refs.v[i].off >= from && a->refs.v[i].off < to)
			return &a->refs.v[i];
	return NULL;
}

static const char *target_name(const struct ref *r)
{
	if (r->sym)
		return r->sym->name;
	return r->target && r->target->sym ? r->target->sym->name : "";
}

/* mov $symbol,%rdi, lea symbol(%rip),%rdi and lea offset(%reg),%rdi say what it is */
static char *first_argument(struct arena *a, const struct atom *fn, uint64_t pos,
			    const struct insn *i, char *before)
{
	const uint8_t *p = fn->data + pos, op = p[i->opcode_at], modrm = p[i->opcode_at + 1];
	const struct ref *r = ref_in(fn, pos, pos + i->len);

	if (op == 0xbf || (op == 0xc7 && modrm == 0xc7))
		return arena_strdup(a, r ? target_name(r) : "");
	if ((op != 0x8d && op != 0x89 && op != 0x8b) || i->len < 3)
		return before;
	if (op == 0x89)			/* mov %reg,%rdi */
		return (modrm & 0xc7) == 0xc7 ? arena_strdup(a, "") : before;
	if ((modrm & 0x38) != 0x38)
		return before;
	if (op == 0x8b || !i->disp_size)
		return arena_strdup(a, "");
	if (r)
		return arena_strdup(a, target_name(r));
	return arena_printf(a, "+%lld", (long long)insn_field(p, i->disp_at, i->disp_size));
}

static bool is_return(const uint8_t *p, const struct insn *i)
{
	return p[i->opcode_at] == 0xc3 || p[i->opcode_at] == 0xc2;
}

/* jmp *%reg, and jmp to a thunk for it */
static bool leaves(const struct atom *fn, const struct ref *r, const uint8_t *p,
		   const struct insn *i)
{
	if (p[i->opcode_at] == 0xff && (p[i->opcode_at + 1] & 0x38) == 0x20)
		return true;
	if (!i->branch || i->call || !r)
		return false;
	return !r->target || (r->target != fn && r->target->parent != fn &&
			      r->target != fn->parent);
}

static int64_t branch_to(const struct atom *fn, uint64_t pos, const struct ref *r,
			 const struct insn *i)
{
	if (r)
		return r->target == fn ? r->addend : -1;
	return pos + i->len + insn_field(fn->data + pos, i->imm_at, i->imm_size);
}

static void look(struct arena *a, const struct atom *fn, struct code_facts *out)
{
	char *argument = "";
	size_t first = out->calls.n;
	struct insn i;

	for (uint64_t pos = fn->entry; pos < fn->size; pos += i.len) {
		const uint8_t *p = fn->data + pos;
		const struct ref *r;
		struct code_call c = { .at = pos };

		if (insn_decode(p, fn->size - pos, &i))
			return;
		r = ref_in(fn, pos, pos + i.len);
		out->returns |= is_return(p, &i) || leaves(fn, r, p, &i);
		argument = first_argument(a, fn, pos, &i, argument);
		if (i.branch && !i.call)
			for (size_t k = first; k < out->calls.n; k++)
				if (code_is_schedule(out->calls.v[k].name) &&
				    branch_to(fn, pos, r, &i) >= 0 &&
				    branch_to(fn, pos, r, &i) <= (int64_t)out->calls.v[k].at)
					out->sleeps_in_loop = true;
		if (!i.branch || !r || (!i.call && !leaves(fn, r, p, &i)))
			continue;
		c.name = target_name(r);
		c.with = argument;
		c.jump = !i.call;
		if (*c.name)
			vec_push(a, &out->calls, c);
		argument = "";
	}
}

void code_look(struct arena *a, const struct atom *fn, struct code_facts *out)
{
	*out = (struct code_facts){ 0 };
	if (!fn->data)
		return;
	look(a, fn, out);
	if (fn->cold && fn->cold->data)
		look(a, fn->cold, out);
}
