// SPDX-License-Identifier: GPL-2.0
/*
 * A patch whose application meets a failure: nth arms the kernel's fault injection
 * for this thread right before kgr_patch_kernel(), so that of all allocations it
 * is the nth one in there that fails, and none of the module loader's.
 */
#include <linux/errno.h>
#include <linux/init.h>
#include <linux/kgraft.h>
#include <linux/kgraft_test.h>
#include <linux/module.h>
#include <linux/sched.h>

#define NEW_VERSION	2

static int model = KGR_MODEL_HYBRID;
module_param(model, int, 0444);
MODULE_PARM_DESC(model, "consistency model: 0 universe, 1 hybrid, 2 immediate");

static bool replace;
module_param(replace, bool, 0444);
MODULE_PARM_DESC(replace, "take the place of all other patches");

static unsigned int nth;
module_param(nth, uint, 0444);
MODULE_PARM_DESC(nth, "which allocation fails, 0: none");

static unsigned int left;
module_param(left, uint, 0444);
MODULE_PARM_DESC(left, "how many more it would have taken until one failed");

static int new_first(void)
{
	return NEW_VERSION;
}

static int new_second(void)
{
	return NEW_VERSION;
}

static int pre_patch(struct kgr_patch *patch, struct module *mod)
{
	return 0;
}

static const struct kgr_callbacks callbacks[] = {
	{ .pre_patch = pre_patch },
	KGR_CALLBACKS_END
};

static struct kgr_patch patch = {
	.name = "kgr_test_faults",
	.owner = THIS_MODULE,
	.callbacks = callbacks,
	.patches = {
		KGR_PATCH(kgr_test_first, new_first),
		KGR_PATCH(kgr_test_second, new_second),
		KGR_PATCH_END
	}
};

#ifdef CONFIG_FAULT_INJECTION

static void arm(unsigned int n)
{
	WRITE_ONCE(current->fail_nth, n);
}

static unsigned int armed(void)
{
	return READ_ONCE(current->fail_nth);
}

#else

static void arm(unsigned int n)
{
}

static unsigned int armed(void)
{
	return 0;
}

#endif

static int __init kgr_test_faults_init(void)
{
	int ret;

	patch.model = model;
	patch.replace_all = replace;

	arm(nth);
	ret = kgr_patch_kernel(&patch);
	left = armed();
	arm(0);
	return ret;
}

static void __exit kgr_test_faults_exit(void)
{
	kgr_patch_remove(&patch);
}

module_init(kgr_test_faults_init);
module_exit(kgr_test_faults_exit);
MODULE_DESCRIPTION("kGraft selftest: failures while a patch is applied");
MODULE_LICENSE("GPL");
MODULE_INFO(kgraft, "Y");
