#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The page of sections is what sections.def makes, and each kind of section that the
# objects of a kernel have is in it.

set -u
here=$(cd "$(dirname "$0")" && pwd -P)
top=$(cd "$here/../../.." && pwd -P)
tool=$(realpath "${KGR_BUILD:-$top/build/tools/kgr-build}")
n=0 bad=0
ok()		# STATUS NAME
{
	n=$((n + 1))
	[ "$1" -eq 0 ] && echo "ok $n - $2" || { bad=$((bad + 1)); echo "not ok $n - $2"; }
}

"$here/../special-sections" "$tool" | diff -u "$top/Documentation/kgraft/special-sections.rst" - | sed 's/^/# /'
[ "${PIPESTATUS[1]}" -eq 0 ]; ok $? "the page is current"
rows=$("$tool" --list-sections | grep -c '^   \* - ``')
defs=$(grep -cE '^(TABLE|KIND)\(' "$here/../sections.def")
[ "$rows" -eq $((defs + 2)) ]; ok $? "it has a line for each of $defs kinds"
"$tool" --list-sections | awk '/^   \* - ``/ { getline; getline; if (!/^     - [a-z]/) bad = 1 } END { exit bad }'
ok $? "none is without a treatment"
echo "1..$n"
[ $bad -eq 0 ]
