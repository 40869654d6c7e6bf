// SPDX-License-Identifier: GPL-2.0
/*
 * A patch put together by its parameters. The Makefile builds it several times,
 * as kgr_test_many1 and so on, so that patches can stand on one another and
 * replace one another.
 */
#include <linux/errno.h>
#include <linux/init.h>
#include <linux/kgraft.h>
#include <linux/kgraft_test.h>
#include <linux/kstrtox.h>
#include <linux/module.h>
#include <linux/string.h>

static int value = 10 + KGR_TEST_NR;
module_param(value, int, 0444);
MODULE_PARM_DESC(value, "what the new functions return");

static char funs[128] = "inner,outer,first,second";
module_param_string(funs, funs, sizeof(funs), 0444);
MODULE_PARM_DESC(funs, "names in the table below, separated by commas");

static int model = KGR_MODEL_UNIVERSE;
module_param(model, int, 0444);
MODULE_PARM_DESC(model, "consistency model: 0 universe, 1 hybrid, 2 immediate");

static bool replace;
module_param(replace, bool, 0444);
MODULE_PARM_DESC(replace, "replace all others of the set");

static char *set;
module_param(set, charp, 0444);
MODULE_PARM_DESC(set, "name of the set");

static bool callbacks;
module_param(callbacks, bool, 0444);
MODULE_PARM_DESC(callbacks, "have callbacks for vmlinux and kgr_test_target");

static char *refuse = "";
module_param(refuse, charp, 0644);
MODULE_PARM_DESC(refuse, "object whose pre_patch callback says no");

static char states[128];
module_param_string(states, states, sizeof(states), 0444);
MODULE_PARM_DESC(states, "system states, ID:VERSION separated by commas");

static int new_value(void)
{
	return value;
}

static int new_outer(struct kgr_test_pair *pair)
{
	pair->first = value;
	kgr_test_pause(pair);
	pair->second = kgr_test_inner();
	return 0;
}

static int new_sleep(int how)
{
	int err = kgr_test_wait(how);

	return err ? err : value;
}

#define TARGET	"kgr_test_target"

static const struct {
	const char *word;
	struct kgr_patch_fun fun;
} table[] = {
	{ "inner",	KGR_PATCH(kgr_test_inner, new_value) },
	{ "outer",	KGR_PATCH(kgr_test_outer, new_outer) },
	{ "first",	KGR_PATCH(kgr_test_first, new_value) },
	{ "second",	KGR_PATCH(kgr_test_second, new_value) },
	{ "sleep",	KGR_PATCH(kgr_test_sleep, new_sleep) },
	{ "value",	KGR_PATCH_OBJ(kgr_target_value, new_value, TARGET) },
	{ "other",	KGR_PATCH_OBJ(kgr_target_other, new_value, TARGET) },
	{ "tsleep",	KGR_PATCH_OBJ(kgr_target_sleep, new_sleep, TARGET) },
	{ "dup",	KGR_PATCH_OBJPOS(kgr_target_dup, new_value, TARGET, 1) },
	{ "dup2",	KGR_PATCH_OBJPOS(kgr_target_dup, new_value, TARGET, 2) },
	{ "anydup",	KGR_PATCH_OBJ(kgr_target_dup, new_value, TARGET) },
	{ "missing",	KGR_PATCH_OBJ(kgr_target_missing, new_value, TARGET) },
	{ "dash",	KGR_PATCH_OBJ(kgr_target_value, new_value, "kgr-test-target") },
};

static void say(const char *what, const struct module *mod)
{
	pr_info("kgr_test_many%d: %s %s\n", KGR_TEST_NR, what, mod ? mod->name : "vmlinux");
}

static int pre_patch(struct kgr_patch *patch, struct module *mod)
{
	const struct kgr_sysstate *old = kgr_sysstate_prev(patch, 1);

	say("pre_patch", mod);
	if (old)
		pr_info("kgr_test_many%d: finds version %u\n", KGR_TEST_NR, old->version);
	return strcmp(refuse, mod ? mod->name : "vmlinux") ? 0 : -EPERM;
}

static void post_patch(struct kgr_patch *patch, struct module *mod)
{
	say("post_patch", mod);
}

static void pre_unpatch(struct kgr_patch *patch, struct module *mod)
{
	say("pre_unpatch", mod);
}

static void post_unpatch(struct kgr_patch *patch, struct module *mod)
{
	say("post_unpatch", mod);
}

#define ALL_CALLBACKS	\
	pre_patch, post_patch, pre_unpatch, post_unpatch

static const struct kgr_callbacks all_callbacks[] = {
	{ NULL, ALL_CALLBACKS },
	{ TARGET, ALL_CALLBACKS },
	KGR_CALLBACKS_END
};

static struct kgr_sysstate sysstates[4];

static struct kgr_patch patch = {
	.name = KBUILD_MODNAME,
	.owner = THIS_MODULE,
	.sysstates = sysstates,
	.patches = {
		[ARRAY_SIZE(table)] = KGR_PATCH_END
	}
};

static bool __init add_fun(const char *word, struct kgr_patch_fun *fun)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(table); i++) {
		if (strcmp(word, table[i].word))
			continue;
		*fun = table[i].fun;
		return true;
	}
	return false;
}

static int __init add_funs(void)
{
	char *rest = funs, *word;
	unsigned int nr = 0;

	while ((word = strsep(&rest, ","))) {
		if (nr == ARRAY_SIZE(table) || !add_fun(word, &patch.patches[nr++]))
			return -ENOTTY;
	}
	return 0;
}

static int __init add_states(void)
{
	char *rest = states, *word;
	unsigned int nr = 0;

	while (*states && (word = strsep(&rest, ","))) {
		if (nr == ARRAY_SIZE(sysstates) - 1 ||
		    sscanf(word, "%lu:%u", &sysstates[nr].id, &sysstates[nr].version) != 2)
			return -ENOTTY;
		nr++;
	}
	return 0;
}

static int __init kgr_test_many_init(void)
{
	int ret;

	ret = add_funs();
	if (!ret)
		ret = add_states();
	if (ret)
		return ret;

	patch.model = model;
	patch.replace_all = replace;
	patch.replace_set = set;
	if (callbacks)
		patch.callbacks = all_callbacks;
	return kgr_patch_kernel(&patch);
}

static void __exit kgr_test_many_exit(void)
{
	kgr_patch_remove(&patch);
}

module_init(kgr_test_many_init);
module_exit(kgr_test_many_exit);
MODULE_DESCRIPTION("kGraft selftest: one of many patches");
MODULE_LICENSE("GPL");
MODULE_INFO(kgraft, "Y");
