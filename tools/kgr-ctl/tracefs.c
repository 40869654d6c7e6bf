// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tracefs.h"

#define SITE_SLACK	16	/* an ENDBR and padding come before the site */

/* Mounted by itself, or below debugfs as it was before; to be freed */
static char *trace_path(struct kgr_ctx *ctx, const char *file)
{
	static const char * const dirs[] = { "kernel/tracing", "kernel/debug/tracing" };
	char *path = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		free(path);
		path = kgr_asprintf("%s/%s/%s", ctx->sysfs_root, dirs[i], file);
		if (!access(path, F_OK))
			break;
	}
	return path;
}

static FILE *trace_open(struct kgr_ctx *ctx, const char *file)
{
	char *path = trace_path(ctx, file);
	FILE *f = fopen(path, "re");

	free(path);
	return f;
}

bool kgr_tracefs_mounted(struct kgr_ctx *ctx)
{
	char *path = trace_path(ctx, "README");
	bool mounted = !access(path, F_OK);

	free(path);
	return mounted;
}

void kgr_entry_free(struct kgr_entry *entry)
{
	free(entry->to);
	free(entry->to_module);
	entry->to = NULL;
	entry->to_module = NULL;
}

static int by_name(const void *a, const void *b)
{
	const struct kgr_entry *x = *(struct kgr_entry * const *)a;
	const struct kgr_entry *y = *(struct kgr_entry * const *)b;

	return strcmp(x->name, y->name);
}

struct lookup {
	struct kgr_entry **sorted;
	size_t n;
};

static int lookup_init(struct lookup *l, struct kgr_entry *entries, size_t n)
{
	l->n = n;
	l->sorted = calloc(n + 1, sizeof(*l->sorted));
	if (!l->sorted)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		l->sorted[i] = &entries[i];
	qsort(l->sorted, n, sizeof(*l->sorted), by_name);
	return 0;
}

/* The first of all with this name, NULL at the end */
static struct kgr_entry **find(const struct lookup *l, const char *name)
{
	struct kgr_entry key = { .name = name }, *keyp = &key, **hit;

	hit = bsearch(&keyp, l->sorted, l->n, sizeof(*l->sorted), by_name);
	while (hit && hit > l->sorted && !by_name(&keyp, hit - 1))
		hit--;
	return hit;
}

static bool more(const struct lookup *l, struct kgr_entry **hit, const char *name)
{
	return hit && hit < l->sorted + l->n && !strcmp((*hit)->name, name);
}

/* "name" or "name [module]" at the beginning of @line; what follows is returned */
static char *split_name(char *line, const char **name, const char **object)
{
	char *p = line + strcspn(line, " \n");

	*name = line;
	*object = "vmlinux";
	if (p[0] == ' ' && p[1] == '[') {
		*p = 0;
		*object = p + 2;
		p += strcspn(p + 2, "]\n") + 2;
	}
	if (*p)
		*p++ = 0;
	return p + strspn(p, " ");
}

int kgr_tracefs_sites(struct kgr_ctx *ctx, struct kgr_entry *entries, size_t n)
{
	bool with_addrs = true;
	FILE *f = trace_open(ctx, "available_filter_functions_addrs");
	const char *name, *object;
	struct lookup l;
	char line[1024];
	int ret;

	if (!f) {
		with_addrs = false;
		f = trace_open(ctx, "available_filter_functions");
	}
	if (!f)
		return -errno;
	ret = lookup_init(&l, entries, n);
	while (!ret && fgets(line, sizeof(line), f)) {
		uint64_t ip = 0;
		char *p = line;

		if (with_addrs)
			ip = strtoull(line, &p, 16);
		p += *p == ' ';
		split_name(p, &name, &object);
		for (struct kgr_entry **e = find(&l, name); more(&l, e, name); e++)
			if (!strcmp((*e)->object, object) &&
			    (!ip || !(*e)->addr || ip - (*e)->addr < SITE_SLACK))
				(*e)->site = true;
	}
	free(l.sorted);
	fclose(f);
	return ret;
}

/* "name+0x0/0x10 [module]" as %pS gives it */
static void take_target(struct kgr_entry *e, const char *text)
{
	const char *bracket = strchr(text, '[');

	kgr_entry_free(e);
	e->to = strndup(text, strcspn(text, "+ \t\n)"));
	if (bracket)
		e->to_module = strndup(bracket + 1, strcspn(bracket + 1, "]\n"));
}

/*
 * "(2) R I D M	jmp-->new+0x4/0x20 [module]", "... tramp: ADDRESS (handler+0x0/0x1)
 * ->handler+0x0/0x1" or "... ->handler+0x0/0x1"
 */
static bool parse_users(struct kgr_entry *e, const char *text)
{
	const char *flags = strchr(text, ')'), *p;
	size_t len;

	if (*text != '(' || !flags)
		return false;
	e->users = (unsigned int)strtoul(text + 1, NULL, 10);
	flags++;
	len = strcspn(flags, "\t-\n");
	e->decided = memchr(flags, 'I', len);
	p = strstr(flags, "jmp-->");
	e->jumps = p;
	if (p) {
		take_target(e, p + strlen("jmp-->"));
		return true;
	}
	p = strstr(flags, "tramp: ");
	p = p ? strchr(p, '(') : NULL;
	if (p) {
		take_target(e, p + 1);
		return true;
	}
	p = strstr(flags, "->");
	if (p)
		take_target(e, p + 2);
	return true;
}

/* Lines that begin with a tab go on about the function before */
static bool next_user(FILE *f, char *line, size_t size, struct kgr_entry *found)
{
	while (fgets(line, (int)size, f)) {
		if (*line != '\t' &&
		    parse_users(found, split_name(line, &found->name, &found->object)))
			return true;
	}
	return false;
}

int kgr_tracefs_each_decided(struct kgr_ctx *ctx, kgr_entry_fn fn, void *arg)
{
	FILE *f = trace_open(ctx, "enabled_functions");
	struct kgr_entry found = { 0 };
	char line[1024];

	if (!f)
		return -errno;
	while (next_user(f, line, sizeof(line), &found)) {
		if (found.decided)
			fn(&found, arg);
		kgr_entry_free(&found);
	}
	fclose(f);
	return 0;
}

/* Names that occur twice can't be told from each other here */
int kgr_tracefs_users(struct kgr_ctx *ctx, struct kgr_entry *entries, size_t n)
{
	FILE *f = trace_open(ctx, "enabled_functions");
	struct kgr_entry found = { 0 };
	struct lookup l;
	char line[1024];
	int ret;

	if (!f)
		return -errno;
	ret = lookup_init(&l, entries, n);
	while (!ret && next_user(f, line, sizeof(line), &found)) {
		for (struct kgr_entry **e = find(&l, found.name); more(&l, e, found.name); e++) {
			if (strcmp((*e)->object, found.object))
				continue;
			kgr_entry_free(*e);
			(*e)->users = found.users;
			(*e)->decided = found.decided;
			(*e)->jumps = found.jumps;
			(*e)->to = found.to ? strdup(found.to) : NULL;
			(*e)->to_module = found.to_module ? strdup(found.to_module) : NULL;
		}
		kgr_entry_free(&found);
	}
	free(l.sorted);
	fclose(f);
	return ret;
}
