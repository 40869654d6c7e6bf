// SPDX-License-Identifier: GPL-2.0
/*
 * What applying and reverting costs, for kGraft and for livepatch in turn, in the
 * same guest. Prints one line per measurement, words NAME=VALUE, times in
 * nanoseconds; scripts/bench makes tables of them.
 *
 *	patch MODULES functions ROUNDS COUNT...
 *	patch MODULES tasks ROUNDS MODEL LOAD COUNT...
 *	patch MODULES latency ROUNDS
 *	patch MODULES pertask ROUNDS MODEL COUNT...
 *
 * MODULES is the directory of the selftests' modules. MODEL is universe or hybrid
 * (livepatch knows one model), LOAD is idle, user (each CPU runs a process that
 * never enters the kernel) or kthread (each CPU runs a kernel thread that never
 * sleeps). pertask is for a guest whose clock counts instructions, and for kGraft only:
 * what all threads together have run for, with COUNT of them asleep.
 *
 * KGR_BENCH_SECONDS in the environment is how long functions, tasks and latency may
 * take: when the share of a COUNT is used up, no other round of it is begun. There is
 * always one.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LIMIT_NS	(120 * 1000000000ULL)
#define STEP_NS		200000L
#define PERIOD_NS	1000000L
#define MAX_CPUS	16

static const char *modules;

static void die(const char *fmt, ...)
{
	int err = errno;
	va_list ap;

	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, ": %s\n", strerror(err));
	exit(1);
}

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

static void rest(long ns)
{
	struct timespec ts = { ns / 1000000000, ns % 1000000000 };

	nanosleep(&ts, NULL);
}

static long read_number(const char *path)
{
	char buf[64] = "";
	int fd = open(path, O_RDONLY);

	if (fd < 0)
		return -1;
	if (read(fd, buf, sizeof(buf) - 1) < 0)
		buf[0] = '\0';
	close(fd);
	return atol(buf);
}

static void write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		die("%s: writing '%s'", path, text);
	close(fd);
}

/* A patch module of one of the two */
struct kind {
	const char *name;	/* of the system */
	const char *dir;	/* where its patches are in sysfs */
	const char *many;	/* module that patches many functions */
	const char *one;	/* module that patches kgr_test_check() */
	const char *one_args;
};

static const struct kind kinds[] = {
	{ "kgraft", "/sys/kernel/kgraft", "kgr_test_lots", "kgr_test_check", "" },
	{ "livepatch", "/sys/kernel/livepatch", "kgr_test_klp_lots", "kgr_test_klp",
	  "func=kgr_test_check" },
};

static void load(const char *module, const char *args)
{
	char path[512];
	int fd;

	snprintf(path, sizeof(path), "%s/%s.ko", modules, module);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || syscall(SYS_finit_module, fd, args, 0))
		die("%s %s", path, args);
	close(fd);
}

static void unload(const char *module)
{
	uint64_t end = now() + LIMIT_NS;

	while (syscall(SYS_delete_module, module, O_NONBLOCK)) {
		if (now() > end)
			die("unloading %s", module);
		rest(STEP_NS);
	}
}

static void patch_file(char *path, size_t size, const struct kind *kind,
		       const char *module, const char *file)
{
	snprintf(path, size, "%s/%s/%s", kind->dir, module, file);
}

/* Until its transition is over; a livepatch that is reverted goes away */
static void wait_for(const struct kind *kind, const char *module)
{
	uint64_t end = now() + LIMIT_NS;
	char path[512];

	patch_file(path, sizeof(path), kind, module, "transition");
	while (read_number(path) > 0) {
		if (now() > end)
			die("%s: the transition of %s does not end", kind->name, module);
		rest(STEP_NS);
	}
}

static void set_enabled(const struct kind *kind, const char *module, const char *value)
{
	char path[512];

	patch_file(path, sizeof(path), kind, module, "enabled");
	write_text(path, value);
}

static long took(const char *module)
{
	char path[512];

	snprintf(path, sizeof(path), "/sys/module/%s/parameters/took_ns", module);
	return read_number(path);
}

