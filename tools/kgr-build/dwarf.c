// SPDX-License-Identifier: GPL-2.0
/* Where in the source things are: the only file that knows libdw */
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <elfutils/libdwfl.h>

#include "dwarf.h"

struct dw_reader {
	struct arena *a;
	struct dw_index *ix;
};

static struct dw_func *get_func(struct dw_reader *r, struct map *m, Dwarf_Die *die)
{
	const char *name = dwarf_diename(die), *file = dwarf_decl_file(die);
	struct dw_func *f;
	int line = 0;

	if (!name)
		return NULL;
	f = map_get(m, name);
	if (f)
		return f;
	f = arena_alloc(r->a, sizeof(*f));
	f->name = arena_strdup(r->a, name);
	dwarf_decl_line(die, &line);
	if (file && str_starts(file, "./"))
		file += 2;
	f->file = file ? arena_strdup(r->a, file) : NULL;
	f->line = line;
	map_set(r->a, m, f->name, f);
	return f;
}

/* dwarf_diename() follows DW_AT_abstract_origin, so inlined calls have a name too */
static void find_inlined(struct dw_reader *r, struct dw_func *f, Dwarf_Die *parent)
{
	Dwarf_Die die;

	if (dwarf_child(parent, &die))
		return;
	do {
		struct dw_func *in;
		bool known = false;

		if (dwarf_tag(&die) == DW_TAG_inlined_subroutine) {
			in = get_func(r, &r->ix->funcs, &die);
			for (size_t i = 0; i < f->inlined.n; i++)
				known |= f->inlined.v[i] == in;
			if (in && !known)
				vec_push(r->a, &f->inlined, in);
		}
		if (dwarf_haschildren(&die) && dwarf_tag(&die) != DW_TAG_subprogram)
			find_inlined(r, f, &die);
	} while (!dwarf_siblingof(&die, &die));
}

static void read_unit(struct dw_reader *r, Dwarf_Die *cu)
{
	Dwarf_Die die;

	if (dwarf_child(cu, &die))
		return;
	do {
		struct dw_func *f;

		if (dwarf_tag(&die) == DW_TAG_variable) {
			get_func(r, &r->ix->vars, &die);
		} else if (dwarf_tag(&die) == DW_TAG_subprogram) {
			bool decl = dwarf_hasattr(&die, DW_AT_declaration);

			f = decl ? NULL : get_func(r, &r->ix->funcs, &die);
			if (f)
				find_inlined(r, f, &die);
		}
	} while (!dwarf_siblingof(&die, &die));
}

int dwarf_read(struct arena *a, const char *path, struct dw_index *ix)
{
	static const Dwfl_Callbacks callbacks = {
		.find_elf = dwfl_build_id_find_elf,
		.find_debuginfo = dwfl_standard_find_debuginfo,
		.section_address = dwfl_offline_section_address,
	};
	struct dw_reader r = { .a = a, .ix = ix };
	Dwfl *dwfl = dwfl_begin(&callbacks);
	Dwarf_Die *cu = NULL;
	Dwfl_Module *mod;
	Dwarf_Addr bias;

	*ix = (struct dw_index){ 0 };
	if (!dwfl)
		return -1;
	mod = dwfl_report_offline(dwfl, path, path, -1);
	dwfl_report_end(dwfl, NULL, NULL);
	while (mod && (cu = dwfl_module_nextcu(mod, cu, &bias)))
		read_unit(&r, cu);
	dwfl_end(dwfl);
	return mod ? 0 : -1;
}
