/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Patch modules that don't list their functions in tags: their struct kgr_patch, as it
 * stands in the file.  The only user of libelf.
 */
#ifndef _KGR_PATCHFILE_H
#define _KGR_PATCHFILE_H

#include "patch.h"

/*
 * Adds the functions to @patch.  0; -ENOENT: there is no such structure; -ENOEXEC: not
 * an object file of this architecture, or compressed; another -errno.
 */
int kgr_patchfile_functions(const char *path, struct kgr_patch *patch);

#endif /* _KGR_PATCHFILE_H */
