// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "checks.h"
#include "explain.h"
#include "guard.h"
#include "mode.h"
#include "netlink.h"
#include "out.h"
#include "proc.h"
#include "store.h"
#include "straggler.h"
#include "sysfs.h"
#include "tracefs.h"
#include "verify.h"

#define STUCK_MS	(60 * 1000)	/* a transition that is older than this has a reason */

struct visit {
	struct kgr_patch_list patches;
};

/* Kernel, sysfs and its mount: nothing else is looked at without them */
static enum kgr_exit check_kernel(struct kgr_ctx *ctx, void *arg)
{
	(void)arg;
	return kgr_sysfs_present(ctx);
}

static enum kgr_exit check_redirects(struct kgr_ctx *ctx, void *arg)
{
	char text[16];

	(void)arg;
	if (!kgr_sysfs_read(ctx, "dead", text, sizeof(text)) && !strcmp(text, "1"))
		return kgr_fail_dead(ctx);
	if (!kgr_sysfs_module_attr(ctx, "kgraft", "parameters/redirect", text, sizeof(text)) &&
	    !strcmp(text, "handler")) {
		kgr_fail(ctx, KGR_EXIT_OK, "functions are reached by handlers, which cost time");
		kgr_why(ctx, "kgraft.redirect=handler is set");
		kgr_next(ctx, "echo auto > /sys/module/kgraft/parameters/redirect");
	}
	return KGR_EXIT_OK;
}

static enum kgr_exit check_ftrace(struct kgr_ctx *ctx, void *arg)
{
	enum kgr_exit ret;

	(void)arg;
	if (!kgr_proc_ftrace_disabled(ctx))
		return KGR_EXIT_OK;
	ret = kgr_fail(ctx, KGR_EXIT_CONFLICT, "ftrace is switched off, patches can't be applied");
	kgr_why(ctx, "kernel.ftrace_enabled=0");
	kgr_next(ctx, "sysctl kernel.ftrace_enabled=1");
	return ret;
}

static enum kgr_exit check_rights(struct kgr_ctx *ctx, void *arg)
{
	(void)arg;
	if (!geteuid())
		return KGR_EXIT_OK;
	kgr_fail(ctx, KGR_EXIT_OK, "not root: patches can be looked at, but not changed");
	kgr_next(ctx, "run kgr-ctl as root");
	return KGR_EXIT_OK;
}

static enum kgr_exit check_modules(struct kgr_ctx *ctx, void *arg)
{
	enum kgr_exit ret;
	char mode[64];

	(void)arg;
	if (kgr_proc_modules_disabled(ctx)) {
		ret = kgr_fail(ctx, KGR_EXIT_PERM, "no module can be loaded any more");
		kgr_why(ctx, "kernel.modules_disabled=1");
		kgr_next(ctx, "only a reboot turns it on again");
		return ret;
	}
	if (kgr_sysfs_locked_down(ctx, mode, sizeof(mode)))
		kgr_fail(ctx, KGR_EXIT_OK, "the kernel is locked down (%s): only signed patches can be loaded",
			 mode);
	else if (kgr_sysfs_signatures_enforced(ctx))
		kgr_fail(ctx, KGR_EXIT_OK, "module.sig_enforce is set: only signed patches can be loaded");
	return KGR_EXIT_OK;
}

static enum kgr_exit check_tracefs(struct kgr_ctx *ctx, void *arg)
{
	(void)arg;
	if (kgr_tracefs_mounted(ctx))
		return KGR_EXIT_OK;
	kgr_fail(ctx, KGR_EXIT_OK, "tracefs can't be seen: who else holds functions can't be told");
	kgr_tracefs_hint(ctx);
	return KGR_EXIT_OK;
}

static enum kgr_exit check_netlink(struct kgr_ctx *ctx, void *arg)
{
	struct kgr_nl *nl;
	int err = -kgr_nl_open(&nl);

	(void)arg;
	if (!err) {
		kgr_nl_close(nl);
		return KGR_EXIT_OK;
	}
	if (err == ENOENT) {
		kgr_fail(ctx, KGR_EXIT_OK, "this kernel has no netlink family \"kgraft\"");
		kgr_why(ctx, "stragglers can be counted only, and waiting has no events");
	} else {
		kgr_fail(ctx, KGR_EXIT_OK, "netlink: %s", strerror(err));
	}
	return KGR_EXIT_OK;
}

