// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include "mode.h"
#include "out.h"
#include "proc.h"

static const struct kgr_col fields[] = {
	{ .key = "mode", .head = "mode" },
	{ .key = "meaning", .head = "that is" },
	{ .key = "guard_ms", .head = "guard", .fmt = kgr_fmt_ms },
	{ .key = "boot_off", .head = KGR_BOOT_OFF },
	{ 0 }
};

static void mode_text(struct kgr_ctx *ctx, const json_t *doc)
{
	kgr_fields(ctx, doc, fields);
}

static enum kgr_exit no_mode(struct kgr_ctx *ctx, const char *word)
{
	enum kgr_exit ret = kgr_fail(ctx, KGR_EXIT_USAGE, "no mode '%s'", word);

	for (int mode = 0; mode < KGR_MODE_COUNT; mode++)
		kgr_next(ctx, "kgr-ctl mode %s (%s)", kgr_mode_word(mode), kgr_mode_text(mode));
	return ret;
}

/* What is not given stays as it was; when that can't be read, a mode has to be given */
static enum kgr_exit set(struct kgr_ctx *ctx, struct kgr_host *host)
{
	enum kgr_mode mode = KGR_MODE_COUNT;
	enum kgr_exit ret;

	if (ctx->opts.argc) {
		mode = kgr_mode_parse(ctx->opts.argv[0]);
		if (mode == KGR_MODE_COUNT)
			return no_mode(ctx, ctx->opts.argv[0]);
	}
	ret = kgr_mode_read(ctx, host);
	if (ret && mode == KGR_MODE_COUNT)
		return ret;
	kgr_diag_reset(&ctx->diag);
	if (mode != KGR_MODE_COUNT)
		host->mode = mode;
	/* the file has whole seconds */
	if (kgr_opt(ctx, KGR_OPT_GUARD))
		host->guard_ms = (ctx->opts.guard_ms + 999) / 1000 * 1000;
	return kgr_mode_write(ctx, host);
}

enum kgr_exit kgr_cmd_mode(struct kgr_ctx *ctx)
{
	bool change = ctx->opts.argc || kgr_opt(ctx, KGR_OPT_GUARD);
	struct kgr_host host;
	enum kgr_exit ret = change ? set(ctx, &host) : kgr_mode_read(ctx, &host);

	if (ret)
		return ret;
	return kgr_show(ctx, json_pack("{s:s,s:s,s:I,s:b}", "mode", kgr_mode_word(host.mode),
				       "meaning", kgr_mode_text(host.mode),
				       "guard_ms", (json_int_t)host.guard_ms,
				       "boot_off", kgr_proc_booted_with(ctx, KGR_BOOT_OFF)),
			mode_text);
}
