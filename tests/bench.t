#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A system call takes as many instructions with CONFIG_KGRAFT as without.

set -eu
. "$(dirname "$0")/tap.sh"

for config in vm nograft; do
	[ -f "$build/kernel-$config/arch/x86/boot/bzImage" ] || skip_all "make kernel CONFIG=$config was not run"
done

case_getpid()
{
	expect_rc 0 "$top/scripts/bench" getpid
	says 'difference: 0'
	[ -s "$build/bench/getpid.json" ]
}

check 'getpid executes the same number of instructions' case_getpid
tap_done
