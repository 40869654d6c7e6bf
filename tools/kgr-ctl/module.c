// SPDX-License-Identifier: GPL-2.0
/*
 * Finding, reading, inserting and removing modules.
 */
#include <errno.h>
#include <libkmod.h>
#include <linux/kgraft_types.h>
#include <stdlib.h>
#include <string.h>

#include "module.h"
#include "patchfile.h"

bool kgr_module_is_path(const char *arg)
{
	static const char * const suffixes[] = { ".ko", ".ko.gz", ".ko.xz", ".ko.zst" };
	size_t len = strlen(arg);

	if (strchr(arg, '/'))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		size_t n = strlen(suffixes[i]);

		if (len > n && !strcmp(arg + len - n, suffixes[i]))
			return true;
	}
	return false;
}

int kgr_module_functions(struct kgr_module *m)
{
	return m->content.func_count ? 0 : kgr_patchfile_functions(m->path, &m->content);
}

enum kgr_replace kgr_module_replaces(const struct kgr_module *m)
{
	if (m->replace)
		return strcmp(m->replace, "Y") ? KGR_REPLACE_NO : KGR_REPLACE_YES;
	/* kgr-build writes the model into each module, and this where it applies */
	return m->model ? KGR_REPLACE_NO : KGR_REPLACE_UNKNOWN;
}

static void no_log(void *data, int priority, const char *file, int line, const char *fn,
		   const char *format, va_list args)
{
	/* what libkmod would print is in the errors it returns */
	(void)data, (void)priority, (void)file, (void)line, (void)fn, (void)format, (void)args;
}

static struct kmod_ctx *new_kmod(void)
{
	/* aliases, blacklists and options of modprobe.d are not for patches */
	const char *no_config = NULL;
	struct kmod_ctx *kmod = kmod_new(NULL, &no_config);

	if (kmod)
		kmod_set_log_fn(kmod, no_log, NULL);
	return kmod;
}

static const struct tag {
	const char *key;
	size_t offset;
} tags[] = {
	{ "name", offsetof(struct kgr_module, name) },
	{ KGR_MODINFO_BUILD_ID, offsetof(struct kgr_module, build_id) },
	{ KGR_MODINFO_MODEL, offsetof(struct kgr_module, model) },
	{ KGR_MODINFO_REPLACE, offsetof(struct kgr_module, replace) },
	{ KGR_MODINFO_CVE, offsetof(struct kgr_module, cve) },
	{ "vermagic", offsetof(struct kgr_module, vermagic) },
	{ "srcversion", offsetof(struct kgr_module, srcversion) },
	{ "description", offsetof(struct kgr_module, description) },
	{ "license", offsetof(struct kgr_module, license) },
	{ "signer", offsetof(struct kgr_module, signer) },
	{ "sig_id", offsetof(struct kgr_module, sig_id) },
};

/* "OBJECT:NAME,POSITION SIZE SHA256" */
static void take_hash(struct kgr_module *m, const char *value)
{
	char *copy = strdup(value), *name = copy, *rest;
	struct kgr_patch_func f = { .object = strsep(&name, ":") };

	rest = name;
	f.name = strsep(&rest, ",");
	if (f.name && rest) {
		f.sympos = strtoll(rest, NULL, 10);
		kgr_patch_add_func(&m->content, &f);
	}
	free(copy);
}

static void take_tag(struct kgr_module *m, const char *key, const char *value)
{
	if (!strcmp(key, KGR_MODINFO_HASH))
		take_hash(m, value);
	if (!strcmp(key, KGR_MODINFO_TAG))
		m->kgraft = !strcmp(value, "Y");
	for (size_t i = 0; i < ARRAY_SIZE(tags); i++) {
		char **field = (char **)((char *)m + tags[i].offset);

		if (strcmp(key, tags[i].key))
			continue;
		free(*field);
		*field = strdup(value);
	}
}

static int read_tags(struct kgr_module *m)
{
	struct kmod_list *list = NULL, *item;
	int ret = kmod_module_get_info(m->mod, &list);

	if (ret < 0)
		return ret;
	kmod_list_foreach(item, list)
		take_tag(m, kmod_module_info_get_key(item), kmod_module_info_get_value(item));
	kmod_module_info_free_list(list);
	/* a module's name is built in; that of its file may differ */
	if (!m->name)
		m->name = strdup(kmod_module_get_name(m->mod));
	return 0;
}

