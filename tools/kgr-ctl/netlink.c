// SPDX-License-Identifier: GPL-2.0
/*
 * Requests to the family "kgraft" and their answers.  Every length is checked
 * before what it covers is read; attributes of a newer kernel are skipped.
 */
#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "netlink.h"

#define GENL_HEADERS	(MNL_NLMSG_HDRLEN + GENL_HDRLEN)

struct kgr_nl {
	struct mnl_socket *sock;
	uint16_t family;
	uint32_t events;	/* id of the multicast group, 0: there is none */
	uint32_t seq;
	char message[256];
};

/* Where attributes go in a structure that begins with its "present" */
struct field {
	enum kgraft_attr attr;
	enum mnl_attr_data_type type;
	size_t offset;
};

#define FIELD(structure, attr, type, member) \
	{ KGRAFT_A_##attr, MNL_TYPE_##type, offsetof(struct structure, member) }
static const struct field straggler_fields[] = {
	FIELD(kgr_straggler, PATCH, NUL_STRING, patch),
	FIELD(kgr_straggler, KIND, U32, kind),
	FIELD(kgr_straggler, REASON, U32, reason),
	FIELD(kgr_straggler, PID, U32, pid),
	FIELD(kgr_straggler, TID, U32, tid),
	FIELD(kgr_straggler, CPU, U32, cpu),
	FIELD(kgr_straggler, COMM, NUL_STRING, comm),
	FIELD(kgr_straggler, AGE_MS, U64, age_ms),
	FIELD(kgr_straggler, FUNCTION, NUL_STRING, function),
	FIELD(kgr_straggler, OFFSET, U32, offset),
	FIELD(kgr_straggler, CALLER, NUL_STRING, caller),
	FIELD(kgr_straggler, SYSCALL, U32, syscall),
	FIELD(kgr_straggler, WCHAN, NUL_STRING, wchan),
	FIELD(kgr_straggler, TRACER, U32, tracer),
	FIELD(kgr_straggler, PAST, FLAG, present),
	{ 0 }
};

static const struct field function_fields[] = {
	FIELD(kgr_nl_function, FUNCTION, NUL_STRING, name),
	FIELD(kgr_nl_function, OBJECT, NUL_STRING, object),
	FIELD(kgr_nl_function, REDIRECT, NUL_STRING, redirect),
	FIELD(kgr_nl_function, SYMPOS, U32, sympos),
	FIELD(kgr_nl_function, STATE, U32, state),
	{ 0 }
};
#undef FIELD

struct fill {
	const struct field *fields;
	char *obj;
};

_Static_assert(KGRAFT_A_MAX < 64, "what is present has a bit for each attribute");

typedef int (*attr_fn)(const struct nlattr *attr, void *arg);

/* Attributes of a generic netlink message; -EBADMSG when one sticks out */
static int for_each_attr(const struct nlmsghdr *nlh, attr_fn fn, void *arg)
{
	const struct nlattr *attr;
	int left, ret;

	if (nlh->nlmsg_len < GENL_HEADERS)
		return -EBADMSG;
	attr = mnl_nlmsg_get_payload_offset(nlh, GENL_HDRLEN);
	left = (int)(nlh->nlmsg_len - GENL_HEADERS);
	while (left > 0) {
		if (!mnl_attr_ok(attr, left))
			return -EBADMSG;
		ret = fn(attr, arg);
		if (ret)
			return ret;
		left -= MNL_ALIGN(attr->nla_len);
		attr = mnl_attr_next(attr);
	}
	return 0;
}

static int take_field(const struct nlattr *attr, void *arg)
{
	const struct fill *fill = arg;

	for (const struct field *f = fill->fields; f->attr; f++) {
		char *member = fill->obj + f->offset;

		if (f->attr != mnl_attr_get_type(attr))
			continue;
		if (mnl_attr_validate(attr, f->type) < 0)
			return -EBADMSG;
		if (f->type == MNL_TYPE_U32)
			*(uint32_t *)member = mnl_attr_get_u32(attr);
		else if (f->type == MNL_TYPE_U64)
			*(uint64_t *)member = mnl_attr_get_u64(attr);
		else if (f->type != MNL_TYPE_FLAG)
			*(const char **)member = mnl_attr_get_str(attr);
		*(uint64_t *)fill->obj |= 1ull << f->attr;
	}
	return 0;
}

int kgr_nl_parse_straggler(const struct nlmsghdr *nlh, struct kgr_straggler *s)
{
	struct fill fill = { straggler_fields, (char *)s };
	int ret;

	*s = (struct kgr_straggler) { 0 };
	ret = for_each_attr(nlh, take_field, &fill);
	if (!ret && !(kgr_has(s, KGRAFT_A_REASON) && kgr_has(s, KGRAFT_A_KIND)))
		ret = -EBADMSG;
	return ret;
}

int kgr_nl_parse_function(const struct nlmsghdr *nlh, struct kgr_nl_function *f)
{
	struct fill fill = { function_fields, (char *)f };
	int ret;

	*f = (struct kgr_nl_function) { 0 };
	ret = for_each_attr(nlh, take_field, &fill);
	if (!ret && !(f->name && f->object))
		ret = -EBADMSG;
	return ret;
}

/* The kernel's own words in an error message, if it sent any */
static void take_message(struct kgr_nl_walk *walk, const struct nlmsghdr *nlh)
{
	const struct nlmsgerr *err = mnl_nlmsg_get_payload(nlh);
	size_t offset = sizeof(*err), len = mnl_nlmsg_get_payload_len(nlh);
	const struct nlattr *attr;

	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS))
		return;
	if (!(nlh->nlmsg_flags & NLM_F_CAPPED) && err->msg.nlmsg_len > sizeof(err->msg))
		offset += MNL_ALIGN(err->msg.nlmsg_len - sizeof(err->msg));
	while (offset < len) {
		attr = mnl_nlmsg_get_payload_offset(nlh, offset);
		if (!mnl_attr_ok(attr, (int)(len - offset)))
			return;
		if (mnl_attr_get_type(attr) == NLMSGERR_ATTR_MSG &&
		    mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) >= 0)
			snprintf(walk->message, sizeof(walk->message), "%s",
				 mnl_attr_get_str(attr));
		offset += MNL_ALIGN(attr->nla_len);
	}
}

