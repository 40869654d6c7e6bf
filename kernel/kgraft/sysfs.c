// SPDX-License-Identifier: GPL-2.0
/*
 * /sys/kernel/kgraft: single values; more of them in sysfs_limits.c, lists in
 * netlink.c. The files are described in
 * Documentation/ABI/testing/sysfs-kernel-kgraft.
 */
#include "internal.h"

#include <linux/capability.h>
#include <linux/error-injection.h>
#include <linux/kallsyms.h>
#include <linux/kobject.h>
#include <linux/kstrtox.h>
#include <linux/module.h>
#include <linux/string.h>
#include <linux/sysfs.h>

static struct kobject *kgr_root;

/* Let modules in that can't be patched. Plain value, racy reads. */
bool kgr_force_load_module;

/**
 * kgr_sysfs_number - what is written to a file that takes a number
 * @buf:	the text
 * @value:	where to put the number
 *
 * Context: of the writer.
 * Return: 0; -EPERM: it may not write; -EINVAL, -ERANGE: no such number.
 */
int kgr_sysfs_number(const char *buf, unsigned int *value)
{
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	return kstrtouint(buf, 10, value);
}

/**
 * kgr_sysfs_switch - what is written to a file that takes 0 or 1
 * @buf:	the text
 * @value:	where to put it
 *
 * These and nothing else: a slip of the hand should not revert a patch.
 *
 * Context: of the writer.
 * Return: 0; -EPERM: it may not write; -EINVAL.
 */
int kgr_sysfs_switch(const char *buf, bool *value)
{
	u8 number;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (kstrtou8(buf, 10, &number) || number > 1)
		return -EINVAL;
	*value = number;
	return 0;
}

/* /sys/kernel/kgraft/ */

static ssize_t in_progress_show(struct kobject *kobj, struct kobj_attribute *attr,
				char *buf)
{
	return sysfs_emit(buf, "%d\n", !!kgr_transition_patch());
}

/* As in published kGraft: 0 forces the transition that runs */
static ssize_t in_progress_store(struct kobject *kobj, struct kobj_attribute *attr,
				 const char *buf, size_t count)
{
	bool value;
	int ret;

	ret = kgr_sysfs_switch(buf, &value);
	if (ret)
		return ret;
	if (value)
		return -EINVAL;

	ret = kgr_force(NULL);
	return ret ?: count;
}

static ssize_t force_load_module_show(struct kobject *kobj,
				      struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%d\n", READ_ONCE(kgr_force_load_module));
}

static ssize_t force_load_module_store(struct kobject *kobj,
				       struct kobj_attribute *attr,
				       const char *buf, size_t count)
{
	bool value;
	int ret;

	ret = kgr_sysfs_switch(buf, &value);
	if (ret)
		return ret;
	WRITE_ONCE(kgr_force_load_module, value);
	return count;
}

static ssize_t nudge_delay_ms_show(struct kobject *kobj,
				   struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n", READ_ONCE(kgr_nudge_delay_ms));
}

static ssize_t nudge_delay_ms_store(struct kobject *kobj,
				    struct kobj_attribute *attr,
				    const char *buf, size_t count)
{
	unsigned int value;
	int ret;

	ret = kgr_sysfs_number(buf, &value);
	if (ret)
		return ret;
	WRITE_ONCE(kgr_nudge_delay_ms, value);
	return count;
}

static ssize_t dead_show(struct kobject *kobj, struct kobj_attribute *attr,
			 char *buf)
{
	return sysfs_emit(buf, "%d\n", kgr_redirect_dead());
}

static struct kobj_attribute dead_attr = __ATTR_RO(dead);
static struct kobj_attribute in_progress_attr = __ATTR_RW(in_progress);
static struct kobj_attribute force_load_module_attr = __ATTR_RW(force_load_module);
static struct kobj_attribute nudge_delay_ms_attr = __ATTR_RW(nudge_delay_ms);

static struct attribute *kgr_root_attrs[] = {
	&dead_attr.attr,
	&in_progress_attr.attr,
	&force_load_module_attr.attr,
	&nudge_delay_ms_attr.attr,
	NULL
};

static const struct attribute_group kgr_root_group = {
	.attrs = kgr_root_attrs,
};

static const struct attribute_group *kgr_root_groups[] = {
	&kgr_root_group,
	&kgr_root_limits_group,
	NULL
};

