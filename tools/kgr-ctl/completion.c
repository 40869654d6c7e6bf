// SPDX-License-Identifier: GPL-2.0
/*
 * Completion for shells, made from the tables of commands and options.
 */
#include <string.h>

#include "kgr-ctl.h"

/* What an operand or an option's value is, by its name; an operand may be one of several */
static const struct kind {
	const char *name;
	const char *bash;	/* a function of the script, which prints words */
	const char *zsh;	/* an action of _arguments */
} kinds[] = {
	{ "MODULE.ko", "_kgr_ctl_files", "_files -g '*.ko*'" },
	{ "NAME", "_kgr_ctl_patches", "_kgr_ctl_patches" },
	{ "COMMAND", "_kgr_ctl_commands", "_kgr_ctl_commands" },
	{ "FUNCTION", "_kgr_ctl_functions", "_kgr_ctl_functions" },
	{ "CVE", "_kgr_ctl_cves", "_kgr_ctl_cves" },
	{ "RELEASE", "_kgr_ctl_releases", "_kgr_ctl_releases" },
};
/* NAME, where it is that of an installed patch */
static const struct kind installed = { NULL, "_kgr_ctl_installed", "_kgr_ctl_installed" };

/* What the shell asks the system: names, one a line */
static const struct {
	const char *name, *what, *script;
} lists[] = {
	{ "patches", "patch", "for i in \"${KGR_SYSFS_ROOT:-/sys}\"/kernel/kgraft/*/owner; do "
			      "[ -e \"$i\" ] && i=${i%/owner} && echo \"${i##*/}\"; done" },
	{ "installed", "installed patch",
	  "cat \"${KGR_STORE_ROOT:-/var/lib/kgraft}\"/*/index 2>/dev/null </dev/null | sed -n 's/ .*//p'" },
	{ "releases", "kernel", "for i in \"${KGR_STORE_ROOT:-/var/lib/kgraft}\"/*/index; do "
				"[ -e \"$i\" ] && i=${i%/index} && echo \"${i##*/}\"; done" },
	{ "functions", "function", "cat \"${KGR_SYSFS_ROOT:-/sys}\"/kernel/kgraft/*/state 2>/dev/null </dev/null | "
				   "sed -n '/^Function /d; s/ .*//p'" },
	{ "cves", "CVE", "cat \"${KGR_SYSFS_ROOT:-/sys}\"/kernel/kgraft/*/cve 2>/dev/null </dev/null | tr ' ' '\\n'" },
};

static const struct kind *operand_kind(const struct kgr_cmd *cmd, size_t k)
{
	if (!strstr(cmd->operands, kinds[k].name))
		return NULL;
	return cmd->of_store && !strcmp(kinds[k].name, "NAME") ? &installed : &kinds[k];
}

static const struct kind *value_kind(const struct kgr_opt *opt)
{
	for (size_t k = 0; opt->arg && k < ARRAY_SIZE(kinds); k++)
		if (!strcmp(opt->arg, kinds[k].name))
			return &kinds[k];
	return NULL;
}

/* "[normal|no-apply|stop]" as "normal no-apply stop" */
static void put_operand_words(FILE *f, const struct kgr_cmd *cmd)
{
	const char *p = cmd->operands;

	if (*p != '[' || p[1] < 'a')
		return;
	while (*++p && *p != ']')
		fputc(*p == '|' ? ' ' : *p, f);
}

static void put_lists(FILE *f, const char *head, const char *tail)
{
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		fprintf(f, "_kgr_ctl_%s()\n{\n\tlocal i\n%s", lists[i].name, head);
		fprintf(f, "%s", lists[i].script);
		if (*tail)
			fprintf(f, tail, lists[i].what);
		fputs("\n}\n\n", f);
	}
}

static bool has_value_list(const struct kgr_opt *opt)
{
	return opt->arg && strchr(opt->arg, '|');
}

static bool is_file(const struct kgr_opt *opt)
{
	return opt->arg && !strcmp(opt->arg, "FILE");
}

/* "keep|revert" as "keep revert" */
static void put_values(FILE *f, const struct kgr_opt *opt)
{
	for (const char *p = opt->arg; *p; p++)
		fputc(*p == '|' ? ' ' : *p, f);
}

static void put_opt_words(FILE *f, unsigned int options)
{
	for (size_t i = 0; i < kgr_opt_count; i++)
		if (options & kgr_opts[i].bit)
			fprintf(f, " --%s", kgr_opts[i].name);
}

