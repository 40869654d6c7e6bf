#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Every kind of context that a transition meets: what happens to it, and what
# is said about it while it has not migrated.

. "$(dirname "$0")/lib/kgr.sh"

# start PATCH MODEL - begin a transition in which nobody is nudged by itself
start()
{
	echo 0 > $KGR_SYSFS/nudge_delay_ms
	kgr_eq "load $1 model=$2" "$(kgr_load "$1" model="$2")" ok
}

# finish PATCH - nudge all who are left over and see it through
finish()
{
	kgr_nudge > /dev/null
	kgr_finish "$1" 1
}

# A process that computes and never enters the kernel: the interrupt that tells
# it to is its safe point. It is not a straggler even for a moment's wait.
case_cpu_bound()
{
	local pid model

	for model in 0 1; do
		kgr_spawn spin "$KGR_DIR/actor" spin
		pid=$REPLY
		kgr_until 10 kgr_said spin '^spinning=' || kgr_fail "no spinner" || return
		start kgr_test_check $model || return
		kgr_until 2 kgr_migrated "$pid" ||
			kgr_fail "model $model: not migrated:" "$(kgr_straggler "$pid")"
		finish kgr_test_check || return
		kgr_asleep "$pid" R || kgr_fail "model $model: the spinner does not run"
		kgr_remove kgr_test_check || return
		kgr_kill "$pid"
	done
}
kgr_case case_cpu_bound "a CPU-bound user task"

# One on each CPU, and more, so that some are runnable and do not run
case_cpus_bound()
{
	local i n

	n=$(( $(grep -c '^processor' /proc/cpuinfo) + 2 ))
	for ((i = 0; i < n; i++)); do
		kgr_spawn "spin$i" "$KGR_DIR/actor" spin
	done
	kgr_apply kgr_test_check model=0 || return
	kgr_remove kgr_test_check
}
kgr_case case_cpus_bound "more CPU-bound user tasks than CPUs"

# rt_unlimited COMMAND... - with no share of the CPU kept back from real-time
# tasks, neither in general nor for ordinary tasks
rt_unlimited()
{
	local file=/proc/sys/kernel/sched_rt_runtime_us saved
	local server=/sys/kernel/debug/sched/fair_server/cpu$CPU/runtime served=

	saved=$(cat $file)
	echo -1 > $file
	if [ -w "$server" ]; then
		served=$(cat "$server")
		echo 0 > "$server"
	fi
	"$@"
	kgr_kill_actors
	[ -z "$served" ] || echo "$served" > "$server"
	echo "$saved" > $file
}

# A real-time task has a CPU for itself: nothing of a transition may wait for a
# kworker or anybody else to run there.
hogged()
{
	kgr_spawn hog "$KGR_DIR/actor" hog "$CPU"
	kgr_until 10 kgr_said hog '^spinning=' || kgr_fail "$(kgr_output hog)" || return
	kgr_apply kgr_test_pairs model=0 || return
	kgr_remove kgr_test_pairs || return
	kgr_apply kgr_test_pairs model=1 || return
	kgr_remove kgr_test_pairs
}

# A task that is preempted there and never gets the CPU is runnable, and does not
# run: universe waits for it and says so, hybrid looks at its stack.
starved()
{
	local pid hog line

	kgr_spawn victim "$KGR_DIR/actor" victim "$CPU"
	pid=$REPLY
	kgr_until 10 kgr_said victim '^spinning=' || kgr_fail "$(kgr_output victim)" || return
	kgr_spawn hog "$KGR_DIR/actor" hog "$CPU"
	hog=$REPLY
	kgr_until 10 kgr_said hog '^spinning=' || kgr_fail "$(kgr_output hog)" || return
	kgr_apply kgr_test_check model=1 || return
	kgr_remove kgr_test_check || return
	start kgr_test_check 0 || return
	kgr_others_migrate "$pid" || return
	line=$(kgr_straggler "$pid")
	kgr_msg "$line"
	kgr_eq "reason" "$(kgr_word "$line" reason)" runnable-not-running
	kgr_kill "$hog"
	kgr_finish kgr_test_check 1 || return
	kgr_remove kgr_test_check
}

# The last CPU, if there are two at least
last_cpu()
{
	CPU=$(( $(grep -c '^processor' /proc/cpuinfo) - 1 ))
	[ "$CPU" -gt 0 ] || kgr_skip "there is one CPU only"
	[ "$CPU" -gt 0 ]
}

