// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "durable.h"
#include "guard.h"
#include "mode.h"
#include "out.h"
#include "readfile.h"
#include "sysfs.h"
#include "wait.h"

#define MARK		"trying"
#define RECORD_MAX	1024

enum { W_STATE, W_FILE, W_BOOT, W_TIME, W_UPTIME, W_PROVEN, W_END, W_COUNT };

#define STATE_ROW(name, word)	word,
static const char * const state_words[] = { KGR_GUARD_STATES(STATE_ROW) };
#undef STATE_ROW

const char *kgr_guard_word(enum kgr_guard_state state)
{
	return state_words[state];
}

static char *record_name(const char *name)
{
	return kgr_asprintf("%s.guard", name);
}

/* Its text as it is, to be freed; NULL: none */
static int read_record(const char *dir, const char *name, char **text)
{
	char *file = record_name(name), *path = kgr_asprintf("%s/%s", dir, file);
	char buf[RECORD_MAX];
	ssize_t len = kgr_read_file(path, buf, sizeof(buf));

	free(path);
	free(file);
	*text = len < 0 ? NULL : strdup(buf);
	return len < 0 && len != -ENOENT ? (int)len : 0;
}

static int write_record(const char *dir, const char *name, const char *text)
{
	char *file = record_name(name);
	int ret;

	if (text)
		ret = kgr_durable_write(dir, file, text, strlen(text));
	else
		ret = kgr_durable_unlink(dir, file);
	free(file);
	return ret;
}

static char *make_record(const struct kgr_guard *g, const char *file)
{
	return kgr_asprintf("%s %s %s %lld %lld %d end\n", kgr_guard_word(g->state), file, g->boot,
			    (long long)g->time_s, (long long)g->uptime_ms, g->proven);
}

static bool number(const char *s, int64_t *value)
{
	char *end;

	errno = 0;
	*value = strtoll(s, &end, 10);
	return !errno && !*end && *s >= '0' && *s <= '9';
}

/* False: it can't be read */
static bool parse(const char *text, const char *boot, const char *file, struct kgr_guard *g)
{
	size_t len = strlen(text);
	char *copy = strdup(text), *rest = copy, *word[W_COUNT] = { NULL };
	int64_t proven;
	bool ok = copy && len && text[len - 1] == '\n';

	if (ok)
		copy[len - 1] = 0;
	for (int i = 0; ok && i < W_COUNT; i++)
		ok = (word[i] = strsep(&rest, " "));
	ok = ok && !rest && !strcmp(word[W_END], "end") && kgr_proc_is_boot_id(word[W_BOOT]) &&
	     number(word[W_TIME], &g->time_s) && number(word[W_UPTIME], &g->uptime_ms) &&
	     number(word[W_PROVEN], &proven) && proven <= 1;
	if (!ok)
		goto out;
	memcpy(g->boot, word[W_BOOT], sizeof(g->boot));
	g->this_boot = !strcmp(g->boot, boot);
	g->proven = proven;
	if (strcmp(word[W_FILE], file))
		*g = (struct kgr_guard) { .state = KGR_GUARD_UNTRIED };
	else if (!strcmp(word[W_STATE], kgr_guard_word(KGR_GUARD_GOOD)))
		g->state = KGR_GUARD_GOOD;
	else if (!strcmp(word[W_STATE], kgr_guard_word(KGR_GUARD_TRYING)))
		g->state = g->this_boot ? KGR_GUARD_TRYING : KGR_GUARD_CRASHED;
	else
		ok = false;
	/* no time of this boot is later than now */
	if (ok && g->this_boot && g->uptime_ms > kgr_monotonic_ms())
		ok = false;
out:
	free(copy);
	return ok;
}

/* This boot's id */
static enum kgr_exit this_boot(struct kgr_ctx *ctx, char boot[KGR_BOOT_ID_LEN + 1])
{
	int err = -kgr_proc_boot_id(ctx, boot);
	enum kgr_exit ret;

	if (!err)
		return KGR_EXIT_OK;
	ret = kgr_fail(ctx, KGR_EXIT_FAIL, "this boot has no id: %s", strerror(err));
	kgr_why(ctx, "without %s/sys/kernel/random/boot_id nothing tells a crash from a boot that goes on",
		ctx->proc_root);
	kgr_next(ctx, "mount -t proc proc %s", ctx->proc_root);
	return ret;
}

enum kgr_exit kgr_guard_read(struct kgr_ctx *ctx, const struct kgr_store *s,
			     const struct kgr_store_patch *patch, struct kgr_guard *guard)
{
	char boot[KGR_BOOT_ID_LEN + 1], *text;
	enum kgr_exit ret = this_boot(ctx, boot);
	int err;

	*guard = (struct kgr_guard) { .state = KGR_GUARD_UNTRIED };
	if (ret)
		return ret;
	err = read_record(s->dir, patch->name, &text);
	if (err || (text && !parse(text, boot, patch->file, guard)))
		*guard = (struct kgr_guard) { .state = KGR_GUARD_DAMAGED };
	free(text);
	return KGR_EXIT_OK;
}

