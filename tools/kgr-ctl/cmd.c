// SPDX-License-Identifier: GPL-2.0
/*
 * The command table; help and the generated parts of the man page come from it.
 */
#include <string.h>

#include "journal.h"
#include "kgr-ctl.h"

#define WAIT_MS	(60 * 1000)	/* what commands that start a transition wait by default */
#define AUTOLOAD_MS	(30 * 1000)	/* what a boot waits for each patch */

static enum kgr_exit cmd_help(struct kgr_ctx *ctx);

const struct kgr_cmd kgr_cmds[] = {
	{
		.name = "load",
		.operands = "{MODULE.ko|MODULE} [PARAM=VALUE...]",
		.summary = "Load a patch module and apply its patch.",
		.help =
"What holds a '/' or ends in .ko (or .ko.gz, .ko.xz, .ko.zst) is a file, anything else the name of "
"an installed module. Modules that are not kGraft patches are refused. A patch that is applied "
"already is success.",
		.options = KGR_OPTS_GLOBAL | KGR_OPTS_WAIT,
		.min_args = 1, .max_args = -1,
		.timeout_ms = WAIT_MS,
		.message_id = "a7fe4150ca534f9ea8977df959c0363b",
		.run = kgr_cmd_load,
	}, {
		.name = "replace",
		.operands = "{MODULE.ko|MODULE} [PARAM=VALUE...]",
		.summary = "Load a cumulative patch in place of all others of its set.",
		.help =
"As load, but a patch that would not replace the others is refused. Where the module does not say "
"so itself (module information 'kgraft_replace', or a patch made by kgr-build) it has to be loaded to "
"find out: a patch that is not cumulative is reverted at once and its module removed again.",
		.options = KGR_OPTS_GLOBAL | KGR_OPTS_WAIT,
		.min_args = 1, .max_args = -1,
		.timeout_ms = WAIT_MS,
		.message_id = "7a230ad2b2b04e5baa9e01f2a0246bcb",
		.run = kgr_cmd_replace,
	}, {
		.name = "unload",
		.operands = "NAME",
		.summary = "Remove the module of a reverted patch.",
		.help =
"A patch that is still applied is refused unless --revert is given. A reversal under way is waited "
"for.",
		.options = KGR_OPTS_GLOBAL | KGR_OPT_TIMEOUT | KGR_OPT_REVERT,
		.min_args = 1, .max_args = 1,
		.timeout_ms = WAIT_MS,
		.message_id = "e7a3b8373c86461884f5f24ac4358080",
		.run = kgr_cmd_unload,
	}, {
		.name = "revert",
		.operands = "NAME",
		.summary = "Take a patch back; in mid-transition, turn it round.",
		.help =
"The module stays loaded: enable applies the patch again, unload removes the module. A patch that is "
"reverted already is success.",
		.options = KGR_OPTS_GLOBAL | KGR_OPTS_WAIT,
		.min_args = 1, .max_args = 1,
		.timeout_ms = WAIT_MS,
		.message_id = "c4ca283cf0784c51a80b2b482d328313",
		.run = kgr_cmd_revert,
	}, {
		.name = "enable",
		.operands = "NAME",
		.summary = "Apply a reverted patch again; in mid-reversal, turn it round.",
		.help =
"A patch that is applied already is success.",
		.options = KGR_OPTS_GLOBAL | KGR_OPTS_WAIT,
		.min_args = 1, .max_args = 1,
		.timeout_ms = WAIT_MS,
		.message_id = "f9b70225ea0d47289634d60f9eec5f36",
		.run = kgr_cmd_enable,
	}, {
		.name = "status",
		.operands = "",
		.summary = "Say whether a transition runs, and how far it is.",
		.help =
"While one runs: which patch, how many contexts have migrated, and why the others have not.",
		.options = KGR_OPTS_GLOBAL,
		.run = kgr_cmd_status,
	}, {
		.name = "check",
		.operands = "",
		.summary = "Tell by the exit code whether a transition runs: 0 no, 1 yes.",
		.help =
"Names the patch in transition. Other exit codes mean that it could not be found out.",
		.options = KGR_OPTS_GLOBAL,
		.run = kgr_cmd_check,
	}, {
		.name = "watch",
		.operands = "[NAME]",
		.summary = "Watch a transition until it is complete.",
		.help =
"Shows progress and stragglers on a terminal, drawn anew whenever the kernel reports something; "
"elsewhere prints a line for each change. Otherwise as wait.",
		.options = KGR_OPTS_GLOBAL | KGR_OPT_TIMEOUT,
		.max_args = 1,
		.run = kgr_cmd_watch,
	}, {
		.name = "list",
		.aliases = "patches",
		.operands = "",
		.summary = "List the patches of the running kernel.",
		.help =
"Sorted by name. A patch stays listed until its module is unloaded.",
		.options = KGR_OPTS_GLOBAL,
		.run = kgr_cmd_list,
	}, {
		.name = "info",
		.operands = "{NAME|MODULE.ko}",
		.summary = "Show everything about one patch or one module file.",
		.help =
"A name is that of a patch in the kernel, of its module, or else of an installed module. For a file, "
"says whether it was made for the running kernel.",
		.options = KGR_OPTS_GLOBAL,
		.min_args = 1, .max_args = 1,
		.run = kgr_cmd_info,
	}, {
		.name = "show",
		.operands = "FUNCTION",
		.summary = "Show which patches replace a function, and whose body is in force.",
		.help =
"The newest variant comes first; below the last one is the kernel's own function.",
		.options = KGR_OPTS_GLOBAL,
		.min_args = 1, .max_args = 1,
		.run = kgr_cmd_show,
	}, {
		.name = "cve",
		.operands = "",
		.summary = "List what the patches fix, or ask for one CVE.",
		.help =
"A CVE is patched when a patch that names it is applied, with no transition of it running.",
		.options = KGR_OPTS_GLOBAL | KGR_OPT_ISPATCHED,
		.run = kgr_cmd_cve,
	}, {
		.name = "uname",
		.operands = "",
		.summary = "Show the effective version: the kernel's release and what is applied.",
		.help =
"In the order in which the patches were applied, as in 6.12.1+kgr-fix.",
		.options = KGR_OPTS_GLOBAL,
		.run = kgr_cmd_uname,
	}, {
		.name = "preflight",
		.operands = "{MODULE.ko|MODULE}",
		.summary = "Say beforehand whether a patch can be applied, and who would straggle.",
		.help =
"Changes nothing. Is the module for this kernel, would it be let in, do its functions exist, can each "
"be redirected and how, who else holds them, which threads are in them just now? The exit code is that "
"of the first check that fails, 0 for warnings; load begins with those that cost nothing.",
		.options = KGR_OPTS_GLOBAL,
		.min_args = 1, .max_args = 1,
		.run = kgr_cmd_preflight,
	}, {
		.name = "conflicts",
		.operands = "[{MODULE.ko|MODULE}]",
		.summary = "Name who else decides where functions continue.",
		.help =
"For a patch module: other patches and other users of ftrace (livepatch, kprobes with a post_handler, "
"fail_function) that hold its functions. Without: all functions that others than kGraft hold, and those "
"that several patches replace. The exit code is 4 when one is held by others.",
		.options = KGR_OPTS_GLOBAL,
		.max_args = 1,
		.run = kgr_cmd_conflicts,
	}, {
		.name = "verify",
		.operands = "[NAME]",
		.summary = "Compare what is applied with what stands at the functions' entries.",
		.help =
"For each function of a patch, or of all: do its state, its redirect and ftrace's enabled_functions "
"agree?",
		.options = KGR_OPTS_GLOBAL,
		.max_args = 1,
		.run = kgr_cmd_verify,
	}, {
		.name = "doctor",
		.operands = "",
		.summary = "Look for what is wrong with kGraft on this host.",
		.help =
"The exit code is that of the first check that fails, 0 for warnings.",
		.options = KGR_OPTS_GLOBAL,
		.run = kgr_cmd_doctor,
	}, {
		.name = "stragglers",
		.aliases = "blocking blocking_threads",
		.operands = "",
		.summary = "List the contexts that have not migrated, why, and what helps.",
		.help =
"Empty when no transition runs. The reasons are a closed list.",
		.options = KGR_OPTS_GLOBAL | KGR_OPT_VERBOSE,
		.run = kgr_cmd_stragglers,
	}, {
		.name = "nudge",
		.aliases = "poke signal",
		.operands = "[PID]",
		.summary = "Nudge stragglers now: wake, reschedule, fake signal.",
		.help =
"PID may be a process, then all its threads that are left are nudged, or one thread. No signal "
"handler runs; system calls that can restart do so, others may return EINTR.",
		.options = KGR_OPTS_GLOBAL | KGR_OPT_ALL,
		.max_args = 1,
		.run = kgr_cmd_nudge,
	}, {
		.name = "force",
		.operands = "NAME",
		.summary = "As a last resort, complete a transition by force.",
		.help =
"Whoever is left counts as migrated, wherever it is, and may see old and new functions mixed. The "
"kernel is tainted, and the modules of all patches in force can't be unloaded any more, until the next "
"boot. Asks for the patch's name to be typed; scripts give it with --yes-i-understand. Nudging and "
"reverting come before this.",
		.options = KGR_OPTS_GLOBAL | KGR_OPT_YES,
		.min_args = 1, .max_args = 1,
		.message_id = "4d18a10cec5343129c28ccdc59a1dfc1",
		.run = kgr_cmd_force,
	}, {
		.name = "wait",
		.operands = "[NAME]",
		.summary = "Wait until a transition is complete.",
		.help =
"Without NAME, for the one that runs. If none does, that is success at once. There is no time limit "
"unless --timeout sets one.",
		.options = KGR_OPTS_GLOBAL | KGR_OPT_TIMEOUT,
		.max_args = 1,
		.run = kgr_cmd_wait,
	}, {
		.name = "install",
		.operands = "{MODULE.ko|NAME}",
		.summary = "Have a patch module loaded at every boot of the kernel it is for.",
		.help =
"Copies it into the store; the running kernel is not changed. A module that is installed under the "
"same name is replaced; the same file again is success, and lifts no hold of the guard. A kill or a "
"full disk at any point leaves what was installed before.",
		.options = KGR_OPTS_GLOBAL | KGR_OPT_INITRAMFS,
		.min_args = 1, .max_args = 1,
		.message_id = "e8d41a53cfd543978bd0c82a64b12d5c",
		.run = kgr_cmd_install,
	}, {
		.name = "uninstall",
		.operands = "NAME",
		.of_store = true,
		.summary = "Don't load a patch at boot any more.",
		.help =
"Removes it from the store. What runs goes on running until the next boot, unless --revert is given.",
		.options = KGR_OPTS_GLOBAL | KGR_OPT_KERNEL | KGR_OPT_REVERT | KGR_OPT_TIMEOUT,
		.min_args = 1, .max_args = 1,
		.timeout_ms = WAIT_MS,
		.message_id = "97c4f7f88cc9438e99b2ec52e9d30b02",
		.run = kgr_cmd_uninstall,
	}, {
		.name = "autoload",
		.operands = "[NAME]",
		.of_store = true,
		.summary = "Load all installed patches of the running kernel, or one: what the boot does.",
		.help =
"In the order in which they were installed, --timeout for each. Does nothing if the mode is not "
"normal, or with kgraft=off on the kernel's command line. A patch after whose loading the machine "
"went down without a shutdown is held back; --retry lifts that. Each one that is not loaded is "
"explained, and the exit code is 1 then.",
		.options = KGR_OPTS_GLOBAL | KGR_OPT_TIMEOUT | KGR_OPT_INITRAMFS | KGR_OPT_RETRY |
			   KGR_OPT_CONFIRM | KGR_OPT_SHUTDOWN,
		.max_args = 1,
		.timeout_ms = AUTOLOAD_MS,
		.run = kgr_cmd_autoload,
	}, {
		.name = "mode",
		.operands = "[normal|no-apply|stop]",
		.summary = "Show or set what this host does with patches.",
		.help =
"normal: installed patches are applied at boot. no-apply: they are not; load and enable work. stop: "
"load and enable refuse as well. What is applied already stays so, and revert and unload always work.",
		.options = KGR_OPTS_GLOBAL | KGR_OPT_GUARD,
		.max_args = 1,
		.message_id = "12986ed3c0cf4841800a099b288d483e",
		.run = kgr_cmd_mode,
	}, {
		.name = "metrics",
		.operands = "",
		.summary = "Show what monitoring wants to know, as OpenMetrics text.",
		.help =
"Patches by state, the transition with its age and who holds it up by reason, what is installed and "
"held back, the effective version. A kernel without kGraft is an answer too: kgraft_available is 0. "
"With --output, for the textfile collector of node_exporter.",
		.options = KGR_OPTS_GLOBAL | KGR_OPT_OUTPUT,
		.run = kgr_cmd_metrics,
	}, {
		.name = "help",
		.operands = "[COMMAND]",
		.summary = "Show help on all commands, or on one.",
		.help = "",
		.options = KGR_OPTS_GLOBAL,
		.max_args = 1,
		.run = cmd_help,
	},
};
const size_t kgr_cmd_count = ARRAY_SIZE(kgr_cmds);

