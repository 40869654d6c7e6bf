// SPDX-License-Identifier: GPL-2.0
/*
 * Original objects of earlier runs.  An entry's name is the hash of all that it was
 * made from; it holds the object, and behind it the object's own hash, so that what is
 * cut short or damaged is no entry.  Nothing that goes wrong here is worth a message:
 * then the object is compiled.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cache.h"
#include "sha256.h"

#define CACHE_FORMAT	"kgr-build object 1"
#define DEFAULT_MIB	512
#define STALE_SECONDS	3600	/* of a file that somebody has begun to write */

void cache_open(struct kgr_build *b, struct cache *c)
{
	const char *base = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	struct stat st;
	char *dir;

	*c = (struct cache){ .limit = (uint64_t)(b->opts.cache_mib ? b->opts.cache_mib :
						 DEFAULT_MIB) << 20 };
	if (b->opts.no_cache)
		return;
	if (base && *base == '/')
		dir = arena_printf(&b->arena, "%s/kgr-build", base);
	else if (home && *home == '/')
		dir = arena_printf(&b->arena, "%s/.cache/kgr-build", home);
	else
		return;
	if (make_dirs(arena_strdup(&b->arena, dir)) || chmod(dir, 0700) || stat(dir, &st) ||
	    st.st_uid != geteuid())
		return;
	c->dir = dir;
}

static void add_string(struct sha256 *s, const char *text)
{
	sha256_add(s, text, strlen(text) + 1);
}

/* False if it can't be read */
static bool add_file(struct kgr_build *b, struct cache *c, struct sha256 *s, const char *path)
{
	char *hash = map_get(&c->hashes, path), *key = arena_strdup(&b->arena, path);
	struct arena tmp = { 0 };
	size_t size;
	char *data;

	if (!hash && !file_read(&tmp, path, &data, &size)) {
		hash = sha256_hex(&b->arena, data, size);
		map_set(&b->arena, &c->hashes, key, hash);
	}
	arena_free(&tmp);
	if (hash)
		add_string(s, hash);
	return hash;
}

/* deps_OBJECT := \, a file on each line, an empty line at the end */
static bool add_recorded(struct kgr_build *b, struct cache *c, struct sha256 *s,
			 const struct object *o)
{
	char *dir = path_dir(&b->arena, o->path), *text, *p, *word, *end;
	char *start = arena_printf(&b->arena, "deps_%s :=", o->path);
	bool good = true;

	if (file_read(&b->arena, tree_path(&b->arena, &b->tree, arena_printf(&b->arena, "%s/.%s.cmd",
		      dir, path_base(o->path))), &text, NULL))
		return false;
	p = strstr(text, start);
	if (!p)
		return false;
	p += strlen(start);
	end = strstr(p, "\n\n");
	if (end)
		*end = 0;
	while (good && (word = strsep(&p, " \t\n\\"))) {
		/* $(wildcard include/config/X): autoconf.h stands for all of them */
		if (!*word || *word == '$' || str_starts(word, "include/config/"))
			continue;
		good = add_file(b, c, s, *word == '/' ? word : tree_path(&b->arena, &b->tree, word));
	}
	return good;
}

