// SPDX-License-Identifier: GPL-2.0
/*
 * What the shell tests can't do, or not without a process for each step, which
 * is what costs most in a guest that is emulated: system calls by name, with
 * their errors; waiting; netlink; the kernel's log and state.
 *
 *	agent COMMAND [ARG]...		one command, its answer on stdout
 *	agent serve			commands from stdin, a line each, words separated
 *					by tabs; answers on stdout, closed by a NUL
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent.h"
#include "util.h"

#define MAX_WORDS	32

static void answer(FILE *out, int err)
{
	fputs(err < 0 ? kgr_errname(err) : "ok", out);
}

/* load FILE [PARAM=VALUE]... */
static void cmd_load(int argc, char **argv, FILE *out)
{
	char params[1024] = "";
	size_t used = 0;
	int i, len;

	for (i = 2; i < argc; i++) {
		len = snprintf(params + used, sizeof(params) - used, "%s%s", used ? " " : "",
			       argv[i]);
		used += len;
		if (used >= sizeof(params)) {
			answer(out, -E2BIG);
			return;
		}
	}
	answer(out, kgr_mod_load(argv[1], params));
}

/* unload NAME */
static void cmd_unload(int argc, char **argv, FILE *out)
{
	(void)argc;
	answer(out, kgr_mod_unload(argv[1]));
}

/* put TEXT FILE: one write(2) */
static void cmd_put(int argc, char **argv, FILE *out)
{
	(void)argc;
	answer(out, kgr_write(argv[2], argv[1]));
}

/* wait PATCH SECONDS: until its transition is over */
static void cmd_wait(int argc, char **argv, FILE *out)
{
	(void)argc;
	answer(out, kgr_patch_wait(argv[1], atoi(argv[2]) * 1000));
}

/* Both counts of a completed transition must be the same */
static int check_counts(const char *patch)
{
	char path[256];
	long migrated, total;
	int err;

	err = kgr_patch_path(path, sizeof(path), patch, "migrated");
	if (!err)
		err = kgr_read_long(path, &migrated);
	if (!err)
		err = kgr_patch_path(path, sizeof(path), patch, "total");
	if (!err)
		err = kgr_read_long(path, &total);
	return err ? err : migrated != total || total <= 0 ? -ERANGE : 0;
}

/* One transition to its end; how long it took in ms, or a negative errno */
static int transition(const char *patch, int apply, int timeout_ms)
{
	unsigned long long begin = kgr_now_ms();
	int err;

	err = kgr_patch_set(patch, apply);
	if (!err)
		err = kgr_patch_wait(patch, timeout_ms);
	if (!err)
		err = check_counts(patch);
	agent_log_drain();
	return err ? err : (int)(kgr_now_ms() - begin);
}

/* cycle PATCH COUNT SECONDS [PAUSE_MS]: revert it and apply it again, so many times */
static void cmd_cycle(int argc, char **argv, FILE *out)
{
	int i, took = 0, count = 2 * atoi(argv[2]);
	unsigned long sum = 0, max = 0;

	for (i = 0; i < count && took >= 0; i++) {
		took = transition(argv[1], i % 2, atoi(argv[3]) * 1000);
		if (took < 0)
			break;
		if (argc > 4)
			kgr_sleep_ms(atoi(argv[4]));
		sum += took;
		if ((unsigned long)took > max)
			max = took;
	}
	fprintf(out, "transitions=%d mean_ms=%lu max_ms=%lu result=%s", i, i ? sum / i : 0, max,
		took < 0 ? kgr_errname(took) : "ok");
}

struct listing {
	FILE *out;
	int only;	/* this thread, or all when 0 */
	int others;	/* stragglers that are not the one */
	bool found;
	bool nudge;	/* nudge the others */
};

static void print_straggler(const struct kgr_straggler *s, FILE *out)
{
	fprintf(out, "tid=%d pid=%d kind=%s reason=%s cpu=%d age_ms=%llu", s->tid, s->pid,
		kgr_kind_name(s->kind), kgr_reason_name(s->reason), s->cpu, s->age_ms);
	if (s->function[0])
		fprintf(out, " function=%s offset=%#x", s->function, s->offset);
	if (s->caller[0])
		fprintf(out, " caller=%s", s->caller);
	if (s->syscall >= 0)
		fprintf(out, " syscall=%d", s->syscall);
	if (s->wchan[0])
		fprintf(out, " wchan=%s", s->wchan);
	if (s->tracer >= 0)
		fprintf(out, " tracer=%d", s->tracer);
	if (s->past)
		fputs(" past=1", out);
	fprintf(out, " patch=%s comm=%s\n", s->patch, s->comm);
}

