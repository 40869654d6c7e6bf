// SPDX-License-Identifier: GPL-2.0
/* SHA-256 against sha256sum, at every length around a block */
#include <stdio.h>

#include "../sha256.h"
#include "fixture.h"

static void test_lengths(void **state)
{
	struct fixture *f = *state;
	char data[300], sum[80], *path = fixture_path(f, "data");

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = i * 7 + 3;
	for (size_t n = 0; n < 135; n += n > 3 && n < 50 ? 23 : 1) {
		FILE *p;

		assert_int_equal(file_write(path, data, n), 0);
		p = popen(arena_printf(&f->arena, "sha256sum < %s", path), "r");
		assert_non_null(p);
		assert_int_equal(fread(sum, 64, 1, p), 1);
		sum[64] = 0;
		pclose(p);
		assert_string_equal(sha256_hex(&f->arena, data, n), sum);
	}
}

/* In pieces it is the same as at once */
static void test_pieces(void **state)
{
	struct fixture *f = *state;
	uint8_t data[1000], digest[SHA256_SIZE];

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = i ^ i >> 5;
	for (size_t step = 1; step < 200; step += 13) {
		struct sha256 s;

		sha256_start(&s);
		for (size_t i = 0; i < sizeof(data); i += step)
			sha256_add(&s, data + i, i + step > sizeof(data) ? sizeof(data) - i : step);
		sha256_end(&s, digest);
		assert_string_equal(sha256_print(&f->arena, digest),
				    sha256_hex(&f->arena, data, sizeof(data)));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_lengths, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_pieces, fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests_name("sha256", tests, NULL, NULL);
}
