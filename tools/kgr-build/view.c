// SPDX-License-Identifier: GPL-2.0
/* The private view of the build tree */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "view.h"

static int write_proc(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), ret;

	if (fd < 0)
		return -1;
	ret = write(fd, text, strlen(text)) < 0 ? -1 : 0;
	close(fd);
	return ret;
}

/*
 * Root needs no user namespace, and must not have one: in it, files of other
 * users would be out of its reach.
 */
static int private_mounts(void)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();
	char text[64];

	if (!unshare(CLONE_NEWNS))
		goto mounts;
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS))
		return -1;
	write_proc("/proc/self/setgroups", "deny");
	snprintf(text, sizeof(text), "%u %u 1", uid, uid);
	if (write_proc("/proc/self/uid_map", text))
		return -1;
	snprintf(text, sizeof(text), "%u %u 1", gid, gid);
	if (write_proc("/proc/self/gid_map", text))
		return -1;
mounts:
	return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
}

/* A path as a lower directory: the separators of the option string escaped */
static int add_lower(char *out, size_t size, const char *path)
{
	size_t n = strlen(out);

	for (; *path && n + 3 < size; path++) {
		if (strchr(":,\\", *path))
			out[n++] = '\\';
		out[n++] = *path;
	}
	out[n] = 0;
	return *path ? -1 : 0;
}

static int mount_over(const char *top, const char *dir)
{
	char opts[4096] = "lowerdir=";

	if (add_lower(opts, sizeof(opts), top))
		goto too_long;
	strncat(opts, ":", sizeof(opts) - strlen(opts) - 1);
	if (add_lower(opts, sizeof(opts), dir))
		goto too_long;
	return mount("kgr-build", dir, "overlay", MS_RDONLY | MS_NOSUID | MS_NODEV, opts);
too_long:
	errno = ENAMETOOLONG;
	return -1;
}

static bool below(const char *path, const char *dir)
{
	size_t n = strlen(dir);

	return !strncmp(path, dir, n) && (!path[n] || path[n] == '/');
}

int view_enter(const struct view *v, enum view_side side)
{
	if (side == SIDE_NONE || v->kind != VIEW_OVERLAY)
		return 0;
	if (private_mounts())
		return -1;
	if (mount_over(side == SIDE_PATCHED ? v->layer : v->empty, v->srcdir))
		return -1;
	if (!below(v->objdir, v->srcdir) && mount_over(v->empty, v->objdir))
		return -1;
	return 0;
}

/* Tries the overlay in a child.  NULL if it works, else the reason. */
static const char *probe_overlay(struct arena *a, const struct view *v, const strvec *touched)
{
	char *want, *seen, text[128] = "";
	int fds[2], status;
	ssize_t n;
	pid_t pid;

	if (pipe(fds))
		return strerror(errno);
	pid = fork();
	if (pid < 0)
		return strerror(errno);
	if (!pid) {
		close(fds[0]);
		errno = 0;
		if (view_enter(v, SIDE_PATCHED)) {
			dprintf(fds[1], "%s", strerror(errno));
			_exit(1);
		}
		for (size_t i = 0; i < touched->n; i++) {
			struct stat st[2];

			want = arena_printf(a, "%s/%s", v->layer, touched->v[i]);
			seen = arena_printf(a, "%s/%s", v->srcdir, touched->v[i]);
			if (stat(want, &st[0]) || stat(seen, &st[1]) ||
			    st[0].st_size != st[1].st_size || st[0].st_mtime != st[1].st_mtime)
				_exit(1);
		}
		_exit(access(arena_printf(a, "%s/.config", v->objdir), R_OK) ? 1 : 0);
	}
	close(fds[1]);
	n = read(fds[0], text, sizeof(text) - 1);
	close(fds[0]);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFEXITED(status) && !WEXITSTATUS(status))
		return NULL;
	return arena_strdup(a, n > 0 ? text : "the overlay doesn't show what it should");
}

