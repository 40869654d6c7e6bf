#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# 10,000 threads, 50 of them in a function that is to be patched: who they are, and
# within a second of the guest's time. Run in a guest whose clock counts instructions
# (vm-run --icount). TAP on standard output.
#
#	guest_crowd.sh CROWD [DIRECTORY WITH THE SELFTESTS' PATCH MODULES]

modules=${2:-/selftests/kgr/test_modules}
patch=$modules/kgr_test_sleep.ko
threads=10000
inside=50
count=0
failed=0
work=$(mktemp -d)

ok()
{
	count=$((count + 1))
	if [ "$2" -eq 0 ]; then
		echo "ok $count - $1"
	else
		echo "not ok $count - $1"
		failed=1
	fi
}

# asks NAME ARG... - runs kgr-ctl with --json; its time and whom it lists are looked at
asks()
{
	local name=$1 before after

	shift
	before=$(date +%s%N)
	kgr-ctl "$@" --json > "$work/doc" || echo "# kgr-ctl $*: exit code $?"
	after=$(date +%s%N)
	echo "# $name: $(((after - before) / 1000000)) ms"
	[ $((after - before)) -lt 1000000000 ]
	ok "$name answers within a second" $?
	sed -n 's/^ *"tid": \([0-9]*\),$/\1/p' "$work/doc" | sort -n | diff - "$work/tids" > "$work/diff"
	ok "$name lists exactly the $inside" $?
	sed 's/^/# /' "$work/diff"
}

mount -t debugfs debugfs /sys/kernel/debug 2> /dev/null
echo 30000 > /proc/sys/kernel/threads-max
"$1" $threads $inside > "$work/out" &
crowd=$!
until grep -q ready "$work/out"; do sleep 0.2; done
grep -v ready "$work/out" | sort -n > "$work/tids"
[ "$(wc -l < "$work/tids")" -eq $inside ]
ok "$inside of $threads are there" $?

asks preflight preflight "$patch"
# nobody is nudged: those who sleep there are the only ones left under hybrid
echo 0 > /sys/kernel/kgraft/nudge_delay_ms
kgr-ctl load "$patch" model=1 --timeout 5 > "$work/load" 2>&1
[ $? -eq 6 ]
ok "they hold up the transition" $?
asks stragglers stragglers
kgr-ctl revert kgr_test_sleep > "$work/load" 2>&1
ok "which can be reversed" $?
kill $crowd
wait $crowd 2> /dev/null
kgr-ctl unload kgr_test_sleep > "$work/load" 2>&1
ok "and is gone with its module" $?
echo "1..$count"
rm -rf "$work"
exit $failed
