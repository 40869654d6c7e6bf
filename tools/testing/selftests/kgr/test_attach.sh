#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Every kind of tracer comes and goes on patched functions: before a transition,
# during one, after it, and while it is taken back. The right variant runs at each
# moment, the tracer is called, and when it has left the entries are what they were.
# Each kind attaches four times in a life of the patch, mostly to four functions at
# once: more than 200 attachments in all. KGR_ATTACH says how many lives.

. "$(dirname "$0")/lib/kgr.sh"

T=$KGR_TRACING
ALL=(inner outer first second)
FUNCTIONS=()		# those that the tracer in question is on
ATTACHED=0
LEFT_OUT=
: "${KGR_ATTACH:=1}"

# versions N - what all of the functions should say
versions()
{
	kgr_is "$TOOL, $PHASE: versions" "inner=$1 outer=$1 first=$1 second=$1" kgr_versions
}

# form FORM - what should stand at each entry, when jumps are used. Where the tracer
# is not on all functions, the rest are as they are when it is gone.
form()
{
	local list wanted f

	kgr_get kgr_test_pairs/redirect; list=$REPLY
	for f in "${ALL[@]}"; do
		wanted=$1
		[ "$wanted" != handler ] || [[ " ${FUNCTIONS[*]} " == *" $f "* ]] || wanted=$2
		[ -n "$JUMPS" ] || wanted=handler
		kgr_line "$list" "kgr_test_$f "
		kgr_eq "$TOOL, $PHASE: entry of $f" "${REPLY##* }" "$wanted"
	done
}

# Kinds of tracers: NAME_on attaches to FUNCTIONS, NAME_off detaches

events_on()	# TYPE [SUFFIX]
{
	local f

	for f in "${FUNCTIONS[@]}"; do
		echo "$1:kgr/kgr_test_$f kgr_test_$f${2-}" >> "$T/dynamic_events" || return
	done
	echo 1 > "$T/events/kgr/enable"
}

events_off()
{
	local f

	echo 0 > "$T/events/kgr/enable"
	for f in "${FUNCTIONS[@]}"; do
		echo "-:kgr/kgr_test_$f" >> "$T/dynamic_events"
	done
}

kprobe_on()	{ events_on p; }
kprobe_off()	{ events_off; }
kretprobe_on()	{ events_on r; }
kretprobe_off()	{ events_off; }
fprobe_on()	{ events_on f; }
fprobe_off()	{ events_off; }
fprobe_exit_on()	{ events_on f %return; }
fprobe_exit_off()	{ events_off; }

