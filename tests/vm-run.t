#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# scripts/vm-run: what comes back from a guest, however it ends. KGR_CONFIG
# names the kernel (default vm).

set -eu
. "$(dirname "$0")/tap.sh"

config=${KGR_CONFIG:-vm}
tree=${KERNEL_TREE:-$build/kernel-$config}
[ -f "$tree/arch/x86/boot/bzImage" ] || skip_all "$tree is not built"
unset KGR_ACCEL

vm()
{
	"$top/scripts/vm-run" --config "$config" --no-leak-scan "$@"
}

log_named()
{
	local log

	log=$(sed -n 's/^.*console log: //p' "$work/out" | tail -n 1)
	[ -s "$log" ] || { echo "no console log kept"; return 1; }
	[ $# = 0 ] || grep -q "$1" "$log" || { echo "not in the console log: $1"; return 1; }
}

case_status()
{
	expect_rc 0 vm -- true
	expect_rc 7 vm -- sh -c 'exit 7'
	log_named 'Run /init'
	expect_rc 127 vm -- /no/such/program
}

case_output()
{
	# shellcheck disable=SC2016 # for the guest's shell
	expect_rc 0 env KGR_TEST_WORDS="it's \$here" "$top/scripts/vm-run" --config "$config" -- \
		bash -c 'printf "%s|" "$@"; id -u; echo "$KGR_TEST_WORDS"; echo err >&2; uname -r' \
		x 'two words' "a'b" '$HOME' ''
	says "two words|a'b|\$HOME||0"
	says "it's \$here"
	says 'err'
	says "$(cat "$tree/include/config/kernel.release")"
}

# Shown while the command runs, not at its end
case_live()
{
	local _

	"$top/scripts/vm-run" --config "$config" -- sh -c 'echo early; sleep 20' >"$work/live" 2>&1 &
	for _ in $(seq 150); do
		! grep -q early "$work/live" || break
		sleep 0.1
	done
	grep -q early "$work/live"
	kill $!
	if wait $!; then
		return 1
	fi
}

case_share()
{
	mkdir -p "$work/share one" "$work/share2"
	echo from-host >"$work/share one/in"
	# shellcheck disable=SC2016 # for the guest's shell
	expect_rc 0 vm --share "$work/share one:/mnt/one" --share "$work/share2:/two" -- \
		sh -c 'cat /mnt/one/in && echo from-guest >/two/out'
	says 'from-host'
	expect from-guest "$(cat "$work/share2/out")" 'file from the guest'
}

case_panic()
{
	expect_rc 125 vm -- sh -c 'echo c >/proc/sysrq-trigger; sleep 60'
	says 'guest never finished'
	log_named 'Kernel panic'
}

case_power_off()
{
	expect_rc 125 vm -- poweroff -f
	says 'guest never finished'
	log_named
}

case_timeout()
{
	local start=$SECONDS

	expect_rc 124 vm --timeout 8 -- sleep 300
	[ $((SECONDS - start)) -lt 25 ]
	log_named 'Run /init'
}

case_splat()
{
	expect_rc 99 vm -- sh -c 'echo "BUG: made up by a test" >/dev/kmsg'
	says 'BUG: made up by a test'
	log_named
	expect_rc 99 vm -- sh -c 'echo 512 >/proc/sys/kernel/tainted'
	says 'tainted: 512'
	expect_rc 0 vm --allow-splat -- sh -c 'echo "BUG: made up by a test" >/dev/kmsg'
	# shellcheck disable=SC2016 # for the guest's shell
	expect_rc 0 vm -- sh -c 'echo $((1 << 15 | 1 << 12 | 1 << 13)) >/proc/sys/kernel/tainted'
}

# A warning that a test has announced is none, once; any other one still is. The
# taint of a warning is forgiven with it, and only then.
case_expected()
{
	local log='w() {
		echo "------------[ cut here ]------------" >/dev/kmsg
		echo "$1" >/dev/kmsg
		echo "WARNING: CPU: 0 PID: 1 at made/up.c:1" >/dev/kmsg
		echo "---[ end trace 0000000000000000 ]---" >/dev/kmsg
	}
	echo 512 >/proc/sys/kernel/tainted
	echo "kgr-selftest expects a warning: kgraft: test" >/dev/kmsg'

	expect_rc 0 vm -- sh -c "$log; w 'kgraft: test 1'"
	expect_rc 99 vm -- sh -c "$log; w 'kgraft: test 1'; w 'kgraft: test 2'"
	says 'WARNING: CPU'
	expect_rc 99 vm -- sh -c "$log; w 'kgraft: something else'"
	expect_rc 99 vm -- sh -c "$log"
	says 'tainted: 512'
	log='echo 262144 >/proc/sys/kernel/tainted'
	expect_rc 99 vm -- sh -c "$log"
	expect_rc 0 vm -- sh -c "$log; echo 'kgr-selftest runs tests of KUnit' >/dev/kmsg"
}

