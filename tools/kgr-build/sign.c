// SPDX-License-Identifier: GPL-2.0
/* Signing the module, by the tree's own sign-file */
#include <unistd.h>

#include "kgr-build.h"

int sign_module(struct kgr_build *b, char *path)
{
	const char *hash = tree_config(&b->tree, "CONFIG_MODULE_SIG_HASH");
	char *tool = tree_path(&b->arena, &b->tree, "scripts/sign-file");
	char *argv[] = {
		tool, (char *)(hash ? hash : "sha256"), (char *)b->opts.sign_key,
		(char *)b->opts.sign_cert, path, NULL
	};
	struct cmd cmd = { .argv = argv };

	if (!b->opts.sign_key) {
		if (tree_config(&b->tree, "CONFIG_MODULE_SIG_FORCE"))
			diag(&b->diag, D_NOT_SIGNED, AT_FILE(b->out_path), "%s", "");
		return 0;
	}
	if (access(tool, X_OK))
		return diag(&b->diag, D_SIGN, AT_FILE(tool), "there is no such program");
	if (run_one(&b->diag, &cmd))
		return -1;
	if (!cmd_ok(&cmd))
		return diag(&b->diag, D_SIGN, AT_FILE(b->opts.sign_key), "%.300s", cmd.output);
	b->is_signed = true;
	return 0;
}
