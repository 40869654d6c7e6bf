// SPDX-License-Identifier: GPL-2.0
/*
 * install and uninstall: the store, and a word on what else matters.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "child.h"
#include "guard.h"
#include "mode.h"
#include "module.h"
#include "out.h"
#include "proc.h"
#include "store.h"
#include "sysfs.h"

static void remark(json_t *remarks, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void remark(json_t *remarks, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	json_array_append_new(remarks, kgr_json_str(text));
}

static void store_text(struct kgr_ctx *ctx, const json_t *doc)
{
	json_t *line;
	size_t i;

	fprintf(ctx->out, "%s: %s for %s\n", json_string_value(json_object_get(doc, "name")),
		json_string_value(json_object_get(doc, "result")),
		json_string_value(json_object_get(doc, "release")));
	json_array_foreach(json_object_get(doc, "remarks"), i, line) {
		fputs("  ", ctx->out);
		kgr_put_clean(ctx->out, json_string_value(line));
		fputc('\n', ctx->out);
	}
}

/* "6.12.117 SMP preempt mod_unload " */
static enum kgr_exit release_of(struct kgr_ctx *ctx, const struct kgr_module *m, char **release)
{
	enum kgr_exit ret;

	if (m->vermagic && *m->vermagic && *m->vermagic != ' ') {
		*release = strndup(m->vermagic, strcspn(m->vermagic, " "));
		return KGR_EXIT_OK;
	}
	ret = kgr_fail(ctx, KGR_EXIT_FAIL, "%s does not say which kernel it was made for", m->name);
	kgr_why(ctx, "%s has no module information 'vermagic'", m->path);
	kgr_next(ctx, "make the module anew with kgr-build");
	return ret;
}

static bool other_build(struct kgr_ctx *ctx, const struct kgr_module *m)
{
	char build_id[128];

	return m->build_id && !kgr_sysfs_kernel_build_id(ctx, build_id, sizeof(build_id)) &&
	       strcasecmp(build_id, m->build_id);
}

static json_t *install_remarks(struct kgr_ctx *ctx, const struct kgr_module *m,
			       const struct kgr_store *s, const struct kgr_store_patch *patch,
			       const struct kgr_guard *guard, const char *running)
{
	json_t *remarks = json_array();
	struct kgr_host host;

	if (strcmp(s->release, running))
		remark(remarks, "the running kernel is %s", running);
	else if (other_build(ctx, m))
		remark(remarks, "made for another build of that kernel than the running one, which won't take it");
	else if (!kgr_sysfs_module_loaded(ctx, m->name))
		remark(remarks, "not in the running kernel yet: kgr-ctl autoload %s", m->name);
	if (kgr_guard_holds_back(guard))
		remark(remarks, "the guard holds this file back: kgr-ctl autoload --retry %s",
		       m->name);
	if (kgr_mode_read(ctx, &host))
		remark(remarks, "%s", ctx->diag.what);
	else if (host.mode != KGR_MODE_NORMAL)
		remark(remarks, "this host's mode is '%s': %s", kgr_mode_word(host.mode),
		       kgr_mode_text(host.mode));
	kgr_diag_reset(&ctx->diag);
	if (patch->initramfs)
		remark(remarks, "the initramfs needs kGraft's hook: update-initramfs -u -k %s, or dracut --force --kver %s",
		       s->release, s->release);
	return remarks;
}

static enum kgr_exit install(struct kgr_ctx *ctx, const struct kgr_module *m,
			     struct kgr_store *s)
{
	static const char * const results[] = {
		[KGR_PUT_NEW] = "installed",
		[KGR_PUT_REPLACED] = "replaced",
		[KGR_PUT_SAME] = "already-installed",
	};
	const struct kgr_store_patch *patch;
	struct kgr_guard guard;
	char running[256], *path;
	enum kgr_put how;
	enum kgr_exit ret = kgr_store_put(ctx, s, m->name, m->path,
					  kgr_opt(ctx, KGR_OPT_INITRAMFS), &how);
	json_t *doc;

	if (ret)
		return ret;
	patch = kgr_store_find(s, m->name);
	/* it is installed, whether or not this boot has an id */
	if (kgr_guard_read(ctx, s, patch, &guard))
		kgr_diag_reset(&ctx->diag);
	kgr_proc_release(ctx, running, sizeof(running));
	path = kgr_store_path(s, patch);
	doc = json_pack("{s:s,s:o,s:o,s:o,s:b,s:s,s:o}", "result", results[how],
			"name", kgr_json_str(m->name),
			"release", kgr_json_str(s->release),
			"path", kgr_json_str(path),
			"initramfs", patch->initramfs,
			"guard", kgr_guard_word(guard.state),
			"remarks", install_remarks(ctx, m, s, patch, &guard, running));
	free(path);
	return kgr_show(ctx, doc, store_text);
}

enum kgr_exit kgr_cmd_install(struct kgr_ctx *ctx)
{
	struct kgr_module m;
	struct kgr_store s;
	char *release = NULL;
	enum kgr_exit ret = kgr_module_open(ctx, ctx->opts.argv[0], &m);