/* Interrupts that CPUs have sent each other: rescheduling and function calls */
static unsigned long long ipis(void)
{
	unsigned long long sum = 0;
	FILE *file = fopen("/proc/interrupts", "r");
	char line[1024], *word;

	if (!file)
		die("/proc/interrupts");
	while (fgets(line, sizeof(line), file)) {
		word = strtok(line, " ");
		if (!word || (strcmp(word, "RES:") && strcmp(word, "CAL:")))
			continue;
		while ((word = strtok(NULL, " ")) && *word >= '0' && *word <= '9')
			sum += strtoull(word, NULL, 10);
	}
	fclose(file);
	return sum;
}

static void functions_round(const struct kind *kind, int count)
{
	uint64_t begin, loaded, reverted, done;
	unsigned long long before = ipis();
	char args[32];

	snprintf(args, sizeof(args), "nr=%d", count);
	begin = now();
	load(kind->many, args);
	wait_for(kind, kind->many);
	loaded = now();
	printf("functions system=%s count=%d enable=%ld applied=%llu ipis=%llu", kind->name,
	       count, took(kind->many), (unsigned long long)(loaded - begin), ipis() - before);

	begin = now();
	set_enabled(kind, kind->many, "0");
	reverted = now();
	wait_for(kind, kind->many);
	done = now();
	printf(" disable=%llu reverted=%llu\n", (unsigned long long)(reverted - begin),
	       (unsigned long long)(done - begin));
	fflush(stdout);
	unload(kind->many);
}

static uint64_t budget_end;

static void budget_begin(void)
{
	const char *seconds = getenv("KGR_BENCH_SECONDS");

	budget_end = now() + (seconds ? atol(seconds) : 86400) * 1000000000ULL;
}

/*
 * What goes first alternates, so that neither has the warm caches. @left: how many
 * more times we are called, this one included.
 */
static void alternate(int rounds, void (*measure)(const struct kind *, int), int arg, int left)
{
	uint64_t begin = now();
	uint64_t end = begin + (budget_end > begin ? (budget_end - begin) / left : 0);
	int i;

	for (i = 0; i < rounds && (!i || now() < end); i++) {
		measure(&kinds[i % 2], arg);
		measure(&kinds[!(i % 2)], arg);
	}
}

/* Sleepers: threads in a system call that nothing ends */
static void *sleeper(void *unused)
{
	(void)unused;
	for (;;)
		pause();
	return NULL;
}

static pid_t sleepers_start(int count)
{
	pthread_attr_t attr;
	pthread_t thread;
	int i, ready[2];
	pid_t pid;
	char c;

	if (pipe(ready))
		die("pipe");
	pid = fork();
	if (pid < 0)
		die("fork");
	if (pid) {
		close(ready[1]);
		if (read(ready[0], &c, 1) != 1)
			die("%d sleepers", count);
		close(ready[0]);
		return pid;
	}
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 16384);
	for (i = 1; i < count; i++) {
		errno = pthread_create(&thread, &attr, sleeper, NULL);
		if (errno)
			die("thread %d", i);
	}
	if (write(ready[1], "x", 1) != 1)
		die("pipe");
	sleeper(NULL);
	exit(1);
}

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		die("CPU %d", cpu);
}

static int hogs_start(pid_t *hogs)
{
	int i, cpus = sysconf(_SC_NPROCESSORS_ONLN);

	for (i = 0; i < cpus && i < MAX_CPUS; i++) {
		hogs[i] = fork();
		if (hogs[i] < 0)
			die("fork");
		if (!hogs[i]) {
			pin(i);
			for (;;)
				__asm__ volatile("");
		}
	}
	return i;
}

