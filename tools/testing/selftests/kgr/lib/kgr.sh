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

KGR_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
KGR_KTAP=$KGR_DIR/../kselftest/ktap_helpers.sh
if [ ! -r "$KGR_KTAP" ]; then
	echo "1..0 # SKIP $KGR_KTAP is missing"
	exit 4
fi
. "$KGR_KTAP"
. "$KGR_DIR/lib/dmesg.sh"

KGR_SYSFS=/sys/kernel/kgraft
KGR_TARGETS=/sys/kernel/debug/kgraft_test
KGR_TRACING=/sys/kernel/tracing
KGR_MODULES=$KGR_DIR/test_modules

: "${KGR_REPS:=20}"		# cycles of apply and revert per model
: "${KGR_THREADS:=64}"		# threads that hammer
: "${KGR_FORKS:=10000}"		# forks of the fork storm
: "${KGR_SECONDS:=20}"		# length of the stress test
: "${KGR_TIMEOUT:=60}"		# no transition may take longer
: "${KGR_NUDGE_MS:=20}"		# nudge_delay_ms unless a case sets it
: "${KGR_ONLY:=}"		# run only cases whose function matches this

KGR_CASES=()
KGR_TITLES=()
KGR_PIDS=()
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

# kgr_skip REASON - the rest of the case can't be done here; name what is missing
kgr_skip()
{
	KGR_SKIP=$1
}

# kgr_until SECONDS COMMAND... - until the command succeeds
kgr_until()
{
	local end=$(( ${EPOCHREALTIME/[.,]/} + $1 * 1000000 ))

	shift
	until "$@"; do
		[ "${EPOCHREALTIME/[.,]/}" -lt "$end" ] || return 1
		sleep 0.02
	done
}

kgr_now_ms()
{
	REPLY=$(( ${EPOCHREALTIME/[.,]/} / 1000 ))
}

# kgr_config OPTION - is it set in the running kernel? Unknown counts as yes.
kgr_config()
{
	[ -r /proc/config.gz ] || return 0
	zcat /proc/config.gz | grep -q "^$1=[ym]"
}

# Files

kgr_get()
{
	cat "$KGR_SYSFS/$1" 2>/dev/null
}

# kgr_put TEXT FILE - write once; prints the name of the error, or ok
kgr_put()
{
	"$KGR_DIR/kgr_put" "$2" "$1"
}

# Modules and patches

# kgr_load NAME [PARAM=VALUE]... - prints "ok" or the name of the error
kgr_load()
{
	local name=$1

	shift
	"$KGR_DIR/kgr_mod" load "$KGR_MODULES/$name.ko" "$@"
}

kgr_unload()
{
	"$KGR_DIR/kgr_mod" unload "$1"
}

kgr_wait()
{
	"$KGR_DIR/kgr_wait" "$1" "${2:-$KGR_TIMEOUT}"
}

# kgr_apply NAME [PARAM=VALUE]... - load it and see the transition through
kgr_apply()
{
	kgr_eq "load $*" "$(kgr_load "$@")" ok || return
	kgr_finish "$1" 1
}

# kgr_set NAME 0|1 - apply again or revert, and see the transition through
kgr_set()
{
	kgr_eq "$1: enabled=$2" "$(kgr_put "$2" "$KGR_SYSFS/$1/enabled")" ok || return
	kgr_finish "$1" "$2"
}

# kgr_cycles NAME COUNT - revert and apply again so many times
kgr_cycles()
{
	local text

	text=$("$KGR_DIR/kgr_cycle" "$1" "$2" "$KGR_TIMEOUT") && return
	kgr_fail "cycles of $1: $text"
	kgr_msg "$("$KGR_DIR/kgr_stragglers")"
	return 1
}

# kgr_finish NAME 0|1 - wait for the end of a transition and look at it
kgr_finish()
{
	if ! kgr_wait "$1"; then
		kgr_fail "$1: transition did not end in $KGR_TIMEOUT s"
		kgr_msg "$("$KGR_DIR/kgr_stragglers")"
		return 1
	fi
	kgr_eq "$1: enabled after its transition" "$(kgr_get "$1/enabled")" "$2" &&
		kgr_eq "$1: migrated and total" "$(kgr_get "$1/migrated")" \
			"$(kgr_get "$1/total")"
}

