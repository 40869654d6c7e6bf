/* SPDX-License-Identifier: GPL-2.0 */
/* kGraft: hooks of ftrace and kallsyms. */
#ifndef _LINUX_KGRAFT_FTRACE_H
#define _LINUX_KGRAFT_FTRACE_H

#include <linux/types.h>

struct ftrace_ops;
struct ftrace_regs;

/*
 * Flags that stand beside those of linux/ftrace.h, which half of the kernel
 * includes and which stays as it is; ftrace.c checks that they don't collide.
 *
 * Of an ops: while it is the only one of a function, the function's site is a jump
 * to where kgr_ftrace_jmp() says instead of a call.
 */
#define FTRACE_OPS_FL_JMP	(1UL << 19)

/* Of a record: its only callback wants the function to jump; it is set up to jump */
#define FTRACE_FL_JMP		(1UL << 18)
#define FTRACE_FL_JMP_EN	(1UL << 17)

/* Implemented by ftrace for us */
int ftrace_set_filter_ips_shared(struct ftrace_ops *ops, unsigned long *ips,
				 unsigned int cnt, int remove);
void ftrace_text_lock(void);
void ftrace_text_unlock(void);
bool ftrace_site_is_jmp(unsigned long ip);
int ftrace_is_dead(void);

#ifdef CONFIG_KGRAFT

void kgr_ftrace_redirect(unsigned long ip, unsigned long parent_ip,
			 struct ftrace_regs *fregs);
bool kgr_ftrace_wants_jmp(unsigned long ip);
unsigned long kgr_ftrace_jmp(unsigned long ip);
void kgr_ftrace_refused(unsigned long ip, void *holder, void *refused);

int kgr_address_lookup(unsigned long addr, unsigned long *size,
		       unsigned long *offset, char **modname,
		       const unsigned char **modbuildid, char *name);
int kgr_get_kallsym(unsigned int number, unsigned long *value, char *type,
		    char *name);

#else /* !CONFIG_KGRAFT */

static inline void kgr_ftrace_redirect(unsigned long ip, unsigned long parent_ip,
				       struct ftrace_regs *fregs) { }
static inline bool kgr_ftrace_wants_jmp(unsigned long ip) { return false; }
static inline unsigned long kgr_ftrace_jmp(unsigned long ip) { return 0; }
static inline void kgr_ftrace_refused(unsigned long ip, void *holder, void *refused) { }

static inline int kgr_address_lookup(unsigned long addr, unsigned long *size,
				     unsigned long *offset, char **modname,
				     const unsigned char **modbuildid, char *name)
{
	return 0;
}

static inline int kgr_get_kallsym(unsigned int number, unsigned long *value,
				  char *type, char *name)
{
	return -1;
}

#endif /* CONFIG_KGRAFT */

#endif /* _LINUX_KGRAFT_FTRACE_H */
