/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What is not in a patch module's tags, as it stands in the file: the struct kgr_patch of
 * those that don't list their functions there, and its build-id.  The only user of libelf.
 */
#ifndef _KGR_PATCHFILE_H
#define _KGR_PATCHFILE_H

#include "patch.h"

/*
 * Adds the functions to @patch.  0; -ENOENT: there is no such structure; -ENOEXEC: not
 * an object file of this architecture, or compressed; another -errno.
 */
int kgr_patchfile_functions(const char *path, struct kgr_patch *patch);

/* The build-id of the module itself. 0; -ENOENT: it has none; otherwise as above */
int kgr_patchfile_build_id(const char *path, char *hex, size_t size);

#endif /* _KGR_PATCHFILE_H */
