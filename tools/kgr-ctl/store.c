// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "durable.h"
#include "readfile.h"
#include "store.h"

#define INDEX		"index"
#define GUARD_SUFFIX	".guard"
#define HASH_DIGITS	16
#define LOCK_MS		(10 * 1000)	/* a change takes far less */
#define LOCK_STEP_MS	20

/* A word of the index and a name in a directory, that can't lead out of it */
static bool valid_word(const char *s)
{
	size_t len = 0;

	while (s[len] && (isalnum((unsigned char)s[len]) || strchr("_-.+~", s[len])))
		len++;
	return len && !s[len] && s[0] != '.' && len < NAME_MAX - 40;
}

enum kgr_exit kgr_store_failed(struct kgr_ctx *ctx, const char *what, int err)
{
	enum kgr_exit ret = kgr_fail(ctx, kgr_exit_of_errno(err), "%s: %s", what, strerror(err));

	if (err == EACCES || err == EPERM) {
		kgr_next(ctx, "run kgr-ctl as root");
	} else if (err == ENOSPC || err == EDQUOT || err == EFBIG) {
		kgr_why(ctx, "nothing has changed in %s", ctx->store_root);
		kgr_next(ctx, "make room on the file system of %s", ctx->store_root);
	} else if (err == EROFS) {
		kgr_next(ctx, "mount the file system of %s for writing", ctx->store_root);
	}
	return ret;
}

enum kgr_exit kgr_store_lock(struct kgr_ctx *ctx, int *lock)
{
	const struct timespec step = { .tv_nsec = LOCK_STEP_MS * 1000000L };
	int err = -kgr_durable_mkdir(ctx->store_root);
	enum kgr_exit ret;

	*lock = -1;
	if (!err) {
		*lock = open(ctx->store_root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		err = *lock < 0 ? errno : 0;
	}
	for (int ms = 0; !err; ms += LOCK_STEP_MS) {
		if (!flock(*lock, LOCK_EX | LOCK_NB)) {
			unlinkat(*lock, KGR_DURABLE_TMP, 0);
			return KGR_EXIT_OK;
		}
		if (errno != EWOULDBLOCK && errno != EINTR) {
			err = errno;
		} else if (ms >= LOCK_MS) {
			ret = kgr_fail(ctx, KGR_EXIT_CONFLICT, "%s is locked", ctx->store_root);
			kgr_why(ctx, "another kgr-ctl has been changing it for %d seconds",
				LOCK_MS / 1000);
			kgr_next(ctx, "fuser -v %s (who that is)", ctx->store_root);
			close(*lock);
			*lock = -1;
			return ret;
		}
		nanosleep(&step, NULL);
	}
	if (*lock >= 0)
		close(*lock);
	*lock = -1;
	return kgr_store_failed(ctx, ctx->store_root, err);
}

static void free_patch(struct kgr_store_patch *patch)
{
	free(patch->name);
	free(patch->file);
}

void kgr_store_close(struct kgr_store *s)
{
	for (size_t i = 0; i < s->n; i++)
		free_patch(&s->v[i]);
	free(s->v);
	free(s->release);
	free(s->dir);
	if (s->lock >= 0)
		close(s->lock);
	*s = (struct kgr_store) { .lock = -1 };
}

static struct kgr_store_patch *append(struct kgr_store *s, const char *name, const char *file)
{
	struct kgr_store_patch *v = realloc(s->v, (s->n + 1) * sizeof(*v));