case_hogged()
{
	last_cpu || return
	rt_unlimited hogged
}
kgr_case case_hogged "a CPU that a real-time task does not give away"

case_starved()
{
	last_cpu || return
	rt_unlimited starved
}
kgr_case case_starved "a task that does not get the CPU"

busy_thread()
{
	local dir comm

	for dir in /proc/[0-9]*; do
		read -r comm 2>/dev/null < "$dir/comm" || continue
		if [ "$comm" = "$1" ]; then
			REPLY=${dir#/proc/}
			return 0
		fi
	done
	return 1
}

no_busy_thread() { ! busy_thread "$1"; }

# A kernel thread that is busy but calls cond_resched(): that is a safe point.
# The transition is over while it goes on.
case_kthread_busy()
{
	local model pid begin

	for model in 0 1 2; do
		echo 4000 > "$KGR_TARGETS/kbusy"
		kgr_until 5 busy_thread kgr_test_busy || kgr_fail "no busy thread" || return
		pid=$REPLY
		kgr_now_ms; begin=$REPLY
		start kgr_test_check $model || return
		kgr_until 3 kgr_migrated "$pid" ||
			kgr_fail "model $model: not migrated:" "$(kgr_straggler "$pid")"
		kgr_now_ms
		kgr_msg "model $model: migrated after $((REPLY - begin)) ms"
		[ -d "/proc/$pid" ] || kgr_fail "model $model: it had ended before"
		finish kgr_test_check || return
		kgr_remove kgr_test_check || return
		kgr_until 10 no_busy_thread kgr_test_busy || kgr_fail "the busy thread stays"
	done
}
kgr_case case_kthread_busy "a CPU-bound kernel thread with cond_resched"

# The same without cond_resched(): it has no safe point while it runs, and is
# listed as that; the transition completes when it is done.
case_kthread_stubborn()
{
	local pid line

	echo "n 3000" > "$KGR_TARGETS/kbusy"
	kgr_until 3 busy_thread kgr_test_busy || kgr_fail "no busy thread" || return
	pid=$REPLY
	start kgr_test_check 1 || return
	line=$(kgr_straggler "$pid")
	kgr_msg "$line"
	kgr_eq "kind" "$(kgr_word "$line" kind)" kthread
	kgr_eq "reason" "$(kgr_word "$line" reason)" kernel-thread-no-safe-point
	kgr_eq "comm" "$(kgr_word "$line" comm)" kgr_test_busy
	kgr_pending "$pid" || kgr_fail "it has migrated"
	kgr_finish kgr_test_check 1
	kgr_remove kgr_test_check
}
kgr_case case_kthread_stubborn "a CPU-bound kernel thread without cond_resched"

# A kernel thread asleep in the patched function: named, not freed by a nudge,
# which only makes it look again; what it waits for frees it.
case_kthread_sleeps()
{
	local how pid line

	for how in 0 1; do
		echo $how > "$KGR_TARGETS/ksleep"
		kgr_until 5 busy_thread kgr_test_sleep || kgr_fail "no thread" || return
		pid=$REPLY
		kgr_until 5 kgr_asleep "$pid" || kgr_fail "the thread is awake" || return
		start kgr_test_sleep 0 || return
		kgr_others_migrate "$pid" || return
		line=$(kgr_straggler "$pid")
		kgr_msg "$line"
		kgr_eq "kind" "$(kgr_word "$line" kind)" kthread
		kgr_eq "reason" "$(kgr_word "$line" reason)" in-patched-function
		kgr_eq "function" "$(kgr_word "$line" function)" kgr_test_sleep
		kgr_nudge "$pid" > /dev/null
		sleep 0.2
		kgr_only_straggler "$pid" || kgr_fail "how $how: freed by the nudge"
		kgr_wake
		kgr_finish kgr_test_sleep 1 || return
		kgr_remove kgr_test_sleep || return
		kgr_until 5 no_busy_thread kgr_test_sleep || kgr_fail "the thread stays"
	done
}
kgr_case case_kthread_sleeps "a kernel thread asleep in the patched function"

# A stopped task can't come to its safe point: under universe it is listed as
# stopped and a nudge does nothing; SIGCONT frees it. Under hybrid it migrates as
# any sleeper with a clean stack.
case_stopped()
{
	local pid line

	kgr_spawn spin "$KGR_DIR/actor" spin
	pid=$REPLY
	kgr_until 10 kgr_said spin '^spinning=' || kgr_fail "no spinner" || return
	kill -STOP "$pid"
	kgr_until 5 kgr_asleep "$pid" T || kgr_fail "not stopped" || return
	start kgr_test_check 0 || return
	kgr_others_migrate "$pid" || return
	line=$(kgr_straggler "$pid")
	kgr_msg "$line"
	kgr_eq "reason" "$(kgr_word "$line" reason)" stopped-or-traced
	kgr_nudge "$pid" > /dev/null
	sleep 0.2
	kgr_asleep "$pid" T || kgr_fail "the nudge has started it"
	kgr_only_straggler "$pid" || kgr_fail "the nudge has migrated it"
	kill -CONT "$pid"
	kgr_finish kgr_test_check 1 || return
	kgr_remove kgr_test_check || return

	kill -STOP "$pid"
	kgr_until 5 kgr_asleep "$pid" T || kgr_fail "not stopped" || return
	kgr_apply kgr_test_check model=1 || return
	kgr_asleep "$pid" T || kgr_fail "hybrid: it was started"
	kgr_remove kgr_test_check
}
kgr_case case_stopped "a stopped task"

# A task in a ptrace stop: listed with its tracer, freed by it.
case_traced()
{
	local tracer tracee line

	kgr_spawn tracer "$KGR_DIR/actor" tracer
	tracer=$REPLY
	kgr_until 10 kgr_said tracer '^tracee=' || kgr_fail "$(kgr_output tracer)" || return
	tracee=$(kgr_word "$(kgr_output tracer)" tracee)
	kgr_asleep "$tracee" t || kgr_fail "not in a ptrace stop"
	start kgr_test_check 0 || return
	kgr_others_migrate "$tracee" || return
	line=$(kgr_straggler "$tracee")
	kgr_msg "$line"
	kgr_eq "reason" "$(kgr_word "$line" reason)" stopped-or-traced
	kgr_eq "tracer" "$(kgr_word "$line" tracer)" "$tracer"
	kgr_nudge "$tracee" > /dev/null
	sleep 0.2
	kgr_asleep "$tracee" t || kgr_fail "the nudge has started it"
	kill -USR1 "$tracer"
	kgr_until 10 kgr_said tracer '^continued=' || kgr_fail "$(kgr_output tracer)"
	finish kgr_test_check || return
	kgr_remove kgr_test_check || return
	kill -USR1 "$tracer"
	kgr_reap "$tracer"
}
kgr_case case_traced "a traced task, universe"

case_traced_hybrid()
{
	local tracer tracee

	kgr_spawn tracer "$KGR_DIR/actor" tracer
	tracer=$REPLY
	kgr_until 10 kgr_said tracer '^tracee=' || kgr_fail "$(kgr_output tracer)" || return
	tracee=$(kgr_word "$(kgr_output tracer)" tracee)
	kgr_apply kgr_test_check model=1 || return
	kgr_asleep "$tracee" t || kgr_fail "it was started"
	kgr_remove kgr_test_check || return
	kill -USR1 "$tracer"
	kgr_until 10 kgr_said tracer '^continued=' || kgr_fail "$(kgr_output tracer)"
	kill -USR1 "$tracer"
	kgr_reap "$tracer"
}
kgr_case case_traced_hybrid "a traced task, hybrid"

# worker PID - the thread id of a process's io_uring worker
worker()
{
	local dir comm

	for dir in /proc/"$1"/task/*; do
		read -r comm 2>/dev/null < "$dir/comm" || continue
		if [[ $comm == iou-wrk-* ]]; then
			REPLY=${dir##*/}
			return 0
		fi
	done
	return 1
}

