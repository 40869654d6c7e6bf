// SPDX-License-Identifier: GPL-2.0
/*
 * Reads and writes the files of kGraft, and the few others in /sys that explain
 * a failure.  The root can be moved, for tests.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "netlink.h"
#include "notes.h"
#include "out.h"
#include "readfile.h"
#include "sysfs.h"

#define KGRAFT_DIR	"kernel/kgraft"
#define FILE_MAX	65536	/* more than any file here has */
#define CUT_OFF		"..."	/* the last line of a file without room for more */

static char *sys_path(struct kgr_ctx *ctx, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
static char *sys_path(struct kgr_ctx *ctx, const char *fmt, ...)
{
	char rel[PATH_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(rel, sizeof(rel), fmt, ap);
	va_end(ap);
	return kgr_asprintf("%s/%s", ctx->sysfs_root, rel);
}

static bool is_dir(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISDIR(st.st_mode);
}

/* A name that can't lead out of the directory */
static bool valid_name(const char *name)
{
	return *name && *name != '.' && !strchr(name, '/') && strlen(name) < NAME_MAX;
}

enum kgr_exit kgr_sysfs_present(struct kgr_ctx *ctx)
{
	char *dir = sys_path(ctx, KGRAFT_DIR), *kernel = sys_path(ctx, "kernel");
	enum kgr_exit ret = KGR_EXIT_OK;

	if (is_dir(dir))
		goto out;
	ret = kgr_fail(ctx, KGR_EXIT_NOTFOUND, "no kGraft in the running kernel");
	kgr_why(ctx, "there is no directory %s", dir);
	if (is_dir(kernel)) {
		kgr_why(ctx, "CONFIG_KGRAFT is off in this kernel, or it is a kernel without kGraft");
		kgr_next(ctx, "boot a kernel with CONFIG_KGRAFT=y");
	} else {
		kgr_why(ctx, "sysfs is not mounted on %s", ctx->sysfs_root);
		kgr_next(ctx, "mount -t sysfs sysfs %s", ctx->sysfs_root);
	}
out:
	free(dir);
	free(kernel);
	return ret;
}

/*
 * The plain attributes of a patch.  Kinds: number, bool, text, time in seconds
 * with fraction.
 */
enum kind { K_NUM, K_BOOL, K_TEXT, K_TIME };

static const struct attr {
	const char *file;
	enum kind kind;
	size_t offset;
	bool required;
} attrs[] = {
#define ATTR(file, kind, member, required) \
	{ file, kind, offsetof(struct kgr_patch, member), required }
	ATTR("enabled", K_BOOL, enabled, true),
	ATTR("transition", K_BOOL, transition, true),
	ATTR("model", K_TEXT, model, false),
	ATTR("cve", K_TEXT, cve, false),
	ATTR("build_id", K_TEXT, build_id, false),
	ATTR("refs", K_NUM, refs, false),
	ATTR("replace_all", K_BOOL, replace_all, false),
	ATTR("since", K_TIME, since_ms, false),
	ATTR("migrated", K_NUM, migrated, false),
	ATTR("total", K_NUM, total, false),
	ATTR("timeout", K_NUM, timeout_ms, false),
	ATTR("on_timeout", K_TEXT, on_timeout, false),
	ATTR("reason", K_TEXT, reason, false),
	ATTR("stops", K_NUM, stops, false),
	ATTR("stopped_us", K_NUM, stopped_us, false),
	ATTR("forced", K_BOOL, forced, false),
#define NUDGE(rung)	ATTR("nudges/" #rung, K_NUM, nudges[KGR_NUDGE_##rung], false),
	KGR_NUDGES(NUDGE)
#undef NUDGE
#undef ATTR
};

static int parse_number(const char *s, int64_t *value)
{
	char *end;
	long long n;

	if (*s < '0' || *s > '9')
		return -EBADMSG;
	errno = 0;
	n = strtoll(s, &end, 10);
	if (errno || *end)
		return -EBADMSG;
	*value = n;
	return 0;
}

/* "1732167000.123" to milliseconds; the fraction has up to three digits */
static int parse_time(const char *s, int64_t *ms)
{
	char sec[24], frac[4] = "000";
	const char *dot = strchr(s, '.');
	size_t len = dot ? (size_t)(dot - s) : strlen(s);
	int64_t n_sec, n_frac;

	if (len >= sizeof(sec))
		return -EBADMSG;
	memcpy(sec, s, len);
	sec[len] = 0;
	if (dot) {
		size_t n = strlen(dot + 1);

		if (!n || n > 3)
			return -EBADMSG;
		memcpy(frac, dot + 1, n);
	}
	if (parse_number(sec, &n_sec) || parse_number(frac, &n_frac) ||
	    n_sec > INT64_MAX / 1000 - 1)
		return -EBADMSG;
	*ms = n_sec * 1000 + n_frac;
	return 0;
}

static int parse_attr(const struct attr *attr, const char *text, void *field)
{
	int ret;

	switch (attr->kind) {
	case K_TEXT:
		*(char **)field = strdup(text);
		return 0;
	case K_TIME:
		return parse_time(text, field);
	default:
		ret = parse_number(text, field);
		if (!ret && attr->kind == K_BOOL && *(int64_t *)field > 1)
			ret = -EBADMSG;
		return ret;
	}
}

static enum kgr_exit odd_kernel(struct kgr_ctx *ctx, enum kgr_exit ret)
{
	kgr_why(ctx, "the kernel's kGraft is newer than this tool, or is another one");
	kgr_next(ctx, "install the kgr-ctl that belongs to the running kernel");
	return ret;
}

static enum kgr_exit read_failed(struct kgr_ctx *ctx, const char *path, int err)
{
	enum kgr_exit ret = kgr_fail(ctx, kgr_exit_of_errno(err), "can't read %s: %s", path,
				     strerror(err));

	if (ret == KGR_EXIT_PERM)
		kgr_next(ctx, "run kgr-ctl as root");
	else if (ret == KGR_EXIT_NOTFOUND)
		kgr_next(ctx, "again: the patch may just have been unloaded");
	return ret;
}

static enum kgr_exit read_attr(struct kgr_ctx *ctx, struct kgr_patch *patch,
			       const struct attr *attr)
{
	char *path = sys_path(ctx, KGRAFT_DIR "/%s/%s", patch->name, attr->file);
	void *field = (char *)patch + attr->offset;
	enum kgr_exit ret = KGR_EXIT_OK;
	char text[4096];
	ssize_t len;

	if (attr->kind != K_TEXT)
		*(int64_t *)field = -1;
	len = kgr_read_file(path, text, sizeof(text));
	kgr_chomp(text);
	if (len == -ENOENT && !attr->required)
		goto out;
	if (len < 0) {
		ret = read_failed(ctx, path, (int)-len);
		goto out;
	}
	if (parse_attr(attr, text, field))
		ret = odd_kernel(ctx, kgr_fail(ctx, KGR_EXIT_FAIL,
					       "%s: '%s' is not what kgr-ctl understands", path, text));
out:
	free(path);
	return ret;
}

/* "name object sympos state" */
static int parse_func(struct kgr_patch *patch, char *line)
{
	struct kgr_patch_func f = { 0 };
	char *word[4], *save = NULL;

	for (int i = 0; i < 4; i++) {
		word[i] = strtok_r(i ? NULL : line, " \t", &save);
		if (!word[i])
			return -EBADMSG;
	}
	if (strtok_r(NULL, " \t", &save) ||
	    parse_number(word[2], &f.sympos) || parse_number(word[3], &f.state))
		return -EBADMSG;
	f.name = word[0];
	f.object = word[1];
	return kgr_patch_add_func(patch, &f);
}

static enum kgr_exit read_state(struct kgr_ctx *ctx, struct kgr_patch *patch)
{
	char *path = sys_path(ctx, KGRAFT_DIR "/%s/state", patch->name);
	char *text = malloc(FILE_MAX), *rest = text, *line;
	enum kgr_exit ret = KGR_EXIT_OK;
	unsigned int number = 0;
	ssize_t len;

	if (!text) {
		ret = kgr_fail(ctx, KGR_EXIT_FAIL, "out of memory");
		goto out;
	}
	len = kgr_read_file(path, text, FILE_MAX);
	if (len < 0) {
		if (len != -ENOENT)
			ret = read_failed(ctx, path, (int)-len);
		goto out;
	}
	while (!ret && !patch->cut_off && (line = strsep(&rest, "\n"))) {
		/* the first line is the header */
		if (!number++ || !*line)
			continue;
		if (!strcmp(line, CUT_OFF))
			patch->cut_off = true;
		else if (parse_func(patch, line))
			ret = odd_kernel(ctx, kgr_fail(ctx, KGR_EXIT_FAIL,
						       "%s: line %u is not 'function object sympos state'",
						       path, number));
	}
out:
	free(text);
	free(path);
	return ret;
}

/* "name form", in the order of the file "state" */
static void read_redirects(struct kgr_ctx *ctx, struct kgr_patch *patch)
{
	char *path = sys_path(ctx, KGRAFT_DIR "/%s/redirect", patch->name);
	char *text = malloc(FILE_MAX), *rest = text;

	if (text && kgr_read_file(path, text, FILE_MAX) > 0) {
		for (size_t i = 0; rest && i < patch->func_count; i++) {
			char *form = strsep(&rest, "\n"), *name = strsep(&form, " ");

			/* changed meanwhile, or cut off */
			if (!form || strcmp(name, patch->funcs[i].name))
				break;
			patch->funcs[i].redirect = strdup(form);
		}
	}
	free(text);
	free(path);
}

static int take_func(const struct kgr_nl_function *f, void *arg)
{
	struct kgr_patch_func func = {
		.name = (char *)f->name, .object = (char *)f->object,
		.redirect = (char *)f->redirect, .sympos = f->sympos, .state = f->state,
	};

	return kgr_patch_add_func(arg, &func);
}

/* The files have no room for all functions, the netlink family has */
static void get_all_funcs(struct kgr_patch *patch)
{
	struct kgr_patch all = { 0 };
	struct kgr_nl *nl;

	if (kgr_nl_open(&nl))
		return;
	if (!kgr_nl_functions(nl, patch->name, take_func, &all)) {
		kgr_patch_clear_funcs(patch);
		patch->funcs = all.funcs;
		patch->func_count = all.func_count;
		patch->cut_off = false;
	} else {
		kgr_patch_clear_funcs(&all);
	}
	kgr_nl_close(nl);
}

static void read_owner(struct kgr_ctx *ctx, struct kgr_patch *patch)
{
	char *path = sys_path(ctx, KGRAFT_DIR "/%s/owner", patch->name);
	char target[PATH_MAX];
	ssize_t len = readlink(path, target, sizeof(target) - 1);

	if (len > 0) {
		const char *slash;

		target[len] = 0;
		slash = strrchr(target, '/');
		patch->module = strdup(slash ? slash + 1 : target);
	}
	free(path);
}

enum kgr_exit kgr_sysfs_progress(struct kgr_ctx *ctx, const char *name, struct kgr_patch *patch)
{
	enum kgr_exit ret = KGR_EXIT_OK;

	*patch = (struct kgr_patch) { .name = strdup(name) };
	for (size_t i = 0; !ret && i < ARRAY_SIZE(attrs); i++)
		ret = read_attr(ctx, patch, &attrs[i]);
	if (ret)
		kgr_patch_free(patch);
	return ret;
}

enum kgr_exit kgr_sysfs_patch(struct kgr_ctx *ctx, const char *name, struct kgr_patch *patch)
{
	enum kgr_exit ret = kgr_sysfs_progress(ctx, name, patch);

	if (ret)
		return ret;
	ret = read_state(ctx, patch);
	if (ret) {
		kgr_patch_free(patch);
		return ret;
	}
	read_redirects(ctx, patch);
	if (patch->cut_off)
		get_all_funcs(patch);
	read_owner(ctx, patch);
	return KGR_EXIT_OK;
}

static bool patch_exists(struct kgr_ctx *ctx, const char *name)
{
	char *path;
	bool exists;

	if (!valid_name(name))
		return false;
	path = sys_path(ctx, KGRAFT_DIR "/%s", name);
	exists = is_dir(path);
	free(path);
	return exists;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct kgr_patch *)a)->name, ((const struct kgr_patch *)b)->name);
}

