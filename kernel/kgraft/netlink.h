/* SPDX-License-Identifier: GPL-2.0 */
/* kGraft: what the files of the generic netlink family share. */
#ifndef _KERNEL_KGRAFT_NETLINK_H
#define _KERNEL_KGRAFT_NETLINK_H

#include <net/genetlink.h>

struct kgr_patch;

/* netlink.c */
enum {
	KGR_MCGRP_EVENTS,
};

extern struct genl_family kgr_family;

/* netlink_patch.c */
int kgr_put_progress(struct sk_buff *skb, struct kgr_patch *patch);
int kgr_nl_patch_get(struct sk_buff *skb, struct genl_info *info);
int kgr_nl_patch_dump(struct sk_buff *skb, struct netlink_callback *cb);
int kgr_nl_function_dump(struct sk_buff *skb, struct netlink_callback *cb);

#endif /* _KERNEL_KGRAFT_NETLINK_H */
