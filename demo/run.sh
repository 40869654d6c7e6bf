#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The demonstration: a source diff becomes a patch of a running kernel. Every
# statement it prints after "ok" was checked; the first that does not hold ends
# it with a failure. "make demo" has built what this needs.

set -eu
. "$(dirname "$0")/../scripts/lib.sh"
# shellcheck source=demo/story.sh
. "$top/demo/story.sh"

name=eventfd-read
diff=demo/$name.patch
tree=$build/kernel-vm
share=$build/demo
cd "$top"
if [ ! -f "$tree/vmlinux" ] || [ ! -x "$build/tools/kgr-build" ]; then
	die 'run "make demo", which builds what is missing'
fi

rm -rf "$share"
mkdir -p "$share"
gcc -O2 -Wall -Wextra -Werror -static -pthread -o "$share/eventfd" demo/eventfd.c
cp demo/guest.sh demo/story.sh scripts/splats "$share/"

printf '%skGraft: a demonstration%s\n' "$bold" "$plain"
tell "It changes how the running kernel's read(2) treats an eventfd. The change is made" \
	'up for this purpose; it closes no security hole.'

step 'A change to the kernel source'
show "sed -n '/^diff/,\$p' $diff"

step 'kgr-build makes a patch module of it'
start=$(date +%s%N)
show "${build#"$top/"}/tools/kgr-build" -k "${tree#"$top/"}" -o "${share#"$top/"}/kgr-$name.ko" "$diff"
holds 'the change can be made to a running kernel' test "$status" = 0 -a -s "$share/kgr-$name.ko"
ms=$((($(date +%s%N) - start) / 1000000))
tell "That took $((ms / 1000)).$(printf %03d $((ms % 1000))) s."

rc=0
STORY_STEP=$story_step
scripts/vm-run --config vm --timeout 180 --share "$share:/demo" -- \
	env STORY_STEP="$STORY_STEP" bash /demo/guest.sh "/demo/kgr-$name.ko" "kgr-$name" || rc=$?
[ $rc = 0 ] || die "the demonstration failed (exit status $rc)"
printf '\n%sThat was it: everything held.%s\n' "$bold" "$plain"
