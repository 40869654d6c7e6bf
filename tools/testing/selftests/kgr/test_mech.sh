#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What the kernel patches or looks up in code: exception and bug tables, static
# keys and calls, alternatives, tracepoints and so on, in functions that are
# replaced. The patch is what kgr-build makes of diffs/kgr_test_mech.patch: the
# same functions of vmlinux and of a module, which is there before the patch, comes
# after it, goes and comes back. Documentation/kgraft/testing.rst has the functions.

. "$(dirname "$0")/lib/kgr.sh"

P=kgr_test_mech
T=kgr_test_target

if [ ! -e "$KGR_MODULES/$P.ko" ]; then
	ktap_skip_all "no $P.ko: it takes kgr-build"
	exit "$KSFT_SKIP"
fi

# mech OBJECT FUNCTION [ARG] - what the function returns
mech()
{
	echo "${3:-0}" > "$KGR_TARGETS/$1/$2"
	kgr_file "$KGR_TARGETS/$1/$2"
}

# flip OBJECT FILE VALUE - switch, vmswitch or choice
flip()
{
	echo "$3" > "$KGR_TARGETS/$1/$2" || kgr_fail "$1: $2=$3"
}

target_load()
{
	modprobe "$T" || kgr_fail "modprobe $T: $?"
}

target_unload()
{
	kgr_is "unload $T" ok kgr_unload "$T"
}

# is_flipped OBJECT VERSION SWITCH VMSWITCH CHOICE - what can be changed at run time
is_flipped()
{
	kgr_is "$1: its static key" $(($2 * 100 + $3)) mech "$1" key
	kgr_is "$1: the static key of vmlinux" $(($2 * 100 + $4)) mech "$1" vmkey
	kgr_is "$1: its static call" $(($2 * 100 + $5)) mech "$1" call
}

# is_version OBJECT VERSION - each function, those that can be flipped aside
is_version()
{
	local v=$2 arg=0 yields

	kgr_is "$1: no warning" "${v}00" mech "$1" warn 0
	kgr_is "$1: no fault" "${v}00" mech "$1" fault 0
	kgr_is "$1: a fault that is caught" "${v}01" mech "$1" fault 1
	kgr_is "$1: alternative" "${v}02" mech "$1" alt
	kgr_is "$1: tracepoint" "${v}00" mech "$1" trace 7
	kgr_is "$1: cold part, not run" "${v}00" mech "$1" cold 0
	kgr_is "$1: cold part" "${v}05" mech "$1" cold 1
	kgr_is "$1: functions of another file" "${v}03" mech "$1" peer
	for yields in 11 23 37 41 59 67 71 83; do
		kgr_is "$1: constant table at $arg" "$v$yields" mech "$1" table $arg
		arg=$((arg + 1))
	done
	kgr_is "$1: beyond the constant table" "${v}00" mech "$1" table $arg
	kgr_is "$1: printk" "${v}00" mech "$1" print "$KGR_PRINT"
	kgr_is "$1: what it printed" 1 kgr_logged "kgr_test_mech: version $v prints $KGR_PRINT\$"
	KGR_PRINT=$((KGR_PRINT + 1))
}
KGR_PRINT=1000

# counts OBJECT VERSION CALLS - the call number CALLS of those that count them
counts()
{
	kgr_is "$1: variable per CPU" $(($2 * 100 + $3)) mech "$1" percpu
	kgr_is "$1: static variable" $(($2 * 100 + $3)) mech "$1" local
}

# The variables of vmlinux have counted since boot: 0 to 99 calls
counted()
{
	mech "$1" percpu
	REPLY=$((REPLY % 100))
	while [ $REPLY -gt 80 ]; do
		mech "$1" local
		mech "$1" percpu
		REPLY=$((REPLY % 100))
	done
	mech "$1" local
	REPLY=$((REPLY % 100))
}

