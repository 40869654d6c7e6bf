#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Functions of modules: kgr_test_target is there before the patch, comes later,
# goes and comes back, also while a transition runs.

. "$(dirname "$0")/lib/kgr.sh"

TARGET=/sys/kernel/debug/kgraft_test_target

load_target()
{
	kgr_is "load the target" ok kgr_load kgr_test_target "$@"
}

unload_target()
{
	kgr_is "unload the target" ok kgr_unload kgr_test_target
}

# target FUNCTION - what it returns
target()
{
	kgr_file $TARGET/version
	kgr_word "$REPLY" "$1"
}

# init_sees N, exit_sees N - what the module itself has got
init_sees()
{
	kgr_is_num "init sees $1" -gt 0 kgr_logged "kgr_test_target: init sees $1\$"
}

exit_sees()
{
	kgr_is_num "exit sees $1" -gt 0 kgr_logged "kgr_test_target: exit sees $1\$"
}

redirected()
{
	grep -q "$1" $KGR_TRACING/enabled_functions
}

case_before()
{
	load_target || return
	kgr_apply kgr_test_many1 funs=value,first || return
	kgr_is "value" 11 target value
	kgr_is "other" 1 target other
	kgr_is "state" 2 kgr_state kgr_test_many1 kgr_target_value
	kgr_remove kgr_test_many1
	kgr_is "value" 1 target value
	kgr_is "used" 0 kgr_file /sys/module/kgr_test_target/refcnt
	unload_target
	exit_sees 1
}
kgr_case case_before "a module that is loaded already"

case_after()
{
	kgr_apply kgr_test_many1 funs=value,first || return
	kgr_is "state before" 5 kgr_state kgr_test_many1 kgr_target_value
	kgr_is "state of the other" 2 kgr_state kgr_test_many1 kgr_test_first
	load_target || return
	init_sees 11
	kgr_is "value" 11 target value
	kgr_is "state" 2 kgr_state kgr_test_many1 kgr_target_value
	unload_target
	exit_sees 11
	! redirected kgr_target || kgr_fail "still redirected"
	kgr_is "state after" 5 kgr_state kgr_test_many1 kgr_target_value
	load_target || return
	kgr_is "value when it is back" 11 target value
	kgr_remove kgr_test_many1
	kgr_is "value at last" 1 target value
}
kgr_case case_after "a module that comes later, goes and comes back"

# Reverted while it is away, and applied again: it comes back as it was, and is
# patched then.
case_away()
{
	load_target || return
	kgr_apply kgr_test_many1 funs=value,first || return
	unload_target
	kgr_set kgr_test_many1 0 || return
	load_target || return
	init_sees 1
	kgr_is "value" 1 target value
	kgr_set kgr_test_many1 1 || return
	kgr_is "value" 11 target value
	unload_target
	kgr_is "unload the patch" EAGAIN kgr_unload kgr_test_many1
	kgr_set kgr_test_many1 0 || return
	kgr_is "unload the patch" ok kgr_unload kgr_test_many1
	load_target
	kgr_is "value" 1 target value
}
kgr_case case_away "a patch that is reverted while the module is away"

# Asleep in the module's function, or in what replaced it: both hold things up, and
# keep the module from going.
case_held()
{
	local pid

	load_target || return
	kgr_spawn old "$BASH" -c 'echo 0 > "$0"; echo done' $TARGET/sleep
	pid=$REPLY
	kgr_falls_asleep "$pid" S || return
	kgr_set_nudge 0
	kgr_is "load" ok kgr_load kgr_test_many1 funs=first,tsleep model=1 || return
	kgr_until 5 kgr_is_straggler "$pid" || kgr_fail "no straggler"
	kgr_is_like "straggler" 'reason=in-patched-function .*function=kgr_target_sleep ' \
		kgr_straggler "$pid"
	kgr_is "unload the target" EAGAIN kgr_unload kgr_test_target
	kgr_wake
	kgr_finish kgr_test_many1 1 || return
	kgr_ends "$pid"
	kgr_spawn new "$BASH" -c 'echo 0 > "$0"; echo done' $TARGET/sleep
	pid=$REPLY
	kgr_falls_asleep "$pid" S || return
	kgr_is "unload the target" EAGAIN kgr_unload kgr_test_target
	kgr_is "revert" ok kgr_put 0 $KGR_SYSFS/kgr_test_many1/enabled
	kgr_is_like "straggler" 'reason=in-patched-function .*function=new_sleep ' \
		kgr_straggler "$pid"
	kgr_wake
	kgr_finish kgr_test_many1 0 || return
	kgr_ends "$pid"
	unload_target
}
kgr_case case_held "somebody is asleep in a function of the module"

