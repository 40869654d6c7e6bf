// SPDX-License-Identifier: GPL-2.0
/* Memory, vectors, maps, files */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "util.h"

#define ARENA_BLOCK	(256 * 1024)
#define ARENA_ALIGN	16

/*
 * The address sanitizer sees blocks, and not what is allocated in them, unless it's
 * told: then there is a gap behind each piece.
 */
#ifndef __has_feature
#define __has_feature(x)	0
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#include <sanitizer/asan_interface.h>
#define ARENA_GAP	16
#define forbid(p, n)	__asan_poison_memory_region(p, n)
#define permit(p, n)	__asan_unpoison_memory_region(p, n)
#else
#define ARENA_GAP	0
#define forbid(p, n)	((void)(p), (void)(n))
#define permit(p, n)	((void)(p), (void)(n))
#endif

struct arena_block {
	struct arena_block *next;
	size_t used, size;
	char data[] __attribute__((aligned(ARENA_ALIGN)));
};

/*
 * Running out of memory is the one failure that isn't returned: nothing could
 * be done about it, and a caller that must handle it everywhere handles it
 * nowhere.  The temporary directory is left behind in that case.
 */
static void *or_die(void *p)
{
	if (!p) {
		fputs("kgr-build: out of memory\n", stderr);
		abort();
	}
	return p;
}

void *arena_alloc(struct arena *a, size_t size)
{
	struct arena_block *b = a->blocks;
	size_t whole;
	void *p;

	if (size > SIZE_MAX / 2)
		or_die(NULL);
	whole = (size + ARENA_GAP + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
	if (!b || b->size - b->used < whole) {
		size_t room = whole > ARENA_BLOCK ? whole : ARENA_BLOCK;

		b = or_die(calloc(1, sizeof(*b) + room));
		forbid(b->data, room);
		b->size = room;
		b->next = a->blocks;
		a->blocks = b;
	}
	p = b->data + b->used;
	b->used += whole;
	permit(p, size);
	return p;
}

void *arena_memdup(struct arena *a, const void *data, size_t size)
{
	void *p = arena_alloc(a, size + 1);

	if (size)
		memcpy(p, data, size);
	return p;
}

char *arena_strndup(struct arena *a, const char *s, size_t n)
{
	return arena_memdup(a, s, strnlen(s, n));
}

char *arena_strdup(struct arena *a, const char *s)
{
	return arena_memdup(a, s, strlen(s));
}

char *arena_vprintf(struct arena *a, const char *fmt, va_list ap)
{
	char *tmp, *s;

	if (vasprintf(&tmp, fmt, ap) < 0)
		or_die(NULL);
	s = arena_strdup(a, tmp);
	free(tmp);
	return s;
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	s = arena_vprintf(a, fmt, ap);
	va_end(ap);
	return s;
}

void arena_free(struct arena *a)
{
	while (a->blocks) {
		struct arena_block *b = a->blocks;

		a->blocks = b->next;
		free(b);
	}
}

void *vec_grow(struct arena *a, void *v, size_t size, size_t n, size_t *cap)
{
	size_t want = *cap ? *cap * 2 : 8;
	void *p = arena_alloc(a, want * size);

	if (n)
		memcpy(p, v, n * size);
	*cap = want;
	return p;
}

bool strvec_has(const strvec *v, const char *s)
{
	for (size_t i = 0; i < v->n; i++)
		if (!strcmp(v->v[i], s))
			return true;
	return false;
}

void strvec_add_unique(struct arena *a, strvec *v, const char *s)
{
	if (!strvec_has(v, s))
		vec_push(a, v, arena_strdup(a, s));
}

void buf_add(struct buf *b, const void *data, size_t n)
{
	if (b->n + n + 1 > b->cap) {
		size_t cap = (b->n + n + 1) * 2;
		char *s = arena_alloc(b->arena, cap);

		if (b->n)
			memcpy(s, b->s, b->n);
		b->s = s;
		b->cap = cap;
	}
	if (n)
		memcpy(b->s + b->n, data, n);
	b->n += n;
	b->s[b->n] = 0;
}

void buf_puts(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	buf_puts(b, arena_vprintf(b->arena, fmt, ap));
	va_end(ap);
}

static size_t hash(const char *s)
{
	uint64_t h = 0xcbf29ce484222325ull;

	while (*s)
		h = (h ^ (unsigned char)*s++) * 0x100000001b3ull;
	return h ^ (h >> 29);
}

static struct map_slot *map_slot(const struct map *m, const char *key)
{
	size_t i = hash(key) & (m->cap - 1);

	while (m->slots[i].key && strcmp(m->slots[i].key, key))
		i = (i + 1) & (m->cap - 1);
	return &m->slots[i];
}

void map_set(struct arena *a, struct map *m, const char *key, void *value)
{
	struct map_slot *slot;

	if (m->n * 2 >= m->cap) {
		struct map old = *m;

		m->cap = old.cap ? old.cap * 2 : 64;
		m->slots = arena_alloc(a, m->cap * sizeof(*m->slots));
		for (size_t i = 0; i < old.cap; i++)
			if (old.slots[i].key)
				*map_slot(m, old.slots[i].key) = old.slots[i];
	}
	slot = map_slot(m, key);
	if (!slot->key)
		m->n++;
	slot->key = key;
	slot->value = value;
}

void *map_get(const struct map *m, const char *key)
{
	return m->cap ? map_slot(m, key)->value : NULL;
}

int file_read(struct arena *a, const char *path, char **data, size_t *size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	size_t n = 0;
	int err = 0;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
		err = S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
		goto out;
	}
	*data = arena_alloc(a, st.st_size + 1);
	while (n < (size_t)st.st_size) {
		ssize_t k = read(fd, *data + n, st.st_size - n);

		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			err = -errno;
		if (k <= 0)
			break;
		n += k;
	}
	(*data)[n] = 0;
	if (size)
		*size = n;
out:
	close(fd);
	return err;
}