	if (!v)
		return NULL;
	s->v = v;
	v[s->n] = (struct kgr_store_patch) { strdup(name), strdup(file), false };
	return &v[s->n++];
}

struct kgr_store_patch *kgr_store_find(const struct kgr_store *s, const char *name)
{
	for (size_t i = 0; i < s->n; i++) {
		const char *have = s->v[i].name, *p = name;

		while (*have && (*have == *p || (*have == '_' && *p == '-')))
			have++, p++;
		if (!*have && !*p)
			return &s->v[i];
	}
	return NULL;
}

/* "NAME FILE [initramfs]" */
static bool parse_line(struct kgr_store *s, char *line)
{
	char *save = NULL, *name = strtok_r(line, " ", &save), *file = strtok_r(NULL, " ", &save);
	char *mark = strtok_r(NULL, " ", &save);
	struct kgr_store_patch *patch;

	if (!name || !file || !valid_word(name) || !valid_word(file) || strtok_r(NULL, " ", &save) ||
	    (mark && strcmp(mark, "initramfs")) || kgr_store_find(s, name))
		return false;
	patch = append(s, name, file);
	if (patch)
		patch->initramfs = mark;
	return patch;
}

/* The number of the line that is wrong, or 0 */
static unsigned int parse_index(struct kgr_store *s, char *text)
{
	unsigned int number = 0;
	char *line;

	while ((line = strsep(&text, "\n"))) {
		number++;
		if (!strcmp(line, "end"))
			return text && !*text ? 0 : number;
		if (!parse_line(s, line))
			break;
	}
	return number;
}

static enum kgr_exit read_index(struct kgr_ctx *ctx, struct kgr_store *s)
{
	char *path = kgr_asprintf("%s/%s", s->dir, INDEX), *text;
	enum kgr_exit ret = KGR_EXIT_OK;
	unsigned int bad;
	size_t len;
	int err = -kgr_slurp_file(path, &text, &len);

	if (err) {
		if (err != ENOENT)
			ret = kgr_store_failed(ctx, path, err);
		goto out;
	}
	bad = parse_index(s, text);
	if (bad) {
		ret = kgr_fail(ctx, KGR_EXIT_FAIL, "%s: damaged in line %u", path, bad);
		kgr_why(ctx, "what is installed for %s is not known; nothing of it is loaded",
			s->release);
		kgr_next(ctx, "rm %s, then 'kgr-ctl install' the patches anew", path);
	}
out:
	free(text);
	free(path);
	return ret;
}

enum kgr_exit kgr_store_read(struct kgr_ctx *ctx, const char *release, struct kgr_store *s)
{
	enum kgr_exit ret;

	*s = (struct kgr_store) { .lock = -1 };
	if (!valid_word(release))
		return kgr_fail(ctx, KGR_EXIT_USAGE, "'%s' is not the release of a kernel", release);
	s->release = strdup(release);
	s->dir = kgr_asprintf("%s/%s", ctx->store_root, release);
	ret = read_index(ctx, s);
	if (ret)
		kgr_store_close(s);
	return ret;
}

static bool is_listed(const struct kgr_store *s, const char *file)
{
	for (size_t i = 0; i < s->n; i++)
		if (!strcmp(s->v[i].file, file))
			return true;
	return false;
}

/* "NAME-HASH.ko", maybe compressed: no file that somebody has put here by hand */
static bool is_module(const char *file)
{
	const char *dot = strchr(file, '.');
	size_t len = dot ? (size_t)(dot - file) : 0;

	return len > HASH_DIGITS + 1 && !strncmp(dot, ".ko", 3) &&
	       file[len - HASH_DIGITS - 1] == '-' &&
	       strspn(file + len - HASH_DIGITS, "0123456789abcdef") == HASH_DIGITS;
}

static bool is_leftover(const struct kgr_store *s, const char *file)
{
	size_t len = strlen(file), suffix = strlen(GUARD_SUFFIX);
	char name[NAME_MAX + 1];

	if (!strcmp(file, KGR_DURABLE_TMP))
		return true;
	if (is_module(file))
		return !is_listed(s, file);
	if (len <= suffix || strcmp(file + len - suffix, GUARD_SUFFIX))
		return false;
	snprintf(name, sizeof(name), "%.*s", (int)(len - suffix), file);
	return !kgr_store_find(s, name);
}

static void sweep(const struct kgr_store *s)
{
	DIR *dir = opendir(s->dir);
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (is_leftover(s, entry->d_name))
			unlinkat(dirfd(dir), entry->d_name, 0);
	if (dir)
		closedir(dir);
}

enum kgr_exit kgr_store_change(struct kgr_ctx *ctx, const char *release, struct kgr_store *s)
{
	enum kgr_exit ret;
	int lock;

