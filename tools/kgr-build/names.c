// SPDX-License-Identifier: GPL-2.0
/* Names that the compiler or the kernel's macros make up */
#include <ctype.h>

#include "names.h"

/* Compared with the name up to its first number */
static const char * const disposable[] = {
	"__func__", "__FUNCTION__", "__PRETTY_FUNCTION__",	/* the function's own name */
	"__already_done", "___done", "__warned", "__print_once", "___once_key",	/* once */
	"_rs",							/* rate limits */
	"__key", "__lock_key", "__wq_key",			/* lock classes */
	"descriptor", "_ddebug", "__UNIQUE_ID_ddebug",		/* dynamic debug */
	"CSWTCH",						/* switch turned into a table */
	"___tp_str", "_entry", "__trace_printk_fmt", "trace_printk_fmt", /* trace, index */
};

/* Names whose numbers stand in the middle */
static const char * const counted[] = {
	"__UNIQUE_ID_", "__initcall_", "__BTF_ID_", "__exitcall_", "__addressable_",
};

static bool is_counted(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(counted); i++)
		if (str_starts(name, counted[i]))
			return true;
	return false;
}

char *name_key(struct arena *a, const char *name)
{
	char *out = arena_strdup(a, name), *to = out;
	bool all = is_counted(name);

	for (const char *p = name; *p; ) {
		bool after = p > name && (p[-1] == '.' || all);

		if (after && isdigit((unsigned char)*p)) {
			*to++ = '#';
			while (isdigit((unsigned char)*p))
				p++;
		} else {
			*to++ = *p++;
		}
	}
	*to = 0;
	return out;
}

bool name_numbered(const char *name)
{
	if (is_counted(name))
		return true;
	for (const char *p = name; (p = strchr(p, '.')); p++)
		if (isdigit((unsigned char)p[1]))
			return true;
	return false;
}

bool name_disposable(const char *name)
{
	size_t n = strcspn(name, ".");

	for (size_t i = 0; i < ARRAY_SIZE(disposable); i++) {
		size_t k = strlen(disposable[i]);

		if (!strncmp(name, disposable[i], k) &&
		    (n == k || strspn(name + k, "0123456789") == n - k))
			return true;
	}
	return str_starts(name, ".L");
}

char *name_cold_parent(struct arena *a, const char *name)
{
	const char *p = strstr(name, ".cold");

	if (!p || p == name)
		return NULL;
	p += strlen(".cold");
	if (*p && *p != '.')
		return NULL;
	return arena_printf(a, "%.*s", (int)(strstr(name, ".cold") - name), name);
}

char *name_source(struct arena *a, const char *name)
{
	return arena_strndup(a, name, strcspn(name, "."));
}

char *name_identifier(struct arena *a, const char *name)
{
	char *out = arena_strdup(a, name);

	for (char *p = out; *p; p++)
		if (!isalnum((unsigned char)*p))
			*p = '_';
	return out;
}
