// SPDX-License-Identifier: GPL-2.0
/* Writes a text to a file with one write(2) and prints "ok" or the error's name. */
#include <stdio.h>

#include "util.h"

int main(int argc, char **argv)
{
	int err;

	if (argc != 3) {
		fprintf(stderr, "usage: kgr_put FILE TEXT\n");
		return 2;
	}
	err = kgr_write(argv[1], argv[2]);
	printf("%s\n", err ? kgr_errname(err) : "ok");
	return err ? 1 : 0;
}
