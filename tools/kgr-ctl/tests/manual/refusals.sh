#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What kgr-ctl refuses, each provoked for real in a guest, and recorded for the page of
# refusals: refusals.py makes it. Names are as in guest_lib.sh; besides that
#
#	refuse CODE SITUATION ARG...	kgr-ctl ARG... is refused, as JSON and as text
#	via=FUNCTION	what runs it; default: plain
#	before=FUNCTION	what makes it so again, before each of the two
#
# What can't be undone comes last.

# shellcheck disable=SC2317,SC2034 # functions are called by name
set -u
# shellcheck source=tools/kgr-ctl/tests/manual/guest_lib.sh
. "$(dirname "$0")/guest_lib.sh"
modules=/selftests/kgr/test_modules
helper=$modules/../unprivileged
store=/var/lib/kgraft
release=$(uname -r)
number=0
via=plain
before=:

plain() { kgr-ctl "$@"; }
as_nobody() { "$helper" user "$(command -v kgr-ctl)" "$@"; }
in_container() { unshare -r "$(command -v kgr-ctl)" "$@"; }
faked() { KGR_SYSFS_ROOT=/tmp/fake/sys kgr-ctl "$@"; }
faked_proc() { KGR_PROC_ROOT=/tmp/fake/proc kgr-ctl "$@"; }
no_sysfs() { KGR_SYSFS_ROOT=/tmp/nothing kgr-ctl "$@"; }
no_tracefs() { unshare -m sh -c 'umount -l /sys/kernel/tracing; umount -l /sys/kernel/debug; exec kgr-ctl "$@"' - "$@"; }
# a signal when it waits
signalled()
{
	local pid

	set -m
	kgr-ctl "$@" &
	pid=$!
	set +m
	sleep 1.5
	kill "-$signal" $pid
	wait $pid
}
# something happens when it waits
meanwhile()
{
	local pid

	kgr-ctl "$@" &
	pid=$!
	sleep 1.5
	$happens >/dev/null 2>&1
	wait $pid
}

refuse()	# CODE SITUATION ARG...
{
	local code=$1 dir got

	number=$((number + 1))
	dir=$record/$(printf %03d $number)
	mkdir "$dir"
	echo "$2" >"$dir/situation"
	echo "$code" >"$dir/code"
	shift 2
	echo "kgr-ctl${*:+ $*}" >"$dir/command"
	$before
	got=0
	$via --json "$@" >"$dir/json" 2>"$dir/err" </dev/null || got=$?
	[ $got = "$code" ] || wrong "kgr-ctl --json $*: exit status $got, not $code: $(cat "$dir/json" "$dir/err")"
	$before
	got=0
	$via "$@" >"$dir/text" 2>&1 </dev/null || got=$?
	[ $got = "$code" ] || wrong "kgr-ctl $*: exit status $got, not $code: $(cat "$dir/text")"
}

