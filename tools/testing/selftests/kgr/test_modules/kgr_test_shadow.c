// SPDX-License-Identifier: GPL-2.0
/*
 * Shadow variables put to the test: the module's init function runs the test that
 * the parameter names, and fails with EPROTO if something is not as it should be,
 * which the log tells.
 */
#include <linux/atomic.h>
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/init.h>
#include <linux/kgraft.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/wait.h>

static char *test = "get";
module_param(test, charp, 0444);
MODULE_PARM_DESC(test, "which test to run");

#define ID		0x6b67720001UL
#define OTHER_ID	0x6b67720002UL
#define SIZE		48

#define EXPECT(condition) ({						\
	bool __ok = (condition);					\
									\
	if (!__ok)							\
		pr_err("kgr_test_shadow: %s: line %d: not so: %s\n",	\
		       test, __LINE__, #condition);			\
	__ok ? 0 : -EPROTO;						\
})

static int objects[600];
static atomic_t constructed, destructed;

static int fill(void *obj, void *data, void *ctor_data)
{
	atomic_inc(&constructed);
	memset(data, *(int *)ctor_data, SIZE);
	return 0;
}

static int refuse(void *obj, void *data, void *ctor_data)
{
	atomic_inc(&constructed);
	memset(data, 1, SIZE);
	return -EINVAL;
}

static void count(void *obj, void *data)
{
	atomic_inc(&destructed);
}

/* One object has one variable of each meaning, filled with zeroes */
static int test_get(void)
{
	void *mine, *other;
	int ret;

	ret = EXPECT(!kgr_shadow_get(&objects[0], ID));
	mine = kgr_shadow_alloc(&objects[0], ID, SIZE, GFP_KERNEL, NULL, NULL);
	other = kgr_shadow_alloc(&objects[0], OTHER_ID, SIZE, GFP_KERNEL, NULL, NULL);
	ret |= EXPECT(mine && other && mine != other);
	if (ret)
		goto out;

	ret |= EXPECT(IS_ALIGNED((unsigned long)mine, __alignof__(u64)));
	ret |= EXPECT(!memchr_inv(mine, 0, SIZE));
	memset(mine, 0x5a, SIZE);
	memset(other, 0xa5, SIZE);
	ret |= EXPECT(kgr_shadow_get(&objects[0], ID) == mine);
	ret |= EXPECT(kgr_shadow_get(&objects[0], OTHER_ID) == other);
	ret |= EXPECT(!kgr_shadow_get(&objects[1], ID));
	ret |= EXPECT(!memchr_inv(mine, 0x5a, SIZE));

	/* A second one is refused, the first stays */
	ret |= EXPECT(!kgr_shadow_alloc(&objects[0], ID, SIZE, GFP_KERNEL, NULL, NULL));
	ret |= EXPECT(kgr_shadow_get(&objects[0], ID) == mine);

	kgr_shadow_free(&objects[0], ID, count);
	ret |= EXPECT(atomic_read(&destructed) == 1);
	ret |= EXPECT(!kgr_shadow_get(&objects[0], ID));
	ret |= EXPECT(kgr_shadow_get(&objects[0], OTHER_ID) == other);
	kgr_shadow_free(&objects[0], ID, count);
	ret |= EXPECT(atomic_read(&destructed) == 1);
out:
	kgr_shadow_free(&objects[0], ID, NULL);
	kgr_shadow_free(&objects[0], OTHER_ID, NULL);
	return ret;
}

/* The constructor runs once for a variable; when it fails there is none */
static int test_ctor(void)
{
	int what = 0x42;
	char *data;
	int ret;

	ret = EXPECT(!kgr_shadow_alloc(&objects[0], ID, SIZE, GFP_KERNEL, refuse, NULL));
	ret |= EXPECT(!kgr_shadow_get_or_alloc(&objects[0], ID, SIZE, GFP_KERNEL, refuse, NULL));
	ret |= EXPECT(atomic_read(&constructed) == 2);
	ret |= EXPECT(!kgr_shadow_get(&objects[0], ID));

	/* Refused once is not refused for ever */
	data = kgr_shadow_alloc(&objects[0], ID, SIZE, GFP_KERNEL, fill, &what);
	ret |= EXPECT(data && !memchr_inv(data, what, SIZE));
	ret |= EXPECT(atomic_read(&constructed) == 3);

	/* It is not run for what is there */
	ret |= EXPECT(!kgr_shadow_alloc(&objects[0], ID, SIZE, GFP_KERNEL, refuse, NULL));
	ret |= EXPECT(kgr_shadow_get_or_alloc(&objects[0], ID, SIZE, GFP_KERNEL, refuse,
					      NULL) == data);
	ret |= EXPECT(atomic_read(&constructed) == 3);

	kgr_shadow_free(&objects[0], ID, NULL);
	data = kgr_shadow_get_or_alloc(&objects[0], ID, SIZE, GFP_KERNEL, fill, &what);
	ret |= EXPECT(data && !memchr_inv(data, what, SIZE));
	kgr_shadow_free(&objects[0], ID, NULL);
	return ret;
}

