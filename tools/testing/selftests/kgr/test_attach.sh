#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Every kind of tracer comes and goes on a patched function: before a transition,
# during one, after it. The right variant runs at each moment, the tracer is called,
# and when it has left the entry is what it was. KGR_ATTACH rounds of that, each with
# six attachments and detachments of each kind.

. "$(dirname "$0")/lib/kgr.sh"

T=$KGR_TRACING
FUNCTION=kgr_test_first
: "${KGR_ATTACH:=1}"

# redirect - what stands at the function's entry
redirect()
{
	kgr_get kgr_test_cost/redirect
	kgr_line "$REPLY" "$FUNCTION "
	REPLY=${REPLY##* }
}

# form FORM - what should stand there, when jumps are used
form()
{
	local file

	kgr_file /sys/module/kgraft/parameters/redirect; file=$REPLY
	if [ "$file" = handler ] || { [ "$file" = auto ] && has CONFIG_KGRAFT_DEBUG; }; then
		kgr_is "$TOOL, $PHASE: entry" handler redirect
	else
		kgr_is "$TOOL, $PHASE: entry" "$1" redirect
	fi
}

has()
{
	[ -r /proc/config.gz ] && zcat /proc/config.gz | grep -q "^$1=[ym]"
}

# Kinds of tracers: NAME_on attaches, NAME_off detaches, NAME_calls counts
event_on()
{
	echo "$1" >> "$T/dynamic_events" && echo 1 > "$T/events/kgr/t/enable"
}

event_off()
{
	echo 0 > "$T/events/kgr/t/enable"
	echo "-:kgr/t" >> "$T/dynamic_events"
}

kprobe_on()	{ event_on "p:kgr/t $FUNCTION"; }
kprobe_off()	{ event_off; }
kretprobe_on()	{ event_on "r:kgr/t $FUNCTION"; }
kretprobe_off()	{ event_off; }
fprobe_on()	{ event_on "f:kgr/t $FUNCTION"; }
fprobe_off()	{ event_off; }
fprobe_exit_on()	{ event_on "f:kgr/t $FUNCTION%return"; }
fprobe_exit_off()	{ event_off; }

tracer_on()
{
	echo $FUNCTION > "$T/set_ftrace_filter" && echo "$1" > "$T/current_tracer"
}

tracer_off()
{
	echo nop > "$T/current_tracer"
	echo > "$T/set_ftrace_filter"
}

function_on()	{ tracer_on function; }
function_off()	{ tracer_off; }
graph_on()	{ tracer_on function_graph; }
graph_off()	{ tracer_off; }

bpf_on()
{
	local line

	coproc KGR_BPF { exec "$KGR_DIR/bpf" "$1" $FUNCTION 2> "$KGR_TMP/bpf"; }
	IFS= read -r -t 30 -u "${KGR_BPF[0]}" line && [ "$line" = attached ]
}

# shellcheck disable=SC2153 # coproc sets it
bpf_off()
{
	local pid=$KGR_BPF_PID

	eval "exec ${KGR_BPF[1]}>&-"
	wait "$pid" 2> /dev/null
	# Unlinking is put off; see that it is done
	kgr_sleep_ms 50
}

fentry_on()	{ bpf_on fentry; }
fentry_off()	{ bpf_off; }
fexit_on()	{ bpf_on fexit; }
fexit_off()	{ bpf_off; }
fmod_ret_on()	{ bpf_on fmod_ret; }
fmod_ret_off()	{ bpf_off; }

calls()
{
	case $TOOL in
	fentry | fexit | fmod_ret)
		echo >&"${KGR_BPF[1]}"
		IFS= read -r -t 30 -u "${KGR_BPF[0]}" REPLY ;;
	*)
		kgr_count "$FUNCTION|t: \(" "$T/trace" ;;
	esac
}

on()
{
	"${TOOL}_on" || { kgr_fail "$TOOL, $PHASE: can't attach: $(cat "$KGR_TMP/bpf" 2> /dev/null)"; return 1; }
	ATTACHED=$((ATTACHED + 1))
}

off()
{
	"${TOOL}_off"
}

