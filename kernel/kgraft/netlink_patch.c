// SPDX-License-Identifier: GPL-2.0
/*
 * Generic netlink family "kgraft": patches and their functions. It says what
 * sysfs says in single files, to whoever may read those.
 */
#include "internal.h"
#include "netlink.h"

#include <linux/module.h>
#include <linux/string.h>
#include <net/netlink.h>

static int kgr_put_text(struct sk_buff *skb, int attr, const char *text)
{
	return text && *text ? nla_put_string(skb, attr, text) : 0;
}

/**
 * kgr_put_progress - what patch it is, and how far its transition is
 * @skb:	message
 * @patch:	registered patch
 *
 * Context: process context, kgr_mutex held.
 * Return: 0, or -EMSGSIZE when the message is full.
 */
int kgr_put_progress(struct sk_buff *skb, struct kgr_patch *patch)
{
	struct kgr_patch_priv *priv = patch->priv;
	unsigned int migrated, total;

	kgr_transition_counts(patch, &migrated, &total);

	if (nla_put_string(skb, KGRAFT_A_PATCH, patch->name) ||
	    nla_put_u32(skb, KGRAFT_A_MODEL, patch->model) ||
	    nla_put_u32(skb, KGRAFT_A_ENABLED, kgr_patch_enabled(patch)) ||
	    nla_put_u32(skb, KGRAFT_A_TRANSITION, priv->in_transition) ||
	    nla_put_u32(skb, KGRAFT_A_MIGRATED, migrated) ||
	    nla_put_u32(skb, KGRAFT_A_TOTAL, total) ||
	    kgr_put_text(skb, KGRAFT_A_WHY, priv->reason))
		return -EMSGSIZE;

	if (priv->stops &&
	    (nla_put_u32(skb, KGRAFT_A_STOPS, priv->stops) ||
	     nla_put_u32(skb, KGRAFT_A_STOPPED_US, priv->stopped_us)))
		return -EMSGSIZE;
	return 0;
}

static int kgr_put_patch(struct sk_buff *skb, struct kgr_patch *patch)
{
	const struct kgr_patch_priv *priv = patch->priv;
	u64 since = priv->started.tv_sec * (u64)MSEC_PER_SEC +
		    priv->started.tv_nsec / NSEC_PER_MSEC;

	if (kgr_put_progress(skb, patch) ||
	    nla_put_u64_64bit(skb, KGRAFT_A_SINCE_MS, since, KGRAFT_A_PAD) ||
	    nla_put_u32(skb, KGRAFT_A_REFS, kgr_patch_refs(patch)) ||
	    nla_put_u32(skb, KGRAFT_A_FUNCTIONS, priv->nr_funs) ||
	    nla_put_u32(skb, KGRAFT_A_TIMEOUT_MS, priv->timeout_ms) ||
	    nla_put_u32(skb, KGRAFT_A_ON_TIMEOUT, priv->on_timeout) ||
	    nla_put_string(skb, KGRAFT_A_MODULE, patch->owner->name) ||
	    kgr_put_text(skb, KGRAFT_A_CVE, patch->cve) ||
	    kgr_put_text(skb, KGRAFT_A_BUILD_ID, patch->build_id) ||
	    (patch->replace_all && nla_put_flag(skb, KGRAFT_A_REPLACE_ALL)) ||
	    (priv->forced && nla_put_flag(skb, KGRAFT_A_FORCED)))
		return -EMSGSIZE;
	return 0;
}

static int kgr_put_fun(struct sk_buff *skb, const struct kgr_patch_fun *fun)
{
	if (nla_put_string(skb, KGRAFT_A_PATCH, fun->patch->name) ||
	    nla_put_string(skb, KGRAFT_A_FUNCTION, fun->name) ||
	    nla_put_string(skb, KGRAFT_A_OBJECT, fun->objname ?: "vmlinux") ||
	    nla_put_u32(skb, KGRAFT_A_SYMPOS, fun->sympos) ||
	    nla_put_u32(skb, KGRAFT_A_STATE, fun->state) ||
	    nla_put_string(skb, KGRAFT_A_REDIRECT, kgr_form_name(fun)))
		return -EMSGSIZE;
	return 0;
}

static struct kgr_patch *kgr_find_patch(const struct nlattr *name)
{
	struct kgr_patch *patch;

	list_for_each_entry(patch, &kgr_patches, list) {
		if (!nla_strcmp(name, patch->name))
			return patch;
	}
	return NULL;
}

