// SPDX-License-Identifier: GPL-2.0
/*
 * The linked module: what can be bound only when another module is there.
 *
 * The kernel looks at special sections when it loads the patch module.  An entry
 * that refers to a symbol of a module which isn't there then would be garbage to
 * it, so entries of that sort are moved to tables that only kgraft knows
 * (struct kgr_late), one for each module and kind.  Entries that lead only into the
 * patch module itself (exceptions, bugs, ORC, ftrace sites) stay where they are.
 */
#include <elf.h>

#include "late.h"
#include "postlink.h"
#include "special.h"

/* Tables that entries are taken out of */
#define KIND_NAME(name, number, text)	[number] = text,
static const char * const kind_names[] = { KGR_LATE_KINDS(KIND_NAME) };

#define KINDS	ARRAY_SIZE(kind_names)

static const struct {
	const char *section;
	unsigned int size;		/* of an entry */
} movable[KINDS] = {
	[KGR_LATE_JUMPS]  = { "__jump_table", 16 },
	[KGR_LATE_CALLS]  = { ".static_call_sites", 8 },
	[KGR_LATE_ALTS]   = { ".altinstructions", 14 },
	[KGR_LATE_DEPTHS] = { ".call_sites", 4 },
};

/* Of an entry of .altinstructions */
#define ALT_REPL	4
#define ALT_LEN		12
#define ALT_REPL_LEN	13

/* A relocation to be applied late */
struct field {
	struct sect *sect;
	struct rela *rela;
	const struct xref *xref;
};

/* Which module the entries of a table wait for; NULL: none */
struct table {
	struct sect *sect;
	const struct xref **late;
	size_t n;
};

struct splitter {
	struct diag *d;
	struct obj *ko;
	const struct sect *strings;
	const struct map *privates;
	VEC(struct field) fields;
	VEC(const struct xref *) modules;	/* one symbol for each */
	struct table tables[KINDS];
	struct buf index;
	struct sect *index_sect;
};

#define FAIL(p, ...)	diag((p)->d, D_POSTLINK, AT(.object = (p)->ko->path), __VA_ARGS__)

bool has_late(const struct kgr_build *b)
{
	for (size_t i = 0; i < b->xrefs.n; i++)
		if (b->xrefs.v[i]->late)
			return true;
	return false;
}

static bool same_module(const struct xref *x, const struct xref *y)
{
	return x && y && !strcmp(x->late, y->late);
}

static void add_module(struct splitter *p, const struct xref *x)
{
	for (size_t i = 0; i < p->modules.n; i++)
		if (same_module(p->modules.v[i], x))
			return;
	vec_push(p->ko->arena, &p->modules, x);
}

static struct table *table_of(struct splitter *p, const struct sect *s)
{
	for (size_t i = 0; i < KINDS; i++)
		if (p->tables[i].sect == s)
			return &p->tables[i];
	return NULL;
}

static int find_tables(struct splitter *p)
{
	for (size_t i = 0; i < KINDS; i++) {
		struct table *t = &p->tables[i];
		struct sect *s = movable[i].section ? obj_find_sect(p->ko, movable[i].section) :
			NULL;

		if (!s)
			continue;
		if (s->size % movable[i].size)
			return FAIL(p, "section %s: %llu bytes in entries of %u", s->name,
				    (unsigned long long)s->size, movable[i].size);
		t->sect = s;
		t->n = s->size / movable[i].size;
		t->late = arena_alloc(p->ko->arena, (t->n + 1) * sizeof(*t->late));
	}
	return 0;
}

/* What the kernel neither looks at when it loads the module, nor runs */
static bool is_plain(const struct sect *s)
{
	const struct sect_kind *kind = section_kind(s);

	if (!kind)
		return false;
	return kind->cls == SECT_TEXT || kind->cls == SECT_PIECE || kind->cls == SECT_DATA ||
		kind->cls == SECT_CONST || kind->cls == SECT_POOL;
}

static int collect(struct splitter *p, struct sect *s)
{
	struct table *t = table_of(p, s);
	struct rela *r;

	vec_each(r, &s->relas) {
		const struct xref *x = private_of(p->privates, r->sym);
		struct field f = { .sect = s, .rela = r, .xref = x };

		if (!x || !x->late)
			continue;
		if (t)
			t->late[r->offset / movable[t - p->tables].size] = x;
		else if (!is_plain(s))
			return FAIL(p, "section %s refers to %s of module %s", s->name, x->name,
				    x->objname);
		else
			vec_push(p->ko->arena, &p->fields, f);
		add_module(p, x);
	}
	return 0;
}