	*s = (struct kgr_store) { .lock = -1 };
	ret = kgr_store_lock(ctx, &lock);
	if (ret)
		return ret;
	ret = kgr_store_read(ctx, release, s);
	if (ret) {
		close(lock);
		return ret;
	}
	s->lock = lock;
	sweep(s);
	return KGR_EXIT_OK;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char * const *)a, *(char * const *)b);
}

json_t *kgr_store_releases(struct kgr_ctx *ctx)
{
	json_t *array = json_array();
	DIR *dir = opendir(ctx->store_root);
	struct dirent *entry;
	char **v = NULL;
	size_t n = 0;

	while (dir && (entry = readdir(dir))) {
		char *index = kgr_asprintf("%s/%s/%s", ctx->store_root, entry->d_name, INDEX);
		char **longer = NULL;

		if (valid_word(entry->d_name) && !access(index, F_OK))
			longer = realloc(v, (n + 1) * sizeof(*v));
		if (longer) {
			v = longer;
			v[n++] = strdup(entry->d_name);
		}
		free(index);
	}
	if (dir)
		closedir(dir);
	if (n)
		qsort(v, n, sizeof(*v), by_text);
	for (size_t i = 0; i < n; i++) {
		json_array_append_new(array, json_string(v[i]));
		free(v[i]);
	}
	free(v);
	return array;
}

char *kgr_store_path(const struct kgr_store *s, const struct kgr_store_patch *patch)
{
	return kgr_asprintf("%s/%s", s->dir, patch->file);
}

/* FNV-1a: tells builds apart and finds damage; it is no protection against forgery */
static uint64_t hash(const char *data, size_t len)
{
	uint64_t h = 0xcbf29ce484222325;

	while (len--) {
		h ^= (unsigned char)*data++;
		h *= 0x100000001b3;
	}
	return h;
}

static const char *compression(const char *path)
{
	static const char * const suffixes[] = { ".gz", ".xz", ".zst" };
	size_t len = strlen(path);

	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		size_t n = strlen(suffixes[i]);

		if (len > n && !strcmp(path + len - n, suffixes[i]))
			return suffixes[i];
	}
	return "";
}

static char *file_name(const char *name, const char *path, const char *data, size_t len)
{
	return kgr_asprintf("%s-%0*llx.ko%s", name, HASH_DIGITS,
			    (unsigned long long)hash(data, len), compression(path));
}

bool kgr_store_same(const struct kgr_store_patch *patch, const char *path)
{
	char *data, *file = NULL;
	bool same = false;
	size_t len;

	if (!kgr_slurp_file(path, &data, &len)) {
		file = file_name(patch->name, path, data, len);
		same = !strcmp(file, patch->file);
	}
	free(file);
	free(data);
	return same;
}

bool kgr_store_intact(const struct kgr_store *s, const struct kgr_store_patch *patch)
{
	char *path = kgr_store_path(s, patch);
	bool intact = kgr_store_same(patch, path);

	free(path);
	return intact;
}

static int write_index(const struct kgr_store *s)
{
	char *text = strdup("");
	int ret;

	for (size_t i = 0; i < s->n; i++) {
		char *longer = kgr_asprintf("%s%s %s%s\n", text, s->v[i].name, s->v[i].file,
					    s->v[i].initramfs ? " initramfs" : "");

		free(text);
		text = longer;
	}
	if (s->n) {
		char *whole = kgr_asprintf("%send\n", text);

		ret = kgr_durable_write(s->dir, INDEX, whole, strlen(whole));
		free(whole);
	} else {
		/* takes no room, so that a full disk can be emptied */
		ret = kgr_durable_unlink(s->dir, INDEX);
	}
	free(text);
	return ret;
}

