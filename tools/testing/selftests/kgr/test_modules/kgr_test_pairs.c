// SPDX-License-Identifier: GPL-2.0
/*
 * Patches both pairs of functions that must agree with each other, and
 * kgr_test_check() for tests that look at one function only.
 */
#include <linux/errno.h>
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

static bool clear_of;
module_param(clear_of, bool, 0444);
MODULE_PARM_DESC(clear_of, "nobody may be where the pairs are called from");

static const char * const callers[] = {
	"kgr_test_run_nested", "kgr_test_run_seq", "kgr_test_run_bh", NULL
};

static int new_inner(void)
{
	return NEW_VERSION;
}

static int new_outer(struct kgr_test_pair *pair)
{
	pair->first = NEW_VERSION;
	kgr_test_pause(pair);
	/* through the entry of the function, as old code would call it */
	pair->second = kgr_test_inner();
	return 0;
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
	.name = "kgr_test_pairs",
	.owner = THIS_MODULE,
	.cve = "CVE-2024-0001 CVE-2024-0002",
	.patches = {
		KGR_PATCH(kgr_test_inner, new_inner),
		KGR_PATCH(kgr_test_outer, new_outer),
		KGR_PATCH(kgr_test_first, new_first),
		KGR_PATCH(kgr_test_second, new_second),
		KGR_PATCH_END
	}
};

static int __init kgr_test_pairs_init(void)
{
	patch.model = model;
	patch.clear_of = clear_of ? callers : NULL;
	patch.timeout_ms = timeout_ms;
	patch.on_timeout = on_timeout;
	return kgr_patch_kernel(&patch);
}

static void __exit kgr_test_pairs_exit(void)
{
	kgr_patch_remove(&patch);
}

module_init(kgr_test_pairs_init);
module_exit(kgr_test_pairs_exit);
MODULE_DESCRIPTION("kGraft selftest: pairs of functions");
MODULE_LICENSE("GPL");
MODULE_INFO(kgraft, "Y");
