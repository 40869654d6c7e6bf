// SPDX-License-Identifier: GPL-2.0
/*
 * The agent's view of the kernel: its log since a mark, and a snapshot of the
 * state that a test must leave as it found it.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent.h"
#include "util.h"

static struct kgr_gate gate = { .kmsg = -1 };

/* Drained in between, or a long test would overrun the kernel's buffer */
void agent_log_drain(void)
{
	if (gate.kmsg >= 0)
		kgr_gate_drain(&gate);
}

/* mark TEXT: the log begins here, with this text in it */
void agent_mark(int argc, char **argv, FILE *out)
{
	int err;

	(void)argc;
	kgr_gate_close(&gate);
	err = kgr_write("/dev/kmsg", argv[1]);
	if (!err)
		err = kgr_gate_begin(&gate);
	fputs(err ? kgr_errname(err) : "ok", out);
}

/* Lines since the mark that match, printed if @print; how many, or -1 */
static int matches(const char *pattern, FILE *print)
{
	char *line, *rest, *copy;
	regex_t regex;
	int count = 0;

	agent_log_drain();
	if (!gate.log || regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB))
		return -1;
	copy = strdup(gate.log);
	rest = copy;
	while ((line = strsep(&rest, "\n"))) {
		if (regexec(&regex, line, 0, NULL, 0))
			continue;
		count++;
		if (print)
			fprintf(print, "%s\n", line);
	}
	free(copy);
	regfree(&regex);
	return count;
}

/* said REGEX: how many lines since the mark match */
void agent_said(int argc, char **argv, FILE *out)
{
	(void)argc;
	fprintf(out, "%d", matches(argv[1], NULL));
}

/* lines REGEX: those lines */
void agent_lines(int argc, char **argv, FILE *out)
{
	(void)argc;
	matches(argv[1], out);
}

/* expect TEXT: one warning whose message has this text in it is no complaint */
void agent_expect(int argc, char **argv, FILE *out)
{
	int err = kgr_gate_expect(&gate, argv[1]);

	(void)argc;
	fputs(err ? kgr_errname(err) : "ok", out);
}

/* kunit: from here on the taint of KUnit is no complaint */
void agent_kunit(int argc, char **argv, FILE *out)
{
	int err = kgr_gate_expect_kunit(&gate);

	(void)argc;
	(void)argv;
	fputs(err ? kgr_errname(err) : "ok", out);
}

/* shortage: from here on it is no complaint that vmalloc() finds no memory */
void agent_shortage(int argc, char **argv, FILE *out)
{
	(void)argc;
	(void)argv;
	kgr_gate_expect_shortage(&gate);
	fputs("ok", out);
}

/* gate: complaints of the kernel since the mark; nothing when there is none */
void agent_gate(int argc, char **argv, FILE *out)
{
	(void)argc;
	(void)argv;
	kgr_gate_report(&gate, out);
}

/* Snapshots are lines of text; there are two, one for a case and one within it */
static struct {
	const char *name;
	char *text;
} snapshots[] = {
	{ "case" }, { "refuse" },
};

static char **find(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(snapshots); i++) {
		if (!strcmp(name, snapshots[i].name))
			return &snapshots[i].text;
	}
	return NULL;
}

static void add_file(const char *path, FILE *out)
{
	char text[4096], *line, *rest = text;

	if (kgr_read(path, text, sizeof(text)) < 0) {
		fprintf(out, "%s\n", path);
		return;
	}
	while ((line = strsep(&rest, "\n")))
		fprintf(out, "%s: %s\n", path, line);
}

static void add_tree(const char *dir, FILE *out)
{
	struct dirent **names;
	char path[512];
	struct stat st;
	int i, n;

	n = scandir(dir, &names, NULL, alphasort);
	for (i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]->d_name);
		if (names[i]->d_name[0] != '.' && !lstat(path, &st)) {
			if (S_ISDIR(st.st_mode)) {
				fprintf(out, "%s/\n", path);
				add_tree(path, out);
			} else if (S_ISREG(st.st_mode)) {
				add_file(path, out);
			}
		}
		free(names[i]);
	}
	if (n >= 0)
		free(names);
}

/* The first of @words words of each line of a file of any length */
static void add_words(const char *path, const char *format, int words, FILE *out)
{
	FILE *in = fopen(path, "r");
	char name[256], number[64];
	char *line = NULL;
	size_t size = 0;

	if (!in)
		return;
	while (getline(&line, &size, in) > 0) {
		if (sscanf(line, format, name, number) == words)
			fprintf(out, "%s: %s %s\n", path, name, words > 1 ? number : "");
	}
	free(line);
	fclose(in);
}

static char *take(void)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	add_words("/proc/modules", "%255s %*s %63s", 2, out);
	add_tree(KGR_SYSFS, out);
	add_words("/sys/kernel/tracing/enabled_functions", "%255s", 1, out);
	add_file(KGR_TARGETS "/version", out);
	fclose(out);
	return text;
}

/* snapshot NAME: remember the state for compare */
void agent_snapshot(int argc, char **argv, FILE *out)
{
	char **text = find(argv[1]);

	(void)argc;
	if (!text) {
		fputs("ENOENT", out);
		return;
	}
	free(*text);
	*text = take();
	fputs(*text ? "ok" : "ENOMEM", out);
}

static int has_line(const char *text, const char *line)
{
	size_t len = strlen(line);
	const char *pos;

	for (pos = text; (pos = strstr(pos, line)); pos++) {
		if ((pos == text || pos[-1] == '\n') && pos[len] == '\n')
			return 1;
	}
	return 0;
}

static void print_missing(const char *from, const char *in, char sign, FILE *out)
{
	char *copy = strdup(from), *rest = copy, *line;

	while ((line = strsep(&rest, "\n"))) {
		if (*line && !has_line(in, line))
			fprintf(out, "%c%s\n", sign, line);
	}
	free(copy);
}

/* compare NAME: how the state differs from a snapshot; nothing when it doesn't */
void agent_compare(int argc, char **argv, FILE *out)
{
	char **before = find(argv[1]);
	char *after = take();

	(void)argc;
	if (!before || !*before || !after) {
		fputs("no snapshot", out);
	} else {
		print_missing(*before, after, '-', out);
		print_missing(after, *before, '+', out);
	}
	free(after);
}