/* Where field @off of a table leads to */
static bool target_of(const struct sect *s, uint64_t off, const struct sect **sect, uint64_t *at)
{
	struct rela *r;

	vec_each(r, &s->relas)
		if (r->offset == off && r->sym && r->sym->sect) {
			*sect = r->sym->sect;
			*at = r->sym->value + r->addend;
			return true;
		}
	return false;
}

/* Is there something to be bound late in the code that field @off leads to? */
static const struct xref *late_in(const struct splitter *p, const struct sect *s, uint64_t off,
				  uint64_t len)
{
	const struct sect *sect;
	struct field *f;
	uint64_t at;

	if (!target_of(s, off, &sect, &at))
		return NULL;
	vec_each(f, &p->fields)
		if (f->sect == sect && f->rela->offset >= at && f->rela->offset < at + len)
			return f->xref;
	return NULL;
}

static bool same_site(const struct sect *s, uint64_t x, uint64_t y)
{
	const struct sect *a, *b;
	uint64_t at, bt;

	return target_of(s, x, &a, &at) && target_of(s, y, &b, &bt) && a == b && at == bt;
}

/* Several alternatives for one place follow one another and belong together */
static void find_alternatives(struct splitter *p)
{
	struct table *t = &p->tables[KGR_LATE_ALTS];
	const uint64_t size = movable[KGR_LATE_ALTS].size;

	for (size_t i = 0; i < t->n; i++) {
		const uint8_t *e = t->sect->data + i * size;

		t->late[i] = late_in(p, t->sect, i * size, e[ALT_LEN]);
		if (!t->late[i])
			t->late[i] = late_in(p, t->sect, i * size + ALT_REPL, e[ALT_REPL_LEN]);
	}
	for (size_t i = 0; i < t->n; i++)
		for (size_t k = 0; t->late[i] && k < t->n; k++)
			if (!t->late[k] && same_site(t->sect, i * size, k * size))
				t->late[k] = t->late[i];
}

/* Calls that are counted, for processors that need it: of what isn't there yet, later */
static void find_calls(struct splitter *p)
{
	struct table *t = &p->tables[KGR_LATE_DEPTHS];
	const uint64_t size = movable[KGR_LATE_DEPTHS].size;

	for (size_t i = 0; i < t->n; i++)
		t->late[i] = late_in(p, t->sect, i * size, 5);
}

static struct sect *new_section(struct splitter *p, const struct xref *module, unsigned int kind)
{
	struct sect s = {
		.name = arena_printf(p->ko->arena, KGR_LATE_PREFIX "%s.%s", module->late,
				     kind_names[kind]),
		.type = SHT_PROGBITS, .flags = SHF_ALLOC | SHF_WRITE, .align = 8,
	};
	struct sym sym = { .name = s.name, .type = STT_SECTION, .bind = STB_LOCAL };

	sym.sect = obj_add_sect(p->ko, &s);
	sym.sect->sym = obj_add_sym(p->ko, &sym);
	return sym.sect;
}

/* Lists a table that is complete; a zero entry ends it */
static void finish(struct splitter *p, const struct xref *module, unsigned int kind,
		   struct sect *s, struct buf *data, size_t entsize)
{
	struct kgr_late late = { .num = data->n / entsize, .kind = kind };
	struct rela name = {
		.offset = p->index.n + offsetof(struct kgr_late, objname), .type = R_X86_64_64,
		.sym = p->strings->sym, .addend = module->late_string,
	};
	struct rela start = {
		.offset = p->index.n + offsetof(struct kgr_late, start), .type = R_X86_64_64,
		.sym = s->sym,
	};

	for (size_t i = 0; i < entsize; i++)
		buf_add(data, "", 1);
	s->data = (uint8_t *)data->s;
	s->size = data->n;
	buf_add(&p->index, &late, sizeof(late));
	vec_push(p->ko->arena, &p->index_sect->relas, name);
	vec_push(p->ko->arena, &p->index_sect->relas, start);
}

/* The relocations of an entry go with it; those to be applied late are fields now */
static void move_relas(struct splitter *p, struct sect *from, uint64_t off, uint64_t size,
		       struct sect *to, uint64_t to_off)
{
	struct rela *r;

