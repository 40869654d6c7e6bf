// SPDX-License-Identifier: GPL-2.0
/*
 * Files of /sys/kernel/kgraft that say how long a transition may take and what
 * became of it; see sysfs.c.
 */
#include "internal.h"

#include <linux/capability.h>
#include <linux/kobject.h>
#include <linux/sysfs.h>

/* /sys/kernel/kgraft/ */

static ssize_t timeout_ms_show(struct kobject *kobj, struct kobj_attribute *attr,
			       char *buf)
{
	return sysfs_emit(buf, "%u\n", READ_ONCE(kgr_timeout_ms));
}

static ssize_t timeout_ms_store(struct kobject *kobj, struct kobj_attribute *attr,
				const char *buf, size_t count)
{
	unsigned int value;
	int ret;

	ret = kgr_sysfs_number(buf, &value);
	if (ret)
		return ret;
	WRITE_ONCE(kgr_timeout_ms, value);
	return count;
}

static ssize_t default_on_timeout_show(struct kobject *kobj,
				       struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s\n", kgr_on_timeout_name(READ_ONCE(kgr_on_timeout)));
}

static ssize_t default_on_timeout_store(struct kobject *kobj,
					struct kobj_attribute *attr,
					const char *buf, size_t count)
{
	enum kgr_on_timeout value;
	int ret;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	ret = kgr_on_timeout_parse(buf, &value);
	if (ret)
		return ret;
	WRITE_ONCE(kgr_on_timeout, value);
	return count;
}

static struct kobj_attribute timeout_ms_attr = __ATTR_RW(timeout_ms);
static struct kobj_attribute default_on_timeout_attr =
	__ATTR(on_timeout, 0644, default_on_timeout_show, default_on_timeout_store);

static struct attribute *kgr_root_limits_attrs[] = {
	&timeout_ms_attr.attr,
	&default_on_timeout_attr.attr,
	NULL
};

const struct attribute_group kgr_root_limits_group = {
	.attrs = kgr_root_limits_attrs,
};

/* /sys/kernel/kgraft/NAME/ */

static ssize_t timeout_show(struct kobject *kobj, struct kobj_attribute *attr,
			    char *buf)
{
	guard(mutex)(&kgr_mutex);

	return sysfs_emit(buf, "%u\n", kgr_patch_of(kobj)->priv->timeout_ms);
}

static ssize_t timeout_store(struct kobject *kobj, struct kobj_attribute *attr,
			     const char *buf, size_t count)
{
	unsigned int value;
	int ret;

	ret = kgr_sysfs_number(buf, &value);
	if (ret)
		return ret;

	guard(mutex)(&kgr_mutex);

	kgr_deadline_set(kgr_patch_of(kobj), value);
	return count;
}

static ssize_t on_timeout_show(struct kobject *kobj, struct kobj_attribute *attr,
			       char *buf)
{
	guard(mutex)(&kgr_mutex);

	return sysfs_emit(buf, "%s\n",
			  kgr_on_timeout_name(kgr_patch_of(kobj)->priv->on_timeout));
}

static ssize_t on_timeout_store(struct kobject *kobj, struct kobj_attribute *attr,
				const char *buf, size_t count)
{
	enum kgr_on_timeout value;
	int ret;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	ret = kgr_on_timeout_parse(buf, &value);
	if (ret)
		return ret;

	guard(mutex)(&kgr_mutex);

	ret = kgr_deadline_set_action(kgr_patch_of(kobj), value);
	return ret ?: count;
}

static ssize_t reason_show(struct kobject *kobj, struct kobj_attribute *attr,
			   char *buf)
{
	guard(mutex)(&kgr_mutex);

	return sysfs_emit(buf, "%s\n", kgr_patch_of(kobj)->priv->reason);
}

static ssize_t stops_show(struct kobject *kobj, struct kobj_attribute *attr,
			  char *buf)
{
	guard(mutex)(&kgr_mutex);

	return sysfs_emit(buf, "%u\n", kgr_patch_of(kobj)->priv->stops);
}

static ssize_t stopped_us_show(struct kobject *kobj, struct kobj_attribute *attr,
			       char *buf)
{
	guard(mutex)(&kgr_mutex);

	return sysfs_emit(buf, "%u\n", kgr_patch_of(kobj)->priv->stopped_us);
}

static ssize_t force_store(struct kobject *kobj, struct kobj_attribute *attr,
			   const char *buf, size_t count)
{
	bool value;
	int ret;

	ret = kgr_sysfs_switch(buf, &value);
	if (ret)
		return ret;
	if (!value)
		return -EINVAL;

	ret = kgr_force(kgr_patch_of(kobj));
	return ret ?: count;
}

static ssize_t forced_show(struct kobject *kobj, struct kobj_attribute *attr,
			   char *buf)
{
	guard(mutex)(&kgr_mutex);

	return sysfs_emit(buf, "%d\n", kgr_patch_of(kobj)->priv->forced);
}

static struct kobj_attribute timeout_attr = __ATTR_RW(timeout);
static struct kobj_attribute on_timeout_attr = __ATTR_RW(on_timeout);
static struct kobj_attribute reason_attr = __ATTR_RO(reason);
static struct kobj_attribute force_attr = __ATTR_WO(force);
static struct kobj_attribute forced_attr = __ATTR_RO(forced);
static struct kobj_attribute stops_attr = __ATTR_RO(stops);
static struct kobj_attribute stopped_us_attr = __ATTR_RO(stopped_us);

static struct attribute *kgr_patch_limits_attrs[] = {
	&timeout_attr.attr,
	&on_timeout_attr.attr,
	&reason_attr.attr,
	&force_attr.attr,
	&forced_attr.attr,
	&stops_attr.attr,
	&stopped_us_attr.attr,
	NULL
};

const struct attribute_group kgr_patch_limits_group = {
	.attrs = kgr_patch_limits_attrs,
};
