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
	echo 0 > $KGR_SYSFS/nudge_delay_ms
	kgr_eq "load" "$(kgr_load kgr_test_sleep model="$3")" ok
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
	kgr_eq "what a newcomer runs at once" "$(kgr_version first)" 2
	kgr_others_migrate "$PID" || return
	kgr_pending "$PID" || kgr_fail "the sleeper has migrated"
	line=$(kgr_straggler "$PID")
	kgr_msg "$line"
	kgr_eq "reason" "$(kgr_word "$line" reason)" in-patched-function
	kgr_eq "kind" "$(kgr_word "$line" kind)" user
	kgr_eq "function" "$(kgr_word "$line" function)" kgr_test_sleep
	kgr_num "offset" "$(($(kgr_word "$line" offset)))" -gt 0
	kgr_match "caller" "$(kgr_word "$line" caller)" '^[a-z_.0-9]+\+0x'
	kgr_eq "patch" "$(kgr_word "$line" patch)" kgr_test_sleep
	kgr_eq "comm" "$(kgr_word "$line" comm)" actor
	age=$(kgr_word "$line" age_ms)
	sleep 0.3
	kgr_num "age" "$(kgr_word "$(kgr_straggler "$PID")" age_ms)" -gt $((age + 250))
	kgr_eq "in_progress" "$(kgr_get in_progress)" 1
	kgr_eq "nudge" "$(kgr_nudge "$PID")" nudged=1
	kgr_finish kgr_test_sleep 1
	kgr_num "signals sent" "$(kgr_get kgr_test_sleep/nudges/signal)" -ge 1
	kgr_until 5 kgr_asleep "$PID" S || kgr_fail "it does not sleep again"
	kgr_eq "output of the sleeper" "$(kgr_output sleeper)" "sleeping=$PID"
	kgr_eq "revert" "$(kgr_put 0 $KGR_SYSFS/kgr_test_sleep/enabled)" ok
	kgr_eq "what a newcomer runs after the revert" "$(kgr_version first)" 1
	kgr_others_migrate "$PID" || return
	line=$(kgr_straggler "$PID")
	kgr_msg "$line"
	kgr_eq "reason in the revert" "$(kgr_word "$line" reason)" in-patched-function
	kgr_eq "function in the revert" "$(kgr_word "$line" function)" new_sleep
	kgr_wake
	kgr_finish kgr_test_sleep 0
	kgr_reap "$PID"
	kgr_match "output of the sleeper" "$(kgr_output sleeper)" 'woken=ok'
	kgr_eq "unload" "$(kgr_unload kgr_test_sleep)" ok
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
	kgr_eq "what everybody runs" "$(kgr_version first)" 2
	kgr_eq "transition" "$(kgr_get kgr_test_sleep/transition)" 1
	kgr_eq "reason" "$(kgr_word "$(kgr_straggler "$PID")" reason)" in-patched-function
	kgr_wake
	kgr_nudge > /dev/null
	kgr_finish kgr_test_sleep 1
	kgr_remove kgr_test_sleep
}
kgr_case case_immediate "immediate: completion waits for a sleeper in the function"

# A thread that stays within one system call sees old code in all the calls it
# makes from there, long after newcomers run the new. Its next system call sees
# the new.
case_sees_old()
{
	local before stats

	echo 0 > $KGR_SYSFS/nudge_delay_ms
	kgr_spawn long "$KGR_DIR/hammer" -t 1 -w "seq 400"
	kgr_until 10 kgr_said long '^ready' || kgr_fail "the hammer did not start" || return
	sleep 0.1
	kgr_eq "load" "$(kgr_load kgr_test_pairs)" ok || return
	echo 0 > "$KGR_TARGETS/stats"
	kgr_eq "a newcomer" "$(cat "$KGR_TARGETS/version")" "inner=2 outer=2 first=2 second=2"
	kgr_until 10 saw_seq old 50 || kgr_fail "the thread does not see old code"
	kgr_eq "a newcomer" "$(cat "$KGR_TARGETS/version")" "inner=2 outer=2 first=2 second=2"
	kgr_eq "transition" "$(kgr_get kgr_test_pairs/transition)" 1
	kgr_eq "new seen in its system call" "$(seq_count new)" 0
	kgr_until 20 saw_seq new 1 || kgr_fail "the thread does not see new code"
	kgr_nudge > /dev/null
	kgr_finish kgr_test_pairs 1
	kgr_eq "mixed" "$(seq_count mixed)" 0
	kgr_remove kgr_test_pairs
}

