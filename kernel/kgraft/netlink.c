// SPDX-License-Identifier: GPL-2.0
/*
 * Generic netlink family "kgraft": the list of stragglers, and nudging. Patches
 * are in netlink_patch.c, events in netlink_event.c. The interface is described in
 * Documentation/netlink/specs/kgraft.yaml.
 */
#include "internal.h"
#include "netlink.h"

#include <linux/cpu.h>
#include <linux/kallsyms.h>
#include <linux/sched/task.h>
#include <linux/string.h>
#include <net/genetlink.h>
#include <net/netlink.h>

/*
 * Most are return addresses, which stand behind the call; behind a call that
 * does not return another function may begin. Look up the byte before, unless
 * that is the padding of a function which a task was interrupted at the entry of.
 */
static int kgr_put_hit(struct sk_buff *skb, const struct kgr_stack_hit *hit)
{
	unsigned long size, offset = 0, addr = hit->addr - 1;
	char name[KSYM_SYMBOL_LEN];

	if (!hit->addr)
		return 0;

	snprintf(name, sizeof(name), "%ps", (void *)addr);
	if (str_has_prefix(name, "__pfx_")) {
		addr = hit->addr;
		snprintf(name, sizeof(name), "%ps", (void *)addr);
	}
	kallsyms_lookup_size_offset(addr, &size, &offset);
	if (nla_put_string(skb, KGRAFT_A_FUNCTION, name) ||
	    nla_put_u32(skb, KGRAFT_A_OFFSET, offset + hit->addr - addr))
		return -EMSGSIZE;

	if (!hit->caller)
		return 0;
	snprintf(name, sizeof(name), "%pB", (void *)hit->caller);
	return nla_put_string(skb, KGRAFT_A_CALLER, name);
}

static int kgr_put_wchan(struct sk_buff *skb, unsigned long wchan)
{
	char name[KSYM_SYMBOL_LEN];

	snprintf(name, sizeof(name), "%ps", (void *)wchan);
	return nla_put_string(skb, KGRAFT_A_WCHAN, name);
}

static int kgr_put_task(struct sk_buff *skb, const struct kgr_straggler *s)
{
	if (nla_put_string(skb, KGRAFT_A_COMM, s->comm))
		return -EMSGSIZE;
	if (!s->tid)
		return 0;
	return nla_put_u32(skb, KGRAFT_A_PID, s->pid) ||
	       nla_put_u32(skb, KGRAFT_A_TID, s->tid) ? -EMSGSIZE : 0;
}

/* Of which transition the stragglers are that a dump lists */
struct kgr_dump_of {
	const char *patch;
	s64 age_ms;
	bool past;
};

static int kgr_put_straggler(struct sk_buff *skb, const struct kgr_straggler *s,
			     const struct kgr_dump_of *of)
{
	if (nla_put_string(skb, KGRAFT_A_PATCH, of->patch) ||
	    nla_put_u32(skb, KGRAFT_A_KIND, s->kind) ||
	    nla_put_u32(skb, KGRAFT_A_REASON, s->reason) ||
	    nla_put_u32(skb, KGRAFT_A_CPU, s->cpu) ||
	    nla_put_u64_64bit(skb, KGRAFT_A_AGE_MS, of->age_ms, KGRAFT_A_PAD) ||
	    (of->past && nla_put_flag(skb, KGRAFT_A_PAST)))
		return -EMSGSIZE;

	if (s->kind != KGRAFT_KIND_CPU && kgr_put_task(skb, s))
		return -EMSGSIZE;
	if (s->wchan && kgr_put_wchan(skb, s->wchan))
		return -EMSGSIZE;

	switch (s->reason) {
	case KGRAFT_REASON_IN_PATCHED_FUNCTION:
		return kgr_put_hit(skb, &s->hit);
	case KGRAFT_REASON_IN_SYSCALL:
		return nla_put_u32(skb, KGRAFT_A_SYSCALL, s->syscall);
	case KGRAFT_REASON_STOPPED_OR_TRACED:
		return s->tracer ? nla_put_u32(skb, KGRAFT_A_TRACER, s->tracer) : 0;
	default:
		return 0;
	}
}

