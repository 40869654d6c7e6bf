// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <linux/kgraft.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "change.h"
#include "checks.h"
#include "explain.h"
#include "loaded.h"
#include "out.h"
#include "preflight.h"
#include "proc.h"
#include "reasons.h"
#include "sysfs.h"
#include "target.h"
#include "threads.h"

#define NAMED_MAX	5	/* functions or threads that one sentence names */

struct flight {
	struct kgr_module *m;
	struct kgr_patch_list patches;
	struct kgr_targets targets;
	int functions_err;	/* why the file does not tell them, 0 or -errno */
	json_t *sleepers;
	unsigned int threads;
	int threads_err;
	int64_t scan_ms;
};

static enum kgr_exit check_kernel(struct kgr_ctx *ctx, void *arg)
{
	enum kgr_exit ret = kgr_sysfs_present(ctx);
	char dead[8];

	(void)arg;
	if (ret || kgr_sysfs_read(ctx, "dead", dead, sizeof(dead)) || strcmp(dead, "1"))
		return ret;
	return kgr_fail_dead(ctx);
}

static enum kgr_exit check_module(struct kgr_ctx *ctx, void *arg)
{
	return kgr_module_check_patch(ctx, ((struct flight *)arg)->m);
}

static enum kgr_exit check_build_id(struct kgr_ctx *ctx, void *arg)
{
	const struct kgr_module *m = ((struct flight *)arg)->m;
	enum kgr_exit ret;
	char running[128];

	if (!m->build_id) {
		ret = kgr_fail(ctx, KGR_EXIT_OK, "the module does not say which kernel it is for");
		kgr_why(ctx, "it has no module information '%s'", "kgraft_build_id");
		return ret;
	}
	if (kgr_sysfs_kernel_build_id(ctx, running, sizeof(running)))
		return kgr_fail(ctx, KGR_EXIT_OK, "the build-id of the running kernel is not known");
	return strcasecmp(m->build_id, running) ? kgr_explain_mismatch(ctx, m) : KGR_EXIT_OK;
}

/* The kernel compares more of it, and less with module versions: its build-id decides */
static enum kgr_exit check_vermagic(struct kgr_ctx *ctx, void *arg)
{
	const struct kgr_module *m = ((struct flight *)arg)->m;
	struct utsname uts = { .release = "?" };
	enum kgr_exit ret;

	uname(&uts);
	if (!m->vermagic || kgr_same_release(m->vermagic, uts.release))
		return KGR_EXIT_OK;
	if (!m->build_id)
		return kgr_explain_mismatch(ctx, m);
	ret = kgr_fail(ctx, KGR_EXIT_OK, "its version magic is that of another release");
	kgr_why(ctx, "made for %s", m->vermagic);
	kgr_why(ctx, "running is %s", uts.release);
	return ret;
}

static enum kgr_exit check_rights(struct kgr_ctx *ctx, void *arg)
{
	enum kgr_exit ret = kgr_explain_disabled(ctx, ((struct flight *)arg)->m);

	if (ret || !geteuid())
		return ret;
	kgr_fail(ctx, KGR_EXIT_OK, "only root may load it, and see all of what is looked at here");
	kgr_next(ctx, "run kgr-ctl as root");
	return KGR_EXIT_OK;
}

static enum kgr_exit check_signature(struct kgr_ctx *ctx, void *arg)
{
	const struct kgr_module *m = ((struct flight *)arg)->m;
	enum kgr_exit ret = kgr_explain_unsigned(ctx, m);
	char mode[64];

	if (ret || !m->signer || !(kgr_sysfs_signatures_enforced(ctx) ||
				   kgr_sysfs_locked_down(ctx, mode, sizeof(mode))))
		return ret;
	kgr_fail(ctx, KGR_EXIT_OK, "it is signed by '%s'; whether the kernel trusts that key shows at loading",
		 m->signer);
	return KGR_EXIT_OK;
}

static bool in_kernel(struct kgr_ctx *ctx, const struct flight *f)
{
	return kgr_sysfs_module_loaded(ctx, f->m->name);
}

