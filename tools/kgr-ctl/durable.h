/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Files that are changed as a whole and for good: whoever reads one, also after a
 * crash or a power cut at any moment, finds the old content or the new.  When a
 * function here has returned 0, the change has reached the disk.
 *
 * Who changes files of a directory has to keep others from doing the same: the
 * temporary file has one name.  All return -errno.
 */
#ifndef _KGR_DURABLE_H
#define _KGR_DURABLE_H

#include <stddef.h>

#define KGR_DURABLE_TMP	".tmp"	/* one that is found was left by somebody who was killed */

int kgr_durable_write(const char *dir, const char *name, const void *data, size_t len);
/* No such file: success */
int kgr_durable_unlink(const char *dir, const char *name);
/* Makes @path and what is missing above it */
int kgr_durable_mkdir(const char *path);

#endif /* _KGR_DURABLE_H */
