// SPDX-License-Identifier: GPL-2.0
/* Debug data */
#include "../../kgr-build.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena a = { 0 };
	struct dw_index ix;
	int fd;

	dwarf_read(&a, fuzz_file(&a, data, size, &fd), NULL, &ix);
	close(fd);
	arena_free(&a);
	return 0;
}