static void stop(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static const char *wanted_model;
static const char *wanted_load;

static void tasks_round(const struct kind *kind, int count)
{
	char args[128];
	uint64_t begin;
	long sent[2];

	snprintf(args, sizeof(args), "%s", kind->one_args);
	if (kind == &kinds[0])
		snprintf(args, sizeof(args), "model=%d", !strcmp(wanted_model, "hybrid"));
	begin = now();
	load(kind->one, args);
	sent[0] = now() - begin;
	wait_for(kind, kind->one);
	sent[1] = now() - begin;
	printf("tasks system=%s model=%s load=%s count=%d call=%ld last=%ld\n", kind->name,
	       kind == &kinds[0] ? wanted_model : "livepatch", wanted_load, count, sent[0],
	       sent[1]);
	fflush(stdout);
	set_enabled(kind, kind->one, "0");
	wait_for(kind, kind->one);
	unload(kind->one);
}

static void measure_tasks(int rounds, int count, int left)
{
	pid_t hogs[MAX_CPUS], sleepers = sleepers_start(count);
	int i, nr = 0;

	if (!strcmp(wanted_load, "user"))
		nr = hogs_start(hogs);
	/* Long enough for all rounds; they end by themselves */
	for (i = 0; !strcmp(wanted_load, "kthread") && i < sysconf(_SC_NPROCESSORS_ONLN); i++)
		write_text("/sys/kernel/debug/kgraft_test/kbusy", "30000");
	rest(200000000);
	alternate(rounds, tasks_round, count, left);
	for (i = 0; i < nr; i++)
		stop(hogs[i]);
	stop(sleepers);
}

/* A thread on each CPU that wants to run each millisecond, before all others */
static atomic_ullong worst[MAX_CPUS];
static atomic_bool ended;

static void *periodic(void *arg)
{
	struct sched_param param = { .sched_priority = 80 };
	long cpu = (long)arg;
	struct timespec next;

	pin(cpu);
	if (sched_setscheduler(0, SCHED_FIFO, &param))
		die("SCHED_FIFO");
	clock_gettime(CLOCK_MONOTONIC, &next);
	while (!atomic_load(&ended)) {
		uint64_t due, late;

		next.tv_nsec += PERIOD_NS;
		if (next.tv_nsec >= 1000000000L) {
			next.tv_nsec -= 1000000000L;
			next.tv_sec++;
		}
		due = next.tv_sec * 1000000000ULL + next.tv_nsec;
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
		late = now() - due;
		if (late > atomic_load(&worst[cpu]))
			atomic_store(&worst[cpu], late);
		if (late > PERIOD_NS)
			clock_gettime(CLOCK_MONOTONIC, &next);
	}
	return NULL;
}

static unsigned long long worst_of(int cpus)
{
	unsigned long long max = 0;
	int i;

	for (i = 0; i < cpus; i++) {
		unsigned long long w = atomic_exchange(&worst[i], 0);

		if (w > max)
			max = w;
	}
	return max;
}

static int periodics;

static void latency_round(const struct kind *kind, int count)
{
	unsigned long long quiet, loud;
	char args[32];

	snprintf(args, sizeof(args), "nr=%d", count);
	worst_of(periodics);
	rest(100000000);
	quiet = worst_of(periodics);
	load(kind->many, args);
	wait_for(kind, kind->many);
	loud = worst_of(periodics);
	printf("latency system=%s count=%d quiet=%llu worst=%llu\n", kind->name, count, quiet,
	       loud);
	fflush(stdout);
	set_enabled(kind, kind->many, "0");
	wait_for(kind, kind->many);
	unload(kind->many);
}

static void measure_latency(int rounds)
{
	pthread_t thread[MAX_CPUS];
	long i;

	periodics = sysconf(_SC_NPROCESSORS_ONLN);
	if (periodics > MAX_CPUS)
		periodics = MAX_CPUS;
	for (i = 0; i < periodics; i++) {
		errno = pthread_create(&thread[i], NULL, periodic, (void *)i);
		if (errno)
			die("thread");
	}
	rest(100000000);
	alternate(rounds, latency_round, 10, 2);
	alternate(rounds, latency_round, 100, 1);
	atomic_store(&ended, true);
	for (i = 0; i < periodics; i++)
		pthread_join(thread[i], NULL);
}

/* How long the threads of a process have run, without what they run for now */
static unsigned long long runtime_of(const char *pid)
{
	unsigned long long sum = 0, ns;
	struct dirent *entry;
	char path[512];
	FILE *file;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%s/task", pid);
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		snprintf(path, sizeof(path), "/proc/%s/task/%s/schedstat", pid, entry->d_name);
		file = entry->d_name[0] == '.' ? NULL : fopen(path, "r");
		if (!file)
			continue;
		if (fscanf(file, "%llu", &ns) == 1)
			sum += ns;
		fclose(file);
	}
	if (dir)
		closedir(dir);
	return sum;
}

