// SPDX-License-Identifier: GPL-2.0
/*
 * The generic netlink family "kgraft", spoken by hand so that the tests depend
 * on no library and on none of the tools they might be testing; see util.h.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/genetlink.h>
#include <linux/kgraft.h>
#include <linux/netlink.h>

#include "util.h"

#define BUF_SIZE	32768

struct request {
	struct nlmsghdr nlh;
	struct genlmsghdr genl;
	char attrs[128];
};

typedef int (*msg_fn)(struct nlattr **attrs, void *data);

static const char * const reason_names[] = {
#define KGRAFT_NAME(name, text)	text,
	KGRAFT_REASONS(KGRAFT_NAME)
};

static const char * const kind_names[] = {
	KGRAFT_KINDS(KGRAFT_NAME)
};

static const char * const event_names[] = {
	KGRAFT_EVENTS(KGRAFT_NAME)
#undef KGRAFT_NAME
};

const char *kgr_reason_name(int reason)
{
	return reason >= 0 && reason < __KGRAFT_REASON_COUNT ? reason_names[reason] : "?";
}

const char *kgr_kind_name(int kind)
{
	return kind >= 0 && kind < __KGRAFT_KIND_COUNT ? kind_names[kind] : "?";
}

const char *kgr_event_name(int event)
{
	return event >= 0 && event < __KGRAFT_EVENT_COUNT ? event_names[event] : "?";
}

static void request_init(struct request *req, int family, int cmd, int version, int flags)
{
	memset(req, 0, sizeof(*req));
	req->nlh.nlmsg_len = NLMSG_LENGTH(GENL_HDRLEN);
	req->nlh.nlmsg_type = family;
	req->nlh.nlmsg_flags = NLM_F_REQUEST | flags;
	req->nlh.nlmsg_seq = 1;
	req->genl.cmd = cmd;
	req->genl.version = version;
}

static void request_add(struct request *req, int type, const void *data, size_t len)
{
	struct nlattr *attr = (void *)((char *)req + NLMSG_ALIGN(req->nlh.nlmsg_len));

	attr->nla_type = type;
	attr->nla_len = NLA_HDRLEN + len;
	memcpy((char *)attr + NLA_HDRLEN, data, len);
	req->nlh.nlmsg_len = NLMSG_ALIGN(req->nlh.nlmsg_len) + NLA_ALIGN(attr->nla_len);
}

static void parse_attrs(struct nlmsghdr *nlh, struct nlattr **attrs, int max)
{
	char *pos = (char *)NLMSG_DATA(nlh) + GENL_HDRLEN;
	char *end = (char *)nlh + nlh->nlmsg_len;

	memset(attrs, 0, sizeof(*attrs) * (max + 1));
	while (pos + NLA_HDRLEN <= end) {
		struct nlattr *attr = (void *)pos;
		int type = attr->nla_type & NLA_TYPE_MASK;

		if (attr->nla_len < NLA_HDRLEN || pos + attr->nla_len > end)
			return;
		if (type <= max)
			attrs[type] = attr;
		pos += NLA_ALIGN(attr->nla_len);
	}
}

static unsigned int attr_u32(const struct nlattr *attr, unsigned int fallback)
{
	unsigned int value = fallback;

	if (attr)
		memcpy(&value, (const char *)attr + NLA_HDRLEN, sizeof(value));
	return value;
}

static void attr_string(const struct nlattr *attr, char *text, size_t size)
{
	text[0] = '\0';
	if (attr)
		snprintf(text, size, "%.*s", (int)(attr->nla_len - NLA_HDRLEN),
			 (const char *)attr + NLA_HDRLEN);
}

/* One datagram; returns 1 when the answer is complete */
static int handle_messages(char *buf, int len, int max, msg_fn fn, void *data)
{
	struct nlattr *attrs[64];
	struct nlmsghdr *nlh;
	int err;

	for (nlh = (void *)buf; NLMSG_OK(nlh, (unsigned int)len); nlh = NLMSG_NEXT(nlh, len)) {
		if (nlh->nlmsg_type == NLMSG_DONE) {
			err = nlh->nlmsg_len >= NLMSG_LENGTH(sizeof(err)) ?
			      *(int *)NLMSG_DATA(nlh) : 0;
			return err ? err : 1;
		}
		if (nlh->nlmsg_type == NLMSG_ERROR) {
			struct nlmsgerr *e = NLMSG_DATA(nlh);

			return e->error ? e->error : 1;
		}
		parse_attrs(nlh, attrs, max);
		err = fn(attrs, data);
		if (err)
			return err;
	}
	return 0;
}

static int talk(int fd, struct request *req, int max, msg_fn fn, void *data)
{
	static __thread char buf[BUF_SIZE] __attribute__((aligned(NLMSG_ALIGNTO)));
	ssize_t len;
	int err;

	if (send(fd, req, req->nlh.nlmsg_len, 0) < 0)
		return -errno;
	do {
		len = recv(fd, buf, sizeof(buf), 0);
		if (len < 0 && errno == EINTR) {
			err = 0;
			continue;
		}
		if (len < 0)
			return -errno;
		err = handle_messages(buf, len, max, fn, data);
	} while (!err);
	return err < 0 ? err : 0;
}

