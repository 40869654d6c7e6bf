/* SPDX-License-Identifier: GPL-2.0 */
/* Original objects, compiled in sections, of earlier runs */
#ifndef KGR_BUILD_CACHE_H
#define KGR_BUILD_CACHE_H

#include "kgr-build.h"

struct cache {
	char *dir;		/* NULL: there is none */
	uint64_t limit;		/* bytes */
	struct map hashes;	/* of files, by path */
	bool stored;
};

/* In $XDG_CACHE_HOME or ~/.cache; if that can't be used there is no cache */
void cache_open(struct kgr_build *b, struct cache *c);

/*
 * What the object that @cmd makes of @u depends on: command, compiler, configuration,
 * and the content of every file that kbuild has recorded for it.  NULL: not known.
 */
char *cache_key(struct kgr_build *b, struct cache *c, const struct unit *u, const struct cmd *cmd);

/* Puts the object into @path if it is there, whole */
bool cache_get(struct kgr_build *b, struct cache *c, const char *key, const char *path);

void cache_put(struct kgr_build *b, struct cache *c, const char *key, const char *path);

/* Removes what hasn't been used for longest until it is small enough */
void cache_close(struct kgr_build *b, struct cache *c);

#endif
