// SPDX-License-Identifier: GPL-2.0
/*
 * autoload: what a boot does, and the two moments that tell the guard how a boot
 * has gone.
 */
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "child.h"
#include "guard.h"
#include "mode.h"
#include "out.h"
#include "proc.h"
#include "store.h"
#include "sysfs.h"
#include "wait.h"

struct autoload {
	struct kgr_ctx *ctx;
	const struct kgr_store *store;
	char seconds[32];	/* --timeout of each load */
	int64_t limit_ms;	/* and when we give it up */
	json_t *rows;
	json_int_t loaded, pending, held, failed;
};

/* What becomes of a patch: a word, and ctx->diag if there is something to explain */
static void add_row(struct autoload *a, const struct kgr_store_patch *patch, const char *result,
		    enum kgr_guard_state guard)
{
	struct kgr_diag *diag = &a->ctx->diag;

	json_array_append_new(a->rows, json_pack("{s:o,s:s,s:s,s:b,s:o}",
						 "name", kgr_json_str(patch->name),
						 "result", result,
						 "guard", kgr_guard_word(guard),
						 "initramfs", patch->initramfs,
						 "error", diag->what ? kgr_diag_json(diag) :
								       json_null()));
	kgr_diag_reset(diag);
}

static void add_failure(struct autoload *a, const struct kgr_store_patch *patch,
			enum kgr_guard_state guard)
{
	a->failed++;
	add_row(a, patch, "failed", guard);
}

/* The last patch's transition may take longer than was waited for it */
static enum kgr_exit wait_for_others(struct autoload *a)
{
	const char *argv[] = { "wait", "--json", "--timeout", a->seconds, NULL };
	json_t *doc;
	enum kgr_exit ret = kgr_child_run(a->ctx, argv, a->limit_ms, &doc);

	if (ret)
		ret = kgr_child_failed(a->ctx, ret, doc);
	json_decref(doc);
	return ret;
}

static void load(struct autoload *a, const struct kgr_store_patch *patch,
		 const struct kgr_guard *guard, struct kgr_trial *trial)
{
	struct kgr_ctx *ctx = a->ctx;
	char *path = kgr_store_path(a->store, patch);
	const char *argv[] = { "load", "--json", "--timeout", a->seconds, path, NULL };
	enum kgr_guard_state state = trial->name ? KGR_GUARD_TRYING : guard->state;
	const char *result = NULL;
	json_t *doc = NULL;
	bool there, stuck = false;
	enum kgr_exit ret = wait_for_others(a);

	if (!ret) {
		ret = kgr_child_run(ctx, argv, a->limit_ms, &doc);
		stuck = !doc;
		if (ret)
			ret = kgr_child_failed(ctx, ret, doc);
		else
			result = json_string_value(json_object_get(doc, "result"));
	}
	there = kgr_sysfs_module_loaded(ctx, patch->name);
	/* who is stuck in the kernel may still get it in */
	if (there || stuck)
		kgr_guard_end(trial);
	else
		kgr_guard_undo(ctx, trial);
	if (!ret && result) {
		a->loaded++;
		add_row(a, patch, result, state);
	} else if (ret == KGR_EXIT_TIMEOUT && there) {
		a->pending++;
		add_row(a, patch, "applying", state);
	} else {
		add_failure(a, patch, there || stuck ? state : guard->state);
	}
	json_decref(doc);
	free(path);
}

static enum kgr_exit damaged_file(struct kgr_ctx *ctx, const struct kgr_store *s,
				  const struct kgr_store_patch *patch)
{
	enum kgr_exit ret = kgr_fail(ctx, KGR_EXIT_FAIL, "the file of %s is missing or damaged",
				     patch->name);

	kgr_why(ctx, "%s/%s is not what was installed", s->dir, patch->file);
	kgr_next(ctx, "kgr-ctl install its module once more");
	return ret;
}

/* Why not try it?  KGR_EXIT_OK: it is recorded, or so good that it need not be */
static enum kgr_exit begin(struct autoload *a, const struct kgr_store_patch *patch,
			   const struct kgr_guard *guard, struct kgr_trial *trial)
{
	struct kgr_ctx *ctx = a->ctx;
	enum kgr_exit ret;

	if (!kgr_store_intact(a->store, patch))
		return damaged_file(ctx, a->store, patch);
	ret = kgr_guard_begin(ctx, a->store->release, patch->name, trial);
	if (!ret || guard->state != KGR_GUARD_GOOD)
		return ret;
	kgr_diag_reset(&ctx->diag);
	return KGR_EXIT_OK;
}

