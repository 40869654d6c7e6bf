#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The quiesce model: all contexts migrate at one instant, or none does. The
# machine is stopped for that, for a time that is told; and not when somebody who
# is in the way can be seen without.

. "$(dirname "$0")/lib/kgr.sh"

# Cycles of apply and revert under load; each needs an instant at which nobody
# is where the pairs are called from
QUIESCE_REPS=$(((KGR_REPS + 1) / 2))

# stopped NAME - the figures of its last transition; at least one stop
stopped()
{
	local stops us

	kgr_get "$1/stops"; stops=$REPLY
	kgr_get "$1/stopped_us"; us=$REPLY
	kgr_msg "$1: stopped $stops times, for $us us at most"
	kgr_num "stops" "$stops" -ge 1
	kgr_num "stopped_us" "$us" -gt 0
}

# Applied and reverted, everybody at once, no thread ever pending.
case_applies()
{
	kgr_apply kgr_test_pairs model=3 || return
	kgr_is "model" quiesce kgr_get kgr_test_pairs/model
	kgr_is "versions" "inner=2 outer=2 first=2 second=2" kgr_versions
	stopped kgr_test_pairs
	kgr_is "reason" "" kgr_get kgr_test_pairs/reason
	kgr_is "log" 1 kgr_logged "kgr_test_pairs': all contexts moved at once; the machine was stopped [0-9]+ time"
	kgr_set kgr_test_pairs 0 || return
	kgr_is "versions" "inner=1 outer=1 first=1 second=1" kgr_versions
	stopped kgr_test_pairs
	kgr_set kgr_test_pairs 1 || return
	kgr_remove kgr_test_pairs
}
kgr_case case_applies "everybody migrates at one instant"

# A thread asleep in the function makes it give up at its deadline: nothing has
# been patched at any time, the machine has not been stopped, and the list says
# who it was, then and afterwards. Nothing is nudged.
case_gives_up()
{
	local line

	kgr_sleeper sleeper 0 || return
	PID=$REPLY
	kgr_set_nudge 1
	kgr_is "load" ok kgr_load kgr_test_sleep model=3 timeout_ms=1200
	kgr_is "on_timeout" revert kgr_get kgr_test_sleep/on_timeout
	kgr_is "transition" 1 kgr_get kgr_test_sleep/transition
	kgr_is "migrated" 0 kgr_get kgr_test_sleep/migrated
	kgr_is_num "total" -gt 10 kgr_get kgr_test_sleep/total
	kgr_is "what a newcomer runs" 1 kgr_version first
	kgr_only_straggler "$PID" || kgr_fail_list "the sleeper is not the only one in the way"
	kgr_is "nudge" EOPNOTSUPP kgr_nudge "$PID"
	kgr_finish kgr_test_sleep 0 || return
	kgr_is_like "reason" '^timed out after [0-9]+ ms, 1 context left: in-patched-function 1$' \
		kgr_get kgr_test_sleep/reason
	kgr_is "stops" 0 kgr_get kgr_test_sleep/stops
	kgr_is "what a newcomer runs" 1 kgr_version first
	kgr_straggler "$PID"; line=$REPLY
	kgr_msg "$line"
	kgr_is "past" 1 kgr_word "$line" past
	kgr_is "reason of the straggler" in-patched-function kgr_word "$line" reason
	kgr_is "function" kgr_test_sleep kgr_word "$line" function
	kgr_is "comm" actor kgr_word "$line" comm
	kgr_is "patch" kgr_test_sleep kgr_word "$line" patch
	kgr_is "log" 1 kgr_logged "kgr_test_sleep': patching timed out after [0-9]+ ms, 1 context left"
	kgr_is "output of the sleeper" "sleeping=$PID" kgr_output sleeper
	kgr_wake
	kgr_reap "$PID"
	kgr_is "unload" ok kgr_unload kgr_test_sleep
	kgr_straggler "$PID"; kgr_is "patch, unloaded" kgr_test_sleep kgr_word "$REPLY" patch
}
kgr_case case_gives_up "it gives up at its deadline with nothing patched, and says who was in the way"

