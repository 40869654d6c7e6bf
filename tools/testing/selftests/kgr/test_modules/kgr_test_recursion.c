// SPDX-License-Identifier: GPL-2.0
/*
 * A tracer of kgr_test_check() and kgr_test_second() whose callback calls a traced
 * function: from the first the second, from there kgr_test_first(). ftrace lets one
 * such level through, at the next its recursion guard stops. "seen" says which
 * version of kgr_test_first() ran, "called" how often the callback was.
 */
#include <linux/ftrace.h>
#include <linux/init.h>
#include <linux/kgraft_test.h>
#include <linux/module.h>

static int seen;
module_param(seen, int, 0444);
static int called;
module_param(called, int, 0444);

static int level;

static void notrace callback(unsigned long ip, unsigned long parent_ip,
			     struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	called++;
	if (level++ == 0)
		kgr_test_second();
	else
		seen = kgr_test_first();
	level--;
}

static struct ftrace_ops ops = {
	.func = callback,
};

static int __init kgr_test_recursion_init(void)
{
	int ret;

	ret = ftrace_set_filter_ip(&ops, (unsigned long)kgr_test_check, 0, 0);
	if (!ret)
		ret = ftrace_set_filter_ip(&ops, (unsigned long)kgr_test_second, 0, 0);
	return ret ?: register_ftrace_function(&ops);
}

static void __exit kgr_test_recursion_exit(void)
{
	unregister_ftrace_function(&ops);
	ftrace_free_filter(&ops);
}

module_init(kgr_test_recursion_init);
module_exit(kgr_test_recursion_exit);
MODULE_DESCRIPTION("kGraft selftest: a tracer that calls a patched function");
MODULE_LICENSE("GPL");