static enum kgr_exit check_loaded(struct kgr_ctx *ctx, void *arg)
{
	struct flight *f = arg;
	struct kgr_patch patch;
	enum kgr_exit ret;

	if (!in_kernel(ctx, f))
		return KGR_EXIT_OK;
	ret = kgr_sysfs_find_owner(ctx, f->m->name, &patch);
	if (ret)
		return ret;
	ret = kgr_loaded_is_same(ctx, f->m, &patch);
	if (!ret)
		kgr_fail(ctx, KGR_EXIT_OK, "its patch '%s' is %s already: load would do nothing",
			 patch.name, kgr_patch_state(&patch));
	kgr_patch_free(&patch);
	return ret;
}

static enum kgr_exit check_transition(struct kgr_ctx *ctx, void *arg)
{
	struct flight *f = arg;

	for (size_t i = 0; i < f->patches.n; i++)
		if (f->patches.v[i].transition && !in_kernel(ctx, f))
			return kgr_fail_other_transition(ctx, f->m->name);
	return KGR_EXIT_OK;
}

/* "a, b, c and 4 more" of the functions in this status; NULL: there are none; to be freed */
static char *name_those(const struct kgr_targets *t, const char *status)
{
	char *text = NULL, *longer;
	size_t n = 0;

	for (size_t i = 0; i < t->n; i++) {
		if (strcmp(kgr_target_status(t, &t->v[i]), status) || n++ >= NAMED_MAX)
			continue;
		longer = kgr_asprintf("%s%s%s", text ? text : "", text ? ", " : "", t->v[i].name);
		free(text);
		text = longer;
	}
	if (n > NAMED_MAX) {
		longer = kgr_asprintf("%s and %zu more", text, n - NAMED_MAX);
		free(text);
		text = longer;
	}
	return text;
}

static void warn_maybe_held(struct kgr_ctx *ctx, const struct kgr_targets *t)
{
	for (size_t i = 0; i < t->n; i++) {
		char *who;

		if (!t->v[i].maybe_held)
			continue;
		who = kgr_entry_holder(&t->v[i].entry);
		kgr_fail(ctx, KGR_EXIT_OK, "one of the functions named %s is held by %s",
			 t->v[i].name, who);
		kgr_why(ctx, "ftrace does not tell which, and the patch replaces that at position %lld",
			(long long)t->v[i].sympos);
		kgr_next(ctx, "load tells: the kernel refuses the patch if it is this one");
		free(who);
		break;
	}
}

static enum kgr_exit check_holders(struct kgr_ctx *ctx, void *arg)
{
	struct flight *f = arg;
	enum kgr_exit ret = KGR_EXIT_OK;
	char *names = name_those(&f->targets, "held");

	if (names) {
		ret = kgr_fail(ctx, KGR_EXIT_CONFLICT,
			       "another user of ftrace holds functions of it: %s", names);
		for (size_t i = 0, n = 0; i < f->targets.n && n < NAMED_MAX; i++) {
			const struct kgr_target *t = &f->targets.v[i];
			char *who;

			if (!json_array_size(t->holders))
				continue;
			who = kgr_fmt_value(t->holders);
			kgr_why(ctx, "%s is held by %s", t->name, who);
			free(who);
			n++;
		}
		kgr_next(ctx, "disable or remove what holds them, and try again");
	} else if (f->targets.users_err && f->targets.n) {
		kgr_fail(ctx, KGR_EXIT_OK, "who else holds its functions can't be told: %s",
			 strerror(-f->targets.users_err));
		kgr_tracefs_hint(ctx);
	} else {
		warn_maybe_held(ctx, &f->targets);
	}
	free(names);
	return ret;
}

static enum kgr_exit check_functions(struct kgr_ctx *ctx, void *arg)
{
	struct flight *f = arg;

