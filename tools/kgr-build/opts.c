// SPDX-License-Identifier: GPL-2.0
/* Command line: one table of options, from which the help is made */
#include <ctype.h>
#include <getopt.h>
#include <stdlib.h>
#include <unistd.h>

#include "../../include/linux/kgraft_types.h"
#include "opts.h"

enum {
	O_NAME = 256, O_MODEL, O_CVE, O_DESCRIPTION, O_SIGN_KEY, O_SIGN_CERT, O_HTML,
	O_NO_CACHE, O_CACHE_SIZE, O_VIEW, O_KEEP_TMP, O_JSON, O_LIST_ERRORS, O_EXPLAIN,
	O_FUZZ, O_OOT, O_LIST_SECTIONS, O_REPLACE, O_REPLACE_SET, O_PACKAGE,
	O_PACKAGE_VERSION, O_VERSION,
};

static const struct {
	int key;
	const char *name, *arg, *help;
} table[] = {
	{ 'k', "kernel", "BUILD_TREE", "where the target kernel was built" },
	{ 's', "source", "SRC_TREE", "its source, if the build tree doesn't tell" },
	{ O_OOT, "oot", "DIR", "the diff is of modules that were built with make M=DIR" },
	{ 'o', "output", "FILE", "the module to write; default: NAME.ko here" },
	{ O_NAME, "name", "NAME", "name of the patch; default: kgr- and that of the diff" },
	{ O_MODEL, "model", "MODEL", "universe, hybrid, immediate or quiesce; default: chosen" },
	{ O_REPLACE, "replace", NULL, "the patch is cumulative: it takes the place of all others of its set" },
	{ O_REPLACE_SET, "replace-set", "SET", "the set that it belongs to; default: the common one" },
	{ O_CVE, "cve", "LIST", "what it fixes; default: what the text before the diff names" },
	{ O_DESCRIPTION, "description", "TEXT", "one line; default: the subject of the first diff" },
	{ O_PACKAGE, "package", "KIND", "make a package of it too, deb or rpm; it is cumulative then" },
	{ O_PACKAGE_VERSION, "package-version", "VERSION", "default: 1; higher ones replace lower ones" },
	{ O_SIGN_KEY, "sign-key", "FILE", "private key to sign the module with, or a PKCS#11 URI" },
	{ O_SIGN_CERT, "sign-cert", "FILE", "the certificate of that key" },
	{ O_FUZZ, "fuzz", "N", "lines of context that may differ, as of patch -F; default: 0" },
	{ 'j', "jobs", "N", "compilers to run at once; default: one per CPU" },
	{ O_NO_CACHE, "no-cache", NULL, "compile all, and keep nothing for the next run" },
	{ O_CACHE_SIZE, "cache-size", "MIB", "how large the cache may become; default: 512" },
	{ O_VIEW, "view", "KIND", "how the tree is shown: auto, overlay or symlinks" },
	{ O_KEEP_TMP, "keep-tmp", NULL, "leave the temporary directory behind" },
	{ O_HTML, "html", "FILE", "write a page for review" },
	{ O_JSON, "json", NULL, "report as JSON on standard output" },
	{ O_EXPLAIN, "explain", "FUNC", "say why FUNC is in the module, or isn't; may be repeated" },
	{ 'v', "verbose", NULL, "say more" },
	{ 'q', "quiet", NULL, "no progress, no report; diagnostics only" },
	{ O_LIST_ERRORS, "list-errors", NULL, "print the catalogue of diagnostics" },
	{ O_LIST_SECTIONS, "list-sections", NULL, "print what is done with each kind of section" },
	{ 'h', "help", NULL, "this text" },
	{ O_VERSION, "version", NULL, "version" },
};

static const char * const view_names[] = {
	[VIEW_AUTO] = "auto", [VIEW_OVERLAY] = "overlay", [VIEW_SYMLINKS] = "symlinks",
};

static const struct {
	int model;
	const char *name;
} models[] = {
#define ENTRY(id, number, text)	{ KGR_MODEL_##id, text },
	KGR_MODELS(ENTRY)
#undef ENTRY
};

const char *model_name(int model)
{
	for (size_t i = 0; i < ARRAY_SIZE(models); i++)
		if (models[i].model == model)
			return models[i].name;
	return "?";
}

static bool parse_model(struct opts *o, const char *s)
{
	for (size_t i = 0; i < ARRAY_SIZE(models); i++)
		if (!strcmp(models[i].name, s)) {
			o->model = models[i].model;
			return true;
		}
	return false;
}

static bool parse_view(struct opts *o, const char *s)
{
	for (size_t i = 0; i < ARRAY_SIZE(view_names); i++)
		if (!strcmp(view_names[i], s)) {
			o->view = i;
			return true;
		}
	return false;
}

static bool parse_fuzz(struct opts *o, const char *s)
{
	o->fuzz = *s - '0';
	return *s >= '0' && *s <= '9' && !s[1];
}

static bool parse_number(const char *s, unsigned int max, unsigned int *out)
{
	char *end;
	long n = strtol(s, &end, 10);

	*out = n;
	return *s && !*end && n > 0 && n <= max;
}

/* The name becomes that of a module and of a directory in sysfs */
static bool good_name(const char *s)
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");

	return n && n <= 48 && !s[n] && isalnum((unsigned char)*s);
}

static bool good_cve(const char *s)
{
	for (; *s; s++)
		if (!isalnum((unsigned char)*s) && !strchr("-_., ", *s))
			return false;
	return true;
}

