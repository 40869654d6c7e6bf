// SPDX-License-Identifier: GPL-2.0
/*
 * Why the kernel did not take a patch module: for each errno the fact, its
 * cause on this host, and what to do.
 */
#include <errno.h>
#include <string.h>
#include <strings.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "change.h"
#include "explain.h"
#include "module.h"
#include "proc.h"
#include "sysfs.h"
#include "tracefs.h"

typedef enum kgr_exit (*explain_fn)(struct kgr_ctx *ctx, const struct kgr_module *m);

static enum kgr_exit other_transition(struct kgr_ctx *ctx, const struct kgr_module *m)
{
	return kgr_fail_other_transition(ctx, m->name);
}

static enum kgr_exit busy(struct kgr_ctx *ctx, const struct kgr_module *m)
{
	enum kgr_exit ret = kgr_fail(ctx, KGR_EXIT_CONFLICT, "%s: busy", m->name);

	kgr_why(ctx, "another user of ftrace holds one of its functions, or the patch's name is in use");
	kgr_next(ctx, "kgr-ctl list; see also enabled_functions in tracefs");
	return ret;
}

bool kgr_same_release(const char *vermagic, const char *release)
{
	size_t len = strlen(release);

	return !strncmp(vermagic, release, len) && (!vermagic[len] || vermagic[len] == ' ');
}

static enum kgr_exit other_kernel(struct kgr_ctx *ctx, const struct kgr_module *m)
{
	enum kgr_exit ret = kgr_fail(ctx, KGR_EXIT_MISMATCH, "%s was made for another kernel", m->name);

	kgr_next(ctx, "build the patch against the build tree of the running kernel");
	return ret;
}

enum kgr_exit kgr_explain_mismatch(struct kgr_ctx *ctx, const struct kgr_module *m)
{
	struct utsname uts = { .release = "?" };
	enum kgr_exit ret;
	char build_id[128];
	bool ids_differ, releases_differ;

	uname(&uts);
	kgr_sysfs_kernel_build_id(ctx, build_id, sizeof(build_id));
	ids_differ = m->build_id && *build_id && strcasecmp(m->build_id, build_id);
	releases_differ = m->vermagic && !kgr_same_release(m->vermagic, uts.release);
	if (!ids_differ && !releases_differ) {
		ret = kgr_fail(ctx, KGR_EXIT_FAIL, "%s: the kernel does not accept its format",
			       m->name);
		kgr_why(ctx, "the file is damaged, or was not made by kgr-build for this kernel");
		kgr_next(ctx, "dmesg | tail");
		return ret;
	}
	ret = other_kernel(ctx, m);
	if (ids_differ) {
		kgr_why(ctx, "made for build-id %s", m->build_id);
		kgr_why(ctx, "running is build-id %s", build_id);
	}
	if (releases_differ) {
		kgr_why(ctx, "made for %s", m->vermagic);
		kgr_why(ctx, "running is %s", uts.release);
	}
	return ret;
}

/* What only the structure of a patch says, the kernel finds out and logs */
static bool is_for_other_kernel(int err, json_t *lines)
{
	json_t *line;
	size_t i;

	json_array_foreach(lines, i, line)
		if (err == ENOEXEC && strstr(json_string_value(line), "made for the kernel with build-id"))
			return true;
	return false;
}

static enum kgr_exit bad_signature(struct kgr_ctx *ctx, const struct kgr_module *m)
{
	enum kgr_exit ret = kgr_fail(ctx, KGR_EXIT_PERM, "%s: its signature is not accepted",
				     m->name);

	if (m->signer)
		kgr_why(ctx, "it is signed by '%s', a key that this kernel does not trust", m->signer);
	else
		kgr_why(ctx, "it is not signed, and this kernel wants signed modules");
	kgr_next(ctx, "sign the module with a key that the running kernel trusts");
	return ret;
}

static enum kgr_exit forbidden(struct kgr_ctx *ctx, const struct kgr_module *m)
{
	return kgr_fail(ctx, KGR_EXIT_PERM, "%s: loading is not permitted", m->name);
}

enum kgr_exit kgr_explain_disabled(struct kgr_ctx *ctx, const struct kgr_module *m)
{
	enum kgr_exit ret;

	if (!kgr_proc_modules_disabled(ctx))
		return KGR_EXIT_OK;
	ret = forbidden(ctx, m);
	kgr_why(ctx, "module loading has been disabled (kernel.modules_disabled=1)");
	kgr_next(ctx, "only a reboot turns it on again");
	return ret;
}

static enum kgr_exit locked_down(struct kgr_ctx *ctx, const struct kgr_module *m)
{
	enum kgr_exit ret;
	char mode[64];

	if (!kgr_sysfs_locked_down(ctx, mode, sizeof(mode)))
		return KGR_EXIT_OK;
	ret = forbidden(ctx, m);
	kgr_why(ctx, "the kernel is locked down (%s) and wants a valid signature", mode);
	if (m->signer)
		kgr_why(ctx, "it is signed by '%s', a key that this kernel does not trust", m->signer);
	else if (!m->sig_id)
		kgr_why(ctx, "it is not signed");
	kgr_next(ctx, "sign the module with a key that the running kernel trusts");
	return ret;
}

