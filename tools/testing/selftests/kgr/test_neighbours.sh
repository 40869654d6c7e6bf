#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Who else can be on a function, and what happens when a patch meets it there: each
# kind of neighbour, attached before the patch and after it. Either both work, or
# who comes second is refused, with a message that names who was first. Never is
# there a wrong variant.

. "$(dirname "$0")/lib/kgr.sh"

T=$KGR_TRACING
FUNCTION=kgr_test_first
NEW=2

# Kinds: NAME_on attaches and returns whether it could, NAME_off detaches, NAME_calls
# has in REPLY how often it was called. NAME_runs is the version that a neighbour
# brings itself, if it does. Names of those who hold the instruction pointer are in
# HOLDER, by kind.

declare -A HOLDER=(
	[livepatch]=klp_ftrace_handler
	[kprobe_post]=kprobe_ftrace_handler
	[fail_function]=kprobe_ftrace_handler
	[ops_ipmodify]='kgr_neighbour_ops.*\[kgr_test_neighbour\]'
)

needs()
{
	case $1 in
	function) REPLY=CONFIG_FUNCTION_TRACER ;;
	graph) REPLY=CONFIG_FUNCTION_GRAPH_TRACER ;;
	fprobe*) REPLY=CONFIG_FPROBE_EVENTS ;;
	livepatch) REPLY=CONFIG_LIVEPATCH ;;
	fail_function) REPLY=CONFIG_FAIL_FUNCTION ;;
	*) REPLY=CONFIG_KPROBE_EVENTS ;;
	esac
	kgr_config "$REPLY" && return
	kgr_skip "$REPLY is not set"
	return 1
}

# A probe by tracefs: kprobes, kretprobes, fprobes
event_on()
{
	echo "$1" >> $T/dynamic_events || return
	echo 1 > $T/events/kgr/t/enable && return
	echo "-:kgr/t" >> $T/dynamic_events
	return 1
}

event_off()
{
	echo 0 > $T/events/kgr/t/enable
	echo "-:kgr/t" >> $T/dynamic_events
}

trace_calls()
{
	kgr_count "$1" $T/trace
}

kprobe_on()		{ event_on "p:kgr/t $FUNCTION"; }
kprobe_off()		{ event_off; }
kprobe_calls()		{ trace_calls ' t: \('; }
kretprobe_on()		{ event_on "r:kgr/t $FUNCTION"; }
kretprobe_off()		{ event_off; }
kretprobe_calls()	{ trace_calls ' t: \('; }
fprobe_on()		{ event_on "f:kgr/t $FUNCTION"; }
fprobe_off()		{ event_off; }
fprobe_calls()		{ trace_calls ' t: \('; }
fprobe_exit_on()	{ event_on "f:kgr/t $FUNCTION%return"; }
fprobe_exit_off()	{ event_off; }
fprobe_exit_calls()	{ trace_calls ' t: \('; }

tracer_on()
{
	echo $FUNCTION > $T/set_ftrace_filter && echo "$1" > $T/current_tracer
}

tracer_off()
{
	echo nop > $T/current_tracer
	echo > $T/set_ftrace_filter
}

function_on()		{ tracer_on function; }
function_off()		{ tracer_off; }
function_calls()	{ trace_calls "$FUNCTION <-"; }
graph_on()		{ tracer_on function_graph; }
graph_off()		{ tracer_off; }
graph_calls()		{ trace_calls "$FUNCTION\(\)"; }

module_on()
{
	kgr_load kgr_test_neighbour kind="$1" func=$FUNCTION
	REFUSAL=$REPLY
	[ "$REPLY" = ok ]
}

module_off()
{
	kgr_until 10 kgr_unloaded kgr_test_neighbour || kgr_fail "can't unload the neighbour"
}

module_calls()
{
	kgr_file /sys/module/kgr_test_neighbour/parameters/calls
}

ops_on()		{ module_on ops; }
ops_off()		{ module_off; }
ops_calls()		{ module_calls; }
ops_regs_on()		{ module_on ops_regs; }
ops_regs_off()		{ module_off; }
ops_regs_calls()	{ module_calls; }
ops_ipmodify_on()	{ module_on ops_ipmodify; }
ops_ipmodify_off()	{ module_off; }
ops_ipmodify_calls()	{ module_calls; }
kprobe_post_on()	{ module_on kprobe_post; }
kprobe_post_off()	{ module_off; }
kprobe_post_calls()	{ module_calls; }

livepatch_done()
{
	kgr_file /sys/kernel/livepatch/kgr_test_klp/transition
	[ "$REPLY" = 0 ]
}

livepatch_on()
{
	kgr_load kgr_test_klp func=$FUNCTION
	[ "$REPLY" = ok ] || return
	kgr_until 60 livepatch_done
}

