// SPDX-License-Identifier: GPL-2.0
/*
 * Redirection of x86 functions: one ftrace user for all of them.
 *
 * While it is the only user of a function, the function's fentry site is a jump:
 * to the body that everybody gets or, during a transition, to a stub. As soon as
 * somebody else attaches, ftrace makes it an ordinary call, and the handler has
 * the function continue in the body that the caller's universe asks for; when
 * that user has left, it is a jump again. ftrace keeps count of both in flags of
 * its records; where a jump leads is kept here, in struct kgr_site.
 *
 * Being one IPMODIFY user, kGraft excludes livepatch and others that change the
 * instruction pointer per function, and shares with tracers.
 */
#define pr_fmt(fmt) "kgraft: " fmt

#include <linux/delay.h>
#include <linux/errno.h>
#include <linux/error-injection.h>
#include <linux/ftrace.h>
#include <linux/kgraft_arch.h>
#include <linux/kgraft_ftrace.h>
#include <linux/lockdep.h>
#include <linux/moduleparam.h>
#include <linux/printk.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include <asm/ibt.h>
#include <asm/nops.h>

#include "stub.h"

/* How often to come back when a direct caller is being changed, one ms each */
#define KGR_SHARE_TRIES	100

/* Sites that kgr_ops has; an ops with an empty filter would mean all functions */
static unsigned int kgr_nr_sites;

/* How functions are redirected: kgraft.redirect= */
enum { KGR_REDIRECT_AUTO, KGR_REDIRECT_HANDLER, KGR_REDIRECT_JMP };
static const char * const kgr_redirect_names[] = { "auto", "handler", "jmp" };
static int kgr_redirect_form;

static int kgr_redirect_set(const char *value, const struct kernel_param *kp)
{
	int form = sysfs_match_string(kgr_redirect_names, value);

	if (form < 0)
		return form;
	WRITE_ONCE(kgr_redirect_form, form);
	return 0;
}

static int kgr_redirect_get(char *buf, const struct kernel_param *kp)
{
	return sysfs_emit(buf, "%s\n", kgr_redirect_names[READ_ONCE(kgr_redirect_form)]);
}

static const struct kernel_param_ops kgr_redirect_ops = {
	.set = kgr_redirect_set,
	.get = kgr_redirect_get,
};

#undef MODULE_PARAM_PREFIX
#define MODULE_PARAM_PREFIX "kgraft."
module_param_cb(redirect, &kgr_redirect_ops, NULL, 0644);

/*
 * May sites jump at all? What looks at every call of a patched function needs the
 * handler. Context: any.
 */
bool kgr_jmp_wanted(void)
{
	switch (READ_ONCE(kgr_redirect_form)) {
	case KGR_REDIRECT_HANDLER:
		return false;
	case KGR_REDIRECT_JMP:
		return true;
	default:
		return !IS_ENABLED(CONFIG_KGRAFT_DEBUG);
	}
}

static __always_inline void kgr_decide(unsigned long ip, unsigned long parent_ip,
				       struct ftrace_regs *fregs)
{
	unsigned long target = kgr_redirect_target(ip, parent_ip);

	if (target)
		ftrace_regs_set_instruction_pointer(fregs, target);
}

/*
 * No recursion guard: the handler calls nothing that can be traced, and
 * skipping it would run a body of the wrong universe.
 */
static void notrace kgr_ftrace_handler(unsigned long ip, unsigned long parent_ip,
				       struct ftrace_ops *ops,
				       struct ftrace_regs *fregs)
{
	kgr_decide(ip, parent_ip, fregs);
}

/**
 * kgr_ftrace_redirect - the same when a site has several users
 * @ip:		site that was called
 * @parent_ip:	where the function was called from
 * @fregs:	what the caller left in registers
 *
 * Called for each function that several users are attached to, before ftrace's
 * recursion guard.
 *
 * Context: any, NMI included. Calls nothing that can be traced.
 */
void notrace kgr_ftrace_redirect(unsigned long ip, unsigned long parent_ip,
				 struct ftrace_regs *fregs)
{
	if (READ_ONCE(kgr_nr_sites))
		kgr_decide(ip, parent_ip, fregs);
}

