// SPDX-License-Identifier: GPL-2.0
/*
 * Generic netlink family "kgraft": the list of stragglers, and nudging. The
 * interface is described in Documentation/netlink/specs/kgraft.yaml.
 */
#include "internal.h"

#include <linux/cpu.h>
#include <linux/kallsyms.h>
#include <linux/sched/task.h>
#include <linux/string.h>
#include <net/genetlink.h>
#include <net/netlink.h>

static struct genl_family kgr_family;

/*
 * Most are return addresses, which stand behind the call; behind a call that
 * does not return another function may begin. Look up the byte before, unless
 * that is the padding of a function which a task was interrupted at the entry of.
 */
static int kgr_put_hit(struct sk_buff *skb, const struct kgr_stack_hit *hit)
{
	unsigned long size, offset = 0, addr = hit->addr - 1;
	char name[KSYM_SYMBOL_LEN];

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

static int kgr_put_task(struct sk_buff *skb, struct task_struct *task)
{
	char comm[TASK_COMM_LEN];

	get_task_comm(comm, task);
	if (nla_put_string(skb, KGRAFT_A_COMM, comm))
		return -EMSGSIZE;
	if (is_idle_task(task))
		return 0;
	return nla_put_u32(skb, KGRAFT_A_PID, task_tgid_nr(task)) ||
	       nla_put_u32(skb, KGRAFT_A_TID, task_pid_nr(task)) ? -EMSGSIZE : 0;
}

static int kgr_put_straggler(struct sk_buff *skb, const struct kgr_straggler *s,
			     const char *patch)
{
	if (nla_put_string(skb, KGRAFT_A_PATCH, patch) ||
	    nla_put_u32(skb, KGRAFT_A_KIND, s->kind) ||
	    nla_put_u32(skb, KGRAFT_A_REASON, s->reason) ||
	    nla_put_u32(skb, KGRAFT_A_CPU, s->cpu) ||
	    nla_put_u64_64bit(skb, KGRAFT_A_AGE_MS, kgr_transition_age_ms(),
			      KGRAFT_A_PAD))
		return -EMSGSIZE;

	if (s->task && kgr_put_task(skb, s->task))
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
			      const struct kgr_straggler *s, const char *patch)
{
	void *hdr;

	hdr = genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
			  &kgr_family, NLM_F_MULTI, KGRAFT_CMD_STRAGGLER_GET);
	if (!hdr)
		return -EMSGSIZE;

	if (kgr_put_straggler(skb, s, patch)) {
		genlmsg_cancel(skb, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, hdr);
	return 0;
}

/* Threads, in order of their id. Returns -EMSGSIZE when the buffer is full. */
static int kgr_dump_tasks(struct sk_buff *skb, struct netlink_callback *cb,
			  pid_t *cursor, const char *patch)
{
	struct kgr_straggler s;
	struct task_struct *task;
	int ret = 0;

	while (!ret && (task = kgr_task_next(cursor))) {
		if (kgr_straggler_task(task, &s))
			ret = kgr_dump_straggler(skb, cb, &s, patch);
		if (ret)
			*cursor = task_pid_nr(task);
		put_task_struct(task);
		cond_resched();
	}
	return ret;
}

/* Idle tasks and interrupt levels: two contexts for each CPU */
static int kgr_dump_cpus(struct sk_buff *skb, struct netlink_callback *cb,
			 long *cursor, const char *patch)
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
			ret = kgr_dump_straggler(skb, cb, &s, patch);
		if (ret)
			break;
	}
	cpus_read_unlock();
	return ret;
}

/*
 * args[0]: thread id to go on with; args[1]: CPU context to go on with; threads
 * are through when args[0] is negative.
 */
static int kgr_nl_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	pid_t cursor = cb->args[0];
	struct kgr_patch *patch;
	int ret = 0;

	if (!netlink_capable(cb->skb, CAP_SYS_ADMIN))
		return -EPERM;

	guard(mutex)(&kgr_mutex);

	patch = kgr_transition_patch();
	if (!patch)
		return 0;

	if (cursor >= 0) {
		ret = kgr_dump_tasks(skb, cb, &cursor, patch->name);
		cb->args[0] = ret ? cursor : -1;
	}
	if (!ret)
		ret = kgr_dump_cpus(skb, cb, &cb->args[1], patch->name);

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
};

static struct genl_family kgr_family __ro_after_init = {
	.name		= KGRAFT_FAMILY_NAME,
	.version	= KGRAFT_FAMILY_VERSION,
	.split_ops	= kgr_split_ops,
	.n_split_ops	= ARRAY_SIZE(kgr_split_ops),
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