# An io_uring worker never leaves the kernel: asleep in a read of a pipe it
# migrates where it is, under every model, and the read goes on.
case_uring()
{
	local pid tid model

	if ! kgr_config CONFIG_IO_URING; then
		kgr_skip "CONFIG_IO_URING is not set"
		return
	fi
	for model in 0 1; do
		kgr_spawn uring "$KGR_DIR/uring" read
		pid=$REPLY
		kgr_until 10 kgr_said uring '^submitted=' || kgr_fail "$(kgr_output uring)" || return
		kgr_until 5 worker "$pid" || kgr_fail "no worker" || return
		tid=$REPLY
		kgr_until 5 worker_asleep "$pid" "$tid" || kgr_fail "the worker is awake"
		start kgr_test_check $model || return
		kgr_until 2 kgr_migrated "$pid" "$tid" ||
			kgr_fail "model $model: not migrated:" "$(kgr_straggler "$tid")"
		finish kgr_test_check || return
		kill -USR1 "$pid"
		kgr_reap "$pid"
		kgr_match "result of the read" "$(kgr_output uring)" 'result=1'
		kgr_remove kgr_test_check || return
	done
}

worker_asleep()
{
	grep -qE '^State:[[:space:]]+[SD]' "/proc/$1/task/$2/status"
}
kgr_case case_uring "an io_uring worker asleep elsewhere"

