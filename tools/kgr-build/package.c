// SPDX-License-Identifier: GPL-2.0
/* A Debian or RPM package around the module: one for each kernel, whose new versions replace old ones */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "kgr-build.h"

#define MODULE_DIR	"usr/lib/kgraft"
#define SCRIPT		"/usr/lib/kgraft/patch-package"	/* of kgraft-tools */
#define TOOLS		"kgraft-tools"

struct package {
	struct kgr_build *b;
	char *name;
	const char *version;
	char *file;		/* the module's, as installed, without the leading slash */
	char *stage;		/* what is packed */
	time_t date;
};

static int deb_write(struct package *p, char **out);
static int rpm_write(struct package *p, char **out);

static const struct {
	const char *name;
	const char *program, *from;	/* and the package that has it */
	int (*write)(struct package *p, char **out);
} kinds[] = {
	[PACKAGE_DEB] = { "deb", "dpkg-deb", "dpkg", deb_write },
	[PACKAGE_RPM] = { "rpm", "rpmbuild", "rpm in Debian, rpm-build elsewhere", rpm_write },
};

bool package_parse(const char *s, enum package_kind *kind)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (kinds[i].name && !strcmp(kinds[i].name, s)) {
			*kind = i;
			return true;
		}
	return false;
}

/* What both kinds of package take, in one piece: no epoch, no release */
bool package_good_version(const char *s)
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.+~");

	return isdigit((unsigned char)*s) && !s[n] && n <= 24;
}

int package_check(struct kgr_build *b)
{
	enum package_kind kind = b->opts.package;

	if (!kind || find_program(&b->arena, kinds[kind].program))
		return 0;
	return diag(&b->diag, D_PACKAGE_TOOL, NULL, "%s (package %s)", kinds[kind].program,
		    kinds[kind].from);
}

/* When the change was made, as far as that is known: the same each time */
static int find_date(struct package *p)
{
	const char *epoch = getenv("SOURCE_DATE_EPOCH");
	char *end, **path;
	struct stat st;

	if (epoch && *epoch) {
		p->date = strtoll(epoch, &end, 10);
		if (*end || p->date < 0)
			return diag(&p->b->diag, D_PACKAGE, NULL,
				    "SOURCE_DATE_EPOCH is no number of seconds: '%s'", epoch);
		return 0;
	}
	vec_each(path, &p->b->opts.patches)
		if (!stat(*path, &st) && st.st_mtime > p->date)
			p->date = st.st_mtime;
	return 0;
}

static char *date_text(const struct package *p, const char *format)
{
	char text[64];
	struct tm tm;

	strftime(text, sizeof(text), format, gmtime_r(&p->date, &tm));
	return arena_strdup(&p->b->arena, text);
}

/* Debian's rule; RPM takes that too */
static char *package_name(struct arena *a, const char *release)
{
	char *name = arena_printf(a, "kgr-patch-%s", release);

	for (char *s = name; *s; s++) {
		*s = tolower((unsigned char)*s);
		if (!isalnum((unsigned char)*s) && !strchr("+.-", *s))
			*s = '-';
	}
	return name;
}

/* One line of @s, or @otherwise */
static char *from_env(struct arena *a, const char *name, const char *otherwise)
{
	const char *s = getenv(name);

	if (!s || !*s)
		s = otherwise;
	return arena_strndup(a, s, strcspn(s, "\n\r<>"));
}

static char *maintainer(struct package *p)
{
	struct arena *a = &p->b->arena;

	return arena_printf(a, "%s <%s>", from_env(a, "DEBFULLNAME", "kgr-build"),
			    from_env(a, "DEBEMAIL", "kgr-build@kgraft.invalid"));
}

static char *summary(struct package *p)
{
	return p->b->description ? arena_strdup(&p->b->arena, p->b->description) :
		arena_printf(&p->b->arena, "kGraft patch %s", p->b->patch_name);
}

/* What is in it, a line each behind @indent */
static void put_facts(struct package *p, struct buf *out, const char *indent)
{
	const struct kgr_build *b = p->b;
	struct atom **a;

	buf_printf(out, "%sFixes: %s\n", indent, b->cve ? b->cve : "no CVE is named");
	buf_printf(out, "%sKernel: %s, build-id %s\n", indent, b->tree.release,
		   b->vmlinux.build_id);
	buf_printf(out, "%sPatch: %s, model %s, cumulative\n%sFunctions:", indent, b->patch_name,
		   model_name(b->model), indent);
	vec_each(a, &b->changed)
		buf_printf(out, " %s", atom_name(*a));
	buf_puts(out, "\n");
}

static int put_file(struct package *p, const char *path, const char *text, mode_t mode)
{
	char *full = arena_printf(&p->b->arena, "%s/%s", p->stage, path);
	int err = make_parent_dirs(&p->b->arena, full);

	if (!err)
		err = file_write(full, text, strlen(text));
	if (!err && chmod(full, mode))
		err = -errno;
	return err ? io_error(p->b, full, err) : 0;
}

