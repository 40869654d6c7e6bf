/* SPDX-License-Identifier: GPL-2.0 */
/* For all fuzz targets: a state to begin with, and the input as a file */
#ifndef KGR_BUILD_FUZZ_H
#define KGR_BUILD_FUZZ_H

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../util.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Path of a file in memory with that content */
static inline char *fuzz_file(struct arena *a, const uint8_t *data, size_t size, int *fd)
{
	*fd = memfd_create("fuzz", 0);
	if (*fd < 0 || write(*fd, data, size) != (ssize_t)size) {
		perror("memfd");
		_exit(1);
	}
	return arena_printf(a, "/proc/self/fd/%d", *fd);
}

#endif
