/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What this host does with patches.  /var/lib/kgraft/mode holds one line: the mode
 * and, if it isn't the default, the guard's time in seconds.
 */
#ifndef _KGR_MODE_H
#define _KGR_MODE_H

#include "kgr-ctl.h"

#define KGR_GUARD_MS	(10 * 60 * 1000)	/* the default */
#define KGR_GUARD_MAX_S	(365 * 24 * 3600)

/* Enumerator, word, what it means */
#define KGR_MODES(X)							\
	X(NORMAL, "normal", "installed patches are applied at boot")	\
	X(NOAPPLY, "no-apply", "nothing is applied at boot; load and enable work") \
	X(STOP, "stop", "nothing is applied at boot, and load and enable refuse")

#define KGR_MODE_ENUM(name, word, text)	KGR_MODE_##name,
enum kgr_mode {
	KGR_MODES(KGR_MODE_ENUM)
	KGR_MODE_COUNT
};
#undef KGR_MODE_ENUM

#define KGR_BOOT_OFF	"kgraft=off"	/* on the kernel's command line: no-apply for this boot */

struct kgr_host {
	enum kgr_mode mode;
	int64_t guard_ms;
};

const char *kgr_mode_word(enum kgr_mode mode);
const char *kgr_mode_text(enum kgr_mode mode);
/* KGR_MODE_COUNT: no such mode */
enum kgr_mode kgr_mode_parse(const char *word);

enum kgr_exit kgr_mode_read(struct kgr_ctx *ctx, struct kgr_host *host);
enum kgr_exit kgr_mode_write(struct kgr_ctx *ctx, const struct kgr_host *host);

/* For commands that put a patch into force: does the mode let them? */
enum kgr_exit kgr_mode_permits(struct kgr_ctx *ctx);

#endif /* _KGR_MODE_H */
