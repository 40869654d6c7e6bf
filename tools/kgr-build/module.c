// SPDX-License-Identifier: GPL-2.0
/* The module around the new code: generated source, and kbuild to link it */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "author.h"
#include "late.h"
#include "names.h"
#include "resolve.h"
#include "sha256.h"

static char *mod_path(struct kgr_build *b, const char *name)
{
	return arena_printf(&b->arena, "%s/%s", b->module_dir, name);
}

static int write_text(struct kgr_build *b, const char *name, const char *text)
{
	char *path = mod_path(b, name);
	int err = file_write(path, text, strlen(text));

	return err ? io_error(b, path, err) : 0;
}

/* What it is in the file: live text is rewritten by alternatives, static keys, ftrace */
static void hash_function(struct kgr_build *b, const struct symtab *st, const struct vm_sym *vs,
			  struct atom *a)
{
	const uint8_t *code = symtab_bytes(st, vs->addr, vs->size);

	if (!code)
		return;
	a->old_size = vs->size;
	a->old_sha256 = sha256_hex(&b->arena, code, vs->size);
}

/* OBJECT:FUNCTION,POSITION BYTES HASH */
static void write_hash(struct kgr_build *b, struct buf *s, const struct atom *a)
{
	const struct symtab *st = unit_of_atom(b, a)->syms;
	struct where at = where_atom(a);
	const struct vm_sym *vs = resolve_atom(b, a, &at);

	if (a->old_sha256)
		buf_printf(s, "MODULE_INFO(" KGR_MODINFO_HASH ", \"%s:%s,%u %llu %s\");\n",
			   st->objname ? st->objname : "vmlinux", vs->name, symtab_sympos(st, vs),
			   (unsigned long long)a->old_size, a->old_sha256);
}

static int write_function(struct kgr_build *b, struct buf *s, struct atom *a)
{
	const struct symtab *st = unit_of_atom(b, a)->syms;
	struct where at = where_atom(a);
	const struct vm_sym *vs = resolve_atom(b, a, &at);

	if (!vs)
		return -1;
	hash_function(b, st, vs, a);
	buf_printf(s, "\t\tKGR_PATCH_OBJPOS_SIZE(%s, %s, ", vs->name, a->out_name);
	buf_printf(s, st->objname ? "\"%s\"" : "NULL", st->objname);
	buf_printf(s, ", %u, %llu),\n", symtab_sympos(st, vs), (unsigned long long)vs->size);
	return 0;
}

/* What is a legal string literal of C is one of the names that get here as it is */
static int write_main(struct kgr_build *b)
{
	struct buf s = { .arena = &b->arena };
	const char *model = model_name(b->model);
	strvec spaces = { 0 };
	struct atom **a;

	buf_puts(&s, "// SPDX-License-Identifier: GPL-2.0\n"
		 "/* Made by kgr-build */\n"
		 "#include <linux/kgraft.h>\n"
		 "#include <linux/module.h>\n\n");
	vec_each(a, &b->changed)
		buf_printf(&s, "extern void %s(void);\n", (*a)->out_name);
	if (has_late(b))
		buf_puts(&s, "extern const struct kgr_late " LATE_SYMBOL "[];\n");
	author_write(b, &s);
	buf_printf(&s, "\nstatic struct kgr_patch patch = {\n\t.name = \"%s\",\n"
		   "\t.owner = THIS_MODULE,\n\t.model = %u,	/* %s */\n",
		   b->patch_name, b->model, model);
	if (b->cve)
		buf_printf(&s, "\t.cve = \"%s\",\n", b->cve);
	buf_printf(&s, "\t.build_id = \"%s\",\n", b->vmlinux.build_id);
	if (b->opts.replace)
		buf_puts(&s, "\t.replace_all = true,\n");
	if (b->opts.replace_set)
		buf_printf(&s, "\t.replace_set = \"%s\",\n", b->opts.replace_set);
	if (b->callbacks.n)
		buf_puts(&s, "\t.callbacks = callbacks,\n");
	if (has_late(b))
		buf_puts(&s, "\t.late = " LATE_SYMBOL ",\n");
	buf_puts(&s, "\t.patches = {\n");
	vec_each(a, &b->changed)
		if (write_function(b, &s, *a))
			return -1;
	buf_puts(&s, "\t\tKGR_PATCH_END\n\t},\n};\n\n"
		 "static int __init patch_init(void)\n{\n\treturn kgr_patch_kernel(&patch);\n}\n\n"
		 "static void __exit patch_exit(void)\n{\n\tkgr_patch_remove(&patch);\n}\n\n"
		 "module_init(patch_init);\nmodule_exit(patch_exit);\n"
		 "MODULE_LICENSE(\"GPL\");\n");
	if (b->description)
		buf_printf(&s, "MODULE_DESCRIPTION(\"%s\");\n", b->description);
	else
		buf_printf(&s, "MODULE_DESCRIPTION(\"kGraft patch %s for Linux %s\");\n",
			   b->patch_name, b->tree.release);
	vec_each(a, &b->changed)
		write_hash(b, &s, *a);
	buf_printf(&s, "MODULE_INFO(%s, \"Y\");\n", KGR_MODINFO_TAG);
	buf_printf(&s, "MODULE_INFO(%s, \"%s\");\n", KGR_MODINFO_BUILD_ID, b->vmlinux.build_id);
	buf_printf(&s, "MODULE_INFO(%s, \"%s\");\n", KGR_MODINFO_MODEL, model);
	if (b->opts.replace)
		buf_printf(&s, "MODULE_INFO(%s, \"Y\");\n", KGR_MODINFO_REPLACE);
	if (b->cve)
		buf_printf(&s, "MODULE_INFO(%s, \"%s\");\n", KGR_MODINFO_CVE, b->cve);
	for (size_t i = 0; i < b->xrefs.n; i++)
		if (b->xrefs.v[i]->ns)
			strvec_add_unique(&b->arena, &spaces, b->xrefs.v[i]->ns);
	for (size_t i = 0; i < spaces.n; i++)
		buf_printf(&s, "MODULE_IMPORT_NS(%s);\n", spaces.v[i]);
	return write_text(b, "kgr-main.c", s.s);
}

