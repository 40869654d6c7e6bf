/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files of kgr-ctl share.
 *
 * Results: a function that returns enum kgr_exit has, when the value is not
 * KGR_EXIT_OK, already described the problem in ctx->diag; the one exception is a
 * command whose answer is no, which says so in its output.  A function that
 * returns -errno has not: its caller knows what was being attempted.
 */
#ifndef _KGR_CTL_H
#define _KGR_CTL_H

#include <jansson.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))

#define KGR_SCHEMA	1	/* of the JSON output */

/* Exit codes: enumerator, number, word in JSON, meaning */
#define KGR_EXITS(X)							\
	X(OK, 0, "ok", "Done, or there was nothing to do.")		\
	X(FAIL, 1, "failure",						\
	  "Failed for another reason than those below; of 'check': a transition runs; of 'cve --is-patched': it is not fixed.") \
	X(USAGE, 2, "usage", "The command line is wrong; nothing was done.") \
	X(MISMATCH, 3, "kernel-mismatch",				\
	  "The patch module was made for another kernel (build-id or version magic).") \
	X(CONFLICT, 4, "conflict",					\
	  "Conflict or busy: another transition runs, the patch is in use, or another user holds a function.") \
	X(TIMEOUT_REVERTED, 5, "timeout-reverted",			\
	  "Timed out, and the kernel has reversed the transition (--on-timeout revert).") \
	X(TIMEOUT, 6, "timeout-pending",				\
	  "Timed out; the transition goes on.")				\
	X(PERM, 7, "permission",					\
	  "Refused by permissions, lockdown, module signature rules or this host's mode.") \
	X(NOTFOUND, 8, "not-found",					\
	  "No such patch, module, module file or thread, or no kGraft in this kernel.") \
	X(INTERRUPTED, 130, "interrupted",				\
	  "Interrupted (SIGINT) while waiting; the transition goes on, or was reversed if that was asked for.") \
	X(TERMINATED, 143, "terminated",				\
	  "Terminated (SIGTERM) while waiting; the transition goes on.")

#define KGR_EXIT_ENUM(name, number, word, text)	KGR_EXIT_##name = number,
enum kgr_exit {
	KGR_EXITS(KGR_EXIT_ENUM)
};
#undef KGR_EXIT_ENUM

struct kgr_exit_info {
	const char *id;
	int code;
	const char *word;
	const char *text;
};

/* What went wrong: one fact, its cause, what to do about it */
struct kgr_diag {
	enum kgr_exit code;
	char *what;
	json_t *why;		/* array of strings */
	json_t *next;		/* array of strings */
	json_t *kernel;		/* array of strings: lines of the kernel log */
};

/* Options: a command accepts those whose bits it lists */
enum kgr_opt_bit {
	KGR_OPT_HELP	= 1 << 0,
	KGR_OPT_JSON	= 1 << 1,
	KGR_OPT_QUIET	= 1 << 2,
	KGR_OPT_NOCOLOR	= 1 << 3,
	KGR_OPT_WAIT	= 1 << 4,
	KGR_OPT_NOWAIT	= 1 << 5,
	KGR_OPT_TIMEOUT	= 1 << 6,
	KGR_OPT_REVERT	= 1 << 7,
	KGR_OPT_ALL	= 1 << 8,
	KGR_OPT_VERBOSE	= 1 << 9,
	KGR_OPT_ONTIMEOUT = 1 << 10,
	KGR_OPT_YES	= 1 << 11,
	KGR_OPT_ISPATCHED = 1 << 12,
	KGR_OPT_ONINTERRUPT = 1 << 13,
	KGR_OPT_INITRAMFS = 1 << 14,
	KGR_OPT_KERNEL	= 1 << 15,
	KGR_OPT_RETRY	= 1 << 16,
	KGR_OPT_CONFIRM	= 1 << 17,
	KGR_OPT_SHUTDOWN = 1 << 18,
	KGR_OPT_GUARD	= 1 << 19,
	KGR_OPT_OUTPUT	= 1 << 20,
};

#define KGR_OPTS_GLOBAL	(KGR_OPT_HELP | KGR_OPT_QUIET | KGR_OPT_NOCOLOR | KGR_OPT_JSON)
#define KGR_OPTS_WAIT	(KGR_OPT_WAIT | KGR_OPT_NOWAIT | KGR_OPT_TIMEOUT | KGR_OPT_ONTIMEOUT | \
			 KGR_OPT_ONINTERRUPT)

struct kgr_opt {
	unsigned int bit;
	const char *name;	/* long, without the dashes */
	char letter;		/* short, or 0 */
	const char *arg;	/* name of its value, or NULL */
	const char *help;
	unsigned int excludes;	/* options that contradict it */
};

struct kgr_opts {
	unsigned int given;	/* enum kgr_opt_bit */
	int64_t timeout_ms;	/* 0: none */
	const char *yes;	/* the name typed on the command line, or NULL */
	const char *on_timeout;	/* NULL: the kernel's deadline is left alone */
	const char *on_interrupt; /* NULL: ask if there is somebody, else keep */
	const char *cve;	/* of --is-patched */
	unsigned int verbose;	/* how often it is given */
	const char *kernel;	/* a release, or NULL */
	int64_t guard_ms;
	const char *output;	/* a file, or NULL */
	int argc;		/* operands, the command's name not counted */
	const char **argv;
};

struct kgr_ctx;