seq_count() { kgr_word "$(grep '^task seq ' "$KGR_TARGETS/stats")" "$1"; }
saw_seq() { [ "$(seq_count "$1")" -ge "$2" ]; }
kgr_case case_sees_old "a thread sees old code until its system call ends"

# Automatic nudging after nudge_delay_ms, not before
case_automatic()
{
	local begin

	kgr_sleeper sleeper 0 || return
	echo 700 > $KGR_SYSFS/nudge_delay_ms
	kgr_now_ms; begin=$REPLY
	kgr_eq "load" "$(kgr_load kgr_test_sleep model=1)" ok
	kgr_finish kgr_test_sleep 1 || return
	kgr_now_ms
	kgr_msg "complete after $((REPLY - begin)) ms"
	kgr_num "time to completion" $((REPLY - begin)) -ge 600
	kgr_num "signals sent" "$(kgr_get kgr_test_sleep/nudges/signal)" -ge 1
	kgr_wake
	kgr_remove kgr_test_sleep
}
kgr_case case_automatic "stragglers are nudged after the delay"

# With a delay of 0 never: the transition stays where it is.
case_never()
{
	begin sleeper 0 1 || return
	sleep 1.5
	kgr_eq "signals sent" "$(kgr_get kgr_test_sleep/nudges/signal)" 0
	kgr_eq "transition" "$(kgr_get kgr_test_sleep/transition)" 1
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
	kgr_eq "version" "$(kgr_version first)" 2
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
	kgr_eq "reason" "$(kgr_word "$(kgr_straggler "$PID")" reason)" in-patched-function
	kgr_nudge "$PID" > /dev/null
	sleep 0.3
	kgr_only_straggler "$PID" || kgr_fail "the nudge has freed it: $(kgr_stragglers)"
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
	echo 0 > $KGR_SYSFS/nudge_delay_ms
	kgr_eq "load" "$(kgr_load kgr_test_pairs model=0)" ok || return
	kgr_others_migrate "$PID" || return
	line=$(kgr_straggler "$PID")
	kgr_msg "$line"
	kgr_eq "reason" "$(kgr_word "$line" reason)" uninterruptible
	kgr_match "wchan" "$(kgr_word "$line" wchan)" '^[a-z_]'
	kgr_wake
	kgr_finish kgr_test_pairs 1 || return
	kgr_remove kgr_test_pairs

	kgr_sleeper sleeper2 hold || return
	kgr_apply kgr_test_sleep model=1 || return
	kgr_asleep "$REPLY" D || kgr_fail "hybrid: it was woken"
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
	kgr_until 10 kgr_asleep "$pid" S || kgr_fail "not asleep" || return
	echo 0 > $KGR_SYSFS/nudge_delay_ms
	kgr_eq "load" "$(kgr_load kgr_test_check model=0)" ok || return
	sleep 0.2
	kgr_others_migrate "$pid" || return
	line=$(kgr_straggler "$pid")
	kgr_msg "$line"
	kgr_eq "reason" "$(kgr_word "$line" reason)" in-syscall
	kgr_eq "number of read(2)" "$(kgr_word "$line" syscall)" 0
	kgr_eq "nudge" "$(kgr_nudge "$pid")" nudged=1
	kgr_finish kgr_test_check 1 || return
	kgr_eq "second nudge" "$(kgr_nudge "$pid")" EAGAIN
	kgr_asleep "$pid" S || kgr_fail "read(2) has not been restarted"
	kgr_eq "output of the reader" "$(kgr_output pipe)" "reading=$pid"
	kgr_remove kgr_test_check
	kgr_apply kgr_test_check model=1 || return
	kgr_eq "signals sent under hybrid" "$(kgr_get kgr_test_check/nudges/signal)" 0
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
	kgr_eq "one that has migrated" "$(kgr_nudge "$other")" EALREADY
	kgr_eq "one that is not there" "$(kgr_nudge 4000000)" ESRCH
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
	echo 0 > $KGR_SYSFS/nudge_delay_ms
	kgr_eq "load" "$(kgr_load kgr_test_sleep model=1)" ok || return
	kgr_eq "listed" "$(kgr_stragglers | grep -c reason=in-patched-function)" "$n"
	kgr_num "nudged" "$(kgr_word "$(kgr_nudge)" nudged)" -ge "$n"
	kgr_finish kgr_test_sleep 1
	kgr_wake
	kgr_remove kgr_test_sleep
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
