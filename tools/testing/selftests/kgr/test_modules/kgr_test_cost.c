// SPDX-License-Identifier: GPL-2.0
/*
 * Patches a function that does nothing, for measuring what a call costs, one that
 * hands back its arguments, and one that a sleeper holds up.
 */
#include <linux/init.h>
#include <linux/kgraft.h>
#include <linux/kgraft_test.h>
#include <linux/module.h>

#define NEW_VERSION	2

static int model = KGR_MODEL_HYBRID;
module_param(model, int, 0444);
MODULE_PARM_DESC(model, "consistency model: 0 universe, 1 hybrid, 2 immediate");

static __noipa int new_empty(void)
{
	return NEW_VERSION;
}

static long new_args(long a, long b, long c, long d, long e, long f)
{
	return a + 2 * b + 3 * c + 4 * d + 5 * e + 6 * f + 1000 * NEW_VERSION;
}

static int new_first(void)
{
	return NEW_VERSION;
}

static int new_sleep(int how)
{
	int err = kgr_test_wait(how);

	return err ? err : NEW_VERSION;
}

static struct kgr_patch patch = {
	.name = "kgr_test_cost",
	.owner = THIS_MODULE,
	.patches = {
		KGR_PATCH(kgr_test_empty, new_empty),
		KGR_PATCH(kgr_test_args, new_args),
		KGR_PATCH(kgr_test_first, new_first),
		KGR_PATCH(kgr_test_sleep, new_sleep),
		KGR_PATCH_END
	}
};

static int __init kgr_test_cost_init(void)
{
	patch.model = model;
	return kgr_patch_kernel(&patch);
}

static void __exit kgr_test_cost_exit(void)
{
	kgr_patch_remove(&patch);
}

module_init(kgr_test_cost_init);
module_exit(kgr_test_cost_exit);
MODULE_DESCRIPTION("kGraft selftest: a function that does nothing");
MODULE_LICENSE("GPL");
MODULE_INFO(kgraft, "Y");