static void try_one(struct autoload *a, const struct kgr_store_patch *patch)
{
	struct kgr_ctx *ctx = a->ctx;
	struct kgr_trial trial = { 0 };
	struct kgr_guard guard;
	enum kgr_exit ret = KGR_EXIT_OK;

	if (kgr_opt(ctx, KGR_OPT_RETRY))
		ret = kgr_guard_forget(ctx, a->store->release, patch->name);
	if (!ret)
		ret = kgr_guard_read(ctx, a->store, patch, &guard);
	if (ret) {
		add_failure(a, patch, KGR_GUARD_UNTRIED);
	} else if (kgr_guard_holds_back(&guard)) {
		kgr_guard_explain(ctx, a->store, patch, &guard);
		a->held++;
		add_row(a, patch, "held-back", guard.state);
	} else if (!begin(a, patch, &guard, &trial)) {
		load(a, patch, &guard, &trial);
	} else if (kgr_opt(ctx, KGR_OPT_INITRAMFS)) {
		/* mounted read-only still; the boot itself comes next */
		kgr_diag_reset(&ctx->diag);
		add_row(a, patch, "left-to-boot", guard.state);
	} else {
		add_failure(a, patch, guard.state);
	}
}

static void autoload_text(struct kgr_ctx *ctx, const json_t *doc)
{
	const char *skipped = json_string_value(json_object_get(doc, "skipped"));
	json_t *row;
	size_t i;

	json_array_foreach(json_object_get(doc, "patches"), i, row) {
		const json_t *error = json_object_get(row, "error");
		const char *what = json_string_value(json_object_get(error, "what"));

		fprintf(ctx->out, "%s: %s%s", json_string_value(json_object_get(row, "name")),
			json_string_value(json_object_get(row, "result")), what ? ": " : "");
		kgr_put_clean(ctx->out, what ? what : "");
		fputc('\n', ctx->out);
		kgr_put_reasons(ctx->out, error);
	}
	if (skipped)
		fprintf(ctx->out, "nothing was loaded: %s\n", skipped);
	else if (!i)
		fprintf(ctx->out, "nothing is installed for %s\n",
			json_string_value(json_object_get(doc, "release")));
	else
		fprintf(ctx->out, "%lld of %zu applied, %lld on the way, %lld held back, %lld failed\n",
			(long long)json_integer_value(json_object_get(doc, "applied")), i,
			(long long)json_integer_value(json_object_get(doc, "applying")),
			(long long)json_integer_value(json_object_get(doc, "held_back")),
			(long long)json_integer_value(json_object_get(doc, "failed")));
}

static enum kgr_exit show(struct autoload *a, const char *skipped)
{
	struct kgr_ctx *ctx = a->ctx;
	json_t *row;
	size_t i;
	enum kgr_exit ret = kgr_show(ctx, json_pack("{s:o,s:o,s:I,s:I,s:I,s:I,s:O}",
						    "release", kgr_json_str(a->store->release),
						    "skipped", kgr_json_str_or_null(skipped),
						    "applied", a->loaded,
						    "applying", a->pending,
						    "held_back", a->held,
						    "failed", a->failed,
						    "patches", a->rows),
				     autoload_text);

	if (ret)
		return ret;
	if (!a->failed && !a->held)
		return a->pending ? KGR_EXIT_TIMEOUT : KGR_EXIT_OK;
	if (ctx->quiet) {
		kgr_fail(ctx, KGR_EXIT_FAIL, "%lld held back, %lld failed", (long long)a->held,
			 (long long)a->failed);
		json_array_foreach(a->rows, i, row) {
			const json_t *error = json_object_get(row, "error");

			if (json_is_object(error))
				kgr_why(ctx, "%s", json_string_value(json_object_get(error, "what")));
		}
		kgr_next(ctx, "kgr-ctl status (which, why, and what to do)");
	}
	return KGR_EXIT_FAIL;
}

