// SPDX-License-Identifier: GPL-2.0
/*
 * Five hundred functions to be replaced at once, and in debugfs
 *
 *   many     read: how many of them return the new version
 */
#include <linux/array_size.h>
#include <linux/compiler.h>
#include <linux/debugfs.h>
#include <linux/init.h>
#include <linux/kgraft_test_many.h>
#include <linux/seq_file.h>

/* Read at run time: callers can't fold it, and no two bodies are the same */
static int many_version __read_mostly = 1;

#define DEFINE_MANY(n)						\
	noinline int kgr_test_many_##n(void)			\
	{							\
		return READ_ONCE(many_version) + 10 * 1##n;	\
	}
KGR_TEST_MANY(DEFINE_MANY)

#define MANY_ENTRY(n)	kgr_test_many_##n,
static int (* const many[])(void) = { KGR_TEST_MANY(MANY_ENTRY) };

static int many_show(struct seq_file *m, void *unused)
{
	int i, new = 0;

	for (i = 0; i < ARRAY_SIZE(many); i++)
		new += many[i]() % 10 == 2;
	seq_printf(m, "%d\n", new);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(many);

static int __init kgr_test_many_init(void)
{
	debugfs_create_file("many", 0400, debugfs_lookup("kgraft_test", NULL), NULL,
			    &many_fops);
	return 0;
}
late_initcall_sync(kgr_test_many_init);
