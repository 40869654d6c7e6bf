#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# kgr-ctl against a real kernel: run as root in a guest whose kernel has
# CONFIG_KGRAFT_TEST.  TAP on standard output.
#
#	guest.sh [DIRECTORY WITH THE SELFTESTS' PATCH MODULES]
#
# KGR_PROGRAMS: the directory with what make guest-programs builds.
# KGR_DOCUMENTS: a directory for all that is printed with --json, to be compared with
# the schemas elsewhere.

# shellcheck disable=SC2317 # the tests are called by name
modules=${1:-/selftests/kgr/test_modules}
dir=/sys/kernel/debug/kgraft_test
kgraft=/sys/kernel/kgraft
tracing=/sys/kernel/tracing
count=0
failed=0
out=$(mktemp)
err=$(mktemp)

# ctl CODE ARG... - runs kgr-ctl, which has to end with CODE
ctl()
{
	local want=$1 got=0

	shift
	last="kgr-ctl $*"
	timeout 60 kgr-ctl "$@" > "$out" 2> "$err" || got=$?
	case " $* " in
	*" --json "*) [ ! -d "${KGR_DOCUMENTS-}" ] || cat "$out" >> "$KGR_DOCUMENTS/all.json" ;;
	esac
	[ "$got" -eq "$want" ] && return
	complain "exit code $got, not $want"
}

complain()
{
	bad=1
	echo "# $last: $*"
	sed 's/^/#   /' "$out" "$err"
}

# says TEXT - the last output, or its errors, have it
says()
{
	grep -qF -e "$1" "$out" "$err" || complain "does not say: $1"
}

run()
{
	bad=0
	"$@"
	count=$((count + 1))
	if [ $bad -eq 0 ]; then
		echo "ok $count - $*"
	else
		echo "not ok $count - $*"
		failed=$((failed + 1))
	fi
}

# A thread asleep in kgr_test_sleep(); $1: how.  The patches are loaded with
# model=1 (hybrid), under which no other sleeper is left.
sleeper()
{
	echo "$1" > $dir/sleep &
	pid=$!
	until grep -q kgr_test_sleep "/proc/$pid/stack"; do sleep 0.05; done
}

release()
{
	echo 1 > $dir/wake
	wait "$pid" 2> /dev/null
}

nothing_yet()
{
	ctl 0 status
	says "state:    ready"
	ctl 0 list
	says "no patches"
	ctl 0 stragglers
	says "no transition"
	ctl 0 wait
	ctl 0 nudge
	says "no transition"
	ctl 8 revert kgr_test_pairs
}

round_trip()
{
	ctl 0 load "$modules/kgr_test_pairs.ko"
	says "kgr_test_pairs: applied after"
	grep -q 'first=2' $dir/version || complain "the patch has no effect"
	ctl 0 load "$modules/kgr_test_pairs.ko"
	says already-applied
	ctl 0 list --json
	says '"state": "applied"'
	ctl 0 info kgr_test_pairs
	says kgr_test_inner
	ctl 4 unload kgr_test_pairs
	says "unload --revert kgr_test_pairs"
	ctl 0 revert kgr_test_pairs
	says "kgr_test_pairs: reverted after"
	grep -q 'first=1' $dir/version || complain "the revert has no effect"
	ctl 0 revert kgr_test_pairs
	says already-reverted
	ctl 4 load "$modules/kgr_test_pairs.ko"
	ctl 0 enable kgr_test_pairs
	grep -q 'first=2' $dir/version || complain "enable has no effect"
	ctl 0 unload --revert kgr_test_pairs
	[ ! -e $kgraft/kgr_test_pairs ] || complain "something is left"
	[ ! -e /sys/module/kgr_test_pairs ] || complain "the module is left"
}

# Unloading right after a revert: the kernel has let go of the module by then
many_round_trips()
{
	for _ in $(seq 20); do
		ctl 0 load "$modules/kgr_test_pairs.ko"
		ctl 0 unload --revert kgr_test_pairs
		[ $bad -eq 0 ] || break
	done
}