/* All threads but our own: what we run for is looking on, except in calls */
static unsigned long long runtime_others(void)
{
	unsigned long long sum = 0;
	struct dirent *entry;
	DIR *dir = opendir("/proc");

	if (!dir)
		die("/proc");
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9' &&
		    atol(entry->d_name) != getpid())
			sum += runtime_of(entry->d_name);
	}
	closedir(dir);
	return sum;
}

static unsigned long long runtime_own(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

/* Apply (direction 1) or revert; instructions of all that has to do with it */
static void pertask_change(const struct kind *kind, int functions, int count, int apply)
{
	unsigned long long others = runtime_others(), own = runtime_own();
	char args[64];

	if (apply) {
		snprintf(args, sizeof(args), "nr=%d model=%d", functions,
			 !strcmp(wanted_model, "hybrid"));
		load(kind->many, args);
	} else {
		set_enabled(kind, kind->many, "0");
	}
	own = runtime_own() - own;
	/*
	 * Stay away until all is done, the worker that completes it included: what it
	 * executes between our waking up and its being preempted would be charged to us.
	 */
	rest(200000000);
	wait_for(kind, kind->many);
	others = runtime_others() - others;
	printf("pertask model=%s direction=%s functions=%d count=%d instructions=%llu\n",
	       wanted_model, apply ? "apply" : "revert", functions, count, own + others);
	fflush(stdout);
}

static void measure_pertask(int rounds, int count)
{
	static const int functions[] = { 1, 500 };
	const struct kind *kind = &kinds[0];
	pid_t sleepers = sleepers_start(count);
	size_t i;

	rest(500000000);
	while (rounds--) {
		for (i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
			pertask_change(kind, functions[i], count, 1);
			pertask_change(kind, functions[i], count, 0);
			unload(kind->many);
		}
	}
	stop(sleepers);
}

int main(int argc, char **argv)
{
	struct sched_param param = { .sched_priority = 10 };
	int i, rounds;

	if (argc < 4) {
		fprintf(stderr, "usage: patch MODULES functions|tasks|latency|pertask ROUNDS ...\n");
		return 2;
	}
	modules = argv[1];
	rounds = atoi(argv[3]);
	budget_begin();

	if (!strcmp(argv[2], "latency")) {
		measure_latency(rounds);
		return 0;
	}
	/* The clock has to be read when it is time, whoever is busy */
	if (sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &param))
		die("SCHED_FIFO");
	if (!strcmp(argv[2], "functions")) {
		for (i = 4; i < argc; i++)
			alternate(rounds, functions_round, atoi(argv[i]), argc - i);
		return 0;
	}
	if (!strcmp(argv[2], "tasks") && argc > 6) {
		wanted_model = argv[4];
		wanted_load = argv[5];
		for (i = 6; i < argc; i++)
			measure_tasks(rounds, atoi(argv[i]), argc - i);
		return 0;
	}
	if (!strcmp(argv[2], "pertask") && argc > 5) {
		wanted_model = argv[4];
		/* Under universe nobody who sleeps moves before that */
		write_text("/sys/kernel/kgraft/nudge_delay_ms", "1");
		for (i = 5; i < argc; i++)
			measure_pertask(rounds, atoi(argv[i]));
		return 0;
	}
	fprintf(stderr, "patch: what is '%s'?\n", argv[2]);
	return 2;
}
