// SPDX-License-Identifier: GPL-2.0
/* Functions and variables, from debug data: where they are, what they inline and use */
#include <elfutils/libdwfl.h>

#include "dwtypes.h"

struct dw_reader {
	struct arena *a;
	struct dw_index *ix;
	const struct map *known;
	struct map locals;		/* types that a local variable has been noted of */
};

static struct dw_func *get_func(struct dw_reader *r, struct map *m, Dwarf_Die *die)
{
	const char *name = dwarf_diename(die);
	struct dw_func *f;

	if (!name)
		return NULL;
	f = map_get(m, name);
	if (f)
		return f;
	f = arena_alloc(r->a, sizeof(*f));
	f->name = arena_strdup(r->a, name);
	f->file = dw_file(r->a, die, &f->line);
	map_set(r->a, m, f->name, f);
	if (m == &r->ix->funcs)
		vec_push(r->a, &r->ix->func_list, f);
	return f;
}

/* A fixed address, and no place on the stack */
static bool has_address(Dwarf_Die *die)
{
	Dwarf_Attribute attr;
	Dwarf_Block block;

	if (!dwarf_attr_integrate(die, DW_AT_location, &attr))
		return false;
	return !dwarf_formblock(&attr, &block) && block.length && block.data &&
		block.data[0] == DW_OP_addr;
}

static void add_use(struct dw_reader *r, Dwarf_Die *die, const char *function)
{
	const char *type = dw_embedded(r->a, die), *name = dwarf_diename(die);
	struct dw_use use = { .type = type, .function = function };

	if (!type)
		return;
	use.is_static = !function || has_address(die);
	if (!use.is_static) {
		if (map_get(&r->locals, type))
			return;
		map_set(r->a, &r->locals, type, r);
	}
	use.name = name ? arena_strdup(r->a, name) : "?";
	vec_push(r->a, &r->ix->uses, use);
}

/* dwarf_diename() follows DW_AT_abstract_origin, so inlined calls have a name too */
static void look_inside(struct dw_reader *r, struct dw_func *f, Dwarf_Die *parent,
			unsigned int depth)
{
	Dwarf_Die die;

	if (depth > DW_MAX_DEPTH || dwarf_child(parent, &die))
		return;
	do {
		struct dw_func *in;
		bool known = false;
		int tag = dwarf_tag(&die);

		if (tag == DW_TAG_variable || tag == DW_TAG_formal_parameter) {
			add_use(r, &die, f->name);
			continue;
		}
		if (tag == DW_TAG_inlined_subroutine) {
			in = get_func(r, &r->ix->funcs, &die);
			for (size_t i = 0; i < f->inlined.n; i++)
				known |= f->inlined.v[i] == in;
			if (in && !known)
				vec_push(r->a, &f->inlined, in);
		}
		if (dwarf_haschildren(&die) && tag != DW_TAG_subprogram)
			look_inside(r, f, &die, depth + 1);
	} while (!dw_next(&die));
}

static void read_function(struct dw_reader *r, Dwarf_Die *die)
{
	struct dw_func *f;
	Dwarf_Die child;

	if (dwarf_hasattr(die, DW_AT_declaration))
		return;
	f = get_func(r, &r->ix->funcs, die);
	if (!f)
		return;
	look_inside(r, f, die, 0);
	/* a clone, or what remains of a function, may have lost parameters */
	if (f->proto || dwarf_hasattr(die, DW_AT_abstract_origin))
		return;
	f->proto = dw_type_text(r->a, die);
	f->external = dwarf_hasattr_integrate(die, DW_AT_external);
	if (!dwarf_child(die, &child))
		do {
			f->nparams += dwarf_tag(&child) == DW_TAG_formal_parameter;
		} while (!dw_next(&child));
}

static void read_unit(struct dw_reader *r, Dwarf_Die *cu)
{
	Dwarf_Die die;

	if (dwarf_child(cu, &die))
		return;
	do {
		int tag = dwarf_tag(&die);
		Dwarf_Die copy = die;

		if (tag == DW_TAG_variable) {
			get_func(r, &r->ix->vars, &die);
			if (!dwarf_hasattr(&die, DW_AT_declaration))
				add_use(r, &die, NULL);
		} else if (tag == DW_TAG_subprogram) {
			read_function(r, &die);
		} else {
			dw_add_type(r->a, r->known, r->ix, &copy);
		}
	} while (!dw_next(&die));
}

/* Objects have their debug data in them; nothing is looked for elsewhere */
static int no_debuginfo(Dwfl_Module *mod, void **userdata, const char *name, Dwarf_Addr base,
			const char *file, const char *link, GElf_Word crc, char **found)
{
	(void)mod, (void)userdata, (void)name, (void)base, (void)file, (void)link, (void)crc;
	(void)found;
	return -1;
}

static Dwfl_Module *open_file(Dwfl **dwfl, const char *path)
{
	static const Dwfl_Callbacks callbacks = {
		.find_elf = dwfl_build_id_find_elf,
		.find_debuginfo = no_debuginfo,
		.section_address = dwfl_offline_section_address,
	};
	Dwfl_Module *mod;

	*dwfl = dwfl_begin(&callbacks);
	if (!*dwfl)
		return NULL;
	mod = dwfl_report_offline(*dwfl, path, path, -1);
	dwfl_report_end(*dwfl, NULL, NULL);
	return mod;
}

char *dwarf_producer(struct arena *a, const char *path)
{
	Dwfl *dwfl;
	Dwfl_Module *mod = open_file(&dwfl, path);
	const char *s = NULL;
	char *copy = NULL;
	Dwarf_Attribute attr;
	Dwarf_Die *cu;
	Dwarf_Addr bias;

	cu = mod ? dwfl_module_nextcu(mod, NULL, &bias) : NULL;
	if (cu && dwarf_attr(cu, DW_AT_producer, &attr))
		s = dwarf_formstring(&attr);
	if (s)
		copy = arena_strdup(a, s);
	dwfl_end(dwfl);
	return copy;
}

int dwarf_read(struct arena *a, const char *path, const struct map *known, struct dw_index *ix)
{
	struct dw_reader r = { .a = a, .ix = ix, .known = known };
	Dwfl *dwfl;
	Dwfl_Module *mod;
	Dwarf_Die *cu = NULL;
	Dwarf_Addr bias;

	*ix = (struct dw_index){ 0 };
	mod = open_file(&dwfl, path);
	while (mod && (cu = dwfl_module_nextcu(mod, cu, &bias)))
		read_unit(&r, cu);
	dwfl_end(dwfl);
	return mod ? 0 : -1;
}