livepatch_off()
{
	echo 0 > /sys/kernel/livepatch/kgr_test_klp/enabled
	kgr_until 60 test ! -d /sys/kernel/livepatch/kgr_test_klp ||
		kgr_fail "livepatch does not revert"
	kgr_until 10 kgr_unloaded kgr_test_klp || kgr_fail "livepatch can't be unloaded"
}

livepatch_calls()
{
	REPLY=$((CALLS += 1))
}

# The function is made to return -22
fail_function_on()
{
	local dir=/sys/kernel/debug/fail_function

	# shellcheck disable=SC2320 # it is echo's that is wanted
	echo $FUNCTION > $dir/inject || return
	echo 0xffffffffffffffea > $dir/$FUNCTION/retval
	echo -1 > $dir/times
	echo 0 > $dir/verbose
	echo 100 > $dir/probability
}

fail_function_off()
{
	echo 0 > /sys/kernel/debug/fail_function/probability
	echo "!$FUNCTION" > /sys/kernel/debug/fail_function/inject
}

fail_function_calls()
{
	REPLY=$((CALLS += 1))
}

# runs VERSION - a call gets this version, and the neighbour has seen the call
runs()
{
	local before

	echo > $T/trace
	"${KIND}_calls"; before=$REPLY
	kgr_is "$KIND, $PHASE: version" "$1" kgr_version first
	"${KIND}_calls"
	kgr_num "$KIND, $PHASE: calls it has seen" "$REPLY" -gt "$before"
}

# refused HOLDER - a message says which function it is and who holds it
refused()
{
	kgr_logged "kgraft: .*$FUNCTION.*$1"
	kgr_num "$KIND, $PHASE: messages that name $1" "$REPLY" -gt 0
}

# own KIND - version that this neighbour makes callers get
own()
{
	case $1 in
	livepatch) REPLY=3 ;;
	fail_function) REPLY=-22 ;;
	*) REPLY=1 ;;
	esac
}

# first KIND share|refuse - the neighbour is there when the patch comes
first()
{
	KIND=$1
	PHASE="attached before"
	own "$1"; local own=$REPLY
	"$1_on" || { kgr_fail "$1, $PHASE: can't be attached"; return 1; }
	runs "$own"
	kgr_load kgr_test_pairs
	if [ "$2" = refuse ]; then
		kgr_eq "$1, $PHASE: loading the patch" "$REPLY" EBUSY
		refused "${HOLDER[$1]}"
		runs "$own"
		"$1_off"
		return
	fi
	kgr_eq "$1, $PHASE: loading the patch" "$REPLY" ok
	kgr_finish kgr_test_pairs 1 || return
	runs $NEW
	"$1_off"
	PHASE="attached before, gone"
	kgr_is "$1, $PHASE: version" $NEW kgr_version first
	kgr_remove kgr_test_pairs
	kgr_is "$1, $PHASE: version without the patch" 1 kgr_version first
}

# second KIND share|refuse - the patch is there when the neighbour comes
second()
{
	KIND=$1
	PHASE="attached after"
	kgr_apply kgr_test_pairs || return
	if [ "$2" = refuse ]; then
		! "$1_on" 2> /dev/null || kgr_fail "$1, $PHASE: was not refused"
		refused "patch 'kgr_test_pairs'"
		kgr_is "$1, $PHASE: version" $NEW kgr_version first
		kgr_remove kgr_test_pairs
		return
	fi
	"$1_on" || { kgr_fail "$1, $PHASE: can't be attached"; return 1; }
	runs $NEW
	kgr_set kgr_test_pairs 0 || return
	PHASE="attached after, reverted beside"
	runs 1
	kgr_set kgr_test_pairs 1 || return
	PHASE="attached after, applied beside"
	runs $NEW
	"$1_off"
	kgr_is "$1, gone: version" $NEW kgr_version first
	kgr_remove kgr_test_pairs
}

# kind NAME share|refuse - one row of the matrix
kind()
{
	needs "$1" || return
	CALLS=0
	first "$1" "$2"
	second "$1" "$2"
	kgr_is "$1: in the end" 1 kgr_version first
}

# One case for each kind: name, what is expected
while read -r name expected title; do
	eval "case_$name() { kind $name $expected; }"
	kgr_case "case_$name" "$title: ${expected/share/both work}"
done <<- 'MATRIX'
	function	share	the function tracer
	graph		share	the graph tracer
	kprobe		share	a kprobe
	kretprobe	share	a kretprobe
	fprobe		share	an fprobe
	fprobe_exit	share	an fprobe at the exit
	ops		share	a callback of ftrace
	ops_regs	share	a callback of ftrace that wants registers
	kprobe_post	refuse	a kprobe with a post_handler
	fail_function	refuse	fail_function
	ops_ipmodify	refuse	a callback of ftrace that changes where to go
	livepatch	refuse	a livepatch
MATRIX

kgr_run
