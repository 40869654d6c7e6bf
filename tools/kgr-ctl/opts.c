// SPDX-License-Identifier: GPL-2.0
/*
 * Options: one table for all commands.  getopt_long() is not used since it
 * takes any unambiguous prefix of a long option.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kgr-ctl.h"
#include "mode.h"

const struct kgr_opt kgr_opts[] = {
	{ KGR_OPT_WAIT, "wait", 0, NULL,
	  "Wait until the transition is complete (the default).", KGR_OPT_NOWAIT },
	{ KGR_OPT_NOWAIT, "no-wait", 0, NULL,
	  "Return as soon as the transition has started.", KGR_OPT_WAIT | KGR_OPT_ONINTERRUPT },
	{ KGR_OPT_TIMEOUT, "timeout", 't', "SECONDS",
	  "Wait no longer than that; 0: without limit. The transition goes on, the exit code is 6.",
	  0 },
	{ KGR_OPT_ONTIMEOUT, "on-timeout", 0, "keep|revert",
	  "Make --timeout the deadline of the transition itself, which the kernel keeps: it is "
	  "announced, and with 'revert' the transition is reversed and the exit code 5.", 0 },
	{ KGR_OPT_ONINTERRUPT, "on-interrupt", 0, "ask|keep|revert",
	  "What Ctrl-C does while waiting: ask (the default where somebody can be asked), let the "
	  "transition go on, or reverse it.", 0 },
	{ KGR_OPT_REVERT, "revert", 0, NULL,
	  "Revert the patch first if it is still applied.", 0 },
	{ KGR_OPT_ALL, "all", 'a', NULL,
	  "Nudge every context that is left (the default).", 0 },
	{ KGR_OPT_VERBOSE, "verbose", 'v', NULL,
	  "Show the command line of each process too; given twice, its kernel stack as well.", 0 },
	{ KGR_OPT_ISPATCHED, "is-patched", 0, "CVE",
	  "Tell by the exit code whether this one is fixed: 0 yes, 1 no.", 0 },
	{ KGR_OPT_YES, "yes-i-understand", 0, "NAME",
	  "Don't ask; NAME has to be the patch's name once more.", 0 },
	{ KGR_OPT_INITRAMFS, "initramfs", 0, NULL,
	  "Load it at the end of the initramfs already; with autoload: only those.",
	  KGR_OPT_CONFIRM | KGR_OPT_SHUTDOWN },
	{ KGR_OPT_KERNEL, "kernel", 'k', "RELEASE",
	  "For that kernel instead of the running one.", 0 },
	{ KGR_OPT_RETRY, "retry", 0, NULL,
	  "Load NAME although the guard holds it back, as if for the first time.",
	  KGR_OPT_CONFIRM | KGR_OPT_SHUTDOWN },
	{ KGR_OPT_CONFIRM, "confirm", 0, NULL,
	  "Load nothing; wait until the guard's time has passed, then record what is good.",
	  KGR_OPT_SHUTDOWN },
	{ KGR_OPT_SHUTDOWN, "shutdown", 0, NULL,
	  "Load nothing; record that the machine is going down in good order.", 0 },
	{ KGR_OPT_GUARD, "guard", 0, "SECONDS",
	  "Set how long the machine has to stay up after a patch was loaded; 0: not at all.", 0 },
	{ KGR_OPT_OUTPUT, "output", 'o', "FILE",
	  "Write them to that file, as a whole or not at all.", 0 },
	{ KGR_OPT_JSON, "json", 'j', NULL,
	  "Print one JSON document instead of text, errors included.", KGR_OPT_QUIET },
	{ KGR_OPT_QUIET, "quiet", 'q', NULL,
	  "Print nothing but errors.", KGR_OPT_JSON },
	{ KGR_OPT_NOCOLOR, "no-color", 0, NULL,
	  "No colours and no progress bar, even on a terminal.", 0 },
	{ KGR_OPT_HELP, "help", 'h', NULL,
	  "Show help on standard output.", 0 },
};
const size_t kgr_opt_count = ARRAY_SIZE(kgr_opts);

struct args {
	int argc;
	char **argv;
	int next;
};

static enum kgr_exit set_seconds(struct kgr_ctx *ctx, const struct kgr_opt *opt, double max,
				 const char *value, int64_t *ms)
{
	char *end;
	double s = strtod(value, &end);

	/* !(s >= 0) is true for a NaN too */
	if (end == value || *end || !(s >= 0) || s > max)
		return kgr_fail(ctx, KGR_EXIT_USAGE, "'--%s %s': not a number of seconds",
				opt->name, value);
	*ms = (int64_t)ceil(s * 1000);
	return KGR_EXIT_OK;
}