/* STUB: not to be called from the list, kgr_ftrace_redirect() was there before */
#define KGR_OPS_FLAGS	(FTRACE_OPS_FL_IPMODIFY | FTRACE_OPS_FL_PERMANENT | \
			 FTRACE_OPS_FL_STUB)

static struct ftrace_ops kgr_ops = {
	.func	= kgr_ftrace_handler,
	.flags	= KGR_OPS_FLAGS | FTRACE_OPS_FL_JMP,
};

/**
 * kgr_ftrace_wants_jmp - may this site jump while kGraft is its only user?
 * @ip:	a site of ours
 *
 * Context: ftrace_lock held.
 * Return: true when it may.
 */
bool kgr_ftrace_wants_jmp(unsigned long ip)
{
	struct kgr_site *site = kgr_site_find(ip);

	return site && !site->handler;
}

/**
 * kgr_ftrace_jmp - where a jump at this site leads
 * @ip:	a site of ours
 *
 * Context: ftrace_lock held.
 * Return: address of a body or a stub.
 */
unsigned long kgr_ftrace_jmp(unsigned long ip)
{
	struct kgr_site *site = kgr_site_find(ip);

	return site ? site->jmp : 0;
}

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

/**
 * arch_kgr_dead - can entries no longer be changed?
 *
 * ftrace shuts itself down, for good, when it finds text that it did not expect.
 *
 * Context: any.
 * Return: true when it has.
 */
bool arch_kgr_dead(void)
{
	return ftrace_is_dead();
}

/**
 * kgr_body_entry - where to jump to in a body
 * @body:	address of a function
 *
 * A direct jump needs no ENDBR, so that it may as well go behind it.
 *
 * Context: any.
 * Return: address behind its ENDBR if it has one.
 */
unsigned long kgr_body_entry(unsigned long body)
{
	return is_endbr(*(u32 *)body) ? body + ENDBR_INSN_SIZE : body;
}

/* Where a jump for @aim goes; 0: it can't be one */
static unsigned long kgr_aim_jmp(const struct kgr_aim *aim)
{
	unsigned long ip = aim->site->ip, jmp;

	if (!aim->target)
		return arch_kgr_site_end(ip);
	if (aim->target == KGR_AIM_HANDLER)
		return 0;

	jmp = kgr_is_stub(aim->target) ? aim->target : kgr_body_entry(aim->target);
	return kgr_reaches(ip, jmp) ? jmp : 0;
}

static int kgr_verify(unsigned long ip, const u8 *wanted)
{
	u8 found[CALL_INSN_SIZE] = { };

	if (!copy_from_kernel_nofault(found, (void *)ip, sizeof(found)) &&
	    !memcmp(found, wanted, sizeof(found)))
		return 0;

	pr_err("%pS: found %*ph there instead of %*ph, somebody else writes to it\n",
	       (void *)ip, (int)sizeof(found), found, (int)sizeof(found), wanted);
	return -EILSEQ;
}

/* Sites that are to be installed: nothing, or what other users of ftrace have put */
static int kgr_verify_fresh(const struct kgr_aim *aims, unsigned int nr)
{
	unsigned int i;
	u8 opcode;
	int ret;

	for (i = 0; i < nr; i++) {
		unsigned long ip = aims[i].site->ip;

		if (!copy_from_kernel_nofault(&opcode, (void *)ip, 1) &&
		    opcode == CALL_INSN_OPCODE)
			continue;
		ret = kgr_verify(ip, x86_nops[CALL_INSN_SIZE]);
		if (ret)
			return ret;
	}
	return 0;
}

/* Sites that are jumps go where we know */
static int kgr_verify_jmps(const struct kgr_aim *aims, unsigned int nr)
{
	unsigned int i;
	int ret;

	for (i = 0; i < nr; i++) {
		struct kgr_site *site = aims[i].site;

		if (!ftrace_site_is_jmp(site->ip))
			continue;
		ret = kgr_verify(site->ip, text_gen_insn(JMP32_INSN_OPCODE, (void *)site->ip,
							 (void *)site->jmp));
		if (ret)
			return ret;
	}
	return 0;
}

static int kgr_aim_sort(const void *a, const void *b)
{
	const struct kgr_aim *x = a, *y = b;

	return x->site->ip < y->site->ip ? -1 : x->site->ip > y->site->ip;
}

