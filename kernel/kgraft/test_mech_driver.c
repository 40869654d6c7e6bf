// SPDX-License-Identifier: GPL-2.0
/*
 * Calls the targets of test_mech.c, and owns what they refer to. Files in
 * /sys/kernel/debug/kgraft_test/OBJECT/, where OBJECT is vmlinux or
 * kgr_test_target:
 *
 *   NAME	of a target: write the argument of the next call; read: call it
 *   switch	write 1/0: the object's own static key
 *   vmswitch	write 1/0: the static key in vmlinux
 *   choice	write 1 or 2: which function the static call calls
 */
#include <linux/debugfs.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/static_call.h>

#include "test_mech.h"

#define CREATE_TRACE_POINTS
#include "test_mech_trace.h"

DEFINE_STATIC_KEY_FALSE(kgr_test_mech_switch);
DEFINE_STATIC_CALL(kgr_test_mech_choice, kgr_test_mech_first);

#ifdef MODULE
#define KGR_TEST_OBJECT	KBUILD_MODNAME
#else
#define KGR_TEST_OBJECT	"vmlinux"
DEFINE_STATIC_KEY_FALSE(kgr_test_vmlinux_switch);
EXPORT_SYMBOL_GPL(kgr_test_vmlinux_switch);
#endif

struct kgr_test_mech {
	const char *name;
	int (*call)(int arg);
	int arg;
};

#define KGR_TEST_MECH_ENTRY(_name)	{ .name = #_name, .call = kgr_test_mech_##_name },
static struct kgr_test_mech mechs[] = { KGR_TEST_MECHS(KGR_TEST_MECH_ENTRY) };

static struct dentry *mech_dir;

noinline int kgr_test_mech_first(int arg)
{
	return 1;
}

noinline int kgr_test_mech_second(int arg)
{
	return 2;
}

static int mech_get(void *data, u64 *val)
{
	struct kgr_test_mech *mech = data;

	*val = mech->call(mech->arg);
	return 0;
}

static int mech_set(void *data, u64 val)
{
	struct kgr_test_mech *mech = data;

	mech->arg = val;
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(mech_fops, mech_get, mech_set, "%llu\n");

static int switch_set(void *data, u64 val)
{
	struct static_key_false *key = data;

	if (val)
		static_branch_enable(key);
	else
		static_branch_disable(key);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(switch_fops, NULL, switch_set, "%llu\n");

static int choice_set(void *data, u64 val)
{
	if (val != 1 && val != 2)
		return -EINVAL;
	static_call_update(kgr_test_mech_choice,
			   val == 1 ? kgr_test_mech_first : kgr_test_mech_second);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(choice_fops, NULL, choice_set, "%llu\n");

static int __init kgr_test_mech_init(void)
{
	struct dentry *top = debugfs_lookup("kgraft_test", NULL);
	unsigned int i;

	mech_dir = debugfs_create_dir(KGR_TEST_OBJECT, top);
	dput(top);
	for (i = 0; i < ARRAY_SIZE(mechs); i++)
		debugfs_create_file(mechs[i].name, 0600, mech_dir, &mechs[i], &mech_fops);
	debugfs_create_file("switch", 0200, mech_dir, &kgr_test_mech_switch, &switch_fops);
	debugfs_create_file("vmswitch", 0200, mech_dir, &kgr_test_vmlinux_switch,
			    &switch_fops);
	debugfs_create_file("choice", 0200, mech_dir, NULL, &choice_fops);
	return 0;
}

#ifdef MODULE
static void __exit kgr_test_mech_exit(void)
{
	debugfs_remove(mech_dir);
}

module_init(kgr_test_mech_init);
module_exit(kgr_test_mech_exit);
MODULE_DESCRIPTION("kGraft selftest: a module to be patched");
MODULE_LICENSE("GPL");
#else
late_initcall(kgr_test_mech_init);
#endif
