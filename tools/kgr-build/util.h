/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory, vectors, maps, files.  Everything a run allocates lives in one arena
 * and is freed with it, so no pass keeps track of who owns what.
 */
#ifndef KGR_BUILD_UTIL_H
#define KGR_BUILD_UTIL_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define __printf(f, a)	__attribute__((format(printf, f, a)))

struct arena_block;

struct arena {
	struct arena_block *blocks;
};

void *arena_alloc(struct arena *a, size_t size);
void *arena_memdup(struct arena *a, const void *data, size_t size);
char *arena_strdup(struct arena *a, const char *s);
char *arena_strndup(struct arena *a, const char *s, size_t n);
char *arena_printf(struct arena *a, const char *fmt, ...) __printf(2, 3);
char *arena_vprintf(struct arena *a, const char *fmt, va_list ap) __printf(2, 0);
void arena_free(struct arena *a);

/* A growing array: struct { T *v; size_t n, cap; } */
#define VEC(T)	struct { T *v; size_t n, cap; }

#define vec_push(arena, vec, item) do {						\
	if ((vec)->n == (vec)->cap)						\
		(vec)->v = vec_grow(arena, (vec)->v, sizeof(*(vec)->v),		\
				    (vec)->n, &(vec)->cap);			\
	(vec)->v[(vec)->n++] = (item);						\
} while (0)

#define vec_each(p, vec)	\
	for (p = (vec)->v; p && p < (vec)->v + (vec)->n; p++)

void *vec_grow(struct arena *a, void *v, size_t size, size_t n, size_t *cap);

typedef VEC(char *) strvec;

bool strvec_has(const strvec *v, const char *s);
void strvec_add_unique(struct arena *a, strvec *v, const char *s);

/* Text that is put together bit by bit */
struct buf {
	struct arena *arena;
	char *s;
	size_t n, cap;
};

void buf_add(struct buf *b, const void *data, size_t n);
void buf_puts(struct buf *b, const char *s);
void buf_printf(struct buf *b, const char *fmt, ...) __printf(2, 3);

/* Strings to pointers.  Keys are not copied. */
struct map_slot {
	const char *key;
	void *value;
};

struct map {
	struct map_slot *slots;
	size_t n, cap;
};

void map_set(struct arena *a, struct map *m, const char *key, void *value);
void *map_get(const struct map *m, const char *key);

static inline bool str_starts(const char *s, const char *prefix)
{
	return !strncmp(s, prefix, strlen(prefix));
}

static inline bool str_ends(const char *s, const char *suffix)
{
	size_t n = strlen(s), k = strlen(suffix);

	return n >= k && !strcmp(s + n - k, suffix);
}

/* All of these return 0 or a negative errno */
int file_read(struct arena *a, const char *path, char **data, size_t *size);
int file_write(const char *path, const void *data, size_t size);
int file_copy(const char *from, const char *to);
int make_dirs(char *path);
int make_parent_dirs(struct arena *a, const char *path);
int remove_tree(const char *path);

bool file_exists(const char *path);
bool dir_exists(const char *path);
const char *path_base(const char *path);
char *path_dir(struct arena *a, const char *path);
char *path_clean(struct arena *a, const char *path);

/* Seconds of a clock that only goes forward */
double now(void);

#endif
