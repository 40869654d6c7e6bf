/* SPDX-License-Identifier: GPL-2.0 */
/* Command line: one table of options, from which the help is made */
#ifndef KGR_BUILD_OPTS_H
#define KGR_BUILD_OPTS_H

#include "util.h"
#include "view.h"

enum { EXIT_SAFE, EXIT_FAIL, EXIT_USAGE, EXIT_TREE, EXIT_REFUSED, EXIT_NO_CHANGE, EXIT_REVIEW };

#define MODEL_AUTO	(-1)

enum opts_action { OPTS_RUN, OPTS_HELP, OPTS_VERSION, OPTS_LIST_ERRORS, OPTS_LIST_SECTIONS, OPTS_BAD };

enum package_kind { PACKAGE_NONE, PACKAGE_DEB, PACKAGE_RPM };

struct opts {
	const char *objdir;
	const char *srcdir;
	const char *oot;		/* where modules outside of the tree were built, or NULL */
	const char *out;
	const char *name;
	const char *cve;
	const char *description;
	const char *replace_set;	/* set of patches that it belongs to, or NULL */
	const char *html;		/* page for review to write, or NULL */
	const char *sign_key, *sign_cert;
	enum package_kind package;
	const char *package_version;
	int model;			/* enum kgr_model or MODEL_AUTO */
	unsigned int jobs;
	unsigned int fuzz;
	enum view_kind view;
	unsigned int cache_mib;		/* 0: as cache.c says */
	bool replace;			/* cumulative */
	bool no_cache;
	bool keep_tmp, json, verbose, quiet;
	strvec patches;
	strvec explain;			/* functions to explain */
};

/* On OPTS_BAD, @error says why */
enum opts_action opts_parse(struct arena *a, int argc, char **argv, struct opts *o, char **error);

/* package.c */
bool package_parse(const char *s, enum package_kind *kind);
bool package_good_version(const char *s);

void opts_help(struct buf *out);
const char *model_name(int model);

#endif
