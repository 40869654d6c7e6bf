#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Force: everybody is said to have migrated. It works, and is paid for with a taint
# and modules that stay for ever; so each case has its own module, and nothing is as
# before afterwards.

. "$(dirname "$0")/lib/kgr.sh"

TAINT_USER=$((1 << 6))

# What has been forced can be reverted, and not be unloaded
kgr_take_back()
{
	local dir name

	for dir in "$KGR_SYSFS"/*/; do
		[ -d "$dir" ] || continue
		name=${dir%/}; name=${name##*/}
		kgr_get "$name/enabled"
		[ "$REPLY" = 0 ] || { kgr_put 0 "$dir/enabled"; kgr_wait "$name"; }
		kgr_get "$name/forced"
		[ "$REPLY" = 1 ] || kgr_unload "$name"
	done
	kgr_ask snapshot case
}

# tainted - is the kernel tainted with U?
tainted()
{
	kgr_file /proc/sys/kernel/tainted
	[ $((REPLY & TAINT_USER)) -ne 0 ]
}

announce()
{
	echo "kgr-selftest expects a forced transition" > /dev/kmsg
}

# begin PATCH [PARAM=VALUE]... - a sleeper in the function, a patch on its way; PID
begin()
{
	kgr_set_nudge 0
	kgr_sleeper sleeper 0 || return
	PID=$REPLY
	kgr_is "load" ok kgr_load "$@" || return
	kgr_until 10 kgr_only_straggler "$PID" || kgr_fail_list "others are left"
}

# What can't be forced, and by what. Nothing is tainted.
case_refused()
{
	kgr_is "no transition" EAGAIN kgr_put 0 "$KGR_SYSFS/in_progress"
	begin kgr_test_sleep model=1 || return
	kgr_is "not 0" EINVAL kgr_put 1 "$KGR_SYSFS/in_progress"
	kgr_is "no number" EINVAL kgr_put no "$KGR_SYSFS/in_progress"
	kgr_is "not 1" EINVAL kgr_put 0 "$KGR_SYSFS/kgr_test_sleep/force"
	kgr_is "transition" 1 kgr_get kgr_test_sleep/transition
	kgr_is "forced" 0 kgr_get kgr_test_sleep/forced
	kgr_wake
	kgr_finish kgr_test_sleep 1
	kgr_is "complete" EAGAIN kgr_put 1 "$KGR_SYSFS/kgr_test_sleep/force"
	kgr_remove kgr_test_sleep || return
	kgr_sleeper sleeper 0 || return
	kgr_is "load" ok kgr_load kgr_test_sleep model=3
	kgr_is "quiesce" EOPNOTSUPP kgr_put 0 "$KGR_SYSFS/in_progress"
	kgr_wake
	kgr_finish kgr_test_sleep 1
	kgr_remove kgr_test_sleep
	tainted && kgr_fail "the kernel is tainted"
	return 0
}
kgr_case case_refused "what can't be forced"

# Applied by force while a thread sleeps in the old body: complete, tainted, said;
# everybody but the sleeper runs new code, and so does the sleeper from its return
# on. Later transitions work, the module stays.
case_force()
{
	begin kgr_test_sleep model=1 || return
	announce
	kgr_is "force" ok kgr_put 0 "$KGR_SYSFS/in_progress"
	kgr_is "in_progress" 0 kgr_get in_progress
	kgr_finish kgr_test_sleep 1
	kgr_is "forced" 1 kgr_get kgr_test_sleep/forced
	kgr_is "reason" "forced, 1 context left: in-patched-function 1" \
		kgr_get kgr_test_sleep/reason
	kgr_is "log" 1 kgr_logged "kgr_test_sleep': patching forced, 1 context left: in-patched-function 1"
	tainted || kgr_fail "the kernel is not tainted"
	kgr_migrated "$PID" || kgr_fail "the sleeper is still waited for"
	kgr_straggler "$PID"
	kgr_is "past" 1 kgr_word "$REPLY" past
	kgr_is "what a newcomer runs" 2 kgr_version first
	kgr_asleep "$PID" S || kgr_fail "the sleeper has woken"
	kgr_wake
	kgr_reap "$PID"
	kgr_is_like "what the old body has returned" 'woken=ok' kgr_output sleeper
	kgr_set kgr_test_sleep 0
	kgr_is "what a newcomer runs" 1 kgr_version first
	kgr_is "unload" EAGAIN kgr_unload kgr_test_sleep
	kgr_set kgr_test_sleep 1
	kgr_is "what a newcomer runs" 2 kgr_version first
	kgr_set kgr_test_sleep 0
	kgr_is "unload" EAGAIN kgr_unload kgr_test_sleep
}
kgr_case case_force "a transition is forced; the kernel is tainted, the module stays"

# A revert by force: the sleeper is in the module, which therefore stays; and so
# does that of another patch that is in force.
case_revert()
{
	kgr_apply kgr_test_check model=1 || return
	kgr_is "enable" ok kgr_put 1 "$KGR_SYSFS/kgr_test_sleep/enabled"
	kgr_finish kgr_test_sleep 1
	kgr_set_nudge 0
	kgr_sleeper sleeper 0 || return
	PID=$REPLY
	kgr_is "revert" ok kgr_put 1 "$KGR_SYSFS/kgr_test_sleep/revert"
	kgr_until 10 kgr_only_straggler "$PID" || kgr_fail_list "others are left"
	announce
	kgr_is "force" ok kgr_put 1 "$KGR_SYSFS/kgr_test_sleep/force"
	kgr_finish kgr_test_sleep 0
	kgr_is "what a newcomer runs" 1 kgr_version first
	kgr_is "forced" 1 kgr_get kgr_test_check/forced
	kgr_is "unload" EAGAIN kgr_unload kgr_test_sleep
	kgr_wake
	kgr_reap "$PID"
	kgr_is_like "the sleeper has come back from the module" 'woken=ok' kgr_output sleeper
	kgr_set kgr_test_check 0
	kgr_is "unload the other" EAGAIN kgr_unload kgr_test_check
}
kgr_case case_revert "a revert is forced"

# Other patches go on working after it
case_after()
{
	kgr_apply kgr_test_pairs || return
	kgr_is "versions" "inner=2 outer=2 first=2 second=2" kgr_versions
	kgr_cycles kgr_test_pairs 3 || return
	kgr_remove kgr_test_pairs
}
kgr_case case_after "other patches can be applied and unloaded as ever"

kgr_run
