#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# CPUs that come and go: in the middle of a transition, between two, and all the
# time.

. "$(dirname "$0")/lib/kgr.sh"

CPU=
for cpu in /sys/devices/system/cpu/cpu[1-9]*; do
	[ ! -w "$cpu/online" ] || CPU=$cpu
done

online()
{
	echo 1 > "$CPU/online"
}

offline()
{
	echo 0 > "$CPU/online"
}

# Without a CPU to take away there is nothing to test
have_cpu()
{
	if [ -z "$CPU" ]; then
		kgr_skip "CONFIG_HOTPLUG_CPU is not set, or there is one CPU only"
		return 1
	fi
	online 2> /dev/null
	kgr_is "$CPU online" 1 kgr_file "$CPU/online"
}

# hold - a transition that a sleeper holds up; PID
hold()
{
	kgr_sleeper sleeper 0 || return
	PID=$REPLY
	kgr_set_nudge 0
	kgr_is "load" ok kgr_load kgr_test_sleep model="$1" || return
	kgr_until 5 kgr_is_straggler "$PID" || kgr_fail "no straggler"
}

release()
{
	kgr_wake
	kgr_nudge
	kgr_finish kgr_test_sleep "$1"
}

case_offline_during()
{
	have_cpu || return
	hold 0 || return
	offline || kgr_fail "can't take $CPU offline"
	release 1
	online || kgr_fail "can't take $CPU online"
	kgr_remove kgr_test_sleep
}
kgr_case case_offline_during "a CPU goes during a transition"

case_online_during()
{
	have_cpu || return
	offline || kgr_fail "can't take $CPU offline"
	hold 0
	online || kgr_fail "can't take $CPU online"
	release 1
	kgr_remove kgr_test_sleep
}
kgr_case case_online_during "a CPU comes during a transition"

case_both_during()
{
	local i

	have_cpu || return
	hold 1 || return
	for i in 1 2 3; do
		offline || kgr_fail "can't take $CPU offline"
		online || kgr_fail "can't take $CPU online"
	done
	kgr_until 5 kgr_only_straggler "$PID" || kgr_fail_list "left over"
	kgr_is "reverse" ok kgr_put 0 $KGR_SYSFS/kgr_test_sleep/enabled
	offline || kgr_fail "can't take $CPU offline"
	online || kgr_fail "can't take $CPU online"
	kgr_set_nudge "$KGR_NUDGE_MS"
	kgr_finish kgr_test_sleep 0
	kgr_is "unload" ok kgr_unload kgr_test_sleep
}
kgr_case case_both_during "a CPU goes and comes during a transition and its reversal"

# A CPU that was away while a patch was applied runs new code only when it is
# back, in its tasks and in its interrupts; and the other way round.
case_between()
{
	local number version context pair pid

	have_cpu || return
	number=${CPU##*cpu}
	offline || kgr_fail "can't take $CPU offline"
	kgr_apply kgr_test_pairs || return
	for version in new old; do
		if [ $version = old ]; then
			offline || kgr_fail "can't take $CPU offline"
			kgr_set kgr_test_pairs 0 || return
		fi
		online || kgr_fail "can't take $CPU online"
		echo 0 > "$KGR_TARGETS/stats"
		echo 1 > "$KGR_TARGETS/softirq"
		kgr_spawn pinned "$KGR_DIR/hammer" -t 2 -c "$number"
		pid=$REPLY
		kgr_says pinned '^ready'
		kgr_sleep_ms 500
		kill -TERM "$pid"
		kgr_reap "$pid" || kgr_fail "the hammer failed"
		echo 0 > "$KGR_TARGETS/softirq"
		for context in task softirq; do
			for pair in nested seq; do
				kgr_is_num "$context $pair calls" -gt 0 kgr_stats $context $pair calls
				kgr_is "$context $pair: all $version" "$REPLY" \
					kgr_stats $context $pair $version
			done
		done
	done
	kgr_is "unload" ok kgr_unload kgr_test_pairs
}
kgr_case case_between "a CPU is away while a patch is applied"

# CPUs come and go all the time, under load.
case_storm()
{
	local cycles=$(( (KGR_REPS + 1) / 2 )) i toggler

	have_cpu || return
	echo 0 > "$KGR_TARGETS/stats"
	kgr_spawn hammer "$KGR_DIR/hammer" -t $(( (KGR_THREADS + 3) / 4 ))
	kgr_says hammer '^ready' || return
	(
		trap 'echo 1 > "$CPU/online"; exit' TERM
		while :; do
			offline && online && echo turn
		done
	) > "$KGR_TMP/toggler.out" 2>&1 &
	toggler=$!
	kgr_apply kgr_test_pairs || kgr_fail "apply"
	for ((i = 0; i < cycles; i++)); do
		kgr_cycles kgr_test_pairs 1 || break
	done
	kgr_until 20 grep -q turn "$KGR_TMP/toggler.out" || kgr_fail "no CPU has come and gone"
	kill -TERM "$toggler"
	kgr_reap "$toggler"
	online 2> /dev/null
	kgr_count turn "$KGR_TMP/toggler.out"
	kgr_msg "$i cycles, $REPLY times off and on"
	kgr_show_stats
	kgr_is "task nested mixed" 0 kgr_stats task nested mixed
	kgr_is "task seq mixed" 0 kgr_stats task seq mixed
	kgr_remove kgr_test_pairs
}
kgr_case case_storm "CPUs come and go under load"

kgr_run
