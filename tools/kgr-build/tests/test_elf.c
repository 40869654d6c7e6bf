// SPDX-License-Identifier: GPL-2.0
/* Object files that no compiler makes: each was once taken for good, or more than that */
#include <elf.h>
#include <stdlib.h>

#include "../elf.h"
#include "../load.h"
#include "fixture.h"

static const char source[] =
	"extern int ext(const char *); int v = 3;\n"
	"__attribute__((noinline)) static int f(int a) { return ext(\"one\") + a + v; }\n"
	"int g(int a) { return f(a) + ext(\"two\"); }\n";

struct image {
	Elf64_Ehdr *eh;
	Elf64_Shdr *sh;
	char *data;
	size_t size;
};

static void open_image(struct fixture *f, struct image *im)
{
	char *path = fixture_compile(f, "good", source, "-ffunction-sections -fdata-sections");

	assert_int_equal(file_read(&f->arena, path, &im->data, &im->size), 0);
	im->eh = (Elf64_Ehdr *)im->data;
	im->sh = (Elf64_Shdr *)(im->data + im->eh->e_shoff);
}

static Elf64_Shdr *section(struct image *im, const char *name)
{
	const char *names = im->data + im->sh[im->eh->e_shstrndx].sh_offset;

	for (size_t i = 1; i < im->eh->e_shnum; i++)
		if (!strcmp(names + im->sh[i].sh_name, name))
			return &im->sh[i];
	fail_msg("no section %s", name);
	return NULL;
}

static int load(struct fixture *f, const struct image *im)
{
	char *path = fixture_path(f, "bad.o");
	struct obj o;
	int err;

	assert_int_equal(file_write(path, im->data, im->size), 0);
	err = load_object(&f->diag, &f->arena, path, "bad.o", false, &o);
	elf_close(&o);
	return err;
}

static void test_good(void **state)
{
	struct image im;

	open_image(*state, &im);
	assert_int_equal(load(*state, &im), 0);
}

/* The second was read to behind the room for the first */
static void test_two_relas(void **state)
{
	struct image im;

	open_image(*state, &im);
	section(&im, ".rela.text.g")->sh_info = section(&im, ".rela.text.f")->sh_info;
	assert_int_equal(load(*state, &im), -1);
}

static void assert_said(struct fixture *f, const char *what)
{
	assert_true(f->diag.items.n > 0);
	assert_non_null(strstr(f->diag.items.v[f->diag.items.n - 1].detail, what));
}

/* Hundreds of sections with the same content would be taken apart one by one */
static void test_shared_content(void **state)
{
	struct image im;

	open_image(*state, &im);
	for (size_t i = 1; i < im.eh->e_shnum; i++)
		if (im.sh[i].sh_type == SHT_PROGBITS) {
			im.sh[i].sh_offset = 0;
			im.sh[i].sh_size = im.size;
		}
	assert_int_equal(load(*state, &im), -1);
	assert_said(*state, "shares its content");
}

/* Names that libelf unpacks go away with it */
static void test_packed_names(void **state)
{
	struct image im;

	open_image(*state, &im);
	section(&im, ".strtab")->sh_flags |= SHF_COMPRESSED;
	assert_int_equal(load(*state, &im), -1);
	open_image(*state, &im);
	section(&im, ".shstrtab")->sh_flags |= SHF_COMPRESSED;
	assert_int_equal(load(*state, &im), -1);
	assert_said(*state, "its sections have no names");
}

/* As large as it likes, and nothing in it */
static void test_empty_strings(void **state)
{
	struct image im;
	Elf64_Shdr *sh = NULL;

	open_image(*state, &im);
	for (size_t i = 1; i < im.eh->e_shnum; i++)
		if ((im.sh[i].sh_flags & (SHF_ALLOC | SHF_STRINGS)) == (SHF_ALLOC | SHF_STRINGS))
			sh = &im.sh[i];
	assert_non_null(sh);
	sh->sh_type = SHT_NOBITS;
	sh->sh_size = 1ull << 40;
	assert_int_equal(load(*state, &im), -1);
}

/* A field of four bytes in the last one of a function, and no symbol */
static void test_field_at_end(void **state)
{
	Elf64_Shdr *text, *rela;
	struct image im;
	Elf64_Rela *r;

	open_image(*state, &im);
	text = section(&im, ".text.f");
	rela = section(&im, ".rela.text.f");
	r = (Elf64_Rela *)(im.data + rela->sh_offset) + rela->sh_size / sizeof(*r) - 1;
	r->r_offset = text->sh_size - 1;
	r->r_info = ELF64_R_INFO(0, R_X86_64_PC32);
	load(*state, &im);	/* either way, but nothing is written behind it */
}

/* Sums with it overflowed */
static void test_far_addend(void **state)
{
	Elf64_Shdr *rela;
	struct image im;

	open_image(*state, &im);
	rela = section(&im, ".rela.text.g");
	((Elf64_Rela *)(im.data + rela->sh_offset))->r_addend = INT64_MAX - 3;
	assert_int_equal(load(*state, &im), -1);
	assert_said(*state, "is damaged");
}

#define TEST(name)	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_good), TEST(test_two_relas), TEST(test_shared_content),
		TEST(test_packed_names), TEST(test_empty_strings), TEST(test_field_at_end),
		TEST(test_far_addend),
	};

	return cmocka_run_group_tests_name("elf", tests, NULL, NULL);
}