/* /sys/kernel/kgraft/NAME/ */

/* The longest line of the file, and "..." for those that it has no room for */
#define KGR_STATE_LINE	(KSYM_NAME_LEN + MODULE_NAME_LEN + 32)

static ssize_t state_show(struct kobject *kobj, struct kobj_attribute *attr,
			  char *buf)
{
	struct kgr_patch *patch = kgr_patch_of(kobj);
	struct kgr_patch_fun *fun;
	int len;

	guard(mutex)(&kgr_mutex);

	len = sysfs_emit(buf, "%-32s %-16s %6s  %s\n",
			 "Function", "Object", "Sympos", "State");
	kgr_for_each_patch_fun(patch, fun) {
		if (len + KGR_STATE_LINE > PAGE_SIZE)
			return len + sysfs_emit_at(buf, len, "...\n");
		len += sysfs_emit_at(buf, len, "%-32s %-16s %6lu  %d\n", fun->name,
				     fun->objname ?: "vmlinux", fun->sympos,
				     fun->state);
	}
	return len;
}

#define KGR_FORM_NAME(name, text)	text,
static const char * const kgr_form_names[] = { KGR_FORMS(KGR_FORM_NAME) };
#undef KGR_FORM_NAME

/* Name of what stands at the entry of a function; context: kgr_mutex held */
const char *kgr_form_name(const struct kgr_patch_fun *fun)
{
	return kgr_form_names[kgr_fun_form(fun)];
}

static ssize_t redirect_show(struct kobject *kobj, struct kobj_attribute *attr,
			     char *buf)
{
	struct kgr_patch *patch = kgr_patch_of(kobj);
	struct kgr_patch_fun *fun;
	int len = 0;

	guard(mutex)(&kgr_mutex);

	kgr_for_each_patch_fun(patch, fun) {
		if (len + KGR_STATE_LINE > PAGE_SIZE)
			return len + sysfs_emit_at(buf, len, "...\n");
		len += sysfs_emit_at(buf, len, "%s %s\n", fun->name,
				     kgr_form_name(fun));
	}
	return len;
}

static ssize_t refs_show(struct kobject *kobj, struct kobj_attribute *attr,
			 char *buf)
{
	guard(mutex)(&kgr_mutex);

	return sysfs_emit(buf, "%u\n", kgr_patch_refs(kgr_patch_of(kobj)));
}

static ssize_t replace_all_show(struct kobject *kobj,
				struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%d\n", kgr_patch_of(kobj)->replace_all);
}

static ssize_t replace_set_show(struct kobject *kobj,
				struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s\n", kgr_patch_of(kobj)->replace_set ?: "");
}

static ssize_t revert_store(struct kobject *kobj, struct kobj_attribute *attr,
			    const char *buf, size_t count)
{
	bool value;
	int ret;

	ret = kgr_sysfs_switch(buf, &value);
	if (ret)
		return ret;
	if (!value)
		return -EINVAL;

	ret = kgr_patch_revert(kgr_patch_of(kobj));
	return ret ?: count;
}

static ssize_t model_show(struct kobject *kobj, struct kobj_attribute *attr,
			  char *buf)
{
	return sysfs_emit(buf, "%s\n", kgr_model_name(kgr_patch_of(kobj)->model));
}

static ssize_t enabled_show(struct kobject *kobj, struct kobj_attribute *attr,
			    char *buf)
{
	guard(mutex)(&kgr_mutex);

	return sysfs_emit(buf, "%d\n", kgr_patch_enabled(kgr_patch_of(kobj)));
}

static ssize_t enabled_store(struct kobject *kobj, struct kobj_attribute *attr,
			     const char *buf, size_t count)
{
	struct kgr_patch *patch = kgr_patch_of(kobj);
	bool value;
	int ret;

	ret = kgr_sysfs_switch(buf, &value);
	if (ret)
		return ret;

	ret = value ? kgr_patch_enable(patch) : kgr_patch_revert(patch);
	return ret ?: count;
}

static ssize_t transition_show(struct kobject *kobj, struct kobj_attribute *attr,
			       char *buf)
{
	guard(mutex)(&kgr_mutex);

	return sysfs_emit(buf, "%d\n", kgr_patch_of(kobj)->priv->in_transition);
}

