/* SPDX-License-Identifier: GPL-2.0 */
/*
 * kGraft: the contract between kernel/kgraft/ and an architecture. The generic
 * side decides which body of a function a caller gets; the architecture makes
 * its entry lead there, and keeps arguments and the return address as they are.
 *
 * How an entry leads there is the architecture's choice, for each function and
 * at any time. Either it asks kgr_redirect_target() whenever it is called; or it
 * is a jump to a body that everybody gets; or to a stub, which comes to the same
 * decision from the same facts: the mask, epochs and comparison below.
 */
#ifndef _LINUX_KGRAFT_ARCH_H
#define _LINUX_KGRAFT_ARCH_H

#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/types.h>

#include <asm/kgraft.h>

struct kgr_stubs;

/**
 * struct kgr_site - entry of a patched function
 * @ip:		address of its redirect site [W]
 * @jmp:	where a jump at the site leads [text lock of ftrace]
 * @handler:	no jump may stand there [text lock of ftrace]
 *
 * The last two belong to the architecture.
 */
struct kgr_site {
	unsigned long ip;
	unsigned long jmp;
	bool handler;
};

/**
 * struct kgr_aim - where a site is to lead
 * @site:	the site
 * @target:	a body or a stub; 0: the original body; %KGR_AIM_HANDLER: to
 *		kgr_redirect_target() and nowhere else
 */
struct kgr_aim {
	struct kgr_site *site;
	unsigned long target;
};

#define KGR_AIM_HANDLER	(~0UL)

/**
 * struct kgr_stub_spec - what a stub chooses between
 * @name:	of the function
 * @site:	address of its redirect site
 * @there:	body for callers in the epoch of arch_kgr_stubs_set_epoch()
 * @here:	body for all others; in both, 0 is the original
 */
struct kgr_stub_spec {
	const char *name;
	unsigned long site;
	unsigned long there;
	unsigned long here;
};

/* What stands at a site; enumerator, name in sysfs */
#define KGR_FORMS(X)			\
	X(NONE,		"none")		\
	X(HANDLER,	"handler")	\
	X(STUB,		"stub")		\
	X(JMP,		"jmp")

#define KGR_FORM_ENUM(name, text)	KGR_FORM_##name,
enum kgr_form {
	KGR_FORMS(KGR_FORM_ENUM)
};
#undef KGR_FORM_ENUM

/* Implemented by the architecture; described where that is done */
unsigned long arch_kgr_site(unsigned long func);
unsigned long arch_kgr_site_end(unsigned long site);
int arch_kgr_install(struct kgr_aim *aims, unsigned int nr);
int arch_kgr_retarget(struct kgr_aim *aims, unsigned int nr);
int arch_kgr_remove(struct kgr_aim *aims, unsigned int nr);
enum kgr_form arch_kgr_form(const struct kgr_site *site);
bool arch_kgr_dead(void);

struct kgr_stubs *arch_kgr_stubs_create(const struct kgr_stub_spec *spec,
					unsigned int nr);
bool arch_kgr_stubs_match(const struct kgr_stubs *stubs,
			  const struct kgr_stub_spec *spec, unsigned int nr);
void arch_kgr_stubs_set_epoch(struct kgr_stubs *stubs, u32 epoch);
unsigned long arch_kgr_stub(const struct kgr_stubs *stubs, unsigned int number);
void arch_kgr_stubs_release(struct kgr_stubs *stubs);

/* Implemented by kernel/kgraft/redirect.c for the architecture */
unsigned long kgr_redirect_target(unsigned long site, unsigned long caller);
struct kgr_site *kgr_site_find(unsigned long ip);
const char *kgr_redirect_owner(unsigned long site);

/*
 * Bits of preempt_count() that say that the interrupt level of the CPU is what
 * counts. softirq_count() has this one bit while a softirq is being served;
 * process context with bottom halves disabled is task context.
 */
#define KGR_INTERRUPT_MASK	(NMI_MASK | HARDIRQ_MASK | SOFTIRQ_OFFSET)

/**
 * struct kgr_cpu - interrupt level of a CPU
 * @epoch:	universe that interrupts of this CPU run in [C]
 * @flags:	KGR_CPU_* [A]
 * @task:	thread that the stopper is to look at; belongs to whoever set
 *		%KGR_CPU_STOPPER, from then on to the stopper
 *
 * The letters are explained in kernel/kgraft/internal.h.
 */
struct kgr_cpu {
	u32 epoch;
	unsigned long flags;
	struct task_struct *task;
};

DECLARE_PER_CPU(struct kgr_cpu, kgr_cpu);

#endif /* _LINUX_KGRAFT_ARCH_H */
