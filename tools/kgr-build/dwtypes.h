/* SPDX-License-Identifier: GPL-2.0 */
/* Between dwarf.c and dwtypes.c, the two files that know libdw */
#ifndef KGR_BUILD_DWTYPES_H
#define KGR_BUILD_DWTYPES_H

#include <dwarf.h>
#include <elfutils/libdw.h>

#include "dwarf.h"

#define DW_MAX_DEPTH	64	/* of DIEs in one another; a compiler's don't come near it */

/*
 * Next sibling: 0, or not 0 at the end.  Debug data that is damaged may lead back to
 * where one came from; offsets that don't grow end the list.
 */
int dw_next(Dwarf_Die *die);

/* As it is written in C, qualifiers left out */
char *dw_type_text(struct arena *a, Dwarf_Die *die);

/* The type that DW_AT_type of @die says, as text; "void" if it says none */
char *dw_text_of(struct arena *a, Dwarf_Die *die);

/* Key of the struct, union or enum that @die is or is an array of, or NULL */
const char *dw_embedded(struct arena *a, Dwarf_Die *die);

const char *dw_file(struct arena *a, Dwarf_Die *die, unsigned int *line);

/* Adds a type definition found at the top level of a unit, @typedefs aside */
void dw_add_type(struct arena *a, const struct map *known, struct dw_index *ix, Dwarf_Die *die);

#endif
