// SPDX-License-Identifier: GPL-2.0
/*
 * A module whose tag says it is for another kernel. The loader has to refuse
 * it before its init runs, which would complain loudly.
 */
#include <linux/bug.h>
#include <linux/init.h>
#include <linux/kgraft.h>
#include <linux/module.h>

static int __init kgr_test_build_id_init(void)
{
	WARN(1, "module for another kernel was let in\n");
	return 0;
}

static void __exit kgr_test_build_id_exit(void)
{
}

module_init(kgr_test_build_id_init);
module_exit(kgr_test_build_id_exit);
MODULE_DESCRIPTION("kGraft selftest: a patch for another kernel");
MODULE_LICENSE("GPL");
MODULE_INFO(kgraft, "Y");
MODULE_INFO(kgraft_build_id, "0123456789abcdef0123456789abcdef01234567");
