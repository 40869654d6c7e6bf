// SPDX-License-Identifier: GPL-2.0
/*
 * pty [WHEN TEXT]... -- COMMAND [ARG...] - runs COMMAND on a terminal of its own and
 * copies what it prints. Each TEXT is typed when WHEN has been printed since the one
 * before it was; "\003" is Ctrl-C. Exits with COMMAND's status.
 */
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void put(int fd, const char *text, size_t len)
{
	while (len) {
		ssize_t n = write(fd, text, len);

		if (n <= 0)
			exit(125);
		text += n;
		len -= (size_t)n;
	}
}

/* Until the other end of the terminal is closed */
static void copy(int tty, char **script)
{
	static char seen[1 << 16];
	size_t len = 0;

	for (;;) {
		ssize_t n = read(tty, seen + len, sizeof(seen) - 1 - len);

		if (n <= 0)
			return;
		put(STDOUT_FILENO, seen + len, (size_t)n);
		len += (size_t)n;
		seen[len] = 0;
		if (strcmp(*script, "--") && strstr(seen, *script)) {
			put(tty, script[1], strlen(script[1]));
			script += 2;
			len = 0;
		}
		if (len == sizeof(seen) - 1)
			len = 0;
	}
}

int main(int argc, char **argv)
{
	struct winsize size = { .ws_row = 24, .ws_col = 100 };
	char **script = argv + 1, **command = script;
	int tty, status;
	pid_t pid;

	while (command < argv + argc && strcmp(*command, "--"))
		command++;
	if (command + 1 >= argv + argc || (command - script) % 2) {
		fprintf(stderr, "usage: pty [WHEN TEXT]... -- COMMAND [ARG...]\n");
		return 2;
	}
	pid = forkpty(&tty, NULL, NULL, &size);
	if (pid < 0) {
		perror("forkpty");
		return 125;
	}
	if (!pid) {
		setenv("TERM", "vt100", 1);
		execvp(command[1], command + 1);
		perror(command[1]);
		_exit(127);
	}
	copy(tty, script);
	if (waitpid(pid, &status, 0) != pid)
		return 125;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