/* NLMSG_ERROR (0: an ack) and NLMSG_DONE both begin with an errno and end the answer */
static int take_end(struct kgr_nl_walk *walk, const struct nlmsghdr *nlh)
{
	size_t need = nlh->nlmsg_type == NLMSG_ERROR ? sizeof(struct nlmsgerr) : sizeof(int);
	int err = 0;

	walk->done = true;
	if (nlh->nlmsg_type == NLMSG_DONE && !mnl_nlmsg_get_payload_len(nlh))
		return 0;
	if (mnl_nlmsg_get_payload_len(nlh) < need)
		return -EBADMSG;
	memcpy(&err, mnl_nlmsg_get_payload(nlh), sizeof(err));
	if (err && nlh->nlmsg_type == NLMSG_ERROR)
		take_message(walk, nlh);
	return err > 0 ? -EBADMSG : err;
}

/* mnl_nlmsg_ok() takes a length of 2 GiB and more for a negative one, which fits anywhere */
static bool message_fits(const struct nlmsghdr *nlh, int left)
{
	return mnl_nlmsg_ok(nlh, left) && nlh->nlmsg_len <= (uint32_t)left;
}

int kgr_nl_walk(struct kgr_nl_walk *walk, const void *buf, size_t size)
{
	const struct nlmsghdr *nlh = buf;
	int left = (int)size, ret;

	for (; message_fits(nlh, left); nlh = mnl_nlmsg_next(nlh, &left)) {
		if (nlh->nlmsg_seq != walk->seq)
			continue;	/* left over from an earlier request */
		if (nlh->nlmsg_flags & NLM_F_DUMP_INTR)
			walk->interrupted = true;
		if (nlh->nlmsg_type == NLMSG_NOOP)
			continue;
		if (nlh->nlmsg_type == NLMSG_ERROR || nlh->nlmsg_type == NLMSG_DONE)
			return take_end(walk, nlh);
		ret = walk->fn(nlh, walk->arg);
		if (ret)
			return ret;
	}
	return left > 0 ? -EBADMSG : 0;
}

