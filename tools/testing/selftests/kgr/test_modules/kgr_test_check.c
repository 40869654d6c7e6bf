// SPDX-License-Identifier: GPL-2.0
/*
 * Patches one function that never sleeps, with its old size if that is asked
 * for: the least a patch can be.
 */
#include <linux/errno.h>
#include <linux/init.h>
#include <linux/kgraft.h>
#include <linux/kgraft_test.h>
#include <linux/module.h>

#define NEW_VERSION	2

static int model = KGR_MODEL_HYBRID;
module_param(model, int, 0444);
MODULE_PARM_DESC(model, "consistency model: 0 universe, 1 hybrid, 2 immediate, 3 quiesce");

static long new_check(unsigned int flags)
{
	if (flags & ~KGR_TEST_CHECK_MASK)
		return -EINVAL;
	return NEW_VERSION;
}

static struct kgr_patch patch = {
	.name = "kgr_test_check",
	.owner = THIS_MODULE,
	.patches = {
		KGR_PATCH(kgr_test_check, new_check),
		KGR_PATCH_END
	}
};

static int __init kgr_test_check_init(void)
{
	patch.model = model;
	return kgr_patch_kernel(&patch);
}

static void __exit kgr_test_check_exit(void)
{
	kgr_patch_remove(&patch);
}

module_init(kgr_test_check_init);
module_exit(kgr_test_check_exit);
MODULE_DESCRIPTION("kGraft selftest: the least a patch can be");
MODULE_LICENSE("GPL");
MODULE_INFO(kgraft, "Y");