enum kgr_exit kgr_guard_explain(struct kgr_ctx *ctx, const struct kgr_store *s,
				const struct kgr_store_patch *patch,
				const struct kgr_guard *guard)
{
	enum kgr_exit ret;

	if (guard->state == KGR_GUARD_CRASHED) {
		json_t *since = json_integer(guard->time_s);
		char *when = kgr_fmt_date(since);

		ret = kgr_fail(ctx, KGR_EXIT_FAIL, "the machine went down soon after %s was loaded",
			       patch->name);
		kgr_why(ctx, "it was loaded at %s; that boot ended without a shutdown before the guard's time was over",
			when);
		free(when);
		json_decref(since);
		kgr_why(ctx, "that was a crash, a reset or a loss of power (journalctl --boot=%.8s%.4s%.4s%.4s%.12s)",
			guard->boot, guard->boot + 9, guard->boot + 14, guard->boot + 19,
			guard->boot + 24);
	} else {
		ret = kgr_fail(ctx, KGR_EXIT_FAIL, "the guard's record of %s can't be read",
			       patch->name);
		kgr_why(ctx, "from %s/%s.guard nobody knows how its last loading ended", s->dir,
			patch->name);
	}
	kgr_next(ctx, "kgr-ctl autoload --retry %s (if it was not the patch)", patch->name);
	kgr_next(ctx, "kgr-ctl install a repaired build, or kgr-ctl uninstall %s", patch->name);
	return ret;
}

static int make_mark(struct kgr_ctx *ctx)
{
	char *path = kgr_asprintf("%s/%s", ctx->store_root, MARK);
	int ret = access(path, F_OK) ? kgr_durable_write(ctx->store_root, MARK, "", 0) : 0;

	free(path);
	return ret;
}

static enum kgr_exit begin(struct kgr_ctx *ctx, struct kgr_store *s,
			   const struct kgr_store_patch *patch, struct kgr_trial *trial)
{
	struct kgr_guard now = { .state = KGR_GUARD_TRYING, .time_s = time(NULL),
				 .uptime_ms = kgr_monotonic_ms() }, old;
	enum kgr_exit ret = kgr_guard_read(ctx, s, patch, &old);
	char *text, *before;
	int err;

	if (!ret)
		ret = this_boot(ctx, now.boot);
	if (ret)
		return ret;
	if (old.this_boot && !kgr_guard_holds_back(&old) &&
	    kgr_sysfs_module_loaded(ctx, patch->name))
		return KGR_EXIT_OK;
	now.proven = old.proven;
	text = make_record(&now, patch->file);
	err = -read_record(s->dir, patch->name, &before);
	if (!err)
		err = -make_mark(ctx);
	if (!err)
		err = -write_record(s->dir, patch->name, text);
	free(text);
	if (err) {
		free(before);
		return kgr_store_failed(ctx, "can't record what is being tried", err);
	}
	*trial = (struct kgr_trial) { strdup(s->release), strdup(patch->name), before };
	return KGR_EXIT_OK;
}

enum kgr_exit kgr_guard_begin(struct kgr_ctx *ctx, const char *release, const char *name,
			      struct kgr_trial *trial)
{
	const struct kgr_store_patch *patch;
	struct kgr_store s;
	enum kgr_exit ret;

	*trial = (struct kgr_trial) { 0 };
	ret = kgr_store_change(ctx, release, &s);
	if (ret)
		return ret;
	patch = kgr_store_find(&s, name);
	/* it may have been uninstalled since the caller looked */
	if (patch)
		ret = begin(ctx, &s, patch, trial);
	else
		ret = kgr_fail(ctx, KGR_EXIT_NOTFOUND, "%s is not installed any more", name);
	kgr_store_close(&s);
	return ret;
}

void kgr_guard_begin_file(struct kgr_ctx *ctx, const char *name, const char *path,
			  struct kgr_trial *trial)
{
	const struct kgr_store_patch *patch;
	char release[256];
	struct kgr_store s;

	*trial = (struct kgr_trial) { 0 };
	kgr_proc_release(ctx, release, sizeof(release));
	if (kgr_store_read(ctx, release, &s)) {
		kgr_diag_reset(&ctx->diag);
		return;
	}
	patch = kgr_store_find(&s, name);
	if (patch && kgr_store_same(patch, path) &&
	    kgr_guard_begin(ctx, release, patch->name, trial)) {
		/* who may not write there may not load either, and is told so */
		if (ctx->diag.code != KGR_EXIT_PERM)
			kgr_note(ctx, "should the machine crash, the guard won't know of %s: %s",
				 patch->name, ctx->diag.what);
		kgr_diag_reset(&ctx->diag);
	}
	kgr_store_close(&s);
}

