// SPDX-License-Identifier: GPL-2.0
/*
 * Errors: collected while a command runs, shown once at its end, as text on
 * standard error or, with --json, as an object on standard output.
 */
#include <errno.h>
#include <stdlib.h>

#include "kgr-ctl.h"
#include "out.h"

#define EXIT_ROW(name, number, word, text)	{ #name, number, word, text },
const struct kgr_exit_info kgr_exits[] = {
	KGR_EXITS(EXIT_ROW)
};
#undef EXIT_ROW
const size_t kgr_exit_count = ARRAY_SIZE(kgr_exits);

static char *vformat(const char *fmt, va_list ap)
{
	char *s;

	if (vasprintf(&s, fmt, ap) < 0)
		abort();	/* no memory for one line of text */
	return s;
}

char *kgr_asprintf(const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	s = vformat(fmt, ap);
	va_end(ap);
	return s;
}

void kgr_diag_reset(struct kgr_diag *diag)
{
	free(diag->what);
	json_decref(diag->why);
	json_decref(diag->next);
	json_decref(diag->kernel);
	*diag = (struct kgr_diag) { .code = KGR_EXIT_OK };
}

/* A later failure replaces an earlier one: only what is returned is reported */
enum kgr_exit kgr_fail(struct kgr_ctx *ctx, enum kgr_exit code, const char *fmt, ...)
{
	va_list ap;

	kgr_diag_reset(&ctx->diag);
	ctx->diag.code = code;
	va_start(ap, fmt);
	ctx->diag.what = vformat(fmt, ap);
	va_end(ap);
	return code;
}

static void append(json_t **list, const char *fmt, va_list ap)
{
	char *s = vformat(fmt, ap);

	if (!*list)
		*list = json_array();
	json_array_append_new(*list, kgr_json_str(s));
	free(s);
}

void kgr_why(struct kgr_ctx *ctx, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	append(&ctx->diag.why, fmt, ap);
	va_end(ap);
}

void kgr_next(struct kgr_ctx *ctx, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	append(&ctx->diag.next, fmt, ap);
	va_end(ap);
}

void kgr_quote_kernel(struct kgr_ctx *ctx, json_t *lines)
{
	json_decref(ctx->diag.kernel);
	ctx->diag.kernel = json_incref(lines);
}

enum kgr_exit kgr_exit_of_errno(int err)
{
	switch (err) {
	case EPERM:
	case EACCES:
		return KGR_EXIT_PERM;
	case ENOENT:
	case ENODEV:
	case ESRCH:
		return KGR_EXIT_NOTFOUND;
	case EBUSY:
	case EAGAIN:
		return KGR_EXIT_CONFLICT;
	default:
		return KGR_EXIT_FAIL;
	}
}

/* A remark that is neither the answer nor an error */
void kgr_note(struct kgr_ctx *ctx, const char *fmt, ...)
{
	va_list ap;

	if (ctx->quiet || ctx->json)
		return;
	va_start(ap, fmt);
	fputs("kgr-ctl: ", ctx->err);
	vfprintf(ctx->err, fmt, ap);
	fputc('\n', ctx->err);
	va_end(ap);
}

static const char *exit_word(enum kgr_exit code)
{
	for (size_t i = 0; i < kgr_exit_count; i++)
		if (kgr_exits[i].code == (int)code)
			return kgr_exits[i].word;
	return "unknown";
}

static json_t *list_or_empty(json_t *list)
{
	return list ? json_incref(list) : json_array();
}

json_t *kgr_diag_json(const struct kgr_diag *d)
{
	return json_pack("{s:i,s:s,s:o,s:o,s:o,s:o}",
			 "code", (int)d->code,
			 "kind", exit_word(d->code),
			 "what", kgr_json_str(d->what),
			 "why", list_or_empty(d->why),
			 "next", list_or_empty(d->next),
			 "kernel", list_or_empty(d->kernel));
}

static void print_list(FILE *f, const char *head, const json_t *list)
{
	json_t *line;
	size_t i;

	json_array_foreach((json_t *)list, i, line) {
		fprintf(f, "  %-7s ", i ? "" : head);
		kgr_put_clean(f, json_string_value(line));
		fputc('\n', f);
	}
}

void kgr_put_reasons(FILE *f, const json_t *error)
{
	print_list(f, "why:", json_object_get(error, "why"));
	print_list(f, "kernel:", json_object_get(error, "kernel"));
	print_list(f, "next:", json_object_get(error, "next"));
}

/* Who has nothing more to the point to say ends with this */
static void say_what_is_next(struct kgr_ctx *ctx)
{
	switch (ctx->diag.code) {
	case KGR_EXIT_USAGE:
		kgr_next(ctx, "kgr-ctl help%s%s", ctx->cmd ? " " : "", ctx->cmd ? ctx->cmd->name : "");
		break;
	case KGR_EXIT_PERM:
		kgr_next(ctx, "run kgr-ctl as root");
		break;
	case KGR_EXIT_FAIL:
		kgr_next(ctx, "kgr-ctl doctor");
		break;
	default:
		kgr_next(ctx, "kgr-ctl status");
	}
}

void kgr_diag_print(struct kgr_ctx *ctx)
{
	const struct kgr_diag *d = &ctx->diag;
	json_t *error;

	if (!d->what)
		return;
	if (!d->next)
		say_what_is_next(ctx);
	error = kgr_diag_json(d);
	if (ctx->json) {
		kgr_json_dump(ctx, json_pack("{s:o}", "error", error));
		return;
	}
	fprintf(ctx->err, "kgr-ctl: %s", ctx->color_err ? KGR_RED : "");
	if (ctx->cmd)
		fprintf(ctx->err, "%s: ", ctx->cmd->name);
	kgr_put_clean(ctx->err, d->what);
	fprintf(ctx->err, "%s\n", ctx->color_err ? KGR_PLAIN : "");
	kgr_put_reasons(ctx->err, error);
	json_decref(error);
}
