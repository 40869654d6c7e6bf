// SPDX-License-Identifier: GPL-2.0
/*
 * Patches a function that sleeps, so that threads stay inside it for as long
 * as a test wants, and two that everybody else can call meanwhile.
 */
#include <linux/init.h>
#include <linux/kgraft.h>
#include <linux/kgraft_test.h>
#include <linux/module.h>

#define NEW_VERSION	2

static int model = KGR_MODEL_UNIVERSE;
module_param(model, int, 0444);
MODULE_PARM_DESC(model, "consistency model: 0 universe, 1 hybrid, 2 immediate, 3 quiesce");

static unsigned int timeout_ms;
module_param(timeout_ms, uint, 0444);
MODULE_PARM_DESC(timeout_ms, "deadline of its transitions");

static int on_timeout;
module_param(on_timeout, int, 0444);
MODULE_PARM_DESC(on_timeout, "what is done then: 0 keep, 1 revert");

static int new_sleep(int how)
{
	int err = kgr_test_wait(how);

	return err ? err : NEW_VERSION;
}

static int new_first(void)
{
	return NEW_VERSION;
}

static int new_second(void)
{
	return NEW_VERSION;
}

static struct kgr_patch patch = {
	.name = "kgr_test_sleep",
	.owner = THIS_MODULE,
	.patches = {
		KGR_PATCH(kgr_test_sleep, new_sleep),
		KGR_PATCH(kgr_test_first, new_first),
		KGR_PATCH(kgr_test_second, new_second),
		KGR_PATCH_END
	}
};

static int __init kgr_test_sleep_init(void)
{
	patch.model = model;
	patch.timeout_ms = timeout_ms;
	patch.on_timeout = on_timeout;
	return kgr_patch_kernel(&patch);
}

static void __exit kgr_test_sleep_exit(void)
{
	kgr_patch_remove(&patch);
}

module_init(kgr_test_sleep_init);
module_exit(kgr_test_sleep_exit);
MODULE_DESCRIPTION("kGraft selftest: a function that sleeps");
MODULE_LICENSE("GPL");
MODULE_INFO(kgraft, "Y");
