// SPDX-License-Identifier: GPL-2.0
/* The kernel build tree: is it one, is it built, can it be worked with */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "tree.h"

/* What must (or must not) be configured, and why */
static const struct {
	const char *option;
	bool want;
	const char *why;
} requirements[] = {
	{ "CONFIG_X86_64",		true,	"only x86-64 is supported" },
	{ "CONFIG_KGRAFT",		true,	"this kernel can't load patch modules" },
	{ "CONFIG_MODULES",		true,	"this kernel can't load modules" },
	{ "CONFIG_KALLSYMS",		true,	"patch modules find symbols through kallsyms" },
	{ "CONFIG_KALLSYMS_ALL",	true,	"patch modules find data through kallsyms" },
	{ "CONFIG_UNWINDER_ORC",	true,	"patch modules need ORC unwind data" },
	{ "CONFIG_CC_IS_GCC",		true,	"only gcc has been tested" },
	{ "CONFIG_CFI_CLANG",		false,	"hashes of function types (KCFI, FineIBT) aren't supported yet" },
	{ "CONFIG_LTO_CLANG",		false,	"with LTO there are no object files to compare" },
	{ "CONFIG_KASAN_SW_TAGS",	false,	"only generic KASAN is supported" },
	{ "CONFIG_KCSAN",		false,	"code instrumented by KCSAN isn't supported yet" },
	{ "CONFIG_GCOV_KERNEL",		false,	"code instrumented by gcov isn't supported yet" },
	{ "CONFIG_GCC_PLUGIN_LATENT_ENTROPY", false,
	  "its plugin puts other random numbers into the code each time it is compiled" },
	{ "CONFIG_RANDSTRUCT",		false,	"randomised struct layouts aren't supported yet" },
};

const char *tree_config(const struct tree *t, const char *name)
{
	return map_get(&t->config, name);
}

char *tree_path(struct arena *a, const struct tree *t, const char *path)
{
	return *path == '/' ? arena_strdup(a, path) : arena_printf(a, "%s/%s", t->objdir, path);
}

static char *real_path(struct arena *a, const char *path)
{
	char buf[PATH_MAX];

	return realpath(path, buf) ? arena_strdup(a, buf) : NULL;
}

/* Lines NAME=value; strings are quoted */
static int read_config(struct diag *d, struct tree *t)
{
	char *path = tree_path(d->arena, t, "include/config/auto.conf"), *text, *line;
	int err = file_read(d->arena, path, &text, NULL);

	if (err)
		return diag(d, D_TREE_UNBUILT, AT_FILE(path), "%s", strerror(-err));
	while ((line = strsep(&text, "\n"))) {
		char *value = strchr(line, '=');
		size_t n;

		if (*line == '#' || !value)
			continue;
		*value++ = 0;
		n = strlen(value);
		if (n > 1 && *value == '"') {
			value[n - 1] = 0;
			value++;
		}
		map_set(d->arena, &t->config, line, value);
	}
	return 0;
}

static int check_config(struct diag *d, const struct tree *t)
{
	int err = 0;

	for (size_t i = 0; i < ARRAY_SIZE(requirements); i++)
		if (!!tree_config(t, requirements[i].option) != requirements[i].want)
			err = diag(d, D_TREE_CONFIG, AT_FILE(t->objdir), "%s is %sset: %s",
				   requirements[i].option, requirements[i].want ? "not " : "",
				   requirements[i].why);
	return err;
}

/* The source tree: -s, or the tree itself, or what the build tree points to */
static int find_source(struct diag *d, struct tree *t, const char *srcdir)
{
	const char *tries[] = {
		srcdir ? srcdir : t->objdir,
		srcdir ? NULL : tree_path(d->arena, t, "source"),
	};

	for (size_t i = 0; i < ARRAY_SIZE(tries) && tries[i]; i++)
		if (file_exists(arena_printf(d->arena, "%s/kernel/Makefile", tries[i]))) {
			t->srcdir = real_path(d->arena, tries[i]);
			return 0;
		}
	return diag(d, D_TREE_PATH, AT_FILE(tries[0]), "no kernel source here; give it with -s");
}

/*
 * Names of the members of a thin archive, from its table of names: 60 bytes of
 * header, then names that end in "/\n", relative to the archive's directory.
 */
static int read_members(struct diag *d, struct tree *t, const char *archive)
{
	char *data, *p, *dir = path_dir(d->arena, archive), *name;
	size_t size, len = 0;
	int err;

	err = file_read(d->arena, tree_path(d->arena, t, archive), &data, &size);
	if (err)
		return err;
	if (size < 8 || memcmp(data, "!<thin>\n", 8))
		return -EINVAL;
	for (p = data + 8; p + 60 <= data + size; p += 60 + len + (len & 1)) {
		len = strtoul(arena_strndup(d->arena, p + 48, 10), NULL, 10);
		if (*p != '/' || len > (size_t)(data + size - p - 60))
			return -EINVAL;
		if (p[1] == '/')
			break;
	}
	if (p + 60 > data + size)
		return -EINVAL;
	data = arena_strndup(d->arena, p + 60, len);
	while ((name = strsep(&data, "\n"))) {
		char *slash = strrchr(name, '/');

		if (!slash || slash[1])
			continue;
		*slash = 0;
		if (strcmp(dir, "."))
			name = arena_printf(d->arena, "%s/%s", dir, name);
		map_set(d->arena, &t->members, name, t);
	}
	return 0;
}

