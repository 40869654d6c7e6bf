// SPDX-License-Identifier: GPL-2.0
/* Unit tests: names and positions to addresses, and sizes. */
#include "internal.h"

#include <kunit/test.h>
#include <linux/kgraft_test.h>

static int resolve(const char *name, unsigned long sympos, unsigned long *addr)
{
	*addr = 0xdead;
	return kgr_resolve(NULL, name, sympos, addr);
}

static void kgr_kunit_unique(struct kunit *test)
{
	unsigned long addr;

	KUNIT_EXPECT_EQ(test, resolve("kgr_test_inner", 0, &addr), 0);
	KUNIT_EXPECT_EQ(test, addr, (unsigned long)kgr_test_inner);
	/* The first of one is the same */
	KUNIT_EXPECT_EQ(test, resolve("kgr_test_inner", 1, &addr), 0);
	KUNIT_EXPECT_EQ(test, addr, (unsigned long)kgr_test_inner);
}

static void kgr_kunit_ambiguous(struct kunit *test)
{
	unsigned long a = (unsigned long)kgr_test_dup_first;
	unsigned long b = (unsigned long)kgr_test_dup_second;
	unsigned long addr;

	KUNIT_EXPECT_EQ(test, resolve("kgr_test_dup", 0, &addr), -EINVAL);
	KUNIT_EXPECT_EQ(test, addr, 0xdead);

	/* In ascending order of addresses */
	KUNIT_EXPECT_EQ(test, resolve("kgr_test_dup", 1, &addr), 0);
	KUNIT_EXPECT_EQ(test, addr, min(a, b));
	KUNIT_EXPECT_EQ(test, resolve("kgr_test_dup", 2, &addr), 0);
	KUNIT_EXPECT_EQ(test, addr, max(a, b));
}

static void kgr_kunit_out_of_bounds(struct kunit *test)
{
	unsigned long addr;

	KUNIT_EXPECT_EQ(test, resolve("kgr_test_dup", 3, &addr), -EINVAL);
	KUNIT_EXPECT_EQ(test, resolve("kgr_test_inner", 2, &addr), -EINVAL);
	KUNIT_EXPECT_EQ(test, resolve("kgr_test_inner", ULONG_MAX, &addr), -EINVAL);
	KUNIT_EXPECT_EQ(test, addr, 0xdead);
}

static void kgr_kunit_missing(struct kunit *test)
{
	unsigned long addr;

	KUNIT_EXPECT_EQ(test, resolve("kgr_test_not_there", 0, &addr), -ENOENT);
	KUNIT_EXPECT_EQ(test, resolve("kgr_test_not_there", 1, &addr), -ENOENT);
	/* Not a prefix, not a suffix */
	KUNIT_EXPECT_EQ(test, resolve("kgr_test_inne", 0, &addr), -ENOENT);
	KUNIT_EXPECT_EQ(test, resolve("gr_test_inner", 0, &addr), -ENOENT);
	KUNIT_EXPECT_EQ(test, resolve("", 0, &addr), -ENOENT);
	KUNIT_EXPECT_EQ(test, addr, 0xdead);

	mutex_lock(&kgr_mutex);
	KUNIT_EXPECT_EQ(test, kgr_resolve("kgr_kunit_nowhere", "kgr_test_inner", 0, &addr),
			-ENOENT);
	mutex_unlock(&kgr_mutex);
	KUNIT_EXPECT_EQ(test, kgr_resolve("vmlinux", "kgr_test_inner", 0, &addr), 0);
	KUNIT_EXPECT_EQ(test, addr, (unsigned long)kgr_test_inner);
}

static void kgr_kunit_size_of(struct kunit *test)
{
	unsigned long addr = (unsigned long)kgr_test_check;
	unsigned long size = kgr_resolve_size(addr);

	KUNIT_EXPECT_GT(test, size, 0);
	KUNIT_EXPECT_LT(test, size, PAGE_SIZE);
	/* Only where a symbol begins */
	KUNIT_EXPECT_EQ(test, kgr_resolve_size(addr + 1), 0);
	KUNIT_EXPECT_EQ(test, kgr_resolve_size(0), 0);
	KUNIT_EXPECT_EQ(test, kgr_resolve_size((unsigned long)test), 0);
}

/* The size that the builder saw: the linker may have padded, nothing else */
static void kgr_kunit_size_check(struct kunit *test)
{
	unsigned long size = kgr_resolve_size((unsigned long)kgr_test_check);
	struct {
		unsigned long old_size;
		int ret;
	} cases[] = {
		{ 0,			0 },
		{ size,			0 },
		{ size - 1,		0 },
		{ size + 1,		-EINVAL },
		{ size + PAGE_SIZE,	-EINVAL },
		{ ULONG_MAX,		-EINVAL },
	};
	struct kgr_patch_fun fun = { .name = "kgr_test_check" };
	unsigned long addr;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		fun.old_size = cases[i].old_size;
		KUNIT_EXPECT_EQ_MSG(test, kgr_resolve_fun(&fun, &addr), cases[i].ret,
				    "%lu bytes, has %lu", fun.old_size, size);
		if (!cases[i].ret)
			KUNIT_EXPECT_EQ(test, addr, (unsigned long)kgr_test_check);
	}
}

static struct kunit_case kgr_resolve_cases[] = {
	KUNIT_CASE(kgr_kunit_unique),
	KUNIT_CASE(kgr_kunit_ambiguous),
	KUNIT_CASE(kgr_kunit_out_of_bounds),
	KUNIT_CASE(kgr_kunit_missing),
	KUNIT_CASE(kgr_kunit_size_of),
	KUNIT_CASE(kgr_kunit_size_check),
	{ }
};

static struct kunit_suite kgr_resolve_suite = {
	.name = "kgraft_resolve",
	.test_cases = kgr_resolve_cases,
};

kunit_test_suite(kgr_resolve_suite);
