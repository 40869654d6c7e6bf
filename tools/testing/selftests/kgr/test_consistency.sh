#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Consistency under load. KGR_THREADS threads call two pairs of functions through
# a system call, timers call them from soft interrupts and kernel threads in
# their loops, while the patch is applied and reverted KGR_REPS times. A call
# that sees one old and one new function has mixed universes.
#
#   nested pair		A calls B while A is on the stack
#   sequential pair	A returns, the task sleeps elsewhere in the same system
#			call, then B is called
#
#			universe	hybrid		immediate
#   task nested		never		never		mixes
#   task seq		never		mixes		mixes
#   softirq both	never		never		any
#   kthread nested	never		never		any
#   kthread seq		may		may		may
#
# "Mixes" has to be seen, or "never" would prove nothing. So have old and new
# versions to be, by everybody.

. "$(dirname "$0")/lib/kgr.sh"

# stat CONTEXT PAIR NAME - one of the kernel's counts
stat()
{
	local line

	while read -r line; do
		if [[ $line == "$1 $2 "* ]]; then
			kgr_word "$line" "$3"
			return
		fi
	done <<< "$STATS"
}

# How often to go on, at most, when a mix that has to be seen has not been yet
EXTRA=5

cycles()
{
	kgr_cycles kgr_test_pairs "$1" || return
	CYCLES=$((CYCLES + $1))
}

counts()
{
	STATS=$(cat "$KGR_TARGETS/stats")
}

# mixes_seen PAIR - or a few more cycles, each of them as good a chance
mixes_seen()
{
	local i

	counts
	for ((i = 0; i < EXTRA; i++)); do
		[ "$(stat task "$1" mixed)" -eq 0 ] || return 0
		cycles 4 || return
		counts
	done
	[ "$(stat task "$1" mixed)" -ne 0 ]
}

# Loads the patch under a model, and hammers while it goes back and forth
hammer()
{
	local begin

	CYCLES=0
	echo 0 > "$KGR_TARGETS/stats"
	kgr_spawn hammer "$KGR_DIR/hammer" -t "$KGR_THREADS"
	HAMMER=$REPLY
	kgr_until 20 kgr_said hammer '^ready' || kgr_fail "the hammer did not start" || return
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
	kgr_reap "$HAMMER" || kgr_fail "hammer: $(kgr_output hammer)"
	counts
	kgr_msg "$(kgr_output hammer | grep threads=)"
	kgr_msg "$STATS"
	kgr_remove kgr_test_pairs
}

never()
{
	kgr_eq "$1 $2 mixed" "$(stat "$1" "$2" mixed)" 0
}

seen()
{
	local context pair

	for context in task softirq kthread; do
		for pair in nested seq; do
			kgr_num "$context $pair old" "$(stat $context $pair old)" -gt 0
			kgr_num "$context $pair new" "$(stat $context $pair new)" -gt 0
		done
	done
}

case_universe()
{
	hammer 0
	hammer_ends
	seen
	never task nested
	never task seq
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
	local model version

	for model in 0 1 2; do
		kgr_apply kgr_test_pairs model=$model || return
		for version in new old; do
			[ $version = new ] || kgr_set kgr_test_pairs 0 || return
			echo 0 > "$KGR_TARGETS/stats"
			echo 1 > "$KGR_TARGETS/softirq"
			echo 1 > "$KGR_TARGETS/kthread"
			kgr_eq "run" "$(kgr_put "both 10" "$KGR_TARGETS/run")" ok
			sleep 0.3
			echo 0 > "$KGR_TARGETS/softirq"
			echo 0 > "$KGR_TARGETS/kthread"
			counts
			for context in task softirq kthread; do
				for pair in nested seq; do
					kgr_eq "model $model $context $pair after: all $version" \
						"$(stat $context $pair $version)" \
						"$(stat $context $pair calls)"
					kgr_num "model $model $context $pair calls" \
						"$(stat $context $pair calls)" -gt 0
				done
			done
		done
		kgr_eq "unload" "$(kgr_unload kgr_test_pairs)" ok
	done
}
kgr_case case_after "after a transition there is one version only"

kgr_run
