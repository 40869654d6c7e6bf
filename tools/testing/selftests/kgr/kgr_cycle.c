// SPDX-License-Identifier: GPL-2.0
/*
 * Reverts and applies a patch again and again, without a process in between
 * that would take time: each cycle is two transitions, seen to their ends.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "util.h"

struct times {
	unsigned long long sum, max;
	unsigned long transitions;
};

/* Both counts of a completed transition must be the same */
static int check_counts(const char *patch)
{
	char path[256];
	long migrated, total;
	int err;

	err = kgr_patch_path(path, sizeof(path), patch, "migrated");
	if (!err)
		err = kgr_read_long(path, &migrated);
	if (!err)
		err = kgr_patch_path(path, sizeof(path), patch, "total");
	if (!err)
		err = kgr_read_long(path, &total);
	return err ? err : migrated != total || total <= 0 ? -ERANGE : 0;
}

static int transition(const char *patch, int apply, int timeout_ms, struct times *times)
{
	unsigned long long begin = kgr_now_ms(), took;
	int err;

	err = kgr_patch_set(patch, apply);
	if (!err)
		err = kgr_patch_wait(patch, timeout_ms);
	if (!err)
		err = check_counts(patch);
	if (err)
		return err;
	took = kgr_now_ms() - begin;
	times->sum += took;
	times->transitions++;
	if (took > times->max)
		times->max = took;
	return 0;
}

int main(int argc, char **argv)
{
	struct times times = { 0 };
	int i, cycles, timeout_ms, err = 0;

	if (argc < 3 || argc > 4) {
		fprintf(stderr, "usage: kgr_cycle PATCH CYCLES [SECONDS]\n");
		return 2;
	}
	cycles = atoi(argv[2]);
	timeout_ms = argc > 3 ? atoi(argv[3]) * 1000 : 60000;
	for (i = 0; i < cycles && !err; i++) {
		err = transition(argv[1], 0, timeout_ms, &times);
		if (!err)
			err = transition(argv[1], 1, timeout_ms, &times);
	}
	printf("transitions=%lu mean_ms=%llu max_ms=%llu result=%s\n", times.transitions,
	       times.transitions ? times.sum / times.transitions : 0, times.max,
	       err ? kgr_errname(err) : "ok");
	return err ? 1 : 0;
}
