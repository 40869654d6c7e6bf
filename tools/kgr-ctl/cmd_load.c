// SPDX-License-Identifier: GPL-2.0
/*
 * load, and replace, which takes cumulative patches only.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "change.h"
#include "deadline.h"
#include "guard.h"
#include "kmsg.h"
#include "loaded.h"
#include "mode.h"
#include "module.h"
#include "preflight.h"
#include "sysfs.h"
#include "wait.h"

/* "a=1 b=\"x y\""; NULL when an operand is not NAME=VALUE */
static char *join_params(struct kgr_ctx *ctx)
{
	char *params = strdup("");

	for (int i = 1; params && i < ctx->opts.argc; i++) {
		const char *arg = ctx->opts.argv[i], *eq = strchr(arg, '=');
		const char *quote;
		char *longer;

		if (!eq || eq == arg || strchr(arg, '"')) {
			kgr_fail(ctx, KGR_EXIT_USAGE, "'%s' is not PARAM=VALUE", arg);
			kgr_next(ctx, "kgr-ctl help %s", ctx->cmd->name);
			free(params);
			return NULL;
		}
		quote = strpbrk(eq, " \t") ? "\"" : "";
		longer = kgr_asprintf("%s%s%.*s=%s%s%s", params, *params ? " " : "",
				      (int)(eq - arg), arg, quote, eq + 1, quote);
		free(params);
		params = longer;
	}
	return params;
}

static bool must_replace(const struct kgr_ctx *ctx)
{
	return ctx->cmd->run == kgr_cmd_replace;
}

static enum kgr_exit not_cumulative(struct kgr_ctx *ctx, const char *module)
{
	enum kgr_exit ret = kgr_fail(ctx, KGR_EXIT_CONFLICT,
				     "%s does not replace other patches: it is not cumulative", module);

	kgr_next(ctx, "kgr-ctl load (to apply it beside those that are there)");
	return ret;
}

/* The module is there already: fine if its patch is applied, or on the way to it */
static enum kgr_exit already_loaded(struct kgr_ctx *ctx, struct kgr_wait *wait,
				    const struct kgr_module *m)
{
	struct kgr_patch patch;
	enum kgr_exit ret = kgr_sysfs_find_owner(ctx, m->name, &patch);

	if (ret)
		return ret;
	ret = kgr_loaded_is_same(ctx, m, &patch);
	if (!ret && must_replace(ctx) && patch.replace_all != 1)
		ret = not_cumulative(ctx, m->name);
	if (!ret)
		ret = kgr_deadline_set(ctx, patch.name);
	if (!ret)
		ret = kgr_wait_finish(wait, patch.name, true, !patch.transition);
	kgr_patch_free(&patch);
	return ret;
}

/* Only the kernel could tell that it is not what was asked for: out with it again */
static enum kgr_exit take_out(struct kgr_ctx *ctx, struct kgr_wait *wait,
			      const struct kgr_module *m, const struct kgr_patch *patch)
{
	enum kgr_exit ret = kgr_change_start(ctx, patch, false);
	int err;

	if (!ret)
		ret = kgr_wait_patch(wait, patch->name);
	if (ret) {
		kgr_why(ctx, "%s is not cumulative, as only loading it could tell, and was to be removed",
			m->name);
		return ret;
	}
	err = -kgr_module_remove(m->name);
	ret = not_cumulative(ctx, m->name);
	kgr_why(ctx, "the file has no module information 'kgraft_replace': it was loaded to find out");
	if (err)
		kgr_why(ctx, "it was reverted, but its module could not be removed: %s",
			strerror(err));
	else
		kgr_why(ctx, "it was reverted and its module removed again");
	return ret;
}

static enum kgr_exit insert(struct kgr_ctx *ctx, struct kgr_wait *wait, struct kgr_module *m,
			    const char *params)
{
	int kmsg = kgr_kmsg_open(ctx), err;
	enum kgr_exit ret = KGR_EXIT_OK;
	struct kgr_trial trial;
	struct kgr_patch patch;
	json_t *lines;

	kgr_guard_begin_file(ctx, m->name, m->path, &trial);
	err = -kgr_module_insert(m, params);
	if (err && err != EEXIST)
		kgr_guard_undo(ctx, &trial);
	else
		kgr_guard_end(&trial);
	lines = kgr_kmsg_collect(kmsg, m->name);
	if (kmsg >= 0)
		close(kmsg);
	if (err == EEXIST)
		ret = already_loaded(ctx, wait, m);
	else if (err)
		ret = kgr_explain_load(ctx, m, err, lines);
	json_decref(lines);
	if (err)
		return ret;

	ret = kgr_sysfs_find_owner(ctx, m->name, &patch);
	if (ret)
		return ret;
	if (!patch.name) {
		ret = kgr_fail(ctx, KGR_EXIT_FAIL, "%s was loaded, but registered no patch",
			       m->name);
		kgr_why(ctx, "its init function does not call kgr_patch_kernel()");
		kgr_next(ctx, "rmmod %s", m->name);
		return ret;
	}
	if (must_replace(ctx) && patch.replace_all != 1)
		ret = take_out(ctx, wait, m, &patch);
	else
		ret = kgr_deadline_set(ctx, patch.name);
	if (!ret)
		ret = kgr_wait_finish(wait, patch.name, true, false);
	kgr_patch_free(&patch);
	return ret;
}

enum kgr_exit kgr_cmd_load(struct kgr_ctx *ctx)
{
	char *params = join_params(ctx);
	struct kgr_wait wait;
	struct kgr_module m = { 0 };
	enum kgr_exit ret;
	bool loaded;

	if (!params)
		return ctx->diag.code;
	ret = kgr_sysfs_present(ctx);
	if (!ret)
		ret = kgr_mode_permits(ctx);
	if (!ret)
		ret = kgr_deadline_possible(ctx);
	if (!ret)
		ret = kgr_module_open(ctx, ctx->opts.argv[0], &m);
	if (ret)
		goto out;
	if (must_replace(ctx) && m.kgraft && kgr_module_replaces(&m) == KGR_REPLACE_NO) {
		ret = not_cumulative(ctx, m.name);
		kgr_why(ctx, "its module information says so; nothing was done");
		goto out;
	}
	loaded = m.kgraft && kgr_sysfs_module_loaded(ctx, m.name);
	if (!loaded)
		ret = kgr_preflight_quick(ctx, &m);
	if (!ret)
		ret = kgr_wait_begin(ctx, &wait);
	if (ret)
		goto out;
	if (loaded)
		ret = already_loaded(ctx, &wait, &m);
	else
		ret = insert(ctx, &wait, &m, params);
	kgr_wait_end(&wait);
out:
	kgr_module_close(&m);
	free(params);
	return ret;
}

enum kgr_exit kgr_cmd_replace(struct kgr_ctx *ctx)
{
	return kgr_cmd_load(ctx);
}
