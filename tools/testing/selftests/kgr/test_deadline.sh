#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Deadlines: a transition that takes too long is announced, with who is left and
# why, and kept or reversed. Nobody is nudged here.

. "$(dirname "$0")/lib/kgr.sh"

P=$KGR_SYSFS/kgr_test_sleep
TIMED_OUT='^timed out after [0-9]+ ms, 1 context left: in-patched-function 1$'

# begin [PARAM=VALUE]... - a sleeper in the function, a patch on its way; PID
begin()
{
	kgr_set_nudge 0
	kgr_sleeper sleeper 0 || return
	PID=$REPLY
	kgr_is "load" ok kgr_load kgr_test_sleep "$@"
}

has_reason()
{
	kgr_get kgr_test_sleep/reason
	[ -n "$REPLY" ]
}

# One that was nudged may be on its way back to sleep: wake it until it has ended
release()
{
	kgr_until 30 kgr_is_dead "$PID" || kgr_fail "the sleeper has not ended"
	kgr_reap "$PID"
}

# The sleeper is on the list of those who were left
was_left()
{
	kgr_straggler "$PID"
	kgr_msg "$REPLY"
	kgr_is "past" 1 kgr_word "$REPLY" past
	kgr_straggler "$PID"
	kgr_is "reason of the straggler" in-patched-function kgr_word "$REPLY" reason
}

# keep: says so once, and goes on. The reason stays until the next transition.
case_keep()
{
	begin model=1 timeout_ms=300 || return
	kgr_is "timeout" 300 kgr_get kgr_test_sleep/timeout
	kgr_is "on_timeout" keep kgr_get kgr_test_sleep/on_timeout
	kgr_is "reason before" "" kgr_get kgr_test_sleep/reason
	kgr_until 10 has_reason || kgr_fail "it does not time out" || return
	kgr_is_like "reason" "$TIMED_OUT" kgr_get kgr_test_sleep/reason
	kgr_sleep_ms 700
	kgr_is "transition" 1 kgr_get kgr_test_sleep/transition
	kgr_is "enabled" 1 kgr_get kgr_test_sleep/enabled
	kgr_is "log" 1 kgr_logged "kgr_test_sleep': patching timed out after [0-9]+ ms, 1 context left: in-patched-function 1"
	release
	kgr_finish kgr_test_sleep 1
	kgr_is_like "reason afterwards" "$TIMED_OUT" kgr_get kgr_test_sleep/reason
	kgr_set kgr_test_sleep 0
	kgr_is "reason of the next transition" "" kgr_get kgr_test_sleep/reason
	kgr_is "unload" ok kgr_unload kgr_test_sleep
}
kgr_case case_keep "keep: announced, and goes on"

# revert: everybody back, under each model
case_revert()
{
	local model

	for model in 0 1 2; do
		begin model=$model timeout_ms=400 on_timeout=1 || return
		kgr_is "on_timeout" revert kgr_get kgr_test_sleep/on_timeout
		kgr_is "what a newcomer runs" 2 kgr_version first
		kgr_until 20 has_reason || kgr_fail "it does not time out" || return
		kgr_is "enabled" 0 kgr_get kgr_test_sleep/enabled
		kgr_is_like "reason" 'in-patched-function 1' kgr_get kgr_test_sleep/reason
		kgr_is "log" 1 kgr_logged "kgr_test_sleep': patching timed out after"
		kgr_is "log" 1 kgr_logged "kgr_test_sleep': reversed, reverting now"
		kgr_nudge
		kgr_finish kgr_test_sleep 0
		kgr_is "what a newcomer runs" 1 kgr_version first
		was_left
		kgr_is_like "reason afterwards" 'in-patched-function 1' \
			kgr_get kgr_test_sleep/reason
		release
		kgr_is "unload" ok kgr_unload kgr_test_sleep
		kgr_ask mark "kgr-selftest $$: next model"
	done
}
kgr_case case_revert "revert: announced, and reversed, under each model"

# A revert has a deadline as well; reversed, the patch is applied.
case_revert_reversed()
{
	kgr_apply kgr_test_sleep model=1 timeout_ms=400 on_timeout=1 || return
	kgr_set_nudge 0
	kgr_sleeper sleeper 0 || return
	PID=$REPLY
	kgr_is "revert" ok kgr_put 1 "$P/revert"
	kgr_until 10 has_reason || kgr_fail "it does not time out" || return
	kgr_finish kgr_test_sleep 1
	kgr_is_like "reason" "$TIMED_OUT" kgr_get kgr_test_sleep/reason
	kgr_is "log" 1 kgr_logged "kgr_test_sleep': reverting timed out after"
	release
	kgr_remove kgr_test_sleep
}
kgr_case case_revert_reversed "a revert that times out leaves the patch applied"