static bool has_word(const char *words, const char *word)
{
	size_t len = strcspn(word, " ");

	while (words && len && !word[len]) {
		if (!strncmp(words, word, len) && (!words[len] || words[len] == ' '))
			return true;
		words = strchr(words, ' ');
		words += !!words;
	}
	return false;
}

const struct kgr_cmd *kgr_cmd_find(const char *name)
{
	for (size_t i = 0; i < kgr_cmd_count; i++)
		if (!strcmp(kgr_cmds[i].name, name) || has_word(kgr_cmds[i].aliases, name))
			return &kgr_cmds[i];
	return NULL;
}

static enum kgr_exit cmd_help(struct kgr_ctx *ctx)
{
	const struct kgr_cmd *cmd;

	cmd = ctx->opts.argc ? kgr_cmd_find(ctx->opts.argv[0]) : NULL;
	if (ctx->opts.argc && !cmd) {
		kgr_fail(ctx, KGR_EXIT_USAGE, "no command '%s'", ctx->opts.argv[0]);
		kgr_next(ctx, "kgr-ctl help");
		return KGR_EXIT_USAGE;
	}
	kgr_help(ctx, cmd);
	return KGR_EXIT_OK;
}

static void apply_global_options(struct kgr_ctx *ctx)
{
	ctx->json = kgr_opt(ctx, KGR_OPT_JSON);
	ctx->quiet = kgr_opt(ctx, KGR_OPT_QUIET);
	if (kgr_opt(ctx, KGR_OPT_NOCOLOR)) {
		ctx->color_out = false;
		ctx->color_err = false;
		ctx->progress = false;
		ctx->live = false;
	}
	if (ctx->json || ctx->quiet)
		ctx->progress = false;
}

