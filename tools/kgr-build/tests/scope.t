#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Which diffs are followed: all that tools make of the same change, several at a time,
# files that are new.  On the small tree of mini/.

. "$(dirname "$0")/mini/mini.sh"
set -u

make_tree >"$work/log" 2>&1
ok $? "a small build tree"
core=kernel/core.c
before=$(snapshot)

# built NAME TEXT [OPTION]...: a module is written, of one changed function
built()
{
	local name=$1 text=$2

	shift 2
	run "$name" "$@"
	{ [ $rc -eq 0 ] || [ $rc -eq 6 ]; } && json "$name" '@{$d->{changed}} == 1'
	ok $? "$text"
}

# refused NAME EXIT CODE TEXT [OPTION]...
refused()
{
	local name=$1 status=$2 code=$3 text=$4

	shift 4
	run "$name" "$@"
	[ $rc -eq "$status" ] && grep -F "$code: " "$work/err" | grep -qE -- "$text" &&
		[ ! -e "$work/$name.ko" ]
	ok $? "$name: exit $status, $code"
}

# --- one change in all its forms

edit form $core 's/return v + clamped;/return v - clamped;/'
built form 'diff -u with a/ and b/'
headers()	# NAME OLD NEW [LINE...]: the same hunks below other names
{
	local name=$1 old=$2 new=$3

	shift 3
	{ [ $# -eq 0 ] || printf '%s\n' "$@"; printf -- '--- %s\n+++ %s\n' "$old" "$new"
	  sed '1,2d' "$work/form.patch"; } >"$work/$name.patch"
}
headers git a/$core b/$core "From: A <a@b.c>" "Subject: core: x" "" "text" "---" \
	" $core | 2 +-" "" "diff --git a/$core b/$core" "index 1234567..89abcde 100644"
built git 'git format-patch'
headers noprefix $core $core "diff --git $core $core" "index 1234567..89abcde 100644"
built noprefix 'git diff --no-prefix'
headers mnemonic i/$core w/$core "diff --git i/$core w/$core"
built mnemonic 'git diff with mnemonic prefixes'
headers quilt linux.orig/$core linux/$core "Index: linux/$core" \
	"==================================================================="
built quilt quilt
headers p0 "$core.orig	2024-01-01 00:00:00.000000000 +0000" "$core	2024-01-01 00:00:00"
built p0 'diff -u of a file and its .orig, -p0'
headers deep /usr/src/linux-6.12/$core /home/me/src/linux-6.12/$core
sed -i "s#^--- .*#--- /usr/src/tree/linux-6.12/$core#; s#^+++ .*#+++ /home/me/tree/linux-6.12/$core#" "$work/deep.patch"
built deep 'diff -u with absolute paths'
sed 's/$/\r/' "$work/form.patch" >"$work/dos.patch"
built dos 'lines that end as in DOS'

# --- the wrong way round, or too late

sed -e 's/^-\([^-]\)/~\1/; s/^+\([^+]\)/-\1/; s/^~/+/' "$work/form.patch" >"$work/reversed.patch"
refused reversed 1 KGR-E014 'reversed, or applied'

# --- context

awk '/^ / && !done { print " /* another line */"; done = 1; next } { print }' "$work/form.patch" >"$work/fuzzy.patch"
refused fuzzy 1 KGR-E013 "doesn't apply"
run fuzzy --fuzz 2
[ $rc -eq 6 ] && has_code fuzzy KGR-W027; ok $? "with --fuzz 2 it does, and that is said"

# --- several diffs

sed 's/return v + clamped;/return v - clamped;/' "$tree/$core" >"$work/step1.c"
sed 's/return v - clamped;/return v - clamped - 1;/' "$work/step1.c" >"$work/step2.c"
diff -u --label a/$core --label b/$core "$work/step1.c" "$work/step2.c" >"$work/third.patch"
(cd "$work/out" && "$tool" -k "$tree" --json -o "$work/series.ko" "$work/form.patch" "$work/third.patch") \
	>"$work/series.json" 2>"$work/err"
rc=$?
{ [ $rc -eq 0 ] || [ $rc -eq 6 ]; } && json series '@{$d->{changed}} == 1'
ok $? "two diffs of one file, one upon the other"
(cd "$work/out" && "$tool" -k "$tree" -q -o "$work/wrong.ko" "$work/third.patch" "$work/form.patch") 2>"$work/err"
[ $? -eq 1 ] && grep -q KGR-E013 "$work/err"; ok $? "in the wrong order: KGR-E013"

# --- what is new

new_file()	# NAME FILE LINE...
{
	local name=$1 file=$2

	shift 2
	{ printf -- '--- /dev/null\n+++ b/%s\n@@ -0,0 +1,%d @@\n' "$file" $#
	  printf '+%s\n' "$@"; } >>"$work/$name.patch"
}

edit header $core '1i#include "fresh.h"
s/return v + clamped;/return fresh_clamp(v) + clamped;/'
new_file header kernel/fresh.h 'static inline int fresh_clamp(int v) { return v > 9 ? 9 : v; }'
built header 'a new header'

edit source kernel/helper.c 's/^long helper_scale(long v, int by)/extern int fresh_clamp(int v);\n\n&/
s/return v \* by;/return fresh_clamp(v) * by;/'
new_file source kernel/fresh.c 'static int calls;' \
	'int fresh_clamp(int v);' \
	'int fresh_clamp(int v) { calls++; return v > 9 ? 9 : v; }'
cp "$work/source.patch" "$work/unlinked.patch"
refused unlinked 4 KGR-E015 'kernel/fresh.c: .*nothing includes it, and no Makefile'
new_file alone kernel/fresh.c 'int x;'
refused alone 4 KGR-E015 'kernel/fresh.c: .*nothing includes it, and no Makefile'
edit source kernel/Makefile '$a\
obj-y += fresh.o'
built source 'a new source that a Makefile links'
has_code source KGR-N029
ok $? 'KGR-N029: what it is compiled like'
json source 'grep { $_->{name} eq "fresh_clamp" && $_->{file} eq "kernel/fresh.c" } @{$d->{new}}'
ok $? "its function is in the module, with its place"
built source 'the same in a view of symbolic links' --view=symlinks
cp "$work/unlinked.patch" "$work/flags.patch"
edit flags kernel/Makefile '$a\
obj-y += fresh.o\
CFLAGS_fresh.o += -O3'
refused flags 4 KGR-E016 'Makefile: it says what is built, and how: CFLAGS_fresh'
edit makefile kernel/Makefile 's/loop.o//'
refused makefile 4 KGR-E016 'obj-y := core.o helper.o loop.o'
edit date $core 's/return v + clamped;/return v + clamped + sizeof(__TIME__);/'
refused date 4 KGR-E026 "depends on when it's compiled: kernel/core.c: __TIME__"

# --- parts that aren't built

mkdir -p "$tree/arch/riscv/kernel"
echo 'int riscv;' >"$tree/arch/riscv/kernel/x.c"
before=$(snapshot)
cp "$work/form.patch" "$work/other.patch"
edit other arch/riscv/kernel/x.c 's/riscv/risc5/'
run other
[ $rc -eq 6 ] && has_code other KGR-W028; ok $? "a file that is in no object beside one that is: KGR-W028"
edit nowhere arch/riscv/kernel/x.c 's/riscv/risc5/'
refused nowhere 4 KGR-E032 'x.c'

[ "$(snapshot)" = "$before" ]; ok $? "the tree is as it was"
tests_done
