/* SPDX-License-Identifier: GPL-2.0 */
/*
 * kGraft: what the files of this directory share, grouped by the file that
 * owns it.
 *
 * Letters in brackets at fields say what protects them:
 *
 *   M	kgr_mutex
 *   T	tasklist_lock
 *   W	written once before anybody else can see it
 *   A	atomic; see the Ordering block in transition.c
 *   C	written in task context of the CPU it belongs to, or while that CPU is
 *	offline
 *
 * Lock order:
 *
 *   genl_mutex, active references of sysfs files
 *   kgr_mutex
 *     module_mutex, callbacks of patches
 *     sched_dynamic_mutex, ftrace's direct_mutex and ftrace_lock, and below them
 *       static_call_mutex and text_mutex
 *     cpu_hotplug_lock (read)
 *       tasklist_lock (read)
 *     sighand->siglock
 *     p->pi_lock, rq->lock			(task_call_func)
 *
 * Hotplug callbacks run with cpu_hotplug_lock held for writing and so must not
 * take kgr_mutex. Everything on the way into and out of the kernel, in fork,
 * exit and the scheduler takes no lock of ours at all.
 */
#ifndef _KERNEL_KGRAFT_INTERNAL_H
#define _KERNEL_KGRAFT_INTERNAL_H

#undef pr_fmt
#define pr_fmt(fmt) "kgraft: " fmt

#include <linux/atomic.h>
#include <linux/container_of.h>
#include <linux/kgraft.h>
#include <linux/kgraft_arch.h>
#include <linux/kgraft_module.h>
#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/seq_buf.h>
#include <linux/workqueue.h>
#include <uapi/linux/kgraft.h>


/* Rungs of the nudge ladder: enumerator, name in sysfs and traces */
#define KGR_RUNGS(X)				\
	X(STACK_CHECK,	"stack_check")		\
	X(WAKE,		"wake")			\
	X(RESCHED,	"resched")		\
	X(SIGNAL,	"signal")

#define KGR_RUNG_ENUM(name, text)	KGR_RUNG_##name,
enum kgr_rung {
	KGR_RUNGS(KGR_RUNG_ENUM)
	KGR_RUNG_COUNT
};
#undef KGR_RUNG_ENUM

/* Longest text of what became of a transition */
#define KGR_REASON_LEN	256

/* Longest name of a patch that is kept when the patch is gone */
#define KGR_LEFT_NAME	128

/**
 * struct kgr_object - what a patch does to the kernel proper or to one module
 * @node:	place among the objects of the patch [M]
 * @name:	name of the module, or "vmlinux" [W]
 * @callbacks:	the patch's for this object, or NULL [W]
 * @mod:	the module while @bound; NULL for the kernel proper [M]
 * @bound:	the patch is in force, or in transition, for this object [M]
 * @prepared:	pre_patch has run, so that post_unpatch has to in the end [M]
 */
struct kgr_object {
	struct list_head node;
	const char *name;
	const struct kgr_callbacks *callbacks;
	struct module *mod;
	bool bound;
	bool prepared;
};

/**
 * struct kgr_patch_priv - the part of a patch that authors don't see
 * @state:	state of the patch as a whole [M]
 * @objects:	what it changes, struct kgr_object [W but for those that
 *		kgr_replace_prepare() adds: M]
 * @funs:	its functions, and while it replaces others what it takes
 *		back of theirs [M]
 * @nr_funs:	number of functions of its own [W]
 * @nr_taken:	number of functions that it takes back [M]
 * @aims:	room for where the entry of each is to lead [M]
 * @stubs:	what they lead to in its transitions, NULL before the first [M]
 * @in_transition: a transition of this patch runs [M]
 * @started:	wall-clock time at which its last transition began [M]
 * @migrated:	contexts that had migrated when its last transition ended [M]
 * @total:	contexts it had to migrate [M]
 * @nudges:	how often each rung was used in its last transition [A]
 * @stops:	how often the machine was stopped for its last transition [M]
 * @stopped_us:	for how long at most [M]
 * @stopped_total_us: and in all [M]
 * @timeout_ms:	deadline of its transitions, 0: none [M]
 * @on_timeout:	what is done then [M]
 * @forced:	a transition was forced while it was in force; its module stays [M]
 * @reason:	what became of its last transition other than that it is complete,
 *		empty: nothing worth saying [M]
 */
