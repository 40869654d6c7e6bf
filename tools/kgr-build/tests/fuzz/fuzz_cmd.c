// SPDX-License-Identifier: GPL-2.0
/* What kbuild has recorded: commands, and the members of vmlinux.a */
#include "../../object.c"
#include "fuzz.h"

int fuzz_members(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena a = { 0 };
	struct diag d = { .arena = &a };
	struct tree t = { .objdir = "/t", .srcdir = "/s" };
	char *text = arena_strndup(&a, (const char *)data, size);
	struct object *o, whole = { .path = "kernel/core.o", .command = text };
	strvec words;

	if (size > 8 && !memcmp(data, "!<thin>\n", 8)) {
		fuzz_members(data, size);
		goto out;
	}
	mentions(&a, &t, text, "kernel/core.c");
	o = parse_cmd_file(&a, &t, "/t/kernel/.core.o.cmd", text);
	if (!o)
		o = &whole;
	for (int form = 0; form <= COMMAND_PREPROCESS; form++)
		object_command(&d, o, form, "/x.o", "/x.d", &words);
out:
	arena_free(&a);
	return 0;
}
