// SPDX-License-Identifier: GPL-2.0
/*
 * What the changed functions do that a live patch has to mind: sleeping and never
 * returning, taking locks, counting references, handing out numbers.  Hints: what they
 * are told from is names and instructions, and somebody has to look.
 */
#include <elf.h>

#include "code.h"
#include "kgr-build.h"
#include "names.h"
#include "resolve.h"
#include "special.h"

/* On the stack of every thread that sleeps, or on the way of every one into it */
static const struct {
	const char *name, *why;
} everywhere[] = {
	{ "schedule", "every thread that sleeps is in it" },
	{ "__schedule", "every thread that sleeps is in it" },
	{ "schedule_timeout", "threads that sleep for a time are in it" },
	{ "schedule_idle", "idle threads are in it" },
	{ "preempt_schedule_irq", "preempted threads are in it" },
	{ "preempt_schedule_common", "preempted threads are in it" },
	{ "finish_task_switch", "a thread that wakes up returns into its caller" },
	{ "context_switch", "every thread that sleeps is in it" },
	{ "kthread", "every kernel thread is in it, all its life" },
	{ "kthread_worker_fn", "kernel threads that work through a queue are in it, all their life" },
	{ "worker_thread", "the threads of workqueues are in it, all their life" },
	{ "smpboot_thread_fn", "a kernel thread of each CPU is in it, all its life" },
	{ "do_idle", "idle threads are in it" },
	{ "cpu_startup_entry", "idle threads are in it, all their life" },
	{ "rescuer_thread", "the rescuers of workqueues are in it, all their life" },
	{ "do_syscall_64", "every thread in a system call is in it" },
	{ "x64_sys_call", "every thread in a system call is in it" },
	{ "ret_from_fork", "every kernel thread is in it" },
	{ "switch_mm_irqs_off", "it runs in every context switch, that of idle threads too" },
	{ "__switch_to", "it runs in every context switch, that of idle threads too" },
	{ "enter_lazy_tlb", "it runs in every context switch to a kernel thread" },
};

/* Hands a function to a thread that it becomes the main function of */
static bool makes_thread(const char *name)
{
	static const char * const makers[] = {
		"kthread_create_on_node", "kthread_create_on_cpu", "kernel_thread",
		"user_mode_thread", "create_io_thread", "vhost_task_create", "kthread_run_on_cpu",
	};

	for (size_t i = 0; i < ARRAY_SIZE(makers); i++)
		if (!strcmp(name, makers[i]))
			return true;
	return false;
}

/* Does @from take the address of @fn and call something that makes threads? */
static bool starts_thread(struct arena *a, const struct atom *from, const struct atom *fn)
{
	struct code_facts facts;
	bool address = false;

	for (size_t i = 0; i < from->refs.n; i++)
		address |= from->refs.v[i].target == fn && !from->refs.v[i].branch;
	if (!address)
		return false;
	code_look(a, from, &facts);
	for (size_t i = 0; i < facts.calls.n; i++)
		if (makes_thread(facts.calls.v[i].name))
			return true;
	return false;
}

static const struct atom *thread_starter(struct arena *a, const struct atom *fn)
{
	for (size_t i = 0; i < fn->obj->sects.n; i++) {
		const struct sect *s = fn->obj->sects.v[i];

		for (size_t k = 0; (s->flags & SHF_EXECINSTR) && k < s->atoms.n; k++)
			if (s->atoms.v[k] != fn && starts_thread(a, s->atoms.v[k], fn))
				return s->atoms.v[k];
	}
	return NULL;
}

