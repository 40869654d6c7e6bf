// SPDX-License-Identifier: GPL-2.0
/*
 * Unit tests: which functions a cumulative patch takes back, and which sets are
 * in each other's way. By patches of a module that is not there, so that nothing
 * is redirected; they are in the registry only as long as kgr_mutex is held.
 */
#include "internal.h"

#include <kunit/test.h>
#include <linux/cleanup.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/string.h>

#define KGR_NOWHERE	"kgr_kunit_nowhere"

/* Never called: the module does not exist */
static void kgr_kunit_body(void)
{
}

/* A patch of the functions in @names, closed by NULL, at position @sympos each */
static struct kgr_patch *kgr_kunit_patch(struct kunit *test, const char *name,
					 const char * const *names,
					 unsigned long sympos)
{
	struct kgr_patch *patch;
	struct kgr_patch_fun *fun;
	unsigned int i, nr = 0;

	while (names[nr])
		nr++;
	patch = kunit_kzalloc(test, struct_size(patch, patches, nr + 1), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, patch);
	patch->priv = kunit_kzalloc(test, sizeof(*patch->priv), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, patch->priv);

	patch->name = name;
	patch->priv->state = KGR_PATCH_APPLIED;
	patch->priv->nr_funs = nr;
	INIT_LIST_HEAD(&patch->list);
	INIT_LIST_HEAD(&patch->priv->objects);
	INIT_LIST_HEAD(&patch->priv->funs);
	for (i = 0; i < nr; i++) {
		fun = &patch->patches[i];
		fun->name = names[i];
		fun->new_fun = kgr_kunit_body;
		fun->objname = KGR_NOWHERE;
		fun->sympos = sympos;
		fun->patch = patch;
		list_add_tail(&fun->node, &patch->priv->funs);
	}
	KUNIT_ASSERT_EQ(test, kgr_objects_create(patch), 0);
	return patch;
}

static void kgr_kunit_patch_free(struct kgr_patch *patch)
{
	kgr_objects_free(patch);
	kvfree(patch->priv->aims);
}

static const struct kgr_patch_fun *kgr_kunit_taken(const struct kgr_patch *patch,
						   const char *name)
{
	const struct kgr_patch_fun *fun;

	kgr_for_each_fun(patch, fun) {
		if (kgr_fun_is_taken(fun) && !strcmp(fun->name, name))
			return fun;
	}
	return NULL;
}

/*
 * Let @new be prepared with the @nr patches in @old before it.
 *
 * Nothing in here may leave by an assertion: the mutex is held.
 * Return: what kgr_replace_prepare() returns; @taken: the names of what it takes
 * back, in order, as one string.
 */
static int kgr_kunit_prepare(struct kgr_patch *new, struct kgr_patch **old,
			     unsigned int nr, char *taken, size_t size)
{
	const struct kgr_patch_fun *fun;
	unsigned int i;
	int ret;

	guard(mutex)(&kgr_mutex);

	for (i = 0; i < nr; i++)
		list_add_tail(&old[i]->list, &kgr_patches);
	list_add_tail(&new->list, &kgr_patches);

	ret = kgr_replace_prepare(new);
	*taken = '\0';
	kgr_for_each_fun(new, fun) {
		if (kgr_fun_is_taken(fun)) {
			strlcat(taken, fun->name, size);
			strlcat(taken, " ", size);
		}
	}

	list_del_init(&new->list);
	for (i = 0; i < nr; i++)
		list_del_init(&old[i]->list);
	return ret;
}

static void kgr_kunit_cancel(struct kgr_patch *patch)
{
	guard(mutex)(&kgr_mutex);
	kgr_replace_cancel(patch);
}

#define NAMES(...)	((const char * const []){ __VA_ARGS__, NULL })

/* What the earlier ones have and the cumulative one has not, each once */
static void kgr_kunit_cumulative(struct kunit *test)
{
	struct kgr_patch *old[] = {
		kgr_kunit_patch(test, "a", NAMES("f1", "f2"), 0),
		kgr_kunit_patch(test, "b", NAMES("f3", "f1"), 0),
	};
	struct kgr_patch *new = kgr_kunit_patch(test, "new", NAMES("f2", "f4"), 0);
	const struct kgr_patch_fun *fun;
	char taken[64];

	new->replace_all = true;
	KUNIT_EXPECT_EQ(test, kgr_kunit_prepare(new, old, 2, taken, sizeof(taken)), 0);
	KUNIT_EXPECT_STREQ(test, taken, "f1 f3 ");
	KUNIT_EXPECT_EQ(test, new->priv->nr_taken, 2);
	KUNIT_EXPECT_EQ(test, new->priv->nr_funs, 2);

	fun = kgr_kunit_taken(new, "f3");
	KUNIT_ASSERT_NOT_NULL(test, fun);
	KUNIT_EXPECT_PTR_EQ(test, fun->patch, new);
	KUNIT_EXPECT_STREQ(test, fun->objname, KGR_NOWHERE);
	KUNIT_EXPECT_NULL(test, fun->func);
	KUNIT_EXPECT_PTR_EQ(test, (const void *)fun->obj,
			    (const void *)new->patches[0].obj);

	/* When it comes to nothing, they are gone, and its own are what they were */
	kgr_kunit_cancel(new);
	KUNIT_EXPECT_NULL(test, kgr_kunit_taken(new, "f1"));
	KUNIT_EXPECT_EQ(test, new->priv->nr_taken, 0);
	KUNIT_EXPECT_EQ(test, list_count_nodes(&new->priv->funs), 2);

	kgr_kunit_patch_free(new);
	kgr_kunit_patch_free(old[0]);
	kgr_kunit_patch_free(old[1]);
}

