#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Consistency at interrupt level. A timer on each CPU, the tasklets, NMIs and RCU
# callbacks that it sets off, and pairs that begin in a tasklet and end in what
# interrupts it, while the patch is applied and reverted: from the outermost
# interrupt until the CPU is back in a task, one universe. Work items and threaded
# interrupt handlers are kernel threads: their nested pairs never mix, sequential
# ones may.

. "$(dirname "$0")/lib/kgr.sh"

LEVELS="hardirq nmi tasklet"
CONTEXTS="$LEVELS rcu workqueue threadirq"

start()
{
	echo 0 > "$KGR_TARGETS/stats"
	echo 1 > "$KGR_TARGETS/interrupts"
}

stop()
{
	echo 0 > "$KGR_TARGETS/interrupts"
}

never()
{
	kgr_is "$1 $2 mixed" 0 kgr_stats "$1" "$2" mixed
}

# Both versions by everybody, or nothing is proved
seen()
{
	local version

	for version in old new; do
		kgr_is_num "$1 $2 $version" -gt 0 kgr_stats "$1" "$2" $version
	done
}

pairs_hold()
{
	local context

	start
	kgr_apply kgr_test_pairs model="$1" || return
	kgr_cycles kgr_test_pairs "$KGR_REPS"
	stop
	kgr_show_stats
	for context in $CONTEXTS; do
		seen "$context" nested
		never "$context" nested
	done
	for context in $LEVELS; do
		seen "$context" seq
		never "$context" seq
	done
	seen tasklet above
	never tasklet above
	kgr_remove kgr_test_pairs
}

case_universe()
{
	pairs_hold 0
}
kgr_case case_universe "universe: interrupts see one version"

case_hybrid()
{
	pairs_hold 1
}
kgr_case case_hybrid "hybrid: interrupts see one version"

# When a transition is complete everybody sees one version only
case_after()
{
	local version context

	kgr_apply kgr_test_pairs || return
	for version in new old; do
		[ $version = new ] || kgr_set kgr_test_pairs 0 || return
		start
		kgr_sleep_ms 500
		stop
		for context in $CONTEXTS; do
			kgr_is_num "$context calls" -gt 0 kgr_stats "$context" nested calls
			kgr_is "$context: all $version" "$REPLY" \
				kgr_stats "$context" nested $version
		done
	done
	kgr_is "unload" ok kgr_unload kgr_test_pairs
}
kgr_case case_after "after a transition there is one version only"

kgr_run