int file_write(const char *path, const void *data, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	const char *p = data;
	int err = 0;

	if (fd < 0)
		return -errno;
	while (size) {
		ssize_t k = write(fd, p, size);

		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0) {
			err = -errno;
			break;
		}
		p += k;
		size -= k;
	}
	if (close(fd) && !err)
		err = -errno;
	return err;
}

int file_copy(const char *from, const char *to)
{
	struct arena a = { 0 };
	size_t size;
	char *data;
	int err;

	err = file_read(&a, from, &data, &size);
	if (!err)
		err = file_write(to, data, size);
	arena_free(&a);
	return err;
}

int make_dirs(char *path)
{
	char *p = path;

	while ((p = strchr(p + 1, '/'))) {
		*p = 0;
		if (mkdir(path, 0755) && errno != EEXIST) {
			*p = '/';
			return -errno;
		}
		*p = '/';
	}
	if (mkdir(path, 0755) && errno != EEXIST)
		return -errno;
	return 0;
}

int make_parent_dirs(struct arena *a, const char *path)
{
	return make_dirs(path_dir(a, path));
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path) && errno != ENOENT ? -errno : 0;
}

int remove_tree(const char *path)
{
	return nftw(path, remove_one, 32, FTW_DEPTH | FTW_PHYS);
}

bool file_exists(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISREG(st.st_mode);
}

bool dir_exists(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISDIR(st.st_mode);
}

const char *path_base(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

char *path_dir(struct arena *a, const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? arena_strndup(a, path, slash - path) : arena_strdup(a, ".");
}

double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

/* a/./b/../c is a/c; what leads above the start of a relative path stays */
char *path_clean(struct arena *a, const char *path)
{
	struct buf out = { .arena = a };
	const char *root = *path == '/' ? "/" : "";
	strvec parts = { 0 };
	char *text = arena_strdup(a, path), *part;

	while ((part = strsep(&text, "/"))) {
		if (!*part || !strcmp(part, "."))
			continue;
		if (strcmp(part, ".."))
			vec_push(a, &parts, part);
		else if (parts.n && strcmp(parts.v[parts.n - 1], ".."))
			parts.n--;
		else if (!*root)
			vec_push(a, &parts, part);
	}
	buf_puts(&out, root);
	for (size_t i = 0; i < parts.n; i++)
		buf_printf(&out, "%s%s", i ? "/" : "", parts.v[i]);
	return out.s;
}
