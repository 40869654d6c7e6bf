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
	kgr_set_nudge 0
	kgr_is "load" ok kgr_load kgr_test_sleep model="$1" || return
	kgr_until 5 kgr_is_straggler "$PID" || kgr_fail "no straggler"
}

# An apply is taken back. The sleeper, which never migrated, holds up nothing any
# more: it may sleep on in the body that stays. Then the module can go.
apply_reversed()
{
	hold "$1" || return
	kgr_is "new code before" 2 kgr_version first
	kgr_is "reverse" ok kgr_put "$2" "$KGR_SYSFS/kgr_test_sleep/$3"
	kgr_set_nudge "$KGR_NUDGE_MS"
	kgr_finish kgr_test_sleep 0 || return
	kgr_is "old code after" 1 kgr_version first
	kgr_falls_asleep "$PID" S
	kgr_is "state" 4 kgr_state kgr_test_sleep kgr_test_sleep
	kgr_is_num "messages about the reversal" -gt 0 \
		kgr_logged "kgraft: patch 'kgr_test_sleep': reversed"
	kgr_is "unload" ok kgr_unload kgr_test_sleep
	kgr_asleep "$PID" S || kgr_fail "the sleeper is awake"
	kgr_wake
	kgr_reap "$PID"
	kgr_is_like "the sleeper" 'woken=ok' kgr_output sleeper
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
	kgr_set_nudge 0
	kgr_is "revert" ok kgr_put 0 $KGR_SYSFS/kgr_test_sleep/enabled
	kgr_is_straggler "$PID" || kgr_fail "the sleeper is no straggler"
	kgr_is "unload" EAGAIN kgr_unload kgr_test_sleep
	kgr_is "old code before" 1 kgr_version first
	kgr_is "reverse" ok kgr_put 1 $KGR_SYSFS/kgr_test_sleep/enabled
	kgr_set_nudge "$KGR_NUDGE_MS"
	kgr_finish kgr_test_sleep 1 || return
	kgr_is "new code after" 2 kgr_version first
	kgr_falls_asleep "$PID" S
	kgr_is "unload" EAGAIN kgr_unload kgr_test_sleep
	kgr_wake
	kgr_reap "$PID"
	kgr_is_like "the sleeper" 'woken=ok' kgr_output sleeper
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
			kgr_is "turn $i" ok kgr_put $want $KGR_SYSFS/kgr_test_sleep/enabled
		done
		kgr_is "enabled" 1 kgr_get kgr_test_sleep/enabled
		kgr_wake
		kgr_nudge
		kgr_set_nudge "$KGR_NUDGE_MS"
		kgr_finish kgr_test_sleep 1 || return
		kgr_is "version" 2 kgr_version first
		kgr_remove kgr_test_sleep || return
		kgr_reap "$PID"
	done
}
kgr_case case_often "one transition is reversed twenty times"

# Under load: reversals at arbitrary moments keep what the model promises. The
# hammer and the kernel's counts are those of test_consistency.sh.
under_load()
{
	local i reversed

	echo 0 > "$KGR_TARGETS/stats"
	kgr_spawn hammer "$KGR_DIR/hammer" -t "$KGR_THREADS"
	kgr_says hammer '^ready' || return
	echo 1 > "$KGR_TARGETS/softirq"
	echo 1 > "$KGR_TARGETS/kthread"
	kgr_apply kgr_test_pairs model="$1" || return
	for ((i = 0; i < KGR_REPS; i++)); do
		kgr_is "revert" ok kgr_put 0 $KGR_SYSFS/kgr_test_pairs/enabled || return
		kgr_is "apply" ok kgr_put_retry 1 || return
		[ $((i % 4)) -ne 0 ] || kgr_finish kgr_test_pairs 1 || return
	done
	kgr_finish kgr_test_pairs 1 || return
	kgr_logged "'kgr_test_pairs': reversed"; reversed=$REPLY
	echo 0 > "$KGR_TARGETS/softirq"
	echo 0 > "$KGR_TARGETS/kthread"
	kgr_msg "$reversed reversals"
	kgr_show_stats
	kgr_num "reversals" "$reversed" -gt 0
	kgr_is "task nested mixed" 0 kgr_stats task nested mixed
	kgr_is "softirq nested mixed" 0 kgr_stats softirq nested mixed
	kgr_is "softirq seq mixed" 0 kgr_stats softirq seq mixed
	kgr_is "kthread nested mixed" 0 kgr_stats kthread nested mixed
	[ "$1" -ne 0 ] || kgr_is "task seq mixed" 0 kgr_stats task seq mixed
	kgr_remove kgr_test_pairs
}

# EAGAIN: no epoch is free at the moment; it says to try again
kgr_put_retry()
{
	local i

	for ((i = 0; i < 100; i++)); do
		kgr_put "$1" $KGR_SYSFS/kgr_test_pairs/enabled
		[ "$REPLY" = EAGAIN ] || break
	done
}

case_load_universe() { under_load 0; }
case_load_hybrid() { under_load 1; }
kgr_case case_load_universe "reversals under load: universe"
kgr_case case_load_hybrid "reversals under load: hybrid"

kgr_run
