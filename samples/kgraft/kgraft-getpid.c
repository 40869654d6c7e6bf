// SPDX-License-Identifier: GPL-2.0
/*
 * A patch module written by hand: getpid() gets a body of its own.
 *
 * Purpose
 * -------
 * To show how little a patch module is. It is what one for SLE 12 looked like,
 * but for the name of the symbol, which has become __x64_sys_getpid. Callers see
 * no difference; the module counts how often its body has run.
 *
 * Usage
 * -----
 *	# insmod kgraft-getpid.ko
 *	# cat /sys/kernel/kgraft/kgraft_getpid/transition	(0: complete)
 *	# cat /sys/module/kgraft_getpid/parameters/calls
 *
 * Then let something call getpid(), such as "sh -c true", and read it again.
 *
 *	# echo 1 > /sys/kernel/kgraft/kgraft_getpid/revert
 *	# rmmod kgraft_getpid		(as soon as transition is 0 again)
 *
 * What to try
 * -----------
 * rmmod without having reverted; loading it twice; a second module that patches
 * something else while this one's transition runs.
 *
 * 32-bit programs come by another symbol, __ia32_sys_getpid, and are left alone.
 */
#include <linux/compiler.h>
#include <linux/init.h>
#include <linux/kgraft.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/pid.h>
#include <linux/sched.h>

/* A hint, not a count to rely on: two CPUs at once may add only one */
static unsigned long calls;
module_param(calls, ulong, 0444);
MODULE_PARM_DESC(calls, "how often the new body has run");

static asmlinkage long kgr_new_sys_getpid(const struct pt_regs *regs)
{
	WRITE_ONCE(calls, READ_ONCE(calls) + 1);
	return task_tgid_vnr(current);
}

static struct kgr_patch patch = {
	.name = "kgraft_getpid",
	.owner = THIS_MODULE,
	.patches = {
		KGR_PATCH(__x64_sys_getpid, kgr_new_sys_getpid),
		KGR_PATCH_END
	}
};

/* Nothing may fail after kgr_patch_kernel(): the patch would outlive its module */
static int __init kgraft_getpid_init(void)
{
	return kgr_patch_kernel(&patch);
}

static void __exit kgraft_getpid_exit(void)
{
	kgr_patch_remove(&patch);
}

module_init(kgraft_getpid_init);
module_exit(kgraft_getpid_exit);
MODULE_DESCRIPTION("kGraft sample: a body of its own for getpid()");
MODULE_LICENSE("GPL");
MODULE_INFO(kgraft, "Y");
