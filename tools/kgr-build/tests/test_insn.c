// SPDX-License-Identifier: GPL-2.0
/* Instruction lengths, checked against objdump where there is one */
#include <stdio.h>
#include <stdlib.h>

#include "../arch/x86/insn.h"
#include "fixture.h"

static const struct {
	const char *code;
	unsigned int size, len;
	bool branch, rip;
} table[] = {
	{ "\xf3\x0f\x1e\xfa", 4, 4, false, false },			/* endbr64 */
	{ "\xe8\x01\x02\x03\x04", 5, 5, true, false },			/* call */
	{ "\x2e\xe8\x01\x02\x03\x04", 6, 6, true, false },		/* cs call */
	{ "\xeb\x10", 2, 2, true, false },
	{ "\x0f\x84\x01\x02\x03\x04", 6, 6, true, false },		/* je */
	{ "\x48\x8b\x05\x01\x02\x03\x04", 7, 7, false, true },		/* mov x(%rip),%rax */
	{ "\xc7\x05\x01\x02\x03\x04\x05\x06\x07\x08", 10, 10, false, true },
	{ "\x66\xc7\x05\x01\x02\x03\x04\x05\x06", 9, 9, false, true },
	{ "\x80\x3d\x01\x02\x03\x04\x05", 7, 7, false, true },		/* cmpb */
	{ "\x48\xb8\x01\x02\x03\x04\x05\x06\x07\x08", 10, 10, false, false },
	{ "\xf6\x05\x01\x02\x03\x04\x05", 7, 7, false, true },		/* testb $5,x(%rip) */
	{ "\xf6\x15\x01\x02\x03\x04", 6, 6, false, true },		/* notb x(%rip) */
	{ "\xc4\xe2\xe9\xf7\xc0", 5, 5, false, false },			/* shlx */
	{ "\x65\x48\x8b\x04\x25\x01\x02\x03\x04", 9, 9, false, false },	/* %gs:disp32 */
	{ "\x0f\x0b", 2, 2, false, false },				/* ud2 */
	{ "\x48\xa1\x01\x02\x03\x04\x05\x06\x07\x08", 10, 10, false, false },
};

static void test_lengths(void **state)
{
	struct insn insn;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		const uint8_t *code = (const uint8_t *)table[i].code;

		assert_int_equal(insn_decode(code, table[i].size, &insn), 0);
		assert_int_equal(insn.len, table[i].len);
		assert_int_equal(insn.branch, table[i].branch);
		assert_int_equal(insn.rip_relative, table[i].rip);
		for (size_t n = 0; n < table[i].size; n++) {
			uint8_t *cut = malloc(n ? n : 1);	/* for the address sanitizer */

			memcpy(cut, code, n);
			assert_int_equal(insn_decode(cut, n, &insn), -1);
			free(cut);
		}
	}
}

static void test_padding(void **state)
{
	static const uint8_t pad[] = { 0x90, 0x66, 0x90, 0x0f, 0x1f, 0x40, 0x00, 0xcc, 0xcc, 0xc3 };

	(void)state;
	assert_int_equal(insn_padding(pad, sizeof(pad)), sizeof(pad) - 1);
	assert_int_equal(insn_padding(pad + 9, 1), 0);
}

static void test_noise(void **state)
{
	unsigned int seed = 7;
	struct insn insn;

	(void)state;
	for (int i = 0; i < 200000; i++) {
		uint8_t code[16];

		for (size_t k = 0; k < sizeof(code); k++) {
			seed = seed * 1103515245 + 12345;
			code[k] = seed >> 16;
		}
		if (!insn_decode(code, i % 16, &insn))
			assert_true(insn.len && insn.len <= (unsigned int)(i % 16));
	}
}

static const char program[] =
	"extern int e(int, ...); extern long g[]; struct s { long a, b; char c[40]; } extern t;\n"
	"double d; \n"
	"int f1(int a, long b) { switch (a) { case 1: return e(b); case 2: return g[b] * 77;\n"
	" case 3: t.a = 0x12345; t.b = 0x123456789abcdefL; return 4; } return g[0] / b; }\n"
	"void f2(struct s *p) { *p = t; __atomic_fetch_add(&p->a, 3, 5); p->c[3] |= 0x80; }\n"
	"unsigned f3(unsigned a) { return __builtin_bswap32(a) ^ (a << 7 | a >> 25); }\n"
	"long f4(long *p, long n) { long s = 0; for (; n--; p++) if (*p & 1) s += *p; return s; }\n"
	"int f5(const char *p) { while (*p && *p != '/') p++; return p[0] == t.c[1]; }\n";

static void check_line(char *line, unsigned long *n)
{
	uint8_t code[32];
	struct insn insn;
	size_t k = 0;
	char *p = strchr(line, ':'), *end;

	if (!p || p[1] != '\t')
		return;
	p += 2;
	end = strchr(p, '\t');
	if (!end || strstr(end, "(bad)"))
		return;
	*end = 0;
	for (char *t = strtok(p, " "); t && k < sizeof(code); t = strtok(NULL, " "))
		code[k++] = strtoul(t, NULL, 16);
	if (insn_decode(code, k, &insn) || insn.len != k)
		fail_msg("%s is %zu bytes, not %u", end + 1, k, insn.len);
	(*n)++;
}

static void test_objdump(void **state)
{
	struct fixture *f = *state;
	char *o = fixture_compile(f, "o", program, "-O3 -mbmi2 -mavx2"), line[512];
	unsigned long n = 0;
	FILE *pipe;

	pipe = popen(arena_printf(&f->arena, "objdump -d -w --insn-width=16 %s", o), "r");
	assert_non_null(pipe);
	while (fgets(line, sizeof(line), pipe))
		check_line(line, &n);
	assert_int_equal(pclose(pipe), 0);
	assert_true(n > 100);
}

#define TEST(name)	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_lengths), TEST(test_padding), TEST(test_noise), TEST(test_objdump),
	};

	return cmocka_run_group_tests_name("insn", tests, NULL, NULL);
}
