// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "durable.h"
#include "mode.h"
#include "readfile.h"
#include "store.h"

#define MODE_FILE	"mode"

#define WORD_ROW(name, word, text)	word,
static const char * const words[] = { KGR_MODES(WORD_ROW) };
#undef WORD_ROW

#define TEXT_ROW(name, word, text)	text,
static const char * const texts[] = { KGR_MODES(TEXT_ROW) };
#undef TEXT_ROW

const char *kgr_mode_word(enum kgr_mode mode)
{
	return words[mode];
}

const char *kgr_mode_text(enum kgr_mode mode)
{
	return texts[mode];
}

enum kgr_mode kgr_mode_parse(const char *word)
{
	int mode = 0;

	while (mode < KGR_MODE_COUNT && strcmp(words[mode], word))
		mode++;
	return mode;
}

static bool parse(char *line, struct kgr_host *host)
{
	char *save = NULL, *word = strtok_r(line, " ", &save), *guard = strtok_r(NULL, " ", &save);
	char *end = NULL;
	long s;

	host->mode = kgr_mode_parse(word ? word : "");
	if (host->mode == KGR_MODE_COUNT || strtok_r(NULL, " ", &save))
		return false;
	if (!guard)
		return true;
	s = strtol(guard, &end, 10);
	host->guard_ms = (int64_t)s * 1000;
	return !*end && s >= 0 && s <= KGR_GUARD_MAX_S;
}

enum kgr_exit kgr_mode_read(struct kgr_ctx *ctx, struct kgr_host *host)
{
	char *path = kgr_asprintf("%s/%s", ctx->store_root, MODE_FILE), text[64];
	ssize_t len = kgr_read_file(path, text, sizeof(text));
	enum kgr_exit ret = KGR_EXIT_OK;

	*host = (struct kgr_host) { .mode = KGR_MODE_NORMAL, .guard_ms = KGR_GUARD_MS };
	kgr_chomp(text);
	if (len < 0 && len != -ENOENT) {
		ret = kgr_store_failed(ctx, path, (int)-len);
	} else if (len >= 0 && !parse(text, host)) {
		ret = kgr_fail(ctx, KGR_EXIT_FAIL, "%s: does not begin with the name of a mode", path);
		kgr_why(ctx, "what this host is to do is not known, so nothing is applied");
		kgr_next(ctx, "kgr-ctl mode normal (or no-apply, or stop)");
	}
	if (ret)
		host->guard_ms = KGR_GUARD_MS;
	free(path);
	return ret;
}

enum kgr_exit kgr_mode_write(struct kgr_ctx *ctx, const struct kgr_host *host)
{
	char *text, guard[24] = "";
	enum kgr_exit ret;
	int lock, err;

	ret = kgr_store_lock(ctx, &lock);
	if (ret)
		return ret;
	if (host->guard_ms != KGR_GUARD_MS)
		snprintf(guard, sizeof(guard), " %lld", (long long)host->guard_ms / 1000);
	text = kgr_asprintf("%s%s\n", kgr_mode_word(host->mode), guard);
	err = -kgr_durable_write(ctx->store_root, MODE_FILE, text, strlen(text));
	free(text);
	close(lock);
	return err ? kgr_store_failed(ctx, "can't set the mode", err) : KGR_EXIT_OK;
}

enum kgr_exit kgr_mode_permits(struct kgr_ctx *ctx)
{
	struct kgr_host host;
	enum kgr_exit ret = kgr_mode_read(ctx, &host);

	if (ret || host.mode != KGR_MODE_STOP)
		return ret;
	ret = kgr_fail(ctx, KGR_EXIT_PERM, "this host's mode is '%s'", kgr_mode_word(host.mode));
	kgr_why(ctx, "somebody has set it with 'kgr-ctl mode': %s", kgr_mode_text(host.mode));
	kgr_next(ctx, "kgr-ctl mode normal, or no-apply, if that is over");
	return ret;
}