# fake FILE TEXT... - files of a patch kgr-fix in a tree of sysfs that is made up
fake()
{
	local dir=/tmp/fake/sys/kernel/kgraft/kgr-fix

	rm -rf /tmp/fake
	mkdir -p $dir /tmp/fake/sys/module/kgr_fix /tmp/fake/proc
	cp /sys/kernel/notes /tmp/fake/sys/kernel/
	ln -s ../../../module/kgr_fix $dir/owner
	echo live >/tmp/fake/sys/module/kgr_fix/initstate
	echo 1 >$dir/enabled
	echo 0 >$dir/transition
	echo hybrid >$dir/model
	printf 'Function Object Sympos State\neventfd_read vmlinux 0 2\n' >$dir/state
	while [ $# -gt 0 ]; do
		printf '%s\n' "$2" >"$dir/$1"
		shift 2
	done
}

# A transition of kgr-fix that a sleeper holds up
begin_transition()
{
	nudging off
	sleeper
	kgr-ctl load --quiet --no-wait ./kgr-fix.ko
	one_left kgr-fix
}

end_transition()
{
	release
	nudging on
	kgr-ctl unload --quiet --revert kgr-fix
}

command_lines()
{
	refuse 2 'nothing is said'
	refuse 2 'no such command' laod ./kgr-fix.ko
	refuse 2 'no such command' help laod
	refuse 2 'an operand too few' load
	refuse 2 'an operand too many' revert kgr-fix kgr-fix-2
	refuse 2 'no such option' load --now ./kgr-fix.ko
	refuse 2 'no such option' load -x ./kgr-fix.ko
	refuse 2 'an option of other commands' list --revert
	refuse 2 'an option that takes no value' load --wait=5 ./kgr-fix.ko
	refuse 2 'an option without its value' wait --timeout
	refuse 2 'a value that is no number' wait --timeout soon
	refuse 2 'a value that is no word for it' load --on-timeout stop --timeout 5 ./kgr-fix.ko
	refuse 2 'options that contradict each other' load --wait --no-wait ./kgr-fix.ko
	refuse 2 'a deadline without a time' load --on-timeout revert ./kgr-fix.ko
	refuse 2 'a time, but nobody waits' load --no-wait --timeout 5 ./kgr-fix.ko
	refuse 2 'a parameter without a value' load ./kgr-fix.ko debug
	refuse 2 'not an id' nudge mysqld
	refuse 2 'all, or one?' nudge --all 4711
	refuse 2 'no such mode' mode off
	refuse 2 'not a kernel' uninstall --kernel ../etc kgr_fix
	refuse 2 'a revert in another kernel' uninstall --kernel 6.1.0 --revert kgr_fix
	refuse 2 'which one is to be retried?' autoload --retry
	refuse 2 'a boot that would wait for ever' autoload --timeout 0
	refuse 2 'an operand too many' autoload --confirm kgr_fix
}

not_found()
{
	refuse 8 'no such patch' revert kgr-fix
	refuse 8 'neither a patch nor a module' info kgr-fix
	refuse 8 'no such file' load ./missing.ko
	refuse 8 'no such module' load kgr-missing
	refuse 8 'no such function' show no_such_function
	refuse 8 'not installed' uninstall kgr_fix
	refuse 8 'not installed' autoload kgr_fix
	via=no_sysfs
	mkdir -p /tmp/nothing
	refuse 8 'sysfs is not mounted' status
	mkdir -p /tmp/nothing/kernel
	refuse 8 'a kernel without kGraft' status
	via=no_tracefs
	refuse 8 'tracefs is not mounted' conflicts
	refuse 8 'tracefs is not mounted' conflicts ./kgr-fix.ko
	via=plain
	refuse 8 'a directory that is not there' metrics --output /var/missing/kgraft.prom
}

modules()
{
	refuse 1 'a module, but no patch' load ./kgr_test_klp.ko
	echo 'no module' >not-a-module.ko
	refuse 1 'not a module' load ./not-a-module.ko
	refuse 3 'a patch for another kernel' load ./kgr_test_build_id.ko
	refuse 3 'the same, looked at before' preflight ./kgr_test_build_id.ko
	refuse 1 'a module that does not say which kernel it is for' install ./kgr-nameless.ko
	refuse 1 'a name that no file can have' install ./kgr-slash.ko
	refuse 1 'a function that is not there' preflight ./kgr-missing-function.ko
	refuse 1 'a name that several functions have' preflight ./kgr-ambiguous.ko
	refuse 1 'a position that is not there' preflight ./kgr-position.ko
	refuse 1 'a function that ftrace leaves out' preflight ./kgr-notrace.ko
	refuse 1 'a module that only the kernel can ask' conflicts ./kgr_test_build_id.ko
	refuse 4 'a patch that is not cumulative' replace ./kgr-fix.ko
	refuse 4 'the same, found out by loading it' replace ./kgr_test_pairs.ko
}

# What only the kernel can tell
by_the_kernel()
{
	refuse 1 'a function that is not there' load ./kgr_test_bad.ko kind=missing
	refuse 1 'a patch that makes no sense' load ./kgr_test_bad.ko kind=ambiguous
	refuse 3 'a patch for another kernel, as only its structure says' load ./kgr_test_bad.ko kind=build_id
	refuse 1 'an init function that fails' load ./kgr_test_bad.ko kind=misspelt
	kgr-ctl load --quiet ./kgr_test_pairs.ko
	refuse 4 "the patch's name is in use" load ./kgr_test_bad.ko kind=dupname
	refuse 4 'still applied' unload kgr_test_pairs
	kgr-ctl load --quiet ./kgr_test_sleep.ko
	refuse 4 'other patches stand above it' revert kgr_test_pairs
	kgr-ctl unload --quiet --revert kgr_test_sleep
	kgr-ctl revert --quiet kgr_test_pairs
	refuse 4 'loaded, but reverted' load ./kgr_test_pairs.ko
	kgr-ctl unload --quiet kgr_test_pairs
	insmod ./kgr_test_klp.ko
	refuse 4 'a livepatch holds the function' load ./kgr_test_check.ko
	refuse 4 'the same, looked at before' preflight ./kgr_test_check.ko
	echo 0 >/sys/kernel/livepatch/kgr_test_klp/enabled
	until rmmod kgr_test_klp 2>/dev/null; do sleep 0.1; done
	kgr-ctl load --quiet ./kgr-fix.ko
	refuse 4 'another build of the patch is loaded' load ./other/kgr-fix.ko
	kgr-ctl unload --quiet --revert kgr-fix
	echo 0 >/proc/sys/kernel/ftrace_enabled
	refuse 4 'ftrace is switched off' doctor
	echo 1 >/proc/sys/kernel/ftrace_enabled
}

turn_round() { kgr-ctl revert --quiet kgr-fix; }

transitions()
{
	begin_transition
	refuse 4 'another transition runs' load ./kgr-fix-2.ko
	refuse 6 'a sleeper holds it up' wait kgr-fix --timeout 0.5
	refuse 6 'the same, when it is loaded' load ./kgr-fix.ko --timeout 0.5
	refuse 2 'nobody is there to be asked' force kgr-fix
	refuse 2 'another name was typed' force kgr-fix --yes-i-understand kgr-fix-2
	refuse 8 'no such thread' nudge 99999
	via=signalled
	signal=INT
	refuse 130 'Ctrl-C' wait kgr-fix
	signal=TERM
	refuse 143 'the session ends' wait kgr-fix
	end_transition
	before=begin_again
	signal=INT
	refuse 130 'Ctrl-C, and it is to be reversed' load ./kgr-fix.ko --on-interrupt revert
	end_transition
	via=plain
	refuse 5 'the deadline is over' load ./kgr-fix.ko --timeout 1 --on-timeout revert
	end_transition
	via=meanwhile
	happens=turn_round
	refuse 4 'somebody else reverts it meanwhile' load ./kgr-fix.ko
	end_transition
	before=:
	via=plain
	kgr-ctl load --quiet ./kgr-fix.ko
	refuse 4 'there is nobody to be forced' force kgr-fix
	kgr-ctl unload --quiet --revert kgr-fix
	# under the quiesce model none moves before all do
	nudging off
	echo 1 >/sys/kernel/debug/kgraft_test/sleep &
	pid=$!
	until grep -q kgr_test_sleep "/proc/$pid/stack"; do sleep 0.05; done
	kgr-ctl load --quiet --no-wait ./kgr_test_sleep.ko model=3
	refuse 4 'nobody has moved yet (model quiesce)' force kgr_test_sleep --yes-i-understand kgr_test_sleep
	refuse 1 'no deadline can be kept (model quiesce)' enable kgr_test_sleep --timeout 5 --on-timeout keep
	echo 1 >/sys/kernel/debug/kgraft_test/wake
	wait $pid
	nudging on
	kgr-ctl wait --quiet --timeout 20 kgr_test_sleep
	kgr-ctl unload --quiet --revert kgr_test_sleep
}

# kgr-fix in the kernel, but reverted, and the sleeper of before is gone
begin_again()
{
	[ ! -d $kgraft/kgr-fix ] || end_transition
	nudging off
	sleeper
}

rights()
{
	kgr-ctl load --quiet ./kgr-fix.ko
	via=as_nobody
	refuse 7 'not root' load ./kgr-fix-2.ko
	refuse 7 'not root' revert kgr-fix
	refuse 7 'not root' nudge
	refuse 7 'not root' install ./kgr-fix.ko
	refuse 7 'not root' mode stop
	refuse 7 'not root' metrics --output /root/kgraft.prom
	refuse 7 'not root' conflicts
	refuse 7 'not root' enable kgr-fix --timeout 5 --on-timeout revert
	via=in_container
	refuse 7 'root of a container' load ./kgr-fix-2.ko
	via=plain
	kgr-ctl revert --quiet kgr-fix
	via=as_nobody
	refuse 7 'not root' unload kgr-fix
	via=plain
	kgr-ctl unload --quiet kgr-fix
	begin_transition
	via=as_nobody
	refuse 7 'not root' force kgr-fix --yes-i-understand kgr-fix
	via=plain
	end_transition
	kgr-ctl mode --quiet stop
	refuse 7 "this host's mode forbids it" load ./kgr-fix.ko
	kgr-ctl mode --quiet normal
}

# The store, and what a boot does with it
hold_lock()
{
	flock $store sleep 25 &
	lock=$!
	sleep 0.3
}

store()
{
	kgr-ctl install --quiet ./kgr-fix.ko
	refuse 8 'installed for another kernel' uninstall --kernel 6.1.0 kgr_fix
	next_boot
	kgr-ctl autoload --quiet
	refuse 6 'the guard has not waited long enough' autoload --confirm --timeout 0.1
	next_boot kgr-fix
	refuse 1 'the machine has crashed with it' autoload
	echo garbage >$store/"$release"/kgr_fix.guard
	refuse 1 'the record of the guard is damaged' autoload
	rm $store/"$release"/kgr_fix.guard
	cp $store/"$release"/*.ko /tmp/kept
	echo more >>"$(echo $store/"$release"/*.ko)"
	refuse 1 'its file is damaged' autoload
	cp /tmp/kept "$(echo $store/"$release"/*.ko)"
	via=faked_proc
	fake
	mkdir -p /tmp/fake/proc/sys/kernel
	cp /proc/sys/kernel/osrelease /tmp/fake/proc/sys/kernel/
	refuse 1 '/proc is not what it should be' autoload
	via=plain
	echo 'kgr_fix' >$store/"$release"/index
	refuse 1 'the index is damaged' autoload
	rm -rf ${store:?}/*
	echo sometimes >$store/mode
	refuse 1 "the host's mode can't be read" load ./kgr-fix.ko
	rm $store/mode
	before=hold_lock
	refuse 4 'another kgr-ctl is at it' install ./kgr-fix.ko
	before=:
	kill "$lock"
	mount -t tmpfs -o size=16k none $store
	refuse 1 'the disk is full' install ./kgr-fix.ko
	mount -o remount,ro $store
	refuse 1 'the disk is read-only' install ./kgr-fix.ko
	umount $store
}

# Kernels of another age, and what should not be
other_kernels()
{
	via=faked
	fake
	refuse 1 'a kernel that keeps no deadlines' enable kgr-fix --timeout 5 --on-timeout revert
	fake transition 1
	refuse 1 'a kernel that can force nothing' force kgr-fix --yes-i-understand kgr-fix
	fake enabled maybe
	refuse 1 'a file of sysfs that makes no sense' status
	fake state 'a b c
d e f'
	refuse 1 'a file of sysfs that makes no sense' info kgr-fix
	fake
	rm /tmp/fake/sys/kernel/kgraft/kgr-fix/enabled
	refuse 8 'a file of sysfs that is not there' status
	fake enabled 0
	rm /tmp/fake/sys/kernel/kgraft/kgr-fix/owner
	refuse 1 'a patch that is part of the kernel' unload kgr-fix
	fake
	rm -r /tmp/fake/sys/kernel/kgraft/kgr-fix
	refuse 4 'a module that is just being loaded, or was left behind' load ./kgr-fix.ko
	fake
	echo 1 >/tmp/fake/sys/kernel/kgraft/dead
	rm -r /tmp/fake/sys/module/kgr_fix
	refuse 1 'ftrace has shut itself down' load ./kgr-fix.ko
	fake redirect 'eventfd_read none'
	refuse 1 'what stands at an entry is not what the patch says' verify
	refuse 1 'the same, among other things' doctor
	fake transition 1 state "$(printf 'Function Object Sympos State\neventfd_read vmlinux 0 1')" total 100 migrated 99 since "$(($(date +%s) - 1000)).000"
	refuse 4 'a transition has been running for a quarter of an hour' doctor
	via=faked_proc
	refuse 8 '/proc is not what it should be' show no_such_function
	via=plain
}

# From here on nothing can be undone
for_good()
{
	echo 'kgr-selftest expects a forced transition' >/dev/kmsg
	begin_transition
	kgr-ctl force --quiet kgr-fix --yes-i-understand kgr-fix
	release
	nudging on
	refuse 4 'a transition was forced' unload kgr-fix
	refuse 4 'the same, and reverted' unload --revert kgr-fix
	echo integrity >/sys/kernel/security/lockdown
	refuse 7 'not signed, and the kernel is locked down' load ./kgr-fix-2.ko
	refuse 7 'the same, looked at before' preflight ./kgr-fix-2.ko
	refuse 7 'a key that the kernel does not trust, and it is locked down' load ./kgr-signed.ko
	echo 1 >/sys/module/module/parameters/sig_enforce
	refuse 7 'not signed, and the kernel wants signatures' load ./kgr-fix-2.ko
	refuse 7 'a key that the kernel does not trust' load ./kgr-signed.ko
	echo 1 >/proc/sys/kernel/modules_disabled
	refuse 7 'no module is let in any more' load ./kgr-fix-2.ko
	refuse 7 'the same, among other things' doctor
}

mkdir -p $store
cp -r "$MANUAL"/*.ko "$MANUAL/other" /root/
cp $modules/kgr_test_{klp,build_id,bad,pairs,sleep,check}.ko /root/
chmod 755 /root
cd /root || exit
kgr-ctl --man-section=exit-status >"$record/exit-status"
for part in command_lines not_found modules by_the_kernel transitions rights store other_kernels for_good; do
	echo "# $part"
	$part
done