static enum kgr_exit dispatch(struct kgr_ctx *ctx)
{
	enum kgr_exit ret = KGR_EXIT_OK;

	if (kgr_opt(ctx, KGR_OPT_HELP)) {
		kgr_help(ctx, ctx->cmd);
		return ret;
	}
	ret = ctx->cmd->run(ctx);
	kgr_journal_command(ctx, ret);
	return ret;
}

/* What packaging asks for, made from the tables: "--what=which" */
static const struct {
	const char *prefix;
	enum kgr_exit (*put)(struct kgr_ctx *ctx, const char *which);
} generated[] = {
	{ "--man-section=", kgr_man_section },
	{ "--completion=", kgr_completion },
};

/* Runs the command line @argv; whatever there is to print has been printed */
enum kgr_exit kgr_run(struct kgr_ctx *ctx, int argc, char **argv)
{
	enum kgr_exit ret;
	size_t i, len = 0;

	for (i = 0; argc == 2 && i < ARRAY_SIZE(generated); i++) {
		len = strlen(generated[i].prefix);
		if (!strncmp(argv[1], generated[i].prefix, len))
			break;
	}
	if (argc == 2 && i < ARRAY_SIZE(generated)) {
		ret = generated[i].put(ctx, argv[1] + len);
	} else {
		ret = kgr_opts_parse(ctx, argc, argv);
		apply_global_options(ctx);
		if (!ret)
			ret = dispatch(ctx);
	}
	if (ret)
		kgr_diag_print(ctx);
	fflush(ctx->err);
	if ((fflush(ctx->out) || ferror(ctx->out)) && !ret) {
		fputs("kgr-ctl: can't write to standard output\n", ctx->err);
		ret = KGR_EXIT_FAIL;
	}
	kgr_diag_reset(&ctx->diag);
	kgr_opts_free(&ctx->opts);
	json_decref(ctx->shown);
	ctx->shown = NULL;
	ctx->cmd = NULL;
	return ret;
}
