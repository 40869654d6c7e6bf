// SPDX-License-Identifier: GPL-2.0
/*
 * Help and the generated parts of the man page, both made from the tables.
 */
#include <string.h>

#include "kgr-ctl.h"
#include "out.h"
#include "reasons.h"

#define HELP_WIDTH	78

/* Prints @text with lines of at most HELP_WIDTH, the first one beginning at @column */
static void put_wrapped(FILE *f, const char *text, int indent, int column)
{
	while (*text) {
		size_t len = strcspn(text, " ");

		if (column + (int)len > HELP_WIDTH && column > indent) {
			fprintf(f, "\n%*s", indent, "");
			column = indent;
		}
		fprintf(f, "%.*s", (int)len, text);
		column += (int)len;
		text += len;
		if (*text == ' ') {
			text++;
			if (column + 1 + (int)strcspn(text, " ") <= HELP_WIDTH) {
				fputc(' ', f);
				column++;
			} else {
				column = HELP_WIDTH + 1;
			}
		}
	}
	fputc('\n', f);
}

/* "[--wait|--no-wait] [--timeout SECONDS]": those options of @cmd that not all have */
static void put_cmd_options(FILE *f, unsigned int options)
{
	options &= ~KGR_OPTS_GLOBAL;
	for (size_t i = 0; i < kgr_opt_count; i++) {
		const struct kgr_opt *opt = &kgr_opts[i];

		if (!(options & opt->bit))
			continue;
		if (opt->bit == KGR_OPT_NOWAIT)
			continue;	/* shown with --wait */
		fprintf(f, " [--%s%s%s%s]", opt->name,
			opt->bit == KGR_OPT_WAIT ? "|--no-wait" : "",
			opt->arg ? " " : "", opt->arg ? opt->arg : "");
	}
}

static void put_synopsis(FILE *f, const struct kgr_cmd *cmd)
{
	fprintf(f, "kgr-ctl %s", cmd->name);
	if (*cmd->operands)
		fprintf(f, " %s", cmd->operands);
	put_cmd_options(f, cmd->options);
	fputc('\n', f);
}

static void put_opt(FILE *f, const struct kgr_opt *opt)
{
	char head[40];

	if (opt->letter)
		snprintf(head, sizeof(head), "-%c, --%s", opt->letter, opt->name);
	else
		snprintf(head, sizeof(head), "    --%s", opt->name);
	if (opt->arg) {
		strncat(head, " ", sizeof(head) - strlen(head) - 1);
		strncat(head, opt->arg, sizeof(head) - strlen(head) - 1);
	}
	fprintf(f, "  %-22s  ", head);
	put_wrapped(f, opt->help, 26, 26);
}

static void put_opts(FILE *f, unsigned int options)
{
	for (size_t i = 0; i < kgr_opt_count; i++)
		if (options & kgr_opts[i].bit)
			put_opt(f, &kgr_opts[i]);
}

/* "blocking, blocking_threads" */
static void put_aliases(FILE *f, const struct kgr_cmd *cmd)
{
	for (const char *p = cmd->aliases; *p; p++)
		fprintf(f, *p == ' ' ? ",%c" : "%c", *p);
}

static void put_summary(FILE *f, const struct kgr_cmd *cmd)
{
	fprintf(f, "  %-11s %s\n", cmd->name, cmd->summary);
	if (!cmd->aliases)
		return;
	fprintf(f, "  %-11s also: ", "");
	put_aliases(f, cmd);
	fputc('\n', f);
}

static void help_all(struct kgr_ctx *ctx)
{
	FILE *f = ctx->out;

	fputs("kgr-ctl: drive and watch kGraft, live patching of the running kernel\n\n", f);
	fputs("Usage: kgr-ctl COMMAND [OPTION...] [OPERAND...]\n\nCommands:\n", f);
	for (size_t i = 0; i < kgr_cmd_count; i++)
		put_summary(f, &kgr_cmds[i]);
	fputs("\nOptions of all commands:\n", f);
	put_opts(f, KGR_OPTS_GLOBAL);
	fputs("\nExit codes:\n", f);
	for (size_t i = 0; i < kgr_exit_count; i++) {
		fprintf(f, "  %3d  ", kgr_exits[i].code);
		put_wrapped(f, kgr_exits[i].text, 7, 7);
	}
	fputs("\n'kgr-ctl help COMMAND' tells more.\n", f);
}

static void help_cmd(struct kgr_ctx *ctx, const struct kgr_cmd *cmd)
{
	FILE *f = ctx->out;

	fputs("Usage: ", f);
	put_synopsis(f, cmd);
	fprintf(f, "\n%s\n", cmd->summary);
	if (*cmd->help)
		put_wrapped(f, cmd->help, 0, 0);
	if (cmd->aliases) {
		fputs("\nAlso known as: ", f);
		put_aliases(f, cmd);
		fputc('\n', f);
	}
	if (cmd->timeout_ms)
		fprintf(f, "\nWithout --timeout it waits for at most %lld seconds.\n",
			(long long)cmd->timeout_ms / 1000);
	if (cmd->options & ~KGR_OPTS_GLOBAL) {
		fputs("\nOptions:\n", f);
		put_opts(f, cmd->options & ~KGR_OPTS_GLOBAL);
	}
	fputs("\nOptions of all commands:\n", f);
	put_opts(f, cmd->options & KGR_OPTS_GLOBAL);
}