void kgr_guard_end(struct kgr_trial *trial)
{
	free(trial->release);
	free(trial->name);
	free(trial->before);
	*trial = (struct kgr_trial) { 0 };
}

void kgr_guard_undo(struct kgr_ctx *ctx, struct kgr_trial *trial)
{
	struct kgr_diag kept = ctx->diag;
	struct kgr_store s;

	if (trial->name) {
		/* what went wrong is to be reported, and not what this comes to */
		ctx->diag = (struct kgr_diag) { 0 };
		if (!kgr_store_change(ctx, trial->release, &s)) {
			if (kgr_store_find(&s, trial->name))
				write_record(s.dir, trial->name, trial->before);
			kgr_store_close(&s);
		}
		kgr_diag_reset(&ctx->diag);
		ctx->diag = kept;
	}
	kgr_guard_end(trial);
}

enum kgr_exit kgr_guard_forget(struct kgr_ctx *ctx, const char *release, const char *name)
{
	const struct kgr_store_patch *patch;
	struct kgr_store s;
	enum kgr_exit ret = kgr_store_change(ctx, release, &s);
	int err = 0;

	if (ret)
		return ret;
	patch = kgr_store_find(&s, name);
	if (patch)
		err = -write_record(s.dir, patch->name, NULL);
	kgr_store_close(&s);
	return err ? kgr_store_failed(ctx, "can't lift the guard's hold", err) : KGR_EXIT_OK;
}

static bool is_applied(struct kgr_ctx *ctx, const char *module)
{
	struct kgr_patch patch = { 0 };
	bool applied = !kgr_sysfs_find_owner(ctx, module, &patch) && patch.name && patch.enabled;

	kgr_patch_free(&patch);
	kgr_diag_reset(&ctx->diag);
	return applied;
}

/* @good: has it proved so now?  Cleared if that could not be written down. */
static int settle(const struct kgr_store *s, const struct kgr_store_patch *patch,
		  struct kgr_guard *guard, bool *good)
{
	int ret = -ENOENT;
	char *text;

	if (*good || guard->proven) {
		guard->state = KGR_GUARD_GOOD;
		guard->proven = true;
		text = make_record(guard, patch->file);
		ret = write_record(s->dir, patch->name, text);
		free(text);
	}
	if (!ret)
		return 0;
	*good = false;
	/* takes no room: better untried than held back because the disk is full */
	return write_record(s->dir, patch->name, NULL);
}

static enum kgr_exit settle_all(struct kgr_ctx *ctx, const struct kgr_store *s, bool shutdown,
				int64_t guard_ms, int64_t *next_ms, json_t *names)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct kgr_store_patch *patch = &s->v[i];
		struct kgr_guard guard;
		enum kgr_exit ret = kgr_guard_read(ctx, s, patch, &guard);
		int64_t left = guard.uptime_ms + guard_ms - kgr_monotonic_ms();
		bool good;
		int err;

		if (ret)
			return ret;
		if (guard.state != KGR_GUARD_TRYING)
			continue;
		if (!shutdown && left > 0) {
			if (*next_ms < 0 || left < *next_ms)
				*next_ms = left;
			continue;
		}
		good = left <= 0 && is_applied(ctx, patch->name);
		err = -settle(s, patch, &guard, &good);
		if (err)
			return kgr_store_failed(ctx, "can't record how a patch has done", err);
		if (good)
			json_array_append_new(names, json_string(patch->name));
	}
	return KGR_EXIT_OK;
}

enum kgr_exit kgr_guard_settle(struct kgr_ctx *ctx, const char *release, bool shutdown,
			       int64_t *next_ms, json_t *good)
{
	struct kgr_host host;
	struct kgr_store s;
	enum kgr_exit ret;

	*next_ms = -1;
	ret = kgr_store_read(ctx, release, &s);
	if (ret)
		return ret;
	if (!s.n) {
		kgr_store_close(&s);
		kgr_durable_unlink(ctx->store_root, MARK);
		return KGR_EXIT_OK;
	}
	kgr_store_close(&s);
	/* with a mode that can't be read comes the default of the time */
	if (kgr_mode_read(ctx, &host))
		kgr_diag_reset(&ctx->diag);
	ret = kgr_store_change(ctx, release, &s);
	if (ret)
		return ret;
	ret = settle_all(ctx, &s, shutdown, host.guard_ms, next_ms, good);
	if (!ret && *next_ms < 0)
		kgr_durable_unlink(ctx->store_root, MARK);
	kgr_store_close(&s);
	return ret;
}
