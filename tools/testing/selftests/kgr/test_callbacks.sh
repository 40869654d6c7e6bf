#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Callbacks: in order, once each, of objects that are there; who refuses; those
# of modules that come and go.

. "$(dirname "$0")/lib/kgr.sh"

# called NUMBER WANTED - the callbacks of kgr_test_manyNUMBER since the case began
# or since the last time, in order: "pre_patch vmlinux, ..."
called()
{
	local all= line

	kgr_log "kgr_test_many$1: (pre|post)_"
	while IFS= read -r line; do
		all+=${all:+, }${line##*kgr_test_many$1: }
	done <<< "$REPLY"
	line=${all#"$SEEN"}
	kgr_eq "callbacks" "${line#, }" "$2"
	SEEN=$all
}

apply()
{
	SEEN=
	kgr_apply kgr_test_many1 callbacks=1 funs=inner,first,value "$@"
}

case_order()
{
	apply || return
	called 1 "pre_patch vmlinux, post_patch vmlinux"
	kgr_set kgr_test_many1 0 || return
	called 1 "pre_unpatch vmlinux, post_unpatch vmlinux"
	kgr_set kgr_test_many1 1 || return
	called 1 "pre_patch vmlinux, post_patch vmlinux"
}
kgr_case case_order "applied, reverted, applied again"

case_module()
{
	kgr_is "load the target" ok kgr_load kgr_test_target
	apply || return
	called 1 "pre_patch vmlinux, pre_patch kgr_test_target, post_patch vmlinux, post_patch kgr_test_target"
	kgr_is "unload the target" ok kgr_unload kgr_test_target
	called 1 "pre_unpatch kgr_test_target, post_unpatch kgr_test_target"
	kgr_is "load the target" ok kgr_load kgr_test_target
	called 1 "pre_patch kgr_test_target, post_patch kgr_test_target"
	kgr_set kgr_test_many1 0 || return
	called 1 "pre_unpatch vmlinux, pre_unpatch kgr_test_target, post_unpatch vmlinux, post_unpatch kgr_test_target"
	kgr_is "unload the target" ok kgr_unload kgr_test_target
	called 1 ""
}
kgr_case case_module "a module that comes and goes"

# What pre_patch refuses is not applied; who had prepared for it is told.
case_refuse()
{
	SEEN=
	kgr_is "load the target" ok kgr_load kgr_test_target
	kgr_ask snapshot refuse
	kgr_is "load" EPERM kgr_load kgr_test_many1 callbacks=1 funs=inner,value refuse=vmlinux
	called 1 "pre_patch vmlinux"
	kgr_is "load" EPERM kgr_load kgr_test_many1 callbacks=1 funs=inner,value \
		refuse=kgr_test_target
	called 1 "pre_patch vmlinux, pre_patch kgr_test_target, post_unpatch vmlinux"
	kgr_ask compare refuse
	[ -z "$REPLY" ] || kgr_fail "left behind:" "$REPLY"
	kgr_is_num "messages" -gt 0 kgr_logged "refused by its pre_patch callback"
}
kgr_case case_refuse "a pre_patch that refuses the patch"

case_refuse_module()
{
	apply refuse=kgr_test_target || return
	called 1 "pre_patch vmlinux, post_patch vmlinux"
	kgr_ask snapshot refuse
	kgr_is "load the target" EPERM kgr_load kgr_test_target
	kgr_ask compare refuse
	[ -z "$REPLY" ] || kgr_fail "left behind:" "$REPLY"
	called 1 "pre_patch kgr_test_target"
	echo 1 > $KGR_SYSFS/force_load_module
	kgr_is "load the target" ok kgr_load kgr_test_target
	echo 0 > $KGR_SYSFS/force_load_module
	called 1 "pre_patch kgr_test_target"
	kgr_set kgr_test_many1 0 || return
	called 1 "pre_unpatch vmlinux, post_unpatch vmlinux"
	kgr_is "apply" EPERM kgr_put 1 $KGR_SYSFS/kgr_test_many1/enabled
	called 1 "pre_patch vmlinux, pre_patch kgr_test_target, post_unpatch vmlinux"
}
kgr_case case_refuse_module "a pre_patch that refuses a module"

# In mid-transition, and reversed there: post_patch has not run, post_unpatch does.
case_reversed()
{
	local pid

	SEEN=
	kgr_sleeper sleeper 0 || return
	pid=$REPLY
	kgr_set_nudge 0
	kgr_is "load" ok kgr_load kgr_test_many1 callbacks=1 funs=sleep,value || return
	kgr_until 5 kgr_is_straggler "$pid" || kgr_fail "no straggler"
	kgr_is "load the target" ok kgr_load kgr_test_target
	called 1 "pre_patch vmlinux, pre_patch kgr_test_target"
	kgr_is "reverse" ok kgr_put 0 $KGR_SYSFS/kgr_test_many1/enabled
	kgr_set_nudge "$KGR_NUDGE_MS"
	kgr_finish kgr_test_many1 0 || return
	called 1 "post_unpatch vmlinux, post_unpatch kgr_test_target"
	kgr_set_nudge 0
	kgr_is "apply" ok kgr_put 1 $KGR_SYSFS/kgr_test_many1/enabled || return
	kgr_is "unload the target" ok kgr_unload kgr_test_target
	called 1 "pre_patch vmlinux, pre_patch kgr_test_target, post_unpatch kgr_test_target"
	kgr_wake
	kgr_set_nudge "$KGR_NUDGE_MS"
	kgr_finish kgr_test_many1 1 || return
	kgr_ends "$pid"
	called 1 "post_patch vmlinux"
}
kgr_case case_reversed "reversed in mid-transition"

# The new one's run, those of the replaced one don't.
case_replaced()
{
	apply || return
	called 1 "pre_patch vmlinux, post_patch vmlinux"
	kgr_apply kgr_test_many2 callbacks=1 funs=inner replace=1 || return
	called 1 ""
	SEEN=
	called 2 "pre_patch vmlinux, post_patch vmlinux"
	kgr_is "unload" ok kgr_unload kgr_test_many1
}
kgr_case case_replaced "a patch that is replaced"

kgr_run