static void check_sleeping(struct kgr_build *b, const struct atom *a,
			   const struct code_facts *facts)
{
	struct where at = where_atom(a);
	const struct atom *by = thread_starter(&b->arena, a);

	for (size_t i = 0; i < ARRAY_SIZE(everywhere); i++)
		if (!strcmp(name_source(&b->arena, atom_name(a)), everywhere[i].name)) {
			diag(&b->diag, D_ON_EVERY_STACK, &at, "%s", everywhere[i].why);
			return;
		}
	if (by)
		diag(&b->diag, D_THREAD_MAIN, &at, "%s starts it%s", atom_name(by),
		     facts->returns ? "" : ", and it never returns");
	else if (!facts->returns)
		diag(&b->diag, D_THREAD_MAIN, &at, "it never returns");
	else if (facts->sleeps_in_loop)
		diag(&b->diag, D_SLEEPS, &at, "%s", "");
}

static bool takes_lock(const char *name)
{
	static const char * const prefixes[] = {
		"mutex_lock", "__mutex_lock", "ww_mutex_lock", "rt_mutex_lock", "_raw_spin_lock",
		"_raw_read_lock", "_raw_write_lock", "down_read", "down_write", "down_interruptible",
		"down_killable", "lock_sock", "__rcu_read_lock", "percpu_down_read",
		"percpu_down_write", "rtnl_lock", "console_lock", "lock_mount",
	};

	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++)
		if (str_starts(name, prefixes[i]))
			return true;
	return !strcmp(name, "down");
}