	if (!f->functions_err)
		return KGR_EXIT_OK;
	kgr_fail(ctx, KGR_EXIT_OK, "the file does not tell which functions it replaces");
	kgr_why(ctx, f->functions_err == -ENOENT ?
		"it was not made by kgr-build, and fills in its patch when it is loaded" :
		"it was not made by kgr-build, and can't be read as an object file");
	return KGR_EXIT_OK;
}

static enum kgr_exit fail_functions(struct kgr_ctx *ctx, struct flight *f, const char *status,
				    const char *what, const char *why, const char *next)
{
	char *names = name_those(&f->targets, status);
	enum kgr_exit ret;

	if (!names)
		return KGR_EXIT_OK;
	ret = kgr_fail(ctx, KGR_EXIT_FAIL, "%s: %s", what, names);
	kgr_why(ctx, "%s", why);
	kgr_next(ctx, "%s", next);
	free(names);
	return ret;
}

static enum kgr_exit check_symbols(struct kgr_ctx *ctx, void *arg)
{
	static const char rebuild[] = "build the patch against the build tree of the running kernel";
	struct flight *f = arg;
	enum kgr_exit ret;

	if (!f->targets.n)
		return KGR_EXIT_OK;
	kgr_targets_look_up(ctx, &f->targets);
	if (f->targets.symbols_err) {
		kgr_fail(ctx, KGR_EXIT_OK, "whether its functions exist can't be told: %s",
			 strerror(-f->targets.symbols_err));
		return KGR_EXIT_OK;
	}
	ret = fail_functions(ctx, f, "missing", "functions that this kernel does not have",
			     "/proc/kallsyms has no such symbol", rebuild);
	if (!ret)
		ret = fail_functions(ctx, f, "ambiguous", "names that several functions have",
				     "the patch does not say which one by its position", rebuild);
	if (!ret)
		ret = fail_functions(ctx, f, "out-of-bounds", "positions that this kernel does not have",
				     "there are fewer functions of that name", rebuild);
	if (!ret)
		fail_functions(ctx, f, "not-loaded", "functions of modules that are not loaded",
			       "they are patched when their module comes", "nothing");
	if (!ret)
		ctx->diag.code = KGR_EXIT_OK;
	return ret;
}

static enum kgr_exit check_redirect(struct kgr_ctx *ctx, void *arg)
{
	struct flight *f = arg;
	size_t shared = 0;
	enum kgr_exit ret;
	char form[16];

	if (!f->targets.n)
		return KGR_EXIT_OK;
	if (f->targets.sites_err) {
		kgr_fail(ctx, KGR_EXIT_OK, "whether its functions can be redirected can't be told: %s",
			 strerror(-f->targets.sites_err));
		kgr_tracefs_hint(ctx);
		return KGR_EXIT_OK;
	}
	ret = fail_functions(ctx, f, "no-entry", "functions that can't be redirected",
			     "they have no ftrace entry: notrace, noinstr, inlined or assembly",
			     "the patch has to replace their callers instead");
	if (ret)
		return ret;
	for (size_t i = 0; i < f->targets.n; i++)
		shared += kgr_target_is_shared(&f->targets, &f->targets.v[i]);
	if (shared) {
		kgr_fail(ctx, KGR_EXIT_OK, "%zu of its functions will be reached by a handler, not a jump",
			 shared);
		kgr_why(ctx, "a tracer, a probe or a BPF program is attached to them; that costs time at each call");
		kgr_next(ctx, "nothing: they become jumps when it is detached");
	} else if (!kgr_sysfs_module_attr(ctx, "kgraft", "parameters/redirect", form, sizeof(form)) &&
		   !strcmp(form, "handler")) {
		kgr_fail(ctx, KGR_EXIT_OK, "its functions will be reached by handlers, not jumps");
		kgr_why(ctx, "kgraft.redirect=handler is set");
	}
	return KGR_EXIT_OK;
}

static enum kgr_exit check_stacking(struct kgr_ctx *ctx, void *arg)
{
	struct flight *f = arg;
	size_t n = 0;

