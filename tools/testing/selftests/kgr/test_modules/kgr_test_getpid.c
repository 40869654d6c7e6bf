// SPDX-License-Identifier: GPL-2.0
/*
 * The getpid patch of the SLE 12 documentation, with the symbol's present name
 * as its only change. The offset lies above any process number.
 */
#include <linux/init.h>
#include <linux/kgraft.h>
#include <linux/module.h>
#include <linux/pid.h>
#include <linux/sched.h>

#define GETPID_OFFSET	0x10000000

static asmlinkage long kgr_new_sys_getpid(const struct pt_regs *regs)
{
	return task_tgid_vnr(current) + GETPID_OFFSET;
}

static struct kgr_patch patch = {
	.name = "kgr_test_getpid",
	.owner = THIS_MODULE,
	.patches = {
		KGR_PATCH(__x64_sys_getpid, kgr_new_sys_getpid),
		KGR_PATCH_END
	}
};

static int __init kgr_test_getpid_init(void)
{
	return kgr_patch_kernel(&patch);
}

static void __exit kgr_test_getpid_exit(void)
{
	kgr_patch_remove(&patch);
}

module_init(kgr_test_getpid_init);
module_exit(kgr_test_getpid_exit);
MODULE_DESCRIPTION("kGraft selftest: getpid, as for SLE 12");
MODULE_LICENSE("GPL");
MODULE_INFO(kgraft, "Y");
