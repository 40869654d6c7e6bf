#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Whatever fails, the call says so and the system is as before. Each operation is
# repeated with its first allocation failing, then its second, until there is
# nothing left to fail; and with each of its steps failing by fail_function. After
# each failure sysfs, enabled_functions and the modules with their reference counts
# are compared with what they were.
#
# A load of a module takes long where all is watched: KGR_FAULTS=1 lets each allocation
# fail, N every Nth one, the first of them at random.

. "$(dirname "$0")/lib/kgr.sh"

FAILSLAB=/sys/kernel/debug/failslab
FAILFUNC=/sys/kernel/debug/fail_function
P=$KGR_SYSFS/kgr_test_faults
OLD="inner=1 outer=1 first=1 second=1"
FAULTS="inner=1 outer=1 first=2 second=2"
NTH_MAX=2000
FIRST=$((RANDOM % KGR_FAULTS + 1))

have()
{
	kgr_config "$1" && return
	kgr_skip "$1 is not set"
	return 1
}

slab_begin()
{
	have CONFIG_FAILSLAB || return
	# Also those that may sleep; without a stack trace for each
	echo N > $FAILSLAB/ignore-gfp-wait
	echo 0 > $FAILSLAB/verbose
	kgr_expect_shortage
}

# as_before WHAT - the system is what it was at the last snapshot
as_before()
{
	kgr_ask compare refuse
	[ -z "$REPLY" ] || kgr_fail "$1: not as before:" "$REPLY"
}

# Operations: do it with the Nth allocation failing. RESULT is "ok" or the name of the
# error, LEFT how many more allocations it would have taken until one failed.

op_load()
{
	kgr_load kgr_test_faults nth="$1" replace="${REPLACE:-0}"
	RESULT=$REPLY
	LEFT=0
	[ "$RESULT" != ok ] || kgr_file /sys/module/kgr_test_faults/parameters/left
	[ "$RESULT" != ok ] || LEFT=$REPLY
}

# op_fault COMMAND N ARG... - by the agent
op_fault()
{
	kgr_ask "$@"
	LEFT=$REPLY
	kgr_word "$LEFT" result; RESULT=$REPLY
	kgr_word "$LEFT" left; LEFT=$REPLY
}

op_revert()
{
	op_fault fault_put "$1" 0 $P/enabled
}

op_apply()
{
	op_fault fault_put "$1" 1 $P/enabled
}

op_target()
{
	local params=/sys/module/kgr_test_late/parameters

	echo "$1" > $params/nth
	kgr_ask load "$TARGET"
	RESULT=$REPLY
	kgr_file $params/left
	LEFT=$REPLY
}

# What takes an operation back

undo_load()
{
	kgr_finish kgr_test_faults 1
	kgr_remove kgr_test_faults
}

undo_revert()
{
	kgr_finish kgr_test_faults 0
	kgr_set kgr_test_faults 1
}

undo_apply()
{
	kgr_finish kgr_test_faults 1
	kgr_set kgr_test_faults 0
}

undo_replace()
{
	undo_load
	kgr_set kgr_test_pairs 1
}

undo_target()
{
	# An allocation that did not matter may not have left it half patched
	kgr_is "the target's version" 200 kgr_file $KGR_TARGETS/kgr_test_target/table
	kgr_is "unload the target" ok kgr_unload kgr_test_target
}

# nth_fails OPERATION UNDO - with N = 1, 2, ..., or as KGR_FAULTS has it. An
# allocation that fails has to make the call fail with ENOMEM, or not to matter: then
# UNDO takes back what has been done all the same. The first call in which nothing had
# to fail has to succeed.
nth_fails()
{
	local n failed=0 ignored=0

	for ((n = FIRST; n < NTH_MAX; n += KGR_FAULTS)); do
		kgr_ask snapshot refuse
		$1 $n
		if [ "$LEFT" != 0 ]; then
			kgr_eq "$1 without a failure" "$RESULT" ok
			kgr_msg "$1: $failed allocations made it fail, $ignored did not ($FIRST, every $KGR_FAULTS)"
			kgr_num "$1: failures" $failed -gt 0
			return
		fi
		if [ "$RESULT" = ok ]; then
			ignored=$((ignored + 1))
			$2 || return
			continue
		fi
		failed=$((failed + 1))
		kgr_eq "$1: allocation $n" "$RESULT" ENOMEM || return
		as_before "$1: allocation $n failed" || return
	done
	kgr_fail "$1: no end after $n allocations"
}

# function_fails OPERATION UNDO - with each function of kGraft that may be made to
# fail failing. Those that are called by the operation have to make it fail; they
# are added to REACHED.
function_fails()
{
	local name

	for name in "${FUNCTIONS[@]}"; do
		kgr_ask snapshot refuse
		echo "$name" > $FAILFUNC/inject || return
		echo 0xfffffffffffffff0 > "$FAILFUNC/$name/retval"	# EBUSY
		echo 100 > $FAILFUNC/probability
		$1 0
		echo 0 > $FAILFUNC/probability
		echo "!$name" > $FAILFUNC/inject
		if [ "$RESULT" = ok ]; then
			$2 || return
			continue
		fi
		REACHED+=" $name"
		kgr_eq "$1: $name failed" "$RESULT" EBUSY || return
		as_before "$1: $name failed" || return
	done
}

