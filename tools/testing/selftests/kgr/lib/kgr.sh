# SPDX-License-Identifier: GPL-2.0
#
# What the shell tests share: cases, assertions, patches, actors. A test is
#
#	. "$(dirname "$0")/lib/kgr.sh"
#	case_something() { ...; }
#	kgr_case case_something "what it shows"
#	kgr_run
#
# Each case runs between a snapshot of the kernel's state and the gate: killing
# its actors, taking its patches back, comparing the state, reading the kernel
# log. Everything that waits has an end.
#
# Creating a process is what takes time in an emulated guest with a debug kernel.
# So functions return what they find in REPLY, and one agent (agent.c) does what
# bash can't.

KGR_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
KGR_KTAP=$KGR_DIR/../kselftest/ktap_helpers.sh
if [ ! -r "$KGR_KTAP" ]; then
	echo "1..0 # SKIP $KGR_KTAP is missing"
	exit 4
fi
. "$KGR_KTAP"
. "$KGR_DIR/lib/actors.sh"
. "$KGR_DIR/lib/kernel.sh"

KGR_SYSFS=/sys/kernel/kgraft
KGR_TARGETS=/sys/kernel/debug/kgraft_test
KGR_TRACING=/sys/kernel/tracing
KGR_MODULES=$KGR_DIR/test_modules

: "${KGR_REPS:=20}"		# cycles of apply and revert per model
: "${KGR_THREADS:=64}"		# threads that hammer
: "${KGR_FORKS:=}"		# forks of the fork storm; see test_fork.sh
: "${KGR_SECONDS:=15}"		# length of the stress test
: "${KGR_FAULTS:=3}"		# every Nth allocation fails in test_faults
: "${KGR_TIMEOUT:=120}"		# no transition may take longer
: "${KGR_NUDGE_MS:=20}"		# nudge_delay_ms unless a case sets it
: "${KGR_LEAKS_LATER:=}"	# who runs the test asks kmemleak himself
: "${KGR_ONLY:=}"		# run only cases whose function matches this

KGR_CASES=()
KGR_TITLES=()
KGR_FAILED=0
KGR_SKIP=
KGR_TMP=

# Output and assertions. A failed assertion is noted, the case goes on unless
# it says "|| return".

kgr_msg()
{
	local line

	while IFS= read -r line; do
		printf '# %s\n' "$line"
	done <<< "$*"
}

kgr_fail()
{
	KGR_FAILED=1
	kgr_msg "FAIL: $*"
	return 1
}

# kgr_eq WHAT GOT WANTED
kgr_eq()
{
	[ "$2" = "$3" ] || kgr_fail "$1: got '$2', wanted '$3'"
}

# kgr_num WHAT GOT OPERATOR WANTED, operator as in test(1)
kgr_num()
{
	test "$2" "$3" "$4" 2>/dev/null || kgr_fail "$1: got '$2', wanted $3 $4"
}

# kgr_match WHAT TEXT REGEX
kgr_match()
{
	[[ $2 =~ $3 ]] || kgr_fail "$1: '$2' does not match '$3'"
}

# The same for what a command returns in REPLY:
# kgr_is WHAT WANTED COMMAND...
# kgr_is_num WHAT OPERATOR WANTED COMMAND...
# kgr_is_like WHAT REGEX COMMAND...

kgr_is()
{
	"${@:3}"
	kgr_eq "$1" "$REPLY" "$2"
}

kgr_is_num()
{
	"${@:4}"
	kgr_num "$1" "$REPLY" "$2" "$3"
}

kgr_is_like()
{
	"${@:3}"
	kgr_match "$1" "$REPLY" "$2"
}

# kgr_skip REASON - the rest of the case can't be done here; name what is missing
kgr_skip()
{
	KGR_SKIP=$1
}

kgr_now_ms()
{
	REPLY=$(( ${EPOCHREALTIME/[.,]/} / 1000 ))
}

# kgr_until SECONDS COMMAND... - until the command succeeds
kgr_until()
{
	local end=$(( ${EPOCHREALTIME/[.,]/} + $1 * 1000000 ))

	shift
	until "$@"; do
		[ "${EPOCHREALTIME/[.,]/}" -lt "$end" ] || return 1
		kgr_sleep_ms 20
	done
}