# Set, put off and taken away while the transition runs. A deadline that is over
# when it is set takes effect at once; what has timed out once can do so again.
case_changed()
{
	local begin

	begin model=1 || return
	kgr_is "timeout" 0 kgr_get kgr_test_sleep/timeout
	kgr_is "set" ok kgr_put 600 "$P/timeout"
	kgr_is "put off" ok kgr_put 600000 "$P/timeout"
	kgr_sleep_ms 900
	kgr_is "reason, put off" "" kgr_get kgr_test_sleep/reason
	kgr_is "taken away" ok kgr_put 0 "$P/timeout"
	kgr_sleep_ms 100
	kgr_is "reason, taken away" "" kgr_get kgr_test_sleep/reason
	kgr_is "over already" ok kgr_put 1 "$P/timeout"
	kgr_until 5 has_reason || kgr_fail "it does not time out"
	kgr_is "transition" 1 kgr_get kgr_test_sleep/transition
	kgr_now_ms; begin=$REPLY
	kgr_is "on_timeout" ok kgr_put revert "$P/on_timeout"
	kgr_sleep_ms 100
	kgr_is "transition" 1 kgr_get kgr_test_sleep/transition
	kgr_is "again" ok kgr_put 2 "$P/timeout"
	kgr_finish kgr_test_sleep 0
	kgr_is "what a newcomer runs" 1 kgr_version first
	release
	kgr_is "unload" ok kgr_unload kgr_test_sleep
}
kgr_case case_changed "a deadline can be changed while the transition runs"

# A transition that is complete in time has no reason, and none later.
case_in_time()
{
	kgr_apply kgr_test_sleep model=1 timeout_ms=700 on_timeout=1 || return
	kgr_sleep_ms 900
	kgr_is "reason" "" kgr_get kgr_test_sleep/reason
	kgr_is "enabled" 1 kgr_get kgr_test_sleep/enabled
	kgr_remove kgr_test_sleep
}
kgr_case case_in_time "a deadline that is met does nothing"

# The defaults of the host are for patches that have none of their own.
case_defaults()
{
	kgr_is "timeout_ms" 0 kgr_get timeout_ms
	kgr_is "on_timeout" keep kgr_get on_timeout
	kgr_is "no number" EINVAL kgr_put never "$KGR_SYSFS/timeout_ms"
	kgr_is "no action" EINVAL kgr_put stop "$KGR_SYSFS/on_timeout"
	kgr_is "timeout_ms" ok kgr_put 70000 "$KGR_SYSFS/timeout_ms"
	kgr_is "on_timeout" ok kgr_put revert "$KGR_SYSFS/on_timeout"
	kgr_apply kgr_test_sleep model=1 || return
	kgr_is "timeout" 70000 kgr_get kgr_test_sleep/timeout
	kgr_is "on_timeout" revert kgr_get kgr_test_sleep/on_timeout
	kgr_is "no number" EINVAL kgr_put -1 "$P/timeout"
	kgr_is "no action" EINVAL kgr_put maybe "$P/on_timeout"
	kgr_remove kgr_test_sleep
	kgr_apply kgr_test_sleep model=1 timeout_ms=80000 on_timeout=0 || return
	kgr_is "timeout of its own" 80000 kgr_get kgr_test_sleep/timeout
	kgr_is "on_timeout of its own" keep kgr_get kgr_test_sleep/on_timeout
	kgr_remove kgr_test_sleep
	kgr_put 0 "$KGR_SYSFS/timeout_ms"
	kgr_put keep "$KGR_SYSFS/on_timeout"
	kgr_apply kgr_test_sleep model=3 || return
	kgr_is "timeout of quiesce" 10000 kgr_get kgr_test_sleep/timeout
	kgr_is "on_timeout of quiesce" revert kgr_get kgr_test_sleep/on_timeout
	kgr_is "keep under quiesce" EINVAL kgr_put keep "$P/on_timeout"
	kgr_remove kgr_test_sleep
	kgr_is "unknown on_timeout" EINVAL kgr_load kgr_test_sleep on_timeout=7
}
kgr_case case_defaults "defaults, and what is refused"

kgr_run