struct family {
	int id;
	int group;	/* of the events */
};

/* The family has one group: a list with one element, which has attributes */
static int got_group(const struct nlattr *groups)
{
	const char *pos = (const char *)groups + 2 * NLA_HDRLEN;
	const char *end = (const char *)groups + groups->nla_len;

	while (pos + NLA_HDRLEN <= end) {
		const struct nlattr *attr = (const void *)pos;

		if ((attr->nla_type & NLA_TYPE_MASK) == CTRL_ATTR_MCAST_GRP_ID)
			return attr_u32(attr, 0);
		pos += NLA_ALIGN(attr->nla_len);
	}
	return 0;
}

static int got_family(struct nlattr **attrs, void *data)
{
	struct family *family = data;
	unsigned short id;

	if (attrs[CTRL_ATTR_FAMILY_ID]) {
		memcpy(&id, (char *)attrs[CTRL_ATTR_FAMILY_ID] + NLA_HDRLEN, sizeof(id));
		family->id = id;
	}
	if (attrs[CTRL_ATTR_MCAST_GROUPS])
		family->group = got_group(attrs[CTRL_ATTR_MCAST_GROUPS]);
	return 0;
}

static int open_socket(struct family *family)
{
	struct request req;
	int fd, err;

	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	if (fd < 0)
		return -errno;
	*family = (struct family) { .id = -ENOENT };
	request_init(&req, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 2, NLM_F_ACK);
	request_add(&req, CTRL_ATTR_FAMILY_NAME, KGRAFT_FAMILY_NAME, sizeof(KGRAFT_FAMILY_NAME));
	err = talk(fd, &req, CTRL_ATTR_MAX, got_family, family);
	if (!err && family->id < 0)
		err = family->id;
	if (err) {
		close(fd);
		return err;
	}
	return fd;
}

static int open_family(int *id)
{
	struct family family;
	int fd = open_socket(&family);

	*id = family.id;
	return fd;
}

struct dump {
	int (*fn)(const struct kgr_straggler *s, void *data);
	void *data;
};

static int got_straggler(struct nlattr **attrs, void *data)
{
	struct dump *dump = data;
	struct kgr_straggler s = { 0 };

	attr_string(attrs[KGRAFT_A_PATCH], s.patch, sizeof(s.patch));
	attr_string(attrs[KGRAFT_A_COMM], s.comm, sizeof(s.comm));
	attr_string(attrs[KGRAFT_A_FUNCTION], s.function, sizeof(s.function));
	attr_string(attrs[KGRAFT_A_CALLER], s.caller, sizeof(s.caller));
	attr_string(attrs[KGRAFT_A_WCHAN], s.wchan, sizeof(s.wchan));
	s.kind = attr_u32(attrs[KGRAFT_A_KIND], -1);
	s.reason = attr_u32(attrs[KGRAFT_A_REASON], -1);
	s.pid = attr_u32(attrs[KGRAFT_A_PID], -1);
	s.tid = attr_u32(attrs[KGRAFT_A_TID], -1);
	s.cpu = attr_u32(attrs[KGRAFT_A_CPU], -1);
	s.syscall = attr_u32(attrs[KGRAFT_A_SYSCALL], -1);
	s.tracer = attr_u32(attrs[KGRAFT_A_TRACER], -1);
	s.past = !!attrs[KGRAFT_A_PAST];
	s.offset = attr_u32(attrs[KGRAFT_A_OFFSET], 0);
	if (attrs[KGRAFT_A_AGE_MS])
		memcpy(&s.age_ms, (char *)attrs[KGRAFT_A_AGE_MS] + NLA_HDRLEN, sizeof(s.age_ms));
	return dump->fn(&s, dump->data);
}

int kgr_stragglers(int (*fn)(const struct kgr_straggler *s, void *data), void *data)
{
	struct dump dump = { fn, data };
	struct request req;
	int fd, family, err;

	fd = open_family(&family);
	if (fd < 0)
		return fd;
	request_init(&req, family, KGRAFT_CMD_STRAGGLER_GET, KGRAFT_FAMILY_VERSION, NLM_F_DUMP);
	err = talk(fd, &req, KGRAFT_A_MAX, got_straggler, &dump);
	close(fd);
	return err;
}

static int got_nudged(struct nlattr **attrs, void *data)
{
	*(int *)data = attr_u32(attrs[KGRAFT_A_NUDGED], 0);
	return 0;
}

/* Nudges one thread, or all when tid is 0; returns how many were */
int kgr_nudge(pid_t tid)
{
	int fd, family, err, nudged = -EBADMSG;
	struct request req;
	unsigned int value = tid;

	fd = open_family(&family);
	if (fd < 0)
		return fd;
	request_init(&req, family, KGRAFT_CMD_NUDGE, KGRAFT_FAMILY_VERSION, NLM_F_ACK);
	if (tid)
		request_add(&req, KGRAFT_A_TID, &value, sizeof(value));
	err = talk(fd, &req, KGRAFT_A_MAX, got_nudged, &nudged);
	close(fd);
	return err ? err : nudged;
}

