#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Stragglers: threads asleep where they can't migrate. They hold up completion
# and nobody else, are listed with a reason, and can be freed.

. "$(dirname "$0")/lib/kgr.sh"

# begin NAME HOW MODEL - a sleeper in the function, a patch on its way; PID
begin()
{
	kgr_sleeper "$1" "$2" || return
	PID=$REPLY
	kgr_set_nudge 0
	kgr_is "load" ok kgr_load kgr_test_sleep model="$3"
}

# A thread asleep in the patched function, interruptibly. The rest of the
# system runs new code before it wakes; it alone has not migrated; the list has
# it with the function's name, the place in it, its caller, and a growing age.
# A nudge ends the sleep and with it the transition. write(2) is restarted, so
# that it sleeps again, now in the new body: a revert has to wait for it.
sleeper_is_listed()
{
	local line age

	begin sleeper 0 "$1" || return
	kgr_is "what a newcomer runs at once" 2 kgr_version first
	kgr_others_migrate "$PID" || return
	kgr_pending "$PID" || kgr_fail "the sleeper has migrated"
	kgr_straggler "$PID"; line=$REPLY
	kgr_msg "$line"
	kgr_is "reason" in-patched-function kgr_word "$line" reason
	kgr_is "kind" user kgr_word "$line" kind
	kgr_is "function" kgr_test_sleep kgr_word "$line" function
	kgr_is_like "offset" '^0x[1-9a-f]' kgr_word "$line" offset
	kgr_is_like "caller" '^[a-z_.0-9]+\+0x' kgr_word "$line" caller
	kgr_is "patch" kgr_test_sleep kgr_word "$line" patch
	kgr_is "comm" actor kgr_word "$line" comm
	kgr_word "$line" age_ms; age=$REPLY
	kgr_sleep_ms 300
	kgr_straggler "$PID"
	kgr_is_num "age" -gt $((age + 250)) kgr_word "$REPLY" age_ms
	kgr_is "in_progress" 1 kgr_get in_progress
	kgr_is "nudge" nudged=1 kgr_nudge "$PID"
	kgr_finish kgr_test_sleep 1
	kgr_is_num "signals sent" -ge 1 kgr_get kgr_test_sleep/nudges/signal
	kgr_falls_asleep "$PID" S
	kgr_is "output of the sleeper" "sleeping=$PID" kgr_output sleeper
	kgr_is "revert" ok kgr_put 0 $KGR_SYSFS/kgr_test_sleep/enabled
	kgr_is "what a newcomer runs after the revert" 1 kgr_version first
	kgr_others_migrate "$PID" || return
	kgr_straggler "$PID"; line=$REPLY
	kgr_msg "$line"
	kgr_is "reason in the revert" in-patched-function kgr_word "$line" reason
	kgr_is "function in the revert" new_sleep kgr_word "$line" function
	kgr_wake
	kgr_finish kgr_test_sleep 0
	kgr_reap "$PID"
	kgr_is_like "output of the sleeper" 'woken=ok' kgr_output sleeper
	kgr_is "unload" ok kgr_unload kgr_test_sleep
}

case_universe() { sleeper_is_listed 0; }
case_hybrid() { sleeper_is_listed 1; }
kgr_case case_universe "a sleeper in the function is listed and nudged: universe"
kgr_case case_hybrid "a sleeper in the function is listed and nudged: hybrid"

# Under immediate nobody waits to run new code, but completion still means that
# nobody is left in old code.
case_immediate()
{
	begin sleeper 0 2 || return
	kgr_is "what everybody runs" 2 kgr_version first
	kgr_is "transition" 1 kgr_get kgr_test_sleep/transition
	kgr_straggler "$PID"; kgr_is "reason" in-patched-function kgr_word "$REPLY" reason
	kgr_wake
	kgr_nudge
	kgr_finish kgr_test_sleep 1
	kgr_remove kgr_test_sleep
}
kgr_case case_immediate "immediate: completion waits for a sleeper in the function"

