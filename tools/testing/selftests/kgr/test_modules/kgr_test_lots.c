// SPDX-License-Identifier: GPL-2.0
/* Patches as many of the five hundred functions as it is told to. */
#include <linux/errno.h>
#include <linux/init.h>
#include <linux/kgraft.h>
#include <linux/kgraft_test_many.h>
#include <linux/ktime.h>
#include <linux/module.h>

static int model = KGR_MODEL_HYBRID;
module_param(model, int, 0444);
MODULE_PARM_DESC(model, "consistency model: 0 universe, 1 hybrid, 2 immediate");

static int nr = KGR_TEST_MANY_COUNT;
module_param(nr, int, 0444);
MODULE_PARM_DESC(nr, "number of functions");

static long took_ns;
module_param(took_ns, long, 0444);
MODULE_PARM_DESC(took_ns, "how long the enabling call took");

#define DEFINE_NEW(n)	static int new_##n(void) { return 2 + 10 * 1##n; }
KGR_TEST_MANY(DEFINE_NEW)

#define PATCH_ENTRY(n)	KGR_PATCH(kgr_test_many_##n, new_##n),

static struct kgr_patch patch = {
	.name = "kgr_test_lots",
	.owner = THIS_MODULE,
	.patches = {
		KGR_TEST_MANY(PATCH_ENTRY)
		KGR_PATCH_END
	}
};

static int __init kgr_test_lots_init(void)
{
	ktime_t begin;
	int ret;

	if (nr < 1 || nr > KGR_TEST_MANY_COUNT)
		return -EINVAL;
	patch.model = model;
	patch.patches[nr].name = NULL;

	begin = ktime_get();
	ret = kgr_patch_kernel(&patch);
	took_ns = ktime_to_ns(ktime_sub(ktime_get(), begin));
	return ret;
}

static void __exit kgr_test_lots_exit(void)
{
	kgr_patch_remove(&patch);
}

module_init(kgr_test_lots_init);
module_exit(kgr_test_lots_exit);
MODULE_DESCRIPTION("kGraft selftest: many functions");
MODULE_LICENSE("GPL");
MODULE_INFO(kgraft, "Y");
