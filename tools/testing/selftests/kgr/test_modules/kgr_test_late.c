// SPDX-License-Identifier: GPL-2.0
/*
 * A patch of a module that may come later, for failures at the moment it comes: of
 * all allocations in kGraft's part of that it is the nth one that fails, and none of
 * the module loader's.
 */
#include <linux/init.h>
#include <linux/kgraft.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/sched.h>

static bool arm;
module_param(arm, bool, 0444);
MODULE_PARM_DESC(arm, "fail allocations; excludes fail_function on the same function");

static unsigned int nth;
module_param(nth, uint, 0644);
MODULE_PARM_DESC(nth, "which allocation fails, 0: none");

static unsigned int left;
module_param(left, uint, 0444);
MODULE_PARM_DESC(left, "how many more it would have taken until one failed");

static int new_mech(int arg)
{
	return 200;
}

static int pre_patch(struct kgr_patch *patch, struct module *mod)
{
	return 0;
}

static const struct kgr_callbacks callbacks[] = {
	{ .objname = "kgr_test_target", .pre_patch = pre_patch },
	KGR_CALLBACKS_END
};

static struct kgr_patch patch = {
	.name = "kgr_test_late",
	.owner = THIS_MODULE,
	.model = KGR_MODEL_HYBRID,
	.callbacks = callbacks,
	.patches = {
		KGR_PATCH_OBJ(kgr_test_mech_table, new_mech, "kgr_test_target"),
		KGR_PATCH_OBJ(kgr_test_mech_local, new_mech, "kgr_test_target"),
		KGR_PATCH_END
	}
};

#ifdef CONFIG_FAULT_INJECTION

static int coming(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	WRITE_ONCE(current->fail_nth, nth);
	return 0;
}

static int came(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	left = READ_ONCE(current->fail_nth);
	WRITE_ONCE(current->fail_nth, 0);
	return 0;
}

static struct kretprobe probe = {
	.kp.symbol_name = "kgr_module_coming",
	.entry_handler = coming,
	.handler = came,
};

static int probe_register(void)
{
	return register_kretprobe(&probe);
}

static void probe_unregister(void)
{
	unregister_kretprobe(&probe);
}

#else

static int probe_register(void)
{
	return 0;
}

static void probe_unregister(void)
{
}

#endif

static int __init kgr_test_late_init(void)
{
	int ret;

	ret = arm ? probe_register() : 0;
	if (ret)
		return ret;
	ret = kgr_patch_kernel(&patch);
	if (ret && arm)
		probe_unregister();
	return ret;
}

static void __exit kgr_test_late_exit(void)
{
	kgr_patch_remove(&patch);
	if (arm)
		probe_unregister();
}

module_init(kgr_test_late_init);
module_exit(kgr_test_late_exit);
MODULE_DESCRIPTION("kGraft selftest: a patch whose module comes later");
MODULE_LICENSE("GPL");
MODULE_INFO(kgraft, "Y");