# A thread that stays within one system call sees old code in all the calls it
# makes from there, long after newcomers run the new. Its next system call sees
# the new.
case_sees_old()
{
	kgr_set_nudge 0
	kgr_spawn long "$KGR_DIR/hammer" -t 1 -w "seq 400"
	kgr_says long '^ready' || return
	kgr_sleep_ms 100
	kgr_is "load" ok kgr_load kgr_test_pairs || return
	echo 0 > "$KGR_TARGETS/stats"
	kgr_is "a newcomer" "inner=2 outer=2 first=2 second=2" kgr_versions
	kgr_until 10 saw_seq old 50 || kgr_fail "the thread does not see old code"
	kgr_is "a newcomer" "inner=2 outer=2 first=2 second=2" kgr_versions
	kgr_is "transition" 1 kgr_get kgr_test_pairs/transition
	kgr_is "new seen in its system call" 0 kgr_stats task seq new
	kgr_until 20 saw_seq new 1 || kgr_fail "the thread does not see new code"
	kgr_nudge
	kgr_finish kgr_test_pairs 1
	kgr_is "mixed" 0 kgr_stats task seq mixed
	kgr_remove kgr_test_pairs
}

# saw_seq NAME COUNT
saw_seq()
{
	kgr_stats task seq "$1"
	[ "$REPLY" -ge "$2" ]
}
kgr_case case_sees_old "a thread sees old code until its system call ends"

# Automatic nudging after nudge_delay_ms, not before
case_automatic()
{
	local begin

	kgr_sleeper sleeper 0 || return
	kgr_set_nudge 700
	kgr_now_ms; begin=$REPLY
	kgr_is "load" ok kgr_load kgr_test_sleep model=1
	kgr_finish kgr_test_sleep 1 || return
	kgr_now_ms
	kgr_msg "complete after $((REPLY - begin)) ms"
	kgr_num "time to completion" $((REPLY - begin)) -ge 600
	kgr_is_num "signals sent" -ge 1 kgr_get kgr_test_sleep/nudges/signal
	kgr_wake
	kgr_remove kgr_test_sleep
}
kgr_case case_automatic "stragglers are nudged after the delay"

# With a delay of 0 never: the transition stays where it is.
case_never()
{
	begin sleeper 0 1 || return
	kgr_sleep_ms 1500
	kgr_is "signals sent" 0 kgr_get kgr_test_sleep/nudges/signal
	kgr_is "transition" 1 kgr_get kgr_test_sleep/transition
	kgr_is_straggler "$PID" || kgr_fail "the sleeper is not listed"
	kgr_asleep "$PID" || kgr_fail "the sleeper is awake"
	kgr_wake
	kgr_finish kgr_test_sleep 1
	kgr_remove kgr_test_sleep
}
kgr_case case_never "a delay of 0 means never"

# SIGKILL: a straggler that dies is a straggler less.
killed()
{
	begin sleeper "$1" 0 || return
	kgr_others_migrate "$PID" || return
	kgr_kill "$PID"
	kgr_finish kgr_test_sleep 1
	kgr_is "version" 2 kgr_version first
	kgr_remove kgr_test_sleep
}

case_kill_interruptible() { killed 0; }
case_kill_killable() { killed 2; }
kgr_case case_kill_interruptible "kill -9 of an interruptible straggler"
kgr_case case_kill_killable "kill -9 of a killable straggler"

# Uninterruptibly asleep in the function: neither nudge nor signal helps, the
# list says where it is; what it waits for frees it.
case_uninterruptible()
{
	begin sleeper 1 0 || return
	kgr_others_migrate "$PID" || return
	kgr_asleep "$PID" D || kgr_fail "not in state D"
	kgr_straggler "$PID"; kgr_is "reason" in-patched-function kgr_word "$REPLY" reason
	kgr_nudge "$PID"
	kgr_sleep_ms 300
	kgr_only_straggler "$PID" || kgr_fail_list "the nudge has freed it"
	kgr_wake
	kgr_finish kgr_test_sleep 1
	kgr_remove kgr_test_sleep
}
kgr_case case_uninterruptible "uninterruptible in the function: only a wake helps"

