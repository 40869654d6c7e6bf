// SPDX-License-Identifier: GPL-2.0
/* Sleeping system calls: how to get into each, and how to end it. */
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "scenarios.h"
#include "util.h"

/* Set up before the fork, used by the child to sleep and by the parent to end it */
static struct {
	int fds[2];
	int *word;
	int ipc;
	struct sockaddr_in addr;
} env;

static int make_pipe(void)
{
	return pipe(env.fds) ? -errno : 0;
}

static int write_pipe(pid_t child)
{
	(void)child;
	return write(env.fds[1], "x", 1) == 1 ? 0 : -errno;
}

static int call_read(void)
{
	char c;

	return read(env.fds[0], &c, 1) == 1 ? 0 : -errno;
}

static int make_full_pipe(void)
{
	static char page[65536];

	if (pipe(env.fds) || fcntl(env.fds[1], F_SETFL, O_NONBLOCK) < 0)
		return -errno;
	while (write(env.fds[1], page, sizeof(page)) > 0)
		;
	return fcntl(env.fds[1], F_SETFL, 0) < 0 ? -errno : 0;
}

static int call_write(void)
{
	return write(env.fds[1], "x", 1) == 1 ? 0 : -errno;
}

static int drain_pipe(pid_t child)
{
	static char page[65536];

	(void)child;
	return read(env.fds[0], page, sizeof(page)) > 0 ? 0 : -errno;
}

static int call_poll(void)
{
	struct pollfd pfd = { .fd = env.fds[0], .events = POLLIN };

	return poll(&pfd, 1, 60000) == 1 ? 0 : -errno;
}

static int call_select(void)
{
	fd_set set;

	FD_ZERO(&set);
	FD_SET(env.fds[0], &set);
	return select(env.fds[0] + 1, &set, NULL, NULL, NULL) == 1 ? 0 : -errno;
}

static int call_epoll(void)
{
	struct epoll_event event = { .events = EPOLLIN };
	int fd = epoll_create1(0);

	if (fd < 0 || epoll_ctl(fd, EPOLL_CTL_ADD, env.fds[0], &event))
		return -errno;
	return epoll_wait(fd, &event, 1, 60000) == 1 ? 0 : -errno;
}

static int make_word(void)
{
	env.word = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return env.word == MAP_FAILED ? -errno : 0;
}

static int call_futex(void)
{
	return syscall(SYS_futex, env.word, FUTEX_WAIT, 0, NULL, NULL, 0) ? -errno : 0;
}

static int call_futex_timeout(void)
{
	struct timespec ts = { .tv_sec = 60 };

	return syscall(SYS_futex, env.word, FUTEX_WAIT, 0, &ts, NULL, 0) ? -errno : 0;
}

static int wake_futex(pid_t child)
{
	(void)child;
	return syscall(SYS_futex, env.word, FUTEX_WAKE, 1, NULL, NULL, 0) == 1 ? 0 : -ENOENT;
}

static int make_nothing(void)
{
	return 0;
}

/* Long enough to be nudged in; it must not sleep shorter, nor start over */
#define NAP_MS	3000

static int call_nanosleep(void)
{
	struct timespec ts = { NAP_MS / 1000, (NAP_MS % 1000) * 1000000L };
	unsigned long long begin = kgr_now_ms(), took;

	if (nanosleep(&ts, NULL))
		return -errno;
	took = kgr_now_ms() - begin;
	return took < NAP_MS ? -ETIME : took > 2 * NAP_MS ? -EOVERFLOW : 0;
}

static int let_it_sleep(pid_t child)
{
	(void)child;
	return 0;
}

/* The child waits for a child of its own, which lives until the pipe is written */
static int call_wait4(void)
{
	pid_t pid = fork();
	int status;

	if (pid < 0)
		return -errno;
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		_exit(call_read() ? 1 : 42);
	}
	if (wait4(pid, &status, 0, NULL) != pid)
		return -errno;
	return WIFEXITED(status) && WEXITSTATUS(status) == 42 ? 0 : -ECHILD;
}

static int make_listener(void)
{
	socklen_t len = sizeof(env.addr);

	env.fds[0] = socket(AF_INET, SOCK_STREAM, 0);
	env.addr.sin_family = AF_INET;
	env.addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (env.fds[0] < 0 || bind(env.fds[0], (void *)&env.addr, sizeof(env.addr)) ||
	    listen(env.fds[0], 1) || getsockname(env.fds[0], (void *)&env.addr, &len))
		return -errno;
	return 0;
}

static int call_accept(void)
{
	return accept(env.fds[0], NULL, NULL) < 0 ? -errno : 0;
}

static int connect_to(pid_t child)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	int err = 0;

	(void)child;
	if (fd < 0 || connect(fd, (void *)&env.addr, sizeof(env.addr)))
		err = -errno;
	close(fd);
	return err;
}

static int make_socketpair(void)
{
	return socketpair(AF_UNIX, SOCK_STREAM, 0, env.fds) ? -errno : 0;
}

