// SPDX-License-Identifier: GPL-2.0
/*
 * Redirection of x86 functions: one ftrace user for all of them.
 *
 * Every patched function's fentry site calls the trampoline of kgr_ops, and
 * the handler makes it continue in the body that the caller's universe asks
 * for. Being one IPMODIFY user, kGraft excludes livepatch and others that
 * change the instruction pointer per function, and shares with tracers.
 */
#define pr_fmt(fmt) "kgraft: " fmt

#include <linux/errno.h>
#include <linux/ftrace.h>
#include <linux/lockdep.h>
#include <linux/printk.h>

#include <asm/kgraft.h>
#include <asm/text-patching.h>

/*
 * No recursion guard: the handler calls nothing that can be traced, and
 * skipping it would run a body of the wrong universe.
 */
static void notrace kgr_ftrace_handler(unsigned long ip, unsigned long parent_ip,
				       struct ftrace_ops *ops,
				       struct ftrace_regs *fregs)
{
	unsigned long target = kgr_redirect_target(ip, parent_ip);

	if (target)
		ftrace_regs_set_instruction_pointer(fregs, target);
}

static struct ftrace_ops kgr_ops = {
	.func	= kgr_ftrace_handler,
	.flags	= FTRACE_OPS_FL_IPMODIFY | FTRACE_OPS_FL_PERMANENT,
};

/* Registered for a moment, on one site, to see whether that is possible */
static struct ftrace_ops kgr_probe_ops = {
	.func	= kgr_ftrace_handler,
	.flags	= FTRACE_OPS_FL_IPMODIFY | FTRACE_OPS_FL_PERMANENT,
};

/* Sites that kgr_ops has; an ops with an empty filter would mean all functions */
static unsigned int kgr_nr_sites;

/**
 * arch_kgr_site - where a function can be redirected
 * @func:	address of a function
 *
 * Context: process context.
 * Return: address of its fentry site, or 0 when it has none (notrace, noinstr,
 * written in assembly).
 */
unsigned long arch_kgr_site(unsigned long func)
{
	return ftrace_location(func);
}

/**
 * arch_kgr_site_end - end of a redirect site
 * @site:	what arch_kgr_site() returned
 *
 * A task that stands in the trampoline of a site has this return address on
 * its stack.
 *
 * Context: any.
 * Return: address of the first byte behind the site.
 */
unsigned long arch_kgr_site_end(unsigned long site)
{
	return site + CALL_INSN_SIZE;
}

/*
 * A direct caller (BPF trampoline) that was attached earlier learns that it has
 * to share a function only when an ops is registered, not when an address is
 * added to one; it would go on calling the old body.
 */
static int kgr_check_direct(unsigned long *sites, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++) {
		if (!ftrace_find_rec_direct(sites[i]))
			continue;
		pr_err("%pS is held by a BPF trampoline or another direct caller of ftrace; detach it first\n",
		       (void *)sites[i]);
		return -EBUSY;
	}
	return 0;
}

/* Say which of the sites it is that another user holds */
static void kgr_name_conflicts(unsigned long *sites, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++) {
		if (ftrace_set_filter_ips(&kgr_probe_ops, &sites[i], 1, 0, 1))
			continue;
		if (!register_ftrace_function(&kgr_probe_ops))
			unregister_ftrace_function(&kgr_probe_ops);
		else
			pr_err("%ps is held by another user of ftrace that changes the instruction pointer (livepatch, kprobe with post_handler); see enabled_functions in tracefs\n",
			       (void *)sites[i]);
		ftrace_set_filter_ips(&kgr_probe_ops, &sites[i], 1, 1, 0);
	}
}

static int kgr_install(unsigned long *sites, unsigned int nr)
{
	int ret;

	ret = ftrace_set_filter_ips(&kgr_ops, sites, nr, 0, 0);
	if (ret || kgr_nr_sites)
		return ret;

	ret = register_ftrace_function(&kgr_ops);
	if (ret)
		ftrace_set_filter_ips(&kgr_ops, sites, nr, 1, 0);
	return ret;
}

/**
 * arch_kgr_install - make functions ask kGraft which body to run
 * @sites:	their sites; none of them installed yet
 * @nr:		how many, at least one
 *
 * One update of ftrace for all of them. When it returns, every CPU that enters
 * one of the functions calls kgr_redirect_target().
 *
 * Context: process context, kgr_mutex held; takes ftrace_lock, may sleep.
 * Return: 0, -EBUSY when another user that changes the instruction pointer
 * holds one of them, -ENOMEM, -ENODEV when ftrace is dead; nothing is installed
 * then.
 */
int arch_kgr_install(unsigned long *sites, unsigned int nr)
{
	int ret;

	ret = kgr_check_direct(sites, nr);
	if (ret)
		return ret;

	ret = kgr_install(sites, nr);
	if (ret == -EBUSY)
		kgr_name_conflicts(sites, nr);
	if (!ret)
		kgr_nr_sites += nr;
	return ret;
}

/**
 * arch_kgr_remove - give functions their entry back
 * @sites:	their sites, all of them installed
 * @nr:		how many
 *
 * Context: process context, kgr_mutex held; takes ftrace_lock, may sleep.
 * No CPU calls kgr_redirect_target() for one of the sites anew afterwards.
 */
void arch_kgr_remove(unsigned long *sites, unsigned int nr)
{
	kgr_nr_sites -= nr;
	if (!kgr_nr_sites)
		WARN_ON_ONCE(unregister_ftrace_function(&kgr_ops));
	WARN_ON_ONCE(ftrace_set_filter_ips(&kgr_ops, sites, nr, 1, 0));
}
