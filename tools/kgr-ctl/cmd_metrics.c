// SPDX-License-Identifier: GPL-2.0
/*
 * metrics: what monitoring wants to know, as OpenMetrics text that is valid in the
 * older Prometheus format too, which the textfile collector of node_exporter reads.
 * Hence kgraft_info is a gauge: that format has no type "info".
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "durable.h"
#include "installed.h"
#include "out.h"
#include "patch.h"
#include "reasons.h"
#include "straggler.h"
#include "sysfs.h"

static const char * const states[] = { "applied", "applying", "reverting", "reverted" };

static void put_label(FILE *f, const char *name, const char *value)
{
	fprintf(f, "%s=\"", name);
	for (; *value; value++) {
		if (*value == '\n')
			fputs("\\n", f);
		else if (*value == '"' || *value == '\\')
			fprintf(f, "\\%c", *value);
		else
			fputc(*value, f);
	}
	fputc('"', f);
}

static void put_head(FILE *f, const char *name, const char *help)
{
	fprintf(f, "# HELP %s %s\n# TYPE %s gauge\n", name, help, name);
}

static void put_one(FILE *f, const json_t *doc, const char *key, const char *name,
		    const char *help)
{
	const json_t *value = json_object_get(doc, key);

	if (json_is_null(value))
		return;
	put_head(f, name, help);
	fprintf(f, "%s %lld\n", name, json_is_boolean(value) ? (long long)json_is_true(value) :
							       (long long)json_integer_value(value));
}

/* {"applied": 1, ...}: a sample for each member, labelled with its name */
static void put_each(FILE *f, const json_t *counts, const char *name, const char *label,
		     const char *help)
{
	const char *key;
	json_t *n;

	if (!json_is_object(counts))
		return;
	put_head(f, name, help);
	json_object_foreach((json_t *)counts, key, n) {
		fprintf(f, "%s{", name);
		put_label(f, label, key);
		fprintf(f, "} %lld\n", (long long)json_integer_value(n));
	}
}

static void put_transition(FILE *f, const json_t *running)
{
	static const struct {
		const char *key, *name, *help;
		double scale;
	} v[] = {
		{ "age_ms", "kgraft_transition_age_seconds", "Since when the transition runs.", 1000 },
		{ "left", "kgraft_transition_left", "Contexts that have not migrated.", 1 },
	};

	for (size_t i = 0; json_is_object(running) && i < ARRAY_SIZE(v); i++) {
		const json_t *value = json_object_get(running, v[i].key);

		if (json_is_null(value))
			continue;
		put_head(f, v[i].name, v[i].help);
		fprintf(f, "%s{", v[i].name);
		put_label(f, "patch", json_string_value(json_object_get(running, "name")));
		fprintf(f, "} %.10g\n", (double)json_integer_value(value) / v[i].scale);
	}
}

static void put_info(FILE *f, const json_t *doc)
{
	static const char * const labels[] = { "release", "effective", "mode" };
	const char *between = "";

	put_head(f, "kgraft_info", "The kernel, what is applied to it, and the host's mode.");
	fputs("kgraft_info{", f);
	for (size_t i = 0; i < ARRAY_SIZE(labels); i++) {
		const char *value = json_string_value(json_object_get(doc, labels[i]));

		fputs(between, f);
		put_label(f, labels[i], value ? value : "");
		between = ",";
	}
	fputs("} 1\n", f);
}

static void put_metrics(FILE *f, const json_t *doc)
{
	const json_t *running = json_object_get(doc, "transition");

	put_one(f, doc, "kgraft", "kgraft_available", "Whether the running kernel has kGraft.");
	put_info(f, doc);
	put_each(f, json_object_get(doc, "patches"), "kgraft_patches", "state",
		 "Patches in the kernel, by state.");
	put_head(f, "kgraft_transitions", "Transitions in progress.");
	fprintf(f, "kgraft_transitions %d\n", json_is_object(running));
	put_transition(f, running);
	put_each(f, json_object_get(doc, "reasons"), "kgraft_stragglers", "reason",
		 "Contexts that hold the transition up, by reason.");
	put_one(f, doc, "installed", "kgraft_installed_patches",
		"Patches that are to be applied at boot.");
	put_one(f, doc, "held_back", "kgraft_held_back_patches",
		"Installed patches that the guard holds back after a crash.");
	put_one(f, doc, "boot_off", "kgraft_boot_off",
		"Whether kgraft=off is on the kernel's command line.");
	fputs("# EOF\n", f);
}

static void metrics_text(struct kgr_ctx *ctx, const json_t *doc)
{
	const char *output = json_string_value(json_object_get(doc, "output"));

	if (output)
		fprintf(ctx->out, "%s: written\n", output);
	else
		put_metrics(ctx->out, doc);
}