	for (size_t i = 0; i < f->targets.n; i++)
		n += json_array_size(f->targets.v[i].patches) > 0;
	if (!n || in_kernel(ctx, f) || kgr_module_replaces(f->m) == KGR_REPLACE_YES)
		return KGR_EXIT_OK;
	kgr_fail(ctx, KGR_EXIT_OK, "%zu of its functions are replaced by other patches already", n);
	for (size_t i = 0, named = 0; i < f->targets.n && named < NAMED_MAX; i++) {
		const struct kgr_target *t = &f->targets.v[i];
		char *names;

		if (!json_array_size(t->patches))
			continue;
		names = kgr_fmt_value(t->patches);
		kgr_why(ctx, "%s: by %s", t->name, names);
		free(names);
		named++;
	}
	kgr_next(ctx, "nothing, if it is meant to build on them: they can't be reverted before it then");
	return KGR_EXIT_OK;
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

struct scan {
	struct kgr_ctx *ctx;
	struct flight *f;
};

static const struct kgr_reason *reason_for(char state)
{
	switch (state) {
	case 'D':
		return kgr_reason(KGRAFT_REASON_UNINTERRUPTIBLE);
	case 'T':
	case 't':
		return kgr_reason(KGRAFT_REASON_STOPPED_OR_TRACED);
	default:
		return kgr_reason(KGRAFT_REASON_IN_PATCHED_FUNCTION);
	}
}

static void take_sleeper(const struct kgr_sleeper *s, void *arg)
{
	struct scan *scan = arg;
	struct kgr_target *t = &scan->f->targets.v[s->id];
	char comm[64], state[2] = "";

	t->sleepers++;
	kgr_proc_comm(scan->ctx, s->tid, comm, sizeof(comm));
	state[0] = kgr_proc_state(scan->ctx, s->tid);
	json_array_append_new(scan->f->sleepers,
		json_pack("{s:I,s:I,s:o,s:o,s:o,s:o,s:o,s:s,s:s}", "pid", (json_int_t)s->pid,
			  "tid", (json_int_t)s->tid, "comm", kgr_json_str_or_null(comm),
			  "task_state", kgr_json_str_or_null(state),
			  "function", kgr_json_str(t->name), "frame", kgr_json_str(s->frame),
			  "caller", kgr_json_str_or_null(s->caller),
			  "reason", kgr_reason(KGRAFT_REASON_IN_PATCHED_FUNCTION)->name,
			  "remedy", reason_for(state[0])->remedy));
}

static int by_tid(const void *a, const void *b)
{
	json_int_t x = json_integer_value(json_object_get(*(json_t * const *)a, "tid"));
	json_int_t y = json_integer_value(json_object_get(*(json_t * const *)b, "tid"));

	return x < y ? -1 : x > y;
}

/* What will be abandoned is the body in force: the original, or that of a patch */
static void scan_threads(struct kgr_ctx *ctx, struct flight *f)
{
	struct kgr_body *bodies = calloc(f->targets.n + 1, sizeof(*bodies));
	struct scan scan = { ctx, f };
	int64_t start = now_ms();

	if (!bodies) {
		f->threads_err = -ENOMEM;
		return;
	}
	for (size_t i = 0; i < f->targets.n; i++) {
		const struct kgr_target *t = &f->targets.v[i];

		bodies[i].name = t->entry.jumps && t->entry.to ? t->entry.to : t->name;
		bodies[i].id = i;
	}
	f->threads_err = kgr_threads_in(ctx, bodies, f->targets.n, take_sleeper, &scan,
					&f->threads);
	f->scan_ms = now_ms() - start;
	kgr_json_sort(f->sleepers, by_tid);
	free(bodies);
}

static enum kgr_exit check_sleepers(struct kgr_ctx *ctx, void *arg)
{
	struct flight *f = arg;
	size_t n;

