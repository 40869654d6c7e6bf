#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The life of a patch as user space sees it: load, apply, revert, apply again,
# unload, and the files that tell about it.

. "$(dirname "$0")/lib/kgr.sh"

P=$KGR_SYSFS/kgr_test_pairs

# Load a patch and wait for it. Every function of it runs in its new version,
# the module can't be removed, and each file says what it should.
case_apply()
{
	local since now

	kgr_eq "in_progress at rest" "$(kgr_get in_progress)" 0
	kgr_apply kgr_test_pairs || return
	kgr_eq "versions" "$(cat "$KGR_TARGETS/version")" "inner=2 outer=2 first=2 second=2"
	kgr_eq "in_progress" "$(kgr_get in_progress)" 0
	kgr_eq "enabled" "$(cat $P/enabled)" 1
	kgr_eq "transition" "$(cat $P/transition)" 0
	kgr_eq "model" "$(cat $P/model)" universe
	kgr_eq "refs" "$(cat $P/refs)" 0
	kgr_eq "replace_all" "$(cat $P/replace_all)" 0
	kgr_eq "cve" "$(cat $P/cve)" "CVE-2024-0001 CVE-2024-0002"
	kgr_eq "build_id" "$(cat $P/build_id)" ""
	kgr_eq "owner" "$(readlink -f $P/owner)" /sys/module/kgr_test_pairs
	kgr_num "total" "$(cat $P/total)" -gt "$(grep -c '^processor' /proc/cpuinfo)"
	since=$(cat $P/since)
	now=$(date +%s)
	kgr_match "since" "$since" '^[0-9]+\.[0-9]{3}$'
	kgr_num "age of the transition" $((now - ${since%.*})) -ge -1
	kgr_num "age of the transition" $((now - ${since%.*})) -le "$KGR_TIMEOUT"
	for rung in stack_check wake resched signal; do
		kgr_match "nudges/$rung" "$(cat $P/nudges/$rung)" '^[0-9]+$'
	done
	kgr_eq "unload while applied" "$(kgr_unload kgr_test_pairs)" EAGAIN
	kgr_eq "patching started" "$(dmesg_since |
		grep -c "kgraft: patch 'kgr_test_pairs': patching started")" 1
	kgr_eq "patching succeeded" "$(dmesg_since |
		grep -c "kgraft: patch 'kgr_test_pairs': patching succeeded")" 1
	kgr_remove kgr_test_pairs
	kgr_eq "versions" "$(cat "$KGR_TARGETS/version")" "inner=1 outer=1 first=1 second=1"
}
kgr_case case_apply "a patch is applied, described, reverted and unloaded"

state_of()
{
	awk -v name="$1" '$1 == name { print $2, $3, $4 }' $P/state
}

# The state file has published kGraft's header and one line per function, with
# its state numbers: 2 applied, 4 reverted.
case_state()
{
	local name

	kgr_apply kgr_test_pairs || return
	kgr_eq "header" "$(head -n 1 $P/state | tr -s ' \t' ' ' | sed 's/ $//')" \
		"Function Object Sympos State"
	kgr_eq "lines" "$(wc -l < $P/state)" 5
	for name in kgr_test_inner kgr_test_outer kgr_test_first kgr_test_second; do
		kgr_eq "$name" "$(state_of $name)" "vmlinux 0 2"
	done
	kgr_set kgr_test_pairs 0 || return
	for name in kgr_test_inner kgr_test_outer kgr_test_first kgr_test_second; do
		kgr_eq "$name" "$(state_of $name)" "vmlinux 0 4"
	done
	kgr_eq "in enabled_functions after the revert" \
		"$(grep -c '^kgr_test_' $KGR_TRACING/enabled_functions)" 0
}
kgr_case case_state "the state of each function"

# While a sleeper holds the transition up, the files say so, and both /proc
# files tell who has migrated: this shell's children have, the sleeper hasn't.
case_in_progress()
{
	local pid

	kgr_sleeper sleeper 0
	pid=$REPLY
	echo 0 > $KGR_SYSFS/nudge_delay_ms
	kgr_eq "load" "$(kgr_load kgr_test_sleep)" ok || return
	kgr_eq "in_progress" "$(kgr_get in_progress)" 1
	kgr_eq "transition" "$(kgr_get kgr_test_sleep/transition)" 1
	kgr_eq "enabled" "$(kgr_get kgr_test_sleep/enabled)" 1
	kgr_num "migrated" "$(kgr_get kgr_test_sleep/migrated)" -lt \
		"$(kgr_get kgr_test_sleep/total)"
	kgr_eq "state" "$(awk '/^kgr_test_sleep/ { print $4 }' $KGR_SYSFS/kgr_test_sleep/state)" 1
	kgr_eq "the sleeper's /proc file" "$(cat /proc/$pid/kgr_in_progress)" 1
	kgr_eq "its thread's /proc file" "$(cat /proc/$pid/task/$pid/kgr_in_progress)" 1
	kgr_eq "a newcomer's /proc file" "$(cat /proc/self/kgr_in_progress)" 0
	kgr_eq "mode of the /proc file" "$(stat -c %a /proc/$pid/kgr_in_progress)" 400
	kgr_wake
	kgr_nudge > /dev/null
	kgr_finish kgr_test_sleep 1
	kgr_eq "in_progress" "$(kgr_get in_progress)" 0
	kgr_eq "state" "$(awk '/^kgr_test_sleep/ { print $4 }' $KGR_SYSFS/kgr_test_sleep/state)" 2
}
kgr_case case_in_progress "a transition under way is visible"

