// SPDX-License-Identifier: GPL-2.0
/*
 * Patches what a thread calls when it releases itself, which is after it has
 * left the task list: a thread of the name kgr_dies sleeps there until woken.
 *
 * The function only drops dentries of /proc before they are due, so that leaving
 * that out does no harm.
 */
#include <linux/init.h>
#include <linux/kgraft.h>
#include <linux/kgraft_test.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/string.h>

struct pid;

static void new_flush_pid(struct pid *pid)
{
	if (current->exit_state && !strcmp(current->comm, "kgr_dies"))
		kgr_test_wait(KGR_TEST_UNINTERRUPTIBLE);
}

static struct kgr_patch patch = {
	.name = "kgr_test_exit",
	.owner = THIS_MODULE,
	.model = KGR_MODEL_HYBRID,
	.patches = {
		KGR_PATCH(proc_flush_pid, new_flush_pid),
		KGR_PATCH_END
	}
};

static int __init kgr_test_exit_init(void)
{
	return kgr_patch_kernel(&patch);
}

static void __exit kgr_test_exit_exit(void)
{
	kgr_patch_remove(&patch);
}

module_init(kgr_test_exit_init);
module_exit(kgr_test_exit_exit);
MODULE_DESCRIPTION("kGraft selftest: a thread that dies slowly");
MODULE_LICENSE("GPL");
MODULE_INFO(kgraft, "Y");
