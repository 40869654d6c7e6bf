// SPDX-License-Identifier: GPL-2.0
/*
 * A page for who has to sign the module: verdict, report, functions, what becomes of
 * their instructions, data, the diff, the tree.  One file without scripts that loads
 * nothing; everything in it comes from facts.c, but for the instructions, which are
 * objdump's.
 */
#include <errno.h>
#include <unistd.h>

#include "facts.h"
#include "lines.h"

static const char style[] =
	"body{font:15px/1.45 system-ui,sans-serif;margin:2em auto;max-width:1300px;padding:0 1em;"
	"color:#1b1f24;background:#fff}"
	"h1{font-size:1.5em}h2{font-size:1.15em;margin:1.8em 0 .5em;border-bottom:1px solid #ccc}"
	"table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;"
	"padding:.25em .6em;border-bottom:1px solid #e4e4e4}th{background:#f4f5f7;font-weight:600}"
	"code,pre,.asm td{font:12.5px/1.4 ui-monospace,monospace}"
	"pre{background:#f7f7f7;padding:.8em;overflow:auto}"
	".verdict{display:inline-block;padding:.15em .7em;border-radius:.3em;color:#fff}"
	".safe,.no-change{background:#1a7f37}.review{background:#9a6700}"
	".refused,.failed,.error{background:#b42318}.note{background:#57606a}"
	".asm{table-layout:fixed}.asm td{white-space:pre-wrap;border:0;padding:0 .4em;width:50%}"
	"td.reason{min-width:18em}"
	"td.sha256{font:12.5px/1.4 ui-monospace,monospace;word-break:break-all;width:17em}"
	".old{background:#fde9e7}.new{background:#e3f5e6}.cut td{color:#777;background:#f4f5f7}"
	"dl{display:grid;grid-template-columns:max-content 1fr;gap:.2em 1em;margin:0}dt{color:#57606a}"
	"dd{margin:0;overflow-wrap:anywhere}";

static void escaped(struct buf *out, const char *s)
{
	for (; *s; s++)
		switch (*s) {
		case '<': buf_puts(out, "&lt;"); break;
		case '>': buf_puts(out, "&gt;"); break;
		case '&': buf_puts(out, "&amp;"); break;
		case '"': buf_puts(out, "&quot;"); break;
		default:
			if ((unsigned char)*s >= ' ' || *s == '\t' || *s == '\n')
				buf_add(out, s, 1);
		}
}

static char *text(struct arena *a, const json_t *v)
{
	if (json_is_string(v))
		return arena_strdup(a, json_string_value(v));
	if (json_is_integer(v))
		return arena_printf(a, "%lld", (long long)json_integer_value(v));
	if (json_is_real(v))
		return arena_printf(a, "%.2f", json_real_value(v));
	if (json_is_boolean(v))
		return arena_strdup(a, json_is_true(v) ? "yes" : "no");
	return arena_strdup(a, "");
}

static void cell(struct buf *out, const char *tag, const char *s)
{
	buf_printf(out, "<%s>", tag);
	escaped(out, s);
	buf_printf(out, "</%s>", tag);
}

/* A table of an array of objects: a column for each of @keys, "key=Title" */
static void table(struct buf *out, const json_t *rows, const char * const *keys)
{
	const json_t *row;
	size_t i;

	buf_puts(out, "<table><tr>");
	for (size_t k = 0; keys[k]; k++)
		cell(out, "th", strchr(keys[k], '=') + 1);
	buf_puts(out, "</tr>\n");
	json_array_foreach(rows, i, row) {
		buf_puts(out, "<tr>");
		for (size_t k = 0; keys[k]; k++) {
			char *key = arena_strndup(out->arena, keys[k], strcspn(keys[k], "="));

			buf_printf(out, "<td class=\"%s\">", key);
			escaped(out, text(out->arena, json_object_get(row, key)));
			buf_puts(out, "</td>");
		}
		buf_puts(out, "</tr>\n");
	}
	buf_puts(out, "</table>\n");
}

static void list_entry(struct buf *out, const char *name, const char *value)
{
	if (!*value)
		return;
	cell(out, "dt", name);
	cell(out, "dd", value);
	buf_puts(out, "\n");
}

