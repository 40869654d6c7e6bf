// SPDX-License-Identifier: GPL-2.0
/*
 * Parsing of netlink messages from hand-made buffers: whole, cut off anywhere,
 * lying about their lengths.
 */
#include "fixture.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <stdlib.h>
#include <string.h>

#include "netlink.h"

#define SEQ	7

static struct nlmsghdr *begin(void *buf, uint16_t type)
{
	struct nlmsghdr *nlh;

	memset(buf, 0, 4096);
	nlh = mnl_nlmsg_put_header(buf);
	nlh->nlmsg_type = type;
	nlh->nlmsg_seq = SEQ;
	return nlh;
}

static struct nlmsghdr *straggler(void *buf)
{
	struct nlmsghdr *nlh = begin(buf, 0x20);
	struct genlmsghdr *genl = mnl_nlmsg_put_extra_header(nlh, sizeof(*genl));

	genl->cmd = KGRAFT_CMD_STRAGGLER_GET;
	mnl_attr_put_strz(nlh, KGRAFT_A_PATCH, "demo");
	mnl_attr_put_u32(nlh, KGRAFT_A_KIND, KGRAFT_KIND_USER);
	mnl_attr_put_u32(nlh, KGRAFT_A_REASON, KGRAFT_REASON_IN_PATCHED_FUNCTION);
	mnl_attr_put_u32(nlh, KGRAFT_A_PID, 100);
	mnl_attr_put_u32(nlh, KGRAFT_A_TID, 101);
	mnl_attr_put_u32(nlh, KGRAFT_A_CPU, 1);
	mnl_attr_put_strz(nlh, KGRAFT_A_COMM, "sleeper");
	mnl_attr_put_u64(nlh, KGRAFT_A_AGE_MS, 5000000000ULL);
	mnl_attr_put_strz(nlh, KGRAFT_A_FUNCTION, "kgr_test_sleep");
	mnl_attr_put_u32(nlh, KGRAFT_A_OFFSET, 0x42);
	mnl_attr_put_strz(nlh, KGRAFT_A_CALLER, "write+0x10/0x20");
	return nlh;
}

static void whole_message(void **state)
{
	char buf[4096];
	struct kgr_straggler s;

	(void)state;
	assert_int_equal(kgr_nl_parse_straggler(straggler(buf), &s), 0);
	assert_string_equal(s.patch, "demo");
	assert_int_equal(s.kind, KGRAFT_KIND_USER);
	assert_int_equal(s.reason, KGRAFT_REASON_IN_PATCHED_FUNCTION);
	assert_int_equal(s.pid, 100);
	assert_int_equal(s.tid, 101);
	assert_int_equal(s.cpu, 1);
	assert_string_equal(s.comm, "sleeper");
	assert_true(s.age_ms == 5000000000ULL);
	assert_string_equal(s.function, "kgr_test_sleep");
	assert_int_equal(s.offset, 0x42);
	assert_string_equal(s.caller, "write+0x10/0x20");
	assert_true(kgr_has(&s, KGRAFT_A_TID));
	assert_false(kgr_has(&s, KGRAFT_A_SYSCALL));
	assert_null(s.wchan);
}

static void function_message(void **state)
{
	char buf[4096];
	struct nlmsghdr *nlh = begin(buf, 0x20);
	struct kgr_nl_function f;

	(void)state;
	mnl_nlmsg_put_extra_header(nlh, sizeof(struct genlmsghdr));
	mnl_attr_put_strz(nlh, KGRAFT_A_FUNCTION, "first");
	assert_int_equal(kgr_nl_parse_function(nlh, &f), -EBADMSG);
	mnl_attr_put_strz(nlh, KGRAFT_A_OBJECT, "vmlinux");
	mnl_attr_put_u32(nlh, KGRAFT_A_SYMPOS, 2);
	mnl_attr_put_u32(nlh, KGRAFT_A_STATE, 5);
	assert_int_equal(kgr_nl_parse_function(nlh, &f), 0);
	assert_string_equal(f.name, "first");
	assert_string_equal(f.object, "vmlinux");
	assert_null(f.redirect);
	assert_int_equal(f.sympos, 2);
	assert_int_equal(f.state, 5);
	mnl_attr_put_strz(nlh, KGRAFT_A_REDIRECT, "jmp");
	assert_int_equal(kgr_nl_parse_function(nlh, &f), 0);
	assert_string_equal(f.redirect, "jmp");
	/* text where a number should be */
	mnl_attr_put_strz(nlh, KGRAFT_A_STATE, "no number");
	assert_int_equal(kgr_nl_parse_function(nlh, &f), -EBADMSG);
}

static void unknown_attributes(void **state)
{
	char buf[4096];
	struct nlmsghdr *nlh = straggler(buf);
	struct kgr_straggler s;

	(void)state;
	mnl_attr_put_u32(nlh, KGRAFT_A_MAX + 20, 1);
	mnl_attr_put(nlh, KGRAFT_A_PAD, 0, NULL);
	assert_int_equal(kgr_nl_parse_straggler(nlh, &s), 0);
	assert_int_equal(s.pid, 100);
}

