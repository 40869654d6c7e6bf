// SPDX-License-Identifier: GPL-2.0
/*
 * Stubs: what the entries of patched functions lead to while a transition runs.
 *
 * A stub comes to the decision of kgr_redirect_target() from the same facts: at
 * interrupt level the epoch of the CPU counts, else that of the thread; who is in
 * the epoch that the patch's body belongs to gets that body, everybody else the
 * one below. It is entered by a jump from the site, behind the function's own
 * ENDBR, and leaves by a direct jump. Arguments, the return address, callee-saved
 * registers and %r10 are as they were; %r11 and the flags are dead at a function's
 * entry.
 *
 * The stubs of a patch live in one block of memory: pages of code, executable and
 * read-only once written, and a page with the epoch that all of them compare
 * with. Code is never changed. A task may be preempted in a stub: its stack can't
 * be walked then, so that it never counts as clean, and the block is freed only
 * after all tasks have been seen elsewhere.
 */
#define pr_fmt(fmt) "kgraft: " fmt

#include <linux/compiler.h>
#include <linux/err.h>
#include <linux/execmem.h>
#include <linux/kallsyms.h>
#include <linux/kgraft_arch.h>
#include <linux/kgraft_ftrace.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/perf_event.h>
#include <linux/printk.h>
#include <linux/rculist.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/set_memory.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/unaligned.h>
#include <linux/workqueue.h>

#include <asm/current.h>

#include "stub.h"

/* testl $KGR_INTERRUPT_MASK, %gs:pcpu_hot.preempt_count */
#define KGR_STUB_COUNT		4
#define KGR_STUB_MASK		8
/* movl task_struct.kgr_epoch(%r11), %r11d */
#define KGR_STUB_CURRENT	19
#define KGR_STUB_TASK_EPOCH	26
/* compare: cmpl epoch(%rip), %r11d */
#define KGR_STUB_EPOCH		33
#define KGR_STUB_EPOCH_END	37
/* je there; jmp here */
#define KGR_STUB_THERE		39
#define KGR_STUB_THERE_END	43
#define KGR_STUB_HERE		44
#define KGR_STUB_HERE_END	48
/* interrupt: movl %gs:kgr_cpu.epoch, %r11d; jmp compare */
#define KGR_STUB_CPU_EPOCH	53

static const u8 kgr_stub_template[KGR_STUB_SIZE] = {
	0x65, 0xf7, 0x04, 0x25, 0, 0, 0, 0, 0, 0, 0, 0,	/*  0 testl  */
	0x75, 0x22,					/* 12 jne    interrupt */
	0x65, 0x4c, 0x8b, 0x1c, 0x25, 0, 0, 0, 0,	/* 14 movq   current, %r11 */
	0x45, 0x8b, 0x9b, 0, 0, 0, 0,			/* 23 movl   its epoch */
	0x44, 0x3b, 0x1d, 0, 0, 0, 0,			/* 30 cmpl   (compare:) */
	0x0f, 0x84, 0, 0, 0, 0,				/* 37 je     there */
	0xe9, 0, 0, 0, 0,				/* 43 jmp    here */
	0x65, 0x44, 0x8b, 0x1c, 0x25, 0, 0, 0, 0,	/* 48 movl   (interrupt:) */
	0xeb, 0xe3,					/* 57 jmp    compare */
	0xcc, 0xcc, 0xcc, 0xcc, 0xcc,			/* 59 int3 */
};

/**
 * struct kgr_stubs - the stubs of a patch
 * @list:	place in kgr_stubs_list [kgr_stubs_mutex, readers under RCU]
 * @work:	for freeing
 * @text:	the code [W]
 * @epoch:	what it compares with; behind the code
 * @nr:		number of stubs [W]
 * @spec:	what they choose between; names belong to us [W]
 */
struct kgr_stubs {
	struct list_head list;
	struct work_struct work;
	void *text;
	u32 *epoch;
	unsigned int nr;
	struct kgr_stub_spec spec[] __counted_by(nr);
};

static LIST_HEAD(kgr_stubs_list);
static DEFINE_MUTEX(kgr_stubs_mutex);

