// SPDX-License-Identifier: GPL-2.0
/*
 * Who calls a function of vmlinux.  Its code is searched for branches that lead there,
 * at every byte and not instruction by instruction: what looks like one and isn't has
 * a chance of one in four billion for each byte.
 */
#include <elf.h>
#include <stdlib.h>

#include "callers.h"

#define MAX_LEVELS	4	/* of callers of callers */
#define MAX_SHOWN	5
#define MAX_LOOKED_AT	64	/* functions without a site, on the way up */

static int by_address(const void *a, const void *b)
{
	const struct vm_sym *x = *(struct vm_sym * const *)a, *y = *(struct vm_sym * const *)b;

	return x->addr < y->addr ? -1 : x->addr > y->addr;
}

static void sort_functions(struct symtab *st)
{
	for (size_t i = 0; i < st->by_name.cap; i++) {
		vmsymvec *list = st->by_name.slots[i].value;

		for (size_t k = 0; list && k < list->n; k++)
			if (list->v[k]->type == STT_FUNC && list->v[k]->size)
				vec_push(st->arena, &st->functions, list->v[k]);
	}
	if (st->functions.n)
		qsort(st->functions.v, st->functions.n, sizeof(*st->functions.v), by_address);
}

const struct vm_sym *callers_function(struct symtab *st, uint64_t addr)
{
	size_t lo = 0, hi;

	if (!st->functions.n)
		sort_functions(st);
	hi = st->functions.n;
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (st->functions.v[mid]->addr <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (; lo && addr - st->functions.v[lo - 1]->addr < st->functions.v[lo - 1]->size; lo--)
		return st->functions.v[lo - 1];
	return NULL;
}

static void add_caller(struct symtab *st, struct callers *out, uint64_t at)
{
	const struct vm_sym *s = callers_function(st, at);

	for (size_t i = 0; i < out->calls.n; i++)
		if (out->calls.v[i] == s)
			return;
	if (s)
		vec_push(st->arena, &out->calls, (struct vm_sym *)s);
}

static bool is_branch(const uint8_t *field, const uint8_t *start)
{
	return field > start && (field[-1] == 0xe8 || field[-1] == 0xe9 ||
		(field - start > 1 && field[-2] == 0x0f && (field[-1] & 0xf0) == 0x80));
}

/* lea disp(%rip),%reg */
static bool is_lea(const uint8_t *field, const uint8_t *start)
{
	return field - start > 1 && field[-2] == 0x8d && (field[-1] & 0xc7) == 0x05;
}

static void search_code(struct symtab *st, const struct sect *s, uint64_t target,
			struct callers *out)
{
	for (uint64_t i = 0; i + 4 <= s->size; i++) {
		const uint8_t *p = s->data + i;
		int32_t v;

		memcpy(&v, p, sizeof(v));
		if (s->addr + i + 4 + (int64_t)v == target) {
			if (is_branch(p, s->data))
				add_caller(st, out, s->addr + i);
			else if (is_lea(p, s->data))
				out->stored = true;
		} else if ((uint64_t)(int64_t)v == target) {
			out->stored = true;
		}
	}
}

static void search_data(const struct sect *s, uint64_t target, struct callers *out)
{
	uint64_t v;

	for (uint64_t i = -s->addr & 7; i + 8 <= s->size && !out->stored; i += 8) {
		memcpy(&v, s->data + i, sizeof(v));
		out->stored = v == target;
	}
}

/* Tables of the kernel about its own code: they list a function and don't call it */
static bool is_list(const struct symtab *st, const struct sect *s)
{
	static const char * const lists[] = {
		"__start_mcount_loc", "__start_kprobe_blacklist", "__start_error_injection_whitelist",
	};

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		const struct vm_sym *start = symtab_global(st, lists[i]);

		if (start && start->addr >= s->addr && start->addr < s->addr + s->size)
			return true;
	}
	return false;
}

/* A module isn't linked: its branches are what its relocations say */
static void search_relas(struct symtab *st, const struct sect *s, uint64_t target,
			 struct callers *out)
{
	for (size_t i = 0; i < s->relas.n; i++) {
		const struct rela *r = &s->relas.v[i];
		bool relative = r->type == R_X86_64_PC32 || r->type == R_X86_64_PLT32;

		if (!r->sym || !r->sym->sect || r->offset + 4 > s->size ||
		    r->sym->sect->addr + r->sym->value + r->addend + (relative ? 4 : 0) != target)
			continue;
		if (relative && is_branch(s->data + r->offset, s->data))
			add_caller(st, out, s->addr + r->offset);
		else
			out->stored = true;
	}
}

void callers_find(struct symtab *st, const struct vm_sym *target, struct callers *out)
{
	*out = (struct callers){ 0 };
	for (size_t i = 0; i < st->obj.sects.n; i++) {
		const struct sect *s = st->obj.sects.v[i];

		if (!(s->flags & SHF_ALLOC) || !s->data)
			continue;
		if (!st->objname && (s->flags & SHF_EXECINSTR))
			search_code(st, s, target->addr, out);
		if (st->objname && !str_starts(s->name, "__mcount_loc") &&
		    !str_starts(s->name, "__patchable_function_entries"))
			search_relas(st, s, target->addr, out);
		else if (!st->objname && !is_list(st, s))
			search_data(s, target->addr, out);
	}
}

static void show(struct buf *out, const vmsymvec *v)
{
	for (size_t i = 0; i < v->n && i < MAX_SHOWN; i++)
		buf_printf(out, "%s%s", i ? ", " : "", v->v[i]->name);
	if (v->n > MAX_SHOWN)
		buf_printf(out, " and %zu more", v->n - MAX_SHOWN);
}

char *callers_patchable(struct arena *a, struct symtab *st, const struct vm_sym *target)
{
	vmsymvec level = { 0 }, found = { 0 }, seen = { 0 };
	struct buf out = { .arena = a };

	buf_puts(&out, "");
	vec_push(a, &level, (struct vm_sym *)target);
	for (unsigned int n = 0; n < MAX_LEVELS && level.n && !found.n; n++) {
		vmsymvec next = { 0 };

		for (size_t i = 0; i < level.n && seen.n < MAX_LOOKED_AT; i++) {
			struct callers c;

			vec_push(a, &seen, level.v[i]);
			callers_find(st, level.v[i], &c);
			for (size_t k = 0; k < c.calls.n; k++) {
				bool again = c.calls.v[k] == target;

				for (size_t m = 0; m < seen.n; m++)
					again |= seen.v[m] == c.calls.v[k];
				if (again)
					continue;
				if (symtab_has_fentry(st, c.calls.v[k]))
					vec_push(a, &found, c.calls.v[k]);
				else
					vec_push(a, &next, c.calls.v[k]);
			}
		}
		level = next;
	}
	show(&out, &found);
	return out.s;
}
