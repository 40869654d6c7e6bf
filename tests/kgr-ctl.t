#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# kgr-ctl as it is typed, in a guest of the vm kernel. What it prints there as JSON
# is compared with its schemas.

set -eu
. "$(dirname "$0")/tap.sh"
need_guest
rc=0
make --no-print-directory -s -C "$top/tools/kgr-ctl" O="$build/tools" guest-programs >&2
KGR_DOCUMENTS=/documents KGR_PROGRAMS=/programs "$top/scripts/vm-run" --config vm --timeout 600 \
	--share "$top/tools/kgr-ctl/tests:/t" --share "$work:/documents" \
	--share "$build/tools/kgr-ctl.d/tests:/programs" -- bash /t/guest.sh >"$work/tap" || rc=$?
# the guest's plan is one short of what follows
grep -v '^1\.\.' "$work/tap" || :
count=$(($(grep -cE '^(not )?ok ' "$work/tap" || :) + 1))
if "$top/tools/kgr-ctl/tests/test_schema.py" "$work/all.json" >"$work/schema"; then
	echo "ok $count - documents fit their schemas$(sed -n 's/^1\.\.0//p' "$work/schema")"
else
	echo "not ok $count - documents fit their schemas"
	grep '^#' "$work/schema" || :
	rc=1
fi
# a guest that has ended early is no success
planned=$(sed -n 's/^1\.\.//p' "$work/tap")
echo "1..$((${planned:-0} + 1))"
exit "$rc"