static enum kgr_exit add_patch(struct kgr_ctx *ctx, struct kgr_patch_list *list, const char *name)
{
	struct kgr_patch *v = realloc(list->v, (list->n + 1) * sizeof(*v));
	enum kgr_exit ret;

	if (!v)
		return kgr_fail(ctx, KGR_EXIT_FAIL, "out of memory");
	list->v = v;
	ret = kgr_sysfs_patch(ctx, name, &v[list->n]);
	if (!ret) {
		list->n++;
	} else if (ret == KGR_EXIT_NOTFOUND && !patch_exists(ctx, name)) {
		kgr_diag_reset(&ctx->diag);	/* it has just been removed */
		ret = KGR_EXIT_OK;
	}
	return ret;
}

enum kgr_exit kgr_sysfs_patches(struct kgr_ctx *ctx, struct kgr_patch_list *list)
{
	enum kgr_exit ret = kgr_sysfs_present(ctx);
	struct dirent *entry;
	char *path;
	DIR *dir;

	*list = (struct kgr_patch_list) { 0 };
	if (ret)
		return ret;
	path = sys_path(ctx, KGRAFT_DIR);
	dir = opendir(path);
	if (!dir)
		ret = read_failed(ctx, path, errno);
	while (!ret && (entry = readdir(dir)))
		if (patch_exists(ctx, entry->d_name))
			ret = add_patch(ctx, list, entry->d_name);
	if (dir)
		closedir(dir);
	free(path);
	if (ret)
		kgr_patch_list_free(list);
	else if (list->n)
		qsort(list->v, list->n, sizeof(*list->v), by_name);
	return ret;
}