static int put_module(struct package *p)
{
	char *full = arena_printf(&p->b->arena, "%s/%s", p->stage, p->file);
	int err = make_parent_dirs(&p->b->arena, full);

	if (!err)
		err = file_copy(p->b->out_path, full);
	if (!err && chmod(full, 0644))
		err = -errno;
	return err ? io_error(p->b, full, err) : 0;
}

/* Neither umask nor clock may show in a package */
static int settle(struct package *p)
{
	char *roots[] = { p->stage, NULL };
	const struct timespec times[] = { { .tv_sec = p->date }, { .tv_sec = p->date } };
	FTS *fts = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	FTSENT *e;
	int err = fts ? 0 : -errno;

	while (!err && (e = fts_read(fts))) {
		if (e->fts_info == FTS_D)
			continue;
		if ((e->fts_info == FTS_DP && chmod(e->fts_accpath, 0755)) ||
		    utimensat(AT_FDCWD, e->fts_accpath, times, 0))
			err = -errno;
	}
	if (fts)
		fts_close(fts);
	return err ? io_error(p->b, p->stage, err) : 0;
}

static int run_tool(struct package *p, char **argv)
{
	struct cmd cmd = { .argv = argv };

	if (run_one(&p->b->diag, &cmd))
		return -1;
	if (cmd_ok(&cmd))
		return 0;
	if (out_of_space(p->b, cmd.output))
		return -1;
	return diag(&p->b->diag, D_PACKAGE, NULL, "%s: %.400s", argv[0], cmd.output);
}

static int deb_control(struct package *p)
{
	struct buf s = { .arena = &p->b->arena };

	buf_printf(&s, "Package: %s\nVersion: %s\nArchitecture: amd64\nMaintainer: %s\n"
		   "Section: kernel\nPriority: optional\nDepends: " TOOLS "\n"
		   "Description: kGraft patch for Linux %s\n", p->name, p->version,
		   maintainer(p), p->b->tree.release);
	buf_printf(&s, " %s\n .\n", summary(p));
	put_facts(p, &s, "  ");
	return put_file(p, "DEBIAN/control", s.s, 0644);
}

static int deb_changelog(struct package *p)
{
	char *path = arena_printf(&p->b->arena, "usr/share/doc/%s/changelog", p->name);
	char *full = arena_printf(&p->b->arena, "%s/%s", p->stage, path);
	char *argv[] = { "gzip", "-9n", full, NULL };
	struct buf s = { .arena = &p->b->arena };

	buf_printf(&s, "%s (%s) unstable; urgency=high\n\n  * %s\n", p->name, p->version,
		   summary(p));
	put_facts(p, &s, "    ");
	buf_printf(&s, "\n -- %s  %s\n", maintainer(p),
		   date_text(p, "%a, %d %b %Y %H:%M:%S +0000"));
	return put_file(p, path, s.s, 0644) || run_tool(p, argv) ? -1 : 0;
}

static int deb_scripts(struct package *p)
{
	struct arena *a = &p->b->arena;
	const char *release = p->b->tree.release;
	char *post = arena_printf(a, "#!/bin/sh\nset -e\ncase $1 in\n"
				  "configure | abort-upgrade | abort-remove)\n"
				  "\t" SCRIPT " installed '%s' '/%s'\n\t;;\nesac\n",
				  release, p->file);
	char *pre = arena_printf(a, "#!/bin/sh\nset -e\nif [ \"$1\" = remove ]; then\n"
				 "\t" SCRIPT " removed '%s'\nfi\n", release);

	return put_file(p, "DEBIAN/postinst", post, 0755) ||
		put_file(p, "DEBIAN/prerm", pre, 0755) ? -1 : 0;
}

static int deb_copyright(struct package *p)
{
	char *path = arena_printf(&p->b->arena, "usr/share/doc/%s/copyright", p->name);
	char *text = arena_printf(&p->b->arena,
			"Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n"
			"Comment: Made by kgr-build from the source of the kernel and a change to it.\n\n"
			"Files: *\nCopyright: 1991-%s the authors of the Linux kernel\nLicense: GPL-2\n"
			" On Debian systems, the text is in /usr/share/common-licenses/GPL-2.\n",
			date_text(p, "%Y"));

	return put_file(p, path, text, 0644);
}

static int deb_write(struct package *p, char **out)
{
	char *made = tmp_path(p->b, "package/made");
	char *argv[] = { "dpkg-deb", "--root-owner-group", "-Zgzip", "--build", p->stage, made,
			 NULL };

	if (deb_control(p) || deb_scripts(p) || deb_changelog(p) || deb_copyright(p) ||
	    settle(p) || run_tool(p, argv))
		return -1;
	*out = arena_printf(&p->b->arena, "%s_%s_amd64.deb", p->name, p->version);
	return 0;
}

/* A macro begins with % in any part of a spec */
static char *spec_text(struct arena *a, const char *s)
{
	struct buf out = { .arena = a };

	buf_puts(&out, "");
	for (; *s; s++)
		buf_printf(&out, *s == '%' ? "%c%%" : "%c", *s);
	return out.s;
}

