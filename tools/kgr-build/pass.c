// SPDX-License-Identifier: GPL-2.0
/* The order of things */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "kgr-build.h"
#include "names.h"

static int pass_vmlinux(struct kgr_build *b)
{
	return symtab_open(&b->diag, &b->arena, &b->vmlinux,
			   tree_path(&b->arena, &b->tree, "vmlinux"), b->tree.symvers);
}

int pass_tree(struct kgr_build *b)
{
	if (tree_open(&b->diag, &b->tree, b->opts.objdir, b->opts.srcdir))
		return -1;
	return b->opts.oot ? tree_open_outside(&b->diag, &b->tree, b->opts.oot) : 0;
}

/*
 * A pass needs what those before it have made, and returns 0, or -1 after a
 * diagnostic.  A failure ends the run.  Refusals are collected up to the pass with
 * last_look, so that all of them are known; what follows only makes the module.
 */
const struct pass passes[] = {
	{ "tree",	"looking at the build tree",		pass_tree, false },
	{ "diff",	"reading the diff",			pass_diff, false },
	{ "apply",	"making a private view",		pass_apply, false },
	{ "vmlinux",	"reading vmlinux",			pass_vmlinux, false },
	{ "tables",	"looking at vmlinux's tables",		pass_tables, false },
	{ "objects",	"finding the objects concerned",	pass_objects, false },
	{ "screen",	"looking for objects that change",	pass_screen, false },
	{ "compile",	"rebuilding objects twice",		pass_compile, false },
	{ "load",	"reading objects",			pass_load, false },
	{ "correlate",	"matching old and new",			pass_correlate, false },
	{ "compare",	"comparing",				pass_compare, false },
	{ "locate",	"looking up the source",		pass_locate, false },
	{ "layout",	"comparing types",			pass_layout, false },
	{ "built",	"comparing with the tree's objects",	pass_built, false },
	{ "author",	"reading what the author says",		pass_author, false },
	{ "closure",	"collecting what comes along",		pass_closure, false },
	{ "resolve",	"resolving symbols",			pass_resolve, false },
	{ "model",	"choosing a model",			pass_choose_model, false },
	{ "signature",	"comparing prototypes",			pass_signature, false },
	{ "safety",	"looking at what the functions do",	pass_safety, false },
	{ "verify",	"checking",				pass_verify, true },
	{ "emit",	"writing the new code",			pass_emit, false },
	{ "module",	"linking the module",			pass_module, false },
	{ "postlink",	"finishing the module",			pass_postlink, false },
	{ NULL, NULL, NULL, false }
};

char *tmp_path(struct kgr_build *b, const char *fmt, ...)
{
	va_list ap;
	char *rel;

	va_start(ap, fmt);
	rel = arena_vprintf(&b->arena, fmt, ap);
	va_end(ap);
	return arena_printf(&b->arena, "%s/%s", b->tmp, rel);
}

static bool disk_is_full(const struct kgr_build *b)
{
	struct statvfs fs;

	return b->tmp && !statvfs(b->tmp, &fs) &&
		((uint64_t)fs.f_bavail * fs.f_bsize < (256 << 10) || (fs.f_files && !fs.f_favail));
}

int io_error(struct kgr_build *b, const char *path, int err)
{
	if (err == -ENOSPC || err == -EDQUOT || disk_is_full(b))
		return diag(&b->diag, D_NO_SPACE, AT_FILE(b->tmp), "%s", strerror(ENOSPC));
	return diag(&b->diag, D_IO, AT_FILE(path), "%s", strerror(-err));
}

bool out_of_space(struct kgr_build *b, const char *output)
{
	if (!disk_is_full(b) && !(output && strstr(output, strerror(ENOSPC))))
		return false;
	diag(&b->diag, D_NO_SPACE, AT_FILE(b->tmp), "%s", strerror(ENOSPC));
	return true;
}

static const char * const tmp_dirs[] = { "layer", "empty", "links", "obj", "module", "tmp" };

static int fill_tmp(struct kgr_build *b)
{
	for (size_t i = 0; i < ARRAY_SIZE(tmp_dirs); i++) {
		int err = make_dirs(tmp_path(b, "%s", tmp_dirs[i]));

		if (err)
			return io_error(b, b->tmp, err);
	}
	return 0;
}

static int make_tmp(struct kgr_build *b)
{
	const char *base = getenv("TMPDIR");
	char *abs;

	abs = realpath(base && *base ? base : "/tmp", NULL);
	if (!abs)
		return diag(&b->diag, D_IO, AT_FILE(base), "%s", strerror(errno));
	b->tmp = arena_printf(&b->arena, "%s/kgr-build.XXXXXX", abs);
	free(abs);
	if (!mkdtemp(b->tmp)) {
		int err = -errno;
		char *path = b->tmp;

		b->tmp = NULL;
		return io_error(b, path, err);
	}
	b->module_dir = tmp_path(b, "module");
	return fill_tmp(b);
}

