/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the C tests and helpers share. Functions return 0 or more, or a negative
 * errno; none of them exits.
 */
#ifndef _KGR_SELFTEST_UTIL_H
#define _KGR_SELFTEST_UTIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

#ifndef ARRAY_SIZE
#define ARRAY_SIZE(arr)	(sizeof(arr) / sizeof((arr)[0]))
#endif

#define KGR_SYSFS	"/sys/kernel/kgraft"
#define KGR_TARGETS	"/sys/kernel/debug/kgraft_test"

/* Files: one read, one write; the newline at the end is cut off */
int kgr_read(const char *path, char *text, size_t size);
int kgr_read_long(const char *path, long *value);
int kgr_write(const char *path, const char *text);

/* Modules, by the system calls themselves so that errno is seen */
int kgr_mod_load(const char *file, const char *params);
int kgr_mod_unload(const char *name);

/* Patches */
int kgr_patch_path(char *path, size_t size, const char *patch, const char *file);
int kgr_patch_wait(const char *patch, int timeout_ms);
int kgr_patch_set(const char *patch, int enabled);
int kgr_task_pending(pid_t pid, pid_t tid);

/* What KGR_TARGETS "/version" said: the version of all functions, 0: they don't agree */
int kgr_version_of(const char *text);

/* Time and text */
unsigned long long kgr_now_ms(void);
void kgr_sleep_ms(unsigned int ms);
const char *kgr_errname(int err);
long kgr_env_long(const char *name, long fallback);

/*
 * The gate after a test: what the kernel has said, and complained about, since
 * kgr_gate_begin(). kgr_gate_report() prints complaints, a line each, and returns
 * how many; kgr_gate_end() does so as TAP diagnostics and closes the gate.
 * kgr_gate_expect() lets one warning through, whose message has that text in it,
 * and tells whoever reads the console's log to do the same; kgr_gate_expect_kunit()
 * lets through the taint that KUnit leaves, kgr_gate_expect_shortage() what vmalloc()
 * says about a lack of memory.
 */
struct kgr_gate {
	int kmsg;
	unsigned long taint;
	char expect[128];
	bool kunit;
	bool shortage;
	char *log;
	size_t len;
};

int kgr_gate_begin(struct kgr_gate *gate);
int kgr_gate_expect(struct kgr_gate *gate, const char *text);
int kgr_gate_expect_kunit(struct kgr_gate *gate);
void kgr_gate_expect_shortage(struct kgr_gate *gate);
void kgr_gate_drain(struct kgr_gate *gate);
int kgr_gate_report(struct kgr_gate *gate, FILE *out);
void kgr_gate_close(struct kgr_gate *gate);
int kgr_gate_end(struct kgr_gate *gate);

/* Netlink */
struct kgr_straggler {
	char patch[64];
	char comm[32];
	char function[128];
	char caller[256];
	char wchan[128];
	int kind;
	int reason;
	int pid;
	int tid;
	int cpu;
	int syscall;
	int tracer;
	int past;
	unsigned int offset;
	unsigned long long age_ms;
};

const char *kgr_reason_name(int reason);
const char *kgr_kind_name(int kind);
int kgr_stragglers(int (*fn)(const struct kgr_straggler *s, void *data), void *data);
int kgr_nudge(pid_t tid);

/* What the kernel says about a patch; texts that are absent are empty */
struct kgr_nl_patch {
	char name[64];
	char module[64];
	char why[256];
	int model;
	int enabled;
	int transition;
	int migrated;
	int total;
	int functions;
	int timeout_ms;
	int on_timeout;
	unsigned long long since_ms;
};

struct kgr_nl_function {
	char patch[64];
	char name[128];
	char object[64];
	char redirect[32];
	int sympos;
	int state;
};

struct kgr_nl_event {
	struct kgr_nl_patch patch;
	int event;
	unsigned int seq;
	unsigned int nudged;
};

const char *kgr_event_name(int event);
/* One patch, or all when name is NULL; likewise functions of one, or of all */
int kgr_patches(const char *name, int (*fn)(const struct kgr_nl_patch *p, void *data), void *data);
int kgr_functions(const char *patch, int (*fn)(const struct kgr_nl_function *f, void *data),
		  void *data);
/* A socket that gets events; one event, -ETIMEDOUT when none comes */
int kgr_events_open(void);
int kgr_events_next(int fd, struct kgr_nl_event *event, int timeout_ms);

#endif /* _KGR_SELFTEST_UTIL_H */
