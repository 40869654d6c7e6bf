// SPDX-License-Identifier: GPL-2.0
/*
 * A set of address ranges: filled, sealed, then only asked.
 */
#include "ranges.h"

#include <kunit/visibility.h>
#include <linux/bug.h>
#include <linux/minmax.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/sort.h>

/**
 * kgr_ranges_alloc - an empty set
 * @room:	how many ranges will be added at most
 *
 * Context: process context, may sleep.
 * Return: the set, to be freed with kvfree() or kvfree_rcu(), or NULL.
 */
struct kgr_ranges *kgr_ranges_alloc(unsigned int room)
{
	struct kgr_ranges *ranges = kvzalloc(struct_size(ranges, range, room), GFP_KERNEL);

	if (ranges)
		ranges->room = room;
	return ranges;
}
EXPORT_SYMBOL_IF_KUNIT(kgr_ranges_alloc);

/**
 * kgr_ranges_add - add a range
 * @ranges:	set with room, not sealed
 * @first:	first address
 * @last:	last address, not below @first
 *
 * Context: any.
 */
void kgr_ranges_add(struct kgr_ranges *ranges, unsigned long first, unsigned long last)
{
	if (WARN_ON_ONCE(ranges->nr == ranges->room))
		return;
	ranges->range[ranges->nr++] = (struct kgr_range){ first, last };
}
EXPORT_SYMBOL_IF_KUNIT(kgr_ranges_add);

static int kgr_range_sort(const void *a, const void *b)
{
	const struct kgr_range *x = a, *y = b;

	return x->first < y->first ? -1 : x->first > y->first;
}

/* Overlapping ranges become one, so that a search has one candidate */
static void kgr_ranges_merge(struct kgr_ranges *ranges)
{
	unsigned int i, out = 0;

	for (i = 1; i < ranges->nr; i++) {
		if (ranges->range[i].first <= ranges->range[out].last)
			ranges->range[out].last = max(ranges->range[out].last,
						      ranges->range[i].last);
		else
			ranges->range[++out] = ranges->range[i];
	}
	ranges->nr = out + 1;
}

static void kgr_ranges_note_pages(struct kgr_ranges *ranges)
{
	unsigned int i;

	for (i = 0; i < ranges->nr; i++) {
		unsigned long page = ranges->range[i].first >> PAGE_SHIFT;
		unsigned long last = ranges->range[i].last >> PAGE_SHIFT;

		last = min(last, page + KGR_RANGE_PAGES - 1);
		for (; page <= last; page++)
			__set_bit(page % KGR_RANGE_PAGES, ranges->pages);
	}
}

/**
 * kgr_ranges_seal - no more ranges will come
 * @ranges:	set
 *
 * Context: any.
 */
void kgr_ranges_seal(struct kgr_ranges *ranges)
{
	if (!ranges->nr)
		return;
	sort(ranges->range, ranges->nr, sizeof(ranges->range[0]), kgr_range_sort, NULL);
	kgr_ranges_merge(ranges);
	kgr_ranges_note_pages(ranges);
}
EXPORT_SYMBOL_IF_KUNIT(kgr_ranges_seal);