# The same for the taint of a forced transition
case_forced()
{
	local taint='echo 64 >/proc/sys/kernel/tainted'
	local announce='echo "kgr-selftest expects a forced transition" >/dev/kmsg'
	local happens='echo "kgraft: patch x: patching forced, 1 context left" >/dev/kmsg'

	expect_rc 0 vm -- sh -c "$announce; $taint; $happens"
	expect_rc 99 vm -- sh -c "$taint; $happens"
	expect_rc 99 vm -- sh -c "$announce; $taint"
	says 'tainted: 64'
}

case_two()
{
	mkdir -p "$work/two1" "$work/two2"
	vm --share "$work/two1:/share" -- sh -c 'echo first; echo 1 >/share/f' >"$work/first" 2>&1 &
	vm --share "$work/two2:/share" -- sh -c 'echo second; echo 2 >/share/f; exit 5' \
		>"$work/second" 2>&1 && return 1
	wait $!
	grep -q first "$work/first"
	grep -q second "$work/second"
	expect '1 2' "$(cat "$work/two1/f" "$work/two2/f" | tr '\n' ' ' | sed 's/ $//')" 'shares'
}

# No process and no temporary file stays
case_interrupt()
{
	local pid

	mkdir "$work/tmpdir"
	TMPDIR=$work/tmpdir "$top/scripts/vm-run" --config "$config" -- sleep 300 >"$work/out" 2>&1 &
	pid=$!
	sleep 4
	expect 1 "$(pgrep -fc "^qemu-system.*$work/tmpdir")" 'running QEMUs'
	kill -TERM "$pid"
	if wait "$pid"; then
		return 1
	fi
	expect 0 "$(pgrep -fc "^qemu-system.*$work/tmpdir")" 'QEMUs left'
	expect '' "$(ls "$work/tmpdir")" 'temporary files left'
}

case_options()
{
	expect_rc 0 vm --smp 3 --mem 700 --append 'kgr.test=1 quiet' --append second -- \
		sh -c 'nproc; cat /proc/cmdline; grep MemTotal /proc/meminfo'
	grep -qx 3 "$work/out"
	says ' kgr.test=1 quiet second'
	expect_rc 2 vm --smp none -- true
	expect_rc 2 vm --share /nowhere:/x -- true
	expect_rc 2 vm
	expect_rc 125 env -u KERNEL_TREE "$top/scripts/vm-run" --config no-such -- true
	says 'make kernel CONFIG=no-such'
}

# The counted time of the same loop is the same to the tick
case_icount()
{
	local n

	for n in 1 2; do
		expect_rc 0 vm --icount -- sh -c 'nproc; dmesg | grep -c .'
		grep -qx 1 "$work/out"
		cp "$work/out" "$work/icount$n"
	done
	diff "$work/icount1" "$work/icount2"
}

check 'exit status comes back' case_status
check 'arguments, environment and output pass unchanged' case_output
check 'output is shown while the command runs' case_live
check 'shares carry files both ways' case_share
check 'a panic is a failure, its log is kept' case_panic
check 'a guest that leaves early is a failure' case_power_off
check 'the time limit holds' case_timeout
check 'a splat or taint fails the run' case_splat
check 'a splat or taint that a test has announced is none' case_expected
check 'the taint of a forced transition is forgiven if it was announced' case_forced
check 'two at once' case_two
check 'killed, it takes QEMU and its files along' case_interrupt
check 'options' case_options
check 'icount' case_icount
tap_done
