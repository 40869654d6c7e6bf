// SPDX-License-Identifier: GPL-2.0
/*
 * The journal: what an entry holds, what is none, and syslog in its place.
 */
#include "fixture.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

void __wrap_syslog(int priority, const char *fmt, ...);
void __wrap___syslog_chk(int priority, int flag, const char *fmt, ...);

static char *logged;
static int logged_priority;
static int journal = -1;
static char socket_path[108];

static void take_line(int priority, const char *fmt, va_list ap)
{
	assert_null(logged);
	logged_priority = priority;
	assert_true(vasprintf(&logged, fmt, ap) >= 0);
}

void __wrap_syslog(int priority, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	take_line(priority, fmt, ap);
	va_end(ap);
}

/* What _FORTIFY_SOURCE makes of it */
void __wrap___syslog_chk(int priority, int flag, const char *fmt, ...)
{
	va_list ap;

	(void)flag;
	va_start(ap, fmt);
	take_line(priority, fmt, ap);
	va_end(ap);
}

static int setup(void **state)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	struct fixture *f;

	fixture_setup(state);
	f = *state;
	assert_true(snprintf(a.sun_path, sizeof(a.sun_path), "%s/journal", f->root) <
		    (int)sizeof(a.sun_path));
	strcpy(socket_path, a.sun_path);
	journal = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(journal, (struct sockaddr *)&a, sizeof(a)), 0);
	f->ctx.journal_path = socket_path;
	return 0;
}

static int teardown(void **state)
{
	close(journal);
	free(logged);
	logged = NULL;
	return fixture_teardown(state);
}

/* The fields of the next entry, as the journal would read them; NULL: there is none */
static json_t *entry(void)
{
	char buf[8192];
	ssize_t n = recv(journal, buf, sizeof(buf), 0);
	char *p = buf, *end = buf + n;
	json_t *fields;

	if (n < 0)
		return NULL;
	fields = json_object();
	while (p < end) {
		char *newline = memchr(p, '\n', end - p), *eq = memchr(p, '=', newline - p);
		uint64_t len;

		assert_non_null(newline);
		*newline = 0;
		if (eq) {
			*eq = 0;
			json_object_set_new(fields, p, json_string(eq + 1));
			p = newline + 1;
			continue;
		}
		memcpy(&len, newline + 1, sizeof(len));
		len = le64toh(len);
		assert_true(newline + 1 + sizeof(len) + len < end);
		json_object_set_new(fields, p, json_stringn(newline + 1 + sizeof(len), len));
		p = newline + 1 + sizeof(len) + len;
		assert_int_equal(*p++, '\n');
	}
	return fields;
}

static void assert_none(void)
{
	json_t *e = entry();

	assert_null(e);
	assert_null(logged);
}

static void assert_entry(json_t *e, const char *command, const char *patch, const char *result,
			 const char *priority)
{
	assert_non_null(e);
	assert_string_equal(str(e, "KGR_COMMAND"), command);
	assert_string_equal(str(e, "MESSAGE_ID"), kgr_cmd_find(command)->message_id);
	assert_string_equal(str(e, "SYSLOG_IDENTIFIER"), "kgr-ctl");
	assert_string_equal(str(e, "KGR_RESULT"), result);
	assert_string_equal(str(e, "PRIORITY"), priority);
	if (patch)
		assert_string_equal(str(e, "KGR_PATCH"), patch);
	else
		assert_null(json_object_get(e, "KGR_PATCH"));
}

static void installing(void **state)
{
	struct fixture *f = *state;
	json_t *e;

	assert_int_equal(run(f, "install", FIXTURE_DIR "/kgr-good.ko", NULL), 0);
	e = entry();
	assert_entry(e, "install", "kgr_good", "installed", "5");
	assert_string_equal(str(e, "MESSAGE"), "install kgr_good: installed");
	assert_string_equal(str(e, "KGR_EXIT"), "0");
	assert_string_equal(str(e, "KGR_RELEASE"), "6.12.0");
	assert_null(json_object_get(e, "KGR_WHY"));
	json_decref(e);
	/* the same once more changes nothing; with --json and --quiet it is the same */
	assert_int_equal(run(f, "install", FIXTURE_DIR "/kgr-good.ko", NULL), 0);
	assert_none();
	assert_int_equal(run(f, "uninstall", "kgr_good", "--json", NULL), 0);
	e = entry();
	assert_entry(e, "uninstall", "kgr_good", "uninstalled", "5");
	json_decref(e);
	assert_int_equal(run(f, "install", FIXTURE_DIR "/kgr-good.ko", "--quiet", NULL), 0);
	json_decref(e = entry());
	assert_non_null(e);
	assert_none();
}

