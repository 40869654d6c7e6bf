// SPDX-License-Identifier: GPL-2.0
/* Object files: split into atoms, compared with themselves; and the same as vmlinux */
#include "../../compare.h"
#include "../../correlate.h"
#include "../../elf.h"
#include "../../load.h"
#include "../../kgr-build.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena a = { 0 };
	struct diag d = { .arena = &a };
	struct obj x, y, z = { 0 };
	struct symtab st;
	int fd;
	char *path = fuzz_file(&a, data, size, &fd);
	bool good = !load_object(&d, &a, path, "fuzz.o", false, &x);

	if (!load_object(&d, &a, path, "fuzz.o", true, &y) && good) {
		correlate(&d, &x, &y);
		compare_objects(&a, &y);
	}
	elf_close(&x);
	elf_close(&y);
	symtab_open(&d, &a, &st, path, "/dev/null");
	elf_close(&st.obj);
	if (!elf_read(&d, &a, path, "fuzz.o", &z))
		elf_write_rel(&d, "/dev/null", &z);
	elf_close(&z);
	close(fd);
	arena_free(&a);
	return 0;
}
