#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# kgr-ctl as it is typed, in a guest of the vm kernel.

set -eu
top=$(cd "$(dirname "$0")/.." && pwd -P)
build=${BUILD:-$top/build}
if [ ! -f "$build/kernel-vm/arch/x86/boot/bzImage" ] || [ ! -d "$build/selftests-vm" ]; then
	echo "1..0 # SKIP the vm kernel or its selftests were not built"
	exit 0
fi
exec "$top/scripts/vm-run" --config vm --timeout 300 \
	--share "$top/tools/kgr-ctl/tests:/t" -- bash /t/guest.sh