/*
 * nlmsg_len is where the kernel says the message ends.  Exact copies on the
 * heap, so that the address sanitizer sees any read behind the end.
 */
static void truncated_message(void **state)
{
	char buf[4096];
	struct nlmsghdr *whole = straggler(buf);
	unsigned int bad = 0, good = 0;

	(void)state;
	for (uint32_t len = MNL_NLMSG_HDRLEN; len < whole->nlmsg_len; len++) {
		struct nlmsghdr *cut = malloc(len);
		struct kgr_straggler s;
		int ret;

		memcpy(cut, whole, len);
		cut->nlmsg_len = len;
		ret = kgr_nl_parse_straggler(cut, &s);
		/* between two attributes there is nothing to see, once reason and kind are there */
		assert_true(ret == 0 || ret == -EBADMSG);
		ret ? bad++ : good++;
		free(cut);
	}
	assert_true(bad > 100);
	assert_true(good > 0 && good < 40);
}

static void wrong_attribute_sizes(void **state)
{
	char buf[4096];
	struct kgr_straggler s;
	struct nlmsghdr *nlh;

	(void)state;
	nlh = straggler(buf);
	mnl_attr_put_u16(nlh, KGRAFT_A_TRACER, 1);
	assert_int_equal(kgr_nl_parse_straggler(nlh, &s), -EBADMSG);
	nlh = straggler(buf);
	mnl_attr_put_u32(nlh, KGRAFT_A_AGE_MS, 1);
	assert_int_equal(kgr_nl_parse_straggler(nlh, &s), -EBADMSG);
	/* a string without its end */
	nlh = straggler(buf);
	mnl_attr_put(nlh, KGRAFT_A_WCHAN, 4, "abcd");
	assert_int_equal(kgr_nl_parse_straggler(nlh, &s), -EBADMSG);
	nlh = straggler(buf);
	mnl_attr_put(nlh, KGRAFT_A_WCHAN, 0, "");
	assert_int_equal(kgr_nl_parse_straggler(nlh, &s), -EBADMSG);
}

static void missing_attributes(void **state)
{
	char buf[4096];
	struct kgr_straggler s;
	struct nlmsghdr *nlh = begin(buf, 0x20);

	(void)state;
	assert_int_equal(kgr_nl_parse_straggler(nlh, &s), -EBADMSG);
	mnl_nlmsg_put_extra_header(nlh, sizeof(struct genlmsghdr));
	assert_int_equal(kgr_nl_parse_straggler(nlh, &s), -EBADMSG);
	mnl_attr_put_u32(nlh, KGRAFT_A_REASON, 1);
	assert_int_equal(kgr_nl_parse_straggler(nlh, &s), -EBADMSG);
	mnl_attr_put_u32(nlh, KGRAFT_A_KIND, 1);
	assert_int_equal(kgr_nl_parse_straggler(nlh, &s), 0);
}

static int count(const struct nlmsghdr *nlh, void *arg)
{
	struct kgr_straggler s;
	int ret = kgr_nl_parse_straggler(nlh, &s);

	if (!ret)
		++*(unsigned int *)arg;
	return ret;
}

static size_t append_end(char *buf, size_t at, uint16_t type, int err, uint16_t flags)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf + at);

	nlh->nlmsg_type = type;
	nlh->nlmsg_seq = SEQ;
	nlh->nlmsg_flags = flags;
	if (type == NLMSG_ERROR) {
		struct nlmsgerr *e = mnl_nlmsg_put_extra_header(nlh, sizeof(*e));

		e->error = err;
		e->msg.nlmsg_len = sizeof(e->msg);
	} else {
		memcpy(mnl_nlmsg_put_extra_header(nlh, sizeof(err)), &err, sizeof(err));
	}
	return at + MNL_ALIGN(nlh->nlmsg_len);
}

static void whole_dump(void **state)
{
	char buf[8192];
	unsigned int n = 0;
	struct kgr_nl_walk walk = { .seq = SEQ, .fn = count, .arg = &n };
	size_t len = MNL_ALIGN(straggler(buf)->nlmsg_len);

	(void)state;
	len += MNL_ALIGN(straggler(buf + len)->nlmsg_len);
	assert_int_equal(kgr_nl_walk(&walk, buf, len), 0);
	assert_false(walk.done);
	assert_int_equal(n, 2);
	len = append_end(buf, len, NLMSG_DONE, 0, 0);
	assert_int_equal(kgr_nl_walk(&walk, buf, len), 0);
	assert_true(walk.done);
	assert_int_equal(n, 4);
}

static void cut_off_dump(void **state)
{
	char buf[8192];
	size_t one = MNL_ALIGN(straggler(buf)->nlmsg_len);
	size_t all = append_end(buf, one + MNL_ALIGN(straggler(buf + one)->nlmsg_len),
				NLMSG_DONE, 0, 0);

	(void)state;
	for (size_t len = 1; len < all; len++) {
		unsigned int n = 0;
		struct kgr_nl_walk walk = { .seq = SEQ, .fn = count, .arg = &n };
		char *copy = malloc(len);
		int ret;

		memcpy(copy, buf, len);
		ret = kgr_nl_walk(&walk, copy, len);
		assert_int_equal(ret, len % one && len < 2 * one + 20 ? -EBADMSG : 0);
		assert_false(ret == 0 && walk.done);
		free(copy);
	}
}