/* "load|patches" */
static void put_pattern(FILE *f, const struct kgr_cmd *cmd)
{
	fputs(cmd->name, f);
	for (const char *p = cmd->aliases ? cmd->aliases : ""; *p; p++) {
		if (p == cmd->aliases)
			fputc('|', f);
		fputc(*p == ' ' ? '|' : *p, f);
	}
}

/* Cases for the options that take a value */
static void bash_values(FILE *f)
{
	for (size_t i = 0; i < kgr_opt_count; i++) {
		const struct kgr_opt *opt = &kgr_opts[i];

		if (!opt->arg)
			continue;
		fprintf(f, "\t--%s", opt->name);
		if (opt->letter)
			fprintf(f, "|-%c", opt->letter);
		if (value_kind(opt)) {
			fprintf(f, ") words=$(%s)", value_kind(opt)->bash);
		} else {
			fputs(") words='", f);
			if (has_value_list(opt))
				put_values(f, opt);
			fputc('\'', f);
		}
		fprintf(f, "; value=%s ;;\n", is_file(opt) ? "files" : "any");
	}
}

static void bash_commands(FILE *f)
{
	for (size_t i = 0; i < kgr_cmd_count; i++) {
		const struct kgr_cmd *cmd = &kgr_cmds[i];

		fputc('\t', f);
		put_pattern(f, cmd);
		fputs(") options='", f);
		put_opt_words(f, cmd->options);
		fputs("'; operands='", f);
		for (size_t k = 0; k < ARRAY_SIZE(kinds); k++)
			if (operand_kind(cmd, k))
				fprintf(f, " %s", operand_kind(cmd, k)->bash);
		fputs("'; words='", f);
		put_operand_words(f, cmd);
		fputs("' ;;\n", f);
	}
}

static void put_command_words(FILE *f)
{
	for (size_t i = 0; i < kgr_cmd_count; i++)
		fprintf(f, "%s%s", i ? " " : "", kgr_cmds[i].name);
}

static void put_bash(FILE *f)
{
	fputs("# Completion of kgr-ctl for bash; made by kgr-ctl --completion=bash\n", f);
	put_lists(f, "\t", "");
	fputs("_kgr_ctl_commands()\n{\n\techo '", f);
	put_command_words(f);
	fputs("'\n}\n\n"
	      "# Files that may be modules, and directories that lead there\n"
	      "_kgr_ctl_files()\n{\n"
	      "\tcompgen -f -X '!*.ko?(.gz|.xz|.zst)' -- \"$1\"\n"
	      "\tcompgen -d -S / -- \"$1\"\n}\n\n"
	      "# What may follow the option $1: sets words and value\n"
	      "_kgr_ctl_value()\n{\n\twords='' value=''\n\tcase $1 in\n", f);
	bash_values(f);
	fputs("\tesac\n}\n\n"
	      "# What the command $1 takes: sets options, operands and words\n"
	      "_kgr_ctl_command()\n{\n\toptions='' operands=''\n\tcase $1 in\n", f);
	bash_commands(f);
	fputs("\tesac\n}\n\n"
	      "_kgr_ctl()\n{\n"
	      "\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
	      "\tlocal command='' words value options operands i kind\n"
	      "\tshopt -q extglob || local restore=1\n"
	      "\tshopt -s extglob\n"
	      "\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
	      "\t\t_kgr_ctl_value \"${COMP_WORDS[i]}\"\n"
	      "\t\tif [ -n \"$value\" ]; then\n"
	      "\t\t\t((i++))\n"
	      "\t\telif [[ ${COMP_WORDS[i]} != -* ]]; then\n"
	      "\t\t\tcommand=${COMP_WORDS[i]}\n"
	      "\t\t\tbreak\n"
	      "\t\tfi\n"
	      "\tdone\n"
	      "\t_kgr_ctl_value \"$prev\"\n"
	      "\t[ \"$value\" != files ] || words=$(compgen -f -- \"$cur\")\n"
	      "\tif [ -z \"$value\" ]; then\n"
	      "\t\t_kgr_ctl_command \"$command\"\n"
	      "\t\tif [ -z \"$command\" ]; then\n"
	      "\t\t\toptions='", f);
	put_opt_words(f, KGR_OPTS_GLOBAL);
	fputs("'\n"
	      "\t\t\toperands=_kgr_ctl_commands\n"
	      "\t\tfi\n"
	      "\t\tif [[ $cur == -* ]]; then\n"
	      "\t\t\twords=$options\n"
	      "\t\telse\n"
	      "\t\t\tfor kind in $operands; do\n"
	      "\t\t\t\twords+=\" $($kind \"$cur\")\"\n"
	      "\t\t\tdone\n"
	      "\t\tfi\n"
	      "\tfi\n"
	      "\tmapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")\n"
	      "\t[[ ${COMPREPLY[0]-} != */ ]] || compopt -o nospace 2>/dev/null\n"
	      "\t[ -z \"${restore-}\" ] || shopt -u extglob\n"
	      "}\n\n"
	      "complete -F _kgr_ctl kgr-ctl\n", f);
}

