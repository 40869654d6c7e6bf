#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Reversal in mid-transition: a sleeper holds a transition up, and it is sent
# back where it came from.

. "$(dirname "$0")/lib/kgr.sh"

# hold MODEL - a transition that a sleeper holds up; PID
hold()
{
	kgr_sleeper sleeper 0 || return
	PID=$REPLY
	echo 0 > $KGR_SYSFS/nudge_delay_ms
	kgr_eq "load" "$(kgr_load kgr_test_sleep model="$1")" ok || return
	kgr_until 5 kgr_is_straggler "$PID" || kgr_fail "no straggler"
}

# An apply is taken back. The sleeper, which never migrated, holds up nothing any
# more: it may sleep on in the body that stays. Then the module can go.
apply_reversed()
{
	hold "$1" || return
	kgr_eq "new code before" "$(kgr_version first)" 2
	kgr_eq "reverse" "$(kgr_put "$2" "$KGR_SYSFS/kgr_test_sleep/$3")" ok
	echo "$KGR_NUDGE_MS" > $KGR_SYSFS/nudge_delay_ms
	kgr_finish kgr_test_sleep 0 || return
	kgr_eq "old code after" "$(kgr_version first)" 1
	kgr_until 5 kgr_asleep "$PID" S || kgr_fail "the sleeper is awake"
	kgr_eq "state" "$(awk '/^kgr_test_sleep/ { print $4 }' $KGR_SYSFS/kgr_test_sleep/state)" 4
	dmesg_since | grep -q "kgraft: patch 'kgr_test_sleep': reversed" ||
		kgr_fail "no message about the reversal"
	kgr_eq "unload" "$(kgr_unload kgr_test_sleep)" ok
	kgr_asleep "$PID" S || kgr_fail "the sleeper is awake"
	kgr_wake
	kgr_reap "$PID"
	kgr_match "the sleeper" "$(kgr_output sleeper)" 'woken=ok'
}

case_apply_universe() { apply_reversed 0 0 enabled; }
case_apply_hybrid() { apply_reversed 1 1 revert; }
case_apply_immediate() { apply_reversed 2 0 enabled; }
kgr_case case_apply_universe "an apply is reversed: universe, by enabled"
kgr_case case_apply_hybrid "an apply is reversed: hybrid, by revert"
kgr_case case_apply_immediate "an apply is reversed: immediate"

# A revert is taken back: a sleeper in the new body holds it up, the module can't
# go; after the reversal the patch is applied and the sleeper sleeps on.
revert_reversed()
{
	kgr_apply kgr_test_sleep model="$1" || return
	kgr_sleeper sleeper 0 || return
	PID=$REPLY
	echo 0 > $KGR_SYSFS/nudge_delay_ms
	kgr_eq "revert" "$(kgr_put 0 $KGR_SYSFS/kgr_test_sleep/enabled)" ok
	kgr_is_straggler "$PID" || kgr_fail "the sleeper is no straggler"
	kgr_eq "unload" "$(kgr_unload kgr_test_sleep)" EAGAIN
	kgr_eq "old code before" "$(kgr_version first)" 1
	kgr_eq "reverse" "$(kgr_put 1 $KGR_SYSFS/kgr_test_sleep/enabled)" ok
	echo "$KGR_NUDGE_MS" > $KGR_SYSFS/nudge_delay_ms
	kgr_finish kgr_test_sleep 1 || return
	kgr_eq "new code after" "$(kgr_version first)" 2
	kgr_until 5 kgr_asleep "$PID" S || kgr_fail "the sleeper is awake"
	kgr_eq "unload" "$(kgr_unload kgr_test_sleep)" EAGAIN
	kgr_wake
	kgr_reap "$PID"
	kgr_match "the sleeper" "$(kgr_output sleeper)" 'woken=ok'
	kgr_remove kgr_test_sleep
}

