// SPDX-License-Identifier: GPL-2.0
/*
 * The generic netlink family: what it tells about patches and functions, its
 * events and their order, who may ask for what, and a long list of stragglers.
 *
 * KGR_SLEEPERS: how many threads sleep in a patched function for that (2000)
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/kgraft.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../kselftest_harness.h"
#include "util.h"

#define PATCH		"kgr_test_sleep"
#define MODULE		"test_modules/" PATCH ".ko"
#define NOBODY		65534
#define MAX_SLEEPERS	40000

static atomic_int asleep;

/* Sleeps in kgr_test_sleep() until the next wake-up */
static void *sleep_there(void *arg)
{
	int fd = open(KGR_TARGETS "/sleep", O_WRONLY | O_CLOEXEC);

	(void)arg;
	asleep++;
	if (fd < 0)
		return NULL;
	if (write(fd, "0", 1) < 0)
		asleep--;
	close(fd);
	return NULL;
}

static int start_sleepers(pthread_t *threads, int count)
{
	pthread_attr_t attr;
	int i, err = 0;

	asleep = 0;
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 65536);
	pthread_attr_setguardsize(&attr, 0);
	for (i = 0; i < count && !err; i++)
		err = pthread_create(&threads[i], &attr, sleep_there, NULL);
	pthread_attr_destroy(&attr);
	while (!err && asleep < count)
		kgr_sleep_ms(10);
	/* the last ones are still on their way into write(2) */
	kgr_sleep_ms(300);
	return err;
}

/* One that was nudged may be on its way back to sleep: wake until it has ended */
static void stop_sleepers(pthread_t *threads, int count)
{
	int i;

	for (i = 0; i < count; i++) {
		kgr_write(KGR_TARGETS "/wake", "1");
		while (pthread_tryjoin_np(threads[i], NULL)) {
			kgr_sleep_ms(1);
			kgr_write(KGR_TARGETS "/wake", "1");
		}
	}
}

FIXTURE(netlink)
{
	struct kgr_gate gate;
	int delay;
};

FIXTURE_SETUP(netlink)
{
	long delay = 1000;

	ASSERT_EQ(0, kgr_gate_begin(&self->gate));
	kgr_read_long(KGR_SYSFS "/nudge_delay_ms", &delay);
	self->delay = delay;
	ASSERT_EQ(0, kgr_write(KGR_SYSFS "/nudge_delay_ms", "0"));
}

FIXTURE_TEARDOWN(netlink)
{
	char delay[16];

	kgr_write(KGR_TARGETS "/wake", "1");
	kgr_write(KGR_SYSFS "/nudge_delay_ms", "20");
	kgr_write(KGR_SYSFS "/" PATCH "/enabled", "0");
	kgr_patch_wait(PATCH, 30000);
	kgr_mod_unload(PATCH);
	snprintf(delay, sizeof(delay), "%d", self->delay);
	kgr_write(KGR_SYSFS "/nudge_delay_ms", delay);
	EXPECT_EQ(0, kgr_gate_end(&self->gate));
}

struct patches {
	int count;
	struct kgr_nl_patch patch;
};

static int take_patch(const struct kgr_nl_patch *p, void *data)
{
	struct patches *all = data;

	all->count++;
	if (!strcmp(p->name, PATCH))
		all->patch = *p;
	return 0;
}

TEST_F(netlink, patches)
{
	struct patches all = { 0 };
	long total;

	EXPECT_EQ(0, kgr_patches(NULL, take_patch, &all));
	EXPECT_EQ(0, all.count);
	EXPECT_EQ(-ENOENT, kgr_patches(PATCH, take_patch, &all));

	ASSERT_EQ(0, kgr_mod_load(MODULE, "model=1 timeout_ms=90000 on_timeout=1"));
	kgr_nudge(0);
	ASSERT_EQ(0, kgr_patch_wait(PATCH, 30000));
	ASSERT_EQ(0, kgr_patches(NULL, take_patch, &all));
	EXPECT_EQ(1, all.count);
	EXPECT_STREQ(PATCH, all.patch.module);
	EXPECT_EQ(1, all.patch.model);
	EXPECT_EQ(1, all.patch.enabled);
	EXPECT_EQ(0, all.patch.transition);
	EXPECT_EQ(3, all.patch.functions);
	EXPECT_EQ(90000, all.patch.timeout_ms);
	EXPECT_EQ(1, all.patch.on_timeout);
	EXPECT_STREQ("", all.patch.why);
	EXPECT_LT(1700000000000ULL, all.patch.since_ms);
	ASSERT_EQ(0, kgr_read_long(KGR_SYSFS "/" PATCH "/total", &total));
	EXPECT_EQ(total, all.patch.total);
	EXPECT_EQ(all.patch.total, all.patch.migrated);

	all = (struct patches) { 0 };
	EXPECT_EQ(0, kgr_patches(PATCH, take_patch, &all));
	EXPECT_EQ(1, all.count);
	EXPECT_EQ(1, all.patch.enabled);
	EXPECT_EQ(-ENOENT, kgr_patches(PATCH "x", take_patch, &all));
}