/* One of the words in opt->arg, which '|' divides */
static enum kgr_exit set_word(struct kgr_ctx *ctx, const struct kgr_opt *opt, const char *value,
			      const char **word)
{
	size_t len = strlen(value);

	for (const char *p = opt->arg; p; p = strchr(p, '|')) {
		p += *p == '|';
		if (strcspn(p, "|") == len && !strncmp(p, value, len)) {
			*word = value;
			return KGR_EXIT_OK;
		}
	}
	return kgr_fail(ctx, KGR_EXIT_USAGE, "'--%s %s': it has to be %s", opt->name, value,
			opt->arg);
}

static enum kgr_exit set_option(struct kgr_ctx *ctx, struct args *args,
				const struct kgr_opt *opt, const char *value)
{
	if (!opt->arg) {
		if (value)
			return kgr_fail(ctx, KGR_EXIT_USAGE, "option '--%s' takes no value",
					opt->name);
		ctx->opts.given |= opt->bit;
		ctx->opts.verbose += opt->bit == KGR_OPT_VERBOSE;
		return KGR_EXIT_OK;
	}
	ctx->opts.given |= opt->bit;
	if (!value && args->next < args->argc)
		value = args->argv[args->next++];
	if (!value)
		return kgr_fail(ctx, KGR_EXIT_USAGE, "option '--%s' needs a value: %s",
				opt->name, opt->arg);
	switch (opt->bit) {
	case KGR_OPT_YES:
		ctx->opts.yes = value;
		return KGR_EXIT_OK;
	case KGR_OPT_ISPATCHED:
		ctx->opts.cve = value;
		return KGR_EXIT_OK;
	case KGR_OPT_KERNEL:
		ctx->opts.kernel = value;
		return KGR_EXIT_OK;
	case KGR_OPT_OUTPUT:
		ctx->opts.output = value;
		return KGR_EXIT_OK;
	case KGR_OPT_GUARD:
		return set_seconds(ctx, opt, KGR_GUARD_MAX_S, value, &ctx->opts.guard_ms);
	case KGR_OPT_ONTIMEOUT:
		return set_word(ctx, opt, value, &ctx->opts.on_timeout);
	case KGR_OPT_ONINTERRUPT:
		return set_word(ctx, opt, value, &ctx->opts.on_interrupt);
	default:
		return set_seconds(ctx, opt, 1e9, value, &ctx->opts.timeout_ms);
	}
}

static enum kgr_exit parse_long(struct kgr_ctx *ctx, struct args *args, const char *arg)
{
	size_t len = strcspn(arg, "=");
	const char *value = arg[len] ? arg + len + 1 : NULL;

	for (size_t i = 0; i < kgr_opt_count; i++)
		if (strlen(kgr_opts[i].name) == len && !strncmp(kgr_opts[i].name, arg, len))
			return set_option(ctx, args, &kgr_opts[i], value);
	return kgr_fail(ctx, KGR_EXIT_USAGE, "unknown option '--%.*s'", (int)len, arg);
}

/* "-qv", "-t5" and "-t 5" */
static enum kgr_exit parse_short(struct kgr_ctx *ctx, struct args *args, const char *arg)
{
	for (; *arg; arg++) {
		const struct kgr_opt *opt = NULL;
		enum kgr_exit ret;

		for (size_t i = 0; i < kgr_opt_count; i++)
			if (kgr_opts[i].letter == *arg)
				opt = &kgr_opts[i];
		if (!opt)
			return kgr_fail(ctx, KGR_EXIT_USAGE, "unknown option '-%c'", *arg);
		ret = set_option(ctx, args, opt, opt->arg && arg[1] ? arg + 1 : NULL);
		if (ret || opt->arg)
			return ret;
	}
	return KGR_EXIT_OK;
}

static enum kgr_exit check_options(struct kgr_ctx *ctx)
{
	unsigned int given = ctx->opts.given;

