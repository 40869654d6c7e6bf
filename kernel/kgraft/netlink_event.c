// SPDX-License-Identifier: GPL-2.0
/*
 * Generic netlink family "kgraft": events, for those who wait for a transition or
 * watch it. sysfs tells the same to who polls a file.
 */
#include "internal.h"
#include "netlink.h"

#include <net/netlink.h>

/* Number of the last event; a gap tells a listener that it has lost some [M] */
static u32 kgr_event_seq;

static int kgr_put_event(struct sk_buff *skb, struct kgr_patch *patch,
			 enum kgraft_event event, unsigned int nudged)
{
	if (nla_put_u32(skb, KGRAFT_A_EVENT, event) ||
	    nla_put_u32(skb, KGRAFT_A_SEQ, kgr_event_seq) ||
	    nla_put_u64_64bit(skb, KGRAFT_A_AGE_MS, kgr_transition_age_ms(),
			      KGRAFT_A_PAD) ||
	    (nudged && nla_put_u32(skb, KGRAFT_A_NUDGED, nudged)))
		return -EMSGSIZE;
	return kgr_put_progress(skb, patch);
}

static void kgr_event_send(struct kgr_patch *patch, enum kgraft_event event,
			   unsigned int nudged)
{
	struct sk_buff *skb;
	void *hdr;

	lockdep_assert_held(&kgr_mutex);

	kgr_event_seq++;
	if (!genl_has_listeners(&kgr_family, &init_net, KGR_MCGRP_EVENTS))
		return;

	/* Whoever misses it finds that in the number of the next one */
	skb = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL);
	if (!skb)
		return;
	hdr = genlmsg_put(skb, 0, 0, &kgr_family, 0, KGRAFT_CMD_EVENT);
	if (!hdr || kgr_put_event(skb, patch, event, nudged)) {
		nlmsg_free(skb);
		return;
	}
	genlmsg_end(skb, hdr);
	genlmsg_multicast(&kgr_family, skb, 0, KGR_MCGRP_EVENTS, GFP_KERNEL);
}

/**
 * kgr_event - tell that something has become of a transition
 * @patch:	its patch
 * @event:	what
 *
 * Context: process context, kgr_mutex held, may sleep.
 */
void kgr_event(struct kgr_patch *patch, enum kgraft_event event)
{
	kgr_event_send(patch, event, 0);
	kgr_sysfs_notify(patch);
}

/**
 * kgr_event_nudged - tell that stragglers have been nudged
 * @patch:	patch in transition
 * @nudged:	how many
 *
 * Context: process context, kgr_mutex held, may sleep.
 */
void kgr_event_nudged(struct kgr_patch *patch, unsigned int nudged)
{
	if (nudged)
		kgr_event_send(patch, KGRAFT_EVENT_NUDGED, nudged);
}

/**
 * kgr_event_progress - tell how far a transition is, if that is news
 * @patch:	patch in transition
 *
 * Context: process context, kgr_mutex held, may sleep.
 */
void kgr_event_progress(struct kgr_patch *patch)
{
	static unsigned int told;	/* [M] */
	unsigned int migrated, total;

	kgr_transition_counts(patch, &migrated, &total);
	if (migrated == told)
		return;
	told = migrated;
	kgr_event_send(patch, KGRAFT_EVENT_PROGRESS, 0);
	kgr_sysfs_notify_counts(patch);
}
