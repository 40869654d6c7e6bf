/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KGR_READFILE_H
#define _KGR_READFILE_H

#include <stddef.h>
#include <sys/types.h>

/* The whole file, or as much as fits, NUL-terminated; its length or -errno */
ssize_t kgr_read_file(const char *path, char *buf, size_t size);

/* The whole file, however long it is, to be freed; @text is NUL-terminated; 0 or -errno */
int kgr_slurp_file(const char *path, char **text, size_t *len);

/* Takes newlines and blanks off the end */
void kgr_chomp(char *s);

#endif /* _KGR_READFILE_H */
