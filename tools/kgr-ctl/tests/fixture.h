/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A fake tree of /sys and /proc in a temporary directory, and a way to run a
 * command line in this process with its output caught.
 */
#ifndef _KGR_FIXTURE_H
#define _KGR_FIXTURE_H

/* cmocka.h wants these first */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "kgr-ctl.h"

#define BUILD_ID_HEX	"00112233445566778899aabbccddeeff00112233"

struct fixture {
	char *root;
	char *sys, *proc, *store, *kmsg;
	struct kgr_ctx ctx;
	/* of the last run() */
	char *out, *err;
	size_t out_len, err_len;
	json_t *doc;		/* parsed when --json was given */
};

int fixture_setup(void **state);
int fixture_teardown(void **state);

/* Paths are relative to the fixture's root */
void put_file(struct fixture *f, const char *path, const char *text);
void put_bytes(struct fixture *f, const char *path, const void *data, size_t len);
void put_link(struct fixture *f, const char *path, const char *target);
void remove_file(struct fixture *f, const char *path);
/* To be freed; NULL: there is none */
char *get_file(struct fixture *f, const char *path);

/* A patch with all its files; state: "applied", "applying", "reverting", "reverted" */
void put_patch(struct fixture *f, const char *name, const char *state);
void put_notes(struct fixture *f, const unsigned char *id, size_t len);
extern const unsigned char build_id[20];
/* The id of a boot; fixture_setup() has put 1 */
void put_boot(struct fixture *f, unsigned int number);

/* run(f, "list", "--json", NULL): the exit code */
int run(struct fixture *f, ...) __attribute__((sentinel));

/* Asserts: exactly these keys ("a b c"), in any order */
void assert_keys(const json_t *obj, const char *keys);
const char *str(const json_t *obj, const char *key);
void assert_contains(const char *text, const char *part);
void assert_lacks(const char *text, const char *part);

/*
 * A host on which kgr-good.ko can be applied at once, for what looks at all of it:
 * its functions are first, second at position 2, and third of ext4.
 */
int host_setup(void **state);
#define TRACING	"sys/kernel/tracing/"

/* Files "state", after HEAD, and "redirect" of a patch */
#define HEAD	"Function Object Sympos State\n"
void put_functions(struct fixture *f, const char *patch, const char *state,
		   const char *redirect);
/* Of the last document */
const json_t *check_row(const struct fixture *f, const char *name);
const json_t *function(const struct fixture *f, size_t i);
/* Asserts that @check, and only it, has this result */
void assert_only(const struct fixture *f, const char *check, const char *result);

#endif /* _KGR_FIXTURE_H */
