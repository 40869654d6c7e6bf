// SPDX-License-Identifier: GPL-2.0
/* kgr-build: from source diffs to a kGraft patch module */
#include <stdio.h>
#include <stdlib.h>

#include "explain.h"
#include "kgr-build.h"
#include "special.h"

static int print(struct buf *text)
{
	return fputs(text->s, stdout) < 0 || fflush(stdout) ? EXIT_FAIL : EXIT_SAFE;
}

static int run(struct kgr_build *b)
{
	struct buf explained = { .arena = &b->arena };

	b->diag.arena = &b->arena;
	if (!package_check(b))
		run_passes(b);
	package_write(b);
	html_write(b);
	for (size_t i = 0; !diag_fatal(&b->diag) && i < b->opts.explain.n; i++)
		explain(b, b->opts.explain.v[i], &explained);
	if (b->tmp && b->opts.keep_tmp)
		fprintf(stderr, "kgr-build: temporary files are in %s\n", b->tmp);
	else if (b->tmp && remove_tree(b->tmp))
		diag(&b->diag, D_IO, AT_FILE(b->tmp), "can't be removed");
	report_text(b);
	if (explained.n && fputs(explained.s, b->opts.json ? stderr : stdout) < 0)
		return EXIT_FAIL;
	if (b->opts.json && report_json(b))
		return EXIT_FAIL;
	return exit_code(b);
}

int main(int argc, char **argv)
{
	struct kgr_build b = { 0 };
	struct buf text = { .arena = &b.arena };
	int code = EXIT_USAGE;
	char *error;

	switch (opts_parse(&b.arena, argc, argv, &b.opts, &error)) {
	case OPTS_RUN:
		code = run(&b);
		break;
	case OPTS_HELP:
		opts_help(&text);
		code = print(&text);
		break;
	case OPTS_VERSION:
		buf_puts(&text, "kgr-build " KGR_BUILD_VERSION "\n");
		code = print(&text);
		break;
	case OPTS_LIST_ERRORS:
		diag_catalogue(&text);
		code = print(&text);
		break;
	case OPTS_LIST_SECTIONS:
		section_list(&text);
		code = print(&text);
		break;
	case OPTS_BAD:
		fprintf(stderr, "kgr-build: %s\nTry 'kgr-build --help'.\n", error);
		break;
	}
	arena_free(&b.arena);
	return code;
}