# The same for a revert: the patch stays. And a kernel thread is in the way as much
# as a user's.
case_revert_gives_up()
{
	local line

	kgr_apply kgr_test_sleep model=3 timeout_ms=1000 || return
	echo 1 > "$KGR_TARGETS/ksleep"
	kgr_sleep_ms 100
	kgr_is "revert" ok kgr_put 1 "$KGR_SYSFS/kgr_test_sleep/revert"
	kgr_is "what a newcomer runs" 2 kgr_version first
	kgr_finish kgr_test_sleep 1
	kgr_is_like "reason" ', 1 context left: in-patched-function 1$' \
		kgr_get kgr_test_sleep/reason
	kgr_stragglers
	line=$REPLY
	kgr_msg "$line"
	kgr_is "kind" kthread kgr_word "$line" kind
	kgr_is "function" new_sleep kgr_word "$line" function
	kgr_is "what a newcomer runs" 2 kgr_version first
	kgr_wake
	kgr_sleep_ms 100
	kgr_remove kgr_test_sleep
}
kgr_case case_revert_gives_up "a revert that gives up leaves the patch applied"

# It goes on trying, and succeeds as soon as it can.
case_retries()
{
	kgr_sleeper sleeper 1 || return
	PID=$REPLY
	kgr_is "load" ok kgr_load kgr_test_sleep model=3 timeout_ms=60000
	kgr_sleep_ms 400
	kgr_is "transition" 1 kgr_get kgr_test_sleep/transition
	kgr_wake
	kgr_reap "$PID"
	kgr_finish kgr_test_sleep 1
	kgr_is_like "output of the sleeper" 'woken=ok' kgr_output sleeper
	stopped kgr_test_sleep
	kgr_stragglers; kgr_eq "who was in the way" "$REPLY" ""
	kgr_remove kgr_test_sleep
}
kgr_case case_retries "it succeeds when who was in the way has gone"

# Reversed by hand while it tries: over at once, since nobody had moved.
case_reversed()
{
	kgr_sleeper sleeper 0 || return
	PID=$REPLY
	kgr_is "load" ok kgr_load kgr_test_sleep model=3 timeout_ms=60000
	kgr_is "reverse" ok kgr_put 0 "$KGR_SYSFS/kgr_test_sleep/enabled"
	kgr_finish kgr_test_sleep 0 || return
	kgr_is "reason" "" kgr_get kgr_test_sleep/reason
	kgr_is "again" ok kgr_put 1 "$KGR_SYSFS/kgr_test_sleep/enabled"
	kgr_is "transition" 1 kgr_get kgr_test_sleep/transition
	kgr_wake
	kgr_reap "$PID"
	kgr_finish kgr_test_sleep 1
	kgr_remove kgr_test_sleep
}
kgr_case case_reversed "it can be reversed while it tries"

# Under load: threads in system calls, kernel threads and soft interrupts. Nobody
# may be between the two calls of a pair (clear_of), so that neither pair mixes
# for anybody; the nested one never does.
case_load()
{
	local context pair

	echo 0 > "$KGR_TARGETS/stats"
	kgr_spawn hammer "$KGR_DIR/hammer" -t 6 -p 40 -w "both 1"
	HAMMER=$REPLY
	kgr_says hammer '^ready' || return
	echo 1 > "$KGR_TARGETS/softirq"
	echo 60 > "$KGR_TARGETS/kthread"
	kgr_apply kgr_test_pairs model=3 clear_of=1 timeout_ms=60000 || return
	kgr_cycles kgr_test_pairs "$QUIESCE_REPS" 60 || return
	stopped kgr_test_pairs
	echo 0 > "$KGR_TARGETS/softirq"
	echo 0 > "$KGR_TARGETS/kthread"
	kill -TERM "$HAMMER"
	kgr_reap "$HAMMER" || kgr_fail "the hammer failed"
	kgr_output hammer; kgr_msg "$REPLY"
	kgr_show_stats
	for context in task softirq kthread; do
		for pair in nested seq; do
			kgr_is_num "$context $pair old" -gt 0 kgr_stats $context $pair old
			kgr_is_num "$context $pair new" -gt 0 kgr_stats $context $pair new
			kgr_is "$context $pair mixed" 0 kgr_stats $context $pair mixed
		done
	done
	kgr_remove kgr_test_pairs
}
kgr_case case_load "no pair mixes in tasks, kernel threads and soft interrupts"

# With threads that are born and die all the time
case_fork()
{
	kgr_spawn storm "$KGR_DIR/fork_storm" 2 100000000
	STORM=$REPLY
	kgr_apply kgr_test_pairs model=3 timeout_ms=60000 || return
	kgr_cycles kgr_test_pairs 3 || return
	stopped kgr_test_pairs
	kgr_kill "$STORM"
	kgr_remove kgr_test_pairs
}
kgr_case case_fork "it finds its instant in a fork storm"

kgr_run
