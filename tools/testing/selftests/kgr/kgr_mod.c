// SPDX-License-Identifier: GPL-2.0
/*
 * Loads and unloads modules by the bare system calls and prints what came of
 * it: "ok" or the name of the error.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "util.h"

static int join(char *text, size_t size, char **words)
{
	size_t used = 0;
	int len;

	text[0] = '\0';
	for (; *words; words++) {
		len = snprintf(text + used, size - used, "%s%s", used ? " " : "", *words);
		if (len < 0 || (size_t)len >= size - used)
			return -E2BIG;
		used += len;
	}
	return 0;
}

int main(int argc, char **argv)
{
	char params[1024];
	int err;

	if (argc >= 3 && !strcmp(argv[1], "load")) {
		err = join(params, sizeof(params), argv + 3);
		if (!err)
			err = kgr_mod_load(argv[2], params);
	} else if (argc == 3 && !strcmp(argv[1], "unload")) {
		err = kgr_mod_unload(argv[2]);
	} else {
		fprintf(stderr, "usage: kgr_mod load FILE [PARAM=VALUE]... | unload NAME\n");
		return 2;
	}
	printf("%s\n", err ? kgr_errname(err) : "ok");
	return err ? 1 : 0;
}