# Stacked and replaced, before and after it comes
case_stack()
{
	kgr_apply kgr_test_many1 funs=value,other || return
	kgr_apply kgr_test_many2 funs=value || return
	load_target || return
	kgr_is "value" 12 target value
	kgr_is "other" 11 target other
	kgr_is "refs" 1 kgr_get kgr_test_many1/refs
	kgr_remove kgr_test_many2
	kgr_is "value" 11 target value
	kgr_apply kgr_test_many2 funs=value replace=1 || return
	kgr_is "value" 12 target value
	kgr_is "other, taken back" 1 target other
	kgr_is "unload the replaced one" ok kgr_unload kgr_test_many1
	unload_target
	load_target || return
	kgr_is "value" 12 target value
	kgr_is "other" 1 target other
}
kgr_case case_stack "stacked and replaced"

# Positions count the functions of the module's text in ascending order.
case_position()
{
	load_target || return
	kgr_is_like "both" 'dup=1 dup2=101 ' kgr_file $TARGET/version
	kgr_is "ambiguous" EINVAL kgr_load kgr_test_many1 funs=anydup
	kgr_apply kgr_test_many1 funs=dup || return
	kgr_is_like "the one" '(dup=11 dup2=101|dup=1 dup2=11) ' kgr_file $TARGET/version
	kgr_apply kgr_test_many2 funs=dup2 || return
	kgr_is_like "both" '(dup=11 dup2=12|dup=12 dup2=11) ' kgr_file $TARGET/version
	unload_target
	load_target || return
	kgr_is_like "again" '(dup=11 dup2=12|dup=12 dup2=11) ' kgr_file $TARGET/version
}
kgr_case case_position "namesakes in a module"

# A function that is not there: the patch is refused when the module is, the
# module when the patch is, unless force_load_module says otherwise.
case_missing()
{
	load_target || return
	kgr_ask snapshot refuse
	kgr_is "the patch" ENOENT kgr_load kgr_test_many1 funs=first,value,missing
	kgr_ask compare refuse
	[ -z "$REPLY" ] || kgr_fail "left behind:" "$REPLY"
	unload_target
	kgr_apply kgr_test_many1 funs=first,value || return
	kgr_apply kgr_test_many2 funs=value,missing || return
	kgr_ask snapshot refuse
	kgr_is "the module" ENOENT kgr_load kgr_test_target
	kgr_ask compare refuse
	[ -z "$REPLY" ] || kgr_fail "left behind:" "$REPLY"
	kgr_is_num "messages" -gt 0 kgr_logged "kgraft: module 'kgr_test_target': .*not inserted"
	kgr_is "init has run the first time only" 1 kgr_logged 'kgr_test_target: init'
	echo 1 > $KGR_SYSFS/force_load_module
	load_target
	echo 0 > $KGR_SYSFS/force_load_module
	kgr_is "value" 1 target value
	kgr_is "state" 5 kgr_state kgr_test_many1 kgr_target_value
	unload_target
	kgr_remove kgr_test_many2
	load_target
	kgr_is "value" 11 target value
}
kgr_case case_missing "a function that the module does not have"