# kgr_remove NAME - revert, with nudges for everybody, and unload
kgr_remove()
{
	echo "$KGR_NUDGE_MS" > "$KGR_SYSFS/nudge_delay_ms"
	kgr_set "$1" 0 || return
	kgr_eq "unload $1" "$(kgr_unload "$1")" ok
}

# kgr_version FUNCTION - the version that a process sees that starts now
kgr_version()
{
	local word

	for word in $(cat "$KGR_TARGETS/version"); do
		[ "${word%%=*}" != "$1" ] || echo "${word#*=}"
	done
}

# Stragglers

kgr_stragglers()
{
	"$KGR_DIR/kgr_stragglers"
}

# kgr_straggler TID - its line, empty when it is none
kgr_straggler()
{
	kgr_stragglers | grep "^tid=$1 "
}

# kgr_word LINE NAME - the value of name=value in a line
kgr_word()
{
	local word

	for word in $1; do
		if [ "${word%%=*}" = "$2" ]; then
			echo "${word#*=}"
			return
		fi
	done
}

kgr_is_straggler()
{
	[ -n "$(kgr_straggler "$1")" ]
}

# kgr_only_straggler TID - is it the only one left?
kgr_only_straggler()
{
	local list

	list=$(kgr_stragglers)
	[ "$(grep -c . <<< "$list")" -eq 1 ] && [[ $list == "tid=$1 "* ]]
}

# kgr_pending PID [TID] - must it still migrate, by /proc?
kgr_pending()
{
	[ "$(cat "/proc/$1/task/${2:-$1}/kgr_in_progress" 2>/dev/null)" = 1 ]
}

kgr_migrated()
{
	[ "$(cat "/proc/$1/task/${2:-$1}/kgr_in_progress" 2>/dev/null)" = 0 ]
}

kgr_nudge()
{
	"$KGR_DIR/kgr_stragglers" --nudge "$@"
}

# Actors: background processes, killed at the end of the case

# kgr_spawn NAME COMMAND... - REPLY is its pid, its output goes to a file
kgr_spawn()
{
	local out=$KGR_TMP/$1.out

	shift
	: > "$out"
	"$@" > "$out" 2>&1 < /dev/null &
	REPLY=$!
	KGR_PIDS+=("$REPLY")
}

# kgr_said NAME REGEX - has it printed this?
kgr_said()
{
	grep -qE -- "$2" "$KGR_TMP/$1.out"
}

kgr_output()
{
	cat "$KGR_TMP/$1.out"
}

# kgr_asleep PID [STATE] - is its main thread in this state (default S or D)?
kgr_asleep()
{
	grep -qE "^State:[[:space:]]+[${2:-SD}]" "/proc/$1/status" 2>/dev/null
}

# kgr_sleeper NAME HOW - put a process to sleep inside kgr_test_sleep(), or,
# when HOW is "hold", uninterruptibly outside of any function that is patched
kgr_sleeper()
{
	if [ "$2" = hold ]; then
		kgr_spawn "$1" "$KGR_DIR/actor" hold
	else
		kgr_spawn "$1" "$KGR_DIR/actor" sleep "$2"
	fi
	kgr_until 10 kgr_said "$1" '^sleeping=' &&
		kgr_until 10 kgr_asleep "$REPLY" ||
		kgr_fail "sleeper $1 did not fall asleep: $(kgr_output "$1")"
}

# kgr_others_migrate PID - wait until the transition waits for PID alone. Under
# universe others asleep in system calls have to be nudged.
kgr_others_migrate()
{
	local tid i

	for i in 1 2 3 4 5; do
		for tid in $(kgr_stragglers | sed -n 's/^tid=\([0-9]*\) .*/\1/p'); do
			[ "$tid" = "$1" ] || kgr_nudge "$tid" > /dev/null
		done
		kgr_until 2 kgr_only_straggler "$1" && return
	done
	kgr_fail "$1 is not the only one left:" "$(kgr_stragglers)"
}

kgr_gone()
{
	! kill -0 "$1" 2>/dev/null
}