struct kgr_patch_priv {
	enum kgr_patch_state state;
	struct list_head objects;
	struct list_head funs;
	unsigned int nr_funs;
	unsigned int nr_taken;
	struct kgr_aim *aims;
	struct kgr_stubs *stubs;
	bool in_transition;
	struct timespec64 started;
	unsigned int migrated;
	unsigned int total;
	atomic_t nudges[KGR_RUNG_COUNT];
	unsigned int stops;
	unsigned int stopped_us;
	unsigned int stopped_total_us;
	unsigned int timeout_ms;
	enum kgr_on_timeout on_timeout;
	bool forced;
	char reason[KGR_REASON_LEN];
};

/* All functions of a patch, those that it takes back included */
#define kgr_for_each_fun(patch, fun)	\
	list_for_each_entry(fun, &(patch)->priv->funs, node)

/* Those of them that are in place: whose object is there */
#define kgr_for_each_linked_fun(patch, fun)		\
	for (fun = kgr_linked_fun(patch, NULL); fun;	\
	     fun = kgr_linked_fun(patch, fun))

#define kgr_for_each_object(patch, obj)	\
	list_for_each_entry(obj, &(patch)->priv->objects, node)

/* core.c: the registry, entry points */
extern struct mutex kgr_mutex;
extern struct list_head kgr_patches;	/* [M] oldest first */
int kgr_patch_enable(struct kgr_patch *patch);
int kgr_patch_revert(struct kgr_patch *patch);
unsigned int kgr_patch_refs(const struct kgr_patch *patch);
bool kgr_patch_enabled(const struct kgr_patch *patch);
bool kgr_patch_in_force(const struct kgr_patch *patch);
void kgr_patch_finished(struct kgr_patch *patch, bool applied);

/* object.c: what a patch does to the kernel proper and to each module */
const char *kgr_objname(const char *objname);
int kgr_objects_create(struct kgr_patch *patch);
void kgr_objects_free(struct kgr_patch *patch);
struct kgr_object *kgr_object_find(const struct kgr_patch *patch,
				   const char *objname);
struct kgr_object *kgr_object_get(struct kgr_patch *patch, const char *objname);
int kgr_object_bind(struct kgr_patch *patch, struct kgr_object *obj,
		    struct module *mod);
void kgr_object_unbind(struct kgr_patch *patch, struct kgr_object *obj);
int kgr_objects_bind(struct kgr_patch *patch);
void kgr_objects_unbind(struct kgr_patch *patch);
struct kgr_patch_fun *kgr_linked_fun(const struct kgr_patch *patch,
				     const struct kgr_patch_fun *after);

/* target.c: modules that hold patched functions, as they come and go */
struct module *kgr_target_find(const char *name);

/* callback.c: what patches do besides replacing functions */
int kgr_pre_patch(struct kgr_patch *patch, struct kgr_object *obj);
void kgr_post_patch(struct kgr_patch *patch, struct kgr_object *obj);
void kgr_pre_unpatch(struct kgr_patch *patch, struct kgr_object *obj);
void kgr_post_unpatch(struct kgr_patch *patch, struct kgr_object *obj);
int kgr_pre_patch_all(struct kgr_patch *patch);
void kgr_post_patch_all(struct kgr_patch *patch);
void kgr_pre_unpatch_all(struct kgr_patch *patch);
void kgr_post_unpatch_all(struct kgr_patch *patch);

/* replace.c: cumulative patches and sets */
bool kgr_same_set(const struct kgr_patch *a, const struct kgr_patch *b);
const char *kgr_set_name(const struct kgr_patch *patch);
bool kgr_replaces(const struct kgr_patch *patch, const struct kgr_patch *other);
bool kgr_fun_is_taken(const struct kgr_patch_fun *fun);
int kgr_replace_prepare(struct kgr_patch *patch);
void kgr_replace_cancel(struct kgr_patch *patch);
void kgr_replace_commit(struct kgr_patch *patch);

/* sysstate.c: versions of changes to the system */
int kgr_sysstate_check(struct kgr_patch *patch);