/* Both versions of a package have to be loaded at once for one to replace the other */
static char *add_version(struct kgr_build *b, const char *name)
{
	char *both = arena_printf(&b->arena, "%s-%s", name, b->opts.package_version);

	for (char *p = both; *p; p++)
		if (strchr("._+~", *p))
			*p = '-';
	return both;
}

/* From --name, or else from the name of the first diff */
static void make_names(struct kgr_build *b)
{
	char *name = arena_strdup(&b->arena, path_base(b->opts.patches.v[0]));
	char *dot = strrchr(name, '.');

	if (dot && dot > name)
		*dot = 0;
	name = name_identifier(&b->arena, name);
	/* a version, which must not be what is cut off, has up to 24 */
	if (strlen(name) > (b->opts.package ? 16 : 40))
		name[b->opts.package ? 16 : 40] = 0;
	if (b->opts.package)
		name = add_version(b, name);
	for (char *p = name; *p; p++)
		if (*p == '_')
			*p = '-';
	b->patch_name = b->opts.name ? arena_strdup(&b->arena, b->opts.name) :
		str_starts(name, "kgr-") ? name : arena_printf(&b->arena, "kgr-%s", name);
	b->module_name = b->patch_name;
	b->out_path = b->opts.out ? arena_strdup(&b->arena, b->opts.out) :
		arena_printf(&b->arena, "%s.ko", b->patch_name);
}

static void progress(const struct kgr_build *b, size_t nr, double seconds)
{
	bool tty = isatty(STDERR_FILENO), done = seconds >= 0;
	size_t total = ARRAY_SIZE(passes) - 1;

	if (b->opts.quiet || (!tty && !b->opts.verbose) || (!tty && !done))
		return;
	fprintf(stderr, "%s[%2zu/%zu] %-34s", tty ? "\r" : "", nr + 1, total, passes[nr].doing);
	if (done)
		fprintf(stderr, " %6.2f s%s\n", seconds, tty ? "\033[K" : "");
	fflush(stderr);
}

void pass_progress(const struct kgr_build *b, size_t done, size_t total)
{
	if (b->opts.quiet || !isatty(STDERR_FILENO))
		return;
	fprintf(stderr, "\r[%2zu/%zu] %-34s %zu of %zu", b->pass + 1, ARRAY_SIZE(passes) - 1,
		passes[b->pass].doing, done, total);
	fflush(stderr);
}

static int run_pass(struct kgr_build *b, size_t nr)
{
	double start = now();
	struct stage_time t = { .name = passes[nr].name };
	int err;

	b->pass = nr;

	progress(b, nr, -1);
	err = passes[nr].run(b);
	if (!err)
		err = run_interrupted(&b->diag);
	t.seconds = now() - start;
	vec_push(&b->arena, &b->times, t);
	progress(b, nr, t.seconds);
	return err;
}

/* Nothing of the kernel changes: that is an answer, not a failure */
static bool nothing_to_do(const struct kgr_build *b, size_t nr)
{
	return passes[nr].last_look && !b->changed.n;
}

/* Nothing stands against what was looked at: now for what was postponed */
static bool goes_on(const struct kgr_build *b, size_t nr)
{
	return passes[nr].last_look && b->postponed && !b->diag.count[CLASS_REFUSE];
}

static int start_over(struct kgr_build *b)
{
	struct kgr_build fresh = {
		.arena = b->arena, .opts = b->opts, .diag = { .arena = &b->arena },
		.tmp = b->tmp, .module_dir = b->module_dir, .module_name = b->module_name,
		.patch_name = b->patch_name, .out_path = b->out_path, .times = b->times,
		.started = b->started, .whole = true,
	};
	*b = fresh;
	for (size_t i = 0; i < ARRAY_SIZE(tmp_dirs); i++)
		remove_tree(tmp_path(b, "%s", tmp_dirs[i]));
	return fill_tmp(b);
}

void run_passes(struct kgr_build *b)
{
	b->started = now();
	make_names(b);
	if (make_tmp(b) || run_setup(&b->diag, tmp_path(b, "tmp")))
		return;
	for (size_t i = 0; passes[i].run; i++) {
		if (run_pass(b, i) || diag_fatal(&b->diag))
			return;
		if (goes_on(b, i)) {
			if (start_over(b))
				return;
			i = (size_t)-1;
			continue;
		}
		if (passes[i].last_look && (b->diag.count[CLASS_REFUSE] || nothing_to_do(b, i)))
			return;
	}
}
