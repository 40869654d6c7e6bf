#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# How much memory patches take: what the slab allocator and vmalloc have handed out
# with a patch of 500 functions applied, with one of 1, and with none; the same module
# in the first two cases, and its size is left out of the difference to the third. The
# least of several runs.

set -eu

modules=/selftests/kgr/test_modules

fail()
{
	echo "memory.sh: $*" >&2
	exit 1
}

bytes()
{
	sync
	echo 3 >/proc/sys/vm/drop_caches
	sleep 0.3
	mawk 'FILENAME == "/proc/slabinfo" && $2 ~ /^[0-9]+$/ && $1 ~ /^kmalloc/ { sum += $2 * $4 }
		FILENAME == "/proc/vmallocinfo" { sum += $2 }
		END { printf "%d\n", sum }' /proc/slabinfo /proc/vmallocinfo
}

until_is()	# VALUE FILE
{
	local i

	for ((i = 0; i < 500; i++)); do
		[ ! -e "$2" ] && [ "$1" = gone ] && return
		[ "$(cat "$2" 2>/dev/null)" != "$1" ] || return 0
		sleep 0.02
	done
	fail "$2 does not become $1"
}

applied()	# MODULE DIRECTORY COUNT
{
	local i now least=

	for ((i = 0; i < 3; i++)); do
		insmod "$modules/$1.ko" nr="$3"
		until_is 0 "$2/$1/transition"
		now=$(($(bytes) - $(cat "/sys/module/$1/coresize")))
		[ -n "$least" ] && [ "$least" -le "$now" ] || least=$now
		echo 0 >"$2/$1/enabled"
		[ "$2" = /sys/kernel/kgraft ] && until_is 0 "$2/$1/transition" ||
			until_is gone "$2/$1/transition"
		for _ in 1 2 3 4 5 6 7 8 9; do
			! rmmod "$1" 2>/dev/null || break
			sleep 0.1
		done
	done
	echo "$least"
}

none=$(bytes)
for system in kgraft:kgr_test_lots livepatch:kgr_test_klp_lots; do
	one=$(applied "${system#*:}" "/sys/kernel/${system%:*}" 1)
	many=$(applied "${system#*:}" "/sys/kernel/${system%:*}" 500)
	function=$(((many - one) / 499))
	echo "memory of=${system%:*}_per_function bytes=$function"
	echo "memory of=${system%:*}_per_patch bytes=$((one - none - function))"
done
echo "memory of=size_of_task_struct bytes=$(cat /sys/kernel/slab/task_struct/object_size)"