# Its init fails: nothing of it is left.
case_init_fails()
{
	kgr_apply kgr_test_many1 funs=first,value || return
	kgr_ask snapshot refuse
	kgr_is "load" EIO kgr_load kgr_test_target fail=1
	kgr_ask compare refuse
	[ -z "$REPLY" ] || kgr_fail "left behind:" "$REPLY"
	init_sees 11
	kgr_is "state" 5 kgr_state kgr_test_many1 kgr_target_value
	load_target
	kgr_is "value" 11 target value
}
kgr_case case_init_fails "a module whose init fails"

# Its name as in file names
case_dash()
{
	kgr_is "a dash" EINVAL kgr_load kgr_test_many1 funs=first,dash
	kgr_is_num "messages" -gt 0 kgr_logged "no module is called 'kgr-test-target'"
}
kgr_case case_dash "a name that no module has"

# It comes and goes while a sleeper in a function of the patch holds a transition
# up, one that is reversed, applied again and reverted.
coming()
{
	local pid

	kgr_sleeper sleeper 0 || return
	pid=$REPLY
	kgr_set_nudge 0
	kgr_is "load" ok kgr_load kgr_test_many1 funs=sleep,first,value model="$1" || return
	kgr_until 5 kgr_is_straggler "$pid" || kgr_fail "no straggler"
	load_target || return
	kgr_is "state" 1 kgr_state kgr_test_many1 kgr_target_value
	kgr_is "value" 11 target value
	unload_target
	kgr_is "state" 5 kgr_state kgr_test_many1 kgr_target_value
	load_target || return
	kgr_is "reverse" ok kgr_put 0 $KGR_SYSFS/kgr_test_many1/enabled
	kgr_set_nudge "$KGR_NUDGE_MS"
	kgr_finish kgr_test_many1 0 || return
	kgr_is "value, reversed" 1 target value
	kgr_falls_asleep "$pid" S
	unload_target
	kgr_set_nudge 0
	kgr_is "apply" ok kgr_put 1 $KGR_SYSFS/kgr_test_many1/enabled || return
	kgr_until 5 kgr_is_straggler "$pid" || kgr_fail "no straggler"
	load_target || return
	kgr_wake
	kgr_set_nudge "$KGR_NUDGE_MS"
	kgr_finish kgr_test_many1 1 || return
	kgr_ends "$pid"
	kgr_is "value" 11 target value
	kgr_sleeper sleeper2 0 || return
	pid=$REPLY
	unload_target
	kgr_set_nudge 0
	kgr_is "revert" ok kgr_put 0 $KGR_SYSFS/kgr_test_many1/enabled || return
	kgr_until 5 kgr_is_straggler "$pid" || kgr_fail "no straggler"
	load_target || return
	kgr_is "state" 3 kgr_state kgr_test_many1 kgr_target_value
	kgr_is "value" 1 target value
	kgr_wake
	kgr_set_nudge "$KGR_NUDGE_MS"
	kgr_finish kgr_test_many1 0
	kgr_ends "$pid"
}

case_coming_universe() { coming 0; }
case_coming_hybrid() { coming 1; }
case_coming_immediate() { coming 2; }
kgr_case case_coming_universe "it comes and goes while a transition runs: universe"
kgr_case case_coming_hybrid "it comes and goes while a transition runs: hybrid"
kgr_case case_coming_immediate "it comes and goes while a transition runs: immediate"

# holder_sees N - somebody who has slept through the coming of the module, and has not
# migrated, calls its function before the system call ends.
holder_sees()
{
	kgr_wake
	kgr_set_nudge "$KGR_NUDGE_MS"
	kgr_finish kgr_test_many1 "$2" || return
	kgr_ends "$HOLDER"
	kgr_is "messages: the holder sees $1" 1 kgr_logged "kgr_test: hold sees $1\$"
}

hold()
{
	kgr_sleeper "$1" hold || return
	HOLDER=$REPLY
	kgr_set_nudge 0
}

