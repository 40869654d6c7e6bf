/* SPDX-License-Identifier: GPL-2.0 */
/* The linked module: what can be bound only when another module is there */
#ifndef KGR_BUILD_LATE_H
#define KGR_BUILD_LATE_H

#include "kgr-build.h"

/* In the module: its array of struct kgr_late */
#define LATE_SYMBOL	"kgr_late_tables"

bool has_late(const struct kgr_build *b);

/*
 * Fills the array: relocations to symbols in @privates that are bound late, and the
 * entries of special sections that hold such relocations, or stand for code that
 * does, are moved to tables of their own.  0 or -1.
 */
int late_split(struct diag *d, struct obj *ko, const struct sect *strings,
	       const struct map *privates);

#endif
