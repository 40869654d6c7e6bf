#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Neighbours on ftrace: tracers go on working beside a patch and do not undo it;
# who insists on the same function is refused, with a name.

. "$(dirname "$0")/lib/kgr.sh"

T=$KGR_TRACING

have()
{
	kgr_config "$1" && return
	kgr_skip "$1 is not set"
	return 1
}

trace_begin()
{
	echo 0 > $T/tracing_on
	echo "$2" > $T/set_ftrace_filter || kgr_fail "filter $2"
	echo "$1" > $T/current_tracer || kgr_fail "tracer $1"
	echo > $T/trace
	echo 1 > $T/tracing_on
}

trace_end()
{
	echo 0 > $T/tracing_on
	echo nop > $T/current_tracer
	echo > $T/set_ftrace_filter
	echo > $T/trace
	echo 1 > $T/tracing_on
}

NEW="inner=2 outer=2 first=2 second=2"
OLD="inner=1 outer=1 first=1 second=1"

# The function tracer on the patched functions and on a neighbour, attached before
# and attached after; and both leave in either order.
tracer_and_patch()
{
	trace_begin "$1" "kgr_test_* kgr_test_check"
	kgr_apply kgr_test_pairs || return
	kgr_is "$1 first, then the patch" "$NEW" kgr_versions
	kgr_is_num "traced" -gt 0 kgr_count kgr_test_first $T/trace
	trace_end
	kgr_is "$1 has left" "$NEW" kgr_versions
	trace_begin "$1" "kgr_test_*"
	kgr_is "$1 on a patched function" "$NEW" kgr_versions
	kgr_is_num "traced" -gt 0 kgr_count kgr_test_second $T/trace
	kgr_set kgr_test_pairs 0
	kgr_is "reverted under $1" "$OLD" kgr_versions
	kgr_set kgr_test_pairs 1
	kgr_is "applied under $1" "$NEW" kgr_versions
	echo > $T/trace
	echo 3 > "$KGR_TARGETS/check"
	kgr_is_num "the neighbour is traced" -gt 0 kgr_count kgr_test_check $T/trace
	trace_end
	kgr_remove kgr_test_pairs
	kgr_is "all gone" "$OLD" kgr_versions
}

case_function()
{
	have CONFIG_FUNCTION_TRACER || return
	tracer_and_patch function
	trace_end
}
kgr_case case_function "the function tracer"

case_graph()
{
	have CONFIG_FUNCTION_GRAPH_TRACER || return
	tracer_and_patch function_graph
	trace_end
}
kgr_case case_graph "the graph tracer"

# Under a tracer of everything, consistency holds as without.
case_function_all()
{
	have CONFIG_FUNCTION_TRACER || return
	echo 0 > "$KGR_TARGETS/stats"
	trace_begin function 'kgr_test_*'
	kgr_spawn hammer "$KGR_DIR/hammer" -t 8
	kgr_says hammer '^ready'
	kgr_apply kgr_test_pairs
	kgr_set kgr_test_pairs 0
	kgr_set kgr_test_pairs 1
	trace_end
	kgr_show_stats
	kgr_is "task nested mixed" 0 kgr_stats task nested mixed
	kgr_is "task seq mixed" 0 kgr_stats task seq mixed
	kgr_remove kgr_test_pairs
}
kgr_case case_function_all "consistency under the function tracer"

# Kprobes: on a patched function's entry, and on a neighbour
case_kprobe()
{
	have CONFIG_KPROBE_EVENTS || return
	echo 'p:kgr/entry kgr_test_first' > $T/kprobe_events || kgr_fail "kprobe"
	echo 'r:kgr/ret kgr_test_second' >> $T/kprobe_events || kgr_fail "kretprobe"
	echo 'p:kgr/beside kgr_test_check' >> $T/kprobe_events || kgr_fail "kprobe"
	echo > $T/trace
	echo 1 > $T/events/kgr/enable
	kgr_apply kgr_test_pairs
	kgr_is "kprobes first, then the patch" "$NEW" kgr_versions
	echo 3 > "$KGR_TARGETS/check"
	kgr_is_num "probe at the entry" -gt 0 kgr_count 'entry: ' $T/trace
	kgr_is_num "probe beside" -gt 0 kgr_count 'beside: ' $T/trace
	echo 0 > $T/events/kgr/enable
	kgr_is "probes have left" "$NEW" kgr_versions
	echo 1 > $T/events/kgr/enable
	kgr_is "probes on a patched function" "$NEW" kgr_versions
	kgr_set kgr_test_pairs 0
	kgr_is "reverted under probes" "$OLD" kgr_versions
	echo 0 > $T/events/kgr/enable
	echo > $T/kprobe_events
	echo > $T/trace
	kgr_is "unload" ok kgr_unload kgr_test_pairs
}
kgr_case case_kprobe "kprobes"