# Uninterruptibly asleep outside of the function: held under universe, as uninterruptible and
# with the function it sleeps in; of no consequence under hybrid.
case_uninterruptible_elsewhere()
{
	local line

	kgr_sleeper sleeper hold || return
	PID=$REPLY
	kgr_set_nudge 0
	kgr_is "load" ok kgr_load kgr_test_pairs model=0 || return
	kgr_others_migrate "$PID" || return
	kgr_straggler "$PID"; line=$REPLY
	kgr_msg "$line"
	kgr_is "reason" uninterruptible kgr_word "$line" reason
	kgr_is_like "wchan" '^[a-z_]' kgr_word "$line" wchan
	kgr_wake
	kgr_finish kgr_test_pairs 1 || return
	kgr_remove kgr_test_pairs

	kgr_sleeper sleeper2 hold || return
	PID=$REPLY
	kgr_apply kgr_test_sleep model=1 || return
	kgr_asleep "$PID" D || kgr_fail "hybrid: it was woken"
	kgr_remove kgr_test_sleep
}
kgr_case case_uninterruptible_elsewhere "uninterruptible elsewhere: universe waits, hybrid does not"

# Asleep in a system call that has nothing to do with the patch: listed with
# its number under universe, migrated where it is under hybrid.
case_in_syscall()
{
	local line pid

	kgr_spawn pipe "$KGR_DIR/actor" pipe
	pid=$REPLY
	kgr_falls_asleep "$pid" S || return
	kgr_set_nudge 0
	kgr_is "load" ok kgr_load kgr_test_check model=0 || return
	kgr_sleep_ms 200
	kgr_others_migrate "$pid" || return
	kgr_straggler "$pid"; line=$REPLY
	kgr_msg "$line"
	kgr_is "reason" in-syscall kgr_word "$line" reason
	kgr_is "number of read(2)" 0 kgr_word "$line" syscall
	kgr_is "nudge" nudged=1 kgr_nudge "$pid"
	kgr_finish kgr_test_check 1 || return
	kgr_is "second nudge" EAGAIN kgr_nudge "$pid"
	kgr_asleep "$pid" S || kgr_fail "read(2) has not been restarted"
	kgr_is "output of the reader" "reading=$pid" kgr_output pipe
	kgr_remove kgr_test_check
	# which has set it; a slow host may need longer than that
	kgr_set_nudge 0
	kgr_apply kgr_test_check model=1 || return
	kgr_is "signals sent under hybrid" 0 kgr_get kgr_test_check/nudges/signal
	kgr_remove kgr_test_check
}
kgr_case case_in_syscall "asleep in another system call"

# The errors of the nudge request
case_nudge_errors()
{
	local other

	kgr_spawn spin "$KGR_DIR/actor" spin
	other=$REPLY
	begin sleeper 0 1 || return
	kgr_until 5 kgr_migrated "$other" || kgr_fail "the spinner has not migrated"
	kgr_is "one that has migrated" EALREADY kgr_nudge "$other"
	kgr_is "one that is not there" ESRCH kgr_nudge 4000000
	kgr_wake
	kgr_finish kgr_test_sleep 1
	kgr_remove kgr_test_sleep
}
kgr_case case_nudge_errors "whom one can't nudge"

# Many stragglers at a time: all are listed, one nudge of all frees them.
case_many()
{
	local i n=100

	for ((i = 0; i < n; i++)); do
		kgr_spawn "many" "$KGR_DIR/actor" sleep 0
	done
	kgr_until 20 many_asleep || kgr_fail "they did not fall asleep" || return
	kgr_set_nudge 0
	kgr_is "load" ok kgr_load kgr_test_sleep model=1 || return
	kgr_is "listed" "$n" in_function
	kgr_nudge
	kgr_is_num "nudged" -ge "$n" kgr_word "$REPLY" nudged
	kgr_finish kgr_test_sleep 1
	kgr_wake
	kgr_remove kgr_test_sleep
}

# How many are listed as being in the function
in_function()
{
	local line n=0

	kgr_stragglers
	while read -r line; do
		[[ $line != *" reason=in-patched-function "* ]] || n=$((n + 1))
	done <<< "$REPLY"
	REPLY=$n
}

many_asleep()
{
	local pid

	for pid in "${KGR_PIDS[@]}"; do
		kgr_asleep "$pid" S || return 1
	done
}
kgr_case case_many "a hundred stragglers"

kgr_run