/* Why nothing is to be loaded at all, to be freed; NULL: no reason */
static char *skip_reason(struct kgr_ctx *ctx, const struct kgr_host *host)
{
	if (host->mode != KGR_MODE_NORMAL)
		return kgr_asprintf("this host's mode is '%s' (kgr-ctl mode normal changes that)",
				    kgr_mode_word(host->mode));
	if (kgr_proc_booted_with(ctx, KGR_BOOT_OFF))
		return strdup(KGR_BOOT_OFF " is on the kernel's command line");
	return NULL;
}

static enum kgr_exit autoload(struct kgr_ctx *ctx, const struct kgr_store *store,
			      const struct kgr_store_patch *only)
{
	struct autoload a = { .ctx = ctx, .store = store, .rows = json_array() };
	struct kgr_host host;
	enum kgr_exit ret = kgr_mode_read(ctx, &host);
	char *skipped = NULL;

	snprintf(a.seconds, sizeof(a.seconds), "%.3f", ctx->opts.timeout_ms / 1000.0);
	a.limit_ms = ctx->opts.timeout_ms + KGR_CHILD_MORE_MS;
	if (!ret)
		skipped = skip_reason(ctx, &host);
	if (!ret && !skipped && store->n)
		ret = kgr_sysfs_present(ctx);
	for (size_t i = 0; !ret && !skipped && i < store->n; i++) {
		const struct kgr_store_patch *patch = &store->v[i];

		if ((!only || patch == only) &&
		    (patch->initramfs || !kgr_opt(ctx, KGR_OPT_INITRAMFS)))
			try_one(&a, patch);
	}
	if (!ret)
		ret = show(&a, skipped);
	json_decref(a.rows);
	free(skipped);
	return ret;
}

static void settled_text(struct kgr_ctx *ctx, const json_t *doc)
{
	json_t *name;
	size_t i;

	json_array_foreach(json_object_get(doc, "good"), i, name)
		fprintf(ctx->out, "%s: good, the machine has stayed up long enough\n",
			json_string_value(name));
}

static enum kgr_exit confirm(struct kgr_ctx *ctx, const char *release)
{
	int64_t end = ctx->opts.timeout_ms + kgr_monotonic_ms(), next;
	bool endless = !kgr_opt(ctx, KGR_OPT_TIMEOUT) || !ctx->opts.timeout_ms;
	json_t *good = json_array();
	enum kgr_exit ret;

	for (;;) {
		ret = kgr_guard_settle(ctx, release, kgr_opt(ctx, KGR_OPT_SHUTDOWN), &next, good);
		if (ret || next < 0)
			break;
		if (!endless && kgr_monotonic_ms() + next > end) {
			ret = kgr_fail(ctx, KGR_EXIT_TIMEOUT,
				       "patches are still being tried, for %lld seconds more",
				       (long long)(next + 999) / 1000);
			break;
		}
		poll(NULL, 0, next > INT32_MAX ? INT32_MAX : (int)next);
	}
	if (!ret)
		ret = kgr_show(ctx, json_pack("{s:s,s:O}", "release", release, "good", good),
			       settled_text);
	json_decref(good);
	return ret;
}

enum kgr_exit kgr_cmd_autoload(struct kgr_ctx *ctx)
{
	const char *name = ctx->opts.argc ? ctx->opts.argv[0] : NULL;
	struct kgr_store_patch *only = NULL;
	struct kgr_store s;
	enum kgr_exit ret;
	char release[256];

	kgr_proc_release(ctx, release, sizeof(release));
	if (kgr_opt(ctx, KGR_OPT_CONFIRM | KGR_OPT_SHUTDOWN))
		return name ? kgr_fail(ctx, KGR_EXIT_USAGE, "operand '%s' is one too many", name) :
			      confirm(ctx, release);
	if (kgr_opt(ctx, KGR_OPT_RETRY) && !name)
		return kgr_fail(ctx, KGR_EXIT_USAGE, "'--retry' needs the name of a patch");
	if (!ctx->opts.timeout_ms)
		return kgr_fail(ctx, KGR_EXIT_USAGE, "'autoload' needs a '--timeout' other than 0");
	ret = kgr_store_read(ctx, release, &s);
	if (ret)
		return ret;
	if (name)
		only = kgr_store_find(&s, name);
	if (name && !only) {
		ret = kgr_fail(ctx, KGR_EXIT_NOTFOUND, "no patch '%s' is installed for %s", name,
			       release);
		kgr_next(ctx, "kgr-ctl install its module");
	} else {
		ret = autoload(ctx, &s, only);
	}
	kgr_store_close(&s);
	return ret;
}