	vec_each(r, &from->relas) {
		struct rela moved = *r;

		if (r->offset < off || r->offset >= off + size || r->type == R_X86_64_NONE)
			continue;
		moved.offset += to_off - off;
		vec_push(p->ko->arena, &to->relas, moved);
		drop_rela(r);
	}
}

static void move_entries(struct splitter *p, const struct xref *module, unsigned int kind)
{
	struct table *t = &p->tables[kind];
	const uint64_t size = movable[kind].size;
	struct buf data = { .arena = p->ko->arena };
	struct sect *to = NULL;

	for (size_t i = 0; i < t->n; i++) {
		if (!same_module(t->late[i], module))
			continue;
		if (!to)
			to = new_section(p, module, kind);
		move_relas(p, t->sect, i * size, size, to, data.n);
		buf_add(&data, t->sect->data + i * size, size);
	}
	if (!to)
		return;
	for (size_t i = 0; i < to->relas.n; i++) {
		struct field f = {
			.sect = to, .rela = &to->relas.v[i],
			.xref = private_of(p->privates, to->relas.v[i].sym),
		};

		if (f.xref)
			vec_push(p->ko->arena, &p->fields, f);
	}
	finish(p, module, kind, to, &data, size);
}

/* What is left of a table that entries were taken out of */
static void close_gaps(struct splitter *p, unsigned int kind)
{
	struct table *t = &p->tables[kind];
	const uint64_t size = movable[kind].size;
	struct buf data = { .arena = p->ko->arena };
	relavec relas = { 0 };
	struct rela *r;

	buf_puts(&data, "");
	for (size_t i = 0; i < t->n; i++) {
		if (t->late[i])
			continue;
		vec_each(r, &t->sect->relas) {
			struct rela moved = *r;

			if (r->offset < i * size || r->offset >= (i + 1) * size)
				continue;
			moved.offset += data.n - i * size;
			vec_push(p->ko->arena, &relas, moved);
		}
		buf_add(&data, t->sect->data + i * size, size);
	}
	t->sect->data = (uint8_t *)data.s;
	t->sect->size = data.n;
	t->sect->relas = relas;
}

static int write_relocs(struct splitter *p, const struct xref *module)
{
	struct records to = {
		.d = p->d, .ko = p->ko, .strings = p->strings, .data = { .arena = p->ko->arena },
		.sect = new_section(p, module, KGR_LATE_RELOCS),
	};
	struct field *f;

	vec_each(f, &p->fields) {
		if (!same_module(f->xref, module))
			continue;
		if (add_record(&to, f->sect, f->rela, f->xref))
			return -1;
		drop_rela(f->rela);
	}
	finish(p, module, KGR_LATE_RELOCS, to.sect, &to.data, sizeof(struct kgr_reloc));
	return 0;
}

static int write_tables(struct splitter *p)
{
	for (size_t m = 0; m < p->modules.n; m++) {
		for (unsigned int kind = 0; kind < KINDS; kind++)
			move_entries(p, p->modules.v[m], kind);
		if (write_relocs(p, p->modules.v[m]))
			return -1;
	}
	for (unsigned int kind = 0; kind < KINDS; kind++)
		if (p->tables[kind].sect)
			close_gaps(p, kind);
	return 0;
}

int late_split(struct diag *d, struct obj *ko, const struct sect *strings,
	       const struct map *privates)
{
	struct splitter p = {
		.d = d, .ko = ko, .strings = strings, .privates = privates,
		.index = { .arena = ko->arena },
		.index_sect = obj_find_sect(ko, KGR_LATE_SECTION),
	};
	struct kgr_late end = { 0 };

	if (find_tables(&p))
		return -1;
	for (size_t i = 0; i < ko->sects.n; i++)
		if (collect(&p, ko->sects.v[i]))
			return -1;
	if (!p.modules.n)
		return 0;
	if (!p.index_sect)
		return FAIL(&p, "it has lost its section %s", KGR_LATE_SECTION);
	find_alternatives(&p);
	find_calls(&p);
	if (write_tables(&p))
		return -1;
	buf_add(&p.index, &end, sizeof(end));
	p.index_sect->data = (uint8_t *)p.index.s;
	p.index_sect->size = p.index.n;
	return 0;
}
