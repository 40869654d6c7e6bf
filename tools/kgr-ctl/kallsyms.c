// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kallsyms.h"
#include "proc.h"

static int by_name(const void *a, const void *b)
{
	return strcmp((*(struct kgr_ksym * const *)a)->name, (*(struct kgr_ksym * const *)b)->name);
}

static int by_addr(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static int add(struct kgr_ksym *sym, const char *object, uint64_t addr)
{
	uint64_t *addrs;

	if (strcmp(object, sym->object)) {
		snprintf(sym->other, sizeof(sym->other), "%s", object);
		return 0;
	}
	addrs = realloc(sym->addrs, (sym->count + 1) * sizeof(*addrs));
	if (!addrs)
		return -ENOMEM;
	sym->addrs = addrs;
	addrs[sym->count++] = addr;
	return 0;
}

/* "ffffffff81000000 T name" or "... t name\t[module]" */
static int take_line(char *line, struct kgr_ksym **sorted, size_t n)
{
	char *name = strchr(line, ' '), *object;
	struct kgr_ksym key, *keyp = &key, **hit;
	uint64_t addr;
	int ret = 0;

	if (!name || !name[1] || name[2] != ' ')
		return 0;
	name += 3;
	object = name + strcspn(name, "\t\n");
	if (*object)
		*object++ = 0;
	key.name = name;
	hit = bsearch(&keyp, sorted, n, sizeof(*sorted), by_name);
	if (!hit)
		return 0;
	if (*object == '[') {
		object++;
		object[strcspn(object, "]")] = 0;
	} else {
		object = "vmlinux";
	}
	addr = strtoull(line, NULL, 16);
	/* one name may be looked for in several objects */
	while (hit > sorted && !by_name(&keyp, hit - 1))
		hit--;
	for (; !ret && hit < sorted + n && !by_name(&keyp, hit); hit++)
		ret = add(*hit, object, addr);
	return ret;
}

int kgr_kallsyms(struct kgr_ctx *ctx, struct kgr_ksym *syms, size_t n)
{
	struct kgr_ksym **sorted = calloc(n + 1, sizeof(*sorted));
	FILE *f = kgr_proc_open(ctx, "kallsyms");
	int ret = f ? 0 : -errno;
	char line[1024];

	if (!sorted)
		ret = -ENOMEM;
	for (size_t i = 0; !ret && i < n; i++)
		sorted[i] = &syms[i];
	if (!ret)
		qsort(sorted, n, sizeof(*sorted), by_name);
	while (!ret && fgets(line, sizeof(line), f))
		ret = take_line(line, sorted, n);
	if (!ret && ferror(f))
		ret = -EIO;
	/* those of a module come in another order, and hidden ones are all 0 */
	for (size_t i = 0; !ret && i < n; i++)
		if (syms[i].count)
			qsort(syms[i].addrs, syms[i].count, sizeof(*syms[i].addrs), by_addr);
	if (f)
		fclose(f);
	free(sorted);
	return ret;
}

void kgr_kallsyms_free(struct kgr_ksym *syms, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(syms[i].addrs);
		syms[i].addrs = NULL;
		syms[i].count = 0;
	}
}

uint64_t kgr_ksym_addr(const struct kgr_ksym *sym)
{
	if (!sym->sympos)
		return sym->count == 1 ? sym->addrs[0] : 0;
	return sym->sympos > 0 && (size_t)sym->sympos <= sym->count ?
	       sym->addrs[sym->sympos - 1] : 0;
}
