/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the parts of the test driver share: who calls the pairs of functions, and
 * the counts of what those calls have seen.
 */
#ifndef _KERNEL_KGRAFT_TEST_H
#define _KERNEL_KGRAFT_TEST_H

#include <linux/kgraft_test.h>

struct dentry;

/* Who calls, as in the file "stats" */
#define KGR_TEST_CONTEXTS(X)		\
	X(TASK,      "task")		\
	X(SOFTIRQ,   "softirq")		\
	X(KTHREAD,   "kthread")		\
	X(HARDIRQ,   "hardirq")		\
	X(NMI,       "nmi")		\
	X(TASKLET,   "tasklet")		\
	X(KSOFTIRQD, "ksoftirqd")	\
	X(WORKQUEUE, "workqueue")	\
	X(RCU,       "rcu")		\
	X(THREADIRQ, "threadirq")

/* Which pair */
#define KGR_TEST_PAIRS(X)		\
	X(NESTED, "nested")		\
	X(SEQ,    "seq")		\
	X(BH,     "bh")			\
	X(WORK,   "work")		\
	X(ABOVE,  "above")

#define KGR_TEST_ENUM_CONTEXT(name, text)	CONTEXT_##name,
enum kgr_test_context { KGR_TEST_CONTEXTS(KGR_TEST_ENUM_CONTEXT) NR_CONTEXTS };
#undef KGR_TEST_ENUM_CONTEXT

#define KGR_TEST_ENUM_PAIR(name, text)		PAIR_##name,
enum kgr_test_pair_kind { KGR_TEST_PAIRS(KGR_TEST_ENUM_PAIR) NR_PAIRS };
#undef KGR_TEST_ENUM_PAIR

void kgr_test_count(enum kgr_test_context context, enum kgr_test_pair_kind kind,
		    const struct kgr_test_pair *pair);
void kgr_test_run(enum kgr_test_context context, unsigned int pause_us);

/* test_irq.c */
void kgr_test_irq_init(struct dentry *dir);

/* arch/x86/kgraft/test_nmi.c */
int arch_kgr_test_nmi_init(void (*fn)(void));
void arch_kgr_test_nmi(unsigned int cpu);

#endif /* _KERNEL_KGRAFT_TEST_H */
