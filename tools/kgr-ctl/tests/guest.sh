#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# kgr-ctl against a real kernel: run as root in a guest whose kernel has
# CONFIG_KGRAFT_TEST.  TAP on standard output.
#
#	guest.sh [DIRECTORY WITH THE SELFTESTS' PATCH MODULES]

# shellcheck disable=SC2317 # the tests are called by name
modules=${1:-/selftests/kgr/test_modules}
dir=/sys/kernel/debug/kgraft_test
kgraft=/sys/kernel/kgraft
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
	says "kgraft: patch 'kgr_test_pairs'"
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
	last="status, as nobody"
	"$helper" user "$(command -v kgr-ctl)" status > "$out" 2> "$err" || complain "refused"
	ctl 0 unload --revert kgr_test_pairs
}

helper=$modules/../unprivileged
[ -d $dir ] || mount -t debugfs debugfs /sys/kernel/debug
tests=(nothing_yet round_trip many_round_trips straggler wait_is_woken interrupted refusals)
if [ -x "$helper" ]; then
	tests+=(unprivileged)
fi
echo "1..${#tests[@]}"
for t in "${tests[@]}"; do
	run "$t"
done
rm -f "$out" "$err"
exit $((failed > 0))