/* A patch that is not cumulative takes back nothing, nor do patches that are off */
static void kgr_kunit_not_cumulative(struct kunit *test)
{
	struct kgr_patch *old = kgr_kunit_patch(test, "a", NAMES("f1", "f2"), 0);
	struct kgr_patch *new = kgr_kunit_patch(test, "new", NAMES("f2"), 0);
	char taken[64];

	KUNIT_EXPECT_EQ(test, kgr_kunit_prepare(new, &old, 1, taken, sizeof(taken)), 0);
	KUNIT_EXPECT_STREQ(test, taken, "");

	new->replace_all = true;
	old->priv->state = KGR_PATCH_REVERTED;
	KUNIT_EXPECT_EQ(test, kgr_kunit_prepare(new, &old, 1, taken, sizeof(taken)), 0);
	KUNIT_EXPECT_STREQ(test, taken, "");

	old->priv->state = KGR_PATCH_APPLIED;
	KUNIT_EXPECT_EQ(test, kgr_kunit_prepare(new, &old, 1, taken, sizeof(taken)), 0);
	KUNIT_EXPECT_STREQ(test, taken, "f1 ");

	kgr_kunit_cancel(new);
	kgr_kunit_patch_free(new);
	kgr_kunit_patch_free(old);
}

/* The first of a name is the only one; the second is another function */
static void kgr_kunit_positions(struct kunit *test)
{
	struct kgr_patch *old = kgr_kunit_patch(test, "a", NAMES("f1"), 0);
	struct kgr_patch *same = kgr_kunit_patch(test, "same", NAMES("f1"), 1);
	struct kgr_patch *other = kgr_kunit_patch(test, "other", NAMES("f1"), 2);
	char taken[64];

	same->replace_all = true;
	KUNIT_EXPECT_EQ(test, kgr_kunit_prepare(same, &old, 1, taken, sizeof(taken)), 0);
	KUNIT_EXPECT_STREQ(test, taken, "");

	other->replace_all = true;
	KUNIT_EXPECT_EQ(test, kgr_kunit_prepare(other, &old, 1, taken, sizeof(taken)), 0);
	KUNIT_EXPECT_STREQ(test, taken, "f1 ");

	kgr_kunit_cancel(other);
	kgr_kunit_patch_free(other);
	kgr_kunit_patch_free(same);
	kgr_kunit_patch_free(old);
}

/* A set replaces its own only, and may not touch what another one has */
static void kgr_kunit_sets(struct kunit *test)
{
	struct kgr_patch *old[] = {
		kgr_kunit_patch(test, "mine", NAMES("f1"), 0),
		kgr_kunit_patch(test, "theirs", NAMES("f2"), 0),
	};
	struct kgr_patch *new = kgr_kunit_patch(test, "new", NAMES("f3"), 0);
	struct kgr_patch *clash = kgr_kunit_patch(test, "clash", NAMES("f2"), 0);
	char taken[64];

	old[1]->replace_set = "theirs";
	new->replace_all = true;
	KUNIT_EXPECT_EQ(test, kgr_kunit_prepare(new, old, 2, taken, sizeof(taken)), 0);
	KUNIT_EXPECT_STREQ(test, taken, "f1 ");
	KUNIT_EXPECT_EQ(test, kgr_kunit_prepare(clash, old, 2, taken, sizeof(taken)), -EBUSY);

	clash->replace_set = "theirs";
	KUNIT_EXPECT_EQ(test, kgr_kunit_prepare(clash, old, 2, taken, sizeof(taken)), 0);

	kgr_kunit_cancel(new);
	kgr_kunit_patch_free(clash);
	kgr_kunit_patch_free(new);
	kgr_kunit_patch_free(old[0]);
	kgr_kunit_patch_free(old[1]);
}

static void kgr_kunit_replaces(struct kunit *test)
{
	struct kgr_patch *a = kgr_kunit_patch(test, "a", NAMES("f1"), 0);
	struct kgr_patch *b = kgr_kunit_patch(test, "b", NAMES("f1"), 0);

	mutex_lock(&kgr_mutex);
	KUNIT_EXPECT_FALSE(test, kgr_replaces(a, b));
	a->replace_all = true;
	KUNIT_EXPECT_TRUE(test, kgr_replaces(a, b));
	KUNIT_EXPECT_FALSE(test, kgr_replaces(a, a));
	KUNIT_EXPECT_FALSE(test, kgr_replaces(b, a));
	b->priv->state = KGR_PATCH_REVERTED;
	KUNIT_EXPECT_FALSE(test, kgr_replaces(a, b));
	b->priv->state = KGR_PATCH_APPLIED;
	b->replace_set = "";
	KUNIT_EXPECT_TRUE(test, kgr_replaces(a, b));
	b->replace_set = "other";
	KUNIT_EXPECT_FALSE(test, kgr_replaces(a, b));
	mutex_unlock(&kgr_mutex);

	kgr_kunit_patch_free(a);
	kgr_kunit_patch_free(b);
}

static struct kunit_case kgr_replace_cases[] = {
	KUNIT_CASE(kgr_kunit_cumulative),
	KUNIT_CASE(kgr_kunit_not_cumulative),
	KUNIT_CASE(kgr_kunit_positions),
	KUNIT_CASE(kgr_kunit_sets),
	KUNIT_CASE(kgr_kunit_replaces),
	{ }
};

static struct kunit_suite kgr_replace_suite = {
	.name = "kgraft_replace",
	.test_cases = kgr_replace_cases,
};

kunit_test_suite(kgr_replace_suite);
