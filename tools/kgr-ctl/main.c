// SPDX-License-Identifier: GPL-2.0
/*
 * kgr-ctl: drives and watches kGraft on this host.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "journal.h"
#include "kgr-ctl.h"

static const char *env_or(const char *name, const char *fallback)
{
	const char *value = secure_getenv(name);

	return value && *value ? value : fallback;
}

static bool fancy_terminal(int fd)
{
	const char *term = getenv("TERM");

	return isatty(fd) && !(term && !strcmp(term, "dumb"));
}

static unsigned int terminal_width(int fd)
{
	struct winsize ws;

	/* a serial console says 0 */
	if (ioctl(fd, TIOCGWINSZ, &ws) || !ws.ws_col)
		return 80;
	return ws.ws_col;
}

int main(int argc, char **argv)
{
	const char *no_color = getenv("NO_COLOR");
	bool colors = !(no_color && *no_color);
	struct kgr_ctx ctx = {
		.in = stdin,
		.out = stdout,
		.err = stderr,
		.ask = isatty(STDIN_FILENO) && isatty(STDERR_FILENO),
		.sysfs_root = env_or("KGR_SYSFS_ROOT", "/sys"),
		.proc_root = env_or("KGR_PROC_ROOT", "/proc"),
		.store_root = env_or("KGR_STORE_ROOT", "/var/lib/kgraft"),
		.kmsg_path = "/dev/kmsg",
		.journal_path = env_or("KGR_JOURNAL_SOCKET", KGR_JOURNAL_SOCKET),
		.color_out = colors && fancy_terminal(STDOUT_FILENO),
		.color_err = colors && fancy_terminal(STDERR_FILENO),
		.progress = fancy_terminal(STDERR_FILENO),
		.live = fancy_terminal(STDOUT_FILENO),
		.width = terminal_width(STDERR_FILENO),
	};

	exit(kgr_run(&ctx, argc, argv));
}