# Meanwhile everybody else gets the other one.
case_coming_between()
{
	hold before || return
	kgr_is "load" ok kgr_load kgr_test_many1 funs=first,value || return
	kgr_until 5 kgr_is_straggler "$HOLDER" || kgr_fail "no straggler"
	load_target || return
	init_sees 11
	kgr_is "value" 11 target value
	holder_sees 1 1
	unload_target
	hold after || return
	kgr_is "revert" ok kgr_put 0 $KGR_SYSFS/kgr_test_many1/enabled || return
	kgr_until 5 kgr_is_straggler "$HOLDER" || kgr_fail "no straggler"
	load_target || return
	init_sees 1
	kgr_is "value" 1 target value
	holder_sees 11 0
}
kgr_case case_coming_between "it comes while a transition runs, between old and new"

# While others are replaced it brings functions that are taken back.
case_coming_replace()
{
	local pid

	kgr_apply kgr_test_many1 funs=sleep,value,other || return
	kgr_sleeper sleeper 0 || return
	pid=$REPLY
	kgr_set_nudge 0
	kgr_is "load" ok kgr_load kgr_test_many2 funs=first,value replace=1 || return
	kgr_until 5 kgr_is_straggler "$pid" || kgr_fail "no straggler"
	load_target || return
	kgr_is "value" 12 target value
	kgr_is "other" 1 target other
	kgr_is "reverse" ok kgr_put 0 $KGR_SYSFS/kgr_test_many2/enabled
	kgr_set_nudge "$KGR_NUDGE_MS"
	kgr_finish kgr_test_many2 0 || return
	kgr_is "value" 11 target value
	kgr_is "other" 11 target other
	kgr_set_nudge 0
	kgr_is "apply" ok kgr_put 1 $KGR_SYSFS/kgr_test_many2/enabled || return
	unload_target
	load_target || return
	kgr_wake
	kgr_set_nudge "$KGR_NUDGE_MS"
	kgr_finish kgr_test_many2 1 || return
	kgr_ends "$pid"
	kgr_is "value" 12 target value
	kgr_is "other" 1 target other
	! redirected kgr_target_other || kgr_fail "what was taken back is redirected"
}
kgr_case case_coming_replace "it comes while others are replaced"

# Consistency between the kernel's functions and the module's, under load, while
# the patch comes and goes.
case_consistency()
{
	local i

	load_target || return
	for ((i = 0; i < 8; i++)); do
		kgr_spawn "hammer$i" "$BASH" -c 'while :; do echo 2 > "$0"; done' $TARGET/run
	done
	kgr_apply kgr_test_many1 funs=first,value || return
	kgr_cycles kgr_test_many1 "$KGR_REPS" || return
	kgr_kill_actors
	kgr_file $TARGET/stats; kgr_msg "$REPLY"
	kgr_word "$REPLY" mixed; kgr_eq "mixed" "$REPLY" 0
	kgr_file $TARGET/stats; kgr_word "$REPLY" old; kgr_num "old" "$REPLY" -gt 0
	kgr_file $TARGET/stats; kgr_word "$REPLY" new; kgr_num "new" "$REPLY" -gt 0
	unload_target
}
kgr_case case_consistency "functions of the kernel and of a module agree"

# churned N - has an init function got this?
churned()
{
	kgr_logged "kgr_test_target: init sees $1\$"
	[ "$REPLY" -gt 0 ]
}

# Loaded and unloaded without a pause while the patch goes back and forth, for a
# while, and until it has come at a time of either kind.
case_churn()
{
	local i pid

	kgr_spawn churn "$BASH" -c \
		'until [ -e "$1" ]; do insmod "$0" && rmmod kgr_test_target; done' \
		"$KGR_MODULES/kgr_test_target.ko" "$KGR_TMP/enough"
	pid=$REPLY
	kgr_apply kgr_test_many1 funs=first,value || return
	kgr_cycles kgr_test_many1 "$KGR_REPS" || return
	for ((i = 0; i < 20; i++)); do
		! churned 1 || ! churned 11 || break
		kgr_cycles kgr_test_many1 1 100 || return
	done
	: > "$KGR_TMP/enough"
	kgr_reap "$pid"
	churned 1 || kgr_fail "it never came unpatched"
	churned 11 || kgr_fail "it never came patched"
}
kgr_case case_churn "a module that comes and goes while patches do"

kgr_run
