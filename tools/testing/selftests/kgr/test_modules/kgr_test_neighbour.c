// SPDX-License-Identifier: GPL-2.0
/*
 * Neighbours on ftrace that nothing in tracefs is: users of its in-kernel
 * interfaces. kind says which, func where; calls tells how often it was called.
 */
#include <linux/errno.h>
#include <linux/ftrace.h>
#include <linux/init.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/string.h>

static char *kind = "ops";
module_param(kind, charp, 0444);
MODULE_PARM_DESC(kind, "ops, ops_regs, ops_ipmodify or kprobe_post");

static char *func = "kgr_test_first";
module_param(func, charp, 0444);
MODULE_PARM_DESC(func, "function that it is on");

static unsigned long calls;
module_param(calls, ulong, 0444);
MODULE_PARM_DESC(calls, "how often it was called");

static void notrace kgr_neighbour_ops(unsigned long ip, unsigned long parent_ip,
				      struct ftrace_ops *ops,
				      struct ftrace_regs *fregs)
{
	WRITE_ONCE(calls, calls + 1);
}

static struct ftrace_ops ops = {
	.func = kgr_neighbour_ops,
};

static int kgr_neighbour_pre(struct kprobe *p, struct pt_regs *regs)
{
	WRITE_ONCE(calls, calls + 1);
	return 0;
}

static void kgr_neighbour_post(struct kprobe *p, struct pt_regs *regs,
			       unsigned long flags)
{
}

static struct kprobe probe = {
	.pre_handler = kgr_neighbour_pre,
	.post_handler = kgr_neighbour_post,
};

static int register_ops(unsigned long flags)
{
	int ret;

	ops.flags = flags;
	ret = ftrace_set_filter(&ops, func, strlen(func), 1);
	if (!ret)
		ret = register_ftrace_function(&ops);
	if (ret)
		ftrace_free_filter(&ops);
	return ret;
}

static int __init kgr_test_neighbour_init(void)
{
	if (!strcmp(kind, "ops"))
		return register_ops(0);
	if (!strcmp(kind, "ops_regs"))
		return register_ops(FTRACE_OPS_FL_SAVE_REGS);
	if (!strcmp(kind, "ops_ipmodify"))
		return register_ops(FTRACE_OPS_FL_SAVE_REGS | FTRACE_OPS_FL_IPMODIFY);
	if (!strcmp(kind, "kprobe_post")) {
		probe.symbol_name = func;
		return register_kprobe(&probe);
	}
	return -EINVAL;
}

static void __exit kgr_test_neighbour_exit(void)
{
	if (probe.symbol_name) {
		unregister_kprobe(&probe);
		return;
	}
	unregister_ftrace_function(&ops);
	ftrace_free_filter(&ops);
}

module_init(kgr_test_neighbour_init);
module_exit(kgr_test_neighbour_exit);
MODULE_DESCRIPTION("kGraft selftest: neighbours on ftrace");
MODULE_LICENSE("GPL");