#define RACERS	4

static void *found[RACERS][ARRAY_SIZE(objects)];
static atomic_t started;

static int racer_fn(void *arg)
{
	void **mine = arg;
	int what = 0x11;
	unsigned int i;

	atomic_inc(&started);
	while (atomic_read(&started) < RACERS)
		cond_resched();

	for (i = 0; i < ARRAY_SIZE(objects); i++) {
		mine[i] = kgr_shadow_get_or_alloc(&objects[i], ID, SIZE, GFP_KERNEL, fill,
						  &what);
		/* Others preempt us between two objects, and meet on the next */
		if (i % 7 == 0)
			cond_resched();
	}
	while (!kthread_should_stop())
		schedule_timeout_interruptible(1);
	return 0;
}

/* Of several that create the same variable one wins, all get what it has made */
static int test_race(void)
{
	struct task_struct *racers[RACERS];
	unsigned int i, r, nr;
	int ret = 0;

	for (nr = 0; nr < RACERS; nr++) {
		racers[nr] = kthread_run(racer_fn, found[nr], "kgr_racer/%u", nr);
		if (IS_ERR(racers[nr])) {
			ret = PTR_ERR(racers[nr]);
			/* Let those go that wait for the rest */
			atomic_add(RACERS, &started);
			break;
		}
	}
	for (i = 0; i < nr; i++)
		kthread_stop(racers[i]);
	if (ret)
		goto out;

	ret |= EXPECT(atomic_read(&constructed) == ARRAY_SIZE(objects));
	for (i = 0; i < ARRAY_SIZE(objects) && !ret; i++) {
		ret |= EXPECT(found[0][i] && !memchr_inv(found[0][i], 0x11, SIZE));
		for (r = 1; r < RACERS; r++)
			ret |= EXPECT(found[r][i] == found[0][i]);
	}
out:
	kgr_shadow_free_all(ID, NULL);
	return ret;
}

/* Each of a meaning goes, and is destructed once; others stay */
static int test_free_all(void)
{
	int what = 1, ret = 0;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(objects); i++) {
		if (!kgr_shadow_alloc(&objects[i], ID, SIZE, GFP_KERNEL, fill, &what))
			ret = -ENOMEM;
		if (i % 2 == 0 &&
		    !kgr_shadow_alloc(&objects[i], OTHER_ID, 1, GFP_KERNEL, NULL, NULL))
			ret = -ENOMEM;
	}
	kgr_shadow_free_all(ID, count);
	ret |= EXPECT(atomic_read(&destructed) == ARRAY_SIZE(objects));
	for (i = 0; i < ARRAY_SIZE(objects) && !ret; i++) {
		ret |= EXPECT(!kgr_shadow_get(&objects[i], ID));
		ret |= EXPECT(!kgr_shadow_get(&objects[i], OTHER_ID) == (i % 2));
	}
	kgr_shadow_free_all(ID, count);
	ret |= EXPECT(atomic_read(&destructed) == ARRAY_SIZE(objects));
	kgr_shadow_free_all(OTHER_ID, NULL);
	return ret;
}

static void fill_from_ipi(void *arg)
{
	int what = 0x33;

	if (!kgr_shadow_alloc(&objects[1], ID, SIZE, GFP_ATOMIC, fill, &what))
		*(bool *)arg = true;
}

/* From an interrupt, and memory that stays while an RCU reader looks at it */
static int test_atomic(void)
{
	bool failed = false;
	char *data;
	int ret;

	ret = smp_call_function_single(0, fill_from_ipi, &failed, true);
	ret |= EXPECT(!failed);

	rcu_read_lock();
	data = kgr_shadow_get(&objects[1], ID);
	ret |= EXPECT(data && !memchr_inv(data, 0x33, SIZE));
	kgr_shadow_free(&objects[1], ID, count);
	ret |= EXPECT(!kgr_shadow_get(&objects[1], ID));
	mdelay(20);
	/* KASAN would tell, too */
	ret |= EXPECT(data && !memchr_inv(data, 0x33, SIZE));
	rcu_read_unlock();
	return ret;
}

static const struct {
	const char *name;
	int (*run)(void);
} tests[] = {
	{ "get",	test_get },
	{ "ctor",	test_ctor },
	{ "race",	test_race },
	{ "free_all",	test_free_all },
	{ "atomic",	test_atomic },
};

static int __init kgr_test_shadow_init(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(tests); i++) {
		if (!strcmp(test, tests[i].name))
			return tests[i].run();
	}
	return -EINVAL;
}

static void __exit kgr_test_shadow_exit(void)
{
}

module_init(kgr_test_shadow_init);
module_exit(kgr_test_shadow_exit);
MODULE_DESCRIPTION("kGraft selftest: shadow variables");
MODULE_LICENSE("GPL");
