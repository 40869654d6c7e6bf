/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A set of address ranges that is asked for each word of each stack.
 */
#ifndef _KERNEL_KGRAFT_RANGES_H
#define _KERNEL_KGRAFT_RANGES_H

#include <linux/bitmap.h>
#include <linux/types.h>

#include <asm/page.h>

/* 32 MiB: more than the text of a kernel has; modules share bits with it */
#define KGR_RANGE_PAGES	8192

/* Both ends inclusive: a call that does not return may be a body's last word */
struct kgr_range {
	unsigned long first;
	unsigned long last;
};

/**
 * struct kgr_ranges - set of ranges
 * @rcu:	for the owner, to free it
 * @pages:	for each page, modulo KGR_RANGE_PAGES: may any of @range be in it?
 * @nr:		how many there are
 * @room:	how many there may be
 * @range:	once sealed sorted, no two of them overlap
 */
struct kgr_ranges {
	struct rcu_head rcu;
	DECLARE_BITMAP(pages, KGR_RANGE_PAGES);
	unsigned int nr;
	unsigned int room;
	struct kgr_range range[] __counted_by(room);
};

struct kgr_ranges *kgr_ranges_alloc(unsigned int room);
void kgr_ranges_add(struct kgr_ranges *ranges, unsigned long first, unsigned long last);
void kgr_ranges_seal(struct kgr_ranges *ranges);

/**
 * kgr_ranges_have - is an address in one of the ranges?
 * @ranges:	sealed set
 * @addr:	any word
 *
 * Most words are far away, or in another page: what the search takes for them does
 * not grow with the number of ranges.
 *
 * Context: any.
 * Return: true when it is.
 */
static inline bool kgr_ranges_have(const struct kgr_ranges *ranges, unsigned long addr)
{
	unsigned int low = 0, high = ranges->nr;

	if (!high || addr < ranges->range[0].first || addr > ranges->range[high - 1].last ||
	    !test_bit((addr >> PAGE_SHIFT) % KGR_RANGE_PAGES, ranges->pages))
		return false;

	/* Find the last range that begins at or before addr */
	while (low < high) {
		unsigned int mid = low + (high - low) / 2;

		if (ranges->range[mid].first <= addr)
			low = mid + 1;
		else
			high = mid;
	}
	return low && addr <= ranges->range[low - 1].last;
}

#endif /* _KERNEL_KGRAFT_RANGES_H */
