#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A fork storm while transitions run: no child escapes. Each child looks at four
# functions in one system call, which have to agree; each transition ends, and
# its counts are even.

. "$(dirname "$0")/lib/kgr.sh"

# 10,000, or fewer where each costs ten times as much
if [ -z "$KGR_FORKS" ]; then
	KGR_FORKS=10000
	[ ! -e /sys/kernel/debug/kmemleak ] || KGR_FORKS=2000
fi

# storm MODEL FORKS - cycles of apply and revert until all forks are done
storm()
{
	local cycles=0 pid begin forks

	kgr_spawn storm "$KGR_DIR/fork_storm" 4 "$2"
	pid=$REPLY
	kgr_now_ms; begin=$REPLY
	kgr_apply kgr_test_pairs model="$1" || return
	while ! kgr_gone "$pid"; do
		kgr_cycles kgr_test_pairs 5 20 || return
		cycles=$((cycles + 5))
		kgr_now_ms
		[ $((REPLY - begin)) -lt $((300000 + $2 * 50)) ] || kgr_fail "no end" || return
	done
	kgr_reap "$pid" || kgr_fail "the storm failed"
	kgr_now_ms; kgr_msg "$cycles cycles in $((REPLY - begin)) ms"
	kgr_output storm; forks=$REPLY
	kgr_msg "$forks"
	kgr_is "forks" "$2" kgr_word "$forks" forks
	kgr_num "cycles" "$cycles" -gt 0
	kgr_is_num "children that saw old code" -gt 0 kgr_word "$forks" old
	kgr_is_num "children that saw new code" -gt 0 kgr_word "$forks" new
	kgr_remove kgr_test_pairs
}

case_universe()
{
	storm 0 "$KGR_FORKS"
	kgr_is "mixed" 0 kgr_said_word storm mixed
}
kgr_case case_universe "a fork storm, universe"

# One system call without a sleep in it: hybrid holds it together, too.
case_hybrid()
{
	storm 1 $((KGR_FORKS / 5))
	kgr_is "mixed" 0 kgr_said_word storm mixed
}
kgr_case case_hybrid "a fork storm, hybrid"

# Children of one that has not migrated have not either; children of one that
# has, have. Told by their /proc files while a sleeper holds the transition.
case_inherit()
{
	local pid parent child

	kgr_sleeper sleeper 0 || return
	pid=$REPLY
	kgr_spawn vfork "$KGR_DIR/actor" vfork
	parent=$REPLY
	kgr_says vfork '^child=' || return
	kgr_said_word vfork child; child=$REPLY
	kgr_falls_asleep "$child" S
	kgr_set_nudge 0
	kgr_is "load" ok kgr_load kgr_test_sleep || return
	kgr_pending "$parent" || kgr_fail "the parent has migrated"
	kgr_pending "$child" || kgr_fail "the child has migrated"
	kgr_is "a newcomer" 0 kgr_file /proc/self/kgr_in_progress
	kill -KILL "$child"
	kgr_says vfork '^resumed='
	kgr_wake
	kgr_nudge
	kgr_finish kgr_test_sleep 1
	kgr_is "in_progress" 0 kgr_get in_progress
	kgr_reap "$pid"
	kgr_remove kgr_test_sleep
}
kgr_case case_inherit "a child is where its parent is"

kgr_run