static bool counts_references(const char *name)
{
	static const char * const words[] = {
		"fget", "fput", "dget", "dput", "iget", "iput", "igrab", "mntget", "mntput",
		"sock_hold", "sock_put", "dev_hold", "dev_put",
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (!strcmp(name, words[i]))
			return true;
	if (str_starts(name, "kgr_shadow_"))	/* finds one: nothing is counted */
		return false;
	return strstr(name, "refcount_") || str_starts(name, "kref_") || str_ends(name, "_get") ||
		str_ends(name, "_put") || str_starts(name, "get_") || str_starts(name, "put_") ||
		str_ends(name, "_get_ref") || str_ends(name, "_put_ref");
}

/* ida, idr and xarray: what they hold outlives the code that has put it there */
static bool hands_out_numbers(const char *name)
{
	return str_starts(name, "ida_alloc") || str_starts(name, "ida_free") ||
		str_starts(name, "idr_alloc") || !strcmp(name, "idr_remove") ||
		str_starts(name, "__xa_alloc");
}

static size_t occurrences(const strvec *v, const char *s)
{
	size_t n = 0;

	for (size_t i = 0; i < v->n; i++)
		n += !strcmp(v->v[i], s);
	return n;
}

/* What @v has more often than @other, each once: "a, b" or "" */
static char *surplus(struct arena *a, const strvec *v, const strvec *other)
{
	struct buf out = { .arena = a };
	strvec done = { 0 };

	buf_puts(&out, "");
	for (size_t i = 0; i < v->n; i++) {
		if (strvec_has(&done, v->v[i]) ||
		    occurrences(v, v->v[i]) <= occurrences(other, v->v[i]))
			continue;
		vec_push(a, &done, v->v[i]);
		buf_printf(&out, "%s%s", out.n ? ", " : "", v->v[i]);
	}
	return out.s;
}

static void names_of(struct arena *a, const struct code_facts *f, bool (*wanted)(const char *),
		     bool with, strvec *out)
{
	for (size_t i = 0; i < f->calls.n; i++) {
		const struct code_call *c = &f->calls.v[i];

		if (wanted(c->name))
			vec_push(a, out, with && *c->with ?
				 arena_printf(a, "%s(%s)", c->name, c->with) :
				 arena_strdup(a, c->name));
	}
}

static char *joined(struct arena *a, const strvec *v)
{
	struct buf out = { .arena = a };

	buf_puts(&out, "");
	for (size_t i = 0; i < v->n; i++)
		buf_printf(&out, "%s%s", i ? ", " : "", v->v[i]);
	return out.s;
}

/* Says what @new has more often than @old, and less often; false if that is nothing */
static bool compare_calls(struct kgr_build *b, enum diag_code code, const struct where *at,
			  const strvec *old, const strvec *new, const char *more_head,
			  const char *less_head)
{
	char *more = surplus(&b->arena, new, old), *less = surplus(&b->arena, old, new);

	if (!*more && !*less)
		return false;
	diag(&b->diag, code, at, "%s%s%s%s%s", *more ? more_head : "", more,
	     *more && *less ? "; " : "", *less ? less_head : "", less);
	return true;
}

/* Whether one more is taken, or one less, or the same ones in another order */
static void check_locks(struct kgr_build *b, const struct atom *a,
			const struct code_facts *old, const struct code_facts *new)
{
	strvec x = { 0 }, y = { 0 }, p = { 0 }, q = { 0 };
	struct where at = where_atom(a);

	names_of(&b->arena, old, takes_lock, false, &x);
	names_of(&b->arena, new, takes_lock, false, &y);
	if (compare_calls(b, D_LOCKS, &at, &x, &y, "it takes more: ", "it takes less: "))
		return;
	names_of(&b->arena, old, takes_lock, true, &p);
	names_of(&b->arena, new, takes_lock, true, &q);
	if (*surplus(&b->arena, &p, &q) || *surplus(&b->arena, &q, &p))
		return;			/* registers hide which they are */
	for (size_t i = 0; i < p.n; i++)
		if (strcmp(p.v[i], q.v[i])) {
			diag(&b->diag, D_LOCKS, &at, "before: %s; now: %s", joined(&b->arena, &p),
			     joined(&b->arena, &q));
			return;
		}
}

static const struct dw_func *debug_of(struct kgr_build *b, const struct dw_index *ix,
				      const struct atom *a)
{
	return ix ? map_get(&ix->funcs, name_source(&b->arena, atom_name(a))) : NULL;
}

/* Most of these helpers are inlined; how often doesn't show then, but that they are */
static void inlined_names(struct kgr_build *b, const struct dw_func *f, strvec *out)
{
	for (size_t i = 0; f && i < f->inlined.n; i++)
		if (counts_references(f->inlined.v[i]->name))
			vec_push(&b->arena, out, arena_strdup(&b->arena, f->inlined.v[i]->name));
}

static void check_references(struct kgr_build *b, const struct unit *u, const struct atom *a,
			     const struct code_facts *old, const struct code_facts *new)
{
	strvec x = { 0 }, y = { 0 };
	struct where at = where_atom(a);

	if (counts_references(name_source(&b->arena, atom_name(a)))) {
		diag(&b->diag, D_REFERENCES, &at, "it is a helper for them");
		return;
	}
	names_of(&b->arena, old, counts_references, false, &x);
	names_of(&b->arena, new, counts_references, false, &y);
	inlined_names(b, debug_of(b, u->dw_orig, a->twin), &x);
	inlined_names(b, debug_of(b, u->dw_patched, a), &y);
	compare_calls(b, D_REFERENCES, &at, &x, &y, "more often: ", "less often: ");
}

static void check_numbers(struct kgr_build *b, const struct atom *a,
			  const struct code_facts *old, const struct code_facts *new)
{
	strvec x = { 0 }, y = { 0 };
	struct where at = where_atom(a);

	names_of(&b->arena, old, hands_out_numbers, false, &x);
	names_of(&b->arena, new, hands_out_numbers, false, &y);
	compare_calls(b, D_NUMBERS, &at, &x, &y, "more often: ", "less often: ");
}

int pass_safety(struct kgr_build *b)
{
	struct atom **p;

	vec_each(p, &b->changed) {
		struct unit *u = unit_of_atom(b, *p);
		struct code_facts old, new;

		if (!(*p)->twin || u->object->is_asm)
			continue;
		code_look(&b->arena, (*p)->twin, &old);
		code_look(&b->arena, *p, &new);
		check_sleeping(b, (*p)->twin, &old);
		check_locks(b, *p, &old, &new);
		check_references(b, u, *p, &old, &new);
		check_numbers(b, *p, &old, &new);
	}
	return 0;
}
