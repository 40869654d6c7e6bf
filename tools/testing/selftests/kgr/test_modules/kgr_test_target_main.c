// SPDX-License-Identifier: GPL-2.0
/*
 * A module whose functions are patched. Its init and its exit function call
 * them as well. Files in /sys/kernel/debug/kgraft_test_target/:
 *
 *   version  read: what the module's functions and kgr_test_first() return, as
 *            this call sees them
 *   sleep    write 0, 1, 2: sleep in kgr_target_sleep(), &enum kgr_test_how
 *   run      write N: N times call kgr_test_first(), sleep, call the module's
 *   stats    read: how the two agreed; write: from zero
 */
#include <linux/atomic.h>
#include <linux/debugfs.h>
#include <linux/errno.h>
#include <linux/init.h>
#include <linux/kgraft_test.h>
#include <linux/kstrtox.h>
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/seq_file.h>

/* One each, or the compiler would make one function of them */
static int version __read_mostly = 1;
static int other_version __read_mostly = 1;
static int dup_version __read_mostly = 1;

static bool fail;
module_param(fail, bool, 0444);
MODULE_PARM_DESC(fail, "fail in the init function");

static atomic_long_t seen_old, seen_new, seen_mixed;
static struct dentry *dir;

static noinline int kgr_target_value(void)
{
	return READ_ONCE(version);
}

static noinline int kgr_target_other(void)
{
	return READ_ONCE(other_version);
}

/* Two of that name: the first returns 1, the second 101 */
static noinline int kgr_target_dup(void)
{
	return READ_ONCE(dup_version);
}

int kgr_target_dup_second(void);

static noinline int kgr_target_sleep(int how)
{
	int ret = kgr_test_wait(how);

	return ret ?: READ_ONCE(version);
}

static int sleep_set(void *data, u64 val)
{
	int ret = kgr_target_sleep(val);

	return ret < 0 ? ret : 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(sleep_fops, NULL, sleep_set, "%llu\n");

static int version_show(struct seq_file *m, void *unused)
{
	seq_printf(m, "value=%d other=%d dup=%d dup2=%d first=%d\n",
		   kgr_target_value(), kgr_target_other(), kgr_target_dup(),
		   kgr_target_dup_second(), kgr_test_first());
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(version);

static int stats_show(struct seq_file *m, void *unused)
{
	seq_printf(m, "old=%ld new=%ld mixed=%ld\n", atomic_long_read(&seen_old),
		   atomic_long_read(&seen_new), atomic_long_read(&seen_mixed));
	return 0;
}

static int stats_open(struct inode *inode, struct file *file)
{
	return single_open(file, stats_show, NULL);
}

static ssize_t stats_write(struct file *file, const char __user *from, size_t count,
			   loff_t *pos)
{
	atomic_long_set(&seen_old, 0);
	atomic_long_set(&seen_new, 0);
	atomic_long_set(&seen_mixed, 0);
	return count;
}

static const struct file_operations stats_fops = {
	.owner = THIS_MODULE,
	.open = stats_open,
	.read = seq_read,
	.write = stats_write,
	.llseek = seq_lseek,
	.release = single_release,
};

static void run_once(void)
{
	int first = kgr_test_first(), second;

	schedule_timeout_interruptible(1);
	second = kgr_target_value();
	if (first != second)
		atomic_long_inc(&seen_mixed);
	else if (first == 1)
		atomic_long_inc(&seen_old);
	else
		atomic_long_inc(&seen_new);
}

static ssize_t run_write(struct file *file, const char __user *from, size_t count,
			 loff_t *pos)
{
	unsigned int n;
	int ret;

	ret = kstrtouint_from_user(from, count, 10, &n);
	if (ret)
		return ret;
	while (n-- && !fatal_signal_pending(current))
		run_once();
	return count;
}

static const struct file_operations run_fops = {
	.owner = THIS_MODULE,
	.write = run_write,
};

static int __init kgr_test_target_init(void)
{
	pr_info("kgr_test_target: init sees %d\n", kgr_target_value());
	if (fail)
		return -EIO;

	WRITE_ONCE(kgr_test_hook, kgr_target_value);
	dir = debugfs_create_dir("kgraft_test_target", NULL);
	debugfs_create_file("version", 0400, dir, NULL, &version_fops);
	debugfs_create_file("sleep", 0200, dir, NULL, &sleep_fops);
	debugfs_create_file("run", 0200, dir, NULL, &run_fops);
	debugfs_create_file("stats", 0600, dir, NULL, &stats_fops);
	return 0;
}

static void __exit kgr_test_target_exit(void)
{
	WRITE_ONCE(kgr_test_hook, NULL);
	debugfs_remove(dir);
	pr_info("kgr_test_target: exit sees %d\n", kgr_target_value());
	pr_info("kgr_test_target: saw old=%ld new=%ld mixed=%ld\n",
		atomic_long_read(&seen_old), atomic_long_read(&seen_new),
		atomic_long_read(&seen_mixed));
}

module_init(kgr_test_target_init);
module_exit(kgr_test_target_exit);
MODULE_DESCRIPTION("kGraft selftest: a module to be patched");
MODULE_LICENSE("GPL");
