/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Targets that use what the kernel patches or looks up in code: one function for
 * each mechanism. The same source is in vmlinux and in the module
 * kgr_test_target, so that a change to it changes both.
 *
 * Each function returns 100 times its version, plus what the mechanism yields.
 */
#ifndef _KGRAFT_TEST_MECH_H
#define _KGRAFT_TEST_MECH_H

#include <linux/jump_label.h>
#include <linux/static_call_types.h>

/* Function, name of its file in debugfs */
#define KGR_TEST_MECHS(X)	\
	X(warn)			\
	X(fault)		\
	X(key)			\
	X(vmkey)		\
	X(call)			\
	X(alt)			\
	X(trace)		\
	X(print)		\
	X(percpu)		\
	X(table)		\
	X(local)		\
	X(cold)			\
	X(peer)

#define KGR_TEST_MECH_DECLARE(name)	int kgr_test_mech_##name(int arg);
KGR_TEST_MECHS(KGR_TEST_MECH_DECLARE)
#undef KGR_TEST_MECH_DECLARE

/* Of the object that the caller is in */
extern struct static_key_false kgr_test_mech_switch;
int kgr_test_mech_first(int arg);
int kgr_test_mech_second(int arg);
DECLARE_STATIC_CALL(kgr_test_mech_choice, kgr_test_mech_first);

/* In vmlinux only, and exported */
extern struct static_key_false kgr_test_vmlinux_switch;

#endif /* _KGRAFT_TEST_MECH_H */