static json_t *cmd_json(const struct kgr_cmd *cmd)
{
	json_t *options = json_array();

	for (size_t i = 0; i < kgr_opt_count; i++)
		if (cmd->options & kgr_opts[i].bit)
			json_array_append_new(options, json_string(kgr_opts[i].name));
	return json_pack("{s:s,s:o,s:s,s:s,s:s,s:o}", "name", cmd->name,
			 "aliases", kgr_json_words(cmd->aliases), "operands", cmd->operands,
			 "summary", cmd->summary, "help", cmd->help, "options", options);
}

static void help_json(struct kgr_ctx *ctx, const struct kgr_cmd *cmd)
{
	json_t *rows = json_array();

	for (size_t i = 0; i < kgr_cmd_count; i++)
		if (!cmd || cmd == &kgr_cmds[i])
			json_array_append_new(rows, cmd_json(&kgr_cmds[i]));
	ctx->cmd = kgr_cmd_find("help");
	kgr_json_dump(ctx, json_pack("{s:o}", "commands", rows));
}

void kgr_help(struct kgr_ctx *ctx, const struct kgr_cmd *cmd)
{
	if (ctx->json)
		help_json(ctx, cmd);
	else if (cmd)
		help_cmd(ctx, cmd);
	else
		help_all(ctx);
}

static void man_synopsis(FILE *f)
{
	for (size_t i = 0; i < kgr_cmd_count; i++) {
		fputs("| ", f);
		put_synopsis(f, &kgr_cmds[i]);
	}
}

static void man_commands(FILE *f)
{
	for (size_t i = 0; i < kgr_cmd_count; i++) {
		const struct kgr_cmd *cmd = &kgr_cmds[i];

		fprintf(f, "%s**%s**%s%s\n    ", i ? "\n" : "", cmd->name,
			*cmd->operands ? " " : "", cmd->operands);
		put_wrapped(f, cmd->summary, 4, 4);
		if (*cmd->help) {
			fputs("    ", f);
			put_wrapped(f, cmd->help, 4, 4);
		}
		if (cmd->aliases) {
			fputs("    Also known as: ", f);
			put_aliases(f, cmd);
			fputs(".\n", f);
		}
		if (cmd->timeout_ms)
			fprintf(f, "    Without **--timeout** it waits for at most %lld seconds.\n",
				(long long)cmd->timeout_ms / 1000);
	}
}

static void man_options(FILE *f)
{
	for (size_t i = 0; i < kgr_opt_count; i++) {
		const struct kgr_opt *opt = &kgr_opts[i];

		fputs(i ? "\n" : "", f);
		if (opt->letter)
			fprintf(f, "**-%c**, ", opt->letter);
		fprintf(f, "**--%s**", opt->name);
		if (opt->arg)
			fprintf(f, " *%s*", opt->arg);
		fputs("\n    ", f);
		put_wrapped(f, opt->help, 4, 4);
	}
}

static void man_exit_status(FILE *f)
{
	for (size_t i = 0; i < kgr_exit_count; i++) {
		fprintf(f, "%s**%d**  (*%s*)\n    ", i ? "\n" : "", kgr_exits[i].code,
			kgr_exits[i].word);
		put_wrapped(f, kgr_exits[i].text, 4, 4);
	}
}

static void man_reasons(FILE *f)
{
	for (unsigned int i = 0; i < kgr_reason_count; i++) {
		const struct kgr_reason *reason = kgr_reason(i);

		fprintf(f, "%s**%s**\n    ", i ? "\n" : "", reason->name);
		put_wrapped(f, reason->what, 4, 4);
		fputs("    Remedy: ", f);
		put_wrapped(f, reason->remedy, 4, 12);
	}
}

static void man_journal(FILE *f)
{
	for (size_t i = 0; i < kgr_cmd_count; i++)
		if (kgr_cmds[i].message_id)
			fprintf(f, "| *%s* **%s**\n", kgr_cmds[i].message_id, kgr_cmds[i].name);
}

static const struct {
	const char *name;
	void (*put)(FILE *f);
} man_sections[] = {
	{ "synopsis", man_synopsis },
	{ "commands", man_commands },
	{ "options", man_options },
	{ "exit-status", man_exit_status },
	{ "reasons", man_reasons },
	{ "journal", man_journal },
};

enum kgr_exit kgr_man_section(struct kgr_ctx *ctx, const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(man_sections); i++) {
		if (!strcmp(man_sections[i].name, name)) {
			man_sections[i].put(ctx->out);
			return KGR_EXIT_OK;
		}
	}
	return kgr_fail(ctx, KGR_EXIT_USAGE, "the man page has no generated section '%s'", name);
}