static unsigned int kgr_stubs_pages(unsigned int nr)
{
	return DIV_ROUND_UP(nr * KGR_STUB_SIZE, PAGE_SIZE);
}

/**
 * arch_kgr_stub - address of a stub
 * @stubs:	stubs of a patch
 * @number:	which, in the order in which they were specified
 *
 * Context: any.
 * Return: its address.
 */
unsigned long arch_kgr_stub(const struct kgr_stubs *stubs, unsigned int number)
{
	return (unsigned long)stubs->text + number * KGR_STUB_SIZE;
}

static unsigned long kgr_spec_entry(const struct kgr_stub_spec *spec,
				    unsigned long body)
{
	return body ? kgr_body_entry(body) : arch_kgr_site_end(spec->site);
}

static void kgr_put_disp(u8 *stub, unsigned int at, unsigned int end,
			 unsigned long to)
{
	put_unaligned_le32(to - ((unsigned long)stub + end), stub + at);
}

static void kgr_stub_write(struct kgr_stubs *stubs, unsigned int number)
{
	const struct kgr_stub_spec *spec = &stubs->spec[number];
	u8 *stub = (u8 *)arch_kgr_stub(stubs, number);

	static_assert(sizeof_field(struct pcpu_hot, preempt_count) == 4);
	static_assert(sizeof_field(struct task_struct, kgr_epoch) == 4);
	static_assert(sizeof_field(struct kgr_cpu, epoch) == 4);

	memcpy(stub, kgr_stub_template, KGR_STUB_SIZE);

	/* Per-CPU variables lie at small offsets from %gs */
	put_unaligned_le32((unsigned long)&pcpu_hot.preempt_count, stub + KGR_STUB_COUNT);
	put_unaligned_le32(KGR_INTERRUPT_MASK, stub + KGR_STUB_MASK);
	put_unaligned_le32((unsigned long)&pcpu_hot.current_task, stub + KGR_STUB_CURRENT);
	put_unaligned_le32(offsetof(struct task_struct, kgr_epoch),
			   stub + KGR_STUB_TASK_EPOCH);
	put_unaligned_le32((unsigned long)&kgr_cpu.epoch, stub + KGR_STUB_CPU_EPOCH);

	kgr_put_disp(stub, KGR_STUB_EPOCH, KGR_STUB_EPOCH_END,
		     (unsigned long)stubs->epoch);
	kgr_put_disp(stub, KGR_STUB_THERE, KGR_STUB_THERE_END,
		     kgr_spec_entry(spec, spec->there));
	kgr_put_disp(stub, KGR_STUB_HERE, KGR_STUB_HERE_END,
		     kgr_spec_entry(spec, spec->here));
}

/* Do all jumps reach: from the site to the stub and both bodies, from there to those */
static bool kgr_stub_fits(const struct kgr_stubs *stubs, unsigned int number)
{
	const struct kgr_stub_spec *spec = &stubs->spec[number];
	unsigned long stub = arch_kgr_stub(stubs, number);
	unsigned long there = kgr_spec_entry(spec, spec->there);
	unsigned long here = kgr_spec_entry(spec, spec->here);

	return kgr_reaches(spec->site, stub) && kgr_reaches(spec->site, there) &&
	       kgr_reaches(spec->site, here) &&
	       kgr_reaches(stub, there) && kgr_reaches(stub + KGR_STUB_SIZE, there) &&
	       kgr_reaches(stub, here) && kgr_reaches(stub + KGR_STUB_SIZE, here);
}

static void kgr_stub_name(const struct kgr_stubs *stubs, unsigned int number,
			  char *name)
{
	snprintf(name, KSYM_NAME_LEN, "kgr_stub_%s", stubs->spec[number].name);
}

