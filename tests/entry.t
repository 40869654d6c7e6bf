#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Kernel entry and exit are the same with and without CONFIG_KGRAFT, as long as
# no work bit is set: block by block in the code.

set -eu
top=$(cd "$(dirname "$0")/.." && pwd -P)
build=${BUILD:-$top/build}
for config in vm nograft; do
	[ -f "$build/kernel-$config/vmlinux" ] || {
		echo "1..0 # SKIP make kernel CONFIG=$config was not run"
		exit 0
	}
done
exec "$top/scripts/check-entry" "$build/kernel-vm/vmlinux" "$build/kernel-nograft/vmlinux"
