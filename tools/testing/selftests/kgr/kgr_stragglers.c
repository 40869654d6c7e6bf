// SPDX-License-Identifier: GPL-2.0
/*
 * Lists the contexts that have not migrated, one line of name=value words each
 * (comm last, as it may hold blanks), or nudges them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util.h"

static int print_straggler(const struct kgr_straggler *s, void *data)
{
	(void)data;
	printf("tid=%d pid=%d kind=%s reason=%s cpu=%d age_ms=%llu", s->tid, s->pid,
	       kgr_kind_name(s->kind), kgr_reason_name(s->reason), s->cpu, s->age_ms);
	if (s->function[0])
		printf(" function=%s offset=%#x", s->function, s->offset);
	if (s->caller[0])
		printf(" caller=%s", s->caller);
	if (s->syscall >= 0)
		printf(" syscall=%d", s->syscall);
	if (s->wchan[0])
		printf(" wchan=%s", s->wchan);
	if (s->tracer >= 0)
		printf(" tracer=%d", s->tracer);
	printf(" patch=%s comm=%s\n", s->patch, s->comm);
	return 0;
}

int main(int argc, char **argv)
{
	int ret;

	if (argc >= 2 && !strcmp(argv[1], "--nudge")) {
		ret = kgr_nudge(argc > 2 ? atoi(argv[2]) : 0);
		if (ret >= 0)
			printf("nudged=%d\n", ret);
	} else if (argc == 1) {
		ret = kgr_stragglers(print_straggler, NULL);
	} else {
		fprintf(stderr, "usage: kgr_stragglers [--nudge [TID]]\n");
		return 2;
	}
	if (ret < 0)
		printf("%s\n", kgr_errname(ret));
	return ret < 0 ? 1 : 0;
}