static void mode(void **state)
{
	struct fixture *f = *state;
	json_t *e;

	assert_int_equal(run(f, "mode", NULL), 0);
	assert_none();
	assert_int_equal(run(f, "mode", "no-apply", NULL), 0);
	e = entry();
	assert_entry(e, "mode", NULL, "no-apply", "5");
	assert_string_equal(str(e, "MESSAGE"), "mode: no-apply");
	json_decref(e);
}

static void in_vain(void **state)
{
	struct fixture *f = *state;
	json_t *e;

	assert_int_equal(run(f, "revert", "nosuch", NULL), KGR_EXIT_NOTFOUND);
	e = entry();
	assert_entry(e, "revert", "nosuch", "not-found", "4");
	assert_string_equal(str(e, "KGR_EXIT"), "8");
	assert_contains(str(e, "MESSAGE"), "revert nosuch: no patch 'nosuch'");
	json_decref(e);
	assert_int_equal(run(f, "install", FIXTURE_DIR "/kgr-nameless.ko", "--json", NULL),
			 KGR_EXIT_FAIL);
	e = entry();
	assert_entry(e, "install", FIXTURE_DIR "/kgr-nameless.ko", "failure", "4");
	assert_contains(str(e, "KGR_WHY"), "no module information 'vermagic'");
	json_decref(e);
}

static void no_change(void **state)
{
	struct fixture *f = *state;

	put_patch(f, "demo", "applied");
	put_patch(f, "old", "reverted");
	assert_int_equal(run(f, "enable", "demo", NULL), 0);
	assert_none();
	assert_int_equal(run(f, "revert", "old", NULL), 0);
	assert_none();
	assert_int_equal(run(f, "status", NULL), 0);
	assert_none();
	assert_int_equal(run(f, "revert", NULL), KGR_EXIT_USAGE);
	assert_none();
	assert_int_equal(run(f, "revert", "--help", NULL), 0);
	assert_none();
	assert_int_equal(run(f, "show", "nosuch", NULL), KGR_EXIT_NOTFOUND);
	assert_none();
}

/* What is typed, or stands in a file, can't forge a field */
static void forged(void **state)
{
	struct fixture *f = *state;
	const char *name = "x\nMESSAGE_ID=0\nPRIORITY=0";
	json_t *e;

	assert_int_equal(run(f, "revert", name, NULL), KGR_EXIT_NOTFOUND);
	e = entry();
	assert_entry(e, "revert", name, "not-found", "4");
	json_decref(e);
}

static void syslog_instead(void **state)
{
	struct fixture *f = *state;

	unlink(socket_path);
	assert_int_equal(run(f, "install", FIXTURE_DIR "/kgr-good.ko", NULL), 0);
	assert_non_null(logged);
	assert_int_equal(logged_priority, LOG_NOTICE);
	assert_string_equal(logged, "install kgr_good: installed KGR_COMMAND=\"install\" "
			    "KGR_PATCH=\"kgr_good\" KGR_RESULT=\"installed\" KGR_EXIT=\"0\" "
			    "KGR_RELEASE=\"6.12.0\"");
	free(logged);
	logged = NULL;
	assert_int_equal(run(f, "revert", "a\nb", NULL), KGR_EXIT_NOTFOUND);
	assert_int_equal(logged_priority, LOG_WARNING);
	assert_null(strchr(logged + strcspn(logged, "="), '\n'));
}

static void ids(void **state)
{
	size_t n = 0;

	(void)state;
	for (size_t i = 0; i < kgr_cmd_count; i++) {
		const char *id = kgr_cmds[i].message_id;

		if (!id)
			continue;
		n++;
		assert_int_equal(strlen(id), 32);
		assert_int_equal(strspn(id, "0123456789abcdef"), 32);
		for (size_t j = 0; j < i; j++)
			if (kgr_cmds[j].message_id)
				assert_string_not_equal(id, kgr_cmds[j].message_id);
	}
	assert_int_equal(n, 9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(installing, setup, teardown),
		cmocka_unit_test_setup_teardown(mode, setup, teardown),
		cmocka_unit_test_setup_teardown(in_vain, setup, teardown),
		cmocka_unit_test_setup_teardown(no_change, setup, teardown),
		cmocka_unit_test_setup_teardown(forged, setup, teardown),
		cmocka_unit_test_setup_teardown(syslog_instead, setup, teardown),
		cmocka_unit_test(ids),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
