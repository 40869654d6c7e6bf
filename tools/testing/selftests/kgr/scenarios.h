/* SPDX-License-Identifier: GPL-2.0 */
/* Sleeping system calls that test_syscalls.c goes through. */
#ifndef _KGR_SELFTEST_SCENARIOS_H
#define _KGR_SELFTEST_SCENARIOS_H

#include <stdbool.h>
#include <sys/types.h>

/**
 * struct scenario - a system call that sleeps until something happens
 * @name:	what it is
 * @make:	sets up what is needed, before the child is forked
 * @call:	sleeps in the call, in the child; 0 when it returned as it should
 * @end:	makes happen what the child waits for, in the parent
 * @remove:	removes what outlives the processes, or NULL
 * @may_eintr:	the call is documented to answer a fake signal with EINTR
 *
 * Functions return 0 or a negative errno.
 */
struct scenario {
	const char *name;
	int (*make)(void);
	int (*call)(void);
	int (*end)(pid_t child);
	void (*remove)(void);
	bool may_eintr;
};

extern const struct scenario scenarios[];
extern const unsigned int nr_scenarios;

/* Forget what make() has set up */
void scenario_close(void);

#endif /* _KGR_SELFTEST_SCENARIOS_H */