# An io_uring worker inside the patched function is a straggler of its own kind.
case_uring_in_function()
{
	local pid tid line

	if ! kgr_config CONFIG_IO_URING; then
		kgr_skip "CONFIG_IO_URING is not set"
		return
	fi
	kgr_spawn uring "$KGR_DIR/uring" sleep
	pid=$REPLY
	kgr_until 10 kgr_said uring '^submitted=' || kgr_fail "$(kgr_output uring)" || return
	kgr_until 5 worker "$pid" || kgr_fail "no worker" || return
	tid=$REPLY
	kgr_until 5 worker_asleep "$pid" "$tid" || kgr_fail "the worker is awake"
	start kgr_test_sleep 0 || return
	kgr_others_migrate "$tid" || return
	line=$(kgr_straggler "$tid")
	kgr_msg "$line"
	kgr_eq "kind" "$(kgr_word "$line" kind)" worker
	kgr_eq "reason" "$(kgr_word "$line" reason)" in-patched-function
	kgr_eq "function" "$(kgr_word "$line" function)" kgr_test_sleep
	kgr_eq "pid" "$(kgr_word "$line" pid)" "$pid"
	kgr_wake
	kgr_finish kgr_test_sleep 1
	kgr_reap "$pid"
	kgr_match "result of the write" "$(kgr_output uring)" 'result=1'
	kgr_remove kgr_test_sleep
}
kgr_case case_uring_in_function "an io_uring worker in the patched function"

# The thread that waits for completions in io_uring_enter(2) takes a fake signal
# for task work and goes on waiting: it must be nudged all the same.
case_uring_enter()
{
	local pid line

	if ! kgr_config CONFIG_IO_URING; then
		kgr_skip "CONFIG_IO_URING is not set"
		return
	fi
	kgr_spawn uring "$KGR_DIR/uring" read enter
	pid=$REPLY
	kgr_until 10 kgr_said uring '^submitted=' || kgr_fail "$(kgr_output uring)" || return
	kgr_until 5 kgr_asleep "$pid" || kgr_fail "it is awake"
	start kgr_test_check 0 || return
	line=$(kgr_straggler "$pid")
	kgr_msg "$line"
	kgr_eq "reason" "$(kgr_word "$line" reason)" in-syscall
	kgr_eq "number of io_uring_enter(2)" "$(kgr_word "$line" syscall)" 426
	echo "$KGR_NUDGE_MS" > $KGR_SYSFS/nudge_delay_ms
	kgr_until 20 kgr_migrated "$pid" || kgr_fail "not migrated:" "$(kgr_straggler "$pid")"
	kill -USR1 "$pid"
	kgr_finish kgr_test_check 1 || return
	kgr_reap "$pid"
	kgr_match "result of the read" "$(kgr_output uring)" 'result=1'
	kgr_remove kgr_test_check
}
kgr_case case_uring_enter "a thread that waits in io_uring_enter"

# Idle CPUs and interrupt levels migrate by themselves, also when nothing runs
# for a while: soon after the start none of them is left.
case_idle()
{
	local pid

	kgr_sleeper sleeper 0 || return
	pid=$REPLY
	sleep 0.5
	start kgr_test_sleep 1 || return
	kgr_until 2 no_cpu_left || kgr_fail "left over:" "$(kgr_stragglers)"
	kgr_only_straggler "$pid" || kgr_fail "others left:" "$(kgr_stragglers)"
	kgr_wake
	kgr_finish kgr_test_sleep 1
	kgr_remove kgr_test_sleep
}