static int find_members(struct diag *d, struct tree *t)
{
	static const struct {
		const char *path;
		bool optional;
	} archives[] = {
		{ "vmlinux.a", false }, { "lib/lib.a", true }, { "arch/x86/lib/lib.a", true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(archives); i++) {
		int err = read_members(d, t, archives[i].path);

		if (err && !(err == -ENOENT && archives[i].optional))
			return diag(d, D_TREE_UNBUILT, AT_FILE(archives[i].path), "%s",
				    strerror(-err));
	}
	return 0;
}

/* KBUILD_MODNAME: what isn't fit for an identifier is replaced */
static char *module_name(struct arena *a, const char *path)
{
	char *name = arena_strdup(a, path_base(path));

	for (char *p = name; *p; p++)
		if (*p == '-' || *p == ',')
			*p = '_';
	return name;
}

/* @path.mod lists the objects that the module is linked from */
static int read_module(struct diag *d, struct tree *t, char *path)
{
	static const struct tree_module several;
	struct tree_module *m = arena_alloc(d->arena, sizeof(*m));
	char *text, *line, *list = arena_printf(d->arena, "%s.mod", path);
	int err = file_read(d->arena, tree_path(d->arena, t, list), &text, NULL);

	if (err)
		return diag(d, D_TREE_UNBUILT, AT_FILE(list), "%s", strerror(-err));
	m->path = path;
	m->name = module_name(d->arena, path);
	map_set(d->arena, &t->modules, path, m);
	while ((line = strsep(&text, "\n")))
		if (*line)
			map_set(d->arena, &t->parts, line,
				map_get(&t->parts, line) ? (void *)&several : m);
	return 0;
}

/* There is no modules.order in a tree whose modules were not built */
static int find_modules(struct diag *d, struct tree *t, const char *order)
{
	char *text, *line;
	int err = file_read(d->arena, tree_path(d->arena, t, order), &text, NULL);

	if (err == -ENOENT && !t->extdir)
		return 0;
	if (err)
		return diag(d, D_TREE_UNBUILT, AT_FILE(order), "%s", strerror(-err));
	while ((line = strsep(&text, "\n"))) {
		if (!str_ends(line, ".o"))
			continue;
		line[strlen(line) - 2] = 0;
		if (read_module(d, t, line))
			return -1;
	}
	return 0;
}

static int find_symvers(struct diag *d, struct tree *t)
{
	static const char * const names[] = { "Module.symvers", "vmlinux.symvers" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		t->symvers = tree_path(d->arena, t, names[i]);
		if (file_exists(t->symvers))
			return 0;
	}
	return diag(d, D_TREE_UNBUILT, AT_FILE(t->objdir), "no %s", names[0]);
}

static int check_built(struct diag *d, const struct tree *t)
{
	static const char * const files[] = {
		"vmlinux", "scripts/mod/modpost", "scripts/module.lds", "tools/objtool/objtool",
		"include/generated/autoconf.h", "include/config/kernel.release",
	};
	int err = 0;

	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		if (!file_exists(tree_path(d->arena, t, files[i])))
			err = diag(d, D_TREE_UNBUILT, AT_FILE(t->objdir), "no %s", files[i]);
	return err;
}

int tree_open(struct diag *d, struct tree *t, const char *objdir, const char *srcdir)
{
	char *release;

	t->objdir = real_path(d->arena, objdir);
	if (!t->objdir || !dir_exists(t->objdir))
		return diag(d, D_TREE_PATH, AT_FILE(objdir), "not a directory");
	if (!file_exists(tree_path(d->arena, t, ".config")))
		return diag(d, D_TREE_PATH, AT_FILE(objdir), "no .config");
	if (find_source(d, t, srcdir) || read_config(d, t))
		return -1;
	if (check_config(d, t) | check_built(d, t))
		return -1;
	if (file_read(d->arena, tree_path(d->arena, t, "include/config/kernel.release"), &release,
		      NULL))
		return diag(d, D_TREE_UNBUILT, AT_FILE(objdir), "no kernel.release");
	t->release = strsep(&release, "\n");
	if (find_symvers(d, t))
		return -1;
	return find_members(d, t) || find_modules(d, t, "modules.order") ? -1 : 0;
}

static bool inside(const char *path, const char *dir)
{
	size_t n = strlen(dir);

	return !strncmp(path, dir, n) && (!path[n] || path[n] == '/');
}

int tree_open_outside(struct diag *d, struct tree *t, const char *dir)
{
	const char *real = real_path(d->arena, dir);

	if (!real || !dir_exists(real))
		return diag(d, D_TREE_PATH, AT_FILE(dir), "not a directory");
	if (inside(real, t->objdir) || inside(t->objdir, real) || inside(real, t->srcdir))
		return diag(d, D_TREE_PATH, AT_FILE(real),
			    "no place outside of the kernel's tree; what is inside needs no --oot");
	t->extdir = t->srcdir = real;
	return find_modules(d, t, arena_printf(d->arena, "%s/modules.order", real));
}
