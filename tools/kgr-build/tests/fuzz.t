#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The readers of diffs, objects, debug data and recorded commands, fed with what
# libFuzzer makes of good ones: KGR_FUZZ_SECONDS (default 60) for each, two at a time.
# They are built with address and undefined behaviour sanitizers. The seeds are made
# here; an input that fails is kept in build/fuzz, and so is what has been found out
# about new ways through the code, for the next run. What a target said when it failed,
# and the input, packed (base64 -d | xz -d), are printed as well.
#
# KGR_FUZZ names the directory of the fuzz_* programs (make fuzzers).

. "$(dirname "$0")/mini/mini.sh"
set -u
seconds=${KGR_FUZZ_SECONDS:-60}
bin=$(realpath "${KGR_FUZZ:-$top/build/tools/kgr-build.obj.fuzz}")
keep=$(dirname "$(dirname "$bin")")/fuzz

if [ ! -x "$bin/fuzz_diff" ]; then
	echo "1..0 # SKIP no fuzz targets in $bin: clang and its libFuzzer are needed"
	exit 0
fi
make_tree >"$work/log" 2>&1
ok $? "a small build tree"

seed()		# TARGET FILE...
{
	mkdir -p "$work/seed/$1"
	for f in "${@:2}"; do
		cp "$f" "$work/seed/$1/$(printf '%s' "$f" | sha256sum | cut -c1-12)"
	done
}

edit one kernel/core.c 's/return v + clamped;/return v;/; s/total = 7/total = 8/'
edit two include/mini.h 's/^\tchar tag;/\tchar tag, flag;/'
cat "$work/one.patch" "$work/two.patch" >"$work/both.patch"
{
	printf 'From x\nSubject: [PATCH] fs: a\n b\n\nCVE-2099-1234\n---\n'
	printf 'diff --git a/x b/x\nold mode 100644\nnew mode 100755\nrename from x\nsimilarity index 9%%\n'
	printf 'Binary files a/x and b/x differ\n'
	cat "$work/one.patch"
} >"$work/git.patch"
seed diff "$work"/{one,two,both,git}.patch "$tree"/kernel/{core,loop}.c
seed cmd "$tree"/kernel/.*.cmd "$tree/vmlinux.a"
seed elf "$tree"/kernel/*.o "$tree/vmlinux"
seed dwarf "$tree"/kernel/*.o
for o in core loop; do
	build_object "kernel/$o-4.o" "kernel/$o.c" -gdwarf-4 -ffunction-sections -fdata-sections
	build_object "kernel/$o-0.o" "kernel/$o.c" -g0 -ffunction-sections -fdata-sections -pg -mfentry \
		-mrecord-mcount
	seed dwarf "$tree/kernel/$o-4.o"
	seed elf "$tree/kernel/$o-0.o"
done

run_target()	# TARGET
{
	mkdir -p "$keep/$1" "$keep/bad"
	timeout -k 10 $((seconds + 120)) "$bin/fuzz_$1" -max_total_time="$seconds" -timeout=20 \
		-rss_limit_mb=2048 -max_len=65536 -print_final_stats=1 -artifact_prefix="$keep/bad/$1-" \
		"$keep/$1" "$work/seed/$1" >"$work/$1.out" 2>&1
	echo $? >"$work/$1.rc"
}

# Why it failed: the sanitizer's or libFuzzer's words, the statistics, and the input
trouble()	# TARGET
{
	local bad

	echo "exit status $(cat "$work/$1.rc"): 77 crash, 70 timeout, 71 memory, 124 it hung"
	sed -n '/ERROR: \|runtime error:\|ALARM: \|Assertion\|out of memory/,$p' "$work/$1.out" |
		cut -c1-300 | head -n 60
	tail -n 12 "$work/$1.out" | cut -c1-300
	bad=$(sed -n 's/.*Test unit written to //p' "$work/$1.out" | tail -n 1)
	[ -f "$bad" ] || return 0
	echo "the input, $(stat -c %s "$bad") bytes, sha256 $(sha256sum <"$bad"):"
	if [ "$(xz -9ec "$bad" | wc -c)" -le 16384 ]; then
		xz -9ec "$bad" | base64 -w 250
	else
		echo "too large to be printed: $bad"
	fi
}

cd "$work/out" || exit 1
for pair in 'diff cmd' 'elf dwarf'; do
	for t in $pair; do
		run_target "$t" &
	done
	wait
done
for t in diff cmd elf dwarf; do
	: >"$work/err"
	runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$work/$t.out")
	[ "$(cat "$work/$t.rc")" = 0 ] && [ "${runs:-0}" -gt $((seconds * 10)) ]
	rc=$?
	trouble "$t" >"$work/log"
	[ $rc = 0 ] || cat "$work/log" >&2	# prove keeps TAP to itself
	MINI_LINES=150 ok $rc "$t: ${runs:-0} inputs in $seconds s"
done
tests_done