# flip_all OBJECT VERSION - each way and back, with a look at each; ends at rest
flip_all()
{
	flip "$1" switch 1; is_flipped "$1" "$2" 1 0 1
	flip "$1" choice 2; is_flipped "$1" "$2" 1 0 2
	flip "$1" vmswitch 1; is_flipped "$1" "$2" 1 1 2
	flip "$1" switch 0; is_flipped "$1" "$2" 0 1 2
	flip "$1" choice 1; is_flipped "$1" "$2" 0 1 1
	flip "$1" vmswitch 0; is_flipped "$1" "$2" 0 0 1
}

# Functions of vmlinux: keys and calls as they were set before the patch came,
# then as they are set while it is applied, then after it has gone. Variables keep
# counting.
case_vmlinux()
{
	local n

	is_version vmlinux 1
	is_flipped vmlinux 1 0 0 1
	counted vmlinux; n=$REPLY
	flip vmlinux switch 1
	flip vmlinux vmswitch 1
	flip vmlinux choice 2
	kgr_apply $P || return
	is_flipped vmlinux 2 1 1 2
	is_version vmlinux 2
	mech vmlinux local; kgr_eq "static variable" "$REPLY" $((200 + n + 1))
	flip vmlinux switch 0
	flip vmlinux vmswitch 0
	flip vmlinux choice 1
	flip_all vmlinux 2
	kgr_remove $P || return
	is_version vmlinux 1
	mech vmlinux local; kgr_eq "static variable" "$REPLY" $((100 + n + 2))
	flip_all vmlinux 1
}
kgr_case case_vmlinux "functions of vmlinux"

# The same for a module that was there before the patch, and stays.
case_module_first()
{
	target_load
	is_version $T 1
	counts $T 1 1
	flip $T switch 1
	flip $T vmswitch 1
	flip $T choice 2
	kgr_apply $P || return
	is_flipped $T 2 1 1 2
	is_version $T 2
	counts $T 2 2
	flip $T switch 0
	flip $T vmswitch 0
	flip $T choice 1
	flip_all $T 2
	flip $T switch 1
	flip $T choice 2
	kgr_remove $P || return
	is_flipped $T 1 1 0 2
	is_version $T 1
	counts $T 1 3
	flip $T switch 0
	flip $T choice 1
	flip_all $T 1
	target_unload
}
kgr_case case_module_first "functions of a module that is there before the patch"

# A module that comes while the patch is applied, goes, and comes back elsewhere:
# nothing of its former life is left.
case_patch_first()
{
	local i

	kgr_apply $P || return
	for i in 1 2; do
		target_load
		kgr_is "state in the patch" 2 kgr_state $P kgr_test_mech_key
		is_flipped $T 2 0 0 1
		is_version $T 2
		counts $T 2 1
		counts $T 2 2
		flip_all $T 2
		# goes away with each of them changed
		flip $T switch 1
		flip $T choice 2
		is_flipped $T 2 1 0 2
		target_unload
		is_version vmlinux 2
	done
	target_load
	kgr_remove $P || return
	is_flipped $T 1 0 0 1
	is_version $T 1
	flip_all $T 1
	target_unload
}
kgr_case case_patch_first "functions of a module that comes and goes while the patch is applied"

# A patch that is reverted, and applied again, with the module there and without.
case_again()
{
	kgr_apply $P || return
	target_load
	kgr_set $P 0 || return
	is_version $T 1
	flip $T switch 1
	kgr_set $P 1 || return
	is_flipped $T 2 1 0 1
	kgr_set $P 0 || return
	target_unload
	target_load
	is_version $T 1
	kgr_set $P 1 || return
	is_version $T 2
	flip_all $T 2
	target_unload
	kgr_remove $P
}
kgr_case case_again "the patch is reverted and applied again"

