// SPDX-License-Identifier: GPL-2.0
/* Ordinary code, with one of each thing that can't be changed at run time */
#include <mini.h>

static long core_lock, other_lock;
static long total = 7;
static const long limits[] = { 10, 20, 40 };
struct box the_box;

static noinline long clamp(long v)
{
	static long clamped;

	if (v > limits[total % 3]) {
		clamped++;
		v = limits[1];
	}
	return v + clamped;
}

static notrace noinline long quiet_part(long v)
{
	return v * 3 + total;
}

static noinstr long early_part(long v)
{
	return v * 5 + total;
}

long core_read(struct widget *w)
{
	return clamp(w->count) + quiet_part(w->id) + early_part(w->low);
}

long core_write(struct widget *w, long v)
{
	struct scratch s = { .value = v, .step = 2 };

	mutex_lock(&core_lock);
	mutex_lock(&other_lock);
	widget_get(w);
	w->count = helper_scale(s.value, s.step);
	total += w->count;
	widget_put(w);
	mutex_unlock(&other_lock);
	mutex_unlock(&core_lock);
	return clamp(v);
}

long core_sum(const struct widget *w, int n)
{
	long sum = 0;

	for (int i = 0; i < n; i++)
		sum += helper_scale(w[i].count, w[i].spot.x) + strip_low(w[i].id);
	return sum;
}

static noinline long mode_factor(enum mode m)
{
	return m == MODE_FAST ? 3 : 1 + (total & 1);
}

long core_mode(enum mode m)
{
	return helper_scale(m, mode_factor(m));
}

static noinline void old_hook(struct widget *w)
{
	w->tag++;
}

long hook_user(struct widget *w)
{
	return hook_up(w, old_hook);
}

static const struct file_ops core_ops = {
	.read = core_read,
	.write = core_write,
};

static struct file_ops shared_ops = { .read = core_read };

const struct file_ops *core_operations(int own)
{
	return own ? &core_ops : &shared_ops;
}
EXPORT_SYMBOL(core_operations);

__attribute__((weak)) long weak_step(long v)
{
	return v + 14;
}

static int __init core_init(void)
{
	total = clamp(100);
	return 0;
}
initcall(core_init);

static void __exit core_exit(void)
{
	total = 0;
}

static long numbers;

int core_number(int wanted)
{
	return ida_alloc_range(&numbers, wanted, wanted);
}