# A reverted patch can be applied again, as often as one likes, by enabled as
# well as by published kGraft's revert file.
case_again()
{
	local i

	kgr_apply kgr_test_pairs model=1 || return
	kgr_eq "model" "$(cat $P/model)" hybrid
	for i in 1 2 3; do
		kgr_eq "revert" "$(kgr_put 1 $P/revert)" ok
		kgr_finish kgr_test_pairs 0 || return
		kgr_eq "version after revert $i" "$(kgr_version inner)" 1
		kgr_eq "revert of what is reverted" "$(kgr_put 1 $P/revert)" EINVAL
		kgr_set kgr_test_pairs 1 || return
		kgr_eq "version after apply $i" "$(kgr_version inner)" 2
	done
	kgr_remove kgr_test_pairs
}
kgr_case case_again "revert and apply again"

# Two patches of different functions can both be applied, and each reverted
# without regard to the order in which they came.
case_two()
{
	kgr_apply kgr_test_pairs || return
	kgr_apply kgr_test_check || return
	kgr_eq "version of inner" "$(kgr_version inner)" 2
	kgr_remove kgr_test_pairs
	kgr_eq "version of inner" "$(kgr_version inner)" 1
	kgr_eq "the other one" "$(kgr_get kgr_test_check/enabled)" 1
	kgr_remove kgr_test_check
}
kgr_case case_two "two patches at a time"

# A later patch of the same functions stands on the earlier one, which can't be
# reverted before it.
case_stacked()
{
	kgr_apply kgr_test_pairs || return
	kgr_apply kgr_test_sleep || return
	kgr_eq "refs of the earlier" "$(kgr_get kgr_test_pairs/refs)" 1
	kgr_eq "refs of the later" "$(kgr_get kgr_test_sleep/refs)" 0
	kgr_eq "versions" "$(cat "$KGR_TARGETS/version")" "inner=2 outer=2 first=2 second=2"
	kgr_eq "revert of the earlier" "$(kgr_put 0 $P/enabled)" EBUSY
	kgr_eq "revert of the earlier" "$(kgr_put 1 $P/revert)" EBUSY
	kgr_remove kgr_test_sleep
	kgr_eq "versions" "$(cat "$KGR_TARGETS/version")" "inner=2 outer=2 first=2 second=2"
	kgr_eq "refs of the earlier" "$(kgr_get kgr_test_pairs/refs)" 0
	kgr_remove kgr_test_pairs
}
kgr_case case_stacked "a patch on another one's functions"

# Each model is accepted and works on an idle system, within moments: nobody
# has to be waited for in intervals of a second.
case_models()
{
	local model begin names=(universe hybrid immediate)

	for model in 0 1 2; do
		kgr_now_ms; begin=$REPLY
		kgr_apply kgr_test_pairs model=$model || return
		kgr_now_ms
		kgr_msg "${names[$model]}: applied in $((REPLY - begin)) ms," \
			"$(cat $P/migrated) contexts"
		kgr_eq "model" "$(cat $P/model)" "${names[$model]}"
		kgr_eq "version" "$(kgr_version second)" 2
		kgr_remove kgr_test_pairs || return
	done
}
kgr_case case_models "each model on an idle system"

# The same by the operator's tool, where that is installed.
case_kgr_ctl()
{
	if ! command -v kgr-ctl > /dev/null; then
		kgr_skip "kgr-ctl is not installed"
		return
	fi
	kgr_eq "load" "$(kgr_load kgr_test_pairs)" ok || return
	timeout "$KGR_TIMEOUT" kgr-ctl wait -q kgr_test_pairs --timeout $((KGR_TIMEOUT / 2)) ||
		kgr_fail "kgr-ctl wait: $?"
	kgr_eq "transition" "$(cat $P/transition)" 0
	timeout "$KGR_TIMEOUT" kgr-ctl list > "$KGR_TMP/list" || kgr_fail "kgr-ctl list: $?"
	grep -q kgr_test_pairs "$KGR_TMP/list" || kgr_fail "kgr-ctl list: no kgr_test_pairs"
	kgr_remove kgr_test_pairs
}
kgr_case case_kgr_ctl "kgr-ctl agrees"

# Every step leaves its tracepoint: states of functions and migrations.
case_tracepoints()
{
	local events=$KGR_TRACING/events/kgraft

	if [ ! -d "$events" ]; then
		kgr_skip "CONFIG_TRACEPOINTS is not set"
		return
	fi
	echo > $KGR_TRACING/trace
	echo 1 > $events/enable
	kgr_apply kgr_test_pairs
	kgr_remove kgr_test_pairs
	echo 0 > $events/enable
	kgr_num "kgr_state events" "$(grep -c 'kgr_state:' $KGR_TRACING/trace)" -ge 16
	kgr_num "kgr_migrate events" "$(grep -c 'kgr_migrate:' $KGR_TRACING/trace)" -ge 2
	echo > $KGR_TRACING/trace
}
kgr_case case_tracepoints "tracepoints tell of states and migrations"

kgr_run
