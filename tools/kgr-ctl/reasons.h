/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KGR_REASONS_H
#define _KGR_REASONS_H

#include <stdint.h>

/* Why a context has not migrated, and what an operator can do about it */
struct kgr_reason {
	const char *name;
	const char *what;	/* one sentence */
	const char *remedy;	/* one sentence */
};

extern const unsigned int kgr_reason_count;

/* Never NULL: a number that this build doesn't know has an entry of its own */
const struct kgr_reason *kgr_reason(uint32_t number);
const char *kgr_kind_name(uint32_t kind);

#endif /* _KGR_REASONS_H */
