// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel sends an event over netlink when something becomes of a transition;
 * whatever it was, the patch's file "transition" says how things are.  Who listens
 * before that is read first misses nothing.
 *
 * A kernel that sends no events raises POLLPRI on that file when it changes.  A
 * read of the file takes note of the event's number, and poll() returns at
 * once when the number has grown since: so a change between the read and the
 * poll() is not lost, and there is no need to look again by the clock.  The
 * timer below only draws.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "change.h"
#include "netlink.h"
#include "out.h"
#include "progress.h"
#include "straggler.h"
#include "sysfs.h"
#include "wait.h"

#define REVERSAL_MS	(30 * 1000)	/* for those whom a reversal has to move back */

enum { FD_EVENT, FD_SIGNAL, FD_TIMER, FD_COUNT };

int64_t kgr_monotonic_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t kgr_wait_elapsed_ms(const struct kgr_wait *w)
{
	return kgr_monotonic_ms() - w->start_ms;
}

/* A signal that the parent has set to be ignored, as nohup does, stays so */
static void add_signal(sigset_t *set, int sig)
{
	struct sigaction sa;

	if (!sigaction(sig, NULL, &sa) && sa.sa_handler != SIG_IGN)
		sigaddset(set, sig);
}

enum kgr_exit kgr_wait_begin(struct kgr_ctx *ctx, struct kgr_wait *w)
{
	sigset_t set;

	*w = (struct kgr_wait) { .ctx = ctx, .start_ms = kgr_monotonic_ms(), .sig_fd = -1 };
	sigemptyset(&set);
	/* with --no-wait there is no waiting that a signal could end */
	if (!kgr_opt(ctx, KGR_OPT_NOWAIT)) {
		add_signal(&set, SIGINT);
		add_signal(&set, SIGTERM);
	}
	sigprocmask(SIG_BLOCK, &set, &w->old_mask);
	w->sig_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (w->sig_fd >= 0)
		return KGR_EXIT_OK;
	sigprocmask(SIG_SETMASK, &w->old_mask, NULL);
	return kgr_fail(ctx, KGR_EXIT_FAIL, "signalfd: %s", strerror(errno));
}

void kgr_wait_end(struct kgr_wait *w)
{
	if (w->sig_fd < 0)
		return;
	close(w->sig_fd);
	w->sig_fd = -1;
	sigprocmask(SIG_SETMASK, &w->old_mask, NULL);
}

/* For the progress bar, and for a view that no event would draw; -1: none needed */
static int draw_timer(const struct kgr_wait *w, bool events)
{
	struct itimerspec spec = {
		.it_interval.tv_nsec = KGR_PROGRESS_MS * 1000000L,
		.it_value.tv_nsec = KGR_PROGRESS_MS * 1000000L,
	};
	int fd;

	if (!w->ctx->progress && (!w->view || events))
		return -1;
	fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (fd >= 0)
		timerfd_settime(fd, 0, &spec, NULL);
	return fd;
}

static int take_signal(int fd)
{
	struct signalfd_siginfo info;

	return read(fd, &info, sizeof(info)) == (ssize_t)sizeof(info) ? (int)info.ssi_signo : 0;
}

/*
 * How long to wait at most.  Where the kernel keeps the deadline and reverses, that
 * is to be seen as well.
 */
static int64_t wait_limit(const struct kgr_ctx *ctx)
{
	int64_t limit = ctx->opts.timeout_ms;

	if (ctx->opts.on_timeout && !strcmp(ctx->opts.on_timeout, "revert"))
		limit += REVERSAL_MS;
	return limit;
}

/*
 * 0: the transition has ended; -ETIMEDOUT; -EINTR with *@sig; another -errno
 */
