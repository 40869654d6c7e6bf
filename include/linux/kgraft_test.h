/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Targets for the selftests of kGraft, built into the kernel by
 * CONFIG_KGRAFT_TEST. Each function returns the version of the body that ran:
 * 1 is the one in the kernel, a patch module has 2.
 */
#ifndef _LINUX_KGRAFT_TEST_H
#define _LINUX_KGRAFT_TEST_H

#include <linux/types.h>

/**
 * struct kgr_test_pair - what one run of a pair of functions has seen
 * @first:	version of the function that was called first
 * @second:	version of the one called after it
 * @pause_us:	how long to busy-wait between the two, in microseconds
 * @may_sleep:	the wait may give up the CPU
 */
struct kgr_test_pair {
	int first;
	int second;
	unsigned int pause_us;
	bool may_sleep;
};

/* How kgr_test_sleep() waits */
enum kgr_test_how {
	KGR_TEST_INTERRUPTIBLE,
	KGR_TEST_UNINTERRUPTIBLE,
	KGR_TEST_KILLABLE,
};

void kgr_test_pause(const struct kgr_test_pair *pair);
int kgr_test_wait(int how);

/* The nested pair: outer calls inner while it is on the stack itself */
int kgr_test_inner(void);
int kgr_test_outer(struct kgr_test_pair *pair);

/* The sequential pair: the caller sleeps in between */
int kgr_test_first(void);
int kgr_test_second(void);

int kgr_test_sleep(int how);

/* Set by a module's init, NULL again in its exit function */
extern int (*kgr_test_hook)(void);
int kgr_test_loop(int ms);
long kgr_test_check(unsigned int flags);
int kgr_test_notrace(void);
int kgr_test_empty(void);
long kgr_test_args(long a, long b, long c, long d, long e, long f);

/* kernel/kgraft/check.c, with CONFIG_KGRAFT_DEBUG */
void kgr_check_provoke(int (*first)(void), int (*second)(void));

/* Two static functions, both named kgr_test_dup */
extern int (* const kgr_test_dup_first)(void);
extern int (* const kgr_test_dup_second)(void);

/* Bits that kgr_test_check() knows; it refuses others with -EINVAL */
#define KGR_TEST_CHECK_MASK	0xfU

#endif /* _LINUX_KGRAFT_TEST_H */
