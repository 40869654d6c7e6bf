// SPDX-License-Identifier: GPL-2.0
/* Diffs, and the C source that they are for */
#include "../../kgr-build.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kgr_build b = { 0 };
	struct src_map map = { 0 };
	struct diff_file *f;
	struct diff df;
	char *text;

	b.diag.arena = &b.arena;
	text = arena_strndup(&b.arena, (const char *)data, size);
	if (!diff_parse(&b.diag, "fuzz.patch", text, &df)) {
		diff_resolve(&b.diag, "/nonexistent", &df);
		vec_each(f, &df.files)
			src_keep_lines(&b.arena, text, f->hunks.v, f->hunks.n);
	}
	describe_read(&b, text);
	src_scan(&b.arena, text, &map);
	for (unsigned int i = 0; i < map.nlines; i += 7)
		src_block_at(&map, i);
	arena_free(&b.arena);
	return 0;
}