static int kgr_dump_straggler(struct sk_buff *skb, struct netlink_callback *cb,
			      const struct kgr_straggler *s,
			      const struct kgr_dump_of *of)
{
	void *hdr;

	hdr = genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
			  &kgr_family, NLM_F_MULTI, KGRAFT_CMD_STRAGGLER_GET);
	if (!hdr)
		return -EMSGSIZE;

	genl_dump_check_consistent(cb, hdr);

	if (kgr_put_straggler(skb, s, of)) {
		genlmsg_cancel(skb, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, hdr);
	return 0;
}

/* Threads, in order of their id. Returns -EMSGSIZE when the buffer is full. */
static int kgr_dump_tasks(struct sk_buff *skb, struct netlink_callback *cb,
			  pid_t *cursor, const struct kgr_dump_of *of)
{
	struct kgr_straggler s;
	struct task_struct *task;
	int ret = 0;

	while (!ret && (task = kgr_task_next(cursor))) {
		if (kgr_straggler_task(task, &s))
			ret = kgr_dump_straggler(skb, cb, &s, of);
		if (ret)
			*cursor = task_pid_nr(task);
		put_task_struct(task);
		cond_resched();
	}
	return ret;
}

/* Idle tasks and interrupt levels: two contexts for each CPU */
static int kgr_dump_cpus(struct sk_buff *skb, struct netlink_callback *cb,
			 long *cursor, const struct kgr_dump_of *of)
{
	struct kgr_straggler s;
	int ret = 0;

	cpus_read_lock();
	for (; *cursor < 2 * (long)nr_cpu_ids; ++*cursor) {
		unsigned int cpu = *cursor / 2;
		bool straggles;

		if (!cpu_online(cpu))
			continue;
		if (*cursor % 2)
			straggles = kgr_straggler_cpu(cpu, &s);
		else
			straggles = kgr_straggler_task(idle_task(cpu), &s);
		if (straggles)
			ret = kgr_dump_straggler(skb, cb, &s, of);
		if (ret)
			break;
	}
	cpus_read_unlock();
	return ret;
}

/* Those who were left at some time, and who may be gone by now */
static int kgr_dump_left(struct sk_buff *skb, struct netlink_callback *cb,
			 long *cursor)
{
	struct kgr_dump_of of = { .past = true };
	const struct kgr_straggler *s;
	int ret = 0;

	while (!ret && (s = kgr_left_get(*cursor, &of.patch, &of.age_ms))) {
		ret = kgr_dump_straggler(skb, cb, s, &of);
		if (!ret)
			++*cursor;
	}
	return ret;
}

static int kgr_dump_live(struct sk_buff *skb, struct netlink_callback *cb)
{
	const struct kgr_dump_of of = {
		.patch = kgr_transition_patch()->name,
		.age_ms = kgr_transition_age_ms(),
	};
	pid_t cursor = cb->args[0];
	int ret = 0;

	if (cursor >= 0) {
		ret = kgr_dump_tasks(skb, cb, &cursor, &of);
		cb->args[0] = ret ? cursor : -1;
	}
	if (!ret)
		ret = kgr_dump_cpus(skb, cb, &cb->args[1], &of);
	return ret;
}

/*
 * args[0]: thread id to go on with, negative when threads are through; args[1]:
 * CPU context, or place among those that were left, to go on with; args[2]: 1
 * after the first call; args[3]: generation that it saw. A list of another
 * generation would be another list: the dump ends, and says that it is torn.
 */
static int kgr_nl_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	int ret;

	if (!netlink_capable(cb->skb, CAP_SYS_ADMIN))
		return -EPERM;

	guard(mutex)(&kgr_mutex);

	cb->seq = kgr_generation;
	if (cb->args[2] && (u32)cb->args[3] != kgr_generation)
		return 0;
	cb->args[2] = 1;
	cb->args[3] = kgr_generation;

	if (kgr_transition_patch() && kgr_transition_model() != KGR_MODEL_QUIESCE)
		ret = kgr_dump_live(skb, cb);
	else
		ret = kgr_dump_left(skb, cb, &cb->args[1]);

	/* A full buffer is what the next call goes on from */
	return skb->len ?: ret;
}

