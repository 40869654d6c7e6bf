/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KGR_NOTES_H
#define _KGR_NOTES_H

#include <stddef.h>

/*
 * Finds the GNU build-id in ELF notes as /sys/kernel/notes has them.
 * 0, -ENOENT, -EBADMSG for notes that are cut off, -ENOSPC.
 */
int kgr_notes_build_id(const void *notes, size_t len, char *hex, size_t size);

#endif /* _KGR_NOTES_H */