static unsigned long *kgr_aim_ips(const struct kgr_aim *aims, unsigned int nr)
{
	unsigned long *ips = kvmalloc_array(nr, sizeof(*ips), GFP_KERNEL);
	unsigned int i;

	for (i = 0; ips && i < nr; i++)
		ips[i] = aims[i].site->ip;
	return ips;
}

/**
 * kgr_ftrace_refused - two users want to change where a function continues
 * @ip:		fentry site of the function
 * @holder:	callback of the one that is there
 * @refused:	callback of the one that comes second
 *
 * If one of them is kGraft, say who the other one is: the log is all that the
 * user of either gets besides an EBUSY.
 *
 * Context: process context, ftrace_lock held.
 */
void kgr_ftrace_refused(unsigned long ip, void *holder, void *refused)
{
	guard(rcu)();

	if (refused == kgr_ftrace_handler)
		pr_err("function '%ps' can't be patched, it is held by %pS; a livepatch, a kprobe with a post_handler or the like has to go first\n",
		       (void *)ip, holder);
	else if (holder == kgr_ftrace_handler)
		pr_err("function '%ps' is patched by patch '%s', which refuses %pS; revert the patch first\n",
		       (void *)ip, kgr_redirect_owner(ip), refused);
}

/* Say which of the sites have a direct caller; one of them did not want to share */
static void kgr_name_direct(unsigned long *sites, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++) {
		if (ftrace_find_rec_direct(sites[i]))
			pr_err("function '%ps' may be held by a BPF trampoline or another direct caller that can't share it; detach that first\n",
			       (void *)sites[i]);
	}
}

/*
 * Direct callers (BPF trampolines) that were attached earlier learn here that
 * they share a function; one that is being changed asks to come again.
 */
static int kgr_add_sites(unsigned long *ips, unsigned int nr)
{
	unsigned int try;
	int ret;

	for (try = 0; try < KGR_SHARE_TRIES; try++) {
		ret = ftrace_set_filter_ips_shared(&kgr_ops, ips, nr, 0);
		if (!ret && kgr_nr_sites == nr)
			ret = register_ftrace_function(&kgr_ops);
		if (ret != -EAGAIN)
			break;
		usleep_range(1000, 2000);
	}
	return ret == -EAGAIN ? -EBUSY : ret;
}

/**
 * arch_kgr_install - redirect functions
 * @aims:	their sites, none of them installed yet, and where they are to lead;
 *		may be put into another order
 * @nr:		how many, at least one
 *
 * One update of ftrace for all of them. When it returns, every CPU that enters
 * one of the functions comes to its target, or calls kgr_redirect_target().
 *
 * Context: process context, kgr_mutex held; takes ftrace_lock, may sleep.
 * Return: 0, -EBUSY when another user that changes the instruction pointer, or
 * one that can't share, holds one of them, -EILSEQ when one is not what it
 * should be, -ENOMEM, -ENODEV when ftrace is dead; nothing is installed then.
 */
int arch_kgr_install(struct kgr_aim *aims, unsigned int nr)
{
	unsigned long *ips;
	unsigned int i;
	int ret;

	ips = kgr_aim_ips(aims, nr);
	if (!ips)
		return -ENOMEM;

	ftrace_text_lock();
	ret = kgr_verify_fresh(aims, nr);
	for (i = 0; !ret && i < nr; i++) {
		struct kgr_site *site = aims[i].site;

		site->jmp = kgr_aim_jmp(&aims[i]);
		site->handler = !site->jmp || !kgr_jmp_wanted();
	}
	ftrace_text_unlock();

	if (!ret) {
		WRITE_ONCE(kgr_nr_sites, kgr_nr_sites + nr);
		ret = kgr_add_sites(ips, nr);
		if (ret)
			WRITE_ONCE(kgr_nr_sites, kgr_nr_sites - nr);
		if (ret == -EBUSY)
			kgr_name_direct(ips, nr);
	}
	kvfree(ips);
	return ret;
}
ALLOW_ERROR_INJECTION(arch_kgr_install, ERRNO);

/*
 * Queue a jump where one has to change. Returns true when the form of this site
 * has to.
 */