case_revert_universe() { revert_reversed 0; }
case_revert_hybrid() { revert_reversed 1; }
case_revert_immediate() { revert_reversed 2; }
kgr_case case_revert_universe "a revert is reversed: universe"
kgr_case case_revert_hybrid "a revert is reversed: hybrid"
kgr_case case_revert_immediate "a revert is reversed: immediate"

# Back and forth, many times within one transition; each model in turn.
case_often()
{
	local i model want

	for model in 0 1 2; do
		hold $model || return
		want=1
		for ((i = 0; i < 20; i++)); do
			want=$((1 - want))
			kgr_eq "turn $i" "$(kgr_put $want $KGR_SYSFS/kgr_test_sleep/enabled)" ok
		done
		kgr_eq "enabled" "$(kgr_get kgr_test_sleep/enabled)" 1
		kgr_wake
		kgr_nudge > /dev/null
		echo "$KGR_NUDGE_MS" > $KGR_SYSFS/nudge_delay_ms
		kgr_finish kgr_test_sleep 1 || return
		kgr_eq "version" "$(kgr_version first)" 2
		kgr_remove kgr_test_sleep || return
		kgr_reap "$PID"
	done
}
kgr_case case_often "one transition is reversed twenty times"

# Under load: reversals at arbitrary moments keep what the model promises. The
# hammer and the kernel's counts are those of test_consistency.sh.
under_load()
{
	local i stats reversed=0

	echo 0 > "$KGR_TARGETS/stats"
	kgr_spawn hammer "$KGR_DIR/hammer" -t "$KGR_THREADS"
	kgr_until 20 kgr_said hammer '^ready' || kgr_fail "the hammer did not start" || return
	echo 1 > "$KGR_TARGETS/softirq"
	echo 1 > "$KGR_TARGETS/kthread"
	kgr_apply kgr_test_pairs model="$1" || return
	for ((i = 0; i < KGR_REPS; i++)); do
		kgr_eq "revert" "$(kgr_put 0 $KGR_SYSFS/kgr_test_pairs/enabled)" ok || return
		kgr_eq "apply" "$(kgr_put_retry 1)" ok || return
		[ $((i % 4)) -ne 0 ] || kgr_finish kgr_test_pairs 1 || return
	done
	kgr_finish kgr_test_pairs 1 || return
	reversed=$(dmesg_since | grep -c "'kgr_test_pairs': reversed")
	echo 0 > "$KGR_TARGETS/softirq"
	echo 0 > "$KGR_TARGETS/kthread"
	stats=$(cat "$KGR_TARGETS/stats")
	kgr_msg "$reversed reversals"
	kgr_msg "$stats"
	kgr_num "reversals" "$reversed" -gt 0
	kgr_eq "task nested mixed" "$(mixed "$stats" "task nested")" 0
	kgr_eq "softirq nested mixed" "$(mixed "$stats" "softirq nested")" 0
	kgr_eq "softirq seq mixed" "$(mixed "$stats" "softirq seq")" 0
	kgr_eq "kthread nested mixed" "$(mixed "$stats" "kthread nested")" 0
	[ "$1" -ne 0 ] || kgr_eq "task seq mixed" "$(mixed "$stats" "task seq")" 0
	kgr_remove kgr_test_pairs
}

mixed() { kgr_word "$(grep "^$2 " <<< "$1")" mixed; }

# EAGAIN: no epoch is free at the moment; it says to try again
kgr_put_retry()
{
	local ret i

	for ((i = 0; i < 100; i++)); do
		ret=$(kgr_put "$1" $KGR_SYSFS/kgr_test_pairs/enabled)
		[ "$ret" = EAGAIN ] || break
	done
	echo "$ret"
}

case_load_universe() { under_load 0; }
case_load_hybrid() { under_load 1; }
kgr_case case_load_universe "reversals under load: universe"
kgr_case case_load_hybrid "reversals under load: hybrid"

kgr_run
