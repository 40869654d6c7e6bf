// SPDX-License-Identifier: GPL-2.0
#include <linux/kgraft_types.h>
#include <stdlib.h>
#include <string.h>

#include "out.h"
#include "target.h"
#include "verify.h"

/* One function of one patch, and what is said of it in three places */
struct match {
	const struct kgr_patch *patch;
	const struct kgr_patch_func *func;
	const struct kgr_target *target;
	const struct kgr_patch *owner;	/* the newest patch in force that replaces it */
	bool moving;			/* a transition of one of its patches runs */
	bool asked_ftrace;
};

static bool state_fits(const struct match *m)
{
	switch (m->func->state) {
	case KGR_PATCH_SKIPPED:
		return strcmp(m->func->object, "vmlinux");
	case KGR_PATCH_SLOW:
		return m->patch->transition && m->patch->enabled;
	case KGR_PATCH_REVERT_SLOW:
		return m->patch->transition && !m->patch->enabled;
	case KGR_PATCH_APPLIED:
		return m->patch->enabled && !m->patch->transition;
	default:
		return !m->patch->enabled && !m->patch->transition;
	}
}

/* What does not match, to be freed; NULL: all does */
static char *mismatch(const struct match *m)
{
	const struct kgr_entry *e = &m->target->entry;
	const char *form = m->func->redirect;
	bool wanted = m->owner || m->moving;

	if (!state_fits(m))
		return kgr_asprintf("the patch is %s, but not this function",
				    kgr_patch_state(m->patch));
	if (!form || m->func->state == KGR_PATCH_SKIPPED)
		return NULL;
	if (wanted && !strcmp(form, "none"))
		return strdup("it is in force, but nothing stands at the entry");
	if (!wanted && strcmp(form, "none"))
		return kgr_asprintf("no patch is in force, but a redirect stands at the entry: %s",
				    form);
	if (!m->asked_ftrace || m->moving)
		return NULL;
	if (!strcmp(form, "jmp") && !e->jumps)
		return strdup("kGraft says that a jump stands at the entry, ftrace does not know of one");
	if (!strcmp(form, "handler") && (!e->decided || e->jumps))
		return strdup("kGraft says that a handler is called, ftrace does not know of one");
	if (!strcmp(form, "none") && e->jumps)
		return strdup("ftrace knows of a jump at the entry, kGraft does not");
	if (e->jumps && m->owner && m->owner->module &&
	    strcmp(e->to_module ? e->to_module : "", m->owner->module))
		return kgr_asprintf("the jump leads to %s%s%s instead of module %s",
				    e->to ? e->to : "?", e->to_module ? " of " : "",
				    e->to_module ? e->to_module : "", m->owner->module);
	return NULL;
}

static bool has(const struct kgr_patch *patch, const struct kgr_patch_func *f)
{
	for (size_t i = 0; i < patch->func_count; i++)
		if (!strcmp(patch->funcs[i].name, f->name) &&
		    !strcmp(patch->funcs[i].object, f->object) &&
		    patch->funcs[i].sympos == f->sympos)
			return true;
	return false;
}

static void find_owner(struct match *m, const struct kgr_patch_list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		const struct kgr_patch *p = &list->v[i];

		if (!has(p, m->func))
			continue;
		m->moving |= p->transition;
		if (p->enabled && (!m->owner || p->since_ms >= m->owner->since_ms))
			m->owner = p;
	}
}

static json_t *row(const struct match *m, const char *what)
{
	const struct kgr_entry *e = &m->target->entry;
	char *to = e->to ? kgr_asprintf("%s%s%s%s", e->to, e->to_module ? " [" : "",
					e->to_module ? e->to_module : "",
					e->to_module ? "]" : "") : NULL;
	json_t *obj = json_pack("{s:o,s:o,s:o,s:I,s:o,s:o,s:o,s:s,s:o}",
				"patch", kgr_json_str(m->patch->name),
				"name", kgr_json_str(m->func->name),
				"object", kgr_json_str(m->func->object),
				"sympos", (json_int_t)m->func->sympos,
				"owner", kgr_json_str_or_null(m->owner ? m->owner->name : NULL),
				"redirect", kgr_json_str_or_null(m->func->redirect),
				"entry", kgr_json_str_or_null(to),
				"result", what ? "failed" : "ok",
				"what", kgr_json_str_or_null(what));

	free(to);
	return obj;
}

static enum kgr_exit verify_patch(struct kgr_ctx *ctx, const struct kgr_patch_list *list,
				  const struct kgr_patch *patch, json_t *rows, size_t *wrong,
				  int *users_err)
{
	struct kgr_targets t;
	enum kgr_exit ret = kgr_targets_init(ctx, &t, patch, list);

	if (ret)
		return ret;
	*users_err = t.users_err;
	for (size_t i = 0; i < t.n; i++) {
		struct match m = {
			.patch = patch, .func = &patch->funcs[i], .target = &t.v[i],
			/* of several functions of one name it does not tell which is which */
			.asked_ftrace = !t.users_err && !patch->funcs[i].sympos,
		};
		char *what;

		find_owner(&m, list);
		what = mismatch(&m);
		*wrong += what != NULL;
		json_array_append_new(rows, row(&m, what));
		free(what);
	}
	kgr_targets_free(&t);
	return KGR_EXIT_OK;
}

enum kgr_exit kgr_verify(struct kgr_ctx *ctx, const struct kgr_patch_list *list,
			 const char *name, json_t **rows, size_t *wrong, int *users_err)
{
	enum kgr_exit ret = KGR_EXIT_OK;

	*rows = json_array();
	*wrong = 0;
	*users_err = 0;
	for (size_t i = 0; !ret && i < list->n; i++)
		if (!name || !strcmp(list->v[i].name, name))
			ret = verify_patch(ctx, list, &list->v[i], *rows, wrong, users_err);
	if (ret) {
		json_decref(*rows);
		*rows = NULL;
	}
	return ret;
}
