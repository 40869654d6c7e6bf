#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# ftrace shuts itself down, for good, while a patch is applied and another is being
# reverted. What is applied works on, what is under way completes, nothing else is
# begun, and no module goes that an entry may lead through. This is the last test:
# there is no way back but a reboot.

. "$(dirname "$0")/lib/kgr.sh"

# Nothing can be taken back afterwards
kgr_teardown()
{
	kgr_kill_actors
}

kgr_gate()
{
	kgr_ask gate
	[ -z "$REPLY" ] || kgr_fail "$REPLY"
}

case_dead()
{
	kgr_is "alive" 0 kgr_get dead
	kgr_set_nudge 0
	kgr_apply kgr_test_check || return
	kgr_is "load" ok kgr_load kgr_test_cost model=1
	kgr_wait kgr_test_cost
	kgr_sleeper sleeper 0 || return
	kgr_is "revert" ok kgr_put 0 "$KGR_SYSFS/kgr_test_cost/enabled"
	kgr_others_migrate "${KGR_PIDS[0]}"

	echo 1 > "$KGR_TARGETS/ftrace_kill"
	kgr_is "dead" 1 kgr_get dead

	kgr_wake
	kgr_is "completes" ok kgr_ask wait kgr_test_cost 30
	kgr_is "reverted" 0 kgr_get kgr_test_cost/enabled
	kgr_is "old body" 1 kgr_version first
	kgr_is "its module stays" EAGAIN kgr_unload kgr_test_cost
	kgr_is "why" 1 kgr_logged "kgr_test_cost.*its module has to stay"
	kgr_is "applying it again" ENODEV kgr_put 1 "$KGR_SYSFS/kgr_test_cost/enabled"
	kgr_is "reverting another" ENODEV kgr_put 0 "$KGR_SYSFS/kgr_test_check/enabled"
	kgr_is "which stays applied" 1 kgr_get kgr_test_check/enabled
	kgr_is "and loaded" EAGAIN kgr_unload kgr_test_check
	kgr_is "applying a third" ENODEV kgr_load kgr_test_pairs
	kgr_is_num "messages that say why" -gt 0 kgr_logged "can't be redirected any more"
	kgr_is "old bodies" "inner=1 outer=1 first=1 second=1" kgr_versions
	kgr_file $KGR_TRACING/enabled_functions
}
kgr_case case_dead "ftrace shuts itself down"

kgr_run