static enum kgr_exit check_settings(struct kgr_ctx *ctx, void *arg)
{
	char text[16];

	(void)arg;
	if (!kgr_sysfs_read(ctx, "force_load_module", text, sizeof(text)) && !strcmp(text, "1")) {
		kgr_fail(ctx, KGR_EXIT_OK, "modules that can't be patched are let in unpatched");
		kgr_why(ctx, "/sys/kernel/kgraft/force_load_module is 1");
		kgr_next(ctx, "echo 0 > /sys/kernel/kgraft/force_load_module");
	} else if (!kgr_sysfs_read(ctx, "nudge_delay_ms", text, sizeof(text)) &&
		   !strcmp(text, "0")) {
		kgr_fail(ctx, KGR_EXIT_OK, "sleepers are never nudged by themselves");
		kgr_why(ctx, "/sys/kernel/kgraft/nudge_delay_ms is 0");
		kgr_next(ctx, "echo 1000 > /sys/kernel/kgraft/nudge_delay_ms");
	}
	return KGR_EXIT_OK;
}

static enum kgr_exit check_transition(struct kgr_ctx *ctx, void *arg)
{
	const struct visit *v = arg;

	for (size_t i = 0; i < v->patches.n; i++) {
		const struct kgr_patch *p = &v->patches.v[i];
		bool stuck = kgr_patch_age_ms(p) > STUCK_MS;
		json_t *counts;
		char *reasons;

		if (!p->transition)
			continue;
		kgr_fail(ctx, stuck ? KGR_EXIT_CONFLICT : KGR_EXIT_OK,
			 "patch '%s' is %s for %lld seconds", p->name, kgr_patch_state(p),
			 (long long)kgr_patch_age_ms(p) / 1000);
		counts = kgr_straggler_counts(ctx);
		reasons = kgr_straggler_counts_text(counts);
		kgr_why(ctx, "%lld of %lld contexts are left%s%s", (long long)kgr_patch_left(p),
			(long long)p->total, *reasons ? ": " : "", reasons);
		kgr_next(ctx, "kgr-ctl stragglers");
		kgr_next(ctx, "kgr-ctl nudge");
		kgr_next(ctx, "kgr-ctl %s %s", p->enabled ? "revert" : "enable", p->name);
		free(reasons);
		json_decref(counts);
		return ctx->diag.code;
	}
	return KGR_EXIT_OK;
}

static enum kgr_exit check_forced(struct kgr_ctx *ctx, void *arg)
{
	const struct visit *v = arg;

	for (size_t i = 0; i < v->patches.n; i++) {
		if (v->patches.v[i].forced <= 0)
			continue;
		kgr_fail(ctx, KGR_EXIT_OK, "a transition was forced while patch '%s' was in force",
			 v->patches.v[i].name);
		kgr_why(ctx, "the kernel is tainted (U), and the modules of such patches can't be unloaded");
		kgr_next(ctx, "reboot when convenient");
		break;
	}
	return KGR_EXIT_OK;
}

static enum kgr_exit check_deadlines(struct kgr_ctx *ctx, void *arg)
{
	const struct visit *v = arg;

	for (size_t i = 0; i < v->patches.n; i++) {
		const struct kgr_patch *p = &v->patches.v[i];

		if (p->transition || !kgr_patch_timed_out(p))
			continue;
		kgr_fail(ctx, KGR_EXIT_OK, "the last transition of patch '%s' timed out, it is %s",
			 p->name, kgr_patch_state(p));
		kgr_why(ctx, "%s", p->reason);
		kgr_next(ctx, "kgr-ctl stragglers (who was left, and what helps)");
		break;
	}
	return KGR_EXIT_OK;
}

static enum kgr_exit check_entries(struct kgr_ctx *ctx, void *arg)
{
	const struct visit *v = arg;
	size_t wrong;
	json_t *rows;
	int users_err;
	enum kgr_exit ret = kgr_verify(ctx, &v->patches, NULL, &rows, &wrong, &users_err);