static int rpm_spec(struct package *p, const char *path)
{
	struct arena *a = &p->b->arena;
	struct buf s = { .arena = a }, facts = { .arena = a };
	char *what = spec_text(a, summary(p)), *who = spec_text(a, maintainer(p));
	const char *release = p->b->tree.release;
	int err;

	put_facts(p, &facts, "  ");
	buf_printf(&s, "Name: %s\nVersion: %s\nRelease: 1\nSummary: kGraft patch for Linux %s\n"
		   "License: GPL-2.0-only\nGroup: System/Kernel\nPackager: %s\n"
		   "Requires: " TOOLS "\nRequires(post): " TOOLS "\nRequires(preun): " TOOLS "\n\n",
		   p->name, p->version, release, who);
	buf_printf(&s, "%%description\n%s\n\n%s\n", what, spec_text(a, facts.s));
	buf_printf(&s, "%%install\ncp -a '%s/.' %%{buildroot}\n\n", p->stage);
	buf_printf(&s, "%%post\n" SCRIPT " installed '%s' '/%s'\n\n", release, p->file);
	buf_printf(&s, "%%preun\nif [ \"$1\" -eq 0 ]; then\n\t" SCRIPT " removed '%s'\nfi\n\n",
		   release);
	buf_printf(&s, "%%files\n%%defattr(-,root,root,-)\n%%dir /%s\n/%s\n\n",
		   path_dir(a, p->file), p->file);
	buf_printf(&s, "%%changelog\n* %s %s - %s-1\n- %s\n%s", date_text(p, "%a %b %d %Y"), who,
		   p->version, what, spec_text(a, facts.s));
	err = file_write(path, s.s, strlen(s.s));
	return err ? io_error(p->b, path, err) : 0;
}

static int rpm_write(struct package *p, char **out)
{
	struct arena *a = &p->b->arena;
	char *spec = tmp_path(p->b, "package/patch.spec");
	char *argv[] = {
		"rpmbuild", "-bb", "--quiet", "--nodeps", "--target", "x86_64",
		"--define", arena_printf(a, "_topdir %s", tmp_path(p->b, "package/rpm")),
		"--define", arena_printf(a, "_tmppath %s", tmp_path(p->b, "tmp")),
		"--define", arena_printf(a, "_rpmdir %s", tmp_path(p->b, "package")),
		"--define", "_rpmfilename made",
		"--define", "_buildhost kgr-build",
		"--define", "_binary_payload w9.gzdio",
		"--define", "_build_id_links none",
		"--define", "debug_package %{nil}",
		/* the module stays as it is: not stripped, not compressed */
		"--define", "__os_install_post %{nil}",
		"--define", "use_source_date_epoch_as_buildtime 1",
		"--define", "clamp_mtime_to_source_date_epoch 1",
		spec, NULL
	};

	if (settle(p) || rpm_spec(p, spec) || run_tool(p, argv))
		return -1;
	*out = arena_printf(a, "%s-%s-1.x86_64.rpm", p->name, p->version);
	return 0;
}

/* Beside the module, and there as a whole or not at all */
static int deliver(struct package *p, const char *file)
{
	struct kgr_build *b = p->b;
	int dir = path_base(b->out_path) - b->out_path;
	char *out = arena_printf(&b->arena, "%.*s%s", dir, b->out_path, file);
	char *tmp = arena_printf(&b->arena, "%s.tmp%d", out, (int)getpid());
	int err = file_copy(tmp_path(b, "package/made"), tmp);

	if (!err && (chmod(tmp, 0644) || rename(tmp, out)))
		err = -errno;
	if (err) {
		unlink(tmp);
		return io_error(b, out, err);
	}
	b->package_path = out;
	return 0;
}

/* It becomes part of a path, and of the package's scripts */
static int check_release(struct kgr_build *b)
{
	const char *s = b->tree.release;

	for (; *s; s++)
		if (!isalnum((unsigned char)*s) && !strchr("._+~-", *s))
			return diag(&b->diag, D_PACKAGE, AT_FILE(b->tree.objdir),
				    "'%s' is no name of a kernel release", b->tree.release);
	return 0;
}

int package_write(struct kgr_build *b)
{
	struct package p = { .b = b, .version = b->opts.package_version };
	char *file;

	if (!b->opts.package || !b->written)
		return 0;
	p.name = package_name(&b->arena, b->tree.release);
	p.file = arena_printf(&b->arena, MODULE_DIR "/%s/%s.ko", b->tree.release, b->module_name);
	p.stage = tmp_path(b, "package/root");
	if (check_release(b) || find_date(&p) || put_module(&p))
		return -1;
	setenv("SOURCE_DATE_EPOCH", arena_printf(&b->arena, "%lld", (long long)p.date), 1);
	return kinds[b->opts.package].write(&p, &file) ? -1 : deliver(&p, file);
}