static bool add_compiler(struct kgr_build *b, struct sha256 *s, const char *program)
{
	char *path = find_program(&b->arena, program);
	struct stat st;

	if (!path || stat(path, &st))
		return false;
	add_string(s, arena_printf(&b->arena, "%s %lld %lld.%09ld", path, (long long)st.st_size,
				   (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec));
	add_string(s, b->compiler_version ? b->compiler_version : "");
	return true;
}

char *cache_key(struct kgr_build *b, struct cache *c, const struct unit *u, const struct cmd *cmd)
{
	const char *source = u->object->source;
	uint8_t digest[SHA256_SIZE];
	struct sha256 s;

	if (!c->dir)
		return NULL;
	sha256_start(&s);
	add_string(&s, CACHE_FORMAT);
	add_string(&s, cmd->cwd);
	for (size_t i = 0; cmd->argv[i]; i++)
		add_string(&s, strcmp(cmd->argv[i], u->orig_path) ? cmd->argv[i] : "OUT");
	if (!add_compiler(b, &s, cmd->argv[0]) ||
	    !add_file(b, c, &s, *source == '/' ? source : tree_path(&b->arena, &b->tree, source)) ||
	    !add_file(b, c, &s, tree_path(&b->arena, &b->tree, "include/generated/autoconf.h")) ||
	    !add_recorded(b, c, &s, u->object))
		return NULL;
	sha256_end(&s, digest);
	return sha256_print(&b->arena, digest);
}

static char *entry_path(struct kgr_build *b, const struct cache *c, const char *key)
{
	return arena_printf(&b->arena, "%s/%.2s/%s", c->dir, key, key + 2);
}

bool cache_get(struct kgr_build *b, struct cache *c, const char *key, const char *path)
{
	struct arena tmp = { 0 };
	uint8_t digest[SHA256_SIZE];
	struct sha256 s;
	char *entry, *data;
	bool good = false;
	size_t size;

	if (!key)
		return false;
	entry = entry_path(b, c, key);
	if (!file_read(&tmp, entry, &data, &size) && size > sizeof(digest)) {
		size -= sizeof(digest);
		sha256_start(&s);
		sha256_add(&s, data, size);
		sha256_end(&s, digest);
		good = !memcmp(digest, data + size, sizeof(digest)) && !file_write(path, data, size);
		if (good)
			utimensat(AT_FDCWD, entry, NULL, 0);	/* when it was used last */
		else
			unlink(entry);
	}
	arena_free(&tmp);
	return good;
}

void cache_put(struct kgr_build *b, struct cache *c, const char *key, const char *path)
{
	struct arena tmp = { 0 };
	char *entry, *begun, *data;
	struct sha256 s;
	size_t size;

	if (!key || file_read(&tmp, path, &data, &size) || size + SHA256_SIZE > c->limit)
		goto out;
	entry = entry_path(b, c, key);
	begun = arena_printf(&tmp, "%s/new.%d", c->dir, (int)getpid());
	data = memcpy(arena_alloc(&tmp, size + SHA256_SIZE), data, size);
	sha256_start(&s);
	sha256_add(&s, data, size);
	sha256_end(&s, (uint8_t *)data + size);
	if (make_parent_dirs(&tmp, entry) || file_write(begun, data, size + SHA256_SIZE) ||
	    rename(begun, entry))
		unlink(begun);
	else
		c->stored = true;
out:
	arena_free(&tmp);
}

struct entry {
	char *path;
	uint64_t size;
	struct timespec used;
};

/* nftw() has no argument for the caller */
static struct {
	struct arena *arena;
	VEC(struct entry) list;
	uint64_t total;
} walk;

static int visit(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	struct entry e = { .size = st->st_size, .used = st->st_mtim };

	if (flag != FTW_F)
		return 0;
	if (ftw->level == 1 && str_starts(path + ftw->base, "new.")) {
		if (st->st_mtim.tv_sec + STALE_SECONDS < time(NULL))
			unlink(path);
		return 0;
	}
	e.path = arena_strdup(walk.arena, path);
	walk.total += e.size;
	vec_push(walk.arena, &walk.list, e);
	return 0;
}

static int by_use(const void *a, const void *b)
{
	const struct timespec *x = &((const struct entry *)a)->used;
	const struct timespec *y = &((const struct entry *)b)->used;

	if (x->tv_sec != y->tv_sec)
		return x->tv_sec < y->tv_sec ? -1 : 1;
	return x->tv_nsec < y->tv_nsec ? -1 : x->tv_nsec > y->tv_nsec;
}

void cache_close(struct kgr_build *b, struct cache *c)
{
	if (!c->dir || !c->stored)
		return;
	walk.arena = &b->arena;
	walk.list.v = NULL;
	walk.list.n = walk.list.cap = walk.total = 0;
	nftw(c->dir, visit, 16, FTW_PHYS);
	if (walk.total <= c->limit)
		return;
	qsort(walk.list.v, walk.list.n, sizeof(*walk.list.v), by_use);
	for (size_t i = 0; i < walk.list.n && walk.total > c->limit; i++)
		if (!unlink(walk.list.v[i].path))
			walk.total -= walk.list.v[i].size;
}