# kgr_word LINE NAME - the value of name=value in a line
kgr_word()
{
	local word

	REPLY=
	for word in $1; do
		if [ "${word%%=*}" = "$2" ]; then
			REPLY=${word#*=}
			return
		fi
	done
}

# kgr_line TEXT PREFIX - the first line that begins so
kgr_line()
{
	local line

	while IFS= read -r line; do
		if [[ $line == "$2"* ]]; then
			REPLY=$line
			return
		fi
	done <<< "$1"
	REPLY=
}

# The agent

kgr_agent_start()
{
	coproc KGR_AGENT { exec "$KGR_DIR/agent" serve; }
}

# kgr_ask COMMAND [ARG]... - its answer in REPLY
kgr_ask()
{
	local IFS=$'\t'

	REPLY=
	printf '%s\n' "$*" >&"${KGR_AGENT[1]}"
	IFS= read -r -d '' -u "${KGR_AGENT[0]}" REPLY || kgr_fail "the agent is gone"
}

kgr_sleep_ms()
{
	local REPLY

	kgr_ask sleep "$1"
}

# Cases

# kgr_case FUNCTION TITLE
kgr_case()
{
	[[ $1 =~ $KGR_ONLY ]] || return 0
	KGR_CASES+=("$1")
	KGR_TITLES+=("$2")
}

kgr_teardown()
{
	echo 0 > "$KGR_TARGETS/softirq"
	echo 0 > "$KGR_TARGETS/kthread"
	echo "$KGR_NUDGE_MS" > "$KGR_SYSFS/nudge_delay_ms"
	kgr_kill_actors
	kgr_take_back
}

kgr_gate()
{
	kgr_ask compare case
	[ -z "$REPLY" ] || kgr_fail "state of the kernel is not as before:" "$REPLY"
	kgr_ask gate
	[ -z "$REPLY" ] || kgr_fail "$REPLY"
}

kgr_run_case()
{
	local begin

	KGR_FAILED=0
	KGR_SKIP=
	kgr_ask mark "kgr-selftest $$ begins: $2"
	kgr_ask snapshot case
	kgr_now_ms; begin=$REPLY
	"$1"
	kgr_teardown
	kgr_gate
	kgr_now_ms; kgr_msg "$1 took $((REPLY - begin)) ms"
	if [ "$KGR_FAILED" -ne 0 ]; then
		ktap_test_fail "$2"
	elif [ -n "$KGR_SKIP" ]; then
		ktap_test_skip "$2: $KGR_SKIP"
	else
		ktap_test_pass "$2"
	fi
}

kgr_mounted()
{
	grep -q "^[^ ]* $1 " /proc/mounts
}

kgr_require()
{
	if [ "$(id -u)" -ne 0 ]; then
		ktap_skip_all "must be run as root"
		exit "$KSFT_SKIP"
	fi
	kgr_mounted /sys/kernel/debug || mount -t debugfs none /sys/kernel/debug
	kgr_mounted "$KGR_TRACING" || mount -t tracefs none "$KGR_TRACING" 2>/dev/null
	if [ ! -d "$KGR_SYSFS" ]; then
		ktap_skip_all "CONFIG_KGRAFT is not set"
		exit "$KSFT_SKIP"
	fi
	if [ ! -d "$KGR_TARGETS" ]; then
		ktap_skip_all "CONFIG_KGRAFT_TEST is not set"
		exit "$KSFT_SKIP"
	fi
}

kgr_restore()
{
	kgr_kill_actors
	echo "$KGR_SAVED_NUDGE" > "$KGR_SYSFS/nudge_delay_ms"
	rm -rf "$KGR_TMP"
}

kgr_case_leaks()
{
	kgr_leaks
	if [ -z "$REPLY" ]; then
		ktap_test_pass "no memory leaked"
	else
		kgr_msg "$REPLY"
		ktap_test_fail "no memory leaked"
	fi
}

kgr_run()
{
	local i plan=${#KGR_CASES[@]}

	ktap_print_header
	kgr_require
	KGR_TMP=$(mktemp -d /tmp/kgr.XXXXXX) || exit "$KSFT_FAIL"
	kgr_agent_start
	kgr_get nudge_delay_ms; KGR_SAVED_NUDGE=$REPLY
	trap kgr_restore EXIT
	kgr_teardown
	[ -n "$KGR_LEAKS_LATER" ] || {
		kgr_leaks_begin
		plan=$((plan + 1))
	}
	ktap_set_plan "$plan"
	for i in "${!KGR_CASES[@]}"; do
		kgr_run_case "${KGR_CASES[$i]}" "${KGR_TITLES[$i]}"
	done
	[ -n "$KGR_LEAKS_LATER" ] || kgr_case_leaks
	ktap_finished
}