straggler()
{
	echo 0 > $kgraft/nudge_delay_ms
	sleeper 0
	ctl 6 load "$modules/kgr_test_sleep.ko" model=1 --timeout 0.5
	says "in-patched-function 1"
	ctl 4 load "$modules/kgr_test_pairs.ko"
	says "patch 'kgr_test_sleep' is applying"
	says "kgr-ctl wait kgr_test_sleep"
	ctl 0 status --json
	says '"in-patched-function": 1'
	ctl 0 stragglers
	says "in kgr_test_sleep+0x"
	says "remedy: 'kgr-ctl nudge PID'"
	grep -q "^ *$pid  *$pid  " "$out" || complain "the sleeper is not listed"
	ctl 0 stragglers --json -v
	says "\"pid\": $pid"
	says '"source": "netlink"'
	ctl 6 wait --timeout 0.2 --json
	says '"kind": "timeout-pending"'
	ctl 0 nudge "$pid"
	says "nudged 1 thread"
	ctl 0 wait kgr_test_sleep --timeout 20
	says "kgr_test_sleep: applied"
	ctl 0 nudge "$pid"
	says "no transition"
	release
	ctl 0 unload --revert kgr_test_sleep
	echo 1000 > $kgraft/nudge_delay_ms
}

# The event ends the wait, not a time-out: it takes far less than a second more
wait_is_woken()
{
	local before waiter

	echo 0 > $kgraft/nudge_delay_ms
	sleeper 1
	ctl 0 load --no-wait "$modules/kgr_test_sleep.ko" model=1
	kgr-ctl wait --json > "$out" 2> "$err" &
	waiter=$!
	sleep 1
	# asleep in poll(): it has not been on a CPU since
	before=$(grep ctxt_switches "/proc/$waiter/status")
	sleep 1
	[ "$before" = "$(grep ctxt_switches "/proc/$waiter/status")" ] || complain "wait polls"
	release
	wait $waiter || complain "wait failed"
	says '"result": "complete"'
	ctl 0 unload --revert kgr_test_sleep
	echo 1000 > $kgraft/nudge_delay_ms
}

interrupted()
{
	local code=0

	echo 0 > $kgraft/nudge_delay_ms
	sleeper 1
	ctl 0 load --no-wait "$modules/kgr_test_sleep.ko" model=1
	last="kgr-ctl wait, SIGINT"
	# a job of its own, so that it has SIGINT as a terminal's job has
	set -m
	kgr-ctl wait > "$out" 2> "$err" &
	set +m
	sleep 1
	kill -INT $!
	wait $! || code=$?
	[ $code -eq 130 ] || complain "exit code $code, not 130"
	says "goes on"
	grep -q 1 $kgraft/kgr_test_sleep/transition || complain "the transition has ended"
	# turned round: the sleeper is in the old function, it need not move for that
	ctl 0 revert kgr_test_sleep --timeout 20
	says "kgr_test_sleep: reverted after"
	release
	ctl 0 unload kgr_test_sleep
	echo 1000 > $kgraft/nudge_delay_ms
}

# Ctrl-C reverses, where that was asked for
interrupted_load()
{
	local code=0

	echo 0 > $kgraft/nudge_delay_ms
	sleeper 1
	last="kgr-ctl load --on-interrupt revert, SIGINT"
	set -m
	kgr-ctl load "$modules/kgr_test_sleep.ko" model=1 --on-interrupt revert > "$out" 2> "$err" &
	set +m
	until grep -qs 1 $kgraft/kgr_test_sleep/transition; do sleep 0.05; done
	sleep 0.2
	kill -INT $!
	wait $! || code=$?
	[ $code -eq 130 ] || complain "exit code $code, not 130"
	says "patch 'kgr_test_sleep' is reverted again"
	ctl 0 check
	release
	ctl 0 unload kgr_test_sleep
	echo 1000 > $kgraft/nudge_delay_ms
}

# terminal CODE [WHEN TEXT]... -- ARG... - runs kgr-ctl on a terminal, and types TEXT when it
# has said WHEN
terminal()
{
	local want=$1 got=0 typed=()

	shift
	while [ "$1" != -- ]; do
		typed+=("$1")
		shift
	done
	shift
	last="kgr-ctl $*, on a terminal"
	timeout 60 "$pty" ${typed[@]+"${typed[@]}"} -- kgr-ctl "$@" > "$out" 2> "$err" || got=$?
	[ "$got" -eq "$want" ] || complain "exit code $got, not $want"
}