typedef bool (*match_fn)(const struct kgr_patch *patch, const char *arg);

static enum kgr_exit find_if(struct kgr_ctx *ctx, match_fn match, const char *arg,
			     struct kgr_patch *patch)
{
	struct kgr_patch_list list;
	enum kgr_exit ret = kgr_sysfs_patches(ctx, &list);

	*patch = (struct kgr_patch) { 0 };
	if (ret)
		return ret;
	for (size_t i = 0; i < list.n; i++) {
		if (match(&list.v[i], arg)) {
			*patch = list.v[i];
			list.v[i] = (struct kgr_patch) { 0 };
			break;
		}
	}
	kgr_patch_list_free(&list);
	return KGR_EXIT_OK;
}

/* A module's name has '_' where its file's name may have '-' */
static bool match_owner(const struct kgr_patch *patch, const char *module)
{
	const char *p = patch->module;

	if (!p)
		return false;
	for (; *p && *module; p++, module++)
		if (*p != *module && !(*p == '_' && *module == '-'))
			return false;
	return *p == *module;
}

static bool match_transition(const struct kgr_patch *patch, const char *unused)
{
	(void)unused;
	return patch->transition == 1;
}

enum kgr_exit kgr_sysfs_find_owner(struct kgr_ctx *ctx, const char *module,
				   struct kgr_patch *patch)
{
	return find_if(ctx, match_owner, module, patch);
}

