// SPDX-License-Identifier: GPL-2.0
/*
 * Targets that use what the kernel patches or looks up in code; see test_mech.h.
 * test_mech_driver.c has the files that call them, and what they refer to.
 */
#include <linux/bug.h>
#include <linux/compiler.h>
#include <linux/err.h>
#include <linux/percpu.h>
#include <linux/printk.h>
#include <linux/static_call.h>
#include <linux/stddef.h>
#include <linux/uaccess.h>

#include <asm/alternative.h>
#include <asm/cpufeatures.h>

#include "test_mech.h"
#include "test_mech_trace.h"

/* A patch is made by changing this number, or the one in a single function */
#define KGR_TEST_MECH_VERSION	1

static DEFINE_PER_CPU(int, kgr_test_mech_count);
static int kgr_test_mech_plain = 1;
static int kgr_test_mech_replaced = 2;

/* __bug_table. Yields whether it warned. */
noinline int kgr_test_mech_warn(int arg)
{
	return KGR_TEST_MECH_VERSION * 100 +
	       WARN(arg, "kgr_test_mech: this is expected\n");
}

/* __ex_table. Yields whether it faulted, which it does if @arg is set. */
noinline int kgr_test_mech_fault(int arg)
{
	int *from = arg ? ERR_PTR(-EFAULT) : &kgr_test_mech_plain;
	int value;

	pagefault_disable();
	__get_kernel_nofault(&value, from, int, faulted);
	pagefault_enable();
	return KGR_TEST_MECH_VERSION * 100 + !value;

faulted:
	pagefault_enable();
	return KGR_TEST_MECH_VERSION * 100 + 1;
}

/* __jump_table, the key is in the same object. Yields whether it is on. */
noinline int kgr_test_mech_key(int arg)
{
	if (static_branch_unlikely(&kgr_test_mech_switch))
		return KGR_TEST_MECH_VERSION * 100 + 1;
	return KGR_TEST_MECH_VERSION * 100;
}

/* __jump_table, the key is in vmlinux. Yields whether it is on. */
noinline int kgr_test_mech_vmkey(int arg)
{
	if (static_branch_likely(&kgr_test_vmlinux_switch))
		return KGR_TEST_MECH_VERSION * 100 + 1;
	return KGR_TEST_MECH_VERSION * 100;
}

/* .static_call_sites. Yields 1 or 2: which function is called. */
noinline int kgr_test_mech_call(int arg)
{
	return KGR_TEST_MECH_VERSION * 100 + static_call(kgr_test_mech_choice)(arg);
}

/* .altinstructions. Yields 2, the replaced instruction has 1. */
noinline int kgr_test_mech_alt(int arg)
{
	int value;

	asm volatile(ALTERNATIVE("movl %[plain], %[value]", "movl %[replaced], %[value]",
				 X86_FEATURE_ALWAYS)
		     : [value] "=r" (value)
		     : [plain] "m" (kgr_test_mech_plain),
		       [replaced] "m" (kgr_test_mech_replaced));
	return KGR_TEST_MECH_VERSION * 100 + value;
}

/* A tracepoint: a static key, a static call and a function */
noinline int kgr_test_mech_trace(int arg)
{
	trace_kgr_test_mech(KGR_TEST_MECH_VERSION, arg);
	return KGR_TEST_MECH_VERSION * 100;
}

/* .printk_index, __dyndbg, strings */
noinline int kgr_test_mech_print(int arg)
{
	pr_info("kgr_test_mech: version %d prints %d\n", KGR_TEST_MECH_VERSION, arg);
	pr_debug("kgr_test_mech: version %d debugs %d\n", KGR_TEST_MECH_VERSION, arg);
	return KGR_TEST_MECH_VERSION * 100;
}

/* Yields the number of calls so far, on all CPUs */
noinline int kgr_test_mech_percpu(int arg)
{
	unsigned int cpu;
	int calls = 0;

	this_cpu_inc(kgr_test_mech_count);
	for_each_possible_cpu(cpu)
		calls += per_cpu(kgr_test_mech_count, cpu);
	return KGR_TEST_MECH_VERSION * 100 + calls % 100;
}

/* A switch that becomes a constant table. Yields 11, 23, 37, 41, 59, 67, 71, 83. */
noinline int kgr_test_mech_table(int arg)
{
	int value = 0;

	switch (arg) {
	case 0:
		value = 11;
		break;
	case 1:
		value = 23;
		break;
	case 2:
		value = 37;
		break;
	case 3:
		value = 41;
		break;
	case 4:
		value = 59;
		break;
	case 5:
		value = 67;
		break;
	case 6:
		value = 71;
		break;
	case 7:
		value = 83;
		break;
	}
	return KGR_TEST_MECH_VERSION * 100 + value;
}

/* A static variable of a function. Yields the number of calls so far. */
noinline int kgr_test_mech_local(int arg)
{
	static int calls;

	return KGR_TEST_MECH_VERSION * 100 + ++calls % 100;
}

/* The kernel's __cold means nothing to compilers that then forget to align */
static __attribute__((__cold__)) noinline int kgr_test_mech_rare(int arg)
{
	return arg & 1 ? 5 : 6;
}

/* A cold part. Yields 5 or 6 from there, else 0. */
noinline int kgr_test_mech_cold(int arg)
{
	int value = 0;

	if (arg) {
		value = kgr_test_mech_rare(arg);
		pr_info("kgr_test_mech: version %d is cold\n", KGR_TEST_MECH_VERSION);
	}
	return KGR_TEST_MECH_VERSION * 100 + value;
}

/* Calls into another file of the object, by name and by pointer. Yields 3. */
noinline int kgr_test_mech_peer(int arg)
{
	int (*second)(int arg) = kgr_test_mech_second;

	OPTIMIZER_HIDE_VAR(second);
	return KGR_TEST_MECH_VERSION * 100 + kgr_test_mech_first(arg) + second(arg);
}
