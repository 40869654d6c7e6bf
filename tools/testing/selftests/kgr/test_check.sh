#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The universe checker notices a context that sees two universes. All other tests
# run with it, in a kernel that has it, and show that it is silent.

. "$(dirname "$0")/lib/kgr.sh"

MIX=$KGR_TARGETS/mix

have_checker()
{
	[ -e "$MIX" ] && return
	kgr_skip "CONFIG_KGRAFT_DEBUG is not set"
	return 1
}

# said WHO - it has named both calls and who it was
said()
{
	kgr_logged "kgraft: universe violated: $1.* called kgr_test_first from kgr_check_provoke.* in epoch [0-9]+, then kgr_test_second from kgr_check_provoke.* in epoch [0-9]+"
	[ "$REPLY" = 1 ]
}

# The checker sees the calls that the handler decides
handler()
{
	kgr_file "$KGR_FORM"
	form=$REPLY
	kgr_is "redirects by the handler" ok kgr_put handler "$KGR_FORM"
}

# mix HOW WHO - a mix is made in a context, and noticed
mix()
{
	local form

	have_checker || return
	handler
	kgr_apply kgr_test_pairs || return
	kgr_expect_warning "kgraft: universe violated: $2"
	kgr_is "making the mix" ok kgr_put "$1" "$MIX"
	kgr_until 10 said "$2" || kgr_fail "the checker has not said so"
	kgr_remove kgr_test_pairs
	kgr_is "as before" ok kgr_put "$form" "$KGR_FORM"
}

case_task()
{
	mix 0 "a system call"
}
kgr_case case_task "a mix in a system call is noticed"

case_interrupt()
{
	mix 1 "an interrupt"
}
kgr_case case_interrupt "a mix in an interrupt is noticed"

# Where nobody is patched, there is nothing to be seen twice
case_unpatched()
{
	have_checker || return
	kgr_is "no mix without a patch" ok kgr_put 0 "$MIX"
	kgr_sleep_ms 200
	kgr_is "complaints" 0 kgr_logged "universe violated"
}
kgr_case case_unpatched "nothing is said where nothing is patched"

kgr_run