/*
 * Symbols that vmlinux doesn't export, exactly those in use, for modpost: each of
 * them becomes a late relocation afterwards.
 */
static int write_symvers(struct kgr_build *b)
{
	struct buf s = { .arena = &b->arena };

	buf_puts(&s, "");
	for (size_t i = 0; i < b->xrefs.n; i++)
		if (!b->xrefs.v[i]->exported)
			buf_printf(&s, "0x00000000\t%s\tvmlinux\tEXPORT_SYMBOL_GPL\t\n",
				   b->xrefs.v[i]->alias);
	return write_text(b, "private.symvers", s.s);
}

static int write_sources(struct kgr_build *b)
{
	if (write_main(b) || write_symvers(b))
		return -1;
	if (write_text(b, "Kbuild", arena_printf(&b->arena,
			"obj-m := %s.o\n%s-y := kgr-main.o kgr-diff.o\n", b->module_name,
			b->module_name)))
		return -1;
	/* modpost looks for the command of each object that it hashes the source of */
	return write_text(b, ".kgr-diff.o.cmd", "savedcmd_kgr-diff.o :=\n");
}

/*
 * delay-objtool makes kbuild run objtool over the linked module, once, whatever
 * the configuration says: kgr-diff.o is no object that it would look at by itself.
 */
static struct cmd make_command(struct kgr_build *b)
{
	const char *more = str_ends(b->tree.symvers, "/Module.symvers") ? "" : b->tree.symvers;
	char *argv[] = {
		"make", "-C", (char *)b->tree.objdir,
		arena_printf(&b->arena, "M=%s", b->module_dir),
		arena_printf(&b->arena, "KBUILD_EXTRA_SYMBOLS=%s %s",
			     mod_path(b, "private.symvers"), more),
		/* so that the random name of the directory is nowhere in the module */
		arena_printf(&b->arena, "KCFLAGS=-ffile-prefix-map=%s=kgraft", b->module_dir),
		"delay-objtool=y", arena_printf(&b->arena, "CC=%s", b->compiler), "modules", NULL
	};

	return (struct cmd){
		.argv = arena_memdup(&b->arena, argv, sizeof(argv)),
		.cwd = "/",
		.view = &b->view,
		.side = SIDE_ORIG,
	};
}

static char *complaints(struct kgr_build *b, const struct cmd *cmd)
{
	struct buf out = { .arena = &b->arena };
	char *log = arena_strdup(&b->arena, cmd->output), *line;
	unsigned int n = 0;

	buf_puts(&out, "");
	while ((line = strsep(&log, "\n")))
		if (n < 5 && (strcasestr(line, "error") || strstr(line, "undefined")))
			buf_printf(&out, "%s%s", n++ ? " | " : "", line);
	return out.n ? out.s : cmd->output;
}

static void review_log(struct kgr_build *b, const struct cmd *cmd)
{
	char *log = arena_strdup(&b->arena, cmd->output), *line;

	while ((line = strsep(&log, "\n"))) {
		const char *p = strstr(line, "warning: objtool: ");

		if (p)
			diag(&b->diag, D_OBJTOOL, NULL, "%s", p + strlen("warning: objtool: "));
	}
}

int pass_module(struct kgr_build *b)
{
	struct cmd cmd;

	if (write_sources(b))
		return -1;
	if (!find_program(&b->arena, "make"))
		return diag(&b->diag, D_TOOL, NULL, "make");
	cmd = make_command(b);
	if (run_one(&b->diag, &cmd))
		return -1;
	if (!cmd_ok(&cmd)) {
		if (out_of_space(b, cmd.output))
			return -1;
		return diag(&b->diag, D_LINK, NULL, "%s", complaints(b, &cmd));
	}
	review_log(b, &cmd);
	return 0;
}