klp_done()
{
	kgr_file /sys/kernel/livepatch/kgr_test_klp/transition
	[ "$REPLY" = 0 ]
}

klp_load()
{
	kgr_is "livepatch of $1" ok kgr_load kgr_test_klp func="$1" || return
	kgr_until 60 klp_done || kgr_fail "livepatch: transition does not end"
}

klp_gone()
{
	[ ! -d /sys/kernel/livepatch/kgr_test_klp ]
}

klp_remove()
{
	echo 0 > /sys/kernel/livepatch/kgr_test_klp/enabled
	kgr_until 60 klp_gone || kgr_fail "livepatch: does not revert"
	kgr_until 10 kgr_unloaded kgr_test_klp || kgr_fail "livepatch: can't unload"
}

# A livepatch on another function: both work, whoever comes first, with both
# of their transitions, and kGraft's safe point in cond_resched() beside that of
# livepatch.
case_livepatch_beside()
{
	have CONFIG_LIVEPATCH || return
	klp_load kgr_test_check || return
	kgr_apply kgr_test_pairs || return
	kgr_is "versions" "$NEW" kgr_versions
	klp_remove
	kgr_is "versions" "$NEW" kgr_versions
	klp_load kgr_test_check || return
	kgr_remove kgr_test_pairs
	kgr_is "versions" "$OLD" kgr_versions
	klp_remove
}
kgr_case case_livepatch_beside "a livepatch of another function"

case_livepatch_same_time()
{
	have CONFIG_LIVEPATCH || return
	kgr_sleeper sleeper 0 || return
	kgr_set_nudge 0
	kgr_is "kgraft's transition begins" ok kgr_load kgr_test_sleep model=1 || return
	echo 3000 > "$KGR_TARGETS/kbusy"
	kgr_is "livepatch's begins" ok kgr_load kgr_test_klp
	kgr_until 60 klp_done || kgr_fail "livepatch: transition does not end"
	kgr_is "in_progress" 1 kgr_get in_progress
	kgr_wake
	kgr_nudge
	kgr_finish kgr_test_sleep 1
	kgr_remove kgr_test_sleep
	klp_remove
}
kgr_case case_livepatch_same_time "transitions of livepatch and kGraft at a time"

# On one function: who comes second is refused, and who was first is named.
case_livepatch_first()
{
	have CONFIG_LIVEPATCH || return
	klp_load kgr_test_first || return
	kgr_is "version" 3 kgr_version first
	kgr_is "kgraft after livepatch" EBUSY kgr_load kgr_test_pairs
	kgr_is_num "messages that name the function" -gt 0 kgr_logged "kgraft: .*kgr_test_first"
	kgr_is "version" 3 kgr_version first
	kgr_is "other functions" "inner=1 outer=1 first=3 second=1" kgr_versions
	klp_remove
	kgr_apply kgr_test_pairs || return
	kgr_remove kgr_test_pairs
}
kgr_case case_livepatch_first "livepatch holds the function"

case_livepatch_second()
{
	have CONFIG_LIVEPATCH || return
	kgr_apply kgr_test_pairs || return
	kgr_is "livepatch after kgraft" EBUSY kgr_load kgr_test_klp func=kgr_test_first
	kgr_is "versions" "$NEW" kgr_versions
	kgr_remove kgr_test_pairs
	klp_load kgr_test_first || return
	klp_remove
}
kgr_case case_livepatch_second "kGraft holds the function"

# ftrace switched off by sysctl must not switch the patch off
case_ftrace_enabled()
{
	local file=/proc/sys/kernel/ftrace_enabled

	kgr_apply kgr_test_pairs || return
	echo 0 > $file 2> /dev/null
	kgr_is "after writing 0 to ftrace_enabled" "$NEW" kgr_versions
	echo 1 > $file
	kgr_remove kgr_test_pairs
}
kgr_case case_ftrace_enabled "ftrace can't be switched off below a patch"

kgr_run