struct functions {
	int count;
	int wrong;
	bool sleep;
};

static int take_function(const struct kgr_nl_function *f, void *data)
{
	struct functions *all = data;

	all->count++;
	all->sleep |= !strcmp(f->name, "kgr_test_sleep");
	if (strcmp(f->patch, PATCH) || strcmp(f->object, "vmlinux") || f->sympos ||
	    f->state != 2 || !f->redirect[0])
		all->wrong++;
	return 0;
}

TEST_F(netlink, functions)
{
	struct functions all = { 0 };

	EXPECT_EQ(-ENOENT, kgr_functions(PATCH, take_function, &all));
	ASSERT_EQ(0, kgr_mod_load(MODULE, "model=1"));
	kgr_nudge(0);
	ASSERT_EQ(0, kgr_patch_wait(PATCH, 30000));
	EXPECT_EQ(0, kgr_functions(PATCH, take_function, &all));
	EXPECT_EQ(3, all.count);
	EXPECT_EQ(0, all.wrong);
	EXPECT_TRUE(all.sleep);
	all = (struct functions) { 0 };
	EXPECT_EQ(0, kgr_functions(NULL, take_function, &all));
	EXPECT_EQ(3, all.count);
}

/* The next event that is none of progress; its number follows the one before */
static int next_event(int fd, struct kgr_nl_event *e, unsigned int *seq)
{
	int err;

	do {
		err = kgr_events_next(fd, e, 20000);
		if (err)
			return err;
		if (*seq && e->seq != *seq + 1)
			return -ERANGE;
		*seq = e->seq;
	} while (e->event == KGRAFT_EVENT_PROGRESS);
	return e->event;
}

TEST_F(netlink, events)
{
	struct kgr_nl_event e;
	unsigned int seq = 0;
	pthread_t sleeper;
	int fd;

	fd = kgr_events_open();
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, start_sleepers(&sleeper, 1));

	/* runs into its deadline and is reversed */
	ASSERT_EQ(0, kgr_mod_load(MODULE, "model=1 timeout_ms=400 on_timeout=1"));
	EXPECT_EQ(KGRAFT_EVENT_STARTED, next_event(fd, &e, &seq));
	EXPECT_STREQ(PATCH, e.patch.name);
	EXPECT_EQ(1, e.patch.enabled);
	EXPECT_EQ(1, e.patch.transition);
	EXPECT_LT(0, e.patch.total);
	do {
		ASSERT_LE(0, next_event(fd, &e, &seq));
	} while (e.event == KGRAFT_EVENT_NUDGED);
	EXPECT_EQ(KGRAFT_EVENT_TIMED_OUT, e.event);
	EXPECT_EQ(0, strncmp(e.patch.why, "timed out after ", 16));
	EXPECT_EQ(KGRAFT_EVENT_REVERSED, next_event(fd, &e, &seq));
	EXPECT_EQ(0, e.patch.enabled);
	do {
		ASSERT_LE(0, next_event(fd, &e, &seq));
	} while (e.event == KGRAFT_EVENT_NUDGED);
	EXPECT_EQ(KGRAFT_EVENT_COMPLETED, e.event);
	EXPECT_EQ(0, e.patch.enabled);
	EXPECT_EQ(0, e.patch.transition);

	/* applied once more, and nudged */
	ASSERT_EQ(0, kgr_write(KGR_SYSFS "/" PATCH "/timeout", "0"));
	ASSERT_EQ(0, kgr_patch_set(PATCH, 1));
	EXPECT_EQ(KGRAFT_EVENT_STARTED, next_event(fd, &e, &seq));
	EXPECT_LE(1, kgr_nudge(0));
	do {
		ASSERT_LE(0, next_event(fd, &e, &seq));
	} while (e.event == KGRAFT_EVENT_NUDGED && !e.nudged);
	EXPECT_EQ(KGRAFT_EVENT_NUDGED, e.event);
	do {
		ASSERT_LE(0, next_event(fd, &e, &seq));
	} while (e.event == KGRAFT_EVENT_NUDGED);
	EXPECT_EQ(KGRAFT_EVENT_COMPLETED, e.event);
	EXPECT_EQ(1, e.patch.enabled);
	EXPECT_EQ(e.patch.total, e.patch.migrated);
	EXPECT_STREQ("", e.patch.why);
	stop_sleepers(&sleeper, 1);
	close(fd);
}