no_cpu_left()
{
	! kgr_stragglers | grep -qE 'kind=(idle|cpu) '
}
kgr_case case_idle "idle CPUs and interrupt levels"

# The parent of a vfork waits in a killable sleep that a fake signal doesn't end:
# universe waits for its child, hybrid does not.
case_vfork()
{
	local parent child line

	kgr_spawn vfork "$KGR_DIR/actor" vfork
	parent=$REPLY
	kgr_until 10 kgr_said vfork '^child=' || kgr_fail "$(kgr_output vfork)" || return
	child=$(kgr_word "$(kgr_output vfork)" child)
	kgr_until 5 kgr_asleep "$parent" D || kgr_fail "the parent is awake"
	kgr_apply kgr_test_check model=1 || return
	kgr_asleep "$parent" D || kgr_fail "hybrid: the parent was woken"
	kgr_remove kgr_test_check || return

	start kgr_test_check 0 || return
	kgr_others_migrate "$parent" || return
	line=$(kgr_straggler "$parent")
	kgr_msg "$line"
	kgr_eq "reason" "$(kgr_word "$line" reason)" uninterruptible
	kgr_match "wchan" "$(kgr_word "$line" wchan)" '^[a-z_]'
	kgr_nudge "$parent" > /dev/null
	sleep 0.2
	kgr_only_straggler "$parent" || kgr_fail "freed by the nudge"
	kill -TERM "$child"
	kgr_finish kgr_test_check 1
	kgr_reap "$parent"
	kgr_match "the parent" "$(kgr_output vfork)" 'resumed='
	kgr_remove kgr_test_check
}
kgr_case case_vfork "the parent of a vfork"

# A zombie runs no code any more: it holds nothing up.
case_zombie()
{
	local parent zombie

	kgr_spawn zombie "$KGR_DIR/actor" zombie
	parent=$REPLY
	kgr_until 10 kgr_said zombie '^zombie=' || kgr_fail "$(kgr_output zombie)" || return
	zombie=$(kgr_word "$(kgr_output zombie)" zombie)
	kgr_until 5 kgr_asleep "$zombie" Z || kgr_fail "no zombie" || return
	kgr_apply kgr_test_check model=0 || return
	kgr_remove kgr_test_check
	kgr_asleep "$zombie" Z || kgr_fail "the zombie is gone"
	kill -TERM "$parent"
	kgr_reap "$parent" || kgr_fail "$(kgr_output zombie)"
}
kgr_case case_zombie "a zombie"

# Frozen by its control group: asleep in the kernel, with no way to its exit
# while frozen. Whatever happens is said, and thawing ends it.
case_frozen()
{
	local cg=$KGR_TMP/cg pid line

	mkdir -p "$cg"
	if ! mount -t cgroup2 none "$cg" 2> /dev/null; then
		kgr_skip "CONFIG_CGROUPS is not set, or cgroup2 can't be mounted"
		return
	fi
	mkdir -p "$cg/kgr_frozen"
	kgr_spawn spin "$KGR_DIR/actor" spin
	pid=$REPLY
	echo "$pid" > "$cg/kgr_frozen/cgroup.procs"
	echo 1 > "$cg/kgr_frozen/cgroup.freeze"
	kgr_until 5 grep -q "frozen 1" "$cg/kgr_frozen/cgroup.events" || kgr_fail "not frozen"
	kgr_apply kgr_test_check model=1
	kgr_remove kgr_test_check
	start kgr_test_check 0
	kgr_until 2 kgr_migrated "$pid"
	line=$(kgr_straggler "$pid")
	kgr_msg "universe: ${line:-migrated}"
	echo 0 > "$cg/kgr_frozen/cgroup.freeze"
	finish kgr_test_check
	kgr_remove kgr_test_check
	kgr_kill "$pid"
	kgr_until 5 rmdir "$cg/kgr_frozen" 2> /dev/null
	umount "$cg"
}
kgr_case case_frozen "a frozen task"

# Processes that are created and die all the time are counted, and don't keep a
# transition from its end.
case_come_and_go()
{
	local i

	kgr_spawn storm bash -c 'while :; do (:); done'
	for ((i = 0; i < 3; i++)); do
		kgr_apply kgr_test_check model=0 || return
		kgr_remove kgr_test_check || return
	done
}
kgr_case case_come_and_go "processes that come and go"

kgr_run
