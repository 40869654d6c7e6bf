// SPDX-License-Identifier: GPL-2.0
/*
 * Functions that exist to be replaced. What they mean is in
 * linux/kgraft_test.h; who calls them is in test_driver.c.
 */
#include <linux/cache.h>
#include <linux/compiler.h>
#include <linux/delay.h>
#include <linux/errno.h>
#include <linux/error-injection.h>
#include <linux/export.h>
#include <linux/jiffies.h>
#include <linux/kgraft_test.h>
#include <linux/sched.h>

/* What a body returns; read at run time so that callers can't fold it */
static int kgr_test_version __read_mostly = 1;

noinline int kgr_test_inner(void)
{
	return READ_ONCE(kgr_test_version);
}
EXPORT_SYMBOL_GPL(kgr_test_inner);
/* fmod_ret programs of BPF may be attached to such functions only */
ALLOW_ERROR_INJECTION(kgr_test_inner, ERRNO);

noinline int kgr_test_outer(struct kgr_test_pair *pair)
{
	pair->first = READ_ONCE(kgr_test_version);
	kgr_test_pause(pair);
	pair->second = kgr_test_inner();
	return 0;
}
EXPORT_SYMBOL_GPL(kgr_test_outer);
ALLOW_ERROR_INJECTION(kgr_test_outer, ERRNO);

noinline int kgr_test_first(void)
{
	return READ_ONCE(kgr_test_version);
}
EXPORT_SYMBOL_GPL(kgr_test_first);
ALLOW_ERROR_INJECTION(kgr_test_first, ERRNO);

noinline int kgr_test_second(void)
{
	return READ_ONCE(kgr_test_version);
}
EXPORT_SYMBOL_GPL(kgr_test_second);
ALLOW_ERROR_INJECTION(kgr_test_second, ERRNO);

noinline int kgr_test_sleep(int how)
{
	int ret = kgr_test_wait(how);

	return ret ?: READ_ONCE(kgr_test_version);
}
EXPORT_SYMBOL_GPL(kgr_test_sleep);

noinline int kgr_test_loop(int ms)
{
	unsigned long end = jiffies + msecs_to_jiffies(ms);

	while (time_before(jiffies, end))
		cond_resched();
	return READ_ONCE(kgr_test_version);
}
EXPORT_SYMBOL_GPL(kgr_test_loop);

noinline long kgr_test_check(unsigned int flags)
{
	if (flags & ~KGR_TEST_CHECK_MASK)
		return -EINVAL;
	return READ_ONCE(kgr_test_version);
}
EXPORT_SYMBOL_GPL(kgr_test_check);

noinline notrace int kgr_test_notrace(void)
{
	return READ_ONCE(kgr_test_version);
}

/* Nothing but its version, for measuring what a call costs */
noinline __noipa int kgr_test_empty(void)
{
	return 1;
}
EXPORT_SYMBOL_GPL(kgr_test_empty);

/* All registers that carry arguments, each with a weight of its own */
noinline long kgr_test_args(long a, long b, long c, long d, long e, long f)
{
	return a + 2 * b + 3 * c + 4 * d + 5 * e + 6 * f + 1000 * READ_ONCE(kgr_test_version);
}
EXPORT_SYMBOL_GPL(kgr_test_args);

/* The first of two of that name: patching it by name alone is ambiguous */
static noinline int kgr_test_dup(void)
{
	return READ_ONCE(kgr_test_version);
}

int (* const kgr_test_dup_first)(void) = kgr_test_dup;
EXPORT_SYMBOL_GPL(kgr_test_dup_first);
