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

	kgr_is "in_progress at rest" 0 kgr_get in_progress
	kgr_apply kgr_test_pairs || return
	kgr_is "versions" "inner=2 outer=2 first=2 second=2" kgr_versions
	kgr_is "in_progress" 0 kgr_get in_progress
	kgr_is "enabled" 1 kgr_file $P/enabled
	kgr_is "transition" 0 kgr_file $P/transition
	kgr_is "model" universe kgr_file $P/model
	kgr_is "refs" 0 kgr_file $P/refs
	kgr_is "replace_all" 0 kgr_file $P/replace_all
	kgr_is "cve" "CVE-2024-0001 CVE-2024-0002" kgr_file $P/cve
	kgr_is "build_id" "" kgr_file $P/build_id
	kgr_eq "owner" "$(readlink -f $P/owner)" /sys/module/kgr_test_pairs
	kgr_cpus
	kgr_is_num "total" -gt "$REPLY" kgr_get kgr_test_pairs/total
	kgr_get kgr_test_pairs/since; since=$REPLY
	now=${EPOCHREALTIME%[.,]*}
	kgr_match "since" "$since" '^[0-9]+\.[0-9]{3}$'
	kgr_num "age of the transition" $((now - ${since%.*})) -ge -1
	kgr_num "age of the transition" $((now - ${since%.*})) -le "$KGR_TIMEOUT"
	for rung in stack_check wake resched signal; do
		kgr_is_like "nudges/$rung" '^[0-9]+$' kgr_file $P/nudges/$rung
	done
	kgr_is "unload while applied" EAGAIN kgr_unload kgr_test_pairs
	kgr_is "patching started" 1 kgr_logged "kgraft: patch 'kgr_test_pairs': patching started"
	kgr_is "patching succeeded" 1 kgr_logged "kgraft: patch 'kgr_test_pairs': patching succeeded"
	kgr_remove kgr_test_pairs
	kgr_is "versions" "inner=1 outer=1 first=1 second=1" kgr_versions
}
kgr_case case_apply "a patch is applied, described, reverted and unloaded"

# state_of FUNCTION - object, position and number of its state
state_of()
{
	kgr_get kgr_test_pairs/state
	kgr_line "$REPLY" "$1 "
	# shellcheck disable=SC2086 # one blank between two words is wanted
	set -- $REPLY
	REPLY="$2 $3 $4"
}

# The state file has published kGraft's header and one line per function, with
# its state numbers: 2 applied, 4 reverted.
case_state()
{
	local name lines

	kgr_apply kgr_test_pairs || return
	kgr_get kgr_test_pairs/state
	mapfile -t lines <<< "$REPLY"
	kgr_match "header" "${lines[0]}" '^Function +Object +Sympos +State$'
	kgr_eq "lines" "${#lines[@]}" 5
	for name in kgr_test_inner kgr_test_outer kgr_test_first kgr_test_second; do
		kgr_is "$name" "vmlinux 0 2" state_of $name
	done
	kgr_set kgr_test_pairs 0 || return
	for name in kgr_test_inner kgr_test_outer kgr_test_first kgr_test_second; do
		kgr_is "$name" "vmlinux 0 4" state_of $name
	done
	kgr_is "in enabled_functions after the revert" 0 \
		kgr_count '^kgr_test_' $KGR_TRACING/enabled_functions
}
kgr_case case_state "the state of each function"

