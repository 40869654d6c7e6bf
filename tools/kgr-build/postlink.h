/* SPDX-License-Identifier: GPL-2.0 */
/* The linked module: references to private symbols become late relocations */
#ifndef KGR_BUILD_POSTLINK_H
#define KGR_BUILD_POSTLINK_H

#include "diag.h"
#include "model.h"

/*
 * @privates: aliases to struct xref.  Makes .kgraft.relocs and takes those symbols
 * away from the module loader.  0 or -1.
 */
int postlink(struct diag *d, struct obj *ko, const struct map *privates);

/* A section of struct kgr_reloc under way */
struct records {
	struct diag *d;
	struct obj *ko;
	const struct sect *strings;
	struct sect *sect;
	struct buf data;
};

/* One more, for relocation @r of section @s to symbol @x.  0 or -1. */
int add_record(struct records *to, const struct sect *s, const struct rela *r,
	       const struct xref *x);

/* What a symbol stands for that the module loader can't find, or NULL */
const struct xref *private_of(const struct map *privates, const struct sym *s);

/* The module loader isn't to look at it any more */
void drop_rela(struct rela *r);

#endif