/* state.c: states of a function and their legal changes */
const char *kgr_state_name(enum kgr_patch_state state);
const char *kgr_model_name(enum kgr_model model);
bool kgr_state_may_change(enum kgr_patch_state from, enum kgr_patch_state to);
void kgr_fun_set_state(struct kgr_patch_fun *fun, enum kgr_patch_state state);
void kgr_patch_set_state(struct kgr_patch *patch, enum kgr_patch_state state);

/* transition.c: moving every context from one epoch to another */
extern u32 kgr_generation;
u32 kgr_target_epoch(void);
int kgr_transition_begin(struct kgr_patch *patch, bool apply);
int kgr_transition_reverse(void);
struct kgr_patch *kgr_transition_patch(void);
bool kgr_transition_applies(void);
void kgr_transition_counts(const struct kgr_patch *patch,
			   unsigned int *migrated, unsigned int *total);
bool kgr_transition_epochs(u32 *from, u32 *to);
enum kgr_model kgr_transition_model(void);
s64 kgr_transition_age_ms(void);
bool kgr_transition_over(void);
void kgr_transition_kick(void);
void kgr_transition_hold(unsigned int total);
void kgr_transition_retarget(u32 epoch);
void kgr_transition_release(void);
void kgr_transition_force(void);
void kgr_pending_get(void);
void kgr_pending_put(void);
bool kgr_queue_delayed(struct delayed_work *work, unsigned int ms);
int kgr_transition_init(void);

/* task.c: the epoch of a thread */
bool kgr_task_pending(struct task_struct *task);
bool kgr_task_is_kernel(const struct task_struct *task);
bool kgr_task_mark(struct task_struct *task);
bool kgr_task_unmark(struct task_struct *task);
bool kgr_task_claim(struct task_struct *task, unsigned int point);
void kgr_tasks_mark(void);
void kgr_tasks_unmark(void);
void kgr_tasks_force(void);
bool kgr_dying_done(void);
bool kgr_dying_any(void);
int kgr_epoch_next(u32 from, u32 first, u32 *epoch);
struct task_struct *kgr_thread_next(pid_t *cursor, bool pending);
struct task_struct *kgr_task_next(pid_t *cursor);

/* safepoint.c: where contexts without a user mode migrate */
bool kgr_may_move_inside(const struct task_struct *task);
bool kgr_move_resting(struct task_struct *task);
void kgr_safepoint_hook(bool enable);

/* cpu.c: the contexts that each CPU has of its own; CPUs coming and going */

/* Bits of kgr_cpu.flags */

/* Its epoch has to change; counted in the pending contexts */
#define KGR_CPU_PENDING		0
/* The stopper of this CPU has been asked to look */
#define KGR_CPU_STOPPER		1

int kgr_cpu_init(void);
void kgr_irq_set_epoch(unsigned int cpu);
void kgr_irq_migrate(void);
bool kgr_irq_pending(unsigned int cpu);
void kgr_cpus_mark(void);
void kgr_cpus_unmark(void);
void kgr_cpus_force(void);
void kgr_cpus_kick(void);
void kgr_cpus_stop(void);
void kgr_cpu_stop_task(struct task_struct *task);

/* stack.c: does a stack hold an abandoned variant? */

/**
 * struct kgr_stack_hit - an abandoned variant on a stack
 * @addr:	address in it that a task stands at or will return to
 * @caller:	the same of its caller, 0 when the stack ends there
 */
struct kgr_stack_hit {
	unsigned long addr;
	unsigned long caller;
};

int kgr_stack_resolve(const struct kgr_patch *patch);
int kgr_stack_abandon(struct kgr_patch *patch, bool apply);
void kgr_stack_forget(void);
int kgr_stack_check(struct task_struct *task, struct kgr_stack_hit *hit);

/* straggler.c: contexts that have not migrated yet */

/**
 * struct kgr_straggler - a context that has not migrated, and why
 * @kind:	what it is
 * @reason:	why; decides which of the others mean anything
 * @pid:	process, 0 for idle tasks and the interrupt level of a CPU
 * @tid:	thread, likewise
 * @comm:	name of the thread, empty for the interrupt level of a CPU
 * @cpu:	CPU that it last ran on, or that it is
 * @hit:	in-patched-function: where
 * @syscall:	in-syscall: its number
 * @wchan:	where it sleeps, 0 when it does not
 * @tracer:	stopped-or-traced: pid of the tracer, 0 when there is none
 */
