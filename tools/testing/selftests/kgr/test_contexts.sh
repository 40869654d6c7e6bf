#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Every kind of context that a transition meets: what happens to it, and what
# is said about it while it has not migrated.

. "$(dirname "$0")/lib/kgr.sh"

# start PATCH MODEL - begin a transition in which nobody is nudged by itself
start()
{
	kgr_set_nudge 0
	kgr_is "load $1 model=$2" ok kgr_load "$1" model="$2"
}

# finish PATCH - nudge all who are left over and see it through
finish()
{
	kgr_nudge
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
		kgr_says spin '^spinning=' || return
		start kgr_test_check $model || return
		kgr_until 10 kgr_migrated "$pid" ||
			kgr_fail_list "model $model: not migrated"
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

	kgr_cpus; n=$((REPLY + 2))
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

	kgr_file $file; saved=$REPLY
	echo -1 > $file
	if [ -w "$server" ]; then
		kgr_file "$server"; served=$REPLY
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
	kgr_says hog '^spinning=' || return
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
	kgr_says victim '^spinning=' || return
	kgr_spawn hog "$KGR_DIR/actor" hog "$CPU"
	hog=$REPLY
	kgr_says hog '^spinning=' || return
	kgr_apply kgr_test_check model=1 || return
	kgr_remove kgr_test_check || return
	start kgr_test_check 0 || return
	kgr_others_migrate "$pid" || return
	kgr_straggler "$pid"; line=$REPLY
	kgr_msg "$line"
	kgr_is "reason" runnable-not-running kgr_word "$line" reason
	kgr_kill "$hog"
	kgr_finish kgr_test_check 1 || return
	kgr_remove kgr_test_check
}

# The last CPU, if there are two at least
last_cpu()
{
	kgr_cpus; CPU=$((REPLY - 1))
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
		kgr_until 10 kgr_migrated "$pid" ||
			kgr_fail_list "model $model: not migrated"
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

	echo "n 5000" > "$KGR_TARGETS/kbusy"
	kgr_until 3 busy_thread kgr_test_busy || kgr_fail "no busy thread" || return
	pid=$REPLY
	start kgr_test_check 1 || return
	kgr_straggler "$pid"; line=$REPLY
	kgr_msg "$line"
	kgr_is "kind" kthread kgr_word "$line" kind
	kgr_is "reason" kernel-thread-no-safe-point kgr_word "$line" reason
	kgr_is "comm" kgr_test_busy kgr_word "$line" comm
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
		kgr_falls_asleep "$pid" || return
		start kgr_test_sleep 0 || return
		kgr_others_migrate "$pid" || return
		kgr_straggler "$pid"; line=$REPLY
		kgr_msg "$line"
		kgr_is "kind" kthread kgr_word "$line" kind
		kgr_is "reason" in-patched-function kgr_word "$line" reason
		kgr_is "function" kgr_test_sleep kgr_word "$line" function
		kgr_nudge "$pid"
		kgr_sleep_ms 200
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
	kgr_says spin '^spinning=' || return
	kill -STOP "$pid"
	kgr_falls_asleep "$pid" T || return
	start kgr_test_check 0 || return
	kgr_others_migrate "$pid" || return
	kgr_straggler "$pid"; line=$REPLY
	kgr_msg "$line"
	kgr_is "reason" stopped-or-traced kgr_word "$line" reason
	kgr_nudge "$pid"
	kgr_sleep_ms 200
	kgr_asleep "$pid" T || kgr_fail "the nudge has started it"
	kgr_only_straggler "$pid" || kgr_fail "the nudge has migrated it"
	kill -CONT "$pid"
	kgr_finish kgr_test_check 1 || return
	kgr_remove kgr_test_check || return

	kill -STOP "$pid"
	kgr_falls_asleep "$pid" T || return
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
	kgr_says tracer '^tracee=' || return
	kgr_said_word tracer tracee; tracee=$REPLY
	kgr_asleep "$tracee" t || kgr_fail "not in a ptrace stop"
	start kgr_test_check 0 || return
	kgr_others_migrate "$tracee" || return
	kgr_straggler "$tracee"; line=$REPLY
	kgr_msg "$line"
	kgr_is "reason" stopped-or-traced kgr_word "$line" reason
	kgr_is "tracer" "$tracer" kgr_word "$line" tracer
	kgr_nudge "$tracee"
	kgr_sleep_ms 200
	kgr_asleep "$tracee" t || kgr_fail "the nudge has started it"
	kill -USR1 "$tracer"
	kgr_says tracer '^continued='
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
	kgr_says tracer '^tracee=' || return
	kgr_said_word tracer tracee; tracee=$REPLY
	kgr_apply kgr_test_check model=1 || return
	kgr_asleep "$tracee" t || kgr_fail "it was started"
	kgr_remove kgr_test_check || return
	kill -USR1 "$tracer"
	kgr_says tracer '^continued='
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
		kgr_says uring '^submitted=' || return
		kgr_until 5 worker "$pid" || kgr_fail "no worker" || return
		tid=$REPLY
		kgr_until 10 kgr_task_asleep "$pid" "$tid" || kgr_fail "the worker is awake"
		start kgr_test_check $model || return
		kgr_until 10 kgr_migrated "$pid" "$tid" ||
			kgr_fail_list "model $model: not migrated"
		finish kgr_test_check || return
		kill -USR1 "$pid"
		kgr_reap "$pid"
		kgr_is_like "result of the read" 'result=1' kgr_output uring
		kgr_remove kgr_test_check || return
	done
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
	kgr_says uring '^submitted=' || return
	kgr_until 5 worker "$pid" || kgr_fail "no worker" || return
	tid=$REPLY
	kgr_until 10 kgr_task_asleep "$pid" "$tid" || kgr_fail "the worker is awake"
	start kgr_test_sleep 0 || return
	kgr_others_migrate "$tid" || return
	kgr_straggler "$tid"; line=$REPLY
	kgr_msg "$line"
	kgr_is "kind" worker kgr_word "$line" kind
	kgr_is "reason" in-patched-function kgr_word "$line" reason
	kgr_is "function" kgr_test_sleep kgr_word "$line" function
	kgr_is "pid" "$pid" kgr_word "$line" pid
	kgr_wake
	kgr_finish kgr_test_sleep 1
	kgr_reap "$pid"
	kgr_is_like "result of the write" 'result=1' kgr_output uring
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
	kgr_says uring '^submitted=' || return
	kgr_falls_asleep "$pid"
	start kgr_test_check 0 || return
	kgr_straggler "$pid"; line=$REPLY
	kgr_msg "$line"
	kgr_is "reason" in-syscall kgr_word "$line" reason
	kgr_is "number of io_uring_enter(2)" 426 kgr_word "$line" syscall
	kgr_set_nudge "$KGR_NUDGE_MS"
	kgr_until 20 kgr_migrated "$pid" || kgr_fail_list "not migrated"
	kill -USR1 "$pid"
	kgr_finish kgr_test_check 1 || return
	kgr_reap "$pid"
	kgr_is_like "result of the read" 'result=1' kgr_output uring
	kgr_remove kgr_test_check
}
kgr_case case_uring_enter "a thread that waits in io_uring_enter"

