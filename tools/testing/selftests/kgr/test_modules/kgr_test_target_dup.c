// SPDX-License-Identifier: GPL-2.0
/* The second function of a name in kgr_test_target.ko */
#include <linux/cache.h>
#include <linux/compiler.h>

int kgr_target_dup_second(void);

static int version __read_mostly = 101;

static noinline int kgr_target_dup(void)
{
	return READ_ONCE(version);
}

int kgr_target_dup_second(void)
{
	return kgr_target_dup();
}