static int transact(struct kgr_nl *nl, struct nlmsghdr *nlh, kgr_nl_msg_fn fn, void *arg)
{
	struct kgr_nl_walk walk = { .seq = ++nl->seq, .fn = fn, .arg = arg };
	char buf[32768] __attribute__((aligned(NLMSG_ALIGNTO)));
	int ret = 0;

	nl->message[0] = 0;
	nlh->nlmsg_seq = walk.seq;
	if (mnl_socket_sendto(nl->sock, nlh, nlh->nlmsg_len) < 0)
		return -errno;
	while (!ret && !walk.done) {
		ssize_t len = mnl_socket_recvfrom(nl->sock, buf, sizeof(buf));

		if (len < 0 && errno == EINTR)
			continue;
		ret = len < 0 ? -errno : kgr_nl_walk(&walk, buf, len);
	}
	memcpy(nl->message, walk.message, sizeof(nl->message));
	return ret ? ret : walk.interrupted ? -EINTR : 0;
}

static struct nlmsghdr *put_request(void *buf, uint16_t type, uint16_t flags, uint8_t cmd,
				    uint8_t version)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct genlmsghdr *genl;

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	genl = mnl_nlmsg_put_extra_header(nlh, sizeof(*genl));
	genl->cmd = cmd;
	genl->version = version;
	return nlh;
}

/* One of the family's multicast groups */
static int take_group(const struct nlattr *group, struct kgr_nl *nl)
{
	const struct nlattr *attr;
	const char *name = NULL;
	uint32_t id = 0;

	if (mnl_attr_validate(group, MNL_TYPE_NESTED) < 0)
		return -EBADMSG;
	mnl_attr_for_each_nested(attr, group) {
		if (mnl_attr_get_type(attr) == CTRL_ATTR_MCAST_GRP_NAME &&
		    mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) >= 0)
			name = mnl_attr_get_str(attr);
		if (mnl_attr_get_type(attr) == CTRL_ATTR_MCAST_GRP_ID &&
		    mnl_attr_validate(attr, MNL_TYPE_U32) >= 0)
			id = mnl_attr_get_u32(attr);
	}
	if (name && !strcmp(name, KGRAFT_MCGRP_EVENTS))
		nl->events = id;
	return 0;
}

static int take_family_attr(const struct nlattr *attr, void *arg)
{
	const struct nlattr *group;
	struct kgr_nl *nl = arg;
	int ret = 0;

	switch (mnl_attr_get_type(attr)) {
	case CTRL_ATTR_FAMILY_ID:
		if (mnl_attr_validate(attr, MNL_TYPE_U16) < 0)
			return -EBADMSG;
		nl->family = mnl_attr_get_u16(attr);
		return 0;
	case CTRL_ATTR_MCAST_GROUPS:
		if (mnl_attr_validate(attr, MNL_TYPE_NESTED) < 0)
			return -EBADMSG;
		mnl_attr_for_each_nested(group, attr)
			ret = ret ? ret : take_group(group, nl);
		return ret;
	default:
		return 0;
	}
}

static int take_family(const struct nlmsghdr *nlh, void *arg)
{
	return for_each_attr(nlh, take_family_attr, arg);
}

static int resolve_family(struct kgr_nl *nl)
{
	char buf[256] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct nlmsghdr *nlh;
	int ret;

	nlh = put_request(buf, GENL_ID_CTRL, NLM_F_ACK, CTRL_CMD_GETFAMILY, 1);
	mnl_attr_put_strz(nlh, CTRL_ATTR_FAMILY_NAME, KGRAFT_FAMILY_NAME);
	ret = transact(nl, nlh, take_family, nl);
	if (!ret && !nl->family)
		ret = -ENOENT;
	return ret;
}

int kgr_nl_open(struct kgr_nl **out)
{
	struct kgr_nl *nl = calloc(1, sizeof(*nl));
	int on = 1, ret;

	*out = NULL;
	if (!nl)
		return -ENOMEM;
	nl->sock = mnl_socket_open(NETLINK_GENERIC);
	if (!nl->sock || mnl_socket_bind(nl->sock, 0, MNL_SOCKET_AUTOPID) < 0) {
		ret = -errno;
		goto fail;
	}
	/* only for better messages */
	mnl_socket_setsockopt(nl->sock, NETLINK_EXT_ACK, &on, sizeof(on));
	ret = resolve_family(nl);
	if (ret)
		goto fail;
	*out = nl;
	return 0;
fail:
	kgr_nl_close(nl);
	/* a kernel without netlink has no such family either */
	return ret == -EPROTONOSUPPORT || ret == -EAFNOSUPPORT ? -ENOENT : ret;
}