	if (ret)
		return ret;
	json_decref(rows);
	if (!wrong)
		return KGR_EXIT_OK;
	ret = kgr_fail(ctx, KGR_EXIT_FAIL, "functions that are not what their patches say: %zu", wrong);
	kgr_next(ctx, "kgr-ctl verify");
	return ret;
}

static enum kgr_exit check_mode(struct kgr_ctx *ctx, void *arg)
{
	struct kgr_host host;
	enum kgr_exit ret = kgr_mode_read(ctx, &host);

	(void)arg;
	if (ret)
		return ret;
	if (host.mode != KGR_MODE_NORMAL) {
		kgr_fail(ctx, KGR_EXIT_OK, "this host's mode is '%s'", kgr_mode_word(host.mode));
		kgr_why(ctx, "%s", kgr_mode_text(host.mode));
		kgr_next(ctx, "kgr-ctl mode normal, if that is over");
	} else if (kgr_proc_booted_with(ctx, KGR_BOOT_OFF)) {
		kgr_fail(ctx, KGR_EXIT_OK, KGR_BOOT_OFF " has kept installed patches out of this boot");
		kgr_why(ctx, "it is on the kernel's command line");
		kgr_next(ctx, "kgr-ctl load, or a boot without it");
	}
	return KGR_EXIT_OK;
}

/* What is held back first, then what is not there */
static enum kgr_exit check_store(struct kgr_ctx *ctx, const struct kgr_store *s)
{
	struct kgr_guard guard;
	enum kgr_exit ret;

	for (size_t i = 0; i < s->n; i++) {
		ret = kgr_guard_read(ctx, s, &s->v[i], &guard);
		if (ret)
			return ret;
		if (!kgr_guard_holds_back(&guard))
			continue;
		ret = kgr_guard_explain(ctx, s, &s->v[i], &guard);
		kgr_why(ctx, "so it is held back: no boot loads it");
		return ret;
	}
	for (size_t i = 0; i < s->n; i++) {
		if (kgr_sysfs_module_loaded(ctx, s->v[i].name))
			continue;
		kgr_fail(ctx, KGR_EXIT_OK, "%s is installed, but not in the running kernel",
			 s->v[i].name);
		kgr_next(ctx, "kgr-ctl autoload %s", s->v[i].name);
		break;
	}
	return KGR_EXIT_OK;
}

static enum kgr_exit check_installed(struct kgr_ctx *ctx, void *arg)
{
	char release[256];
	struct kgr_store s;
	enum kgr_exit ret;

	(void)arg;
	kgr_proc_release(ctx, release, sizeof(release));
	ret = kgr_store_read(ctx, release, &s);
	if (!ret)
		ret = check_store(ctx, &s);
	kgr_store_close(&s);
	return ret;
}

static const struct kgr_check kernel_check = { "kernel", check_kernel };

static const struct kgr_check checks[] = {
	{ "redirects", check_redirects },
	{ "ftrace", check_ftrace },
	{ "rights", check_rights },
	{ "modules", check_modules },
	{ "tracefs", check_tracefs },
	{ "netlink", check_netlink },
	{ "settings", check_settings },
	{ "transition", check_transition },
	{ "deadlines", check_deadlines },
	{ "forced", check_forced },
	{ "entries", check_entries },
	{ "mode", check_mode },
	{ "installed", check_installed },
};

enum kgr_exit kgr_cmd_doctor(struct kgr_ctx *ctx)
{
	struct visit v = { 0 };
	json_t *rows = json_array(), *doc;
	enum kgr_exit ret = KGR_EXIT_OK, code;

	if (!kgr_check_run(ctx, &kernel_check, &v, rows)) {
		ret = kgr_sysfs_patches(ctx, &v.patches);
		for (size_t i = 0; !ret && i < ARRAY_SIZE(checks); i++)
			kgr_check_run(ctx, &checks[i], &v, rows);
		kgr_patch_list_free(&v.patches);
	}
	doc = json_pack("{s:o}", "checks", rows);
	if (ret) {
		json_decref(doc);
		return ret;
	}
	code = kgr_checks_verdict(doc);
	ret = kgr_show(ctx, doc, kgr_checks_text);
	return ret ? ret : code;
}