# Where the probe is a breakpoint, fail_function asks for a random number, and that
# takes a lock, in what lockdep takes for an NMI: those without an ftrace entry are
# left out then. What they return is what an allocation of theirs that fails, or a
# neighbour in the way, makes them return in other cases.
may_fail()
{
	if kgr_config CONFIG_PROVE_LOCKING; then
		grep -xF -f <(sed 's/ .*//' "$KGR_TRACING/available_filter_functions")
	else
		cat
	fi
}

functions_begin()
{
	have CONFIG_FAIL_FUNCTION || return
	mapfile -t FUNCTIONS < <(sed -nE '/^kgr_test_/d; s/^((arch_)?kgr_[a-z_]*)\s.*/\1/p' \
		/sys/kernel/debug/error_injection/list | may_fail)
	kgr_num "functions that may be made to fail" ${#FUNCTIONS[@]} -ge 8 || return
	REACHED=
	echo -1 > $FAILFUNC/times
	echo 1 > $FAILFUNC/interval
	echo N > $FAILFUNC/task-filter
	echo 0 > $FAILFUNC/verbose
}

case_load()
{
	slab_begin || return
	nth_fails op_load undo_load
	kgr_finish kgr_test_faults 1
	kgr_is "applied in the end" "$FAULTS" kgr_versions
	kgr_remove kgr_test_faults
	kgr_is "reverted in the end" "$OLD" kgr_versions
}
kgr_case case_load "an allocation fails while a patch is loaded"

case_revert()
{
	slab_begin || return
	kgr_apply kgr_test_faults || return
	nth_fails op_revert undo_revert
	kgr_finish kgr_test_faults 0
	kgr_is "reverted in the end" "$OLD" kgr_versions
	nth_fails op_apply undo_apply
	kgr_finish kgr_test_faults 1
	kgr_is "applied in the end" "$FAULTS" kgr_versions
	kgr_remove kgr_test_faults
}
kgr_case case_revert "an allocation fails while it is reverted, and applied again"

# A reversal that fails leaves the transition its direction, and able to complete
case_reverse()
{
	local n failed=0

	slab_begin || return
	kgr_sleeper sleeper 0 || return
	kgr_set_nudge 0
	kgr_is "load" ok kgr_load kgr_test_sleep model=1 || return
	for ((n = 1; n < NTH_MAX; n++)); do
		op_fault fault_put $n 0 $KGR_SYSFS/kgr_test_sleep/enabled
		[ "$LEFT" = 0 ] || break
		if [ "$RESULT" = ok ]; then
			# It did not matter, as kmemleak's own don't: back again
			kgr_is "reversed again" ok kgr_put 1 $KGR_SYSFS/kgr_test_sleep/enabled || return
			continue
		fi
		failed=$((failed + 1))
		kgr_eq "allocation $n" "$RESULT" ENOMEM || return
		kgr_is "still being applied" 1 kgr_get kgr_test_sleep/enabled
		kgr_is "still in transition" 1 kgr_get kgr_test_sleep/transition
	done
	kgr_msg "$failed allocations made it fail, $((n - 1 - failed)) did not"
	kgr_num "failures" $failed -gt 0
	kgr_finish kgr_test_sleep 0
	kgr_is "unload" ok kgr_unload kgr_test_sleep
}
kgr_case case_reverse "an allocation fails while a transition is reversed"

case_replace()
{
	local REPLACE=1

	slab_begin || return
	kgr_apply kgr_test_pairs || return
	nth_fails op_load undo_replace
	kgr_finish kgr_test_faults 1
	kgr_is "replaced in the end" "$FAULTS" kgr_versions
	kgr_is "the earlier one" 0 kgr_get kgr_test_pairs/enabled
	kgr_remove kgr_test_faults
	kgr_is "unload the earlier one" ok kgr_unload kgr_test_pairs
}
kgr_case case_replace "an allocation fails while a patch is replaced"

target_begin()
{
	have CONFIG_KGRAFT_TEST_TARGET || return
	TARGET=$(modinfo -n kgr_test_target)
	kgr_apply kgr_test_late "$@"
}

case_late()
{
	slab_begin && target_begin arm=1 || return
	nth_fails op_target undo_target
	undo_target
	kgr_remove kgr_test_late
}
kgr_case case_late "an allocation fails while a module comes that is to be patched"

# Every step that can fail does so in one operation at least
case_functions()
{
	local name REPLACE

	functions_begin || return
	function_fails op_load undo_load || return
	kgr_load kgr_test_faults; kgr_finish kgr_test_faults 1 || return
	function_fails op_revert undo_revert || return
	kgr_set kgr_test_faults 0
	function_fails op_apply undo_apply || return
	kgr_is "unload" ok kgr_unload kgr_test_faults
	kgr_apply kgr_test_pairs || return
	REPLACE=1
	function_fails op_load undo_replace || return
	kgr_remove kgr_test_pairs
	target_begin || return
	function_fails op_target undo_target || return
	kgr_remove kgr_test_late
	for name in "${FUNCTIONS[@]}"; do
		[[ " $REACHED " == *" $name "* ]] || kgr_fail "$name has made nothing fail"
	done
	kgr_msg "${#FUNCTIONS[@]} functions: ${FUNCTIONS[*]}"
}
kgr_case case_functions "each step fails in turn"

kgr_run