tracer_on()
{
	echo "${FUNCTIONS[@]/#/kgr_test_}" > "$T/set_ftrace_filter" &&
		echo "$1" > "$T/current_tracer"
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

	# bash complains of a second coprocess beside the agent, and nothing else
	{ coproc KGR_BPF {
		exec "$KGR_DIR/bpf" "$1" "${FUNCTIONS[@]/#/kgr_test_}" 2> "$KGR_TMP/bpf"
	}; } 2> /dev/null
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

# calls - how often the tracer was called, for each of FUNCTIONS, since it was
# attached or the trace was emptied
calls()
{
	local lines line f n numbers=()

	case $TOOL in
	fentry | fexit | fmod_ret)
		echo >&"${KGR_BPF[1]}"
		IFS= read -r -t 30 -u "${KGR_BPF[0]}" REPLY
		return ;;
	esac
	mapfile -t lines < "$T/trace"
	for f in "${FUNCTIONS[@]}"; do
		n=0
		for line in "${lines[@]}"; do
			[[ ! $line =~ kgr_test_$f(\ \<-|\(\)|:\ \() ]] || n=$((n + 1))
		done
		numbers+=("$n")
	done
	REPLY=${numbers[*]}
}

on()
{
	"${TOOL}_on" || {
		kgr_file "$KGR_TMP/bpf"
		kgr_fail "$TOOL, $PHASE: can't attach: $REPLY"
		return 1
	}
	ATTACHED=$((ATTACHED + ${#FUNCTIONS[@]}))
}

off()
{
	"${TOOL}_off"
}

# traced VERSION - calls get this version, and the tracer sees each of them
traced()
{
	local i before after

	echo > "$T/trace"
	calls; read -ra before <<< "$REPLY"
	versions "$1"
	calls; read -ra after <<< "$REPLY"
	for i in "${!FUNCTIONS[@]}"; do
		kgr_num "$TOOL, $PHASE: calls of ${FUNCTIONS[i]} seen" "${after[i]}" -gt "${before[i]}"
	done
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

# life TOOL FUNCTION... - one life of a patch, a tracer coming and going all along
life()
{
	local sleeper

	TOOL=$1
	FUNCTIONS=("${@:2}")
	PHASE=before
	on || return
	traced 1
	kgr_sleeper sleeper hold || return
	sleeper=$REPLY
	kgr_is "enable" ok kgr_put 1 "$KGR_SYSFS/kgr_test_pairs/enabled"
	kgr_others_migrate "$sleeper"
	PHASE="during, attached before"
	traced 2
	truth
	form handler stub
	off
	PHASE="during, detached"
	versions 2
	form stub
	truth
	on || return
	PHASE="during, attached"
	traced 2
	form handler stub
	truth
	kgr_ends "$sleeper"
	kgr_finish kgr_test_pairs 1
	PHASE="after, attached during"
	traced 2
	form handler jmp
	off
	PHASE="after, detached"
	versions 2
	form jmp
	on || return
	PHASE="after"
	traced 2
	off
	form jmp
	on || return
	PHASE="reverted beside"
	kgr_set kgr_test_pairs 0
	traced 1
	off
	versions 1
}

# lives TOOL... - fprobes wait for all tasks when they go: two of them have to do
lives()
{
	local tool round was=$ATTACHED

	JUMPS=
	! kgr_jumps || JUMPS=y
	kgr_is "load" ok kgr_load kgr_test_pairs model=0 || return
	kgr_wait kgr_test_pairs
	kgr_set kgr_test_pairs 0
	for ((round = 0; round < KGR_ATTACH; round++)); do
		for tool; do
			case $tool in
			fprobe*) life "$tool" first second ;;
			*) life "$tool" "${ALL[@]}" ;;
			esac
		done
	done
	kgr_msg "$((ATTACHED - was)) attachments"
	kgr_is "unload" ok kgr_unload kgr_test_pairs
}

# beside TOOL... - the same while another patch is applied: functions are added to
# what kGraft has of ftrace already, and taken away from that
beside()
{
	kgr_apply kgr_test_check || return
	lives "$@"
	kgr_remove kgr_test_check
}

missing()
{
	kgr_config_set "$1" && return 1
	LEFT_OUT="$1 is not set"
	kgr_skip "$LEFT_OUT"
}

case_events()
{
	missing CONFIG_KPROBE_EVENTS || beside kprobe kretprobe
}
kgr_case case_events "kprobes and kretprobes"

case_fprobes()
{
	missing CONFIG_FPROBE_EVENTS || beside fprobe fprobe_exit
}
kgr_case case_fprobes "fprobes"

case_tracers()
{
	missing CONFIG_FUNCTION_GRAPH_TRACER || beside function graph
}
kgr_case case_tracers "the function and the graph tracer"

case_bpf()
{
	missing CONFIG_DEBUG_INFO_BTF || beside fentry fexit fmod_ret
}
kgr_case case_bpf "BPF programs"

# Tracers with a livepatch on a neighbouring function, and no other patch
case_livepatch()
{
	missing CONFIG_LIVEPATCH && return
	kgr_is "livepatch" ok kgr_load kgr_test_klp func=kgr_test_check || return
	lives kprobe kretprobe function graph
	missing CONFIG_DEBUG_INFO_BTF || lives fentry
	kgr_is "livepatch works" "ok" kgr_put 3 "$KGR_TARGETS/check"
	echo 0 > /sys/kernel/livepatch/kgr_test_klp/enabled
	kgr_until 60 test ! -d /sys/kernel/livepatch/kgr_test_klp ||
		kgr_fail "livepatch: does not revert"
	kgr_until 10 kgr_unloaded kgr_test_klp || kgr_fail "livepatch: can't unload"
}
kgr_case case_livepatch "beside a livepatch"

case_count()
{
	kgr_msg "$ATTACHED attachments in all"
	[ -z "$LEFT_OUT" ] || { kgr_skip "$LEFT_OUT"; return; }
	[ -z "$KGR_ONLY" ] || { kgr_skip "KGR_ONLY leaves some out"; return; }
	kgr_num "attachments" "$ATTACHED" -ge 200
}
kgr_case case_count "that were 200 and more"

kgr_run
