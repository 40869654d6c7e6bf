#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Consistency under load. KGR_THREADS threads call pairs of functions through
# a system call, timers call them from soft interrupts and kernel threads in
# their loops, while the patch is applied and reverted KGR_REPS times. A call
# that sees one old and one new function has mixed universes.
#
#   nested pair		A calls B while A is on the stack
#   sequential pair	A returns, the task sleeps elsewhere in the same system
#			call, then B is called
#   bh pair		A returns, then B is called with bottom halves disabled
#   work pair		A returns, then B is called by task work, on the way out of
#			the same system call
#
#			universe	hybrid		immediate
#   task nested		never		never		mixes
#   task seq		never		mixes		mixes
#   task bh, work	never		may		may
#   softirq both	never		never		any
#   kthread nested	never		never		any
#   kthread seq, bh	may		may		may
#
# "Mixes" has to be seen, or "never" would prove nothing. So have old and new
# versions to be, by everybody.

. "$(dirname "$0")/lib/kgr.sh"

# How often to go on, at most, when a mix that has to be seen has not been yet
EXTRA=5

cycles()
{
	kgr_cycles kgr_test_pairs "$1" || return
	CYCLES=$((CYCLES + $1))
}

# mixes_seen PAIR - or a few more cycles, each of them as good a chance
mixes_seen()
{
	local i

	for ((i = 0; i <= EXTRA; i++)); do
		kgr_stats task "$1" mixed
		[ "$REPLY" -eq 0 ] || return 0
		cycles 4 || return
	done
	return 1
}

# Loads the patch under a model, and hammers while it goes back and forth
hammer()
{
	local begin

	CYCLES=0
	echo 0 > "$KGR_TARGETS/stats"
	kgr_spawn hammer "$KGR_DIR/hammer" -t "$KGR_THREADS"
	HAMMER=$REPLY
	kgr_says hammer '^ready' || return
	echo 1 > "$KGR_TARGETS/softirq"
	echo 1 > "$KGR_TARGETS/kthread"
	kgr_now_ms; begin=$REPLY
	kgr_apply kgr_test_pairs model="$1" || return
	cycles "$KGR_REPS" || return
	kgr_now_ms
	kgr_msg "$CYCLES cycles of apply and revert in $((REPLY - begin)) ms"
}

hammer_ends()
{
	echo 0 > "$KGR_TARGETS/softirq"
	echo 0 > "$KGR_TARGETS/kthread"
	kill -TERM "$HAMMER"
	kgr_reap "$HAMMER" || kgr_fail "the hammer failed"
	kgr_output hammer; kgr_msg "$REPLY"
	kgr_show_stats
	kgr_remove kgr_test_pairs
}

never()
{
	kgr_is "$1 $2 mixed" 0 kgr_stats "$1" "$2" mixed
}

seen()
{
	local context pair

	for context in task softirq kthread; do
		for pair in nested seq; do
			kgr_is_num "$context $pair old" -gt 0 kgr_stats $context $pair old
			kgr_is_num "$context $pair new" -gt 0 kgr_stats $context $pair new
		done
	done
	for pair in bh work; do
		kgr_is_num "task $pair old" -gt 0 kgr_stats task $pair old
		kgr_is_num "task $pair new" -gt 0 kgr_stats task $pair new
	done
}

case_universe()
{
	hammer 0
	hammer_ends
	seen
	never task nested
	never task seq
	never task bh
	never task work
	never softirq nested
	never softirq seq
	never kthread nested
}
kgr_case case_universe "universe: a system call never mixes"

case_hybrid()
{
	hammer 1
	mixes_seen seq || kgr_fail "no mix of the sequential pair in $CYCLES cycles"
	hammer_ends
	seen
	never task nested
	never softirq nested
	never softirq seq
	never kthread nested
}
kgr_case case_hybrid "hybrid: a nested pair never mixes, a sequential one does"

case_immediate()
{
	hammer 2
	mixes_seen nested || kgr_fail "no mix of the nested pair in $CYCLES cycles"
	hammer_ends
	seen
}
kgr_case case_immediate "immediate: a nested pair mixes"

# Calls that begin after a transition is complete see new code only, wherever
# they come from; the same for old code after a revert.
case_after()
{
	local model version context pair

	for model in 0 1 2; do
		kgr_apply kgr_test_pairs model=$model || return
		for version in new old; do
			[ $version = new ] || kgr_set kgr_test_pairs 0 || return
			echo 0 > "$KGR_TARGETS/stats"
			echo 1 > "$KGR_TARGETS/softirq"
			echo 1 > "$KGR_TARGETS/kthread"
			kgr_is "run" ok kgr_put "both 10" "$KGR_TARGETS/run"
			kgr_sleep_ms 300
			echo 0 > "$KGR_TARGETS/softirq"
			echo 0 > "$KGR_TARGETS/kthread"
			for context in task softirq kthread; do
				for pair in nested seq; do
					kgr_is_num "model $model $context $pair calls" -gt 0 \
						kgr_stats $context $pair calls
					kgr_is "model $model $context $pair after: all $version" "$REPLY" \
						kgr_stats $context $pair $version
				done
			done
		done
		kgr_is "unload" ok kgr_unload kgr_test_pairs
	done
}
kgr_case case_after "after a transition there is one version only"

kgr_run