static void ends_and_errors(void **state)
{
	char buf[4096] = "";
	struct kgr_nl_walk walk = { .seq = SEQ, .fn = count };
	struct nlmsghdr *nlh = (struct nlmsghdr *)buf;
	size_t len;

	(void)state;
	len = append_end(buf, 0, NLMSG_DONE, -EPERM, 0);
	assert_int_equal(kgr_nl_walk(&walk, buf, len), -EPERM);
	len = append_end(buf, 0, NLMSG_ERROR, -ESRCH, 0);
	assert_int_equal(kgr_nl_walk(&walk, buf, len), -ESRCH);
	assert_string_equal(walk.message, "");
	len = append_end(buf, 0, NLMSG_ERROR, 0, 0);
	assert_int_equal(kgr_nl_walk(&walk, buf, len), 0);
	assert_true(walk.done);
	len = append_end(buf, 0, NLMSG_ERROR, 1, 0);
	assert_int_equal(kgr_nl_walk(&walk, buf, len), -EBADMSG);
	/* an error message that is too short for its own errno */
	append_end(buf, 0, NLMSG_ERROR, -EPERM, 0);
	nlh->nlmsg_len = MNL_NLMSG_HDRLEN + 2;
	assert_int_equal(kgr_nl_walk(&walk, buf, MNL_ALIGN(nlh->nlmsg_len)), -EBADMSG);
}

static void kernel_message(void **state)
{
	char buf[4096] = "";
	struct kgr_nl_walk walk = { .seq = SEQ, .fn = count };
	struct nlmsghdr *nlh = (struct nlmsghdr *)buf;

	(void)state;
	append_end(buf, 0, NLMSG_ERROR, -EINVAL, NLM_F_ACK_TLVS | NLM_F_CAPPED);
	mnl_attr_put_strz(nlh, NLMSGERR_ATTR_MSG, "no such thread");
	assert_int_equal(kgr_nl_walk(&walk, buf, nlh->nlmsg_len), -EINVAL);
	assert_string_equal(walk.message, "no such thread");

	/* the request comes back before the attributes: its length is not to be trusted */
	append_end(buf, 0, NLMSG_ERROR, -EINVAL, NLM_F_ACK_TLVS);
	((struct nlmsgerr *)mnl_nlmsg_get_payload(nlh))->msg.nlmsg_len = 0xfffffff0;
	walk.message[0] = 0;
	assert_int_equal(kgr_nl_walk(&walk, buf, nlh->nlmsg_len), -EINVAL);
	assert_string_equal(walk.message, "");
}

static void interrupted_and_stale(void **state)
{
	char buf[8192];
	unsigned int n = 0;
	struct kgr_nl_walk walk = { .seq = SEQ, .fn = count, .arg = &n };
	struct nlmsghdr *nlh = straggler(buf);
	size_t len = MNL_ALIGN(nlh->nlmsg_len);

	(void)state;
	nlh->nlmsg_flags |= NLM_F_DUMP_INTR;
	assert_int_equal(kgr_nl_walk(&walk, buf, len), 0);
	assert_true(walk.interrupted);
	assert_int_equal(n, 1);
	/* an answer to an earlier request */
	nlh->nlmsg_seq = SEQ - 1;
	assert_int_equal(kgr_nl_walk(&walk, buf, len), 0);
	assert_int_equal(n, 1);
}

/* Random damage: no crash, no read out of bounds, nothing but 0 and errors */
static void damaged_messages(void **state)
{
	unsigned int seed = 1;
	char buf[8192];

	(void)state;
	for (int round = 0; round < 20000; round++) {
		unsigned int n = 0;
		struct kgr_nl_walk walk = { .seq = SEQ, .fn = count, .arg = &n };
		size_t len = MNL_ALIGN(straggler(buf)->nlmsg_len);
		char *copy;

		len = append_end(buf, len, NLMSG_ERROR, -EPERM, NLM_F_ACK_TLVS);
		for (int i = rand_r(&seed) % 4; i >= 0; i--)
			buf[rand_r(&seed) % len] = (char)rand_r(&seed);
		copy = malloc(len);
		memcpy(copy, buf, len);
		assert_true(kgr_nl_walk(&walk, copy, len) <= 0);
		free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_message),
		cmocka_unit_test(function_message),
		cmocka_unit_test(unknown_attributes),
		cmocka_unit_test(truncated_message),
		cmocka_unit_test(wrong_attribute_sizes),
		cmocka_unit_test(missing_attributes),
		cmocka_unit_test(whole_dump),
		cmocka_unit_test(cut_off_dump),
		cmocka_unit_test(ends_and_errors),
		cmocka_unit_test(kernel_message),
		cmocka_unit_test(interrupted_and_stale),
		cmocka_unit_test(damaged_messages),
	};

	return cmocka_run_group_tests_name("kgr-ctl: netlink", tests, NULL, NULL);
}