struct kgr_straggler {
	enum kgraft_kind kind;
	enum kgraft_reason reason;
	pid_t pid;
	pid_t tid;
	char comm[TASK_COMM_LEN];
	unsigned int cpu;
	struct kgr_stack_hit hit;
	unsigned int syscall;
	unsigned long wchan;
	pid_t tracer;
};

extern unsigned int kgr_nudge_delay_ms;
void kgr_straggler_start(void);
void kgr_straggler_stop(void);
int kgr_nudge(pid_t tid, unsigned int *nudged);
bool kgr_straggler_task(struct task_struct *task, struct kgr_straggler *s);
bool kgr_straggler_cpu(unsigned int cpu, struct kgr_straggler *s);
void kgr_straggler_look(struct task_struct *task, struct kgr_straggler *s);

/* left.c: who was left when a transition was given up */
void kgr_left_begin(const struct kgr_patch *patch);
void kgr_left_add(const struct kgr_straggler *s);
void kgr_left_collect(const struct kgr_patch *patch);
const struct kgr_straggler *kgr_left_get(unsigned int n, const char **patch,
					 s64 *age_ms);
void kgr_left_unload(const struct kgr_patch *patch);
void kgr_left_print(struct seq_buf *buf);

/* quiesce.c: all contexts at one instant */
void kgr_quiesce_start(u32 epoch);
void kgr_quiesce_stop(void);
u32 kgr_quiesce_goal(void);
const char *kgr_quiesce_obstacle(void);

/* force.c: the last resort */
int kgr_force(struct kgr_patch *patch);

/* deadline.c: transitions that take too long */
extern unsigned int kgr_timeout_ms;
extern enum kgr_on_timeout kgr_on_timeout;
const char *kgr_on_timeout_name(enum kgr_on_timeout on_timeout);
int kgr_on_timeout_parse(const char *text, enum kgr_on_timeout *on_timeout);
void kgr_deadline_init_patch(struct kgr_patch *patch);
void kgr_deadline_start(struct kgr_patch *patch);
void kgr_deadline_stop(void);
void kgr_deadline_set(struct kgr_patch *patch, unsigned int timeout_ms);
int kgr_deadline_set_action(struct kgr_patch *patch, enum kgr_on_timeout on_timeout);

/* check.c: does every context see one universe? */
#ifdef CONFIG_KGRAFT_DEBUG
void kgr_check_call(unsigned long site, unsigned long caller, u32 epoch);
void kgr_check_moved(struct task_struct *task, unsigned int point);
void kgr_check_forget(struct task_struct *task);
void kgr_check_cpu_begin(unsigned int cpu);
void kgr_check_cpu_end(unsigned int cpu);
#else
static inline void kgr_check_call(unsigned long site, unsigned long caller,
				  u32 epoch) { }
static inline void kgr_check_moved(struct task_struct *task, unsigned int point) { }
static inline void kgr_check_forget(struct task_struct *task) { }
static inline void kgr_check_cpu_begin(unsigned int cpu) { }
static inline void kgr_check_cpu_end(unsigned int cpu) { }
#endif

/* redirect.c: what stands at a function's entry */

/* Zero stands for the original body: leave the instruction pointer alone */
struct kgr_choice {
	u32 epoch;
	unsigned long there;	/* for callers in @epoch */
	unsigned long here;	/* for all others */
};

/**
 * struct kgr_func - a function that has been patched at least once
 * @node:	place in kgr_funcs [M, readers under preempt_disable()]
 * @site:	its redirect site
 * @installed:	its entry is redirected [M]
 * @addr:	address of the original [W]
 * @stack:	variants, newest first [M]
 * @owner:	name of the patch that the newest is of [M, readers under
 *		rcu_read_lock(), which keeps the module that holds it]
 * @choice:	which of @slot is in force [M, readers under preempt_disable()]
 * @slot:	the choice in force and the spare one
 * @rcu:	for freeing
 */
struct kgr_func {
	struct hlist_node node;
	struct kgr_site site;
	bool installed;
	unsigned long addr;
	struct list_head stack;
	const char *owner;
	struct kgr_choice *choice;
	struct kgr_choice slot[2];
	struct rcu_head rcu;
};