# What is drawn, and what Ctrl-C asks
on_a_terminal()
{
	local escape=$'\033' interrupt=$'\003' bar="left: in-patched" question="eave it?"

	echo 0 > $kgraft/nudge_delay_ms
	sleeper 1
	ctl 0 load --no-wait "$modules/kgr_test_sleep.ko" model=1
	terminal 6 -- watch --timeout 1.5
	says "${escape}[J"
	says "left: in-patched-function 1"
	says "in kgr_test_sleep+0x"
	terminal 130 "$bar" "$interrupt" -- watch
	says "goes on"
	# waiting on, the same question once more, then leave it
	terminal 130 "$bar" "$interrupt" "$question" $'w\n' "$bar" "$interrupt" \
		"$question" $'l\n' -- load "$modules/kgr_test_sleep.ko"
	says "[w]ait for it, [r]everse it, or [l]eave it?"
	says "[####"
	grep -q 1 $kgraft/kgr_test_sleep/transition || complain "the transition has ended"
	# Ctrl-C at the question leaves it too
	terminal 130 "$bar" "$interrupt" "$question" "$interrupt" -- \
		load "$modules/kgr_test_sleep.ko"
	grep -q 1 $kgraft/kgr_test_sleep/transition || complain "the transition has ended"
	terminal 130 "$bar" "$interrupt" "$question" $'r\n' -- \
		load "$modules/kgr_test_sleep.ko"
	says "patch 'kgr_test_sleep' is reverted again"
	release
	ctl 0 unload kgr_test_sleep
	echo 1000 > $kgraft/nudge_delay_ms
}

# A host on which something is missing, in a mount namespace of its own
# alone CODE COMMAND - runs it there, with what is said in $out
alone()
{
	local want=$1 got=0

	last=$2
	unshare -m sh -c "$2" > "$out" 2>&1 || got=$?
	[ "$got" -eq "$want" ] || complain "exit code $got, not $want"
}

missing_mounts()
{
	local hide_tracing="umount -l $tracing; umount -l /sys/kernel/debug"

	alone 8 "mount -t tmpfs none /sys; kgr-ctl status"
	says "sysfs is not mounted on /sys"
	says "mount -t sysfs sysfs /sys"
	alone 8 "mount -t tmpfs none /sys; kgr-ctl doctor --json"
	says '"verdict": "failed"'
	alone 8 "mount -t tmpfs none $kgraft/..; kgr-ctl load $modules/kgr_test_pairs.ko"
	says "no kGraft in the running kernel"
	alone 0 "$hide_tracing; kgr-ctl doctor"
	says "mount -t tracefs tracefs $tracing"
	alone 8 "$hide_tracing; kgr-ctl conflicts"
	alone 0 "$hide_tracing; kgr-ctl preflight $modules/kgr_test_pairs.ko"
	says "who else holds its functions can't be told"
	# it is no reason not to load
	alone 0 "$hide_tracing; kgr-ctl load $modules/kgr_test_pairs.ko && kgr-ctl verify"
	says "only kGraft's own word was checked"
	ctl 0 unload --revert kgr_test_pairs
}

# What hands know from elsewhere, and what scripts ask
questions()
{
	ctl 0 check
	says "ready"
	ctl 0 patches --json
	says '"command": "list"'
	ctl 0 uname
	says "$(uname -r)"
	ctl 0 cve
	says "no patch names a CVE"
	ctl 1 cve --is-patched CVE-2024-0001 --json
	ctl 0 show kgr_test_inner
	says "the kernel's own"
	ctl 8 show no_such_function
	ctl 0 load "$modules/kgr_test_pairs.ko"
	ctl 0 cve --is-patched CVE-2024-0001
	says "patched, by kgr_test_pairs (applied)"
	ctl 0 cve --json
	ctl 0 uname --json
	says "$(uname -r)+kgr_test_pairs"
	ctl 0 show kgr_test_inner
	says "in force: kgr_test_pairs"
	says "redirect: jmp"
	ctl 0 load "$modules/kgr_test_sleep.ko"
	ctl 0 show kgr_test_first --json
	says '"owner": "kgr_test_sleep"'
	ctl 0 conflicts --json
	says kgr_test_second
	ctl 0 verify --json
	says '"verdict": "ok"'
	ctl 0 unload --revert kgr_test_sleep
	ctl 0 unload --revert kgr_test_pairs
	ctl 0 help --json
}