void kgr_nl_close(struct kgr_nl *nl)
{
	if (nl && nl->sock)
		mnl_socket_close(nl->sock);
	free(nl);
}

int kgr_nl_subscribe(struct kgr_nl *nl)
{
	int fd = mnl_socket_get_fd(nl->sock);

	if (!nl->events)
		return -ENOENT;
	if (mnl_socket_setsockopt(nl->sock, NETLINK_ADD_MEMBERSHIP, &nl->events,
				  sizeof(nl->events)) < 0 ||
	    fcntl(fd, F_SETFL, O_NONBLOCK))
		return -errno;
	return 0;
}

int kgr_nl_fd(const struct kgr_nl *nl)
{
	return mnl_socket_get_fd(nl->sock);
}

/* That there was one is all that is of interest: sysfs says how things are */
int kgr_nl_take_events(struct kgr_nl *nl)
{
	char buf[8192];
	ssize_t len;

	do {
		len = mnl_socket_recvfrom(nl->sock, buf, sizeof(buf));
	} while (len > 0 || (len < 0 && (errno == EINTR || errno == ENOBUFS)));
	return len < 0 && errno != EAGAIN && errno != EWOULDBLOCK ? -errno : 0;
}

const char *kgr_nl_message(const struct kgr_nl *nl)
{
	return nl->message;
}

struct each {
	kgr_straggler_fn fn;
	void *arg;
};

static int take_straggler(const struct nlmsghdr *nlh, void *arg)
{
	struct kgr_straggler s;
	struct each *each = arg;
	int ret = kgr_nl_parse_straggler(nlh, &s);

	return ret ? ret : each->fn(&s, each->arg);
}

int kgr_nl_stragglers(struct kgr_nl *nl, kgr_straggler_fn fn, void *arg)
{
	char buf[256] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct each each = { fn, arg };
	struct nlmsghdr *nlh;

	nlh = put_request(buf, nl->family, NLM_F_DUMP, KGRAFT_CMD_STRAGGLER_GET,
			  KGRAFT_FAMILY_VERSION);
	return transact(nl, nlh, take_straggler, &each);
}

struct each_function {
	kgr_function_fn fn;
	void *arg;
};

static int take_function(const struct nlmsghdr *nlh, void *arg)
{
	struct each_function *each = arg;
	struct kgr_nl_function f;
	int ret = kgr_nl_parse_function(nlh, &f);

	return ret ? ret : each->fn(&f, each->arg);
}

int kgr_nl_functions(struct kgr_nl *nl, const char *patch, kgr_function_fn fn, void *arg)
{
	char buf[512] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct each_function each = { fn, arg };
	struct nlmsghdr *nlh;

	nlh = put_request(buf, nl->family, NLM_F_DUMP, KGRAFT_CMD_FUNCTION_GET,
			  KGRAFT_FAMILY_VERSION);
	/* NAME_MAX of a directory in sysfs: there is room */
	mnl_attr_put_strz(nlh, KGRAFT_A_PATCH, patch);
	return transact(nl, nlh, take_function, &each);
}

static int take_nudged_attr(const struct nlattr *attr, void *arg)
{
	if (mnl_attr_get_type(attr) != KGRAFT_A_NUDGED)
		return 0;
	if (mnl_attr_validate(attr, MNL_TYPE_U32) < 0)
		return -EBADMSG;
	*(uint32_t *)arg = mnl_attr_get_u32(attr);
	return 0;
}

static int take_nudged(const struct nlmsghdr *nlh, void *arg)
{
	return for_each_attr(nlh, take_nudged_attr, arg);
}

int kgr_nl_nudge(struct kgr_nl *nl, uint32_t tid, uint32_t *nudged)
{
	char buf[256] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct nlmsghdr *nlh;

	*nudged = 0;
	nlh = put_request(buf, nl->family, NLM_F_ACK, KGRAFT_CMD_NUDGE, KGRAFT_FAMILY_VERSION);
	if (tid)
		mnl_attr_put_u32(nlh, KGRAFT_A_TID, tid);
	return transact(nl, nlh, take_nudged, nudged);
}