static int call_recv(void)
{
	char c;

	return recv(env.fds[0], &c, 1, 0) == 1 ? 0 : -errno;
}

static int make_eventfd(void)
{
	env.fds[0] = eventfd(0, 0);
	return env.fds[0] < 0 ? -errno : 0;
}

static int call_eventfd(void)
{
	uint64_t value;

	return read(env.fds[0], &value, sizeof(value)) == sizeof(value) ? 0 : -errno;
}

static int write_eventfd(pid_t child)
{
	uint64_t value = 1;

	(void)child;
	return write(env.fds[0], &value, sizeof(value)) == sizeof(value) ? 0 : -errno;
}

static void on_usr1(int sig)
{
	(void)sig;
}

/* pause() ends with a real signal only */
static int call_pause(void)
{
	struct sigaction sa = { .sa_handler = on_usr1 };

	if (sigaction(SIGUSR1, &sa, NULL))
		return -errno;
	return pause() == -1 && errno == EINTR ? 0 : -EPROTO;
}

static int send_usr1(pid_t child)
{
	return kill(child, SIGUSR1) ? -errno : 0;
}

static int call_sigtimedwait(void)
{
	struct timespec ts = { .tv_sec = 60 };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return sigtimedwait(&set, NULL, &ts) == SIGUSR1 ? 0 : -errno;
}

static int make_flock(void)
{
	char path[] = "/tmp/kgr_flock.XXXXXX";

	env.fds[0] = mkstemp(path);
	if (env.fds[0] < 0)
		return -errno;
	env.fds[1] = open(path, O_RDWR);
	unlink(path);
	return env.fds[1] < 0 || flock(env.fds[0], LOCK_EX) ? -errno : 0;
}

static int call_flock(void)
{
	return flock(env.fds[1], LOCK_EX) ? -errno : 0;
}

static int unlock_flock(pid_t child)
{
	(void)child;
	return flock(env.fds[0], LOCK_UN) ? -errno : 0;
}

static int make_sem(void)
{
	env.ipc = semget(IPC_PRIVATE, 1, 0600);
	return env.ipc < 0 ? -errno : 0;
}

static int call_semop(void)
{
	struct sembuf op = { .sem_op = -1 };

	return semop(env.ipc, &op, 1) ? -errno : 0;
}

static int post_sem(pid_t child)
{
	struct sembuf op = { .sem_op = 1 };

	(void)child;
	return semop(env.ipc, &op, 1) ? -errno : 0;
}

static void remove_sem(void)
{
	semctl(env.ipc, 0, IPC_RMID);
}

static int make_msg(void)
{
	env.ipc = msgget(IPC_PRIVATE, 0600);
	return env.ipc < 0 ? -errno : 0;
}

struct message {
	long type;
	char text[4];
};

static int call_msgrcv(void)
{
	struct message m;

	return msgrcv(env.ipc, &m, sizeof(m.text), 0, 0) == sizeof(m.text) ? 0 : -errno;
}

static int send_msg(pid_t child)
{
	struct message m = { .type = 1 };

	(void)child;
	return msgsnd(env.ipc, &m, sizeof(m.text), 0) ? -errno : 0;
}

static void remove_msg(void)
{
	msgctl(env.ipc, IPC_RMID, NULL);
}

const struct scenario scenarios[] = {
	{ "read of a pipe",	make_pipe,	call_read,	write_pipe },
	{ "write to a full pipe", make_full_pipe, call_write,	drain_pipe },
	{ "poll",		make_pipe,	call_poll,	write_pipe },
	{ "select",		make_pipe,	call_select,	write_pipe },
	{ "futex",		make_word,	call_futex,	wake_futex },
	{ "futex with timeout",	make_word,	call_futex_timeout, wake_futex },
	{ "nanosleep",		make_nothing,	call_nanosleep,	let_it_sleep },
	{ "wait4",		make_pipe,	call_wait4,	write_pipe },
	{ "accept",		make_listener,	call_accept,	connect_to },
	{ "recv",		make_socketpair, call_recv,	write_pipe },
	{ "read of an eventfd",	make_eventfd,	call_eventfd,	write_eventfd },
	{ "pause",		make_nothing,	call_pause,	send_usr1 },
	{ "flock",		make_flock,	call_flock,	unlock_flock },
	{ "msgrcv",		make_msg,	call_msgrcv,	send_msg, remove_msg },
	{ "epoll_wait",		make_pipe,	call_epoll,	write_pipe, NULL, true },
	{ "semop",		make_sem,	call_semop,	post_sem, remove_sem, true },
	{ "sigtimedwait",	make_nothing,	call_sigtimedwait, send_usr1, NULL, true },
};

const unsigned int nr_scenarios = ARRAY_SIZE(scenarios);

void scenario_close(void)
{
	if (env.fds[0] > 0)
		close(env.fds[0]);
	if (env.fds[1] > 0)
		close(env.fds[1]);
	if (env.word)
		munmap(env.word, 4096);
	memset(&env, 0, sizeof(env));
}