enum kgr_exit kgr_explain_unsigned(struct kgr_ctx *ctx, const struct kgr_module *m)
{
	if (m->signer || m->sig_id)
		return KGR_EXIT_OK;
	if (kgr_sysfs_signatures_enforced(ctx))
		return bad_signature(ctx, m);
	return locked_down(ctx, m);
}

static enum kgr_exit not_permitted(struct kgr_ctx *ctx, const struct kgr_module *m)
{
	enum kgr_exit ret;

	if (geteuid()) {
		ret = forbidden(ctx, m);
		kgr_why(ctx, "it needs CAP_SYS_MODULE and CAP_SYS_ADMIN");
		kgr_next(ctx, "run kgr-ctl as root");
		return ret;
	}
	ret = kgr_explain_disabled(ctx, m);
	if (!ret)
		ret = locked_down(ctx, m);
	if (ret)
		return ret;
	ret = forbidden(ctx, m);
	kgr_why(ctx, "a capability is missing, as in a container, or a security module objects");
	kgr_next(ctx, "run kgr-ctl as root of the host");
	return ret;
}

enum kgr_exit kgr_fail_dead(struct kgr_ctx *ctx)
{
	enum kgr_exit ret = kgr_fail(ctx, KGR_EXIT_FAIL, "kGraft can't redirect functions any more");

	kgr_why(ctx, "/sys/kernel/kgraft/dead is 1: ftrace has shut itself down after an error");
	kgr_next(ctx, "dmesg | grep -i ftrace");
	kgr_next(ctx, "what is applied stays applied; reboot when convenient");
	return ret;
}

void kgr_tracefs_hint(struct kgr_ctx *ctx)
{
	if (geteuid())
		kgr_next(ctx, "run kgr-ctl as root");
	else if (!kgr_tracefs_mounted(ctx))
		kgr_next(ctx, "mount -t tracefs tracefs %s/kernel/tracing", ctx->sysfs_root);
}

static enum kgr_exit no_symbol(struct kgr_ctx *ctx, const struct kgr_module *m)
{
	enum kgr_exit ret = kgr_fail(ctx, KGR_EXIT_FAIL, "%s: a symbol is missing in this kernel",
				     m->name);

	kgr_why(ctx, "a function to be patched, or a symbol that the patch refers to, does not exist");
	kgr_next(ctx, "build the patch against the build tree of the running kernel");
	return ret;
}

static enum kgr_exit invalid(struct kgr_ctx *ctx, const struct kgr_module *m)
{
	enum kgr_exit ret = kgr_fail(ctx, KGR_EXIT_FAIL, "%s: the kernel refuses the patch",
				     m->name);

	kgr_why(ctx, "a symbol is ambiguous, a function can't be patched, or the patch is malformed");
	kgr_next(ctx, "dmesg | grep kgraft:");
	return ret;
}

static enum kgr_exit unsupported(struct kgr_ctx *ctx, const struct kgr_module *m)
{
	enum kgr_exit ret = kgr_fail(ctx, KGR_EXIT_FAIL,
				     "%s: the patch needs what this kernel's kGraft can't do",
				     m->name);

	kgr_why(ctx, "it patches functions of modules, or replaces all other patches");
	kgr_next(ctx, "dmesg | grep kgraft:");
	return ret;
}

static enum kgr_exit no_ftrace(struct kgr_ctx *ctx, const struct kgr_module *m)
{
	enum kgr_exit ret = kgr_fail(ctx, KGR_EXIT_FAIL, "%s: kGraft can't redirect functions now",
				     m->name);

	kgr_why(ctx, "ftrace has shut itself down after an error, or the module is being unloaded");
	kgr_next(ctx, "dmesg | grep -i ftrace");
	return ret;
}

static const struct {
	int err;
	explain_fn explain;
} table[] = {
	{ EAGAIN, other_transition },
	{ EBUSY, busy },
	{ ENOEXEC, kgr_explain_mismatch },
	{ EKEYREJECTED, bad_signature },
	{ ENOKEY, bad_signature },
	{ EKEYEXPIRED, bad_signature },
	{ EKEYREVOKED, bad_signature },
	{ EBADMSG, bad_signature },
	{ ENOPKG, bad_signature },
	{ EPERM, not_permitted },
	{ EACCES, not_permitted },
	{ ENOENT, no_symbol },
	{ EINVAL, invalid },
	{ EOPNOTSUPP, unsupported },
	{ ENODEV, no_ftrace },
};

enum kgr_exit kgr_explain_load(struct kgr_ctx *ctx, const struct kgr_module *m, int err,
			       json_t *lines)
{
	enum kgr_exit ret = KGR_EXIT_OK;

	if (is_for_other_kernel(err, lines))
		ret = other_kernel(ctx, m);
	for (size_t i = 0; !ret && i < ARRAY_SIZE(table); i++)
		if (table[i].err == err)
			ret = table[i].explain(ctx, m);
	if (!ret) {
		ret = kgr_fail(ctx, KGR_EXIT_FAIL, "%s: the kernel does not load it", m->name);
		kgr_next(ctx, "dmesg | tail");
	}
	kgr_why(ctx, "the kernel's answer is: %s", strerror(err));
	kgr_quote_kernel(ctx, lines);
	return ret;
}