static unsigned long long attr_u64(const struct nlattr *attr)
{
	unsigned long long value = 0;

	if (attr)
		memcpy(&value, (const char *)attr + NLA_HDRLEN, sizeof(value));
	return value;
}

static void take_patch(struct nlattr **attrs, struct kgr_nl_patch *p)
{
	attr_string(attrs[KGRAFT_A_PATCH], p->name, sizeof(p->name));
	attr_string(attrs[KGRAFT_A_MODULE], p->module, sizeof(p->module));
	attr_string(attrs[KGRAFT_A_WHY], p->why, sizeof(p->why));
	p->model = attr_u32(attrs[KGRAFT_A_MODEL], -1);
	p->enabled = attr_u32(attrs[KGRAFT_A_ENABLED], -1);
	p->transition = attr_u32(attrs[KGRAFT_A_TRANSITION], -1);
	p->migrated = attr_u32(attrs[KGRAFT_A_MIGRATED], -1);
	p->total = attr_u32(attrs[KGRAFT_A_TOTAL], -1);
	p->functions = attr_u32(attrs[KGRAFT_A_FUNCTIONS], -1);
	p->timeout_ms = attr_u32(attrs[KGRAFT_A_TIMEOUT_MS], -1);
	p->on_timeout = attr_u32(attrs[KGRAFT_A_ON_TIMEOUT], -1);
	p->since_ms = attr_u64(attrs[KGRAFT_A_SINCE_MS]);
}

struct patch_dump {
	int (*fn)(const struct kgr_nl_patch *p, void *data);
	void *data;
};

static int got_patch(struct nlattr **attrs, void *data)
{
	struct patch_dump *dump = data;
	struct kgr_nl_patch patch = { 0 };

	take_patch(attrs, &patch);
	return dump->fn(&patch, dump->data);
}

struct function_dump {
	int (*fn)(const struct kgr_nl_function *f, void *data);
	void *data;
};

static int got_function(struct nlattr **attrs, void *data)
{
	struct function_dump *dump = data;
	struct kgr_nl_function f = { 0 };

	attr_string(attrs[KGRAFT_A_PATCH], f.patch, sizeof(f.patch));
	attr_string(attrs[KGRAFT_A_FUNCTION], f.name, sizeof(f.name));
	attr_string(attrs[KGRAFT_A_OBJECT], f.object, sizeof(f.object));
	attr_string(attrs[KGRAFT_A_REDIRECT], f.redirect, sizeof(f.redirect));
	f.sympos = attr_u32(attrs[KGRAFT_A_SYMPOS], -1);
	f.state = attr_u32(attrs[KGRAFT_A_STATE], -1);
	return dump->fn(&f, dump->data);
}

static int ask(int cmd, int flags, const char *patch, msg_fn fn, void *data)
{
	struct request req;
	int fd, family, err;

	fd = open_family(&family);
	if (fd < 0)
		return fd;
	request_init(&req, family, cmd, KGRAFT_FAMILY_VERSION, flags);
	if (patch)
		request_add(&req, KGRAFT_A_PATCH, patch, strlen(patch) + 1);
	err = talk(fd, &req, KGRAFT_A_MAX, fn, data);
	close(fd);
	return err;
}

int kgr_patches(const char *name, int (*fn)(const struct kgr_nl_patch *p, void *data), void *data)
{
	struct patch_dump dump = { fn, data };

	return ask(KGRAFT_CMD_PATCH_GET, name ? NLM_F_ACK : NLM_F_DUMP, name, got_patch, &dump);
}

int kgr_functions(const char *patch, int (*fn)(const struct kgr_nl_function *f, void *data),
		  void *data)
{
	struct function_dump dump = { fn, data };

	return ask(KGRAFT_CMD_FUNCTION_GET, NLM_F_DUMP, patch, got_function, &dump);
}

int kgr_events_open(void)
{
	struct family family;
	int fd = open_socket(&family);

	if (fd < 0)
		return fd;
	if (!family.group || setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &family.group,
					sizeof(family.group))) {
		int err = family.group ? -errno : -ENOENT;

		close(fd);
		return err;
	}
	return fd;
}

int kgr_events_next(int fd, struct kgr_nl_event *event, int timeout_ms)
{
	static char buf[BUF_SIZE] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	struct nlattr *attrs[64];
	ssize_t len;
	int ret;

	ret = poll(&pfd, 1, timeout_ms);
	if (ret <= 0)
		return ret ? -errno : -ETIMEDOUT;
	len = recv(fd, buf, sizeof(buf), 0);
	if (len < 0)
		return -errno;
	if (!NLMSG_OK((struct nlmsghdr *)buf, len))
		return -EBADMSG;
	parse_attrs((void *)buf, attrs, KGRAFT_A_MAX);
	memset(event, 0, sizeof(*event));
	take_patch(attrs, &event->patch);
	event->event = attr_u32(attrs[KGRAFT_A_EVENT], -1);
	event->seq = attr_u32(attrs[KGRAFT_A_SEQ], -1);
	event->nudged = attr_u32(attrs[KGRAFT_A_NUDGED], 0);
	return 0;
}
