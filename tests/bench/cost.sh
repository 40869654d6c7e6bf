#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What a call of a patched function costs, in a guest whose TSC counts
# instructions. Prints one line per state: cost state=NAME least=N, N being the
# instructions of 100 turns of a loop around a call.

set -eu

modules=/selftests/kgr/test_modules
kgraft=/sys/kernel/kgraft
targets=/sys/kernel/debug/kgraft_test
form=/sys/module/kgraft/parameters/redirect

fail()
{
	echo "cost.sh: $*" >&2
	exit 1
}

until_is()	# VALUE FILE
{
	local i

	for ((i = 0; i < 500; i++)); do
		[ ! -e "$2" ] && [ "$1" = gone ] && return
		[ "$(cat "$2" 2>/dev/null)" != "$1" ] || return 0
		sleep 0.02
	done
	fail "$2 does not become $1"
}

cost()	# STATE ROW
{
	local row least

	while read -r row least; do
		[ "$row" != "$2" ] || echo "cost state=$1 least=$least"
	done <"$targets/cost"
}

redirect_is()	# FORM
{
	grep -qx "kgr_test_empty $1" $kgraft/kgr_test_cost/redirect ||
		fail "kgr_test_empty is not a $1: $(cat $kgraft/kgr_test_cost/redirect)"
}

set_enabled()
{
	echo "$1" >$kgraft/kgr_test_cost/enabled
}

in_transition()	# FORM PREFIX
{
	echo 0 >$targets/sleep &
	sleep 0.2
	set_enabled 1
	redirect_is "$1"
	cost "$2-old" from
	cost "$2-new" to
	cost "$2-interrupt" interrupt
	echo 1 >$targets/wake
	wait
	until_is 0 $kgraft/kgr_test_cost/transition
}

cost unpatched reader

echo jmp >$form
insmod $modules/kgr_test_cost.ko
until_is 0 $kgraft/kgr_test_cost/transition
redirect_is jmp
cost final reader
set_enabled 0
until_is 0 $kgraft/kgr_test_cost/transition
in_transition stub transition

echo handler >$form
set_enabled 0
until_is 0 $kgraft/kgr_test_cost/transition
in_transition handler handler-transition
redirect_is handler
cost handler reader
set_enabled 0
until_is 0 $kgraft/kgr_test_cost/transition
rmmod kgr_test_cost

insmod $modules/kgr_test_klp.ko func=kgr_test_empty
until_is 0 /sys/kernel/livepatch/kgr_test_klp/transition
cost livepatch reader
echo 0 >/sys/kernel/livepatch/kgr_test_klp/enabled
until_is gone /sys/kernel/livepatch/kgr_test_klp/transition