/* Nobody is a straggler of a transition that does not run */
static json_t *reasons_json(struct kgr_ctx *ctx, bool running)
{
	json_t *counts = running ? kgr_straggler_counts(ctx) : json_object(), *all;

	if (!counts)
		return json_null();
	/* series that come and go can't be added up */
	all = json_object();
	for (unsigned int r = 0; r < kgr_reason_count; r++)
		json_object_set_new(all, kgr_reason(r)->name, json_integer(0));
	json_object_update(all, counts);
	json_decref(counts);
	return all;
}

static void count(json_t *obj, const char *key)
{
	json_object_set_new(obj, key,
			    json_integer(json_integer_value(json_object_get(obj, key)) + 1));
}

static void add_patches(struct kgr_ctx *ctx, json_t *doc, struct kgr_patch_list *list)
{
	json_t *counts = json_object(), *running = json_null();

	for (size_t i = 0; i < ARRAY_SIZE(states); i++)
		json_object_set_new(counts, states[i], json_integer(0));
	for (size_t i = 0; i < list->n; i++) {
		const struct kgr_patch *p = &list->v[i];
		int64_t age = kgr_patch_age_ms(p);

		count(counts, kgr_patch_state(p));
		if (!p->transition || json_is_object(running))
			continue;
		running = json_pack("{s:o,s:o,s:I}", "name", kgr_json_str(p->name),
				    "age_ms", age < 0 ? json_null() : json_integer(age),
				    "left", (json_int_t)kgr_patch_left(p));
	}
	json_object_set_new(doc, "reasons", reasons_json(ctx, json_is_object(running)));
	json_object_set_new(doc, "patches", counts);
	json_object_set_new(doc, "transition", running);
}

/* "installed" as a number, and nothing of what has to be read by somebody */
static void add_installed(struct kgr_ctx *ctx, json_t *doc)
{
	const json_t *installed;

	kgr_installed_add(ctx, doc);
	installed = json_object_get(doc, "installed");
	if (json_is_array(installed))
		json_object_set_new(doc, "installed", json_integer(json_array_size(installed)));
	else
		json_object_set_new(doc, "held_back", json_null());
	json_object_del(doc, "store_error");
}

/* As a whole, and by one at a time */
static int write_file(const char *path, const char *text, size_t len)
{
	const char *slash = strrchr(path, '/');
	char *dir = slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup(".");
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), ret;

	if (fd < 0 || flock(fd, LOCK_EX))
		ret = -errno;
	else
		ret = kgr_durable_write(dir, slash ? slash + 1 : path, text, len);
	if (fd >= 0)
		close(fd);
	free(dir);
	return ret;
}

static enum kgr_exit write_output(struct kgr_ctx *ctx, const json_t *doc)
{
	const char *path = ctx->opts.output;
	enum kgr_exit ret;
	char *text;
	size_t len;
	FILE *f;
	int err;

	if (!path)
		return KGR_EXIT_OK;
	f = open_memstream(&text, &len);
	put_metrics(f, doc);
	fclose(f);
	err = -write_file(path, text, len);
	free(text);
	if (!err)
		return KGR_EXIT_OK;
	ret = kgr_fail(ctx, kgr_exit_of_errno(err), "can't write %s: %s", path, strerror(err));
	kgr_why(ctx, "what was there before is unchanged");
	if (err == ENOENT)
		kgr_next(ctx, "make the directory, or give that of node_exporter's --collector.textfile.directory");
	return ret;
}

enum kgr_exit kgr_cmd_metrics(struct kgr_ctx *ctx)
{
	enum kgr_exit ret = kgr_sysfs_present(ctx);
	struct utsname uts = { .release = "?" };
	struct kgr_patch_list list = { 0 };
	bool kgraft = !ret;
	char *effective;
	json_t *doc;

	/* that there is none is one of the answers */
	if (ret == KGR_EXIT_NOTFOUND) {
		kgr_diag_reset(&ctx->diag);
		ret = KGR_EXIT_OK;
	}
	if (kgraft)
		ret = kgr_sysfs_patches(ctx, &list);
	if (ret)
		return ret;
	uname(&uts);
	kgr_patch_list_by_age(&list);
	effective = kgr_patch_list_effective(&list, uts.release);
	doc = json_pack("{s:b,s:s,s:o,s:o}", "kgraft", kgraft, "release", uts.release,
			"effective", kgr_json_str(effective),
			"output", kgr_json_str_or_null(ctx->opts.output));
	free(effective);
	add_patches(ctx, doc, &list);
	kgr_patch_list_free(&list);
	add_installed(ctx, doc);
	ret = write_output(ctx, doc);
	if (ret) {
		json_decref(doc);
		return ret;
	}
	return kgr_show(ctx, doc, metrics_text);
}