struct kgr_func *kgr_func_find(unsigned long site);
struct kgr_func *kgr_func_create(unsigned long site, unsigned long addr);
void kgr_func_destroy(struct kgr_func *func);
int kgr_redirect_refresh(struct kgr_patch *patch, const struct kgr_object *obj);
int kgr_redirect_begin(struct kgr_patch *patch, u32 epoch, bool apply);
void kgr_redirect_settle(struct kgr_patch *patch, bool applied);
int kgr_redirect_flip(struct kgr_patch *patch, u32 epoch, bool apply);
void kgr_redirect_release(struct kgr_patch *patch);
bool kgr_redirect_dead(void);
enum kgr_form kgr_fun_form(const struct kgr_patch_fun *fun);
void kgr_redirect_end(struct kgr_patch *patch, unsigned int nr);

/* variant.c: which patch lies on which */
int kgr_redirect_add(struct kgr_patch *patch, const struct kgr_object *obj);
void kgr_redirect_remove(struct kgr_patch *patch, const struct kgr_object *obj);
void kgr_redirect_remove_taken(struct kgr_patch *patch);
void kgr_redirect_push(struct kgr_patch_fun *fun, struct kgr_func *func);
struct kgr_patch_fun *kgr_func_below(const struct kgr_patch_fun *fun);
struct kgr_patch_fun *kgr_func_top(const struct kgr_func *func);
unsigned long kgr_func_address(const struct kgr_func *func);
unsigned long kgr_func_site(const struct kgr_func *func);

/* resolve.c: name and position to address */
int kgr_resolve(const char *objname, const char *name, unsigned long sympos,
		unsigned long *addr);
int kgr_resolve_each(const char *objname, const char *name,
		     int (*fn)(void *data, unsigned long addr), void *data);
int kgr_resolve_fun(const struct kgr_patch_fun *fun, unsigned long *addr);
unsigned long kgr_resolve_size(unsigned long addr);

/* module.c: identity and relocation of patch modules */
int kgr_build_id_check(const char *what, const char *build_id);
unsigned int kgr_reloc_width(const struct module *mod,
			     const struct kgr_reloc *reloc);
int kgr_reloc_value(const struct module *mod, const struct kgr_reloc *reloc,
		    u64 *value);

/* late.c: what a patch module leaves open until a module is there */
int kgr_late_bind(struct kgr_patch *patch, struct module *target);
void kgr_late_unbind(struct kgr_patch *patch, struct module *target);

/* sysfs.c */
extern bool kgr_force_load_module;
int kgr_sysfs_init(void);
int kgr_sysfs_number(const char *buf, unsigned int *value);
int kgr_sysfs_switch(const char *buf, bool *value);
void kgr_sysfs_init_patch(struct kgr_patch *patch);
bool kgr_sysfs_reserved(const char *name);
int kgr_sysfs_add(struct kgr_patch *patch);
void kgr_sysfs_remove(struct kgr_patch *patch);
void kgr_sysfs_notify(struct kgr_patch *patch);
void kgr_sysfs_notify_counts(struct kgr_patch *patch);
const char *kgr_form_name(const struct kgr_patch_fun *fun);

static inline struct kgr_patch *kgr_patch_of(struct kobject *kobj)
{
	return container_of(kobj, struct kgr_patch, kobj);
}

/* sysfs_limits.c */
extern const struct attribute_group kgr_root_limits_group;
extern const struct attribute_group kgr_patch_limits_group;

/* netlink.c */
int kgr_netlink_init(void);

/* netlink_event.c: those who wait or watch */
void kgr_event(struct kgr_patch *patch, enum kgraft_event event);
void kgr_event_nudged(struct kgr_patch *patch, unsigned int nudged);
void kgr_event_progress(struct kgr_patch *patch);

/**
 * kgr_in_interrupt - does this code run at the interrupt level of its CPU?
 *
 * True from the outermost NMI, hard or soft interrupt on; in_interrupt() does not
 * tell process context with bottom halves disabled apart.
 *
 * Context: any.
 * Return: true when it does.
 */
static __always_inline bool kgr_in_interrupt(void)
{
	return preempt_count() & KGR_INTERRUPT_MASK;
}

#endif /* _KERNEL_KGRAFT_INTERNAL_H */
