// SPDX-License-Identifier: GPL-2.0
/*
 * Runs a command as somebody with less power: "user" is nobody, "nocap" is
 * still root, but without CAP_SYS_ADMIN.
 */
#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "util.h"

#define NOBODY	65534

static int become_user(void)
{
	return setgroups(0, NULL) || setgid(NOBODY) || setuid(NOBODY) ? -errno : 0;
}

/* Root gets its capabilities back by exec, unless that is locked out */
static int drop_admin(void)
{
	if (prctl(PR_SET_SECUREBITS, SECBIT_NOROOT | SECBIT_NOROOT_LOCKED) ||
	    prctl(PR_CAPBSET_DROP, CAP_SYS_ADMIN))
		return -errno;
	return 0;
}

int main(int argc, char **argv)
{
	int err = -EINVAL;

	if (argc >= 3 && !strcmp(argv[1], "user"))
		err = become_user();
	else if (argc >= 3 && !strcmp(argv[1], "nocap"))
		err = drop_admin();
	if (!err) {
		execv(argv[2], argv + 2);
		err = -errno;
	}
	printf("unprivileged: %s\n", kgr_errname(err));
	return 2;
}
