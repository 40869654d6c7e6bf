// SPDX-License-Identifier: GPL-2.0
/*
 * Unit tests: sets of address ranges, asked at both ends of each range, beside them,
 * and at random, and compared with a look at one range after the other.
 */
#include "ranges.h"

#include <kunit/test.h>
#include <linux/prandom.h>
#include <linux/slab.h>

#define KGR_KUNIT_BASE	0xffffffff81000000UL
#define KGR_KUNIT_RANGES 500

static void kgr_kunit_free(void *ranges)
{
	kvfree(ranges);
}

static struct kgr_ranges *kgr_kunit_set(struct kunit *test, const struct kgr_range *range,
					unsigned int nr)
{
	struct kgr_ranges *ranges = kgr_ranges_alloc(nr);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, ranges);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, kgr_kunit_free, ranges), 0);
	for (i = 0; i < nr; i++)
		kgr_ranges_add(ranges, range[i].first, range[i].last);
	kgr_ranges_seal(ranges);
	return ranges;
}

static void kgr_kunit_ask(struct kunit *test, const struct kgr_ranges *ranges,
			  const struct kgr_range *range, unsigned int nr, unsigned long addr)
{
	bool wanted = false;
	unsigned int i;

	for (i = 0; i < nr; i++)
		wanted |= range[i].first <= addr && addr <= range[i].last;
	KUNIT_EXPECT_EQ_MSG(test, kgr_ranges_have(ranges, addr), wanted, "at %lx", addr);
}

static void kgr_kunit_ask_all(struct kunit *test, const struct kgr_range *range,
			      unsigned int nr)
{
	struct kgr_ranges *ranges = kgr_kunit_set(test, range, nr);
	unsigned int i;

	for (i = 0; i < nr; i++) {
		unsigned long middle = range[i].first + (range[i].last - range[i].first) / 2;

		kgr_kunit_ask(test, ranges, range, nr, range[i].first - 1);
		kgr_kunit_ask(test, ranges, range, nr, range[i].first);
		kgr_kunit_ask(test, ranges, range, nr, middle);
		kgr_kunit_ask(test, ranges, range, nr, range[i].last);
		kgr_kunit_ask(test, ranges, range, nr, range[i].last + 1);
		/* The same bit of another page */
		kgr_kunit_ask(test, ranges, range, nr,
			      middle + KGR_RANGE_PAGES * PAGE_SIZE);
	}
}

static void kgr_kunit_empty(struct kunit *test)
{
	struct kgr_ranges *ranges = kgr_kunit_set(test, NULL, 0);

	kgr_kunit_ask(test, ranges, NULL, 0, 0);
	kgr_kunit_ask(test, ranges, NULL, 0, KGR_KUNIT_BASE);
	kgr_kunit_ask(test, ranges, NULL, 0, ULONG_MAX);
}

/* One address, two pages, many pages, more pages than there are bits */
static void kgr_kunit_sizes(struct kunit *test)
{
	static const struct kgr_range range[] = {
		{ KGR_KUNIT_BASE, KGR_KUNIT_BASE },
		{ KGR_KUNIT_BASE + 0x1ff0, KGR_KUNIT_BASE + 0x2000 },
		{ KGR_KUNIT_BASE + 0x10080, KGR_KUNIT_BASE + 0x80010 },
		{ 0xffffffffa0000000UL, 0xffffffffa0000000UL + 3 * KGR_RANGE_PAGES * PAGE_SIZE },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(range); i++)
		kgr_kunit_ask_all(test, &range[i], 1);
	kgr_kunit_ask_all(test, range, ARRAY_SIZE(range));
}

static void kgr_kunit_overlap(struct kunit *test)
{
	static const struct kgr_range range[] = {
		{ KGR_KUNIT_BASE + 0x3000, KGR_KUNIT_BASE + 0x5000 },
		{ KGR_KUNIT_BASE + 0x1000, KGR_KUNIT_BASE + 0x3000 },
		{ KGR_KUNIT_BASE + 0x3800, KGR_KUNIT_BASE + 0x3810 },
		{ KGR_KUNIT_BASE + 0x1000, KGR_KUNIT_BASE + 0x1000 },
		{ KGR_KUNIT_BASE + 0x5001, KGR_KUNIT_BASE + 0x5001 },
	};

	kgr_kunit_ask_all(test, range, ARRAY_SIZE(range));
}

static void kgr_kunit_random(struct kunit *test)
{
	struct kgr_range *range = kunit_kcalloc(test, KGR_KUNIT_RANGES, sizeof(*range),
						GFP_KERNEL);
	struct rnd_state rnd;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, range);
	prandom_seed_state(&rnd, 6012);
	for (i = 0; i < KGR_KUNIT_RANGES; i++) {
		range[i].first = KGR_KUNIT_BASE + prandom_u32_state(&rnd) % (64 << 20);
		range[i].last = range[i].first + prandom_u32_state(&rnd) % 9000;
	}
	kgr_kunit_ask_all(test, range, KGR_KUNIT_RANGES);
}

static struct kunit_case kgr_ranges_cases[] = {
	KUNIT_CASE(kgr_kunit_empty),
	KUNIT_CASE(kgr_kunit_sizes),
	KUNIT_CASE(kgr_kunit_overlap),
	KUNIT_CASE(kgr_kunit_random),
	{ }
};

static struct kunit_suite kgr_ranges_suite = {
	.name = "kgraft_ranges",
	.test_cases = kgr_ranges_cases,
};

kunit_test_suite(kgr_ranges_suite);
