// SPDX-License-Identifier: GPL-2.0
/* /proc/PID/kgr_in_progress, as published kGraft has it. */
#include "internal.h"

#include <linux/seq_file.h>

/**
 * proc_pid_kgr_in_progress - has this thread yet to migrate?
 * @m:		file
 * @ns:		unused
 * @pid:	unused
 * @task:	the thread
 *
 * Context: process context.
 * Return: 0.
 */
int proc_pid_kgr_in_progress(struct seq_file *m, struct pid_namespace *ns,
			     struct pid *pid, struct task_struct *task)
{
	seq_printf(m, "%d\n", kgr_task_pending(task));
	return 0;
}
