// SPDX-License-Identifier: GPL-2.0
/* What the rest calls: locks, references, numbers, the scheduler; names are all that counts */
#include <mini.h>

long tick_count;

long helper_scale(long v, int by)
{
	return v * by;
}
EXPORT_SYMBOL(helper_scale);

long helper_sealed(long v)
{
	return v + 1;
}

notrace long helper_quiet(long v)
{
	return v - 1;
}

long helper_uses_quiet(long v)
{
	return helper_quiet(v) + helper_quiet(v + 1) + strip_low(v);
}

void mutex_lock(long *lock)
{
	__atomic_exchange_n(lock, 1, __ATOMIC_ACQUIRE);
}

void mutex_unlock(long *lock)
{
	__atomic_store_n(lock, 0, __ATOMIC_RELEASE);
}

void widget_get(struct widget *w)
{
	w->spot.y++;
}

void widget_put(struct widget *w)
{
	w->spot.y--;
}

int ida_alloc_range(long *ida, unsigned int min, unsigned int max)
{
	return *ida < max ? min + (*ida)++ : -1;
}

void ida_free(long *ida, unsigned int number)
{
	*ida -= number;
}

void schedule(void)
{
	tick_count++;
	asm volatile("" ::: "memory");
}

void switch_mm_irqs_off(void)
{
	tick_count += 7;
}

long hook_up(struct widget *w, void (*hook)(struct widget *w))
{
	hook(w);
	return w->tag;
}

int kthread_should_stop(void)
{
	return *(volatile long *)&tick_count > 1000;
}

void *kthread_create_on_node(int (*fn)(void *data), void *data, int node, const char *name)
{
	return fn(data) + node ? (void *)name : data;
}

#define HELPER_BIAS	4

static inline long half(long v)
{
	return v / 2;
}

long helper_half(long v)
{
	return half(v) + HELPER_BIAS;
}

long weak_step(long v)
{
	return v;
}
