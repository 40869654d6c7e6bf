// SPDX-License-Identifier: GPL-2.0
/* Objects compiled from source at test time, with flags like the kernel's */
#include <stdio.h>
#include <stdlib.h>

#include "../compare.h"
#include "../correlate.h"
#include "../load.h"
#include "fixture.h"

static const char flags_common[] =
	"-std=gnu11 -O2 -w -fno-PIE -mcmodel=kernel -mno-red-zone -mno-sse -fcf-protection=branch "
	"-fno-jump-tables -pg -mfentry -mrecord-mcount -fpatchable-function-entry=16,16 "
	"-falign-functions=16 -fno-asynchronous-unwind-tables -fno-common -fno-stack-protector "
	"-fno-strict-aliasing -fno-builtin -ffreestanding -g";

int fixture_setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	char tmpl[] = "/tmp/kgr-build-test.XXXXXX";

	f->diag.arena = &f->arena;
	if (!mkdtemp(tmpl))
		return -1;
	f->dir = arena_strdup(&f->arena, tmpl);
	*state = f;
	return 0;
}

int fixture_teardown(void **state)
{
	struct fixture *f = *state;
	int err = remove_tree(f->dir);

	arena_free(&f->arena);
	free(f);
	return err;
}

char *fixture_path(struct fixture *f, const char *name)
{
	return arena_printf(&f->arena, "%s/%s", f->dir, name);
}

char *fixture_file(struct fixture *f, const char *name, const char *text)
{
	char *path = fixture_path(f, name);

	assert_int_equal(make_parent_dirs(&f->arena, path), 0);
	assert_int_equal(file_write(path, text, strlen(text)), 0);
	return path;
}

int fixture_system(struct fixture *f, const char *fmt, ...)
{
	va_list ap;
	char *cmd;

	va_start(ap, fmt);
	cmd = arena_vprintf(&f->arena, fmt, ap);
	va_end(ap);
	return system(cmd);
}

char *fixture_compile(struct fixture *f, const char *name, const char *source, const char *flags)
{
	char *c = fixture_file(f, arena_printf(&f->arena, "%s/test.c", name), source);
	char *o = fixture_path(f, arena_printf(&f->arena, "%s/test.o", name));

	assert_int_equal(fixture_system(f, "gcc %s %s -c -o %s %s", flags_common, flags, o, c), 0);
	return o;
}

struct obj *fixture_load(struct fixture *f, const char *name, const char *source)
{
	char *path = fixture_compile(f, name, source, "-ffunction-sections -fdata-sections");
	struct obj *o = arena_alloc(&f->arena, sizeof(*o));

	assert_int_equal(load_object(&f->diag, &f->arena, path, name, false, o), 0);
	return o;
}

void fixture_pair(struct fixture *f, const char *before, const char *after, struct obj **orig,
		  struct obj **patched)
{
	*orig = fixture_load(f, "orig", before);
	*patched = fixture_load(f, "patched", after);
	correlate(&f->diag, *orig, *patched);
	compare_objects(&f->arena, *patched);
}

struct atom *fixture_atom(struct obj *o, const char *name)
{
	struct sym *s = obj_find_sym(o, name);

	assert_non_null(s);
	assert_non_null(s->atom);
	return s->atom;
}

unsigned int fixture_count(const struct fixture *f, enum diag_code code)
{
	const struct diag_item *it;
	unsigned int n = 0;

	vec_each(it, &f->diag.items)
		n += it->code == code;
	return n;
}