static void summary(struct buf *out, const json_t *f)
{
	static const char * const entries[] = {
		"name=Patch", "description=Description", "cve=Fixes", "release=Kernel",
		"build_id=Build-id of the kernel", "tree=Build tree",
		"oot=Modules outside of it", "compiler=Compiler",
		"replace=Takes the place of all others of its set", "replace_set=Set",
		"module=Module", "sha256=SHA-256 of the module", "signed=Signed",
	};
	const json_t *model = json_object_get(f, "model");
	char *verdict = text(out->arena, json_object_get(f, "verdict"));

	buf_puts(out, "<h1>kGraft patch <code>");
	escaped(out, text(out->arena, json_object_get(f, "name")));
	buf_printf(out, "</code> <span class=\"verdict %s\">%s</span></h1>\n<dl>\n", verdict, verdict);
	for (size_t i = 0; i < ARRAY_SIZE(entries); i++) {
		char *key = arena_strndup(out->arena, entries[i], strcspn(entries[i], "="));

		list_entry(out, strchr(entries[i], '=') + 1,
			   text(out->arena, json_object_get(f, key)));
	}
	if (json_is_object(model))
		list_entry(out, "Consistency model", arena_printf(out->arena, "%s: %s",
			   text(out->arena, json_object_get(model, "name")),
			   text(out->arena, json_object_get(model, "reason"))));
	buf_puts(out, "</dl>\n");
}

static void diagnostics(struct buf *out, const json_t *f)
{
	const json_t *d;
	size_t i;

	buf_puts(out, "<h2>Report</h2>\n");
	if (!json_array_size(json_object_get(f, "diagnostics")))
		buf_puts(out, "<p>Nothing speaks against it, of what is checked.</p>\n");
	else
		buf_puts(out, "<table><tr><th></th><th>Where</th><th>What</th></tr>\n");
	json_array_foreach(json_object_get(f, "diagnostics"), i, d) {
		char *class = text(out->arena, json_object_get(d, "class"));

		buf_printf(out, "<tr><td><span class=\"verdict %s\">%s</span><br><code>%s</code></td><td>",
			   class, class, text(out->arena, json_object_get(d, "code")));
		escaped(out, text(out->arena, json_object_get(d, "where")));
		buf_puts(out, "</td><td><b>");
		escaped(out, text(out->arena, json_object_get(d, "message")));
		buf_puts(out, "</b><br>");
		escaped(out, text(out->arena, json_object_get(d, "detail")));
		buf_puts(out, "<br><i>");
		escaped(out, text(out->arena, json_object_get(d, "hint")));
		buf_puts(out, "</i></td></tr>\n");
	}
	if (i)
		buf_puts(out, "</table>\n");
}

static void section(struct buf *out, const json_t *f, const char *key, const char *title,
		    const char * const *columns)
{
	const json_t *rows = json_object_get(f, key);

	if (!json_array_size(rows))
		return;
	buf_puts(out, "<h2>");
	escaped(out, title);
	buf_puts(out, "</h2>\n");
	table(out, rows, columns);
}

/* Where a field leads before its relocation is applied: to nowhere in particular */
static void cut_target(char *line)
{
	char *from = strrchr(line, '<');

	if (!from || line[strlen(line) - 1] != '>')
		return;
	while (from > line && strchr(" \t#", from[-1]))
		from--;
	*from = 0;
}

/*
 * objdump of one function; what it prints before the first instruction is left out.
 * Not by its name: objdump counts its size from the padding before it.
 */
static int disassemble(struct kgr_build *b, const char *path, const struct atom *a, strvec *out)
{
	unsigned long long start = a->off + a->entry, stop = a->off + a->size;
	char *argv[] = {
		"objdump", "-dr", "--no-show-raw-insn", "--no-addresses", "-j",
		(char *)a->sect->name, arena_printf(&b->arena, "--start-address=%llu", start),
		arena_printf(&b->arena, "--stop-address=%llu", stop), (char *)path, NULL
	};
	struct cmd cmd = { .argv = argv };
	bool code = false;
	char *line;

	if (!find_program(&b->arena, "objdump"))
		return diag(&b->diag, D_TOOL, NULL, "objdump");
	if (run_one(&b->diag, &cmd))
		return -1;
	while ((line = strsep(&cmd.output, "\n"))) {
		size_t n = strlen(line);

		if (*line == '<' && n && line[n - 1] == ':') {
			code = true;
			continue;
		}
		line += strspn(line, " \t");
		if (out->n && str_starts(line, "R_X86_64_"))
			cut_target(out->v[out->n - 1]);
		if (code && n)
			vec_push(&b->arena, out, line);
	}
	return 0;
}

#define CONTEXT	4	/* instructions that are shown around a difference */

static bool near_change(const linevec *v, size_t i)
{
	size_t from = i > CONTEXT ? i - CONTEXT : 0;

	for (size_t k = from; k < v->n && k <= i + CONTEXT; k++)
		if (!v->v[k].old || !v->v[k].new)
			return true;
	return false;
}

