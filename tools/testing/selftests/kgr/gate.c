// SPDX-License-Identifier: GPL-2.0
/* The gate after a test: what has the kernel complained about? See util.h. */
#include <errno.h>
#include <fcntl.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util.h"

/* Any of these in the kernel log is a failure */
static const char splats[] =
	"BUG:|WARNING:|Oops|general protection|double fault|KASAN:|KFENCE|UBSAN:|KCSAN:|ODEBUG"
	"|possible (circular|recursive)|inconsistent lock|bad unlock balance|INFO: (lockdep|trying)"
	"|suspicious RCU|lockup|detected stall|self-detected|scheduling while atomic"
	"|sleeping function called|corruption|refcount_t:|unreferenced object|Call Trace:"
	"|blocked for more than|[Uu]nable to handle|nobody cared|Kernel panic"
	"|unwind stack type|illegal change of state";

/* Bits that loading patch modules of our own sets: out-of-tree, unsigned, livepatch */
#define TAINT_EXPECTED	((1UL << 12) | (1UL << 13) | (1UL << 15))
/* What a warning sets, also one that is expected */
#define TAINT_WARN	(1UL << 9)
/* Of a forced transition, where that was announced; see scripts/vm-run */
#define TAINT_USER	(1UL << 6)
#define FORCE_EXPECTED	"kgr-selftest expects a forced transition"
#define FORCE_SAID	"ing forced, "
/* What KUnit sets when it runs */
#define TAINT_TEST	(1UL << 18)

static unsigned long kgr_taint(void)
{
	long value;

	return kgr_read_long("/proc/sys/kernel/tainted", &value) ? 0 : value;
}

int kgr_gate_begin(struct kgr_gate *gate)
{
	memset(gate, 0, sizeof(*gate));
	gate->taint = kgr_taint();
	gate->log = strdup("");
	gate->kmsg = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (gate->kmsg < 0 || !gate->log)
		return -errno;
	return lseek(gate->kmsg, 0, SEEK_END) < 0 ? -errno : 0;
}

static void kgr_gate_add(struct kgr_gate *gate, const char *text, size_t len)
{
	char *log = realloc(gate->log, gate->len + len + 1);

	if (!log)
		return;
	memcpy(log + gate->len, text, len);
	gate->log = log;
	gate->len += len;
	log[gate->len] = '\0';
}

/* Take over what is new in the kernel's buffer */
void kgr_gate_drain(struct kgr_gate *gate)
{
	char record[8192];
	const char *text;
	ssize_t len;

	for (;;) {
		len = read(gate->kmsg, record, sizeof(record) - 1);
		if (len < 0 && errno == EPIPE) {
			/* overrun: what is lost is lost, the taint remains */
			continue;
		}
		if (len <= 0)
			return;
		record[len] = '\0';
		/* "priority,sequence,time,flags;text" */
		text = strchr(record, ';');
		text = text ? text + 1 : record;
		kgr_gate_add(gate, text, strlen(text));
	}
}

int kgr_gate_expect(struct kgr_gate *gate, const char *text)
{
	char line[256];

	if (strlen(text) >= sizeof(gate->expect))
		return -E2BIG;
	strcpy(gate->expect, text);
	/* scripts/vm-run knows these words */
	snprintf(line, sizeof(line), "kgr-selftest expects a warning: %s", text);
	return kgr_write("/dev/kmsg", line);
}

int kgr_gate_expect_kunit(struct kgr_gate *gate)
{
	gate->kunit = true;
	/* scripts/vm-run knows these words */
	return kgr_write("/dev/kmsg", "kgr-selftest runs tests of KUnit, which taints");
}

/* vmalloc() says so at length when memory is short */
void kgr_gate_expect_shortage(struct kgr_gate *gate)
{
	gate->shortage = true;
}

/* Cut what it says out of the log: each from its message to the end of the stack */
static void cut_shortages(char *log)
{
	static const char first[] = "vmalloc error: ", last[] = " </TASK>";
	char *begin, *end;

	while ((begin = strstr(log, first))) {
		end = strstr(begin, last);
		if (!end)
			return;
		memmove(begin, end, strlen(end) + 1);
		log = begin;
	}
}

/*
 * Cut the expected warning out of the log, from its first line to its last; -1
 * when it is not there.
 */
static int cut_expected(const struct kgr_gate *gate, char *log)
{
	static const char first[] = "[ cut here ]", last[] = "[ end trace ";
	char *begin, *message, *end;

	if (!gate->expect[0])
		return -1;
	for (begin = log; (begin = strstr(begin, first)); begin = message) {
		message = strchr(begin, '\n');
		if (!message)
			return -1;
		message++;
		end = strchr(message, '\n');
		if (!end)
			return -1;
		if (!memmem(message, end - message, gate->expect, strlen(gate->expect)))
			continue;
		end = strstr(end, last);
		if (!end)
			return -1;
		memmove(begin, end, strlen(end) + 1);
		return 0;
	}
	return -1;
}

int kgr_gate_report(struct kgr_gate *gate, FILE *out)
{
	unsigned long taint = kgr_taint() & ~gate->taint & ~TAINT_EXPECTED;
	char *copy, *rest, *line;
	int found = 0, follow = 0;
	regex_t regex;

	kgr_gate_drain(gate);
	copy = strdup(gate->log);
	if (!copy || regcomp(&regex, splats, REG_EXTENDED | REG_NOSUB)) {
		fprintf(out, "gate: out of memory\n");
		free(copy);
		return 1;
	}
	if (!cut_expected(gate, copy))
		taint &= ~TAINT_WARN;
	if (gate->shortage)
		cut_shortages(copy);
	if (strstr(copy, FORCE_EXPECTED) && strstr(copy, FORCE_SAID))
		taint &= ~TAINT_USER;
	if (gate->kunit)
		taint &= ~TAINT_TEST;
	rest = copy;
	while ((line = strsep(&rest, "\n"))) {
		if (!regexec(&regex, line, 0, NULL, 0)) {
			found++;
			follow = 30;
		}
		if (follow && found < 5 && follow--)
			fprintf(out, "kernel log: %s\n", line);
	}
	regfree(&regex);
	free(copy);
	if (taint) {
		fprintf(out, "kernel newly tainted: %#lx\n", taint);
		found++;
	}
	return found;
}

void kgr_gate_close(struct kgr_gate *gate)
{
	if (gate->kmsg >= 0)
		close(gate->kmsg);
	free(gate->log);
	memset(gate, 0, sizeof(*gate));
	gate->kmsg = -1;
}

int kgr_gate_end(struct kgr_gate *gate)
{
	char *text = NULL, *rest, *line;
	size_t size;
	FILE *out;
	int found;

	out = open_memstream(&text, &size);
	if (!out)
		return 1;
	found = kgr_gate_report(gate, out);
	fclose(out);
	rest = text;
	while (found && (line = strsep(&rest, "\n"))) {
		if (*line)
			printf("# %s\n", line);
	}
	free(text);
	kgr_gate_close(gate);
	return found;
}
