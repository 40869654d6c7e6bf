// SPDX-License-Identifier: GPL-2.0
/*
 * Patches that have to be refused, one mistake for each value of kind. Where it
 * can, a patch also holds a good function before the bad one: refusing must
 * leave that alone, too.
 */
#include <linux/errno.h>
#include <linux/init.h>
#include <linux/kgraft.h>
#include <linux/kgraft_test.h>
#include <linux/module.h>
#include <linux/string.h>

static char *kind = "";
module_param(kind, charp, 0444);
MODULE_PARM_DESC(kind, "the mistake to make");

static int new_inner(void)
{
	return 2;
}

static int new_bad(void)
{
	return 2;
}

static struct kgr_patch patch = {
	.name = "kgr_test_bad",
	.owner = THIS_MODULE,
	.patches = {
		KGR_PATCH(kgr_test_inner, new_inner),
		KGR_PATCH(kgr_test_first, new_bad),
		KGR_PATCH_END
	}
};

static const struct {
	const char *kind;
	const char *name;
	unsigned long sympos;
} bad_functions[] = {
	{ "missing",	"kgr_test_no_such_function",	0 },
	{ "ambiguous",	"kgr_test_dup",			0 },
	{ "position",	"kgr_test_dup",			99 },
	{ "notrace",	"kgr_test_notrace",		0 },
	{ "data",	"jiffies",			0 },
	{ "twice",	"kgr_test_inner",		0 },
};

static bool kgr_test_bad_function(struct kgr_patch_fun *fun)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad_functions); i++) {
		if (strcmp(kind, bad_functions[i].kind))
			continue;
		fun->name = bad_functions[i].name;
		fun->sympos = bad_functions[i].sympos;
		return true;
	}
	return false;
}

static bool kgr_test_bad_field(struct kgr_patch_fun *fun)
{
	if (!strcmp(kind, "nullfun"))
		fun->new_fun = NULL;
	else if (!strcmp(kind, "size"))
		fun->old_size = 12345;
	else if (!strcmp(kind, "build_id"))
		patch.build_id = "0123456789abcdef0123456789abcdef01234567";
	else if (!strcmp(kind, "build_id_rubbish"))
		patch.build_id = "not hex";
	else if (!strcmp(kind, "dupname"))
		patch.name = "kgr_test_pairs";
	else if (!strcmp(kind, "noname"))
		patch.name = NULL;
	else if (!strcmp(kind, "slash"))
		patch.name = "kgr/test";
	else if (!strcmp(kind, "attribute"))
		patch.name = "in_progress";
	else if (!strcmp(kind, "noowner"))
		patch.owner = NULL;
	else if (!strcmp(kind, "model"))
		patch.model = 99;
	else if (!strcmp(kind, "empty"))
		patch.patches[0].name = NULL;
	else if (!strcmp(kind, "null"))
		return true;
	else
		return false;
	return true;
}

static int __init kgr_test_bad_init(void)
{
	if (!strcmp(kind, "none"))
		return kgr_patch_kernel(&patch);
	if (!kgr_test_bad_function(&patch.patches[1]) &&
	    !kgr_test_bad_field(&patch.patches[1]))
		return -ENOTTY;	/* a kind the test misspelt */
	return kgr_patch_kernel(strcmp(kind, "null") ? &patch : NULL);
}

static void __exit kgr_test_bad_exit(void)
{
	kgr_patch_remove(&patch);
}

module_init(kgr_test_bad_init);
module_exit(kgr_test_bad_exit);
MODULE_DESCRIPTION("kGraft selftest: patches to be refused");
MODULE_LICENSE("GPL");
MODULE_INFO(kgraft, "Y");