struct kgr_cmd {
	const char *name;
	const char *aliases;	/* blank-separated, or NULL: what other tools call it */
	const char *operands;	/* as in the synopsis */
	bool of_store;		/* NAME is one of the installed patches */
	const char *summary;	/* one line */
	const char *help;	/* paragraphs; the man page has the same */
	unsigned int options;
	int min_args, max_args;	/* max -1: any number */
	int64_t timeout_ms;	/* when --timeout is not given; 0: none */
	const char *message_id;	/* in the journal; NULL: it changes nothing there */
	enum kgr_exit (*run)(struct kgr_ctx *ctx);
};

struct kgr_ctx {
	FILE *in, *out, *err;
	bool ask;		/* there is somebody at in and err who can answer */
	const char *sysfs_root;
	const char *proc_root;
	const char *store_root;
	const char *kmsg_path;
	const char *journal_path; /* NULL: nothing is recorded */
	bool json;
	bool quiet;
	bool color_out, color_err;
	bool progress;		/* draw a progress bar on err */
	bool live;		/* out is a terminal on which lines can be drawn anew */
	unsigned int width;	/* of the terminal behind err */
	const struct kgr_cmd *cmd;
	struct kgr_opts opts;
	struct kgr_diag diag;
	json_t *shown;		/* the command's document, once there is one */
};

/* cmd.c: the command table */
extern const struct kgr_cmd kgr_cmds[];
extern const size_t kgr_cmd_count;
const struct kgr_cmd *kgr_cmd_find(const char *name);
enum kgr_exit kgr_run(struct kgr_ctx *ctx, int argc, char **argv);

/* opts.c */
extern const struct kgr_opt kgr_opts[];
extern const size_t kgr_opt_count;
enum kgr_exit kgr_opts_parse(struct kgr_ctx *ctx, int argc, char **argv);
void kgr_opts_free(struct kgr_opts *opts);

static inline bool kgr_opt(const struct kgr_ctx *ctx, unsigned int bit)
{
	return ctx->opts.given & bit;
}

/* completion.c */
enum kgr_exit kgr_completion(struct kgr_ctx *ctx, const char *shell);

/* help.c */
/* On @cmd; on all of them when it is NULL */
void kgr_help(struct kgr_ctx *ctx, const struct kgr_cmd *cmd);
enum kgr_exit kgr_man_section(struct kgr_ctx *ctx, const char *name);

/* diag.c */
extern const struct kgr_exit_info kgr_exits[];
extern const size_t kgr_exit_count;
enum kgr_exit kgr_fail(struct kgr_ctx *ctx, enum kgr_exit code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void kgr_why(struct kgr_ctx *ctx, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void kgr_next(struct kgr_ctx *ctx, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void kgr_quote_kernel(struct kgr_ctx *ctx, json_t *lines);
enum kgr_exit kgr_exit_of_errno(int err);
void kgr_note(struct kgr_ctx *ctx, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void kgr_diag_print(struct kgr_ctx *ctx);
/* "error" of the JSON output, and the lines below its first as text */
json_t *kgr_diag_json(const struct kgr_diag *diag);
void kgr_put_reasons(FILE *f, const json_t *error);
void kgr_diag_reset(struct kgr_diag *diag);
char *kgr_asprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* cmd_*.c: one command each */
enum kgr_exit kgr_cmd_autoload(struct kgr_ctx *ctx);
enum kgr_exit kgr_cmd_check(struct kgr_ctx *ctx);
enum kgr_exit kgr_cmd_conflicts(struct kgr_ctx *ctx);
enum kgr_exit kgr_cmd_cve(struct kgr_ctx *ctx);
enum kgr_exit kgr_cmd_doctor(struct kgr_ctx *ctx);
enum kgr_exit kgr_cmd_enable(struct kgr_ctx *ctx);
enum kgr_exit kgr_cmd_force(struct kgr_ctx *ctx);
enum kgr_exit kgr_cmd_info(struct kgr_ctx *ctx);
enum kgr_exit kgr_cmd_install(struct kgr_ctx *ctx);
enum kgr_exit kgr_cmd_list(struct kgr_ctx *ctx);
enum kgr_exit kgr_cmd_load(struct kgr_ctx *ctx);
enum kgr_exit kgr_cmd_metrics(struct kgr_ctx *ctx);
enum kgr_exit kgr_cmd_mode(struct kgr_ctx *ctx);
enum kgr_exit kgr_cmd_nudge(struct kgr_ctx *ctx);
enum kgr_exit kgr_cmd_preflight(struct kgr_ctx *ctx);
enum kgr_exit kgr_cmd_replace(struct kgr_ctx *ctx);
enum kgr_exit kgr_cmd_revert(struct kgr_ctx *ctx);
enum kgr_exit kgr_cmd_show(struct kgr_ctx *ctx);
enum kgr_exit kgr_cmd_status(struct kgr_ctx *ctx);
enum kgr_exit kgr_cmd_stragglers(struct kgr_ctx *ctx);
enum kgr_exit kgr_cmd_uname(struct kgr_ctx *ctx);
enum kgr_exit kgr_cmd_uninstall(struct kgr_ctx *ctx);
enum kgr_exit kgr_cmd_unload(struct kgr_ctx *ctx);
enum kgr_exit kgr_cmd_verify(struct kgr_ctx *ctx);
enum kgr_exit kgr_cmd_wait(struct kgr_ctx *ctx);
enum kgr_exit kgr_cmd_watch(struct kgr_ctx *ctx);

#endif /* _KGR_CTL_H */