static int list_one(const struct kgr_straggler *s, void *data)
{
	struct listing *l = data;

	if (!l->only || s->tid == l->only)
		print_straggler(s, l->out);
	return 0;
}

/* stragglers [TID]: one line of name=value words each, comm last */
static void cmd_stragglers(int argc, char **argv, FILE *out)
{
	struct listing l = { .out = out, .only = argc > 1 ? atoi(argv[1]) : 0 };
	int err = kgr_stragglers(list_one, &l);

	if (err)
		answer(out, err);
}

static int count_one(const struct kgr_straggler *s, void *data)
{
	struct listing *l = data;

	if (s->tid == l->only) {
		l->found = true;
		return 0;
	}
	l->others++;
	if (l->nudge && s->tid > 0)
		kgr_nudge(s->tid);
	return 0;
}

/* only TID: is it the only straggler? */
static void cmd_only(int argc, char **argv, FILE *out)
{
	struct listing l = { .only = atoi(argv[1]) };
	int err = kgr_stragglers(count_one, &l);

	(void)argc;
	fputs(!err && l.found && !l.others ? "yes" : "no", out);
}

/* others TID SECONDS: nudge all others until it is the only straggler */
static void cmd_others(int argc, char **argv, FILE *out)
{
	unsigned long long end = kgr_now_ms() + atoi(argv[2]) * 1000ULL;
	unsigned long long next = 0;
	struct listing l;

	(void)argc;
	do {
		l = (struct listing) { .only = atoi(argv[1]), .nudge = kgr_now_ms() >= next };
		if (l.nudge)
			next = kgr_now_ms() + 500;
		if (!kgr_stragglers(count_one, &l) && l.found && !l.others) {
			fputs("ok", out);
			return;
		}
		kgr_sleep_ms(10);
	} while (kgr_now_ms() < end);
	fputs("ETIMEDOUT", out);
}

/* nudge [TID] */
static void cmd_nudge(int argc, char **argv, FILE *out)
{
	int ret = kgr_nudge(argc > 1 ? atoi(argv[1]) : 0);

	if (ret < 0)
		answer(out, ret);
	else
		fprintf(out, "nudged=%d", ret);
}

/* sleep MILLISECONDS */
static void cmd_sleep(int argc, char **argv, FILE *out)
{
	(void)argc;
	kgr_sleep_ms(atoi(argv[1]));
	answer(out, 0);
}

static const struct command {
	const char *name;
	int args;
	void (*run)(int argc, char **argv, FILE *out);
} commands[] = {
	{ "load",	1, cmd_load },
	{ "unload",	1, cmd_unload },
	{ "put",	2, cmd_put },
	{ "wait",	2, cmd_wait },
	{ "cycle",	3, cmd_cycle },
	{ "stragglers",	0, cmd_stragglers },
	{ "only",	1, cmd_only },
	{ "others",	2, cmd_others },
	{ "nudge",	0, cmd_nudge },
	{ "sleep",	1, cmd_sleep },
	{ "fault_put",	3, agent_fault_put },
	{ "mark",	1, agent_mark },
	{ "said",	1, agent_said },
	{ "expect",	1, agent_expect },
	{ "lines",	1, agent_lines },
	{ "kunit",	0, agent_kunit },
	{ "shortage",	0, agent_shortage },
	{ "gate",	0, agent_gate },
	{ "snapshot",	1, agent_snapshot },
	{ "compare",	1, agent_compare },
};

static void run(int argc, char **argv, FILE *out)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		if (argc > commands[i].args && !strcmp(argv[0], commands[i].name)) {
			commands[i].run(argc, argv, out);
			return;
		}
	}
	fputs("agent: no such command", out);
}

static void serve(void)
{
	char *line = NULL, *words[MAX_WORDS + 1], *rest;
	size_t size = 0;
	ssize_t len;
	int n;

	while ((len = getline(&line, &size, stdin)) > 0) {
		if (line[len - 1] == '\n')
			line[len - 1] = '\0';
		rest = line;
		for (n = 0; n < MAX_WORDS && rest; n++)
			words[n] = strsep(&rest, "\t");
		words[n] = NULL;
		run(n, words, stdout);
		putchar('\0');
		fflush(stdout);
	}
	free(line);
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		fprintf(stderr, "usage: agent serve | COMMAND [ARG]...\n");
		return 2;
	}
	if (!strcmp(argv[1], "serve")) {
		serve();
		return 0;
	}
	run(argc - 1, argv + 1, stdout);
	putchar('\n');
	return 0;
}