/* Fills @to with links to the entries of @from, but for those it has already */
static int link_entries(struct arena *a, const char *from, const char *to)
{
	DIR *dir = opendir(from);
	struct dirent *de;
	int err = 0;

	if (!dir)
		return -errno;
	while (!err && (de = readdir(dir))) {
		if (!strcmp(de->d_name, ".") || !strcmp(de->d_name, ".."))
			continue;
		if (symlink(arena_printf(a, "%s/%s", from, de->d_name),
			    arena_printf(a, "%s/%s", to, de->d_name)) && errno != EEXIST)
			err = -errno;
	}
	closedir(dir);
	return err;
}

/*
 * Directories on the way to a patched file, and to the object directory, have to
 * be real ones: what is looked up through them must be found in the view.
 */
static int make_real(struct arena *a, const struct view *v, const char *rel)
{
	char *path = arena_strdup(a, rel), *p = path;
	int err;

	for (;;) {
		err = link_entries(a, arena_printf(a, "%s/%s", v->srcdir, path),
				   arena_printf(a, "%s/%s", v->links, path));
		if (err)
			return err;
		p = strrchr(path, '/');
		if (!p) {
			if (!*path)
				return 0;
			p = path;
		}
		*p = 0;
	}
}

static int setup_links(struct diag *d, struct view *v, const strvec *touched)
{
	struct arena *a = d->arena;
	strvec dirs = { 0 };
	int err = 0;

	if (strcmp(v->objdir, v->srcdir) && below(v->objdir, v->srcdir))
		strvec_add_unique(a, &dirs, v->objdir + strlen(v->srcdir) + 1);
	for (size_t i = 0; i < touched->n; i++) {
		const char *slash = strrchr(touched->v[i], '/');
		char *to = arena_printf(a, "%s/%s", v->links, touched->v[i]);

		err = make_parent_dirs(a, to);
		if (!err)
			err = file_copy(arena_printf(a, "%s/%s", v->layer, touched->v[i]), to);
		if (err)
			goto fail;
		strvec_add_unique(a, &dirs, slash ? path_dir(a, touched->v[i]) : "");
	}
	for (size_t i = 0; !err && i < dirs.n; i++)
		err = make_dirs(arena_printf(a, "%s/%s", v->links, dirs.v[i]));
	for (size_t i = 0; !err && i < dirs.n; i++)
		err = make_real(a, v, dirs.v[i]);
	if (!err)
		return 0;
fail:
	return diag(d, D_VIEW, AT_FILE(v->links), "%s", strerror(-err));
}

int view_setup(struct diag *d, struct view *v, const char *tmp, enum view_kind want,
	       const strvec *touched)
{
	if (below(tmp, v->srcdir) || below(tmp, v->objdir))
		return diag(d, D_VIEW, AT_FILE(tmp),
			    "the directory for temporary files is inside the tree; set TMPDIR");
	v->kind = VIEW_OVERLAY;
	if (want == VIEW_SYMLINKS)
		v->why = "not wanted";
	else
		v->why = probe_overlay(d->arena, v, touched);
	if (!v->why)
		return 0;
	if (want == VIEW_OVERLAY)
		return diag(d, D_VIEW, AT_FILE(v->srcdir), "no overlay: %s", v->why);
	v->kind = VIEW_SYMLINKS;
	return setup_links(d, v, touched);
}

static const char *view_root(const struct view *v, enum view_side side)
{
	return v->kind == VIEW_SYMLINKS && side == SIDE_PATCHED ? v->links : NULL;
}

const char *view_cwd(struct arena *a, const struct view *v, enum view_side side)
{
	const char *root = view_root(v, side);

	if (!root || !below(v->objdir, v->srcdir))
		return v->objdir;
	return arena_printf(a, "%s%s", root, v->objdir + strlen(v->srcdir));
}

char *view_word(struct arena *a, const struct view *v, enum view_side side, const char *word)
{
	const char *root = view_root(v, side), *p;
	struct buf out = { .arena = a };
	size_t n = strlen(v->srcdir);

	if (!root)
		return arena_strdup(a, word);
	buf_puts(&out, "");
	while ((p = strstr(word, v->srcdir))) {
		bool whole = (p == word || !strchr("/._-", p[-1])) && (!p[n] || p[n] == '/');

		buf_add(&out, word, p - word);
		buf_puts(&out, whole ? root : v->srcdir);
		word = p + n;
	}
	buf_puts(&out, word);
	return out.s;
}
