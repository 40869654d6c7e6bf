// SPDX-License-Identifier: GPL-2.0
/* A part of fuzz_cmd: what tree.c keeps to itself */
#include "../../tree.c"
#include "fuzz.h"

int fuzz_members(const uint8_t *data, size_t size);

int fuzz_members(const uint8_t *data, size_t size)
{
	struct arena a = { 0 };
	struct diag d = { .arena = &a };
	struct tree t = { .objdir = "" };
	int fd, err;
	char *path = fuzz_file(&a, data, size, &fd);

	err = read_members(&d, &t, path + 1);
	close(fd);
	arena_free(&a);
	return err;
}