static int wait_loop(struct kgr_wait *w, int event_fd, struct kgr_nl *nl,
		     struct kgr_progress *progress, int *sig)
{
	int64_t limit = wait_limit(w->ctx);
	struct pollfd fds[FD_COUNT] = {
		[FD_EVENT] = { .fd = nl ? kgr_nl_fd(nl) : event_fd,
			       .events = nl ? POLLIN : POLLPRI },
		[FD_SIGNAL] = { .fd = w->sig_fd, .events = POLLIN },
		[FD_TIMER] = { .fd = draw_timer(w, nl), .events = POLLIN },
	};
	bool look = true;
	uint64_t ticks;
	int ret = 0;

	for (;;) {
		int64_t left = limit > 0 ? limit - kgr_wait_elapsed_ms(w) : -1;

		if (look) {
			ret = kgr_sysfs_read_transition(event_fd);
			if (ret <= 0)
				break;
			if (w->view)
				w->view(w->view_arg, progress->patch);
		}
		if (limit > 0 && left <= 0) {
			ret = -ETIMEDOUT;
			break;
		}
		ret = poll(fds, FD_COUNT, left > INT32_MAX ? INT32_MAX : (int)left);
		if (ret < 0 && errno != EINTR) {
			ret = -errno;
			break;
		}
		look = ret > 0 && fds[FD_EVENT].revents;
		if (look && nl) {
			int err = kgr_nl_take_events(nl);

			if (err) {
				ret = err;
				break;
			}
		}
		*sig = ret > 0 && fds[FD_SIGNAL].revents ? take_signal(w->sig_fd) : 0;
		if (*sig) {
			ret = -EINTR;
			break;
		}
		if (ret > 0 && fds[FD_TIMER].revents &&
		    read(fds[FD_TIMER].fd, &ticks, sizeof(ticks)) > 0) {
			if (w->view)
				w->view(w->view_arg, progress->patch);
			else
				kgr_progress_draw(progress);
		}
	}
	if (fds[FD_TIMER].fd >= 0)
		close(fds[FD_TIMER].fd);
	return ret == -ENODEV ? 0 : ret;	/* -ENODEV: the patch is gone, and its file with it */
}

/* NULL: this kernel sends no events */
static struct kgr_nl *listen_to_events(void)
{
	struct kgr_nl *nl;

	if (kgr_nl_open(&nl))
		return NULL;
	if (!kgr_nl_subscribe(nl))
		return nl;
	kgr_nl_close(nl);
	return NULL;
}

static void say_how_to_go_on(struct kgr_ctx *ctx, const struct kgr_patch *patch)
{
	kgr_next(ctx, "kgr-ctl wait %s (to go on waiting)", patch->name);
	kgr_next(ctx, "kgr-ctl stragglers (who is left, and why)");
	kgr_next(ctx, "kgr-ctl nudge (to nudge them)");
	if (patch->enabled)
		kgr_next(ctx, "kgr-ctl revert %s (to take the patch back)", patch->name);
	else
		kgr_next(ctx, "kgr-ctl enable %s (to apply the patch again)", patch->name);
}

static enum kgr_exit still_running(struct kgr_wait *w, const char *name, int err, int sig)
{
	struct kgr_ctx *ctx = w->ctx;
	struct kgr_patch patch;
	enum kgr_exit ret = kgr_sysfs_patch(ctx, name, &patch);
	json_t *counts;
	char *reasons;

	if (ret)
		return ret;
	if (err == -ETIMEDOUT)
		ret = kgr_fail(ctx, KGR_EXIT_TIMEOUT, "patch '%s' is still %s after %.1f seconds",
			       name, kgr_patch_state(&patch), kgr_wait_elapsed_ms(w) / 1000.0);
	else
		ret = kgr_fail(ctx, sig == SIGINT ? KGR_EXIT_INTERRUPTED : KGR_EXIT_TERMINATED,
			       "%s; the transition of patch '%s' (%s) goes on",
			       sig == SIGINT ? "interrupted" : "terminated", name,
			       kgr_patch_state(&patch));
	counts = kgr_straggler_counts(ctx);
	reasons = kgr_straggler_counts_text(counts);
	kgr_why(ctx, "%lld of %lld contexts are left%s%s", (long long)kgr_patch_left(&patch),
		(long long)patch.total, *reasons ? ": " : "", reasons);
	say_how_to_go_on(ctx, &patch);
	free(reasons);
	json_decref(counts);
	kgr_patch_free(&patch);
	return ret;
}

