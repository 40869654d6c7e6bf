/* SPDX-License-Identifier: GPL-2.0 */
/* The outcome as JSON: what --json prints is what the page for review is made from */
#ifndef KGR_BUILD_FACTS_H
#define KGR_BUILD_FACTS_H

#include <jansson.h>

#include "kgr-build.h"

json_t *facts(struct kgr_build *b);

const char *fact_type(const struct atom *a);				/* "function", "data" */
const char *fact_module(struct kgr_build *b, const struct atom *a);	/* NULL: vmlinux */
unsigned int fact_private(const struct kgr_build *b);	/* symbols of vmlinux, not exported */
unsigned int fact_late(const struct kgr_build *b);	/* symbols that wait for a module */
const char *verdict_name(enum verdict v);

#endif
