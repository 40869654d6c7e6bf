/* SPDX-License-Identifier: GPL-2.0 */
/* Objects compiled from source at test time, with flags like the kernel's */
#ifndef KGR_BUILD_FIXTURE_H
#define KGR_BUILD_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../kgr-build.h"

/* A clean state for each test; use as setup and teardown */
int fixture_setup(void **state);
int fixture_teardown(void **state);

struct fixture {
	struct arena arena;
	struct diag diag;
	char *dir;
};

/* Path of a file in the test's directory, with that content */
char *fixture_file(struct fixture *f, const char *name, const char *text);
char *fixture_path(struct fixture *f, const char *name);

/* Compiles; @flags is added to the kernel-like ones.  Path of the object. */
char *fixture_compile(struct fixture *f, const char *name, const char *source, const char *flags);

/* Compiles with function and data sections, and loads */
struct obj *fixture_load(struct fixture *f, const char *name, const char *source);

/* Compiles both, correlates and compares */
void fixture_pair(struct fixture *f, const char *before, const char *after, struct obj **orig,
		  struct obj **patched);

struct atom *fixture_atom(struct obj *o, const char *name);
unsigned int fixture_count(const struct fixture *f, enum diag_code code);
int fixture_system(struct fixture *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
