#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# scripts/integrate and scripts/make-series on small trees made here: a
# miniature kGraft checkout (the real scripts, made-up hooks and overlay) and a
# miniature kernel.

set -eu
. "$(dirname "$0")/tap.sh"

kg=$work/kgraft
# The miniature builds in its own directory, whatever the Makefile says of ours
unset BUILD
export GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null HOME=$work
export GIT_AUTHOR_NAME=t GIT_AUTHOR_EMAIL=t@localhost GIT_COMMITTER_NAME=t GIT_COMMITTER_EMAIL=t@localhost

make_tree()	# DIR
{
	mkdir -p "$1/kernel" "$1/arch/x86"
	printf 'VERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 7\n' >"$1/Makefile"
	echo 'mainmenu "x"' >"$1/Kconfig"
	seq 1 60 | sed 's/^/fork /' >"$1/kernel/fork.c"
	seq 1 60 | sed 's/^/exit /' >"$1/kernel/exit.c"
	seq 1 20 | sed 's/^/build /' >"$1/arch/x86/Kbuild"
}

# hook NUMBER SUBJECT FILE LINE TEXT: a patch that adds TEXT after LINE of FILE
hook()
{
	local dir=$work/mk file=$3

	git -C "$dir" rev-parse 2>/dev/null || {
		make_tree "$dir"
		git -C "$dir" init -q
		git -C "$dir" add -A
		git -C "$dir" commit -qm base
	}
	sed -i "$4a $5" "$dir/$file"
	git -C "$dir" commit -qam "$2"
	git -C "$dir" format-patch -q -1 --start-number "$1" -o "$kg/patches/linux-6.12"
}

make_kgraft()
{
	mkdir -p "$kg/patches/linux-6.12" "$kg/kernel/kgraft" "$kg/include/linux"
	cp -r "$top/scripts" "$kg/scripts"
	echo 'int kgr_core;' >"$kg/kernel/kgraft/core.c"
	echo 'config KGRAFT' >"$kg/kernel/kgraft/Kconfig"
	echo '/* kgraft.h */' >"$kg/include/linux/kgraft.h"
	hook 1 'fork: count the new task' kernel/fork.c 30 'fork hook'
	hook 2 'exit: count the dead' kernel/exit.c 30 'exit hook'
	hook 3 'fork: and once more' kernel/fork.c 10 'fork hook two'
}

# state DIR: contents and times of all its files
state()
{
	(cd "$1" && find . -type f ! -path './.git/*' -printf '%p %T@ ' -exec sha256sum {} \; | sort)
}

integrate()
{
	"$kg/scripts/integrate" "$@"
}

case_fresh()
{
	make_tree "$work/a"
	touch -d '2001-01-01' "$work/a/kernel/fork.c" "$work/a/Makefile"
	expect_rc 0 integrate "$work/a"
	grep -q 'fork hook two' "$work/a/kernel/fork.c"
	grep -q 'exit hook' "$work/a/kernel/exit.c"
	cmp "$kg/kernel/kgraft/core.c" "$work/a/kernel/kgraft/core.c"
	cmp "$kg/include/linux/kgraft.h" "$work/a/include/linux/kgraft.h"
	expect "$(date -d 2001-01-01 +%s)" "$(stat -c %Y "$work/a/Makefile")" 'time of an untouched file'
	[ "$(stat -c %Y "$work/a/kernel/fork.c")" -gt "$(date -d 2020-01-01 +%s)" ]
}

case_idempotent()
{
	state "$work/a" >"$work/before"
	expect_rc 0 integrate "$work/a"
	says '0 written'
	state "$work/a" | diff "$work/before" -
}

case_offsets()
{
	make_tree "$work/off"
	sed -i '1i new first line\nnew second line' "$work/off/kernel/fork.c"
	expect_rc 0 integrate "$work/off"
	grep -q 'fork hook two' "$work/off/kernel/fork.c"
}

case_misfit()
{
	make_tree "$work/b"
	sed -i 's/^exit 29$/exit twenty-nine/' "$work/b/kernel/exit.c"
	state "$work/b" >"$work/before"
	expect_rc 1 integrate "$work/b"
	says 'kernel/exit.c'
	state "$work/b" | diff "$work/before" -
}

case_missing()
{
	make_tree "$work/c"
	rm "$work/c/kernel/exit.c"
	state "$work/c" >"$work/before"
	expect_rc 1 integrate "$work/c"
	says 'kernel/exit.c'
	state "$work/c" | diff "$work/before" -
}

case_not_a_kernel()
{
	mkdir "$work/d"
	expect_rc 1 integrate "$work/d"
	says 'not a Linux kernel source tree'
	expect '' "$(ls -A "$work/d")" 'files in the directory'
	expect_rc 1 integrate "$work/nowhere"
	says 'no such directory'
}

case_wrong_version()
{
	make_tree "$work/e"
	sed -i 's/^PATCHLEVEL.*/PATCHLEVEL = 1/' "$work/e/Makefile"
	state "$work/e" >"$work/before"
	expect_rc 1 integrate "$work/e"
	says 'this is Linux 6.1.7'
	state "$work/e" | diff "$work/before" -
}

case_foreign_overlay()
{
	make_tree "$work/f"
	mkdir "$work/f/kernel/kgraft"
	echo mine >"$work/f/kernel/kgraft/core.c"
	state "$work/f" >"$work/before"
	expect_rc 1 integrate "$work/f"
	says 'kernel/kgraft/core.c'
	state "$work/f" | diff "$work/before" -
}