static void kgr_stubs_announce(const struct kgr_stubs *stubs, bool gone)
{
	char name[KSYM_NAME_LEN];
	unsigned int i;

	for (i = 0; i < stubs->nr; i++) {
		void *stub = (void *)arch_kgr_stub(stubs, i);

		kgr_stub_name(stubs, i, name);
		if (gone)
			perf_event_text_poke(stub, stub, KGR_STUB_SIZE, NULL, 0);
		perf_event_ksymbol(PERF_RECORD_KSYMBOL_TYPE_OOL, (unsigned long)stub,
				   KGR_STUB_SIZE, gone, name);
		if (!gone)
			perf_event_text_poke(stub, NULL, 0, stub, KGR_STUB_SIZE);
	}
}

static void kgr_stubs_free(struct kgr_stubs *stubs)
{
	unsigned int i;

	for (i = 0; i < stubs->nr; i++)
		kfree_const(stubs->spec[i].name);
	execmem_free(stubs->text);
	kvfree(stubs);
}

static int kgr_stubs_fill(struct kgr_stubs *stubs, const struct kgr_stub_spec *spec)
{
	unsigned int i;

	for (i = 0; i < stubs->nr; i++) {
		stubs->spec[i] = spec[i];
		/* The patch may be gone when the last task leaves its stub */
		stubs->spec[i].name = kstrdup_const(spec[i].name, GFP_KERNEL);
		if (!stubs->spec[i].name)
			return -ENOMEM;
		if (!kgr_stub_fits(stubs, i))
			return -EOPNOTSUPP;
		kgr_stub_write(stubs, i);
	}
	return 0;
}

/**
 * arch_kgr_stubs_create - make the stubs of a patch
 * @spec:	what each is to choose between
 * @nr:		how many, at least one
 *
 * Context: process context, may sleep.
 * Return: the stubs; ERR_PTR(-ENOMEM); ERR_PTR(-EOPNOTSUPP): entries are to ask,
 * jumps are not wanted or some would be too long.
 */
struct kgr_stubs *arch_kgr_stubs_create(const struct kgr_stub_spec *spec,
					unsigned int nr)
{
	unsigned int pages = kgr_stubs_pages(nr);
	struct kgr_stubs *stubs;
	int ret = -ENOMEM;

	if (!kgr_jmp_wanted())
		return ERR_PTR(-EOPNOTSUPP);

	stubs = kvzalloc(struct_size(stubs, spec, nr), GFP_KERNEL);
	if (!stubs)
		return ERR_PTR(-ENOMEM);
	stubs->nr = nr;

	stubs->text = execmem_alloc(EXECMEM_FTRACE, (pages + 1) * PAGE_SIZE);
	if (!stubs->text)
		goto free;
	memset(stubs->text, INT3_INSN_OPCODE, pages * PAGE_SIZE);
	stubs->epoch = stubs->text + pages * PAGE_SIZE;

	ret = kgr_stubs_fill(stubs, spec);
	if (!ret)
		ret = set_memory_rox((unsigned long)stubs->text, pages);
	if (ret)
		goto free;

	mutex_lock(&kgr_stubs_mutex);
	list_add_tail_rcu(&stubs->list, &kgr_stubs_list);
	mutex_unlock(&kgr_stubs_mutex);
	kgr_stubs_announce(stubs, false);
	return stubs;
free:
	kgr_stubs_free(stubs);
	return ERR_PTR(ret);
}

/**
 * arch_kgr_stubs_match - do these stubs choose between just this?
 * @stubs:	stubs of a patch
 * @spec:	what is wanted
 * @nr:		how many
 *
 * Context: any.
 * Return: true when they do.
 */
bool arch_kgr_stubs_match(const struct kgr_stubs *stubs,
			  const struct kgr_stub_spec *spec, unsigned int nr)
{
	unsigned int i;

	if (stubs->nr != nr)
		return false;
	for (i = 0; i < nr; i++) {
		if (stubs->spec[i].site != spec[i].site ||
		    stubs->spec[i].there != spec[i].there ||
		    stubs->spec[i].here != spec[i].here)
			return false;
	}
	return true;
}

/**
 * arch_kgr_stubs_set_epoch - say who gets the body of the patch
 * @stubs:	its stubs
 * @epoch:	callers in this epoch do
 *
 * Harmless at any time when nobody carries @epoch, nor the one before that, or
 * everybody does: who is just passing a stub comes to the same body.
 *
 * Context: any.
 */