enum kgr_exit kgr_sysfs_find_transition(struct kgr_ctx *ctx, struct kgr_patch *patch)
{
	return find_if(ctx, match_transition, NULL, patch);
}

enum kgr_exit kgr_sysfs_find(struct kgr_ctx *ctx, const char *name, struct kgr_patch *patch)
{
	enum kgr_exit ret = kgr_sysfs_present(ctx);

	*patch = (struct kgr_patch) { 0 };
	if (ret)
		return ret;
	if (patch_exists(ctx, name))
		return kgr_sysfs_patch(ctx, name, patch);
	ret = kgr_sysfs_find_owner(ctx, name, patch);
	if (ret || patch->name)
		return ret;
	ret = kgr_fail(ctx, KGR_EXIT_NOTFOUND, "no patch '%s' in the running kernel", name);
	kgr_next(ctx, "kgr-ctl list");
	return ret;
}

int kgr_sysfs_write(struct kgr_ctx *ctx, const char *patch, const char *attr, const char *value)
{
	char *path = sys_path(ctx, KGRAFT_DIR "/%s/%s", patch, attr);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int ret = fd < 0 ? -errno : 0;

	if (!ret && write(fd, value, strlen(value)) < 0)
		ret = -errno;
	if (fd >= 0)
		close(fd);
	free(path);
	return ret;
}

bool kgr_sysfs_has(struct kgr_ctx *ctx, const char *file)
{
	char *path = sys_path(ctx, KGRAFT_DIR "/%s", file);
	bool has = !access(path, F_OK);

	free(path);
	return has;
}

int kgr_sysfs_read(struct kgr_ctx *ctx, const char *file, char *buf, size_t size)
{
	char *path = sys_path(ctx, KGRAFT_DIR "/%s", file);
	ssize_t len = kgr_read_file(path, buf, size);

	kgr_chomp(buf);
	free(path);
	return len < 0 ? (int)len : 0;
}

int kgr_sysfs_open_transition(struct kgr_ctx *ctx, const char *patch)
{
	char *path = sys_path(ctx, KGRAFT_DIR "/%s/transition", patch);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int ret = fd < 0 ? -errno : fd;

	free(path);
	return ret;
}

int kgr_sysfs_read_transition(int fd)
{
	char buf[8] = "";
	/* from the start: only then does the kernel take note of the event's number */
	ssize_t len = pread(fd, buf, sizeof(buf) - 1, 0);

	if (len < 0)
		return -errno;
	kgr_chomp(buf);
	if (strcmp(buf, "0") && strcmp(buf, "1"))
		return -EBADMSG;
	return buf[0] - '0';
}

