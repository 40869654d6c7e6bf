// SPDX-License-Identifier: GPL-2.0
/* Unit tests: the table of states, every pair of them. */
#include "internal.h"

#include <kunit/test.h>
#include <linux/module.h>
#include <linux/string.h>

#define KGR_COUNT_ENTRY(name, number, text)	+ 1
#define KGR_NR_STATES	(0 KGR_PATCH_STATES(KGR_COUNT_ENTRY))
#define KGR_NR_MODELS	(0 KGR_MODELS(KGR_COUNT_ENTRY))

/*
 * The picture in state.c again, as a table. Columns: init, slow, applied,
 * revert_slow, reverted, skipped.
 */
static const char * const kgr_legal[KGR_NR_STATES] = {
	[KGR_PATCH_INIT]	= ".x...x",
	[KGR_PATCH_SLOW]	= "..xx.x",
	[KGR_PATCH_APPLIED]	= "...xxx",
	[KGR_PATCH_REVERT_SLOW]	= ".x..xx",
	[KGR_PATCH_REVERTED]	= ".x...x",
	[KGR_PATCH_SKIPPED]	= ".xxx..",
};

static void kgr_kunit_changes(struct kunit *test)
{
	unsigned int from, to;

	for (from = 0; from < KGR_NR_STATES; from++) {
		KUNIT_ASSERT_NOT_NULL(test, kgr_legal[from]);
		KUNIT_ASSERT_EQ(test, strlen(kgr_legal[from]), KGR_NR_STATES);
		for (to = 0; to < KGR_NR_STATES; to++) {
			KUNIT_EXPECT_EQ_MSG(test, kgr_state_may_change(from, to),
					    kgr_legal[from][to] == 'x',
					    "from %s to %s", kgr_state_name(from),
					    kgr_state_name(to));
		}
	}
}

/* What is no state can neither be left nor entered */
static void kgr_kunit_out_of_range(struct kunit *test)
{
	static const unsigned int bad[] = { KGR_NR_STATES, 31, 32, 63, 64, UINT_MAX };
	unsigned int i, state;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		for (state = 0; state < KGR_NR_STATES; state++) {
			KUNIT_EXPECT_FALSE(test, kgr_state_may_change(bad[i], state));
			KUNIT_EXPECT_FALSE(test, kgr_state_may_change(state, bad[i]));
		}
		KUNIT_EXPECT_STREQ(test, kgr_state_name(bad[i]), "?");
		KUNIT_EXPECT_NULL(test, kgr_model_name(bad[i]));
	}
}

/* Each state but init can be reached, none leads back to init or to itself */
static void kgr_kunit_reachable(struct kunit *test)
{
	unsigned long seen = BIT(KGR_PATCH_INIT), before;
	unsigned int from, to;

	do {
		before = seen;
		for (from = 0; from < KGR_NR_STATES; from++) {
			for (to = 0; to < KGR_NR_STATES; to++) {
				if (seen & BIT(from) && kgr_state_may_change(from, to))
					seen |= BIT(to);
			}
		}
	} while (seen != before);

	KUNIT_EXPECT_EQ(test, seen, BIT(KGR_NR_STATES) - 1);
	for (from = 0; from < KGR_NR_STATES; from++)
		KUNIT_EXPECT_FALSE_MSG(test, kgr_state_may_change(from, from),
				       "%s to itself", kgr_state_name(from));
	for (to = 0; to < KGR_NR_STATES; to++)
		KUNIT_EXPECT_FALSE_MSG(test, kgr_state_may_change(to, KGR_PATCH_INIT),
				       "%s back to init", kgr_state_name(to));
}

/* Names are ABI: sysfs and tracepoints show them. Every one is there, none twice. */
static void kgr_kunit_names(struct kunit *test)
{
	unsigned int a, b;

	for (a = 0; a < KGR_NR_STATES; a++) {
		KUNIT_ASSERT_NOT_NULL(test, kgr_state_name(a));
		for (b = 0; b < a; b++)
			KUNIT_EXPECT_STRNEQ(test, kgr_state_name(a), kgr_state_name(b));
	}
	KUNIT_EXPECT_STREQ(test, kgr_state_name(KGR_PATCH_INIT), "init");
	KUNIT_EXPECT_STREQ(test, kgr_state_name(KGR_PATCH_SLOW), "slow");
	KUNIT_EXPECT_STREQ(test, kgr_state_name(KGR_PATCH_APPLIED), "applied");
	KUNIT_EXPECT_STREQ(test, kgr_state_name(KGR_PATCH_REVERT_SLOW), "revert_slow");
	KUNIT_EXPECT_STREQ(test, kgr_state_name(KGR_PATCH_REVERTED), "reverted");
	KUNIT_EXPECT_STREQ(test, kgr_state_name(KGR_PATCH_SKIPPED), "skipped");

	for (a = 0; a < KGR_NR_MODELS; a++) {
		KUNIT_ASSERT_NOT_NULL(test, kgr_model_name(a));
		for (b = 0; b < a; b++)
			KUNIT_EXPECT_STRNEQ(test, kgr_model_name(a), kgr_model_name(b));
	}
	KUNIT_EXPECT_STREQ(test, kgr_model_name(KGR_MODEL_UNIVERSE), "universe");
	KUNIT_EXPECT_STREQ(test, kgr_model_name(KGR_MODEL_HYBRID), "hybrid");
	KUNIT_EXPECT_STREQ(test, kgr_model_name(KGR_MODEL_IMMEDIATE), "immediate");
	KUNIT_EXPECT_STREQ(test, kgr_model_name(KGR_MODEL_QUIESCE), "quiesce");
}

static struct kunit_case kgr_state_cases[] = {
	KUNIT_CASE(kgr_kunit_changes),
	KUNIT_CASE(kgr_kunit_out_of_range),
	KUNIT_CASE(kgr_kunit_reachable),
	KUNIT_CASE(kgr_kunit_names),
	{ }
};

static struct kunit_suite kgr_state_suite = {
	.name = "kgraft_state",
	.test_cases = kgr_state_cases,
};

kunit_test_suite(kgr_state_suite);

MODULE_DESCRIPTION("Unit tests of kGraft");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(EXPORTED_FOR_KUNIT_TESTING);
