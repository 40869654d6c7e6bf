/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The guard against crash loops: an installed patch after whose loading the machine
 * went down is not loaded by the next boot.
 *
 * NAME.guard beside the patch in the store is one line, written before the kernel
 * gets the module and replaced as a whole:
 *
 *	{trying|good} FILE BOOT TIME UPTIME PROVEN end
 *
 * FILE is the installed file it is about, BOOT the boot's id, TIME seconds since the
 * epoch (to be shown), UPTIME milliseconds of CLOCK_MONOTONIC in that boot (to measure
 * the guard's time by), PROVEN 1 if the same file has been good before.
 *
 *	record		of boot		state		what autoload does with the patch
 *	------		-------		-----		---------------------------------
 *	none, or of
 *	another FILE	-		untried		writes "trying", loads it
 *	good		any		good		writes "trying" (proven), loads it
 *	trying		this		trying		loads it; writes "trying" anew unless
 *							the module is in the kernel
 *	trying		another		crashed		holds it back
 *	unreadable	-		damaged		holds it back
 *
 *	what happens			record after it
 *	------------			---------------
 *	autoload, or load by hand	trying, this boot
 *	  ... which fails		as before it
 *	  ... when the disk is full	as before it; autoload loads what is good, and
 *					nothing else; load by hand loads, and says so
 *	the guard's time has passed	patch applied: good; otherwise as at shutdown
 *	shutdown before that time	trying: good if proven, else none
 *	crash, power loss, reset	as it is: "trying" of another boot from now on
 *	  ... after the time		as it is: good
 *	autoload --retry		none, then as autoload
 *	install of another file		of another FILE, so untried
 *	install of the same file	as it is: a script that does so lifts nothing
 *	uninstall			none
 *
 * A record that was cut short lacks "end", one that was written over with something
 * else lacks the rest: unreadable.  Where the root file system can't be written to yet
 * (initramfs), that is a disk that is full.
 *
 * The file "trying" in the store's root is there while some patch may be being tried.
 * It says nothing about states; systemd starts who confirms when it appears.
 */
#ifndef _KGR_GUARD_H
#define _KGR_GUARD_H

#include "kgr-ctl.h"
#include "proc.h"
#include "store.h"

#define KGR_GUARD_STATES(X)						\
	X(UNTRIED, "untried") X(TRYING, "trying") X(GOOD, "good")	\
	X(CRASHED, "crashed") X(DAMAGED, "damaged")

#define KGR_GUARD_ENUM(name, word)	KGR_GUARD_##name,
enum kgr_guard_state {
	KGR_GUARD_STATES(KGR_GUARD_ENUM)
};
#undef KGR_GUARD_ENUM

struct kgr_guard {
	enum kgr_guard_state state;
	bool this_boot;
	bool proven;
	int64_t time_s;
	int64_t uptime_ms;
	char boot[KGR_BOOT_ID_LEN + 1];
};

const char *kgr_guard_word(enum kgr_guard_state state);

enum kgr_exit kgr_guard_read(struct kgr_ctx *ctx, const struct kgr_store *s,
			     const struct kgr_store_patch *patch, struct kgr_guard *guard);
static inline bool kgr_guard_holds_back(const struct kgr_guard *guard)
{
	return guard->state == KGR_GUARD_CRASHED || guard->state == KGR_GUARD_DAMAGED;
}
/* Describes in ctx->diag why @patch is held back, and what to do */
enum kgr_exit kgr_guard_explain(struct kgr_ctx *ctx, const struct kgr_store *s,
				const struct kgr_store_patch *patch,
				const struct kgr_guard *guard);

/* One loading */
struct kgr_trial {
	char *release, *name;	/* NULL: nothing was recorded */
	char *before;		/* the record that was there, or NULL */
};

/* Records that installed patch @name is about to be loaded */
enum kgr_exit kgr_guard_begin(struct kgr_ctx *ctx, const char *release, const char *name,
			      struct kgr_trial *trial);
/* The same for a module file, if a copy of it is what is installed; never refuses */
void kgr_guard_begin_file(struct kgr_ctx *ctx, const char *name, const char *path,
			  struct kgr_trial *trial);
/* It was not loaded */
void kgr_guard_undo(struct kgr_ctx *ctx, struct kgr_trial *trial);
void kgr_guard_end(struct kgr_trial *trial);

enum kgr_exit kgr_guard_forget(struct kgr_ctx *ctx, const char *release, const char *name);

/*
 * Settles what is being tried in this boot: what has been for the guard's time or, at
 * shutdown, all.  @next_ms: in how many milliseconds there is more to do; -1: never.
 * Adds the names of those that are good now to @good.
 */
enum kgr_exit kgr_guard_settle(struct kgr_ctx *ctx, const char *release, bool shutdown,
			       int64_t *next_ms, json_t *good);

#endif /* _KGR_GUARD_H */