static char *clean_cve(struct arena *a, const char *s)
{
	char *out = arena_strdup(a, s), *to = out;

	for (; *s; s++) {
		char c = *s == ',' ? ' ' : *s;

		if (c != ' ' || (to > out && to[-1] != ' '))
			*to++ = c;
	}
	while (to > out && to[-1] == ' ')
		to--;
	*to = 0;
	return out;
}

/* Returns OPTS_RUN to go on */
static enum opts_action one_option(struct arena *a, struct opts *o, int key, char *arg,
				   char **error)
{
	bool good = true;

	switch (key) {
	case 'k': o->objdir = arg; break;
	case 's': o->srcdir = arg; break;
	case O_OOT: o->oot = arg; break;
	case 'o': o->out = arg; break;
	case O_NAME: o->name = arg; good = good_name(arg); break;
	case O_MODEL: good = parse_model(o, arg); break;
	case O_REPLACE: o->replace = true; break;
	case O_REPLACE_SET: o->replace_set = arg; good = good_name(arg); break;
	case O_CVE: good = good_cve(arg); o->cve = clean_cve(a, arg); break;
	case O_DESCRIPTION: o->description = arg; break;
	case O_PACKAGE: good = package_parse(arg, &o->package); break;
	case O_PACKAGE_VERSION:
		good = package_good_version(arg);
		o->package_version = arg;
		break;
	case O_SIGN_KEY: o->sign_key = arg; break;
	case O_SIGN_CERT: o->sign_cert = arg; break;
	case O_HTML: o->html = arg; good = *arg; break;
	case O_EXPLAIN: vec_push(a, &o->explain, arg); good = *arg; break;
	case O_FUZZ: good = parse_fuzz(o, arg); break;
	case 'j': good = parse_number(arg, 1024, &o->jobs); break;
	case O_NO_CACHE: o->no_cache = true; break;
	case O_CACHE_SIZE: good = parse_number(arg, 1 << 20, &o->cache_mib); break;
	case O_VIEW: good = parse_view(o, arg); break;
	case O_KEEP_TMP: o->keep_tmp = true; break;
	case O_JSON: o->json = true; break;
	case 'v': o->verbose = true; break;
	case 'q': o->quiet = true; break;
	case O_LIST_ERRORS: return OPTS_LIST_ERRORS;
	case O_LIST_SECTIONS: return OPTS_LIST_SECTIONS;
	case 'h': return OPTS_HELP;
	case O_VERSION: return OPTS_VERSION;
	}
	if (!good)
		*error = arena_printf(a, "bad value for an option: '%s'", arg);
	return good ? OPTS_RUN : OPTS_BAD;
}

static enum opts_action check(struct arena *a, const struct opts *o, char **error)
{
	if (!o->objdir)
		*error = arena_strdup(a, "no build tree given (-k)");
	else if (!o->patches.n)
		*error = arena_strdup(a, "no diff given");
	else if (!o->sign_key != !o->sign_cert)
		*error = arena_strdup(a, "--sign-key and --sign-cert need one another");
	else if (o->package_version && !o->package)
		*error = arena_strdup(a, "--package-version needs --package");
	else if (o->quiet && o->verbose)
		*error = arena_strdup(a, "-q and -v exclude each other");
	return *error ? OPTS_BAD : OPTS_RUN;
}

enum opts_action opts_parse(struct arena *a, int argc, char **argv, struct opts *o, char **error)
{
	struct option longs[ARRAY_SIZE(table) + 1] = { 0 };
	struct buf shorts = { .arena = a };
	int key;

	*error = NULL;
	*o = (struct opts){ .model = MODEL_AUTO };
	o->jobs = sysconf(_SC_NPROCESSORS_ONLN) > 0 ? sysconf(_SC_NPROCESSORS_ONLN) : 1;
	buf_puts(&shorts, ":");
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		longs[i].name = table[i].name;
		longs[i].has_arg = table[i].arg ? required_argument : no_argument;
		longs[i].val = table[i].key;
		if (table[i].key < 256)
			buf_printf(&shorts, "%c%s", table[i].key, table[i].arg ? ":" : "");
	}
	opterr = 0;
	optind = 0;
	while ((key = getopt_long(argc, argv, shorts.s, longs, NULL)) != -1) {
		enum opts_action act;

		if (key == '?' || key == ':') {
			*error = arena_printf(a, key == '?' ? "no such option: %s" :
					      "option needs a value: %s", argv[optind - 1]);
			return OPTS_BAD;
		}
		act = one_option(a, o, key, optarg, error);
		if (act != OPTS_RUN)
			return act;
	}
	for (; optind < argc; optind++)
		vec_push(a, &o->patches, argv[optind]);
	if (check(a, o, error) != OPTS_RUN)
		return OPTS_BAD;
	/* what replaces the package before it has to replace the patch before it */
	if (o->package)
		o->replace = true;
	if (!o->package_version)
		o->package_version = "1";
	return OPTS_RUN;
}

void opts_help(struct buf *out)
{
	buf_puts(out, "Usage: kgr-build -k BUILD_TREE [OPTION...] fix.patch...\n"
		 "Makes a kGraft patch module from unified diffs.\n\n");
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		const char *arg = table[i].arg ? table[i].arg : "";
		char *left = arena_printf(out->arena, "--%s%s%s", table[i].name,
					  *arg ? " " : "", arg);

		if (table[i].key < 256)
			buf_printf(out, "  -%c, %-22s %s\n", table[i].key, left, table[i].help);
		else
			buf_printf(out, "      %-22s %s\n", left, table[i].help);
	}
	buf_puts(out, "\nExit status: 0 module written, verdict safe; 1 failed; 2 usage;\n"
		 "3 the build tree can't be used; 4 refused, all reasons given;\n"
		 "5 nothing changes; 6 module written, verdict review.\n");
}
