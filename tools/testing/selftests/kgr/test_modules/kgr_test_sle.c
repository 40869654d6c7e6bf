// SPDX-License-Identifier: GPL-2.0
/*
 * A patch as it was written for SLE 12, with the symbol's present name as its
 * only change. The Makefile builds it many times; each adds its own offset, above
 * any process number, to what getpid() returns.
 */
#include <linux/module.h>
#include <linux/kernel.h>
#include <linux/init.h>
#include <linux/kgraft.h>
#include <linux/sched.h>
#include <linux/types.h>
#include <linux/capability.h>
#include <linux/ptrace.h>

#include <asm/processor.h>

static bool replace_all;
module_param(replace_all, bool, 0444);

asmlinkage long kgr_new_sys_getpid(void)
{
	return task_tgid_vnr(current) + 0x1000000 * KGR_TEST_NR;
}

static struct kgr_patch patch = {
	.name = "kgr_test_sle" __stringify(KGR_TEST_NR),
	.owner = THIS_MODULE,
	.patches = {
		KGR_PATCH(__x64_sys_getpid, kgr_new_sys_getpid),
		KGR_PATCH_END
	}
};

static int __init kgr_patcher_init(void)
{
	patch.replace_all = replace_all;
	return kgr_patch_kernel(&patch);
}

static void __exit kgr_patcher_cleanup(void)
{
	kgr_patch_remove(&patch);
}

module_init(kgr_patcher_init);
module_exit(kgr_patcher_cleanup);
MODULE_DESCRIPTION("kGraft selftest: a patch as for SLE 12");
MODULE_LICENSE("GPL");
MODULE_INFO(kgraft, "Y");
