// SPDX-License-Identifier: GPL-2.0
/*
 * A patch's lifetime in memory, its state in one word, and its JSON form.
 */
#include <errno.h>
#include <linux/kgraft_types.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "kgr-ctl.h"
#include "out.h"
#include "patch.h"

#define STATE_ROW(name, number, text)	[number] = text,
static const char * const func_states[] = {
	KGR_PATCH_STATES(STATE_ROW)
};
#undef STATE_ROW

#define NUDGE_ROW(name)	#name,
static const char * const nudge_names[] = {
	KGR_NUDGES(NUDGE_ROW)
};
#undef NUDGE_ROW

int kgr_patch_add_func(struct kgr_patch *patch, const struct kgr_patch_func *f)
{
	struct kgr_patch_func *funcs = realloc(patch->funcs,
					       (patch->func_count + 1) * sizeof(*funcs));

	if (!funcs)
		return -ENOMEM;
	patch->funcs = funcs;
	funcs += patch->func_count++;
	*funcs = *f;
	funcs->name = strdup(f->name);
	funcs->object = strdup(f->object);
	funcs->redirect = f->redirect ? strdup(f->redirect) : NULL;
	return 0;
}

void kgr_patch_clear_funcs(struct kgr_patch *patch)
{
	for (size_t i = 0; i < patch->func_count; i++) {
		free(patch->funcs[i].name);
		free(patch->funcs[i].object);
		free(patch->funcs[i].redirect);
	}
	free(patch->funcs);
	patch->funcs = NULL;
	patch->func_count = 0;
}

void kgr_patch_free(struct kgr_patch *patch)
{
	free(patch->name);
	free(patch->module);
	free(patch->model);
	free(patch->cve);
	free(patch->build_id);
	free(patch->on_timeout);
	free(patch->reason);
	kgr_patch_clear_funcs(patch);
	*patch = (struct kgr_patch) { 0 };
}

void kgr_patch_list_free(struct kgr_patch_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		kgr_patch_free(&list->v[i]);
	free(list->v);
	*list = (struct kgr_patch_list) { 0 };
}

static int by_since(const void *a, const void *b)
{
	const struct kgr_patch *x = a, *y = b;

	if (x->since_ms != y->since_ms)
		return x->since_ms < y->since_ms ? -1 : 1;
	return strcmp(x->name, y->name);
}

/*
 * That is the order in which they stand on each other: one with others above it
 * can't be reverted, so it has no newer date.
 */
void kgr_patch_list_by_age(struct kgr_patch_list *list)
{
	if (list->n)
		qsort(list->v, list->n, sizeof(*list->v), by_since);
}

char *kgr_patch_list_effective(const struct kgr_patch_list *list, const char *release)
{
	char *effective = strdup(release), *longer;

	for (size_t i = 0; i < list->n; i++) {
		if (!list->v[i].enabled || list->v[i].transition)
			continue;
		longer = kgr_asprintf("%s+%s", effective, list->v[i].name);
		free(effective);
		effective = longer;
	}
	return effective;
}

const char *kgr_patch_state(const struct kgr_patch *patch)
{
	if (patch->transition)
		return patch->enabled ? "applying" : "reverting";
	return patch->enabled ? "applied" : "reverted";
}

bool kgr_patch_timed_out(const struct kgr_patch *patch)
{
	return patch->reason && !strncmp(patch->reason, "timed out", 9);
}

int64_t kgr_patch_left(const struct kgr_patch *patch)
{
	/* read one after the other while both grow */
	return patch->total > patch->migrated ? patch->total - patch->migrated : 0;
}

int64_t kgr_patch_age_ms(const struct kgr_patch *patch)
{
	struct timespec now;
	int64_t age;

	if (patch->since_ms < 0 || clock_gettime(CLOCK_REALTIME, &now))
		return -1;
	age = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 - patch->since_ms;
	return age < 0 ? 0 : age;
}

static json_t *int_or_null(int64_t value)
{
	return value < 0 ? json_null() : json_integer(value);
}

static json_t *bool_or_null(int64_t value)
{
	return value < 0 ? json_null() : json_boolean(value);
}

static json_t *funcs_json(const struct kgr_patch *patch)
{
	json_t *array = json_array();

	for (size_t i = 0; i < patch->func_count; i++) {
		const struct kgr_patch_func *f = &patch->funcs[i];
		bool known = f->state < (int64_t)ARRAY_SIZE(func_states);

		json_array_append_new(array,
			json_pack("{s:o,s:o,s:I,s:I,s:s,s:o}", "name", kgr_json_str(f->name),
				  "object", kgr_json_str(f->object),
				  "sympos", (json_int_t)f->sympos,
				  "state_number", (json_int_t)f->state,
				  "state", known ? func_states[f->state] : "unknown",
				  "redirect", kgr_json_str_or_null(f->redirect)));
	}
	return array;
}

static json_t *nudges_json(const struct kgr_patch *patch)
{
	json_t *obj = json_object();

	for (int i = 0; i < KGR_NUDGE_COUNT; i++)
		json_object_set_new(obj, nudge_names[i], int_or_null(patch->nudges[i]));
	return obj;
}

json_t *kgr_patch_json(const struct kgr_patch *p, bool with_functions)
{
	json_t *since = p->since_ms < 0 ? json_null() : json_real(p->since_ms / 1000.0);
	json_t *obj;

	obj = json_pack("{s:o,s:s,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}",
			"name", kgr_json_str(p->name),
			"state", kgr_patch_state(p),
			"enabled", json_boolean(p->enabled),
			"transition", json_boolean(p->transition),
			"model", kgr_json_str_or_null(p->model),
			"module", kgr_json_str_or_null(p->module),
			"cve", kgr_json_words(p->cve),
			"build_id", kgr_json_str_or_null(p->build_id),
			"refs", int_or_null(p->refs),
			"replace_all", bool_or_null(p->replace_all));
	json_object_set_new(obj, "since", since);
	json_object_set_new(obj, "age_ms", int_or_null(kgr_patch_age_ms(p)));
	json_object_set_new(obj, "migrated", int_or_null(p->migrated));
	json_object_set_new(obj, "total", int_or_null(p->total));
	json_object_set_new(obj, "timeout_ms", int_or_null(p->timeout_ms));
	json_object_set_new(obj, "on_timeout", kgr_json_str_or_null(p->on_timeout));
	json_object_set_new(obj, "reason", kgr_json_str_or_null(p->reason && *p->reason ?
								p->reason : NULL));
	json_object_set_new(obj, "stops", int_or_null(p->stops));
	json_object_set_new(obj, "stopped_us", int_or_null(p->stopped_us));
	json_object_set_new(obj, "forced", bool_or_null(p->forced));
	json_object_set_new(obj, "function_count", int_or_null(p->cut_off ? -1 :
							       (int64_t)p->func_count));
	if (with_functions) {
		json_object_set_new(obj, "nudges", nudges_json(p));
		json_object_set_new(obj, "functions", funcs_json(p));
	}
	return obj;
}
