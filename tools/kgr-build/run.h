/* SPDX-License-Identifier: GPL-2.0 */
/* Child processes: several at a time, killed as a whole when a signal comes */
#ifndef KGR_BUILD_RUN_H
#define KGR_BUILD_RUN_H

#include <sys/types.h>

#include "diag.h"

struct view;

enum view_side { SIDE_NONE, SIDE_ORIG, SIDE_PATCHED };

struct cmd {
	char **argv;			/* NULL-terminated */
	const char *cwd;
	const struct view *view;	/* what the child sees, with @side */
	enum view_side side;

	pid_t pid;
	int status;			/* as of waitpid(), -1: not run */
	int output_fd;
	char *output;			/* what it wrote to stdout and stderr */
};

/*
 * Blocks the signals that this file waits for, and gives children a directory for
 * their temporary files; call it once, early.
 */
int run_setup(struct diag *d, const char *tmpdir);

/* Runs all, @jobs at a time, until one fails.  0, or -1 with a diagnostic only
 * if a signal came or a child couldn't be started; look at cmd.status for more.
 */
int run_all(struct diag *d, struct cmd *cmds, size_t n, unsigned int jobs);
int run_one(struct diag *d, struct cmd *cmd);

/* Diagnoses and returns -1 if a signal asks for the end */
int run_interrupted(struct diag *d);

bool cmd_ok(const struct cmd *cmd);
char *find_program(struct arena *a, const char *name);

#endif
