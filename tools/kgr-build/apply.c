// SPDX-License-Identifier: GPL-2.0
/* Reads the diffs, and makes patched copies of what they touch */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "kgr-build.h"
#include "scope.h"

int pass_diff(struct kgr_build *b)
{
	struct diff_file *f;
	int err = 0;

	for (size_t i = 0; i < b->opts.patches.n; i++) {
		const char *path = b->opts.patches.v[i];
		struct diff df;
		size_t size;
		char *text;
		int e = file_read(&b->arena, path, &text, &size);

		if (e)
			return diag(&b->diag, D_IO, AT_FILE(path), "%s", strerror(-e));
		if (strlen(text) != size)
			return diag(&b->diag, D_DIFF_SYNTAX, AT_FILE(path), "it holds NUL bytes");
		if (diff_parse(&b->diag, path, text, &df) ||
		    diff_resolve(&b->diag, b->tree.srcdir, &df)) {
			err = -1;
			continue;
		}
		describe_read(b, text);
		vec_each(f, &df.files)
			scope_file(b, &df, f);
		vec_push(&b->arena, &b->diffs, df);
	}
	return err;
}

static char *layer_path(struct kgr_build *b, const char *path)
{
	return tmp_path(b, "layer/%s", path);
}

static char *source_path(struct kgr_build *b, const char *path)
{
	return arena_printf(&b->arena, "%s/%s", b->tree.srcdir, path);
}

static int copy_originals(struct kgr_build *b)
{
	struct diff_file *f;
	struct diff *df;

	vec_each(df, &b->diffs) vec_each(f, &df->files) {
		char *from = source_path(b, f->path), *to = layer_path(b, f->path);
		int err = make_parent_dirs(&b->arena, to);

		if (err)
			return io_error(b, to, err);
		if (f->oddity & (DIFF_NEW | DIFF_BINARY))
			continue;
		err = file_copy(from, to);
		if (err)
			return io_error(b, err == -EACCES ? from : to, err);
	}
	return 0;
}

static struct cmd patch_command(struct kgr_build *b, const struct diff *df, bool reverse)
{
	char *abs = realpath(df->name, NULL);
	char *argv[] = {
		"patch", arena_printf(&b->arena, "-p%u", df->strip), arena_printf(&b->arena, "-F%u", b->opts.fuzz), "-f", "-N", "-u",
		"--no-backup-if-mismatch", "-r", "-", "-i", arena_strdup(&b->arena, abs ? abs : ""),
		reverse ? "-R" : NULL, reverse ? "--dry-run" : NULL, NULL
	};
	struct cmd cmd = {
		.argv = arena_memdup(&b->arena, argv, sizeof(argv)),
		.cwd = tmp_path(b, "layer"),
	};

	free(abs);
	return cmd;
}

/* The lines of what patch said that have one of @texts in them, with their files */
static char *complaint(struct kgr_build *b, const struct cmd *cmd, const char *text)
{
	struct buf out = { .arena = &b->arena };
	char *log = arena_strdup(&b->arena, cmd->output), *line, *file = "";

	buf_puts(&out, "");
	while ((line = strsep(&log, "\n"))) {
		if (str_starts(line, "patching file "))
			file = line + strlen("patching file ");
		else if (text ? !!strstr(line, text) : strstr(line, "FAILED") ||
			 strstr(line, "can't find") || strstr(line, "malformed"))
			buf_printf(&out, "%s%s%s%s", out.n ? ", " : "", file, *file ? ": " : "",
				   line);
	}
	return out.n ? out.s : cmd->output;
}

static int apply_one(struct kgr_build *b, const struct diff *df)
{
	struct cmd cmd = patch_command(b, df, false), back;

	if (!find_program(&b->arena, "patch"))
		return diag(&b->diag, D_TOOL, NULL, "patch");
	if (run_one(&b->diag, &cmd))
		return -1;
	if (cmd_ok(&cmd)) {
		if (strstr(cmd.output, " with fuzz "))
			diag(&b->diag, D_DIFF_FUZZ, AT_FILE(df->name), "%s",
			     complaint(b, &cmd, "with fuzz"));
		return 0;
	}
	if (out_of_space(b, cmd.output) || copy_originals(b))
		return -1;
	back = patch_command(b, df, true);
	if (run_one(&b->diag, &back))
		return -1;
	if (cmd_ok(&back))
		return diag(&b->diag, D_DIFF_APPLIED, AT_FILE(df->name), "%s", b->tree.srcdir);
	return diag(&b->diag, D_DIFF_APPLY, AT_FILE(df->name), "%s", complaint(b, &cmd, NULL));
}

/* The hunks between the two files as they are: offsets and several diffs are in it */
static int find_hunks(struct kgr_build *b, struct touched *t)
{
	char *argv[] = {
		"diff", "-U0", "--", source_path(b, t->path), layer_path(b, t->path), NULL
	};
	struct cmd cmd = { .argv = argv };
	struct diff_hunk *h;
	struct diff df;
	char *text;

	if (!find_program(&b->arena, "diff"))
		return diag(&b->diag, D_TOOL, NULL, "diff");
	if (run_one(&b->diag, &cmd))
		return -1;
	text = cmd.output;
	if (cmd_ok(&cmd) || !*text)
		return 0;		/* no difference at all */
	if (diff_parse(&b->diag, t->path, text, &df))
		return -1;
	vec_each(h, &df.files.v[0].hunks)
		vec_push(&b->arena, &t->hunks, *h);
	return 0;
}

static int prepare_copy(struct kgr_build *b, struct touched *t)
{
	char *path = layer_path(b, t->path), *before, *after, *text;
	int err;

	if (!t->is_new && find_hunks(b, t))
		return -1;
	before = "";
	err = t->is_new ? 0 : file_read(&b->arena, source_path(b, t->path), &before, NULL);
	if (!err)
		err = file_read(&b->arena, path, &after, NULL);
	if (err)
		return io_error(b, path, err);
	src_scan(&b->arena, before, &t->orig);
	src_scan(&b->arena, after, &t->patched);
	t->mentionable = t->header && mention_collect(&b->arena, before, after, &t->orig,
						      &t->patched, t->hunks.v, t->hunks.n,
						      &t->mentions);
	mention_macros(&b->arena, before, after, &t->orig, &t->patched, t->hunks.v, t->hunks.n,
		       &t->macros);
	text = src_keep_lines(&b->arena, after, t->hunks.v, t->hunks.n);
	err = file_write(path, text, strlen(text));
	return err ? io_error(b, path, err) : 0;
}

int pass_apply(struct kgr_build *b)
{
	struct touched *t;
	strvec paths = { 0 };
	struct diff *df;

	if (copy_originals(b))
		return -1;
	vec_each(df, &b->diffs)
		if (apply_one(b, df))
			return -1;
	vec_each(t, &b->touched) {
		if (prepare_copy(b, t))
			return -1;
		if (t->header)
			diag(&b->diag, D_HEADER, AT_FILE(t->path), "%s", "");
		vec_push(&b->arena, &paths, arena_strdup(&b->arena, t->path));
	}
	b->view.srcdir = b->tree.srcdir;
	b->view.objdir = b->tree.objdir;
	b->view.layer = tmp_path(b, "layer");
	b->view.empty = tmp_path(b, "empty");
	b->view.links = tmp_path(b, "links");
	return view_setup(&b->diag, &b->view, b->tmp, b->opts.view, &paths);
}