static int kgr_nl_nudge(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *tid = info->attrs[KGRAFT_A_TID];
	unsigned int nudged;
	struct sk_buff *reply;
	void *hdr;
	int ret;

	if (!netlink_capable(skb, CAP_SYS_ADMIN))
		return -EPERM;

	ret = kgr_nudge(tid ? nla_get_u32(tid) : 0, &nudged);
	if (ret) {
		if (ret == -EAGAIN)
			GENL_SET_ERR_MSG(info, "no transition runs");
		else if (ret == -ESRCH)
			GENL_SET_ERR_MSG(info, "no such thread");
		else if (ret == -EALREADY)
			GENL_SET_ERR_MSG(info, "the thread has migrated");
		else if (ret == -EOPNOTSUPP)
			GENL_SET_ERR_MSG(info, "the quiesce model nudges nobody");
		return ret;
	}

	reply = genlmsg_new(nla_total_size(sizeof(u32)), GFP_KERNEL);
	if (!reply)
		return -ENOMEM;
	hdr = genlmsg_put_reply(reply, info, &kgr_family, 0, KGRAFT_CMD_NUDGE);
	if (!hdr || nla_put_u32(reply, KGRAFT_A_NUDGED, nudged)) {
		nlmsg_free(reply);
		return -EMSGSIZE;
	}
	genlmsg_end(reply, hdr);
	return genlmsg_reply(reply, info);
}

static const struct nla_policy kgr_nudge_policy[] = {
	[KGRAFT_A_TID]	= NLA_POLICY_MIN(NLA_U32, 1),
};

static const struct nla_policy kgr_patch_policy[] = {
	[KGRAFT_A_PATCH] = { .type = NLA_NUL_STRING },
};

static const struct genl_split_ops kgr_split_ops[] = {
	{
		.cmd	= KGRAFT_CMD_STRAGGLER_GET,
		.dumpit	= kgr_nl_dump,
		.flags	= GENL_CMD_CAP_DUMP,
	},
	{
		.cmd		= KGRAFT_CMD_NUDGE,
		.doit		= kgr_nl_nudge,
		.policy		= kgr_nudge_policy,
		.maxattr	= ARRAY_SIZE(kgr_nudge_policy) - 1,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= KGRAFT_CMD_PATCH_GET,
		.doit		= kgr_nl_patch_get,
		.policy		= kgr_patch_policy,
		.maxattr	= ARRAY_SIZE(kgr_patch_policy) - 1,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd	= KGRAFT_CMD_PATCH_GET,
		.dumpit	= kgr_nl_patch_dump,
		.flags	= GENL_CMD_CAP_DUMP,
	},
	{
		.cmd		= KGRAFT_CMD_FUNCTION_GET,
		.dumpit		= kgr_nl_function_dump,
		.policy		= kgr_patch_policy,
		.maxattr	= ARRAY_SIZE(kgr_patch_policy) - 1,
		.flags		= GENL_CMD_CAP_DUMP,
	},
};

/* Anybody may join: nothing is told that everybody can't read in sysfs */
static const struct genl_multicast_group kgr_mcgrps[] = {
	[KGR_MCGRP_EVENTS] = { .name = KGRAFT_MCGRP_EVENTS },
};

struct genl_family kgr_family __ro_after_init = {
	.name		= KGRAFT_FAMILY_NAME,
	.version	= KGRAFT_FAMILY_VERSION,
	.split_ops	= kgr_split_ops,
	.n_split_ops	= ARRAY_SIZE(kgr_split_ops),
	.mcgrps		= kgr_mcgrps,
	.n_mcgrps	= ARRAY_SIZE(kgr_mcgrps),
	.module		= THIS_MODULE,
};

/**
 * kgr_netlink_init - register the family
 *
 * Context: boot.
 * Return: 0 or a negative errno of genl_register_family().
 */
int __init kgr_netlink_init(void)
{
	return genl_register_family(&kgr_family);
}