enum kgr_exit kgr_wait_patch(struct kgr_wait *w, const char *patch)
{
	struct kgr_progress progress = { .ctx = w->ctx, .patch = patch };
	struct kgr_nl *nl;
	int fd = kgr_sysfs_open_transition(w->ctx, patch);
	int sig = 0, ret;

	if (fd == -ENOENT || fd == -ENODEV)
		return KGR_EXIT_OK;
	if (fd < 0)
		return kgr_fail(w->ctx, kgr_exit_of_errno(-fd),
				"can't watch the transition of patch '%s': %s", patch,
				strerror(-fd));
	nl = listen_to_events();
	ret = wait_loop(w, fd, nl, &progress, &sig);
	kgr_nl_close(nl);
	close(fd);
	kgr_progress_end(&progress);
	if (!ret)
		return KGR_EXIT_OK;
	if (ret == -ETIMEDOUT || ret == -EINTR)
		return still_running(w, patch, ret, sig);
	return kgr_fail(w->ctx, KGR_EXIT_FAIL, "waiting for patch '%s': %s", patch,
			strerror(-ret));
}

static void finish_text(struct kgr_ctx *ctx, const json_t *doc)
{
	const json_t *patch = json_object_get(doc, "patch");
	const char *result = json_string_value(json_object_get(doc, "result"));
	const char *name = json_string_value(json_object_get(patch, "name"));
	char *ms = kgr_fmt_ms(json_object_get(doc, "elapsed_ms"));
	json_int_t total = json_integer_value(json_object_get(patch, "total"));
	const char *color = ctx->color_out ? kgr_color_state(result) : "";

	fprintf(ctx->out, "%s: %s%s%s", name, color, result, *color ? KGR_PLAIN : "");
	if (!strcmp(result, "applying") || !strcmp(result, "reverting"))
		fprintf(ctx->out, "; 'kgr-ctl wait %s' waits for the end", name);
	else if (strncmp(result, "already", 7))
		fprintf(ctx->out, " after %s, %lld contexts migrated", ms, (long long)total);
	fputc('\n', ctx->out);
	free(ms);
}

static const char *result_word(const struct kgr_patch *patch, bool already)
{
	if (already)
		return patch->enabled ? "already-applied" : "already-reverted";
	return kgr_patch_state(patch);
}

/* The module was removed by somebody while we waited */
static enum kgr_exit finish_gone(struct kgr_ctx *ctx, const char *name, bool enabled)
{
	enum kgr_exit ret;

	kgr_diag_reset(&ctx->diag);
	if (enabled) {
		ret = kgr_fail(ctx, KGR_EXIT_CONFLICT,
			       "patch '%s' was reverted and unloaded meanwhile", name);
		kgr_next(ctx, "find out who did that: journalctl -t kgr-ctl KGR_PATCH=%s", name);
		return ret;
	}
	kgr_note(ctx, "patch '%s' was unloaded meanwhile", name);
	return KGR_EXIT_OK;
}

/* It did not become what was wanted */
static enum kgr_exit finish_other(struct kgr_ctx *ctx, const struct kgr_patch *patch)
{
	enum kgr_exit ret;

	if (!kgr_patch_timed_out(patch)) {
		ret = kgr_fail(ctx, KGR_EXIT_CONFLICT, "patch '%s' was turned round meanwhile: %s",
			       patch->name, kgr_patch_state(patch));
		kgr_next(ctx, "find out who did that: journalctl -t kgr-ctl KGR_PATCH=%s", patch->name);
		return ret;
	}
	ret = kgr_fail(ctx, KGR_EXIT_TIMEOUT_REVERTED, "patch '%s' timed out and is %s again",
		       patch->name, kgr_patch_state(patch));
	kgr_why(ctx, "%s", patch->reason);
	kgr_next(ctx, "kgr-ctl stragglers (who was left, and what helps)");
	return ret;
}

