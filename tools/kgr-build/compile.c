// SPDX-License-Identifier: GPL-2.0
/* Rebuilds the objects concerned, in their original and in their patched form */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "cache.h"
#include "load.h"
#include "special.h"

static char *first_line(struct arena *a, const char *text)
{
	return arena_strndup(a, text, strcspn(text, "\n"));
}

/*
 * Sources that the diff adds.  A header, or a file that others include, needs no
 * object; any other source has to be linked somewhere.
 */
static int add_new_objects(struct kgr_build *b, objvec *objects)
{
	for (size_t i = 0; i < b->touched.n; i++) {
		const struct touched *t = &b->touched.v[i];
		const char *like;
		struct object *o;

		if (!t->is_new || !strvec_has(&b->linked, t->path))
			continue;
		o = tree_new_object(&b->diag, &b->tree, t->path, &like);
		if (!o) {
			diag(&b->diag, D_DIFF_NEW_FILE, AT_FILE(t->path),
			     "no object of its directory is in vmlinux: how it's compiled can't be told");
			continue;
		}
		vec_push(&b->arena, &o->files, i);
		vec_push(&b->arena, objects, o);
		diag(&b->diag, D_BUILT_LIKE, AT_FILE(t->path), "%s", like);
	}
	return diag_fatal(&b->diag) ? -1 : 0;
}

static int find_units(struct kgr_build *b)
{
	unsigned int *found = arena_alloc(&b->arena, (b->touched.n + 1) * sizeof(*found));
	objvec objects = { 0 };
	strvec files = { 0 };

	for (size_t i = 0; i < b->touched.n; i++)
		vec_push(&b->arena, &files, (char *)b->touched.v[i].path);
	if (files.n && tree_find_objects(&b->diag, &b->tree, &files, &objects, found))
		return -1;
	if (add_new_objects(b, &objects))
		return -1;
	for (size_t i = 0; i < files.n; i++)
		if (!found[i] && !b->touched.v[i].is_new)
			diag(&b->diag, objects.n ? D_NOT_BUILT : D_NO_OBJECT, AT_FILE(files.v[i]),
			     "%s", "");
	for (size_t i = 0; i < objects.n; i++) {
		struct unit u = { .object = objects.v[i] };
		const char *ext = u.object->is_text ? "s" : "o";

		u.orig_path = tmp_path(b, "obj/%zu-orig.%s", i, ext);
		u.patched_path = tmp_path(b, "obj/%zu-patched.%s", i, ext);
		u.dep_path = tmp_path(b, "obj/%zu-patched.d", i);
		vec_push(&b->arena, &b->units, u);
	}
	return 0;
}

int compile_command(struct kgr_build *b, const struct unit *u, enum view_side side,
		    enum command_form form, const char *out, const char *dep, struct cmd *cmd)
{
	strvec words, argv = { 0 };

	if (object_command(&b->diag, u->object, form, out, dep, &words))
		return -1;
	for (size_t i = 0; i < words.n; i++) {
		bool nothing = u->object->is_new && side == SIDE_ORIG &&
			!strcmp(words.v[i], u->object->source);

		if (nothing) {		/* what the diff adds was empty before */
			vec_push(&b->arena, &argv, "-xc");
			vec_push(&b->arena, &argv, "/dev/null");
			continue;
		}
		vec_push(&b->arena, &argv, view_word(&b->arena, &b->view, side, words.v[i]));
	}
	vec_push(&b->arena, &argv, NULL);
	*cmd = (struct cmd){
		.argv = argv.v,
		.cwd = view_cwd(&b->arena, &b->view, side),
		.view = &b->view,
		.side = side,
	};
	return 0;
}

static int make_command(struct kgr_build *b, const struct unit *u, enum view_side side,
			struct cmd *cmd)
{
	if (side == SIDE_PATCHED)
		return compile_command(b, u, side, COMMAND_SPLIT, u->patched_path, u->dep_path,
				       cmd);
	return compile_command(b, u, side, COMMAND_SPLIT, u->orig_path, "/dev/null", cmd);
}

/* Lines of a compiler's output that say error, at most a few */
static char *error_lines(struct arena *a, const char *output)
{
	struct buf out = { .arena = a };
	unsigned int n = 0;
	char *line, *log = arena_strdup(a, output);

	buf_puts(&out, "");
	while ((line = strsep(&log, "\n")) && n < 5)
		if (strstr(line, "error") || strstr(line, "Error") || strstr(line, "kgr-build:"))
			buf_printf(&out, "%s%s", n++ ? " | " : "", line);
	return out.n ? out.s : first_line(a, output);
}

