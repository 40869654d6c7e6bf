// SPDX-License-Identifier: GPL-2.0
/* Functions that stay on the stack of somebody who sleeps */
#include <mini.h>

static noinline int worker(void *data)
{
	struct widget *w = data;

	while (!kthread_should_stop()) {
		w->count++;
		schedule();
	}
	return 0;
}

static noinline __attribute__((noreturn)) int forever(void *data)
{
	struct widget *w = data;

	for (;;) {
		w->count += 2;
		schedule();
	}
}

void *loop_start(struct widget *w)
{
	kthread_create_on_node(forever, w, 0, "forever");
	return kthread_create_on_node(worker, w, 0, "worker");
}

long loop_wait(struct widget *w)
{
	while (*(volatile long *)&w->count < 5)
		schedule();
	return w->count;
}
