// SPDX-License-Identifier: GPL-2.0
/*
 * Forks, from several processes at a time, children that each look at all
 * versions within one system call: they have to agree. Prints the sums.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util.h"

struct sums {
	unsigned long forks;
	unsigned long old;
	unsigned long new;
	unsigned long mixed;
	unsigned long errors;
};

static void add(unsigned long *sum)
{
	__atomic_add_fetch(sum, 1, __ATOMIC_RELAXED);
}

static void look(int fd, struct sums *sums)
{
	char text[256];
	ssize_t len;
	int version;

	len = pread(fd, text, sizeof(text) - 1, 0);
	if (len <= 0) {
		add(&sums->errors);
		return;
	}
	text[len] = '\0';
	version = kgr_version_of(text);
	add(version < 0 ? &sums->errors : !version ? &sums->mixed :
	    version == 1 ? &sums->old : &sums->new);
}

/*
 * One of the processes; its children live for one system call. Three of four
 * borrow its memory instead of copying it, which is what takes time in an
 * emulated guest, and leave it in the uninterruptible sleep of vfork().
 */
static void storm(int fd, long count, struct sums *sums)
{
	int status;
	pid_t pid;

	while (count-- > 0) {
		pid = count % 4 ? vfork() : fork();
		if (!pid) {
			look(fd, sums);
			_exit(0);
		}
		if (pid < 0) {
			add(&sums->errors);
			continue;
		}
		add(&sums->forks);
		while (waitpid(pid, &status, 0) != pid) {
			if (errno != EINTR) {
				add(&sums->errors);
				break;
			}
		}
		look(fd, sums);
	}
}

int main(int argc, char **argv)
{
	long processes = argc > 1 ? atol(argv[1]) : 4;
	long forks = argc > 2 ? atol(argv[2]) : 10000;
	struct sums *sums;
	long i;
	int fd;

	sums = mmap(NULL, sizeof(*sums), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	fd = open(KGR_TARGETS "/version", O_RDONLY);
	if (sums == MAP_FAILED || fd < 0) {
		printf("fork_storm: %s\n", kgr_errname(errno));
		return 1;
	}
	for (i = 0; i < processes; i++) {
		pid_t pid = fork();

		if (!pid) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			storm(fd, forks / processes + (i < forks % processes), sums);
			_exit(0);
		}
		if (pid < 0)
			add(&sums->errors);
	}
	while (wait(NULL) > 0 || errno == EINTR)
		;
	printf("forks=%lu old=%lu new=%lu mixed=%lu errors=%lu\n", sums->forks, sums->old,
	       sums->new, sums->mixed, sums->errors);
	return sums->mixed || sums->errors ? 1 : 0;
}