bool kgr_sysfs_module_loaded(struct kgr_ctx *ctx, const char *module)
{
	/* built-in code with parameters has a directory too, but no initstate */
	char buf[16];

	return !kgr_sysfs_module_attr(ctx, module, "initstate", buf, sizeof(buf));
}

int kgr_sysfs_module_attr(struct kgr_ctx *ctx, const char *module, const char *attr,
			  char *buf, size_t size)
{
	char *path = sys_path(ctx, "module/%s/%s", module, attr);
	ssize_t len = kgr_read_file(path, buf, size);

	kgr_chomp(buf);
	free(path);
	return len < 0 ? (int)len : 0;
}

char *kgr_sysfs_module_holders(struct kgr_ctx *ctx, const char *module)
{
	char *path = sys_path(ctx, "module/%s/holders", module), *text = strdup("");
	DIR *dir = opendir(path);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		char *longer;

		if (entry->d_name[0] == '.')
			continue;
		longer = kgr_asprintf("%s%s%s", text, *text ? " " : "", entry->d_name);
		free(text);
		text = longer;
	}
	if (dir)
		closedir(dir);
	free(path);
	return text;
}

/* The build-id in a file of notes; "" with an error */
static int read_build_id(char *path, char *buf, size_t size)
{
	char *notes = malloc(FILE_MAX);
	ssize_t len = notes ? kgr_read_file(path, notes, FILE_MAX) : -ENOMEM;
	int ret = len < 0 ? (int)len : kgr_notes_build_id(notes, len, buf, size);

	if (ret)
		buf[0] = 0;
	free(notes);
	free(path);
	return ret;
}

int kgr_sysfs_kernel_build_id(struct kgr_ctx *ctx, char *buf, size_t size)
{
	return read_build_id(sys_path(ctx, "kernel/notes"), buf, size);
}

int kgr_sysfs_module_build_id(struct kgr_ctx *ctx, const char *module, char *buf, size_t size)
{
	return read_build_id(sys_path(ctx, "module/%s/notes/.note.gnu.build-id", module), buf, size);
}

/* Does the livepatch @name have a file "FUNCTION,POSITION" for @object, and is it enabled? */
static bool livepatch_has(struct kgr_ctx *ctx, const char *name, const char *object,
			  const char *function, int64_t sympos)
{
	char *enabled = sys_path(ctx, "kernel/livepatch/%s/enabled", name);
	char *path = sys_path(ctx, "kernel/livepatch/%s/%s", name, object);
	size_t len = strlen(function);
	struct dirent *entry;
	bool has = false;
	char buf[8];
	DIR *dir;

	dir = kgr_read_file(enabled, buf, sizeof(buf)) > 0 && *buf == '1' ? opendir(path) : NULL;
	while (dir && !has && (entry = readdir(dir)))
		/* there, 1 is what a name that is unique has */
		has = !strncmp(entry->d_name, function, len) && entry->d_name[len] == ',' &&
		      atoll(entry->d_name + len + 1) == (sympos ? sympos : 1);
	if (dir)
		closedir(dir);
	free(path);
	free(enabled);
	return has;
}

json_t *kgr_sysfs_livepatches(struct kgr_ctx *ctx, const char *object, const char *function,
			      int64_t sympos)
{
	char *path = sys_path(ctx, "kernel/livepatch");
	json_t *texts = json_array();
	DIR *dir = opendir(path);
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (valid_name(entry->d_name) &&
		    livepatch_has(ctx, entry->d_name, object, function, sympos)) {
			char *text = kgr_asprintf("livepatch '%s'", entry->d_name);

			json_array_append_new(texts, kgr_json_str(text));
			free(text);
		}
	if (dir)
		closedir(dir);
	free(path);
	return texts;
}

bool kgr_sysfs_signatures_enforced(struct kgr_ctx *ctx)
{
	char *path = sys_path(ctx, "module/module/parameters/sig_enforce");
	char buf[8];
	bool enforced = kgr_read_file(path, buf, sizeof(buf)) > 0 && *buf == 'Y';

	free(path);
	return enforced;
}

/* "none [integrity] confidentiality" */
bool kgr_sysfs_locked_down(struct kgr_ctx *ctx, char *mode, size_t size)
{
	char *path = sys_path(ctx, "kernel/security/lockdown"), *open, *close;
	ssize_t len = kgr_read_file(path, mode, size);

	free(path);
	if (len < 0)
		return false;
	open = strchr(mode, '[');
	close = open ? strchr(open, ']') : NULL;
	if (!close)
		return false;
	*close = 0;
	memmove(mode, open + 1, close - open);
	return strcmp(mode, "none");
}
