#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Published kGraft's interface, as its users tested it: fifteen patches of
# getpid() in quick succession, each complete within 61 seconds, also under CPU
# load and when memory is short; cumulative ones, of which the last stays.

. "$(dirname "$0")/lib/kgr.sh"

COUNT=15
LIMIT=61
STEP=$((0x1000000))

# pid_is N - getpid() is that of patch N, for us and for the processes that hammer
pid_is()
{
	kgr_eq "getpid" "$BASHPID" $(($$ + $1 * STEP))
}

# load_all [PARAM=VALUE]... - the next one as soon as the one before is complete
load_all()
{
	local n begin slowest=0

	for ((n = 1; n <= COUNT; n++)); do
		kgr_now_ms; begin=$REPLY
		kgr_is "load $n" ok kgr_load "kgr_test_sle$n" "$@" || return
		kgr_wait "kgr_test_sle$n" "$LIMIT" ||
			kgr_fail_list "patch $n is not complete: $REPLY" || return
		kgr_now_ms
		[ $((REPLY - begin)) -le "$slowest" ] || slowest=$((REPLY - begin))
		pid_is "$n"
	done
	kgr_msg "slowest of $COUNT: $slowest ms"
	kgr_is "refs of the first" 1 kgr_get kgr_test_sle1/refs
	kgr_is "refs of the last" 0 kgr_get kgr_test_sle$COUNT/refs
}

# A cumulative patch of something else takes all of them back at once.
remove_all()
{
	local n

	kgr_kill_actors
	kgr_apply kgr_test_many1 replace=1 funs=first || return
	pid_is 0
	for ((n = 1; n <= COUNT; n++)); do
		kgr_is "unload $n" ok kgr_unload "kgr_test_sle$n"
	done
	kgr_remove kgr_test_many1
}

hammers()
{
	local i

	for ((i = 0; i < 2; i++)); do
		kgr_spawn "getpid$i" "$BASH" -c 'while :; do : $BASHPID; done'
	done
}

case_quick()
{
	hammers
	load_all && remove_all
}
kgr_case case_quick "fifteen patches in quick succession"

case_cpu_load()
{
	local i cpus

	hammers
	kgr_cpus; cpus=$REPLY
	for ((i = 0; i < cpus; i++)); do
		kgr_spawn "load$i" "$BASH" -c 'exec cat /dev/urandom > /dev/null'
	done
	load_all && remove_all
}
kgr_case case_cpu_load "fifteen patches under CPU load"

# available - memory that is left, in MiB
available()
{
	REPLY=$(awk '/^MemAvailable/ { print int($2 / 1024) }' /proc/meminfo)
}

# All but this much memory, in MiB, is taken
LEFT=64

case_memory()
{
	local hog=$KGR_TMP/hog i

	mkdir "$hog"
	mount -t tmpfs -o size=100% none "$hog" || return
	# What is taken drives out what was cached: more is available than was left
	for i in 1 2 3 4 5; do
		available
		[ "$REPLY" -gt $((LEFT + 8)) ] || break
		dd if=/dev/zero of="$hog/file$i" bs=1M count=$((REPLY - LEFT)) 2>/dev/null
	done
	available
	kgr_msg "$REPLY MiB are left"
	kgr_num "memory left" "$REPLY" -le $((LEFT + 16))
	kgr_spawn alloc "$BASH" -c 'while :; do printf -v x %4000000d 0; x=; done'
	load_all && remove_all
	umount "$hog"
}
kgr_case case_memory "fifteen patches when memory is short"

# Each takes the place of the one before. Those can go, the last can't.
case_replace_all()
{
	local n

	hammers
	COUNT=5
	for ((n = 1; n <= COUNT; n++)); do
		kgr_apply "kgr_test_sle$n" replace_all=1 || return
		pid_is "$n"
	done
	for ((n = 1; n < COUNT; n++)); do
		kgr_is "unload $n" ok kgr_unload "kgr_test_sle$n"
	done
	kgr_is "unload the last" EAGAIN kgr_unload "kgr_test_sle$COUNT"
	pid_is "$COUNT"
	kgr_remove "kgr_test_sle$COUNT"
	pid_is 0
}
kgr_case case_replace_all "cumulative patches: all but the last can be unloaded"

kgr_run
