#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What stands at the entry of a patched function: a jump while kGraft is alone
# there, a stub during a transition, a call when others are attached; and that each
# of them comes to the same decision. Cases that need jumps are skipped where the
# kernel was told not to use them.

. "$(dirname "$0")/lib/kgr.sh"

T=$KGR_TRACING
NEW="inner=2 outer=2 first=2 second=2"
OLD="inner=1 outer=1 first=1 second=1"

# redirect PATCH FUNCTION - what stands at its entry
redirect()
{
	kgr_get "$1/redirect"
	kgr_line "$REPLY" "$2 "
	REPLY=${REPLY##* }
}

# enabled_line FUNCTION - what ftrace says about it
enabled_line()
{
	REPLY=$(grep "^$1 " "$T/enabled_functions")
}

# enabled_lines - how many functions ftrace has users of
enabled_lines()
{
	REPLY=$(grep -c . "$T/enabled_functions")
}

stubs()
{
	REPLY=$(grep -c ' kgr_stub_' /proc/kallsyms)
}

need_jumps()
{
	kgr_jumps && return
	kgr_skip "redirects are calls in this kernel (kgraft.redirect=)"
	return 1
}

# hold - begin a transition that a sleeper holds up: $1 is the model
hold()
{
	kgr_set_nudge 0
	kgr_sleeper sleeper 0 || return
	SLEEPER=$REPLY
	kgr_is "load" ok kgr_load kgr_test_cost model="$1" || return
	kgr_others_migrate "$SLEEPER"
}

release()
{
	kgr_wake
	kgr_nudge
	kgr_finish kgr_test_cost "$1"
}

# In a transition a stub, then a jump into the new body, nothing at last; sysfs,
# ftrace and kallsyms agree about it.
case_forms()
{
	need_jumps || return
	hold 1 || return
	kgr_is "in transition" stub redirect kgr_test_cost kgr_test_first
	kgr_is_like "in transition" 'jmp-->kgr_stub_kgr_test_first' enabled_line kgr_test_first
	kgr_is "stubs" 4 stubs
	release 1
	kgr_is "applied" jmp redirect kgr_test_cost kgr_test_first
	kgr_is_like "applied" 'jmp-->new_first\+0x[04]/.*\[kgr_test_cost\]' enabled_line kgr_test_first
	kgr_set kgr_test_cost 0
	kgr_is "reverted" none redirect kgr_test_cost kgr_test_first
	kgr_is "reverted" "" enabled_line kgr_test_first
	kgr_is "unload" ok kgr_unload kgr_test_cost
	kgr_is "stubs after unloading" 0 stubs
}
kgr_case case_forms "a stub in transition, a jump to the new body, nothing at last"

# With kgraft.redirect=handler every call is decided anew; the setting counts from
# the next transition on, in both directions.
case_forced()
{
	local was

	kgr_file $KGR_FORM; was=$REPLY
	echo handler > $KGR_FORM
	kgr_apply kgr_test_pairs
	kgr_is "handler" handler redirect kgr_test_pairs kgr_test_first
	kgr_is "stubs" 0 stubs
	kgr_is "versions" "$NEW" kgr_versions
	kgr_set kgr_test_pairs 0
	echo jmp > $KGR_FORM
	kgr_set kgr_test_pairs 1
	kgr_is "jmp" jmp redirect kgr_test_pairs kgr_test_first
	kgr_is "versions" "$NEW" kgr_versions
	kgr_eq "nonsense" "$(echo nonsense 2>&1 > $KGR_FORM | grep -c Invalid)" 1
	kgr_set kgr_test_pairs 0
	kgr_is "versions" "$OLD" kgr_versions
	kgr_is "unload" ok kgr_unload kgr_test_pairs
	echo "$was" > $KGR_FORM
}
kgr_case case_forced "the form can be forced"

# A patch on top of another, the form changed in between: jumps become calls and
# calls jumps, without a moment at which callers get something else.
case_form_changes()
{
	local was form

	kgr_file $KGR_FORM; was=$REPLY
	kgr_spawn hammer "$KGR_DIR/hammer" -t 4
	kgr_says hammer '^ready'
	echo 0 > "$KGR_TARGETS/stats"
	echo jmp > $KGR_FORM
	kgr_apply kgr_test_pairs
	for form in handler jmp handler jmp; do
		echo $form > $KGR_FORM
		kgr_apply kgr_test_sleep
		kgr_is "on top" $form redirect kgr_test_sleep kgr_test_first
		kgr_remove kgr_test_sleep
		kgr_is "versions" "$NEW" kgr_versions
	done
	kgr_is "task nested old" 0 kgr_stats_after_apply
	kgr_is "task seq mixed" 0 kgr_stats task seq mixed
	kgr_remove kgr_test_pairs
	echo "$was" > $KGR_FORM
}

kgr_stats_after_apply()
{
	kgr_is "task nested mixed" 0 kgr_stats task nested mixed
	echo 0 > "$KGR_TARGETS/stats"
	kgr_sleep_ms 200
	kgr_stats task nested old
}
kgr_case case_form_changes "from jumps to calls and back below a second patch"

# Another user makes the site a call; it is a jump again when that has left.
case_shared()
{
	need_jumps || return
	kgr_config CONFIG_FUNCTION_TRACER || { kgr_skip "CONFIG_FUNCTION_TRACER is not set"; return; }
	kgr_apply kgr_test_pairs
	kgr_is "alone" jmp redirect kgr_test_pairs kgr_test_first
	echo kgr_test_first > $T/set_ftrace_filter
	echo function > $T/current_tracer
	kgr_is "shared" handler redirect kgr_test_pairs kgr_test_first
	kgr_is "beside" jmp redirect kgr_test_pairs kgr_test_second
	kgr_is "versions" "$NEW" kgr_versions
	kgr_is_num "traced" -gt 0 kgr_count kgr_test_first $T/trace
	echo nop > $T/current_tracer
	echo > $T/set_ftrace_filter
	kgr_is "alone again" jmp redirect kgr_test_pairs kgr_test_first
	kgr_is "versions" "$NEW" kgr_versions
	kgr_remove kgr_test_pairs
}
kgr_case case_shared "a call while somebody else is attached"

# truth WHAT - every row of the table: what is wanted, what kgr_redirect_target()
# says and what a call shows are the same
truth()
{
	local line rows=0

	kgr_file "$KGR_TARGETS/truth"
	[ -n "$REPLY" ] || { kgr_fail "$1: no table"; return; }
	while IFS= read -r line; do
		[[ $line =~ wanted=([12])\ asked=([12])\ called=([12])$ ]] ||
			kgr_fail "$1: $line"
		[ "${BASH_REMATCH[1]}" = "${BASH_REMATCH[2]}" ] &&
			[ "${BASH_REMATCH[1]}" = "${BASH_REMATCH[3]}" ] || kgr_fail "$1: $line"
		rows=$((rows + 1))
	done <<< "$REPLY"
	kgr_eq "$1: rows" $rows 32
}

# another - one more sleeper, in the body that this shell gets
another()
{
	kgr_sleeper "sleeper$RANDOM" 0
}

turn()
{
	kgr_is "enabled=$1" ok kgr_put "$1" "$KGR_SYSFS/kgr_test_cost/enabled"
}

# All combinations of interrupt level and epochs, in both directions, under way
# forwards and backwards, as stub and as handler. There are sleepers in both bodies,
# so that neither direction completes.
truth_of()
{
	echo "$1" > $KGR_FORM
	hold 1 || return
	truth "$1, applying"
	another
	turn 0
	truth "$1, applying, reversed"
	turn 1
	truth "$1, applying again"
	release 1
	another
	turn 0
	truth "$1, reverting"
	another
	turn 1
	truth "$1, reverting, reversed"
	turn 0
	release 0
	kgr_is "unload" ok kgr_unload kgr_test_cost
}

case_truth()
{
	local was

	kgr_file $KGR_FORM; was=$REPLY
	truth_of jmp
	truth_of handler
	echo "$was" > $KGR_FORM
}
kgr_case case_truth "stub and handler decide alike at every interrupt level and in every epoch"

# A preempted task in a stub never counts as clean: no stack can be walked from
# there. From an ordinary function it can.
case_stub_unwind()
{
	local line

	need_jumps || return
	hold 1 || return
	kgr_file "$KGR_TARGETS/stub"
	kgr_line "$REPLY" kgr_test_first; line=$REPLY
	kgr_eq "an ordinary function" "$line" "kgr_test_first walks=1"
	kgr_file "$KGR_TARGETS/stub"
	kgr_line "$REPLY" kgr_stub_kgr_test_first; line=$REPLY
	kgr_eq "a stub" "$line" "kgr_stub_kgr_test_first walks=0"
	release 1
	kgr_remove kgr_test_cost
}
kgr_case case_stub_unwind "a task in a stub has no clean stack"

# What of the last CPU's time the fair server gives to ordinary threads
fair_server()
{
	REPLY=/sys/kernel/debug/sched/fair_server/cpu$(($(nproc) - 1))/runtime
}

preempt_seen()
{
	kgr_file "$KGR_TARGETS/preempt"
}

# A task is preempted in a stub and gets no CPU: the patch is reverted meanwhile, its
# module unloaded. The stub has to be there when the task goes on.
case_stub_preempted()
{
	local server runtime preempt=/sys/kernel/debug/sched/preempt mode

	need_jumps || return
	fair_server; server=$REPLY
	if [ "$(nproc)" -lt 2 ] || [ ! -w $preempt ] || [ ! -w "$server" ]; then
		kgr_skip "needs two CPUs, PREEMPT_DYNAMIC and the scheduler's debugfs"
		return
	fi
	kgr_file $preempt; mode=${REPLY#*\(}; mode=${mode%)*}
	kgr_file "$server"; runtime=$REPLY
	echo full > $preempt
	echo 0 > "$server"

	kgr_apply kgr_test_cost model=1 || return
	kgr_set_nudge 0
	kgr_sleeper sleeper 0 || return
	SLEEPER=$REPLY
	echo 1 > "$KGR_TARGETS/preempt"
	kgr_is "revert" ok kgr_put 0 "$KGR_SYSFS/kgr_test_cost/enabled"
	kgr_others_migrate "$SLEEPER"
	kgr_is "its CPU taken away" ok kgr_put 2 "$KGR_TARGETS/preempt"
	kgr_is "in the stub" "hits=1 result=0" preempt_seen
	kgr_wake
	kgr_finish kgr_test_cost 0
	kgr_is "unload" ok kgr_unload kgr_test_cost
	kgr_sleep_ms 300
	kgr_is "still in the stub" "hits=1 result=0" preempt_seen
	echo 0 > "$KGR_TARGETS/preempt"
	kgr_is "when it went on" "hits=1 result=1" preempt_seen

	echo "$runtime" > "$server"
	echo "$mode" > $preempt
}
kgr_case case_stub_preempted "a task preempted in a stub that goes"

# The kernel takes the stubs to pieces: no indirect jump and no call, which IBT,
# retpolines and call depth tracking would have a say in; nothing written but %r11.
case_stub_code()
{
	local line stubs=0

	need_jumps || return
	hold 1 || return
	kgr_file "$KGR_TARGETS/stub_code"
	while IFS= read -r line; do
		[[ $line =~ ^kgr_stub_[a-z_]+\ insns=9\ exits=2\ writes=0x800\ clean$ ]] ||
			kgr_fail "$line"
		stubs=$((stubs + 1))
	done <<< "$REPLY"
	kgr_eq "stubs looked at" $stubs 4
	release 1
	kgr_remove kgr_test_cost
}
kgr_case case_stub_code "stubs hold nothing but loads, comparisons and direct jumps"

# A callback that calls a patched function finds ftrace's recursion guard held:
# the new body has to run all the same.
case_recursion()
{
	kgr_apply kgr_test_pairs || return
	echo kgr_test_first > $T/set_ftrace_filter
	echo kgr_test_check >> $T/set_ftrace_filter
	echo kgr_test_second >> $T/set_ftrace_filter
	echo function > $T/current_tracer
	kgr_is "load" ok kgr_load kgr_test_recursion || return
	echo 3 > "$KGR_TARGETS/check"
	kgr_is_num "callback called" -gt 0 kgr_file /sys/module/kgr_test_recursion/parameters/called
	kgr_is "version under the guard" 2 kgr_file /sys/module/kgr_test_recursion/parameters/seen
	kgr_is "unload" ok kgr_unload kgr_test_recursion
	echo nop > $T/current_tracer
	echo > $T/set_ftrace_filter
	kgr_remove kgr_test_pairs
}
kgr_case case_recursion "decided under ftrace's recursion guard, too"

# When the last function goes, kGraft's ops has to leave ftrace: with an empty
# filter it would mean every function of the kernel.
case_last()
{
	local before

	enabled_lines; before=$REPLY
	for _ in 1 2 3; do
		kgr_apply kgr_test_check || return
		kgr_is "one more" $((before + 1)) enabled_lines
		kgr_remove kgr_test_check
		kgr_is "as before" "$before" enabled_lines
	done
}
kgr_case case_last "the last function removed"

# Retargeting is no change to ftrace: a function that is patched twice, and given
# back twice, always leads to the right body.
case_retarget()
{
	need_jumps || return
	kgr_apply kgr_test_pairs || return
	kgr_is_like "first patch" 'jmp-->new_first.*\[kgr_test_pairs\]' enabled_line kgr_test_first
	kgr_apply kgr_test_sleep
	kgr_is_like "second patch" 'jmp-->new_first.*\[kgr_test_sleep\]' enabled_line kgr_test_first
	kgr_is_like "untouched" 'jmp-->new_inner.*\[kgr_test_pairs\]' enabled_line kgr_test_inner
	kgr_set kgr_test_sleep 0
	kgr_is_like "first patch again" 'jmp-->new_first.*\[kgr_test_pairs\]' enabled_line kgr_test_first
	kgr_is "versions" "$NEW" kgr_versions
	kgr_is "unload" ok kgr_unload kgr_test_sleep
	kgr_remove kgr_test_pairs
	kgr_is "versions" "$OLD" kgr_versions
}
kgr_case case_retarget "a second patch on a function, and back"

# A transition under way, reversed several times under the model that sends
# everybody at once.
case_immediate()
{
	local i

	hold 2 || return
	need_jumps && kgr_is "no stub" jmp redirect kgr_test_cost kgr_test_first
	KGR_SKIP=
	for i in 0 1 0 1; do
		kgr_is "reverse" ok kgr_put $i "$KGR_SYSFS/kgr_test_cost/enabled"
		kgr_is "version" $((i + 1)) kgr_version first
	done
	release 1
	kgr_remove kgr_test_cost
	kgr_is "versions" "$OLD" kgr_versions
}
kgr_case case_immediate "immediate: to the new bodies at once, and back"

# Five hundred functions in one go
case_many()
{
	kgr_apply kgr_test_lots || return
	kgr_is "new bodies" 500 kgr_file "$KGR_TARGETS/many"
	kgr_set kgr_test_lots 0
	kgr_is "new bodies" 0 kgr_file "$KGR_TARGETS/many"
	kgr_set kgr_test_lots 1
	kgr_is "new bodies" 500 kgr_file "$KGR_TARGETS/many"
	kgr_remove kgr_test_lots
	kgr_is "new bodies" 0 kgr_file "$KGR_TARGETS/many"
}
kgr_case case_many "five hundred functions"

kgr_run
