/* SPDX-License-Identifier: GPL-2.0 */
/* Diagnostics: collected while the passes run, printed once at the end */
#ifndef KGR_BUILD_DIAG_H
#define KGR_BUILD_DIAG_H

#include "util.h"

enum diag_class { CLASS_NOTE, CLASS_REVIEW, CLASS_REFUSE, CLASS_FAIL, CLASS_TREE, CLASS_MAX };

enum diag_code {
#define X(num, cls, name, msg, hint)	D_##name,
#include "errors.def"
#undef X
	D_MAX
};

/* Where it happened; what isn't known stays NULL or 0 */
struct where {
	const char *object;
	const char *function;
	const char *file;
	unsigned int line;
};

struct diag_item {
	enum diag_code code;
	struct where where;
	char *detail;
};

struct diag {
	struct arena *arena;
	VEC(struct diag_item) items;
	unsigned int count[CLASS_MAX];
};

/* Always returns -1, so that a pass can say `return diag(...)` */
int diag(struct diag *d, enum diag_code code, const struct where *where, const char *fmt, ...)
	__printf(4, 5);

#define AT(...)		(&(struct where){ __VA_ARGS__ })
#define AT_FILE(f)	AT(.file = (f))

enum diag_class diag_class(enum diag_code code);
const char *diag_class_name(enum diag_class cls);
char *diag_id(struct arena *a, enum diag_code code);
const char *diag_message(enum diag_code code);
const char *diag_hint(enum diag_code code);

/* True as soon as going on makes no sense: a failure, not a refusal */
bool diag_fatal(const struct diag *d);

char *diag_where(struct arena *a, const struct where *w);
char *diag_line(struct arena *a, const struct diag_item *item);
void diag_catalogue(struct buf *out);

#endif