/* In single quotes, where _arguments takes ':' and brackets for its own */
static void zsh_quoted(FILE *f, const char *s)
{
	for (; *s; s++) {
		if (*s == '\'')
			fputs("'\\'", f);
		else if (strchr(":[]", *s))
			fputc('\\', f);
		fputc(*s, f);
	}
}

static void zsh_opts(FILE *f, unsigned int options)
{
	for (size_t i = 0; i < kgr_opt_count; i++) {
		const struct kgr_opt *opt = &kgr_opts[i];

		if (!(options & opt->bit))
			continue;
		fprintf(f, " \\\n\t\t\t'--%s%s[", opt->name, opt->arg ? "=" : "");
		zsh_quoted(f, opt->help);
		fputc(']', f);
		if (opt->arg) {
			fputc(':', f);
			zsh_quoted(f, opt->name);
			fputc(':', f);
			if (has_value_list(opt)) {
				fputc('(', f);
				put_values(f, opt);
				fputc(')', f);
			} else if (is_file(opt)) {
				fputs("_files", f);
			} else if (value_kind(opt)) {
				fputs(value_kind(opt)->zsh, f);
			}
		}
		fputc('\'', f);
	}
}

static void zsh_commands(FILE *f)
{
	for (size_t i = 0; i < kgr_cmd_count; i++) {
		const struct kgr_cmd *cmd = &kgr_cmds[i];

		fputs("\t\t", f);
		put_pattern(f, cmd);
		fputs(") _arguments", f);
		zsh_opts(f, cmd->options);
		fputs(" \\\n\t\t\t\"*:operand:{:", f);
		for (size_t k = 0; k < ARRAY_SIZE(kinds); k++)
			if (operand_kind(cmd, k))
				fprintf(f, "; %s", operand_kind(cmd, k)->zsh);
		if (*cmd->operands == '[' && cmd->operands[1] >= 'a') {
			fputs("; compadd ", f);
			put_operand_words(f, cmd);
		}
		fputs("}\"", f);
		fputs(" ;;\n", f);
	}
}

static void put_zsh(FILE *f)
{
	fputs("#compdef kgr-ctl\n"
	      "# Completion of kgr-ctl for zsh; made by kgr-ctl --completion=zsh\n", f);
	/* a pattern that fits nothing is no error of whoever presses Tab */
	put_lists(f, "\tsetopt localoptions nullglob\n\tlocal -aU names\n\tnames=(${(f)\"$(",
		  ")\"})\n\t_describe '%s' names");
	fputs("_kgr_ctl_commands()\n{\n"
	      "\tlocal -a commands\n\tcommands=(\n", f);
	for (size_t i = 0; i < kgr_cmd_count; i++) {
		fprintf(f, "\t\t'%s:", kgr_cmds[i].name);
		zsh_quoted(f, kgr_cmds[i].summary);
		fputs("'\n", f);
	}
	fputs("\t)\n\t_describe command commands\n}\n\n"
	      "_kgr_ctl()\n{\n"
	      "\tlocal context state state_descr line\n"
	      "\ttypeset -A opt_args\n"
	      "\t_arguments -C", f);
	zsh_opts(f, KGR_OPTS_GLOBAL);
	fputs(" \\\n\t\t\t'1:command:_kgr_ctl_commands' \\\n"
	      "\t\t\t'*::operand:->operands'\n"
	      "\t[[ $state == operands ]] || return\n"
	      "\tcase $line[1] in\n", f);
	zsh_commands(f);
	fputs("\tesac\n}\n\n"
	      "_kgr_ctl \"$@\"\n", f);
}

enum kgr_exit kgr_completion(struct kgr_ctx *ctx, const char *shell)
{
	if (!strcmp(shell, "bash"))
		put_bash(ctx->out);
	else if (!strcmp(shell, "zsh"))
		put_zsh(ctx->out);
	else
		return kgr_fail(ctx, KGR_EXIT_USAGE, "no completion for '%s': bash or zsh", shell);
	return KGR_EXIT_OK;
}