static enum kgr_exit not_installed(struct kgr_ctx *ctx, const char *name)
{
	enum kgr_exit ret = kgr_fail(ctx, KGR_EXIT_NOTFOUND, "no module '%s' is installed", name);

	kgr_why(ctx, "the module index of the running kernel (modules.dep) does not have it");
	kgr_next(ctx, "give its file, as in ./%s.ko, or run depmod if it has just been installed",
		 name);
	return ret;
}

/* libkmod puts the working directory before "./kgr-fix.ko" as it is */
static char *tidy(const char *path)
{
	char *tidied = strdup(path), *dot;

	while (tidied && (dot = strstr(tidied, "/./")))
		memmove(dot, dot + 2, strlen(dot + 2) + 1);
	return tidied;
}

enum kgr_exit kgr_module_open(struct kgr_ctx *ctx, const char *arg, struct kgr_module *m)
{
	bool is_path = kgr_module_is_path(arg);
	enum kgr_exit ret;
	const char *path;
	int err;

	*m = (struct kgr_module) { .kmod = new_kmod() };
	if (!m->kmod)
		return kgr_fail(ctx, KGR_EXIT_FAIL, "libkmod does not start: %s", strerror(errno));
	if (is_path)
		err = kmod_module_new_from_path(m->kmod, arg, &m->mod);
	else
		err = kmod_module_new_from_name(m->kmod, arg, &m->mod);
	if (!err) {
		path = kmod_module_get_path(m->mod);
		if (!path) {
			ret = not_installed(ctx, arg);
			goto fail;
		}
		m->path = tidy(path);
		err = read_tags(m);
	}
	if (!err)
		return KGR_EXIT_OK;
	if (err == -ENOEXEC || err == -EINVAL || err == -ENODATA || err == -ENOSYS) {
		ret = kgr_fail(ctx, KGR_EXIT_FAIL, "%s: not a kernel module", arg);
		kgr_why(ctx, "it is not an ELF object with module information, or it is compressed in a way that libkmod can't read");
		kgr_next(ctx, "file %s (what it is)", arg);
	} else {
		ret = kgr_fail(ctx, kgr_exit_of_errno(-err), "%s: %s", arg, strerror(-err));
		if (err == -ENOENT)
			kgr_next(ctx, "give the file of a patch module, as in ./kgr-fix.ko");
	}
fail:
	kgr_module_close(m);
	return ret;
}

void kgr_module_close(struct kgr_module *m)
{
	for (size_t i = 0; i < ARRAY_SIZE(tags); i++)
		free(*(char **)((char *)m + tags[i].offset));
	kgr_patch_free(&m->content);
	free(m->path);
	if (m->mod)
		kmod_module_unref(m->mod);
	if (m->kmod)
		kmod_unref(m->kmod);
	*m = (struct kgr_module) { 0 };
}

enum kgr_exit kgr_module_check_patch(struct kgr_ctx *ctx, const struct kgr_module *m)
{
	enum kgr_exit ret;

	if (m->kgraft)
		return KGR_EXIT_OK;
	ret = kgr_fail(ctx, KGR_EXIT_FAIL, "%s is not a kGraft patch module", m->name);
	kgr_why(ctx, "%s has no module information 'kgraft=Y'", m->path);
	kgr_next(ctx, "ordinary modules are loaded with insmod or modprobe");
	return ret;
}

int kgr_module_insert(struct kgr_module *m, const char *params)
{
	return kmod_module_insert_module(m->mod, 0, params);
}

int kgr_module_remove(const char *name)
{
	struct kmod_ctx *kmod = new_kmod();
	struct kmod_module *mod;
	int ret;

	if (!kmod)
		return -ENOMEM;
	ret = kmod_module_new_from_name(kmod, name, &mod);
	if (!ret) {
		ret = kmod_module_remove_module(mod, KMOD_REMOVE_NOLOG);
		kmod_module_unref(mod);
	}
	kmod_unref(kmod);
	return ret;
}