static ssize_t since_show(struct kobject *kobj, struct kobj_attribute *attr,
			  char *buf)
{
	const struct timespec64 *started = &kgr_patch_of(kobj)->priv->started;

	guard(mutex)(&kgr_mutex);

	return sysfs_emit(buf, "%lld.%03ld\n", (s64)started->tv_sec,
			  started->tv_nsec / NSEC_PER_MSEC);
}

static ssize_t migrated_show(struct kobject *kobj, struct kobj_attribute *attr,
			     char *buf)
{
	unsigned int migrated, total;

	guard(mutex)(&kgr_mutex);

	kgr_transition_counts(kgr_patch_of(kobj), &migrated, &total);
	return sysfs_emit(buf, "%u\n", migrated);
}

static ssize_t total_show(struct kobject *kobj, struct kobj_attribute *attr,
			  char *buf)
{
	unsigned int migrated, total;

	guard(mutex)(&kgr_mutex);

	kgr_transition_counts(kgr_patch_of(kobj), &migrated, &total);
	return sysfs_emit(buf, "%u\n", total);
}

static ssize_t cve_show(struct kobject *kobj, struct kobj_attribute *attr,
			char *buf)
{
	return sysfs_emit(buf, "%s\n", kgr_patch_of(kobj)->cve ?: "");
}

static ssize_t build_id_show(struct kobject *kobj, struct kobj_attribute *attr,
			     char *buf)
{
	return sysfs_emit(buf, "%s\n", kgr_patch_of(kobj)->build_id ?: "");
}

static struct kobj_attribute state_attr = __ATTR_RO(state);
static struct kobj_attribute redirect_attr = __ATTR_RO(redirect);
static struct kobj_attribute refs_attr = __ATTR_RO(refs);
static struct kobj_attribute replace_all_attr = __ATTR_RO(replace_all);
static struct kobj_attribute replace_set_attr = __ATTR_RO(replace_set);
static struct kobj_attribute revert_attr = __ATTR_WO(revert);
static struct kobj_attribute model_attr = __ATTR_RO(model);
static struct kobj_attribute enabled_attr = __ATTR_RW(enabled);
static struct kobj_attribute transition_attr = __ATTR_RO(transition);
static struct kobj_attribute since_attr = __ATTR_RO(since);
static struct kobj_attribute migrated_attr = __ATTR_RO(migrated);
static struct kobj_attribute total_attr = __ATTR_RO(total);
static struct kobj_attribute cve_attr = __ATTR_RO(cve);
static struct kobj_attribute build_id_attr = __ATTR_RO(build_id);

static struct attribute *kgr_patch_attrs[] = {
	&state_attr.attr,
	&redirect_attr.attr,
	&refs_attr.attr,
	&replace_all_attr.attr,
	&replace_set_attr.attr,
	&revert_attr.attr,
	&model_attr.attr,
	&enabled_attr.attr,
	&transition_attr.attr,
	&since_attr.attr,
	&migrated_attr.attr,
	&total_attr.attr,
	&cve_attr.attr,
	&build_id_attr.attr,
	NULL
};

static const struct attribute_group kgr_patch_group = {
	.attrs = kgr_patch_attrs,
};

/* /sys/kernel/kgraft/NAME/nudges/ */

struct kgr_rung_attribute {
	struct kobj_attribute attr;
	enum kgr_rung rung;
};

static ssize_t rung_show(struct kobject *kobj, struct kobj_attribute *attr,
			 char *buf)
{
	struct kgr_rung_attribute *rung =
		container_of(attr, struct kgr_rung_attribute, attr);

	return sysfs_emit(buf, "%d\n",
			  atomic_read(&kgr_patch_of(kobj)->priv->nudges[rung->rung]));
}

#define KGR_RUNG_ATTR(which, text)					\
	static struct kgr_rung_attribute kgr_rung_##which = {		\
		.attr = {						\
			.attr = { .name = text, .mode = 0444 },		\
			.show = rung_show,				\
		},							\
		.rung = KGR_RUNG_##which,				\
	};
KGR_RUNGS(KGR_RUNG_ATTR)
#undef KGR_RUNG_ATTR

#define KGR_RUNG_ATTR(name, text)	&kgr_rung_##name.attr.attr,
static struct attribute *kgr_rung_attrs[] = {
	KGR_RUNGS(KGR_RUNG_ATTR)
	NULL
};
#undef KGR_RUNG_ATTR

