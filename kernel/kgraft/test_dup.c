// SPDX-License-Identifier: GPL-2.0
/* The second of two static functions of one name; see test_targets.c. */
#include <linux/compiler.h>
#include <linux/export.h>
#include <linux/kgraft_test.h>

static noinline int kgr_test_dup(void)
{
	barrier();
	return 1;
}

/* Keeps a reference, or the compiler would drop it */
int (* const kgr_test_dup_second)(void) = kgr_test_dup;
EXPORT_SYMBOL_GPL(kgr_test_dup_second);
