#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# kgr-ctl among 10,000 threads, in a guest of the vm kernel that counts instructions.

set -eu
. "$(dirname "$0")/tap.sh"
need_guest
make --no-print-directory -s -C "$top/tools/kgr-ctl" O="$build/tools" guest-programs >&2
"$top/scripts/vm-run" --config vm --icount --timeout 300 \
	--share "$top/tools/kgr-ctl/tests:/t" --share "$build/tools/kgr-ctl.d/tests:/programs" \
	-- bash /t/guest_crowd.sh /programs/crowd
