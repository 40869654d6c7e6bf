/* SPDX-License-Identifier: GPL-2.0 */
/* Special tables of this very kernel */
#ifndef KGR_BUILD_TABLES_H
#define KGR_BUILD_TABLES_H

#include "diag.h"
#include "special.h"
#include "symtab.h"

#define AT_VMLINUX	{ .object = "vmlinux" }

/* Size of struct @name as the BTF in @data tells; 0: it doesn't */
uint32_t btf_struct_size(const uint8_t *data, uint64_t size, const char *name);

/* Is vmlinux's own table of that kind made of such entries?  0 or -1. */
int table_check(struct diag *d, const struct symtab *st, const struct sect_kind *k);

#endif