static const struct attribute_group kgr_rung_group = {
	.name = "nudges",
	.attrs = kgr_rung_attrs,
};

static const struct attribute_group *kgr_patch_groups[] = {
	&kgr_patch_group,
	&kgr_patch_limits_group,
	&kgr_rung_group,
	NULL
};

static void kgr_patch_release(struct kobject *kobj)
{
	complete(&kgr_patch_of(kobj)->finish);
}

static const struct kobj_type kgr_patch_type = {
	.release = kgr_patch_release,
	.sysfs_ops = &kobj_sysfs_ops,
	.default_groups = kgr_patch_groups,
};

/**
 * kgr_sysfs_reserved - is this the name of something else?
 * @name:	name that a patch would like to have
 *
 * Context: any.
 * Return: true when there is a file of that name in /sys/kernel/kgraft.
 */
bool kgr_sysfs_reserved(const char *name)
{
	const struct attribute_group **group;
	struct attribute **attr;

	for (group = kgr_root_groups; *group; group++) {
		for (attr = (*group)->attrs; *attr; attr++) {
			if (!strcmp((*attr)->name, name))
				return true;
		}
	}
	return !strcmp(name, ".") || !strcmp(name, "..");
}

/**
 * kgr_sysfs_add - make a patch visible
 * @patch:	patch, set up but for its redirects
 *
 * Context: process context, kgr_mutex held, may sleep.
 * Return: 0; -EEXIST, -ENOMEM. In either case the caller has to call
 * kgr_sysfs_remove() in the end.
 */
int kgr_sysfs_add(struct kgr_patch *patch)
{
	int ret;

	ret = kobject_add(&patch->kobj, kgr_root, "%s", patch->name);
	if (ret)
		return ret;

	return sysfs_create_link(&patch->kobj, &patch->owner->mkobj.kobj, "owner");
}

/**
 * kgr_sysfs_init_patch - prepare a patch for kgr_sysfs_add()
 * @patch:	patch
 *
 * Context: any.
 */
void kgr_sysfs_init_patch(struct kgr_patch *patch)
{
	memset(&patch->kobj, 0, sizeof(patch->kobj));
	init_completion(&patch->finish);
	kobject_init(&patch->kobj, &kgr_patch_type);
}

/**
 * kgr_sysfs_remove - take a patch out of sight
 * @patch:	patch, whatever became of kgr_sysfs_add()
 *
 * Context: process context, kgr_mutex not held: waits for those who are reading
 * or writing one of its files.
 */
void kgr_sysfs_remove(struct kgr_patch *patch)
{
	if (patch->kobj.state_in_sysfs)
		kobject_del(&patch->kobj);
	kobject_put(&patch->kobj);
	wait_for_completion(&patch->finish);
}
ALLOW_ERROR_INJECTION(kgr_sysfs_add, ERRNO);

/**
 * kgr_sysfs_notify - wake up those who wait for a transition
 * @patch:	patch whose transition has begun, timed out, been reversed or
 *		completed
 *
 * Context: process context.
 */
void kgr_sysfs_notify(struct kgr_patch *patch)
{
	sysfs_notify(&patch->kobj, NULL, "transition");
	sysfs_notify(&patch->kobj, NULL, "enabled");
	sysfs_notify(&patch->kobj, NULL, "state");
	sysfs_notify(&patch->kobj, NULL, "reason");
	sysfs_notify(kgr_root, NULL, "in_progress");
	kgr_sysfs_notify_counts(patch);
}

/**
 * kgr_sysfs_notify_counts - wake up those who watch a transition
 * @patch:	patch in transition
 *
 * Context: process context.
 */
void kgr_sysfs_notify_counts(struct kgr_patch *patch)
{
	sysfs_notify(&patch->kobj, NULL, "migrated");
	sysfs_notify(&patch->kobj, NULL, "total");
}

/**
 * kgr_sysfs_init - create /sys/kernel/kgraft
 *
 * Context: boot.
 * Return: 0 or -ENOMEM.
 */
int __init kgr_sysfs_init(void)
{
	kgr_root = kobject_create_and_add("kgraft", kernel_kobj);
	if (!kgr_root)
		return -ENOMEM;

	return sysfs_create_groups(kgr_root, kgr_root_groups);
}
