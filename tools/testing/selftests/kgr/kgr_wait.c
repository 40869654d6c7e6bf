// SPDX-License-Identifier: GPL-2.0
/* Waits, without polling in intervals, until the transition of a patch is over. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "util.h"

enum { EXIT_NO_PATCH = 3, EXIT_TIMEOUT = 4 };

int main(int argc, char **argv)
{
	int err;

	if (argc < 2 || argc > 3) {
		fprintf(stderr, "usage: kgr_wait PATCH [SECONDS]\n");
		return 2;
	}
	err = kgr_patch_wait(argv[1], argc > 2 ? atoi(argv[2]) * 1000 : 60000);
	if (!err)
		return 0;
	fprintf(stderr, "kgr_wait: %s: %s\n", argv[1], kgr_errname(err));
	return err == -ENOENT ? EXIT_NO_PATCH : err == -ETIMEDOUT ? EXIT_TIMEOUT : 1;
}