/* Exchanges the entry of @patch, writes the index; on failure it is as before */
static int commit(struct kgr_store *s, struct kgr_store_patch *patch, char *file, bool initramfs)
{
	struct kgr_store_patch before = *patch;
	int ret;

	patch->file = file;
	patch->initramfs = initramfs;
	ret = write_index(s);
	if (ret)
		*patch = before;
	else
		free(before.file);
	return ret;
}

static int put(struct kgr_store *s, const char *name, const char *data, size_t len, char *file,
	       bool initramfs, enum kgr_put *how)
{
	struct kgr_store_patch *patch = kgr_store_find(s, name);
	int ret = 0;

	*how = patch ? KGR_PUT_REPLACED : KGR_PUT_NEW;
	if (patch && !strcmp(patch->file, file) && kgr_store_intact(s, patch)) {
		if (patch->initramfs == initramfs) {
			*how = KGR_PUT_SAME;
			free(file);
			return 0;
		}
	} else {
		ret = kgr_durable_write(s->dir, file, data, len);
	}
	if (!ret && !patch) {
		patch = append(s, name, "");
		ret = patch ? 0 : -ENOMEM;
	}
	if (!ret)
		ret = commit(s, patch, file, initramfs);
	if (ret) {
		if (*how == KGR_PUT_NEW && patch)
			free_patch(&s->v[--s->n]);
		free(file);
	}
	return ret;
}

/*
 * Takes away what a failure has left.  The index may have been written all the same,
 * so it is asked.
 */
static void sweep_again(struct kgr_ctx *ctx, const struct kgr_store *s)
{
	struct kgr_store disk;

	if (kgr_store_read(ctx, s->release, &disk)) {
		kgr_diag_reset(&ctx->diag);
		return;
	}
	sweep(&disk);
	kgr_store_close(&disk);
}

enum kgr_exit kgr_store_put(struct kgr_ctx *ctx, struct kgr_store *s, const char *name,
			    const char *path, bool initramfs, enum kgr_put *how)
{
	char *data, *file, *what;
	enum kgr_exit ret;
	size_t len;
	int err = -kgr_slurp_file(path, &data, &len);

	if (err)
		return kgr_fail(ctx, kgr_exit_of_errno(err), "%s: %s", path, strerror(err));
	file = file_name(name, path, data, len);
	if (!valid_word(name) || !valid_word(file)) {
		free(file);
		free(data);
		kgr_fail(ctx, KGR_EXIT_FAIL, "%s: '%s' is not a name for a module", path, name);
		kgr_next(ctx, "make the module anew with kgr-build");
		return KGR_EXIT_FAIL;
	}
	err = -kgr_durable_mkdir(s->dir);
	if (err)
		free(file);
	else
		err = -put(s, name, data, len, file, initramfs, how);
	free(data);
	if (!err) {
		sweep(s);
		return KGR_EXIT_OK;
	}
	sweep_again(ctx, s);
	what = kgr_asprintf("can't install %s", name);
	ret = kgr_store_failed(ctx, what, err);
	free(what);
	return ret;
}

enum kgr_exit kgr_store_remove(struct kgr_ctx *ctx, struct kgr_store *s, const char *name)
{
	struct kgr_store_patch *patch = kgr_store_find(s, name), gone = *patch;
	size_t at = patch - s->v;
	enum kgr_exit ret;
	char *what;
	int err;

	memmove(patch, patch + 1, (s->n - at - 1) * sizeof(*patch));
	s->n--;
	err = -write_index(s);
	if (!err) {
		free_patch(&gone);
		sweep(s);
		return KGR_EXIT_OK;
	}
	memmove(patch + 1, patch, (s->n - at) * sizeof(*patch));
	*patch = gone;
	s->n++;
	what = kgr_asprintf("can't uninstall %s", name);
	ret = kgr_store_failed(ctx, what, err);
	free(what);
	return ret;
}
