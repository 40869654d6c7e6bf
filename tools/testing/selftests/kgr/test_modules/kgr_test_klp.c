// SPDX-License-Identifier: GPL-2.0
/*
 * A neighbour: an ordinary livepatch of one of the targets. func names it, so
 * that a test can have it meet kGraft on one function or beside it.
 */
#include <linux/init.h>
#include <linux/kgraft_test.h>
#include <linux/livepatch.h>
#include <linux/module.h>

#define KLP_VERSION	3

static char *func = "kgr_test_check";
module_param(func, charp, 0444);
MODULE_PARM_DESC(func, "function to patch: kgr_test_check or kgr_test_first");

/* fits both targets: they return small numbers */
static long klp_new(unsigned int flags)
{
	return KLP_VERSION;
}

static struct klp_func funcs[] = {
	{
		.new_func = klp_new,
	}, { }
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

static int __init kgr_test_klp_init(void)
{
	funcs[0].old_name = func;
	return klp_enable_patch(&patch);
}

static void __exit kgr_test_klp_exit(void)
{
}

module_init(kgr_test_klp_init);
module_exit(kgr_test_klp_exit);
MODULE_DESCRIPTION("kGraft selftest: a livepatch as neighbour");
MODULE_LICENSE("GPL");
MODULE_INFO(livepatch, "Y");
