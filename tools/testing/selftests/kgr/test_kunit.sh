#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The unit tests inside the kernel: loading their module runs them, KUnit keeps
# the results in debugfs until it is unloaded.

. "$(dirname "$0")/lib/kgr.sh"

RESULTS=/sys/kernel/debug/kunit

kunit_load()
{
	if ! kgr_config CONFIG_KGRAFT_KUNIT_TEST; then
		kgr_skip "CONFIG_KGRAFT_KUNIT_TEST is not set"
		return 1
	fi
	kgr_expect_kunit
	modprobe kgraft_kunit || kgr_fail "modprobe kgraft_kunit: $?"
}

kunit_unload()
{
	modprobe -r kgraft_kunit
	# What it has pulled in goes, too, for the state to be as before
	modprobe -r -q kunit || :
}

# suite NAME TESTS - all of its tests have run and passed
suite()
{
	local line

	kunit_load || return
	kgr_file "$RESULTS/$1/results"
	while IFS= read -r line; do
		[[ ! $line =~ ^\ *(not ok|# .*(EXPECT|ASSERT)) ]] || kgr_msg "$line"
	done <<< "$REPLY"
	kgr_match "the suite" "$REPLY" "(^|"$'\n'")ok [0-9]+ $1"
	kgr_is "tests that passed" "$2" kgr_count '^ +ok [0-9]+ ' "$RESULTS/$1/results"
	kgr_is "tests that failed" 0 kgr_count 'not ok' "$RESULTS/$1/results"
	kunit_unload
}

case_state()
{
	suite kgraft_state 4
}
kgr_case case_state "the table of states"

case_resolve()
{
	suite kgraft_resolve 6
}
kgr_case case_resolve "names, positions and sizes"

case_replace()
{
	suite kgraft_replace 5
}
kgr_case case_replace "what a cumulative patch takes back"

case_ranges()
{
	suite kgraft_ranges 4
}
kgr_case case_ranges "sets of address ranges"

kgr_run
