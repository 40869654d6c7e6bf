#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Everything at a time, at random, for KGR_SECONDS: apply, revert, reverse, load,
# unload, CPUs off and on, forks, sleepers that come, go and are killed. What the
# model promises holds throughout. KGR_SEED repeats a sequence of operations.

. "$(dirname "$0")/lib/kgr.sh"

RANDOM=${KGR_SEED:=$((SECONDS + $$))}

CPU=
for cpu in /sys/devices/system/cpu/cpu[1-9]*; do
	[ ! -w "$cpu/online" ] || CPU=$cpu
done

PATCHES=(kgr_test_pairs kgr_test_sleep kgr_test_check)
declare -A OPS

count()
{
	OPS[$1]=$((${OPS[$1]:-0} + 1))
}

# Some of these are refused, since a transition runs or the module is in use:
# that is part of it. What counts is the state at the end.
op_load()
{
	kgr_load "$1" model="$MODEL"
	count "load $REPLY"
}

op_toggle()
{
	local file=$KGR_SYSFS/$1/enabled

	[ -e "$file" ] || return
	kgr_put "$((RANDOM % 2))" "$file"
	count "toggle $REPLY"
}

op_unload()
{
	kgr_unload "$1"
	count "unload $REPLY"
}

op_sleeper()
{
	kgr_spawn sleeper "$KGR_DIR/actor" sleep $((RANDOM % 3))
	count sleeper
}

op_kill()
{
	[ ${#KGR_PIDS[@]} -le 2 ] || kgr_kill "${KGR_PIDS[-1]}"
	count kill
}

op_wake()
{
	kgr_wake
	count wake
}

op_nudge()
{
	kgr_nudge
	count nudge
}

op_list()
{
	kgr_stragglers > /dev/null
	cat $KGR_SYSFS/*/state /proc/[0-9]*/kgr_in_progress > /dev/null 2>&1
	count list
}

op_cpu()
{
	[ -z "$CPU" ] || echo "$((RANDOM % 2))" > "$CPU/online" 2> /dev/null
	count cpu
}

op_kthread()
{
	echo "$((RANDOM % 2))" > "$KGR_TARGETS/kthread"
	echo "$((RANDOM % 200 + 1))" > "$KGR_TARGETS/kbusy"
	count kthread
}

op_settle()
{
	local name

	kgr_wake
	for name in "${PATCHES[@]}"; do
		[ ! -d "$KGR_SYSFS/$name" ] || kgr_wait_waking "$name" || return
	done
	count settle
}

# Sleepers that were restarted sleep again: wake until it is done
kgr_wait_waking()
{
	local end=$((SECONDS + KGR_TIMEOUT))

	until kgr_wait "$1" 1; do
		[ -d "$KGR_SYSFS/$1" ] || return 0
		kgr_wake
		[ "$SECONDS" -lt "$end" ] || kgr_fail_list "$1 is stuck" || return
	done
}

step()
{
	local name=${PATCHES[RANDOM % 3]}

	case $((RANDOM % 20)) in
	0|1|2)		op_load "$name" ;;
	3|4|5|6|7)	op_toggle "$name" ;;
	8|9)		op_unload "$name" ;;
	10|11)		op_sleeper ;;
	12)		op_kill ;;
	13)		op_wake ;;
	14)		op_nudge ;;
	15)		op_list ;;
	16)		op_cpu ;;
	17)		op_kthread ;;
	*)		op_settle ;;
	esac
}

stress()
{
	local end=$((SECONDS + $2)) key

	MODEL=$1
	OPS=()
	echo 0 > "$KGR_TARGETS/stats"
	kgr_spawn hammer "$KGR_DIR/hammer" -t $(( (KGR_THREADS + 3) / 4 ))
	kgr_says hammer '^ready' || return
	kgr_spawn storm "$KGR_DIR/fork_storm" 1 100000000
	echo 1 > "$KGR_TARGETS/softirq"
	while [ "$SECONDS" -lt "$end" ] && [ "$KGR_FAILED" -eq 0 ]; do
		step
	done
	[ -z "$CPU" ] || echo 1 > "$CPU/online" 2> /dev/null
	echo 0 > "$KGR_TARGETS/kthread"
	kgr_kill_actors
	op_settle
	kgr_msg "seed $KGR_SEED"
	for key in "${!OPS[@]}"; do
		kgr_msg "$key: ${OPS[$key]}"
	done | sort
	kgr_show_stats
	kgr_is "task nested mixed" 0 kgr_stats task nested mixed
	kgr_is "softirq nested mixed" 0 kgr_stats softirq nested mixed
	kgr_is "softirq seq mixed" 0 kgr_stats softirq seq mixed
	kgr_is "kthread nested mixed" 0 kgr_stats kthread nested mixed
	[ "$1" -ne 0 ] || kgr_is "task seq mixed" 0 kgr_stats task seq mixed
}

case_universe() { stress 0 $(( (KGR_SECONDS + 1) / 2 )); }
case_hybrid() { stress 1 $(( (KGR_SECONDS + 1) / 2 )); }
kgr_case case_universe "random operations, universe"
kgr_case case_hybrid "random operations, hybrid"

kgr_run