# While a sleeper holds the transition up, the files say so, and both /proc
# files tell who has migrated: this shell's children have, the sleeper hasn't.
case_in_progress()
{
	local pid

	kgr_sleeper sleeper 0
	pid=$REPLY
	kgr_set_nudge 0
	kgr_is "load" ok kgr_load kgr_test_sleep || return
	kgr_is "in_progress" 1 kgr_get in_progress
	kgr_is "transition" 1 kgr_get kgr_test_sleep/transition
	kgr_is "enabled" 1 kgr_get kgr_test_sleep/enabled
	kgr_get kgr_test_sleep/total
	kgr_is_num "migrated" -lt "$REPLY" kgr_get kgr_test_sleep/migrated
	kgr_is "state" 1 kgr_state kgr_test_sleep kgr_test_sleep
	kgr_is "the sleeper's /proc file" 1 kgr_file /proc/$pid/kgr_in_progress
	kgr_is "its thread's /proc file" 1 kgr_file /proc/$pid/task/$pid/kgr_in_progress
	kgr_is "a newcomer's /proc file" 0 kgr_file /proc/self/kgr_in_progress
	kgr_is "mode of the /proc file" 400 kgr_mode /proc/$pid/kgr_in_progress
	kgr_wake
	kgr_nudge
	kgr_finish kgr_test_sleep 1
	kgr_is "in_progress" 0 kgr_get in_progress
	kgr_is "state" 2 kgr_state kgr_test_sleep kgr_test_sleep
}
kgr_case case_in_progress "a transition under way is visible"

# A reverted patch can be applied again, as often as one likes, by enabled as
# well as by published kGraft's revert file.
case_again()
{
	local i

	kgr_apply kgr_test_pairs model=1 || return
	kgr_is "model" hybrid kgr_file $P/model
	for i in 1 2 3; do
		kgr_is "revert" ok kgr_put 1 $P/revert
		kgr_finish kgr_test_pairs 0 || return
		kgr_is "version after revert $i" 1 kgr_version inner
		kgr_is "revert of what is reverted" EINVAL kgr_put 1 $P/revert
		kgr_set kgr_test_pairs 1 || return
		kgr_is "version after apply $i" 2 kgr_version inner
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
	kgr_is "version of inner" 2 kgr_version inner
	kgr_remove kgr_test_pairs
	kgr_is "version of inner" 1 kgr_version inner
	kgr_is "the other one" 1 kgr_get kgr_test_check/enabled
	kgr_remove kgr_test_check
}
kgr_case case_two "two patches at a time"

# A later patch of the same functions stands on the earlier one, which can't be
# reverted before it.
case_stacked()
{
	kgr_apply kgr_test_pairs || return
	kgr_apply kgr_test_sleep || return
	kgr_is "refs of the earlier" 1 kgr_get kgr_test_pairs/refs
	kgr_is "refs of the later" 0 kgr_get kgr_test_sleep/refs
	kgr_is "versions" "inner=2 outer=2 first=2 second=2" kgr_versions
	kgr_is "revert of the earlier" EBUSY kgr_put 0 $P/enabled
	kgr_is "revert of the earlier" EBUSY kgr_put 1 $P/revert
	kgr_remove kgr_test_sleep
	kgr_is "versions" "inner=2 outer=2 first=2 second=2" kgr_versions
	kgr_is "refs of the earlier" 0 kgr_get kgr_test_pairs/refs
	kgr_remove kgr_test_pairs
}
kgr_case case_stacked "a patch on another one's functions"

# Each model is accepted and works on an idle system, within moments: nobody
# has to be waited for in intervals of a second.
case_models()
{
	local model begin took names=(universe hybrid immediate)

	for model in 0 1 2; do
		kgr_now_ms; begin=$REPLY
		kgr_apply kgr_test_pairs model=$model || return
		kgr_now_ms; took=$((REPLY - begin))
		kgr_get kgr_test_pairs/migrated
		kgr_msg "${names[$model]}: applied in $took ms, $REPLY contexts"
		kgr_is "model" "${names[$model]}" kgr_file $P/model
		kgr_is "version" 2 kgr_version second
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
	kgr_is "load" ok kgr_load kgr_test_pairs || return
	timeout "$KGR_TIMEOUT" kgr-ctl wait -q kgr_test_pairs --timeout $((KGR_TIMEOUT / 2)) ||
		kgr_fail "kgr-ctl wait: $?"
	kgr_is "transition" 0 kgr_file $P/transition
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
	kgr_is_num "kgr_state events" -ge 16 kgr_count 'kgr_state:' $KGR_TRACING/trace
	kgr_is_num "kgr_migrate events" -ge 2 kgr_count 'kgr_migrate:' $KGR_TRACING/trace
	echo > $KGR_TRACING/trace
}
kgr_case case_tracepoints "tracepoints tell of states and migrations"

kgr_run