# More functions than a file of sysfs has room for
lots()
{
	ctl 0 load "$modules/kgr_test_lots.ko"
	ctl 0 list --json
	says '"function_count": 500'
	ctl 0 verify
	says kgr_test_many_499
	ctl 0 doctor
	ctl 0 unload --revert kgr_test_lots
}

# watch and check, and the stacks of those that are left
watching()
{
	local watcher

	echo 0 > $kgraft/nudge_delay_ms
	sleeper 1
	ctl 0 load --no-wait "$modules/kgr_test_sleep.ko" model=1
	ctl 1 check --json
	says '"in_progress"'
	ctl 0 blocking -vv
	says "stack of $pid"
	says "  kgr_test_sleep+0x"
	ctl 0 stragglers -vv --json
	kgr-ctl watch > "$out" 2> "$err" &
	watcher=$!
	sleep 1
	grep -q 'left: in-patched-function 1' "$out" || complain "watch shows nothing"
	release
	wait $watcher || complain "watch failed"
	says "kgr_test_sleep: applied, waited"
	ctl 0 watch --json
	ctl 0 unload --revert kgr_test_sleep
	echo 1000 > $kgraft/nudge_delay_ms
}

# A kgr-ctl that dies in the middle leaves what status explains and the next one goes on with
killed()
{
	echo 0 > $kgraft/nudge_delay_ms
	sleeper 1
	last="kgr-ctl load, SIGKILL"
	kgr-ctl load "$modules/kgr_test_sleep.ko" model=1 > "$out" 2> "$err" &
	until grep -qs 1 $kgraft/kgr_test_sleep/transition; do sleep 0.05; done
	kill -KILL $!
	wait $! 2> /dev/null
	ctl 0 status
	says "is:       applying"
	says "reasons:  in-patched-function 1"
	ctl 0 doctor
	says "patch 'kgr_test_sleep' is applying"
	says "kgr-ctl stragglers"
	# of the same module: it goes on waiting
	ctl 6 load "$modules/kgr_test_sleep.ko" --timeout 0.2
	ctl 4 load "$modules/kgr_test_pairs.ko" --json
	ctl 4 preflight "$modules/kgr_test_pairs.ko" --json
	release
	ctl 0 load "$modules/kgr_test_sleep.ko" --json
	says '"state": "applied"'
	# killed while it unloads: the patch is reverted, the module is left
	sleeper 1
	last="kgr-ctl unload, SIGKILL"
	kgr-ctl unload --revert kgr_test_sleep > "$out" 2> "$err" &
	until grep -qs 1 $kgraft/kgr_test_sleep/transition; do sleep 0.05; done
	kill -KILL $!
	wait $! 2> /dev/null
	ctl 0 status
	says "is:       reverting"
	release
	ctl 0 unload kgr_test_sleep
	[ ! -e /sys/module/kgr_test_sleep ] || complain "the module is left"
	echo 1000 > $kgraft/nudge_delay_ms
}

cumulative()
{
	ctl 0 load "$modules/kgr_test_sle1.ko"
	ctl 0 replace "$modules/kgr_test_sle2.ko" replace_all=1 --json
	says '"result": "applied"'
	ctl 0 list
	grep -q 'sle1 *reverted' "$out" || complain "the first one is still applied"
	ctl 0 unload kgr_test_sle1
	# nothing tells before it is loaded: it comes out again
	ctl 4 replace "$modules/kgr_test_pairs.ko"
	says "it is not cumulative"
	says "its module removed again"
	[ ! -e /sys/module/kgr_test_pairs ] || complain "the module is left"
	grep -q 'first=1' $dir/version || complain "the patch is left"
	ctl 0 unload --revert kgr_test_sle2
}

