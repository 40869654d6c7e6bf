// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "out.h"
#include "sysfs.h"
#include "target.h"

/* What the handlers are that decide where a function continues */
static const struct {
	const char *handler;
	const char *who;
} handlers[] = {
	{ "klp_ftrace_handler", "a livepatch" },
	{ "kprobe_ftrace_handler", "a kprobe with a post_handler, or fail_function" },
	{ "arch_ftrace_ops_list_func", "one of several users of ftrace" },
};

bool kgr_entry_is_ours(const struct kgr_entry *e)
{
	return e->jumps || (e->to && !strcmp(e->to, "kgr_ftrace_handler"));
}

char *kgr_entry_holder(const struct kgr_entry *e)
{
	if (!e->to)
		return strdup("another user of ftrace");
	for (size_t i = 0; i < ARRAY_SIZE(handlers); i++)
		if (!strcmp(e->to, handlers[i].handler))
			return kgr_asprintf("%s (%s)", handlers[i].who, e->to);
	return kgr_asprintf("%s%s%s", e->to, e->to_module ? " of module " : "",
			    e->to_module ? e->to_module : "");
}

static bool same_function(const struct kgr_target *f, const struct kgr_patch_func *other)
{
	/* position 0 and 1 are the same unless there are several */
	return !strcmp(f->name, other->name) && !strcmp(f->object, other->object) &&
	       (f->sympos == other->sympos || (f->sympos < 2 && other->sympos < 2));
}

static void find_patches(struct kgr_target *f, const struct kgr_patch_list *patches)
{
	for (size_t i = 0; i < patches->n; i++) {
		const struct kgr_patch *p = &patches->v[i];

		for (size_t j = 0; (p->enabled || p->transition) && j < p->func_count; j++) {
			if (!same_function(f, &p->funcs[j]))
				continue;
			json_array_append_new(f->patches, kgr_json_str(p->name));
			break;
		}
	}
}

static void find_holders(struct kgr_ctx *ctx, struct kgr_target *f)
{
	char *text;

	f->holders = kgr_sysfs_livepatches(ctx, f->object, f->name, f->sympos);
	if (json_array_size(f->holders) || !f->entry.decided || kgr_entry_is_ours(&f->entry) ||
	    json_array_size(f->patches))
		return;
	/* ftrace does not tell which of several functions of that name it is */
	if (f->sympos) {
		f->maybe_held = true;
		return;
	}
	text = kgr_entry_holder(&f->entry);
	json_array_append_new(f->holders, kgr_json_str(text));
	free(text);
}

/* Calls @look for the entries of all, which tracefs.c wants in one array */
static int look_at_entries(struct kgr_ctx *ctx, struct kgr_targets *t,
			   int (*look)(struct kgr_ctx *, struct kgr_entry *, size_t))
{
	struct kgr_entry *entries = calloc(t->n + 1, sizeof(*entries));
	int ret;

	if (!entries)
		return -ENOMEM;
	for (size_t i = 0; i < t->n; i++)
		entries[i] = t->v[i].entry;
	ret = look(ctx, entries, t->n);
	for (size_t i = 0; i < t->n; i++)
		t->v[i].entry = entries[i];
	free(entries);
	return ret;
}

enum kgr_exit kgr_targets_init(struct kgr_ctx *ctx, struct kgr_targets *t,
			       const struct kgr_patch *funcs, const struct kgr_patch_list *patches)
{
	*t = (struct kgr_targets) { .n = funcs->func_count };
	t->v = calloc(t->n + 1, sizeof(*t->v));
	if (!t->v)
		return kgr_fail(ctx, KGR_EXIT_FAIL, "out of memory");
	for (size_t i = 0; i < t->n; i++) {
		const struct kgr_patch_func *fun = &funcs->funcs[i];

		t->v[i] = (struct kgr_target) {
			.name = fun->name, .object = fun->object, .sympos = fun->sympos,
			.waits = strcmp(fun->object, "vmlinux") &&
				 !kgr_sysfs_module_loaded(ctx, fun->object),
			.sym = { .name = fun->name, .object = fun->object, .sympos = fun->sympos },
			.entry = { .name = fun->name, .object = fun->object },
			.patches = json_array(),
		};
		find_patches(&t->v[i], patches);
	}
	t->users_err = look_at_entries(ctx, t, kgr_tracefs_users);
	for (size_t i = 0; i < t->n; i++)
		find_holders(ctx, &t->v[i]);
	t->symbols_err = -EAGAIN;
	t->sites_err = -EAGAIN;
	return KGR_EXIT_OK;
}

void kgr_targets_look_up(struct kgr_ctx *ctx, struct kgr_targets *t)
{
	struct kgr_ksym *syms = calloc(t->n + 1, sizeof(*syms));

	if (!syms)
		return;
	for (size_t i = 0; i < t->n; i++)
		syms[i] = t->v[i].sym;
	t->symbols_err = kgr_kallsyms(ctx, syms, t->n);
	for (size_t i = 0; i < t->n; i++) {
		t->v[i].sym = syms[i];
		t->v[i].entry.addr = kgr_ksym_addr(&syms[i]);
	}
	free(syms);
	t->sites_err = look_at_entries(ctx, t, kgr_tracefs_sites);
}

void kgr_targets_free(struct kgr_targets *t)
{
	for (size_t i = 0; i < t->n; i++) {
		kgr_kallsyms_free(&t->v[i].sym, 1);
		kgr_entry_free(&t->v[i].entry);
		json_decref(t->v[i].patches);
		json_decref(t->v[i].holders);
	}
	free(t->v);
	*t = (struct kgr_targets) { 0 };
}

const char *kgr_target_status(const struct kgr_targets *t, const struct kgr_target *f)
{
	if (f->waits)
		return "not-loaded";
	if (!t->symbols_err) {
		if (!f->sym.count)
			return "missing";
		if (!f->sympos && f->sym.count > 1)
			return "ambiguous";
		if ((size_t)f->sympos > f->sym.count)
			return "out-of-bounds";
	}
	if (!t->sites_err && !f->entry.site)
		return "no-entry";
	if (json_array_size(f->holders))
		return "held";
	return t->symbols_err || t->sites_err || t->users_err ? "unknown" : "ok";
}

bool kgr_target_is_shared(const struct kgr_targets *t, const struct kgr_target *f)
{
	return f->entry.users && !(f->entry.users == 1 && kgr_entry_is_ours(&f->entry)) &&
	       !strcmp(kgr_target_status(t, f), "ok");
}

/* What will stand at its entry */
static json_t *redirect_json(const struct kgr_targets *t, const struct kgr_target *f)
{
	if (strcmp(kgr_target_status(t, f), "ok"))
		return json_null();
	return json_string(kgr_target_is_shared(t, f) ? "handler" : "jmp");
}

json_t *kgr_targets_json(const struct kgr_targets *t)
{
	json_t *rows = json_array();

	for (size_t i = 0; i < t->n; i++) {
		const struct kgr_target *f = &t->v[i];

		json_array_append_new(rows,
			json_pack("{s:o,s:o,s:I,s:s,s:o,s:o,s:O,s:O,s:i}",
				  "name", kgr_json_str(f->name),
				  "object", kgr_json_str(f->object),
				  "sympos", (json_int_t)f->sympos,
				  "status", kgr_target_status(t, f),
				  "redirect", redirect_json(t, f),
				  "users", t->users_err ? json_null() :
					   json_integer(f->entry.users),
				  "patches", f->patches, "held_by", f->holders,
				  "sleepers", (int)f->sleepers));
	}
	return rows;
}