/* A line from the terminal; false: Ctrl-C once more, or there is none */
static bool read_answer(struct kgr_wait *w, char *line, size_t size)
{
	struct pollfd fds[] = {
		{ .fd = fileno(w->ctx->in), .events = POLLIN },
		{ .fd = w->sig_fd, .events = POLLIN },
	};

	if (fds[0].fd >= 0) {
		while (poll(fds, 2, -1) < 0 && errno == EINTR)
			;
		if (fds[1].revents) {
			take_signal(w->sig_fd);
			return false;
		}
	}
	return fgets(line, (int)size, w->ctx->in);
}

/* After Ctrl-C: "wait", "keep" or "revert" */
static const char *what_now(struct kgr_wait *w, const char *name)
{
	struct kgr_ctx *ctx = w->ctx;
	bool can_ask = ctx->ask && !ctx->json && !ctx->quiet;
	const char *told = ctx->opts.on_interrupt;
	char line[16] = "";

	if (told && strcmp(told, "ask"))
		return told;
	if (!can_ask)
		return "keep";
	fprintf(ctx->err, "The transition of patch '%s' goes on.  [w]ait for it, [r]everse it, or [l]eave it? ",
		name);
	fflush(ctx->err);
	if (!read_answer(w, line, sizeof(line)))
		fputc('\n', ctx->err);
	return *line == 'w' ? "wait" : *line == 'r' ? "revert" : "keep";
}

/* Back to where it came from; that is waited for too, until another Ctrl-C */
static enum kgr_exit reverse(struct kgr_wait *w, const char *name, bool enabled)
{
	struct kgr_ctx *ctx = w->ctx;
	struct kgr_patch patch;
	enum kgr_exit ret;

	kgr_diag_reset(&ctx->diag);
	ret = kgr_sysfs_patch(ctx, name, &patch);
	if (ret)
		return ret;
	ret = kgr_change_start(ctx, &patch, !enabled);
	kgr_patch_free(&patch);
	if (!ret)
		ret = kgr_wait_patch(w, name);
	if (ret)
		return ret;
	ret = kgr_fail(ctx, KGR_EXIT_INTERRUPTED, "interrupted; patch '%s' is %s again", name,
		       enabled ? "reverted" : "applied");
	kgr_why(ctx, "its transition was reversed, as you asked for");
	return ret;
}

static enum kgr_exit wait_or_reverse(struct kgr_wait *w, const char *name, bool enabled)
{
	enum kgr_exit ret;

	while ((ret = kgr_wait_patch(w, name)) == KGR_EXIT_INTERRUPTED) {
		const char *now = what_now(w, name);

		if (!strcmp(now, "revert"))
			return reverse(w, name, enabled);
		if (strcmp(now, "wait"))
			break;
		kgr_diag_reset(&w->ctx->diag);
	}
	return ret;
}

enum kgr_exit kgr_wait_finish(struct kgr_wait *w, const char *name, bool enabled, bool already)
{
	struct kgr_ctx *ctx = w->ctx;
	struct kgr_patch patch;
	enum kgr_exit ret = KGR_EXIT_OK;

	if (!kgr_opt(ctx, KGR_OPT_NOWAIT))
		ret = wait_or_reverse(w, name, enabled);
	if (ret)
		return ret;
	ret = kgr_sysfs_patch(ctx, name, &patch);
	if (ret == KGR_EXIT_NOTFOUND)
		return finish_gone(ctx, name, enabled);
	if (ret)
		return ret;
	if (patch.enabled != enabled) {
		ret = finish_other(ctx, &patch);
	} else {
		ret = kgr_show(ctx, json_pack("{s:s,s:I,s:o}",
					      "result", result_word(&patch, already),
					      "elapsed_ms", (json_int_t)kgr_wait_elapsed_ms(w),
					      "patch", kgr_patch_json(&patch, false)),
			       finish_text);
	}
	kgr_patch_free(&patch);
	return ret;
}
