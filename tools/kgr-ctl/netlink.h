/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The generic netlink family "kgraft": the only user of libmnl.
 */
#ifndef _KGR_NETLINK_H
#define _KGR_NETLINK_H

#include <linux/kgraft.h>
#include <linux/netlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Strings point into the message and live as long as it does */
struct kgr_straggler {
	uint64_t present;	/* bit n: attribute n was in the message */
	uint32_t kind;
	uint32_t reason;
	uint32_t pid;
	uint32_t tid;
	uint32_t cpu;
	uint32_t offset;
	uint32_t syscall;
	uint32_t tracer;
	uint64_t age_ms;
	const char *patch;
	const char *comm;
	const char *function;
	const char *caller;
	const char *wchan;
};

/* A function of a patch; what the kernel did not send is NULL, or 0 */
struct kgr_nl_function {
	uint64_t present;	/* as above */
	const char *name;
	const char *object;
	const char *redirect;
	uint32_t sympos;
	uint32_t state;
};

static inline bool kgr_has(const struct kgr_straggler *s, enum kgraft_attr attr)
{
	return s->present & (1ull << attr);
}

struct kgr_nl;

/* Returns 0 to go on, or -errno to stop */
typedef int (*kgr_straggler_fn)(const struct kgr_straggler *s, void *arg);

/* All return -errno; kgr_nl_open(): -ENOENT when the kernel has no such family */
int kgr_nl_open(struct kgr_nl **nl);
void kgr_nl_close(struct kgr_nl *nl);
/* -EINTR: the list changed under the dump and may have gaps; ask again */
int kgr_nl_stragglers(struct kgr_nl *nl, kgr_straggler_fn fn, void *arg);
typedef int (*kgr_function_fn)(const struct kgr_nl_function *f, void *arg);
/* -EINTR as above; -ENOENT: no such patch; -EOPNOTSUPP: an older kernel */
int kgr_nl_functions(struct kgr_nl *nl, const char *patch, kgr_function_fn fn, void *arg);
/* @tid 0: every straggler */
int kgr_nl_nudge(struct kgr_nl *nl, uint32_t tid, uint32_t *nudged);
/*
 * Events: join the group, then poll() the descriptor for POLLIN, and take what is
 * there.  Losing some (-ENOBUFS) is no error: something has happened.
 */
int kgr_nl_subscribe(struct kgr_nl *nl);
int kgr_nl_fd(const struct kgr_nl *nl);
int kgr_nl_take_events(struct kgr_nl *nl);
/* What the kernel said about the last error; may be empty */
const char *kgr_nl_message(const struct kgr_nl *nl);

/* For tests: one message, and everything that one recvmsg() returned */
int kgr_nl_parse_straggler(const struct nlmsghdr *nlh, struct kgr_straggler *s);
int kgr_nl_parse_function(const struct nlmsghdr *nlh, struct kgr_nl_function *f);

typedef int (*kgr_nl_msg_fn)(const struct nlmsghdr *nlh, void *arg);

struct kgr_nl_walk {
	uint32_t seq;
	kgr_nl_msg_fn fn;
	void *arg;
	bool done;		/* the answer is complete */
	bool interrupted;	/* a dump with gaps */
	char message[256];
};

int kgr_nl_walk(struct kgr_nl_walk *walk, const void *buf, size_t len);

#endif /* _KGR_NETLINK_H */