	for (size_t i = 0; i < kgr_opt_count; i++) {
		const struct kgr_opt *opt = &kgr_opts[i];

		if (!(given & opt->bit))
			continue;
		if (ctx->cmd && !(ctx->cmd->options & opt->bit))
			return kgr_fail(ctx, KGR_EXIT_USAGE, "'%s' has no option '--%s'",
					ctx->cmd->name, opt->name);
		for (size_t j = i; j < kgr_opt_count; j++)
			if (given & opt->excludes & kgr_opts[j].bit)
				return kgr_fail(ctx, KGR_EXIT_USAGE,
						"'--%s' and '--%s' exclude each other",
						opt->name, kgr_opts[j].name);
	}
	if ((given & KGR_OPT_ONTIMEOUT) && ctx->opts.timeout_ms <= 0)
		return kgr_fail(ctx, KGR_EXIT_USAGE,
				"'--on-timeout' needs a '--timeout' other than 0");
	/* nobody waits: then it can only be the kernel's */
	if ((given & KGR_OPT_NOWAIT) && (given & KGR_OPT_TIMEOUT) && !(given & KGR_OPT_ONTIMEOUT))
		return kgr_fail(ctx, KGR_EXIT_USAGE,
				"'--no-wait' and '--timeout' exclude each other, unless '--on-timeout' is given");
	return KGR_EXIT_OK;
}

static enum kgr_exit check_operands(struct kgr_ctx *ctx)
{
	const struct kgr_cmd *cmd = ctx->cmd;
	enum kgr_exit ret;

	if (ctx->opts.argc < cmd->min_args)
		ret = kgr_fail(ctx, KGR_EXIT_USAGE, "operand missing: %s", cmd->operands);
	else if (cmd->max_args >= 0 && ctx->opts.argc > cmd->max_args)
		ret = kgr_fail(ctx, KGR_EXIT_USAGE, "operand '%s' is one too many",
			       ctx->opts.argv[cmd->max_args]);
	else
		return KGR_EXIT_OK;
	kgr_next(ctx, "kgr-ctl help %s", cmd->name);
	return ret;
}

static enum kgr_exit take_operand(struct kgr_ctx *ctx, const char *arg)
{
	if (ctx->cmd) {
		ctx->opts.argv[ctx->opts.argc++] = arg;
		return KGR_EXIT_OK;
	}
	ctx->cmd = kgr_cmd_find(arg);
	if (ctx->cmd)
		return KGR_EXIT_OK;
	kgr_fail(ctx, KGR_EXIT_USAGE, "no command '%s'", arg);
	kgr_next(ctx, "kgr-ctl help");
	return KGR_EXIT_USAGE;
}

/* Fills ctx->cmd (NULL when only --help was given) and ctx->opts */
enum kgr_exit kgr_opts_parse(struct kgr_ctx *ctx, int argc, char **argv)
{
	struct args args = { .argc = argc, .argv = argv, .next = 1 };
	bool options_end = false;
	enum kgr_exit ret = KGR_EXIT_OK;

	ctx->opts = (struct kgr_opts) {
		.timeout_ms = -1,
		.argv = calloc(argc + 1, sizeof(*ctx->opts.argv)),
	};
	if (!ctx->opts.argv)
		return kgr_fail(ctx, KGR_EXIT_FAIL, "out of memory");

	while (!ret && args.next < argc) {
		const char *arg = argv[args.next++];

		if (options_end || arg[0] != '-' || !arg[1])
			ret = take_operand(ctx, arg);
		else if (!strcmp(arg, "--"))
			options_end = true;
		else if (arg[1] == '-')
			ret = parse_long(ctx, &args, arg + 2);
		else
			ret = parse_short(ctx, &args, arg + 1);
	}
	/* an error is shown as JSON too when the option comes after what is wrong */
	for (int i = args.next; ret && i < argc && strcmp(argv[i], "--"); i++)
		if (!strcmp(argv[i], "--json") || !strcmp(argv[i], "-j"))
			ctx->opts.given |= KGR_OPT_JSON;
	if (!ret)
		ret = check_options(ctx);
	if (ret || kgr_opt(ctx, KGR_OPT_HELP))
		return ret;
	if (!ctx->cmd) {
		kgr_fail(ctx, KGR_EXIT_USAGE, "no command given");
		kgr_next(ctx, "kgr-ctl help");
		return KGR_EXIT_USAGE;
	}
	if (ctx->opts.timeout_ms < 0)
		ctx->opts.timeout_ms = ctx->cmd->timeout_ms;
	return check_operands(ctx);
}

void kgr_opts_free(struct kgr_opts *opts)
{
	free(opts->argv);
	*opts = (struct kgr_opts) { 0 };
}
