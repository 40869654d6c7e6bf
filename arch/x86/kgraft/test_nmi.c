// SPDX-License-Identifier: GPL-2.0
/* NMIs for the test driver in kernel/kgraft. */
#include <linux/percpu.h>

#include <asm/apic.h>
#include <asm/irq_vectors.h>
#include <asm/nmi.h>

#include "../../../kernel/kgraft/test.h"

static void (*test_nmi_fn)(void);
static DEFINE_PER_CPU(bool, test_nmi_sent);

static int test_nmi_handler(unsigned int type, struct pt_regs *regs)
{
	if (!this_cpu_read(test_nmi_sent))
		return NMI_DONE;
	this_cpu_write(test_nmi_sent, false);
	test_nmi_fn();
	return NMI_HANDLED;
}

/**
 * arch_kgr_test_nmi_init - be called in an NMI
 * @fn:		what to call, in the NMIs that arch_kgr_test_nmi() sends
 *
 * Context: boot.
 * Return: 0 or a negative errno.
 */
int __init arch_kgr_test_nmi_init(void (*fn)(void))
{
	test_nmi_fn = fn;
	return register_nmi_handler(NMI_LOCAL, test_nmi_handler, 0, "kgr_test");
}

/**
 * arch_kgr_test_nmi - send an NMI
 * @cpu:	this CPU
 *
 * Context: preemption disabled.
 */
void arch_kgr_test_nmi(unsigned int cpu)
{
	this_cpu_write(test_nmi_sent, true);
	__apic_send_IPI(cpu, NMI_VECTOR);
}