void arch_kgr_stubs_set_epoch(struct kgr_stubs *stubs, u32 epoch)
{
	WRITE_ONCE(*stubs->epoch, epoch);
}

static void kgr_stubs_work(struct work_struct *work)
{
	struct kgr_stubs *stubs = container_of(work, struct kgr_stubs, work);

	/*
	 * Readers of the list; then whoever was in a stub, even where RCU doesn't
	 * watch; then whoever was preempted in one.
	 */
	synchronize_rcu();
	synchronize_rcu_tasks_rude();
	synchronize_rcu_tasks();
	kgr_stubs_free(stubs);
}

/**
 * arch_kgr_stubs_release - no site leads to these stubs any more
 * @stubs:	stubs of a patch
 *
 * They are freed when nobody can be in one of them any more.
 *
 * Context: process context, may sleep. Does not wait for that.
 */
void arch_kgr_stubs_release(struct kgr_stubs *stubs)
{
	mutex_lock(&kgr_stubs_mutex);
	list_del_rcu(&stubs->list);
	mutex_unlock(&kgr_stubs_mutex);
	kgr_stubs_announce(stubs, true);

	INIT_WORK(&stubs->work, kgr_stubs_work);
	queue_work(system_unbound_wq, &stubs->work);
}

/* The stubs that @addr is in; context: RCU */
static struct kgr_stubs *kgr_stubs_find(unsigned long addr)
{
	struct kgr_stubs *stubs;

	list_for_each_entry_rcu(stubs, &kgr_stubs_list, list) {
		if (addr - (unsigned long)stubs->text < stubs->nr * KGR_STUB_SIZE)
			return stubs;
	}
	return NULL;
}

/**
 * kgr_is_stub - is there a stub at this address?
 * @addr:	any address
 *
 * Context: any.
 * Return: true when there is.
 */
bool kgr_is_stub(unsigned long addr)
{
	guard(rcu)();
	return kgr_stubs_find(addr);
}

/**
 * kgr_address_lookup - name the stub at an address
 * @addr:	any address
 * @size:	size of the stub, or NULL
 * @offset:	offset of @addr in it, or NULL
 * @modname:	name of the pseudo-module that it belongs to, or NULL
 * @modbuildid:	NULL goes here, or NULL
 * @name:	its name, room for KSYM_NAME_LEN bytes
 *
 * Context: any.
 * Return: length of the name, 0 when there is no stub.
 */
int kgr_address_lookup(unsigned long addr, unsigned long *size,
		       unsigned long *offset, char **modname,
		       const unsigned char **modbuildid, char *name)
{
	const struct kgr_stubs *stubs;
	unsigned long at;

	guard(rcu)();
	stubs = kgr_stubs_find(addr);
	if (!stubs)
		return 0;

	at = addr - (unsigned long)stubs->text;
	kgr_stub_name(stubs, at / KGR_STUB_SIZE, name);
	if (size)
		*size = KGR_STUB_SIZE;
	if (offset)
		*offset = at % KGR_STUB_SIZE;
	if (modname)
		*modname = "__builtin__kgraft";
	if (modbuildid)
		*modbuildid = NULL;
	return strlen(name);
}

/**
 * kgr_get_kallsym - the stubs one after the other
 * @number:	which
 * @value:	its address
 * @type:	type of symbol
 * @name:	its name, room for KSYM_NAME_LEN bytes
 *
 * Context: any.
 * Return: 0, or -ERANGE when there are no more.
 */
int kgr_get_kallsym(unsigned int number, unsigned long *value, char *type,
		    char *name)
{
	const struct kgr_stubs *stubs;

	guard(rcu)();
	list_for_each_entry_rcu(stubs, &kgr_stubs_list, list) {
		if (number < stubs->nr) {
			*value = arch_kgr_stub(stubs, number);
			*type = 't';
			kgr_stub_name(stubs, number, name);
			return 0;
		}
		number -= stubs->nr;
	}
	return -ERANGE;
}
