// SPDX-License-Identifier: GPL-2.0
/* Child processes: several at a time, killed as a whole when a signal comes */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "run.h"
#include "view.h"

extern char **environ;

static const int end_signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };

static void signal_set(sigset_t *set)
{
	sigemptyset(set);
	for (size_t i = 0; i < ARRAY_SIZE(end_signals); i++)
		sigaddset(set, end_signals[i]);
	sigaddset(set, SIGCHLD);
}

int run_setup(struct diag *d, const char *tmpdir)
{
	sigset_t set;

	signal(SIGCHLD, SIG_DFL);	/* inherited SIG_IGN would lose exit codes */
	signal(SIGPIPE, SIG_IGN);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	signal_set(&set);
	if (sigprocmask(SIG_BLOCK, &set, NULL))
		return diag(d, D_INTERNAL, NULL, "sigprocmask: %s", strerror(errno));
	setenv("TMPDIR", tmpdir, 1);	/* what a killed compiler leaves goes with ours */
	return 0;
}

int run_interrupted(struct diag *d)
{
	sigset_t set;

	sigpending(&set);
	for (size_t i = 0; i < ARRAY_SIZE(end_signals); i++)
		if (sigismember(&set, end_signals[i]))
			return diag(d, D_INTERRUPTED, NULL, "%s", strsignal(end_signals[i]));
	return 0;
}

/* What make and kbuild would take from whoever called us */
static bool unwanted_variable(const char *var)
{
	static const char * const prefixes[] = {
		"MAKE", "MFLAGS=", "GNUMAKEFLAGS=", "KBUILD_", "KCFLAGS=", "KCPPFLAGS=", "KAFLAGS=",
		"CC=", "HOSTCC=", "LD=", "ARCH=", "CROSS_COMPILE=", "LLVM", "O=", "M=", "V=", "W=",
		"C=", "CFLAGS", "LDFLAGS", "GCC_", "CPATH=", "C_INCLUDE_PATH=", "LC_ALL=", "LANG",
	};

	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++)
		if (str_starts(var, prefixes[i]))
			return true;
	return false;
}

static void clean_environment(void)
{
	static char c_locale[] = "LC_ALL=C";
	char **from = environ, **to = environ;

	for (; *from; from++)
		if (!unwanted_variable(*from))
			*to++ = *from;
	*to = NULL;
	putenv(c_locale);
}

static void child_fail(const char *what)
{
	dprintf(STDERR_FILENO, "kgr-build: %s: %s\n", what, strerror(errno));
	_exit(127);
}

static void child(const struct cmd *cmd)
{
	sigset_t none;
	int fd;

	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	dup2(cmd->output_fd, STDOUT_FILENO);
	dup2(cmd->output_fd, STDERR_FILENO);
	fd = open("/dev/null", O_RDONLY);
	dup2(fd, STDIN_FILENO);
	if (cmd->view && view_enter(cmd->view, cmd->side))
		child_fail("private view");
	if (cmd->cwd && chdir(cmd->cwd))
		child_fail(cmd->cwd);
	clean_environment();
	execvp(cmd->argv[0], cmd->argv);
	child_fail(cmd->argv[0]);
}

static int start(struct diag *d, struct cmd *cmd)
{
	fflush(NULL);
	/* not a file: there is something to say even if the disk is full */
	cmd->output_fd = memfd_create("kgr-build", MFD_CLOEXEC);
	if (cmd->output_fd < 0)
		return diag(d, D_TOOL, NULL, "memfd_create: %s", strerror(errno));
	cmd->pid = fork();
	if (cmd->pid < 0) {
		close(cmd->output_fd);
		return diag(d, D_TOOL, NULL, "fork: %s", strerror(errno));
	}
	if (!cmd->pid)
		child(cmd);
	setpgid(cmd->pid, cmd->pid);
	return 0;
}

static void take_output(struct arena *a, struct cmd *cmd)
{
	off_t size = lseek(cmd->output_fd, 0, SEEK_END);
	ssize_t n;

	cmd->output = arena_alloc(a, size + 1);
	n = pread(cmd->output_fd, cmd->output, size, 0);
	cmd->output[n > 0 ? n : 0] = 0;
	close(cmd->output_fd);
	cmd->pid = 0;
}

static void kill_all(struct arena *a, struct cmd *cmds, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (cmds[i].pid > 0)
			kill(-cmds[i].pid, SIGKILL);
	for (size_t i = 0; i < n; i++)
		if (cmds[i].pid > 0) {
			while (waitpid(cmds[i].pid, &cmds[i].status, 0) < 0 && errno == EINTR)
				;
			take_output(a, &cmds[i]);
		}
	/* what they had started is ours now: nobody may write after we have gone */
	while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
		;
}

static unsigned int reap(struct arena *a, struct cmd *cmds, size_t n)
{
	unsigned int done = 0;

	for (size_t i = 0; i < n; i++)
		if (cmds[i].pid > 0 && waitpid(cmds[i].pid, &cmds[i].status, WNOHANG) > 0) {
			take_output(a, &cmds[i]);
			done++;
		}
	return done;
}

static bool any_failed(const struct cmd *cmds, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!cmds[i].pid && cmds[i].status != -1 && !cmd_ok(&cmds[i]))
			return true;
	return false;
}

/*
 * The signals stay blocked, so nothing is lost between looking and sleeping:
 * SIGCHLD and those that ask for the end are fetched by sigwaitinfo().
 */
int run_all(struct diag *d, struct cmd *cmds, size_t n, unsigned int jobs)
{
	size_t next = 0;
	unsigned int running = 0;
	sigset_t set;

	signal_set(&set);
	for (size_t i = 0; i < n; i++) {
		cmds[i].pid = 0;
		cmds[i].status = -1;
		cmds[i].output = "";
	}
	if (run_interrupted(d))
		return -1;
	while (running || (next < n && !any_failed(cmds, n))) {
		int sig;

		if (next < n && running < jobs && !any_failed(cmds, n)) {
			if (start(d, &cmds[next++])) {
				kill_all(d->arena, cmds, n);
				return -1;
			}
			running++;
			continue;
		}
		sig = sigwaitinfo(&set, NULL);
		if (sig == SIGCHLD || sig < 0) {
			running -= reap(d->arena, cmds, n);
			continue;
		}
		kill_all(d->arena, cmds, n);
		return diag(d, D_INTERRUPTED, NULL, "%s", strsignal(sig));
	}
	return 0;
}

int run_one(struct diag *d, struct cmd *cmd)
{
	return run_all(d, cmd, 1, 1);
}

bool cmd_ok(const struct cmd *cmd)
{
	return cmd->status != -1 && WIFEXITED(cmd->status) && !WEXITSTATUS(cmd->status);
}

char *find_program(struct arena *a, const char *name)
{
	const char *path = getenv("PATH");

	if (strchr(name, '/'))
		return access(name, X_OK) ? NULL : arena_strdup(a, name);
	while (path && *path) {
		size_t n = strcspn(path, ":");
		char *file = arena_printf(a, "%.*s/%s", (int)n, path, name);

		if (!access(file, X_OK))
			return file;
		path += n + (path[n] == ':');
	}
	return NULL;
}
