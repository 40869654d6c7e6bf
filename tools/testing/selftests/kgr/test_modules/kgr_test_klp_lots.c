// SPDX-License-Identifier: GPL-2.0
/* The same as kgr_test_lots.c as a livepatch, to compare with. */
#include <linux/errno.h>
#include <linux/init.h>
#include <linux/kgraft_test_many.h>
#include <linux/ktime.h>
#include <linux/livepatch.h>
#include <linux/module.h>

static int nr = KGR_TEST_MANY_COUNT;
module_param(nr, int, 0444);
MODULE_PARM_DESC(nr, "number of functions");

static long took_ns;
module_param(took_ns, long, 0444);
MODULE_PARM_DESC(took_ns, "how long the enabling call took");

#define DEFINE_NEW(n)	static int new_##n(void) { return 2 + 10 * 1##n; }
KGR_TEST_MANY(DEFINE_NEW)

#define PATCH_ENTRY(n)	{ .old_name = "kgr_test_many_" #n, .new_func = new_##n },

static struct klp_func funcs[] = {
	KGR_TEST_MANY(PATCH_ENTRY)
	{ }
};

static struct klp_object objs[] = {
	{
		.funcs = funcs,
	}, { }
};

static struct klp_patch patch = {
	.mod = THIS_MODULE,
	.objs = objs,
};

static int __init kgr_test_klp_lots_init(void)
{
	ktime_t begin;
	int ret;

	if (nr < 1 || nr > KGR_TEST_MANY_COUNT)
		return -EINVAL;
	funcs[nr] = (struct klp_func) { };

	begin = ktime_get();
	ret = klp_enable_patch(&patch);
	took_ns = ktime_to_ns(ktime_sub(ktime_get(), begin));
	return ret;
}

static void __exit kgr_test_klp_lots_exit(void)
{
}

module_init(kgr_test_klp_lots_init);
module_exit(kgr_test_klp_lots_exit);
MODULE_DESCRIPTION("kGraft selftest: a livepatch of many functions");
MODULE_LICENSE("GPL");
MODULE_INFO(livepatch, "Y");