static int take_nothing(const struct kgr_straggler *s, void *data)
{
	(void)s;
	(void)data;
	return 0;
}

/* What nobody gets: the number of the first answer that is wrong, 0 when none is */
static int ask_as_nobody(void)
{
	struct patches patches = { 0 };
	struct functions functions = { 0 };
	int fd;

	if (setgroups(0, NULL) || setgid(NOBODY) || setuid(NOBODY))
		return 1;
	if (kgr_patches(NULL, take_patch, &patches) || patches.count != 1)
		return 2;
	if (kgr_patches(PATCH, take_patch, &patches))
		return 3;
	if (kgr_functions(NULL, take_function, &functions) || functions.count != 3)
		return 4;
	fd = kgr_events_open();
	if (fd < 0)
		return 5;
	close(fd);
	if (kgr_stragglers(take_nothing, NULL) != -EPERM)
		return 6;
	if (kgr_nudge(0) != -EPERM)
		return 7;
	return 0;
}

TEST_F(netlink, permissions)
{
	int status;
	pid_t pid;

	ASSERT_EQ(0, kgr_mod_load(MODULE, "model=1"));
	kgr_nudge(0);
	ASSERT_EQ(0, kgr_patch_wait(PATCH, 30000));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		_exit(ask_as_nobody());
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_TRUE(WIFEXITED(status));
	EXPECT_EQ(0, WEXITSTATUS(status));
}

struct dump {
	int sleepers;
	int others;
	int twice;
	bool *seen;
};

static int take_straggler(const struct kgr_straggler *s, void *data)
{
	struct dump *dump = data;
	bool here = s->reason == KGRAFT_REASON_IN_PATCHED_FUNCTION && s->pid == getpid() &&
		    !strcmp(s->function, "kgr_test_sleep") && s->caller[0];

	if (!here) {
		dump->others++;
		return 0;
	}
	dump->sleepers++;
	if (s->tid > 0 && s->tid < 4 * MAX_SLEEPERS) {
		dump->twice += dump->seen[s->tid];
		dump->seen[s->tid] = true;
	}
	return 0;
}

/* So many threads need more than a small machine allows by itself */
static void allow_threads(void)
{
	struct rlimit threads = { RLIM_INFINITY, RLIM_INFINITY }, files = { 100000, 100000 };

	setrlimit(RLIMIT_NPROC, &threads);
	setrlimit(RLIMIT_NOFILE, &files);
	kgr_write("/proc/sys/kernel/threads-max", "100000");
	kgr_write("/proc/sys/kernel/pid_max", "131072");
}

/* A dump of all of them, in ms; each once */
static long dump_all(struct __test_metadata *_metadata, int count)
{
	static bool seen[4 * MAX_SLEEPERS];
	struct dump dump = { .seen = seen };
	unsigned long long begin;

	memset(seen, 0, sizeof(seen));
	begin = kgr_now_ms();
	EXPECT_EQ(0, kgr_stragglers(take_straggler, &dump));
	begin = kgr_now_ms() - begin;
	EXPECT_EQ(count, dump.sleepers);
	EXPECT_EQ(0, dump.twice);
	return begin;
}

TEST_F_TIMEOUT(netlink, many_stragglers, 1200)
{
	static pthread_t threads[MAX_SLEEPERS];
	int count = kgr_env_long("KGR_SLEEPERS", 2000), few = count / 4;
	unsigned long long begin;
	long ms_few, ms;

	ASSERT_LT(3, count);
	ASSERT_GE(MAX_SLEEPERS, count);
	allow_threads();
	ASSERT_EQ(0, start_sleepers(threads, few));
	ASSERT_EQ(0, kgr_mod_load(MODULE, "model=1"));
	ms_few = dump_all(_metadata, few);
	stop_sleepers(threads, few);
	ASSERT_EQ(0, kgr_patch_wait(PATCH, 30000));
	ASSERT_EQ(0, kgr_patch_set(PATCH, 0));
	kgr_nudge(0);
	ASSERT_EQ(0, kgr_patch_wait(PATCH, 30000));

	ASSERT_EQ(0, start_sleepers(threads, count));
	begin = kgr_now_ms();
	ASSERT_EQ(0, kgr_patch_set(PATCH, 1));
	begin = kgr_now_ms() - begin;
	ms = dump_all(_metadata, count);
	TH_LOG("%d stragglers listed in %ld ms, %d in %ld ms; begun in %llu ms", few, ms_few,
	       count, ms, begin);
	/* four times as many take some four times as long, not sixteen times */
	EXPECT_GT(10 * (ms_few + 20), ms);
	stop_sleepers(threads, count);
	ASSERT_EQ(0, kgr_patch_wait(PATCH, 60000));
}

TEST_HARNESS_MAIN