int compile_result(struct kgr_build *b, const struct unit *u, const struct cmd *cmd)
{
	if (cmd->status == -1)
		return 0;		/* not started, because another one failed */
	if (!cmd_ok(cmd)) {
		if (out_of_space(b, cmd->output))
			return -1;
		return diag(&b->diag, D_COMPILE, AT(.object = u->object->path), "%s%s",
			    cmd->side == SIDE_PATCHED ? "" : "the original source: ",
			    error_lines(&b->arena, cmd->output));
	}
	return 0;
}

/*
 * In the view of symbolic links a relative #include can lead out of the view and
 * to the original of a patched file: the dependencies would tell.
 */
static int check_dependencies(struct kgr_build *b, const struct unit *u)
{
	char *text, *word, real[PATH_MAX];
	struct touched *t;
	int err;

	if (b->view.kind != VIEW_SYMLINKS)
		return 0;
	err = file_read(&b->arena, u->dep_path, &text, NULL);
	if (err)
		return io_error(b, u->dep_path, err);
	while ((word = strsep(&text, " \n\\"))) {
		const char *cwd = view_cwd(&b->arena, &b->view, SIDE_PATCHED);

		if (!*word || str_ends(word, ":"))
			continue;
		if (*word != '/')
			word = arena_printf(&b->arena, "%s/%s", cwd, word);
		if (!realpath(word, real))
			continue;
		vec_each(t, &b->touched) {
			char *orig = arena_printf(&b->arena, "%s/%s", b->tree.srcdir, t->path);

			if (!strcmp(real, orig))
				return diag(&b->diag, D_VIEW, AT(.object = u->object->path),
					    "the compiler found the unpatched %s", t->path);
		}
	}
	return 0;
}

/* What the diff adds is linked, or else some object must have been made with it */
static int check_new_files(struct kgr_build *b)
{
	struct touched *t;
	struct unit *u;

	vec_each(t, &b->touched) {
		bool used = !t->is_new || strvec_has(&b->linked, t->path);

		vec_each(u, &b->units) {
			char *text;

			if (used || u->object->is_text)
				continue;
			if (file_read(&b->arena, u->dep_path, &text, NULL))
				continue;
			used = strstr(text, t->path);
		}
		if (!used)
			diag(&b->diag, D_DIFF_NEW_FILE, AT_FILE(t->path),
			     "nothing includes it, and no Makefile of the diff links it");
	}
	return 0;
}

int pass_objects(struct kgr_build *b)
{
	struct cmd cmd;

	if (find_units(b))
		return -1;
	if (!b->units.n)
		return 0;
	if (make_command(b, &b->units.v[0], SIDE_ORIG, &cmd))
		return -1;
	b->compiler = cmd.argv[0];
	return compiler_check(b, cmd.argv[0]);
}

/* The commands that are left when the cache has given what it has */
static size_t needed(struct kgr_build *b, struct cache *c, struct cmd *cmds, char **keys,
		     struct unit **of)
{
	size_t n = 0;

	for (size_t i = 0; i < b->units.n; i++) {
		struct unit *u = &b->units.v[i];

		if (make_command(b, u, SIDE_ORIG, &cmds[n]))
			return 0;
		keys[n] = cache_key(b, c, u, &cmds[n]);
		if (cache_get(b, c, keys[n], u->orig_path))
			b->cache_hits++;
		else
			of[n++] = u;
		if (make_command(b, u, SIDE_PATCHED, &cmds[n]))
			return 0;
		keys[n] = NULL;
		of[n++] = u;
	}
	return n;
}

int pass_compile(struct kgr_build *b)
{
	size_t max = b->units.n * 2 + 1, n;
	struct cmd *cmds = arena_alloc(&b->arena, max * sizeof(*cmds));
	struct unit **of = arena_alloc(&b->arena, max * sizeof(*of));
	char **keys = arena_alloc(&b->arena, max * sizeof(*keys));
	struct cache c;

	if (!b->units.n)
		return check_new_files(b);
	cache_open(b, &c);
	n = needed(b, &c, cmds, keys, of);
	if (!n || run_all(&b->diag, cmds, n, b->opts.jobs))
		return -1;
	for (size_t i = 0; i < n; i++)
		if (!compile_result(b, of[i], &cmds[i]) && cmd_ok(&cmds[i]))
			cache_put(b, &c, keys[i], of[i]->orig_path);
	cache_close(b, &c);
	if (diag_fatal(&b->diag) || compiler_check_objects(b))
		return -1;
	for (size_t i = 0; i < b->units.n; i++)
		if (check_dependencies(b, &b->units.v[i]))
			return -1;
	return check_new_files(b);
}