	if (ret)
		return ret;
	ret = kgr_module_check_patch(ctx, &m);
	if (!ret)
		ret = release_of(ctx, &m, &release);
	if (!ret)
		ret = kgr_store_change(ctx, release, &s);
	if (!ret) {
		ret = install(ctx, &m, &s);
		kgr_store_close(&s);
	}
	free(release);
	kgr_module_close(&m);
	return ret;
}

static enum kgr_exit not_installed(struct kgr_ctx *ctx, const char *release, const char *name)
{
	enum kgr_exit ret = kgr_fail(ctx, KGR_EXIT_NOTFOUND, "no patch '%s' is installed for %s",
				     name, release);
	json_t *releases = kgr_store_releases(ctx), *other;
	size_t i;

	json_array_foreach(releases, i, other) {
		struct kgr_diag kept = ctx->diag;
		struct kgr_store s;
		bool there;

		ctx->diag = (struct kgr_diag) { 0 };
		there = !kgr_store_read(ctx, json_string_value(other), &s) &&
			kgr_store_find(&s, name);
		kgr_store_close(&s);
		kgr_diag_reset(&ctx->diag);
		ctx->diag = kept;
		if (there)
			kgr_next(ctx, "kgr-ctl uninstall --kernel %s %s",
				 json_string_value(other), name);
	}
	json_decref(releases);
	kgr_next(ctx, "kgr-ctl status (what is installed)");
	return ret;
}

/* The module's name: of a patch in the kernel, it need not be what was typed */
static char *module_name(struct kgr_ctx *ctx, const struct kgr_store *s, const char *name)
{
	struct kgr_store_patch *patch = kgr_store_find(s, name);
	struct kgr_patch loaded;
	char *module = NULL;

	if (!patch && !kgr_sysfs_find(ctx, name, &loaded)) {
		patch = loaded.module ? kgr_store_find(s, loaded.module) : NULL;
		kgr_patch_free(&loaded);
	}
	kgr_diag_reset(&ctx->diag);
	if (patch)
		module = strdup(patch->name);
	return module;
}

static enum kgr_exit revert(struct kgr_ctx *ctx, const char *name)
{
	char seconds[32];
	const char *argv[] = { "unload", "--revert", "--json", "--timeout", seconds, name, NULL };
	enum kgr_exit ret;
	json_t *doc;

	snprintf(seconds, sizeof(seconds), "%.3f", ctx->opts.timeout_ms / 1000.0);
	ret = kgr_child_run(ctx, argv, ctx->opts.timeout_ms ? ctx->opts.timeout_ms + KGR_CHILD_MORE_MS :
			    INT64_MAX / 2, &doc);
	if (ret) {
		ret = kgr_child_failed(ctx, ret, doc);
		kgr_why(ctx, "it was uninstalled all the same: the next boot is without it");
	}
	json_decref(doc);
	return ret;
}

static enum kgr_exit uninstalled(struct kgr_ctx *ctx, const char *release, const char *name,
				 bool here)
{
	bool loaded = here && kgr_sysfs_module_loaded(ctx, name), reverted = false;
	json_t *remarks;
	enum kgr_exit ret;

	if (loaded && kgr_opt(ctx, KGR_OPT_REVERT)) {
		ret = revert(ctx, name);
		if (ret)
			return ret;
		reverted = true;
	}
	remarks = json_array();
	if (reverted)
		remark(remarks, "reverted and unloaded");
	else if (loaded)
		remark(remarks, "still in the running kernel: kgr-ctl unload --revert %s", name);
	return kgr_show(ctx, json_pack("{s:s,s:o,s:o,s:b,s:b,s:o}", "result", "uninstalled",
				       "name", kgr_json_str(name),
				       "release", kgr_json_str(release),
				       "loaded", loaded && !reverted,
				       "reverted", reverted,
				       "remarks", remarks),
			store_text);
}

enum kgr_exit kgr_cmd_uninstall(struct kgr_ctx *ctx)
{
	const char *release = ctx->opts.kernel;
	char running[256], *name;
	struct kgr_store s;
	enum kgr_exit ret;
	bool here;

	kgr_proc_release(ctx, running, sizeof(running));
	if (!release)
		release = running;
	here = !strcmp(release, running);
	if (!here && kgr_opt(ctx, KGR_OPT_REVERT))
		return kgr_fail(ctx, KGR_EXIT_USAGE,
				"'--revert' is for the running kernel (%s), not for %s", running,
				release);
	/* looked for first: who finds nothing needs no rights to write */
	ret = kgr_store_read(ctx, release, &s);
	if (ret)
		return ret;
	name = module_name(ctx, &s, ctx->opts.argv[0]);
	kgr_store_close(&s);
	if (!name)
		return not_installed(ctx, release, ctx->opts.argv[0]);
	ret = kgr_store_change(ctx, release, &s);
	if (!ret) {
		if (kgr_store_find(&s, name))
			ret = kgr_store_remove(ctx, &s, name);
		kgr_store_close(&s);
	}
	if (!ret)
		ret = uninstalled(ctx, release, name, here);
	free(name);
	return ret;
}