/**
 * kgr_nl_patch_get - answer KGRAFT_CMD_PATCH_GET for one patch
 * @skb:	request
 * @info:	its attributes
 *
 * Context: process context, takes kgr_mutex.
 * Return: 0; -EINVAL: no name given; -ENOENT: no such patch; -ENOMEM; -EMSGSIZE.
 */
int kgr_nl_patch_get(struct sk_buff *skb, struct genl_info *info)
{
	struct kgr_patch *patch;
	struct sk_buff *reply;
	int ret = -EMSGSIZE;
	void *hdr;

	if (GENL_REQ_ATTR_CHECK(info, KGRAFT_A_PATCH))
		return -EINVAL;

	guard(mutex)(&kgr_mutex);

	patch = kgr_find_patch(info->attrs[KGRAFT_A_PATCH]);
	if (!patch) {
		GENL_SET_ERR_MSG(info, "no such patch");
		return -ENOENT;
	}

	reply = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL);
	if (!reply)
		return -ENOMEM;
	hdr = genlmsg_put_reply(reply, info, &kgr_family, 0, KGRAFT_CMD_PATCH_GET);
	if (hdr)
		ret = kgr_put_patch(reply, patch);
	if (ret) {
		nlmsg_free(reply);
		return ret;
	}
	genlmsg_end(reply, hdr);
	return genlmsg_reply(reply, info);
}

static void *kgr_dump_put(struct sk_buff *skb, struct netlink_callback *cb, u8 cmd)
{
	void *hdr = genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
				&kgr_family, NLM_F_MULTI, cmd);

	if (hdr)
		genl_dump_check_consistent(cb, hdr);
	return hdr;
}

/**
 * kgr_nl_patch_dump - answer KGRAFT_CMD_PATCH_GET for all patches
 * @skb:	message to fill
 * @cb:		dump; args[0]: how many patches have been told
 *
 * Context: process context, takes kgr_mutex.
 * Return: length of what is in @skb, 0 at the end.
 */
int kgr_nl_patch_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct kgr_patch *patch;
	long n = 0;
	void *hdr;

	guard(mutex)(&kgr_mutex);

	cb->seq = kgr_generation;
	list_for_each_entry(patch, &kgr_patches, list) {
		if (n++ < cb->args[0])
			continue;
		hdr = kgr_dump_put(skb, cb, KGRAFT_CMD_PATCH_GET);
		if (!hdr)
			break;
		if (kgr_put_patch(skb, patch)) {
			genlmsg_cancel(skb, hdr);
			break;
		}
		genlmsg_end(skb, hdr);
		cb->args[0]++;
	}
	return skb->len;
}

/* Functions of one patch from the @cursor th on; false: the buffer is full */
static bool kgr_dump_funs(struct sk_buff *skb, struct netlink_callback *cb,
			  struct kgr_patch *patch, long *cursor)
{
	const struct kgr_patch_fun *fun;
	void *hdr;

	for (fun = patch->patches + *cursor; fun->name; fun++) {
		hdr = kgr_dump_put(skb, cb, KGRAFT_CMD_FUNCTION_GET);
		if (!hdr)
			return false;
		if (kgr_put_fun(skb, fun)) {
			genlmsg_cancel(skb, hdr);
			return false;
		}
		genlmsg_end(skb, hdr);
		++*cursor;
	}
	return true;
}

/**
 * kgr_nl_function_dump - answer KGRAFT_CMD_FUNCTION_GET
 * @skb:	message to fill
 * @cb:		dump; args[0]: how many patches have been told, args[1]: how many
 *		functions of the next one; args[2]: generation + 1 of the list
 *
 * Ends early, and says so, when the list of patches has changed: another patch
 * may be where the last message ended.
 *
 * Context: process context, takes kgr_mutex.
 * Return: length of what is in @skb, 0 at the end; -ENOENT: no such patch.
 */
int kgr_nl_function_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	const struct nlattr *name = genl_info_dump(cb)->attrs[KGRAFT_A_PATCH];
	struct kgr_patch *patch;
	long n = 0;

	guard(mutex)(&kgr_mutex);

	cb->seq = kgr_generation;
	if (cb->args[2] && cb->args[2] != (long)kgr_generation + 1)
		return 0;
	cb->args[2] = (long)kgr_generation + 1;

	if (name && !kgr_find_patch(name))
		return -ENOENT;

	list_for_each_entry(patch, &kgr_patches, list) {
		if (n++ < cb->args[0])
			continue;
		if ((!name || !nla_strcmp(name, patch->name)) &&
		    !kgr_dump_funs(skb, cb, patch, &cb->args[1]))
			break;
		cb->args[0]++;
		cb->args[1] = 0;
	}
	return skb->len;
}