# Idle CPUs and interrupt levels migrate by themselves, also when nothing runs
# for a while: soon after the start none of them is left.
case_idle()
{
	local pid contexts

	kgr_sleeper sleeper 0 || return
	pid=$REPLY
	kgr_sleep_ms 500
	# Two for each CPU, and every thread but kworkers, which come and go
	kgr_cpus; contexts=$((2 * REPLY))
	lasting_threads; contexts=$((contexts + REPLY))
	start kgr_test_sleep 1 || return
	kgr_is_num "contexts counted" -ge $contexts kgr_get kgr_test_sleep/total
	kgr_until 10 no_cpu_left || kgr_fail_list "left over"
	kgr_only_straggler "$pid" || kgr_fail_list "others left"
	kgr_wake
	kgr_finish kgr_test_sleep 1
	kgr_remove kgr_test_sleep
}

# How many threads there are that stay for a while
lasting_threads()
{
	local dir comm n=0

	for dir in /proc/[0-9]*/task/[0-9]*; do
		read -r comm 2>/dev/null < "$dir/comm" || continue
		[[ $comm == kworker/* ]] || n=$((n + 1))
	done
	REPLY=$n
}

no_cpu_left()
{
	kgr_stragglers
	[[ ! $REPLY =~ kind=(idle|cpu) ]]
}
kgr_case case_idle "idle CPUs and interrupt levels"

# The parent of a vfork waits in a killable sleep that a fake signal doesn't end:
# universe waits for its child, hybrid does not.
case_vfork()
{
	local parent child line

	kgr_spawn vfork "$KGR_DIR/actor" vfork
	parent=$REPLY
	kgr_says vfork '^child=' || return
	kgr_said_word vfork child; child=$REPLY
	kgr_falls_asleep "$parent" D
	kgr_apply kgr_test_check model=1 || return
	kgr_asleep "$parent" D || kgr_fail "hybrid: the parent was woken"
	kgr_remove kgr_test_check || return

	start kgr_test_check 0 || return
	kgr_others_migrate "$parent" || return
	kgr_straggler "$parent"; line=$REPLY
	kgr_msg "$line"
	kgr_is "reason" uninterruptible kgr_word "$line" reason
	kgr_is_like "wchan" '^[a-z_]' kgr_word "$line" wchan
	kgr_nudge "$parent"
	kgr_sleep_ms 200
	kgr_only_straggler "$parent" || kgr_fail "freed by the nudge"
	kill -TERM "$child"
	kgr_finish kgr_test_check 1
	kgr_reap "$parent"
	kgr_is_like "the parent" 'resumed=' kgr_output vfork
	kgr_remove kgr_test_check
}
kgr_case case_vfork "the parent of a vfork"

# A virtual CPU stays in KVM_RUN as long as its guest runs. It is listed as being
# in its guest; the fake signal makes KVM_RUN return with EINTR.
case_vcpu()
{
	local pid

	if [ ! -w /dev/kvm ]; then
		kgr_skip "CONFIG_KVM_AMD and CONFIG_KVM_INTEL are not set, or the CPU can't"
		return
	fi
	kgr_spawn vcpu "$KGR_DIR/vcpu"
	pid=$REPLY
	kgr_says vcpu '^running=' || return
	kgr_sleep_ms 200
	start kgr_test_check 0 || return
	kgr_others_migrate "$pid" || return
	kgr_until 10 in_guest "$pid" || kgr_fail_list "not in its guest"
	kgr_straggler "$pid"; kgr_msg "$REPLY"
	kgr_is "nudge" nudged=1 kgr_nudge "$pid"
	kgr_says vcpu '^returned=EINTR'
	kgr_finish kgr_test_check 1 || return
	kgr_remove kgr_test_check || return
	kgr_apply kgr_test_check model=1 || return
	kgr_remove kgr_test_check
}

# It is at times outside for an instant, for an interrupt
in_guest()
{
	kgr_straggler "$1"
	kgr_word "$REPLY" reason
	[ "$REPLY" = in-guest ]
}
kgr_case case_vcpu "a virtual CPU that runs"

# A thread that has released itself is on no list any more, and still runs kernel
# code: what that belongs to must not be taken away before it is dead.
case_dying()
{
	local pid tid

	kgr_apply kgr_test_exit || return
	kgr_spawn dies "$KGR_DIR/actor" dies
	pid=$REPLY
	kgr_says dies '^dying=' || return
	kgr_said_word dies dying; tid=$REPLY
	kgr_until 10 not_listed "$pid" "$tid" || kgr_fail "it has not released itself" || return
	kgr_is "revert" ok kgr_put 0 $KGR_SYSFS/kgr_test_exit/enabled
	kgr_sleep_ms 1500
	kgr_is "in transition as long as it sleeps" 1 kgr_get kgr_test_exit/transition
	kgr_is_like "unload" '^(EAGAIN|EWOULDBLOCK|EBUSY)' kgr_unload kgr_test_exit
	kgr_wake
	kgr_finish kgr_test_exit 0 || return
	kgr_is "unload" ok kgr_unload kgr_test_exit
	kill -TERM "$pid"
	kgr_reap "$pid" || kgr_fail "its process failed"
}

not_listed()
{
	[ ! -e "/proc/$1/task/$2" ]
}
kgr_case case_dying "a thread on its way out"

# A zombie runs no code any more: it holds nothing up.
case_zombie()
{
	local parent zombie

	kgr_spawn zombie "$KGR_DIR/actor" zombie
	parent=$REPLY
	kgr_says zombie '^zombie=' || return
	kgr_said_word zombie zombie; zombie=$REPLY
	kgr_falls_asleep "$zombie" Z || return
	kgr_apply kgr_test_check model=0 || return
	kgr_remove kgr_test_check
	kgr_asleep "$zombie" Z || kgr_fail "the zombie is gone"
	kill -TERM "$parent"
	kgr_reap "$parent" || kgr_fail "its parent failed"
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
	kgr_straggler "$pid"; line=$REPLY
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

# Now, since a case must leave the list of modules as it was
[ -w /dev/kvm ] || modprobe kvm_amd 2> /dev/null || modprobe kvm_intel 2> /dev/null

kgr_run
