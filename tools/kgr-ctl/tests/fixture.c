// SPDX-License-Identifier: GPL-2.0
#include "fixture.h"

#include <elf.h>
#include <ftw.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "patch.h"
#include "readfile.h"

const unsigned char build_id[20] = {
	0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99,
	0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff, 0x00, 0x11, 0x22, 0x33,
};

static void make_parents(char *path)
{
	for (char *p = path + 1; (p = strchr(p, '/')); p++) {
		*p = 0;
		mkdir(path, 0755);
		*p = '/';
	}
}

void put_bytes(struct fixture *f, const char *path, const void *data, size_t len)
{
	char *full = kgr_asprintf("%s/%s", f->root, path);
	FILE *file;

	make_parents(full);
	file = fopen(full, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
	free(full);
}

void put_file(struct fixture *f, const char *path, const char *text)
{
	put_bytes(f, path, text, strlen(text));
}

void put_link(struct fixture *f, const char *path, const char *target)
{
	char *full = kgr_asprintf("%s/%s", f->root, path);

	make_parents(full);
	unlink(full);
	assert_int_equal(symlink(target, full), 0);
	free(full);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

void remove_file(struct fixture *f, const char *path)
{
	char *full = kgr_asprintf("%s/%s", f->root, path);

	assert_int_equal(nftw(full, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
	free(full);
}

static void put_attr(struct fixture *f, const char *patch, const char *attr, const char *text)
{
	char *path = kgr_asprintf("sys/kernel/kgraft/%s/%s", patch, attr);

	put_file(f, path, text);
	free(path);
}

void put_patch(struct fixture *f, const char *name, const char *state)
{
	bool moving = !strcmp(state, "applying") || !strcmp(state, "reverting");
	bool enabled = !strncmp(state, "appl", 4);
	char *module = kgr_asprintf("%s_mod", name), *path, *target;

	put_attr(f, name, "enabled", enabled ? "1\n" : "0\n");
	put_attr(f, name, "transition", moving ? "1\n" : "0\n");
	put_attr(f, name, "model", "universe\n");
	put_attr(f, name, "cve", "CVE-2024-1 CVE-2024-2\n");
	put_attr(f, name, "build_id", BUILD_ID_HEX "\n");
	put_attr(f, name, "refs", "0\n");
	put_attr(f, name, "replace_all", "0\n");
	put_attr(f, name, "revert", "");
	put_attr(f, name, "since", "1732167000.123\n");
	put_attr(f, name, "migrated", moving ? "120\n" : "124\n");
	put_attr(f, name, "total", "124\n");
	put_attr(f, name, "timeout", "0\n");
	put_attr(f, name, "on_timeout", "keep\n");
	put_attr(f, name, "reason", "\n");
	put_attr(f, name, "stops", "0\n");
	put_attr(f, name, "stopped_us", "0\n");
	put_attr(f, name, "forced", "0\n");
	put_attr(f, name, "force", "");
	put_attr(f, name, "nudges/stack_check", "11\n");
	put_attr(f, name, "nudges/wake", "2\n");
	put_attr(f, name, "nudges/resched", "3\n");
	put_attr(f, name, "nudges/signal", "4\n");
	put_attr(f, name, "state",
		 "Function                         Object           Sympos  State\n"
		 "__x64_sys_getpid                 vmlinux               0  2\n"
		 "meminfo_proc_show                vmlinux               1  2\n");

	path = kgr_asprintf("sys/kernel/kgraft/%s/owner", name);
	target = kgr_asprintf("../../../module/%s", module);
	put_link(f, path, target);
	free(path);
	free(target);
	path = kgr_asprintf("sys/module/%s/initstate", module);
	put_file(f, path, "live\n");
	free(path);
	free(module);
}

static void put_note(unsigned char **p, const char *name, uint32_t type, const void *desc,
		     uint32_t len)
{
	Elf64_Nhdr note = { .n_namesz = (uint32_t)strlen(name) + 1, .n_descsz = len,
			    .n_type = type };

	memcpy(*p, &note, sizeof(note));
	*p += sizeof(note);
	memcpy(*p, name, note.n_namesz);
	*p += (note.n_namesz + 3) & ~3u;
	memcpy(*p, desc, len);
	*p += (len + 3) & ~3u;
}

void put_notes(struct fixture *f, const unsigned char *id, size_t len)
{
	unsigned char notes[256] = { 0 }, *p = notes;

	put_note(&p, "Linux", 0x100, "\1\2\3", 3);
	put_note(&p, "GNU", NT_GNU_BUILD_ID, id, (uint32_t)len);
	put_bytes(f, "sys/kernel/notes", notes, p - notes);
}

void put_boot(struct fixture *f, unsigned int number)
{
	char id[64];

	snprintf(id, sizeof(id), "%08x-1111-4222-8333-444444444444\n", number);
	put_file(f, "proc/sys/kernel/random/boot_id", id);
}

char *get_file(struct fixture *f, const char *path)
{
	char *full = kgr_asprintf("%s/%s", f->root, path), *text;
	size_t len;

	if (kgr_slurp_file(full, &text, &len))
		text = NULL;
	free(full);
	return text;
}

int fixture_setup(void **state)
{
	char template[] = "/tmp/kgr-ctl-test.XXXXXX";
	struct fixture *f = calloc(1, sizeof(*f));

	/* no test waits for long; one that hangs is to fail */
	alarm(60);
	assert_non_null(f);
	assert_non_null(mkdtemp(template));
	assert_int_equal(chmod(template, 0755), 0);
	f->root = strdup(template);
	f->sys = kgr_asprintf("%s/sys", f->root);
	f->proc = kgr_asprintf("%s/proc", f->root);
	f->store = kgr_asprintf("%s/store", f->root);
	f->kmsg = kgr_asprintf("%s/kmsg", f->root);
	put_file(f, "sys/kernel/kgraft/in_progress", "0\n");
	put_file(f, "sys/kernel/kgraft/force_load_module", "0\n");
	put_file(f, "sys/kernel/kgraft/nudge_delay_ms", "1000\n");
	put_file(f, "proc/sys/kernel/osrelease", "6.12.0\n");
	put_boot(f, 1);
	put_notes(f, build_id, sizeof(build_id));
	f->ctx = (struct kgr_ctx) {
		.sysfs_root = f->sys,
		.proc_root = f->proc,
		.store_root = f->store,
		.kmsg_path = f->kmsg,
		.width = 80,
	};
	*state = f;
	return 0;
}

static void forget_run(struct fixture *f)
{
	free(f->out);
	free(f->err);
	json_decref(f->doc);
	f->out = NULL;
	f->err = NULL;
	f->doc = NULL;
}

int fixture_teardown(void **state)
{
	struct fixture *f = *state;

	forget_run(f);
	nftw(f->root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(f->root);
	free(f->sys);
	free(f->proc);
	free(f->store);
	free(f->kmsg);
	free(f);
	return 0;
}

/* For test_schema.py, which looks at every document of all tests */
static void keep_document(const struct fixture *f)
{
	const char *dir = getenv("KGR_DOCUMENTS");
	static unsigned int number;
	char *path;
	FILE *file;

	if (!dir || !*dir)
		return;
	path = kgr_asprintf("%s/%d-%u.json", dir, (int)getpid(), number++);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(f->out, file);
	assert_int_equal(fclose(file), 0);
	free(path);
}

int run(struct fixture *f, ...)
{
	char *argv[32] = { "kgr-ctl" };
	int argc = 1, ret;
	bool json = false;
	va_list ap;

	va_start(ap, f);
	while ((argv[argc] = va_arg(ap, char *))) {
		json |= !strcmp(argv[argc], "--json");
		argc++;
		assert_true(argc < 32);
	}
	va_end(ap);

	forget_run(f);
	f->ctx.out = open_memstream(&f->out, &f->out_len);
	f->ctx.err = open_memstream(&f->err, &f->err_len);
	ret = kgr_run(&f->ctx, argc, argv);
	fclose(f->ctx.out);
	fclose(f->ctx.err);
	f->ctx.json = false;
	f->ctx.quiet = false;
	if (json && f->out_len) {
		json_error_t error;

		/* the whole output is one document */
		f->doc = json_loads(f->out, JSON_REJECT_DUPLICATES, &error);
		if (!f->doc)
			fail_msg("not JSON: %s\n%s", error.text, f->out);
		assert_int_equal(json_integer_value(json_object_get(f->doc, "schema")), 1);
		assert_int_equal(f->err_len, 0);
		keep_document(f);
	}
	return ret;
}

const char *str(const json_t *obj, const char *key)
{
	const json_t *value = json_object_get(obj, key);

	if (!json_is_string(value))
		fail_msg("'%s' is not a string", key);
	return json_string_value(value);
}

void assert_keys(const json_t *obj, const char *keys)
{
	char *copy = strdup(keys), *rest = copy, *key;
	size_t n = 0;

	assert_true(json_is_object(obj));
	while ((key = strsep(&rest, " "))) {
		if (!json_object_get(obj, key))
			fail_msg("key '%s' is missing", key);
		n++;
	}
	assert_int_equal(json_object_size(obj), n);
	free(copy);
}

void assert_contains(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("'%s' is not in:\n%s", part, text);
}

void assert_lacks(const char *text, const char *part)
{
	if (strstr(text, part))
		fail_msg("'%s' is in:\n%s", part, text);
}

/* A host on which kgr-good.ko can be applied at once */
int host_setup(void **state)
{
	int ret = fixture_setup(state);
	struct fixture *f = *state;

	put_file(f, "proc/kallsyms",
		 "ffffffff81000100 T first\n"
		 "ffffffff81000200 t second\n"
		 "ffffffff81000300 t second\n"
		 "ffffffff81000400 t other\n"
		 "ffffffffc0000200 t third\t[ext4]\n"
		 "ffffffffc0000100 t helper\t[ext4]\n");
	put_file(f, "sys/module/ext4/initstate", "live\n");
	put_file(f, TRACING "README", "");
	put_file(f, TRACING "available_filter_functions_addrs",
		 "ffffffff81000104 first\nffffffff81000304 second\n"
		 "ffffffffc0000200 third [ext4]\n");
	put_file(f, TRACING "enabled_functions", "");
	put_file(f, "proc/1/task/1/stack", "[<0>] do_epoll_wait+0x10/0x20\n");
	put_file(f, "proc/self/stack", "");
	return ret;
}

const json_t *check_row(const struct fixture *f, const char *name)
{
	json_t *row;
	size_t i;

	json_array_foreach(json_object_get(f->doc, "checks"), i, row)
		if (!strcmp(str(row, "check"), name))
			return row;
	fail_msg("no check '%s' in:\n%s", name, f->out);
	return NULL;
}

/* Asserts that @check, and only it, has this result */
void assert_only(const struct fixture *f, const char *check, const char *result)
{
	json_t *row;
	size_t i;

	json_array_foreach(json_object_get(f->doc, "checks"), i, row) {
		const char *want = !strcmp(str(row, "check"), check) ? result : "ok";

		/* the module's release is not that of this machine, whatever that is */
		if (!strcmp(str(row, "check"), "vermagic") ||
		    (geteuid() && !strcmp(str(row, "check"), "rights")))
			continue;
		if (strcmp(str(row, "result"), want))
			fail_msg("check '%s' is '%s':\n%s", str(row, "check"), str(row, "result"),
				 f->out);
	}
}

const json_t *function(const struct fixture *f, size_t i)
{
	return json_array_get(json_object_get(f->doc, "functions"), i);
}

void put_functions(struct fixture *f, const char *patch, const char *state,
			  const char *redirect)
{
	char *path = kgr_asprintf("sys/kernel/kgraft/%s/state", patch);

	put_file(f, path, state);
	free(path);
	path = kgr_asprintf("sys/kernel/kgraft/%s/redirect", patch);
	put_file(f, path, redirect);
	free(path);
}
