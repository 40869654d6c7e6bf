#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Consistency at interrupt level. A timer on each CPU, the tasklets (at the end of an
# interrupt or in ksoftirqd), NMIs and RCU callbacks that it sets off, and pairs that
# begin in a tasklet and end in what interrupts it, while the patch is applied and
# reverted: from the outermost interrupt until the CPU is back in a task, one
# universe. Work items and threaded interrupt handlers are kernel threads: their
# nested pairs never mix, sequential ones may.

. "$(dirname "$0")/lib/kgr.sh"

LEVELS="hardirq nmi tasklet ksoftirqd"
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

# What of a BPF program, attached where tasks, soft and hard interrupts come by, has
# seen of the two helpers that it calls
bpf_seen()
{
	echo >&"$BPF_IN"
	IFS= read -r -t 60 -u "$BPF_OUT" BPF_SEEN || kgr_fail "the BPF program is gone"
}

# bpf_is MODEL - both versions are seen, and never in one run
bpf_is()
{
	kgr_apply kgr_test_bpf model="$1" || return
	kgr_cycles kgr_test_bpf "$KGR_REPS" 10
	bpf_seen
	kgr_remove kgr_test_bpf
	kgr_msg "model $1: $BPF_SEEN"
}

case_bpf()
{
	local line model name pid

	if ! kgr_config CONFIG_BPF_SYSCALL || ! kgr_config CONFIG_BPF_EVENTS; then
		kgr_skip "CONFIG_BPF_SYSCALL or CONFIG_BPF_EVENTS is not set"
		return
	fi
	mkfifo "$KGR_TMP/bpf_in" "$KGR_TMP/bpf_out" || kgr_fail "mkfifo" || return
	"$KGR_DIR/bpf" pair sys_enter sched_switch timer_expire_entry hrtimer_expire_entry \
		< "$KGR_TMP/bpf_in" > "$KGR_TMP/bpf_out" 2> "$KGR_TMP/bpf" &
	pid=$!
	exec {BPF_IN}> "$KGR_TMP/bpf_in" {BPF_OUT}< "$KGR_TMP/bpf_out"
	IFS= read -r -t 60 -u "$BPF_OUT" line && [ "$line" = attached ] ||
		kgr_fail "can't attach: $(cat "$KGR_TMP/bpf")" || return
	for model in 0 1; do
		bpf_is $model || break
		kgr_word "$BPF_SEEN" mixed
		kgr_eq "mixed, model $model" "$REPLY" 0
	done
	for name in old new; do
		kgr_word "$BPF_SEEN" $name
		kgr_num "$name" "${REPLY:-0}" -gt 0
	done
	exec {BPF_IN}>&- {BPF_OUT}<&-
	wait "$pid" 2> /dev/null
}
kgr_case case_bpf "a BPF program sees one version of what it calls"

kgr_run