# What would happen, and that it then does
preflight()
{
	ctl 0 doctor --json
	says '"verdict": "ok"'
	ctl 0 preflight "$modules/kgr_test_pairs.ko"
	says "kgr_test_inner   vmlinux       0  ok      jmp"
	sleeper 0
	ctl 0 preflight "$modules/kgr_test_sleep.ko" --json
	says "\"tid\": $pid"
	says '"function": "kgr_test_sleep"'
	ctl 0 preflight "$modules/kgr_test_sleep.ko"
	says "1 thread is in its functions now and would straggle"
	release
	ctl 0 preflight "$modules/kgr_test_sleep.ko"
	grep -q '^ok *sleepers' "$out" || complain "somebody is left"
	ctl 3 preflight "$modules/kgr_test_build_id.ko"
	says "was made for another kernel"
	ctl 1 preflight "$modules/kgr_test_klp.ko" --json
	[ ! -e $kgraft/kgr_test_pairs ] || complain "something has been changed"
	# of a module that is not there
	ctl 0 preflight "$modules/kgr_test_late.ko"
	says "not-loaded"
	# what kgr-build has made says in tags what it replaces
	if [ -e "$modules/kgr_test_mech.ko" ]; then
		ctl 0 preflight "$modules/kgr_test_mech.ko" --json
		says '"name": "kgr_test_mech_table"'
		says '"status": "ok"'
	fi
}

# A livepatch holds a function: named before anything is done
held_by_others()
{
	insmod "$modules/kgr_test_klp.ko" || complain "no livepatch"
	ctl 4 preflight "$modules/kgr_test_check.ko"
	says "held by livepatch 'kgr_test_klp'"
	ctl 4 load "$modules/kgr_test_check.ko"
	says "kgr_test_check is held by livepatch 'kgr_test_klp'"
	ctl 4 conflicts "$modules/kgr_test_check.ko" --json
	ctl 4 conflicts
	says "a livepatch (klp_ftrace_handler)"
	echo 0 > /sys/kernel/livepatch/kgr_test_klp/enabled
	until rmmod kgr_test_klp 2> /dev/null; do sleep 0.1; done
	ctl 0 conflicts
	says "no conflicts"
	# a tracer gets along: a handler instead of a jump, and verify agrees
	ctl 0 load "$modules/kgr_test_pairs.ko"
	echo kgr_test_inner > $tracing/set_ftrace_filter
	echo function > $tracing/current_tracer
	ctl 0 verify
	grep -q 'kgr_test_inner .* handler ' "$out" || complain "no handler"
	ctl 0 preflight "$modules/kgr_test_pairs.ko"
	says "1 of its functions will be reached by a handler"
	ctl 0 unload --revert kgr_test_pairs
	echo nop > $tracing/current_tracer
	echo > $tracing/set_ftrace_filter
}

refusals()
{
	ctl 3 load "$modules/kgr_test_build_id.ko"
	says "made for build-id"
	says "running is build-id"
	ctl 8 load ./missing.ko
	ctl 8 load no_such_module
	ctl 1 load "$modules/kgr_test_klp.ko"
	says "not a kGraft patch module"
	ctl 0 list
	says "no patches"
	ctl 0 info "$modules/kgr_test_build_id.ko"
	says "fits this kernel: no"
}

unprivileged()
{
	local command

	ctl 0 load "$modules/kgr_test_pairs.ko"
	for command in "revert kgr_test_pairs" "unload --revert kgr_test_pairs" nudge; do
		last="$command, as nobody"
		# shellcheck disable=SC2086
		"$helper" user "$(command -v kgr-ctl)" $command > "$out" 2> "$err"
		[ $? -eq 7 ] || complain "not refused as it should be"
	done
	for command in status check list verify doctor "show kgr_test_inner" cve uname \
		"preflight $modules/kgr_test_sleep.ko"; do
		last="$command, as nobody"
		# shellcheck disable=SC2086
		"$helper" user "$(command -v kgr-ctl)" $command > "$out" 2> "$err" ||
			complain "refused"
	done
	says "run kgr-ctl as root"
	ctl 0 unload --revert kgr_test_pairs
}

. "$(dirname "$0")/guest_boots.sh"

helper=$modules/../unprivileged
[ -d $dir ] || mount -t debugfs debugfs /sys/kernel/debug
[ -d $tracing ] || mount -t tracefs tracefs $tracing
tests=(nothing_yet round_trip many_round_trips straggler wait_is_woken interrupted refusals
	interrupted_load missing_mounts questions lots watching killed cumulative preflight
	held_by_others survives_a_boot crash_is_held_back modes some_fail)
if [ -x "$helper" ]; then
	tests+=(unprivileged)
fi
pty=${KGR_PROGRAMS-}/pty
if [ -x "$pty" ]; then
	tests+=(on_a_terminal)
fi
echo "1..${#tests[@]}"
for t in "${tests[@]}"; do
	run "$t"
done
rm -f "$out" "$err"
exit $((failed > 0))
