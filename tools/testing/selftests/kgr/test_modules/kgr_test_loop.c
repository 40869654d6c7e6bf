// SPDX-License-Identifier: GPL-2.0
/* Patches a function that keeps the CPU busy for as long as it is told. */
#include <linux/init.h>
#include <linux/jiffies.h>
#include <linux/kgraft.h>
#include <linux/kgraft_test.h>
#include <linux/module.h>
#include <linux/sched.h>

#define NEW_VERSION	2

static int model = KGR_MODEL_UNIVERSE;
module_param(model, int, 0444);
MODULE_PARM_DESC(model, "consistency model: 0 universe, 1 hybrid, 2 immediate, 3 quiesce");

static int new_loop(int ms)
{
	unsigned long end = jiffies + msecs_to_jiffies(ms);

	while (time_before(jiffies, end)) {
		cpu_relax();
		cond_resched();
	}
	return NEW_VERSION;
}

static struct kgr_patch patch = {
	.name = "kgr_test_loop",
	.owner = THIS_MODULE,
	.patches = {
		KGR_PATCH(kgr_test_loop, new_loop),
		KGR_PATCH_END
	}
};

static int __init kgr_test_loop_init(void)
{
	patch.model = model;
	return kgr_patch_kernel(&patch);
}

static void __exit kgr_test_loop_exit(void)
{
	kgr_patch_remove(&patch);
}

module_init(kgr_test_loop_init);
module_exit(kgr_test_loop_exit);
MODULE_DESCRIPTION("kGraft selftest: a function that keeps the CPU busy");
MODULE_LICENSE("GPL");
MODULE_INFO(kgraft, "Y");