# traced VERSION - a call gets this version, and the tracer sees it
traced()
{
	local before

	echo > "$T/trace"
	calls; before=$REPLY
	kgr_is "$TOOL, $PHASE: version" "$1" kgr_version first
	calls
	kgr_num "$TOOL, $PHASE: calls seen" "$REPLY" -gt "$before"
}

# truth - stub or handler, each level and epoch gets what it should
truth()
{
	local line

	kgr_file "$KGR_TARGETS/truth"
	while IFS= read -r line; do
		[[ $line =~ wanted=([12])\ asked=([12])\ called=([12])$ ]] &&
			[ "${BASH_REMATCH[1]}" = "${BASH_REMATCH[2]}" ] &&
			[ "${BASH_REMATCH[1]}" = "${BASH_REMATCH[3]}" ] ||
			kgr_fail "$TOOL, $PHASE: $line"
	done <<< "$REPLY"
}

# One life of a patch, a tracer coming and going all along
life()
{
	local sleeper

	TOOL=$1
	PHASE=before
	on || return
	traced 1
	kgr_sleeper sleeper 0 || return
	sleeper=$REPLY
	kgr_is "enable" ok kgr_put 1 "$KGR_SYSFS/kgr_test_cost/enabled"
	kgr_others_migrate "$sleeper"
	PHASE="during, attached before"
	traced 2
	truth
	form handler
	off
	PHASE="during, detached"
	kgr_is "$TOOL, $PHASE: version" 2 kgr_version first
	form stub
	truth
	on || return
	PHASE="during, attached"
	traced 2
	form handler
	truth
	kgr_wake
	kgr_nudge
	kgr_finish kgr_test_cost 1
	PHASE="after, attached during"
	traced 2
	form handler
	off
	PHASE="after, detached"
	kgr_is "$TOOL, $PHASE: version" 2 kgr_version first
	form jmp
	on || return
	PHASE="after"
	traced 2
	off
	form jmp
	on || return
	PHASE="reverted beside"
	kgr_set kgr_test_cost 0
	traced 1
	off
	kgr_is "$TOOL, $PHASE: version" 1 kgr_version first
}

lives()
{
	local tool round

	ATTACHED=0
	kgr_is "load" ok kgr_load kgr_test_cost || return
	kgr_wait kgr_test_cost
	kgr_set kgr_test_cost 0
	kgr_set_nudge 0
	for ((round = 0; round < KGR_ATTACH; round++)); do
		for tool; do
			life "$tool"
		done
	done
	kgr_msg "$ATTACHED attachments"
	kgr_is "unload" ok kgr_unload kgr_test_cost
}

missing()
{
	has "$1" && return 1
	kgr_skip "$1 is not set"
}

case_events()
{
	missing CONFIG_KPROBE_EVENTS || lives kprobe kretprobe
}
kgr_case case_events "kprobes and kretprobes"

case_fprobes()
{
	missing CONFIG_FPROBE_EVENTS || lives fprobe fprobe_exit
}
kgr_case case_fprobes "fprobes"

case_tracers()
{
	missing CONFIG_FUNCTION_GRAPH_TRACER || lives function graph
}
kgr_case case_tracers "the function and the graph tracer"

case_bpf()
{
	missing CONFIG_DEBUG_INFO_BTF || lives fentry fexit fmod_ret
}
kgr_case case_bpf "BPF programs"

# All of it with a livepatch on a neighbouring function
case_livepatch()
{
	missing CONFIG_LIVEPATCH && return
	kgr_is "livepatch" ok kgr_load kgr_test_klp func=kgr_test_check || return
	lives kprobe function
	kgr_is "livepatch works" "ok" kgr_put 3 "$KGR_TARGETS/check"
	echo 0 > /sys/kernel/livepatch/kgr_test_klp/enabled
	kgr_until 60 test ! -d /sys/kernel/livepatch/kgr_test_klp ||
		kgr_fail "livepatch: does not revert"
	kgr_until 10 kgr_unloaded kgr_test_klp || kgr_fail "livepatch: can't unload"
}
kgr_case case_livepatch "beside a livepatch"

kgr_run