static void side_by_side(struct buf *out, const linevec *v)
{
	size_t hidden = 0;

	buf_puts(out, "<table class=\"asm\">\n");
	for (size_t i = 0; i <= v->n; i++) {
		if (i < v->n && !near_change(v, i)) {
			hidden++;
			continue;
		}
		if (hidden)
			buf_printf(out, "<tr class=\"cut\"><td>%zu the same</td><td></td></tr>\n", hidden);
		hidden = 0;
		if (i == v->n)
			break;
		buf_printf(out, "<tr><td%s>", v->v[i].new ? "" : " class=\"old\"");
		escaped(out, v->v[i].old ? v->v[i].old : "");
		buf_printf(out, "</td><td%s>", v->v[i].old ? "" : " class=\"new\"");
		escaped(out, v->v[i].new ? v->v[i].new : "");
		buf_puts(out, "</td></tr>\n");
	}
	buf_puts(out, "</table>\n");
}

static int instructions(struct kgr_build *b, struct buf *out)
{
	struct atom **p;

	if (b->changed.n)
		buf_puts(out, "<h2>Instructions, before and after</h2>\n");
	vec_each(p, &b->changed) {
		strvec old = { 0 }, new = { 0 };
		linevec lines = { 0 };
		struct unit *u;

		vec_each(u, &b->units)
			if (u->patched == (*p)->obj &&
			    (((*p)->twin && disassemble(b, u->orig_path, (*p)->twin, &old)) ||
			     disassemble(b, u->patched_path, *p, &new)))
				return -1;
		lines_match(&b->arena, &old, &new, &lines);
		buf_puts(out, "<h3><code>");
		escaped(out, atom_name(*p));
		buf_puts(out, "</code></h3>\n");
		side_by_side(out, &lines);
	}
	return 0;
}

static int diffs(struct kgr_build *b, struct buf *out)
{
	for (size_t i = 0; i < b->opts.patches.n; i++) {
		char *data;

		if (file_read(&b->arena, b->opts.patches.v[i], &data, NULL))
			continue;
		buf_puts(out, "<h2>");
		escaped(out, path_base(b->opts.patches.v[i]));
		buf_puts(out, "</h2>\n<details><summary>The diff</summary><pre>");
		escaped(out, data);
		buf_puts(out, "</pre></details>\n");
	}
	return 0;
}

static void rest(struct buf *out, const json_t *f)
{
	const json_t *v;
	const char *key;
	size_t i;

	buf_puts(out, "<h2>Objects rebuilt</h2>\n<p>");
	json_array_foreach(json_object_get(f, "objects"), i, v) {
		buf_puts(out, i ? ", <code>" : "<code>");
		escaped(out, json_string_value(v));
		buf_puts(out, "</code>");
	}
	buf_puts(out, "</p>\n<h2>Time</h2>\n<dl>\n");
	json_object_foreach((json_t *)json_object_get(f, "seconds"), key, v)
		list_entry(out, key, arena_printf(out->arena, "%.2f s", json_real_value(v)));
	buf_puts(out, "</dl>\n");
}

static int page(struct kgr_build *b, struct buf *out, const json_t *f)
{
	static const char * const functions[] = {
		"name=Function", "file=File", "line=Line", "object=Object", "reason=Why it changes",
		"size=Bytes", "sha256=SHA-256 of what is replaced", NULL
	};
	static const char * const added[] = {
		"name=Name", "type=Kind", "file=File", "line=Line", "object=Object", NULL
	};
	static const char * const symbols[] = {
		"name=Symbol", "position=Position", "object=Of", "exported=Exported", NULL
	};

	buf_puts(out, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n<title>");
	escaped(out, b->patch_name);
	buf_printf(out, "</title>\n<style>%s</style></head><body>\n", style);
	summary(out, f);
	diagnostics(out, f);
	section(out, f, "changed", "Functions that are replaced", functions);
	section(out, f, "new", "Functions and data that are new", added);
	section(out, f, "symbols", "Symbols of the kernel that the module uses", symbols);
	if (instructions(b, out) || diffs(b, out))
		return -1;
	rest(out, f);
	buf_puts(out, "</body></html>\n");
	return 0;
}

int html_write(struct kgr_build *b)
{
	struct buf out = { .arena = &b->arena };
	char *tmp;
	json_t *f;
	int err;

	if (!b->opts.html || diag_fatal(&b->diag))
		return 0;
	f = facts(b);
	err = page(b, &out, f);
	json_decref(f);
	if (err)
		return err;
	tmp = arena_printf(&b->arena, "%s.tmp%d", b->opts.html, (int)getpid());
	err = file_write(tmp, out.s, out.n);
	if (!err && rename(tmp, b->opts.html))
		err = -errno;
	if (!err)
		return 0;
	unlink(tmp);
	return diag(&b->diag, D_IO, AT_FILE(b->opts.html), "%s", strerror(-err));
}
