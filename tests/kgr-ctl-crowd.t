#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# kgr-ctl among 10,000 threads, in a guest of the vm kernel that counts instructions.

set -eu
top=$(cd "$(dirname "$0")/.." && pwd -P)
build=${BUILD:-$top/build}
if [ ! -f "$build/kernel-vm/arch/x86/boot/bzImage" ] || [ ! -d "$build/selftests-vm" ]; then
	echo "1..0 # SKIP the vm kernel or its selftests were not built"
	exit 0
fi
make --no-print-directory -s -C "$top/tools/kgr-ctl" O="$build/tools" guest-programs >&2
exec "$top/scripts/vm-run" --config vm --icount --timeout 300 \
	--share "$top/tools/kgr-ctl/tests:/t" --share "$build/tools/kgr-ctl.d/tests:/programs" \
	-- bash /t/guest_crowd.sh /programs/crowd