static bool kgr_aim_apply(const struct kgr_aim *aim)
{
	struct kgr_site *site = aim->site;
	unsigned long jmp = kgr_aim_jmp(aim);
	bool handler = !jmp || !kgr_jmp_wanted();
	bool other = handler != site->handler;

	if (jmp && jmp != site->jmp) {
		if (ftrace_site_is_jmp(site->ip))
			text_poke_queue((void *)site->ip,
					text_gen_insn(JMP32_INSN_OPCODE, (void *)site->ip,
						      (void *)jmp),
					JMP32_INSN_SIZE, NULL);
		site->jmp = jmp;
	}
	site->handler = handler;
	return other;
}

/* Have ftrace look again whether sites may jump: in one update, no call is lost */
static int kgr_reform(const struct kgr_aim *aims, unsigned int nr)
{
	unsigned long *ips = kgr_aim_ips(aims, nr);
	int ret;

	if (!ips)
		return -ENOMEM;
	ret = ftrace_set_filter_ips(&kgr_ops, ips, nr, 0, 0);
	kvfree(ips);
	return ret;
}

/* Nobody may jump to a target that is of the past */
static bool kgr_all_lead(const struct kgr_aim *aims, unsigned int nr)
{
	bool ret = true;
	unsigned int i;

	ftrace_text_lock();
	for (i = 0; i < nr && ret; i++)
		ret = kgr_aim_jmp(&aims[i]) || !ftrace_site_is_jmp(aims[i].site->ip);
	ftrace_text_unlock();
	return ret;
}

/**
 * arch_kgr_retarget - let installed functions lead somewhere else
 * @aims:	their sites, all of them installed, and where they are to lead; may
 *		be put into another order
 * @nr:		how many
 *
 * ftrace sees no change in this: all jumps are checked, then all are written in
 * one batch. Sites that have other users besides remember for later.
 *
 * Context: process context, kgr_mutex held; takes ftrace_lock and text_mutex,
 * may sleep.
 * Return: 0; -EILSEQ when one is not what it should be, -ENODEV when ftrace is
 * dead: all lead where they did. -ENOMEM: the same for those that had to become
 * calls.
 */
int arch_kgr_retarget(struct kgr_aim *aims, unsigned int nr)
{
	unsigned int i, others = 0;
	int ret;

	if (!nr)
		return 0;
	sort(aims, nr, sizeof(*aims), kgr_aim_sort, NULL);

	ftrace_text_lock();
	ret = arch_kgr_dead() ? -ENODEV : kgr_verify_jmps(aims, nr);
	for (i = 0; !ret && i < nr; i++)
		others += kgr_aim_apply(&aims[i]);
	ftrace_text_unlock();

	if (ret || !others)
		return ret;

	ret = kgr_reform(aims, nr);
	return ret && kgr_all_lead(aims, nr) ? 0 : ret;
}

/**
 * arch_kgr_remove - give functions their entry back
 * @aims:	their sites, all of them installed
 * @nr:		how many, at least one
 *
 * Context: process context, kgr_mutex held; takes ftrace_lock, may sleep.
 * Return: 0: no CPU comes to one of the targets anew; -ENODEV when ftrace is
 * dead, -ENOMEM: all of them lead where they did.
 */
int arch_kgr_remove(struct kgr_aim *aims, unsigned int nr)
{
	unsigned long *ips;
	int ret;

	if (arch_kgr_dead())
		return -ENODEV;

	ips = kgr_aim_ips(aims, nr);
	if (!ips)
		return -ENOMEM;

	/* The filter is made anew when the next one comes */
	if (kgr_nr_sites == nr)
		ret = unregister_ftrace_function(&kgr_ops);
	else
		ret = ftrace_set_filter_ips_shared(&kgr_ops, ips, nr, 1);
	if (!ret)
		WRITE_ONCE(kgr_nr_sites, kgr_nr_sites - nr);
	kvfree(ips);
	return ret;
}

/**
 * arch_kgr_form - what stands at a site
 * @site:	an installed site
 *
 * Context: process context, takes ftrace_lock.
 * Return: form of the redirect.
 */
enum kgr_form arch_kgr_form(const struct kgr_site *site)
{
	enum kgr_form form = KGR_FORM_HANDLER;

	ftrace_text_lock();
	if (ftrace_site_is_jmp(site->ip))
		form = kgr_is_stub(site->jmp) ? KGR_FORM_STUB : KGR_FORM_JMP;
	ftrace_text_unlock();
	return form;
}