case_changed_since()
{
	local file

	for file in kernel/fork.c kernel/kgraft/core.c; do
		rm -rf "$work/g"
		make_tree "$work/g"
		expect_rc 0 integrate "$work/g"
		echo 'my own line' >>"$work/g/$file"
		state "$work/g" >"$work/before"
		expect_rc 1 integrate "$work/g"
		says "$file"
		state "$work/g" | diff "$work/before" -
	done
}

# The next cases change the miniature kGraft; each ends with what a fresh
# integration gives.
same_as_fresh()	# DIR
{
	rm -rf "$work/fresh"
	make_tree "$work/fresh"
	integrate "$work/fresh"
	diff -r "$work/fresh" "$1"
}

case_new_series()
{
	make_tree "$work/h"
	expect_rc 0 integrate "$work/h"
	touch -d '2001-01-01' "$work/h/kernel/exit.c" "$work/h/include/linux/kgraft.h"
	sed -i 's/fork hook two/fork hook TWO/' "$kg"/patches/linux-6.12/0003-*
	hook 4 'Kbuild: descend' arch/x86/Kbuild 3 'obj-y += kgraft/'
	rm "$kg/kernel/kgraft/Kconfig"
	echo 'int more;' >>"$kg/kernel/kgraft/core.c"
	expect_rc 0 integrate "$work/h"
	grep -q 'fork hook TWO' "$work/h/kernel/fork.c"
	expect 0 "$(grep -c 'fork hook two' "$work/h/kernel/fork.c")" 'old hook'
	[ ! -e "$work/h/kernel/kgraft/Kconfig" ]
	expect "$(date -d 2001-01-01 +%s)" "$(stat -c %Y "$work/h/kernel/exit.c")" 'time of a file that stayed'
	expect "$(date -d 2001-01-01 +%s)" "$(stat -c %Y "$work/h/include/linux/kgraft.h")" 'time of a header that stayed'
	same_as_fresh "$work/h"
}

case_shorter_series()
{
	cp -r "$work/h" "$work/i"
	rm "$kg"/patches/linux-6.12/0002-* "$kg"/patches/linux-6.12/0004-*
	expect_rc 0 integrate "$work/i"
	make_tree "$work/plain"
	cmp "$work/plain/kernel/exit.c" "$work/i/kernel/exit.c"
	cmp "$work/plain/arch/x86/Kbuild" "$work/i/arch/x86/Kbuild"
	same_as_fresh "$work/i"
}

# Cut the run short at its n-th rename, for every n: the next run mends all.
case_interrupted()
{
	local n=0 cut=1

	mkdir -p "$work/bin"
	cat >"$work/bin/mv" <<-'SH'
		#!/bin/bash
		n=$(($(cat "$CUT_FILE") - 1))
		echo "$n" >"$CUT_FILE"
		[ $n -gt 0 ] || { kill -9 $PPID; exit 1; }
		exec /bin/mv "$@"
	SH
	chmod +x "$work/bin/mv"
	export CUT_FILE=$work/cut
	while [ "$cut" = 1 ]; do
		n=$((n + 1))
		rm -rf "$work/j"
		cp -r "$work/h" "$work/j"	# has the longer series
		echo "$n" >"$CUT_FILE"
		cut=0
		PATH=$work/bin:$PATH integrate "$work/j" || cut=1
		integrate "$work/j"
		same_as_fresh "$work/j"

		rm -rf "$work/j"
		make_tree "$work/j"
		echo "$n" >"$CUT_FILE"
		PATH=$work/bin:$PATH integrate "$work/j" || cut=1
		integrate "$work/j"
		same_as_fresh "$work/j"
	done
	echo "cut at $n places"
	[ "$n" -gt 5 ]
}

case_series()
{
	make_tree "$work/k"
	git -C "$work/k" init -q
	git -C "$work/k" add -A
	git -C "$work/k" commit -qm base
	expect_rc 0 "$kg/scripts/make-series"
	git -C "$work/k" am -q "$kg"/build/kgraft-6.12.mbox
	diff -r -x .git -x .kgraft "$work/k" "$work/fresh"
	git -C "$work/k" reset -q --hard "$(git -C "$work/k" rev-list --max-parents=0 HEAD)"
	git -C "$work/k" am -q "$kg"/build/patch/*.patch
	diff -r -x .git -x .kgraft "$work/k" "$work/fresh"
}

case_after_am()
{
	state "$work/k" >"$work/before"
	expect_rc 0 integrate "$work/k"
	says '0 written'
	state "$work/k" | grep -v ' ./.kgraft/' | grep -v '/\.kgraft/' | diff "$work/before" -
	hook 5 'Kbuild: other place' arch/x86/Kbuild 12 'obj-y += kgraft/'
	expect_rc 0 integrate "$work/k"
	rm -rf "$work/k/.git"
	same_as_fresh "$work/k"
}

make_kgraft
check 'a fresh tree gets overlay and hooks' case_fresh
check 'a second run writes nothing' case_idempotent
check 'offsets are forgiven' case_offsets
check 'a file that does not match is named, the tree unchanged' case_misfit
check 'a missing file is named, the tree unchanged' case_missing
check 'a directory that is no kernel is refused' case_not_a_kernel
check 'another version is refused' case_wrong_version
check "a stranger's file in the overlay's place is refused" case_foreign_overlay
check 'a file changed since is refused' case_changed_since
check 'a newer series is integrated anew, unchanged files keep their times' case_new_series
check 'files no longer hooked are restored' case_shorter_series
check 'an interrupted run is mended by the next' case_interrupted
check 'make-series: git am gives the same tree' case_series
check 'a tree that has the series from git am is recognised' case_after_am
tap_done