	if (!f->targets.n || in_kernel(ctx, f))
		return KGR_EXIT_OK;
	scan_threads(ctx, f);
	if (f->threads_err) {
		kgr_fail(ctx, KGR_EXIT_OK, "who sleeps in its functions can't be told: %s",
			 f->threads_err == -ENOENT ? "this kernel shows no stacks in /proc" :
			 strerror(-f->threads_err));
		if (f->threads_err == -EACCES)
			kgr_next(ctx, "run kgr-ctl as root");
		return KGR_EXIT_OK;
	}
	n = json_array_size(f->sleepers);
	if (!n)
		return KGR_EXIT_OK;
	kgr_fail(ctx, KGR_EXIT_OK, "%zu thread%s in its functions now and would straggle", n,
		 n == 1 ? " is" : "s are");
	kgr_why(ctx, "%s", kgr_reason(KGRAFT_REASON_IN_PATCHED_FUNCTION)->what);
	kgr_next(ctx, "nothing, if they are short sleeps; else after load: kgr-ctl nudge");
	return KGR_EXIT_OK;
}

/* If this fails there is nothing else to be looked at */
static const struct kgr_check first = { "module", check_module };

static const struct kgr_check quick[] = {
	{ "kernel", check_kernel },
	{ "build-id", check_build_id },
	{ "rights", check_rights },
	{ "signature", check_signature },
	{ "transition", check_transition },
	{ "holders", check_holders },
};

static const struct kgr_check slow[] = {
	{ "vermagic", check_vermagic },
	{ "loaded", check_loaded },
	{ "functions", check_functions },
	{ "symbols", check_symbols },
	{ "redirect", check_redirect },
	{ "stacking", check_stacking },
	{ "sleepers", check_sleepers },
};

static enum kgr_exit begin(struct kgr_ctx *ctx, struct flight *f, struct kgr_module *m)
{
	enum kgr_exit ret = kgr_sysfs_patches(ctx, &f->patches);

	f->m = m;
	f->sleepers = json_array();
	if (ret)
		return ret;
	f->functions_err = m->kgraft ? kgr_module_functions(m) : 0;
	return kgr_targets_init(ctx, &f->targets, &m->content, &f->patches);
}

static void end(struct flight *f)
{
	kgr_targets_free(&f->targets);
	kgr_patch_list_free(&f->patches);
	json_decref(f->sleepers);
}

enum kgr_exit kgr_preflight_quick(struct kgr_ctx *ctx, struct kgr_module *m)
{
	struct flight f = { 0 };
	enum kgr_exit ret = begin(ctx, &f, m);

	if (!ret)
		ret = first.run(ctx, &f);
	for (size_t i = 0; !ret && i < ARRAY_SIZE(quick); i++) {
		ret = quick[i].run(ctx, &f);
		if (!ret)
			kgr_diag_reset(&ctx->diag);
	}
	end(&f);
	return ret;
}

static void run_all(struct kgr_ctx *ctx, struct flight *f, const struct kgr_check *checks,
		    size_t n, json_t *rows)
{
	for (size_t i = 0; i < n; i++)
		kgr_check_run(ctx, &checks[i], f, rows);
}

enum kgr_exit kgr_preflight(struct kgr_ctx *ctx, struct kgr_module *m, json_t **doc)
{
	struct flight f = { 0 };
	enum kgr_exit ret = begin(ctx, &f, m);
	json_t *rows = json_array();

	if (!ret) {
		if (!kgr_check_run(ctx, &first, &f, rows)) {
			run_all(ctx, &f, quick, ARRAY_SIZE(quick), rows);
			run_all(ctx, &f, slow, ARRAY_SIZE(slow), rows);
		}
		*doc = json_pack("{s:o,s:o,s:O,s:o,s:O,s:o,s:I}",
				 "file", kgr_json_str(m->path), "module", kgr_json_str(m->name),
				 "checks", rows, "functions", kgr_targets_json(&f.targets),
				 "stragglers", f.sleepers,
				 "threads", f.threads ? json_integer(f.threads) : json_null(),
				 "scan_ms", (json_int_t)f.scan_ms);
	}
	json_decref(rows);
	end(&f);
	return ret;
}