# The key of vmlinux is shared: who flips it does so for all.
case_shared_key()
{
	kgr_apply $P || return
	flip vmlinux vmswitch 1
	target_load
	is_flipped $T 2 0 1 1
	is_flipped vmlinux 2 0 1 1
	flip $T vmswitch 0
	is_flipped $T 2 0 0 1
	is_flipped vmlinux 2 0 0 1
	flip $T vmswitch 1
	target_unload
	is_flipped vmlinux 2 0 1 1
	flip vmlinux vmswitch 0
	kgr_remove $P
}
kgr_case case_shared_key "a key of vmlinux in both objects"

# traced OBJECT VERSION ARG - is a call seen by whoever traces?
traced()
{
	mech "$1" trace "$3"
	kgr_is "$1: traced" 1 kgr_count "kgr_test_mech: version=$2 arg=$3\$" $KGR_TRACING/trace
}

# Tracepoints that are on when the patch or the module comes, and go on later.
case_tracepoint()
{
	local events=$KGR_TRACING/events

	if [ ! -d $events/kgr_test_vmlinux ]; then
		kgr_skip "CONFIG_EVENT_TRACING is not set"
		return
	fi
	echo > $KGR_TRACING/trace
	target_load
	echo 1 > $events/kgr_test_vmlinux/enable
	echo 1 > $events/$T/enable
	kgr_apply $P || return
	traced vmlinux 2 101
	traced $T 2 102
	echo 0 > $events/$T/enable
	mech $T trace 103
	kgr_is "not traced" 0 kgr_count "arg=103\$" $KGR_TRACING/trace
	echo 1 > $events/$T/enable
	traced $T 2 104
	echo 0 > $events/$T/enable
	target_unload
	target_load
	mech $T trace 105
	kgr_is "not traced" 0 kgr_count "arg=105\$" $KGR_TRACING/trace
	echo 1 > $events/$T/enable
	traced $T 2 106
	echo 0 > $events/$T/enable
	echo 0 > $events/kgr_test_vmlinux/enable
	target_unload
	kgr_remove $P
	echo > $KGR_TRACING/trace
}
kgr_case case_tracepoint "tracepoints"

# A warning names the new function, and execution goes on behind it.
warns()		# OBJECT
{
	kgr_apply $P || return
	target_load
	kgr_expect_warning "kgr_test_mech: this is expected"
	kgr_is "$1: a warning" 201 mech "$1" warn 1
	kgr_is "where" 1 kgr_logged '^WARNING: .* kgr_new_kgr_test_mech_warn(_2)?\+.*\[kgr_test_mech\]'
	target_unload
	kgr_remove $P
}

case_warning_vmlinux()
{
	warns vmlinux
}
kgr_case case_warning_vmlinux "a warning in vmlinux"

case_warning_module()
{
	warns $T
}
kgr_case case_warning_module "a warning in a module"

# come_and_go VERSION - the module, twice, while a transition waits for somebody
come_and_go()
{
	local i

	for i in 1 2; do
		target_load
		kgr_is "transition" 1 kgr_get $P/transition
		is_version $T "$1"
		flip_all $T "$1"
		flip $T switch 1
		target_unload
	done
}

# The module comes in mid-transition, goes and comes back: it is patched or not as
# everything else is for who looks.
case_transition()
{
	kgr_sleeper holder hold
	kgr_set_nudge 0
	kgr_is "load" ok kgr_load $P || return
	come_and_go 2
	kgr_is "reverse" ok kgr_put 0 $KGR_SYSFS/$P/enabled
	kgr_nudge
	kgr_finish $P 0 || return
	target_load
	is_version $T 1
	kgr_kill_actors
	kgr_set_nudge "$KGR_NUDGE_MS"
	kgr_set $P 1 || return
	is_version $T 2
	target_unload

	kgr_sleeper holder hold
	kgr_set_nudge 0
	kgr_is "revert" ok kgr_put 0 $KGR_SYSFS/$P/enabled
	come_and_go 1
	kgr_kill_actors
	kgr_nudge
	kgr_finish $P 0 || return
	kgr_is "unload" ok kgr_unload $P
}
kgr_case case_transition "in mid-transition"

kgr_run
