/* SPDX-License-Identifier: GPL-2.0 */
/* What the sources of the small tree share: the kernel's annotations, some types */
#ifndef MINI_H
#define MINI_H

#define __init		__attribute__((section(".init.text"), cold))
#define __initdata	__attribute__((section(".init.data")))
#define __exit		__attribute__((section(".exit.text"), cold, used))
#define notrace		__attribute__((no_instrument_function, patchable_function_entry(16, 16)))
#define noinline	__attribute__((noinline))
#define noinstr		noinline notrace __attribute__((section(".noinstr.text")))
#define __used		__attribute__((used))
#define __section(s)	__attribute__((section(s)))
#define __PASTE(a, b)	a##b
#define __PASTE2(a, b)	__PASTE(a, b)
#define __UNIQUE_ID(x)	__PASTE2(__UNIQUE_ID_##x, __COUNTER__)

#define initcall(fn)	\
	static int (*__initcall_##fn)(void) __used __attribute__((section(".initcall6.init"))) = fn

#define EXPORT_SYMBOL(sym)					\
	asm(".section \".export_symbol\",\"a\"\n"		\
	    "__export_symbol_" #sym ": .asciz \"GPL\"\n"	\
	    ".asciz \"\"\n.balign 8\n.quad " #sym "\n.previous\n")

typedef unsigned long size_t;

struct spot {
	int x, y;
};

struct widget {
	int id;
	char tag;
	/* a hole of three bytes */
	long count;
	unsigned int low : 3, high : 5;
	struct spot spot;
};

struct box {
	struct widget widget;
	struct widget *next;
};

struct scratch {
	long value;
	int step;
};

enum mode { MODE_OFF, MODE_SLOW, MODE_FAST };

struct file_ops {
	long (*read)(struct widget *w);
	long (*write)(struct widget *w, long v);
};

extern struct box the_box;
extern long tick_count;

/* kernel/core.c */
long core_read(struct widget *w);
long core_write(struct widget *w, long v);
long core_sum(const struct widget *w, int n);
long core_mode(enum mode m);
int core_number(int wanted);

/* kernel/helper.c */
long helper_scale(long v, int by);
long helper_sealed(long v);
long helper_quiet(long v);
void mutex_lock(long *lock);
void mutex_unlock(long *lock);
void widget_get(struct widget *w);
void widget_put(struct widget *w);
int ida_alloc_range(long *ida, unsigned int min, unsigned int max);
void ida_free(long *ida, unsigned int number);
void schedule(void);
long hook_up(struct widget *w, void (*hook)(struct widget *w));
int kthread_should_stop(void);
void *kthread_create_on_node(int (*fn)(void *data), void *data, int node, const char *name);

/* lib/strip.c: compiled without ftrace */
long strip_low(long v);

#endif