# kgr_reap PID - wait for an actor that is about to end
kgr_reap()
{
	{ wait "$1"; } 2>/dev/null
}

kgr_wake()
{
	echo 1 > "$KGR_TARGETS/wake"
}

# kgr_kill PID - with SIGKILL, and wait; bash has nothing to say about it
kgr_kill()
{
	{
		kill -KILL "$1"
		kgr_until 10 kgr_is_dead "$1"
		wait "$1"
	} 2>/dev/null
}

kgr_is_dead()
{
	local state

	state=$(sed -n 's/^State:[[:space:]]*\(.\).*/\1/p' "/proc/$1/status" 2>/dev/null)
	[ -z "$state" ] || [ "$state" = Z ] || { kgr_wake; return 1; }
}

# The state that a case must leave as it found it

kgr_snapshot()
{
	{
		echo "== modules"
		awk '{ print $1, $3 }' /proc/modules
		echo "== sysfs"
		find "$KGR_SYSFS" | sort
		grep -rs '' "$KGR_SYSFS" | sort
		echo "== ftrace"
		awk '{ print $1 }' "$KGR_TRACING/enabled_functions" 2>/dev/null
		echo "== targets"
		cat "$KGR_TARGETS/version"
	} > "$1"
}

kgr_kill_actors()
{
	local pid

	for pid in "${KGR_PIDS[@]}"; do
		kgr_kill "$pid"
	done
	KGR_PIDS=()
}

# Take back whatever the case has left applied. A patch that others stand on can't
# be reverted before those are: as many rounds as there are patches will do.
kgr_take_back()
{
	local dir name round

	for round in 1 2 3 4 5; do
		for dir in "$KGR_SYSFS"/*/; do
			name=$(basename "$dir")
			[ "$(kgr_get "$name/enabled")" != 0 ] || continue
			kgr_put 0 "$KGR_SYSFS/$name/enabled" > /dev/null
			kgr_wait "$name" > /dev/null 2>&1
		done
	done
	for name in $(awk '/^kgr_test_/ { print $1 }' /proc/modules); do
		kgr_until 5 kgr_unload "$name" > /dev/null ||
			kgr_fail "can't unload $name: $(kgr_stragglers)"
	done
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
	local text

	kgr_snapshot "$KGR_TMP/after"
	text=$(diff "$KGR_TMP/before" "$KGR_TMP/after") ||
		kgr_fail "state of the kernel is not as before:" "$text"
	text=$(dmesg_gate) || kgr_fail "$text"
}

# Cases

# kgr_case FUNCTION TITLE
kgr_case()
{
	[[ $1 =~ $KGR_ONLY ]] || return 0
	KGR_CASES+=("$1")
	KGR_TITLES+=("$2")
}

kgr_run_case()
{
	local begin

	KGR_FAILED=0
	KGR_SKIP=
	dmesg_mark "$2"
	kgr_snapshot "$KGR_TMP/before"
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
	echo "$KGR_SAVED_DEVKMSG" > /proc/sys/kernel/printk_devkmsg 2>/dev/null
	rm -rf "$KGR_TMP"
}

kgr_run()
{
	local i text

	ktap_print_header
	kgr_require
	KGR_TMP=$(mktemp -d /tmp/kgr.XXXXXX) || exit "$KSFT_FAIL"
	KGR_SAVED_NUDGE=$(kgr_get nudge_delay_ms)
	KGR_SAVED_DEVKMSG=$(cat /proc/sys/kernel/printk_devkmsg)
	trap kgr_restore EXIT
	# our marks must not be rate-limited away
	echo on > /proc/sys/kernel/printk_devkmsg
	kgr_teardown
	kmemleak_begin
	ktap_set_plan $((${#KGR_CASES[@]} + 1))
	for i in "${!KGR_CASES[@]}"; do
		kgr_run_case "${KGR_CASES[$i]}" "${KGR_TITLES[$i]}"
	done
	if text=$(kmemleak_gate); then
		ktap_test_pass "no memory leaked"
	else
		kgr_msg "$text"
		ktap_test_fail "no memory leaked"
	fi
	ktap_finished
}
