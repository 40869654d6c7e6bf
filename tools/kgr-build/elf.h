/* SPDX-License-Identifier: GPL-2.0 */
/* ELF files in and out.  elf.c is the only file that knows libelf. */
#ifndef KGR_BUILD_ELF_H
#define KGR_BUILD_ELF_H

#include "diag.h"
#include "model.h"

/*
 * Reads sections, symbols and, of relocatable files, relocations.  The data
 * stays in the file's mapping, which lives until the process ends.  0 or -1.
 */
int elf_read(struct diag *d, struct arena *a, const char *path, const char *name, struct obj *o);

/* Gives back the file's mapping: nothing of @o may be used any more */
void elf_close(struct obj *o);

/* Writes a relocatable file; its symbol and string tables are made anew.  0 or -1. */
int elf_write_rel(struct diag *d, const char *path, struct obj *o);

#endif
