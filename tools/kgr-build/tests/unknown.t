#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A table that kgr-build has never heard of, with an entry for a function: as long as
# that function stays what it is, it doesn't matter; in the module it would be without.
# On the small tree of mini/.

. "$(dirname "$0")/mini/mini.sh"
set -u
core=kernel/core.c

# marked SECTION: the small tree, with an entry for clamp() in SECTION
marked()
{
	rm -rf "$tree" "$work/src"
	mkdir "$work/src"
	cp -r "$sources" "$work/src/tree"
	sed -i "s/return v + clamped;/asm volatile(\"1: .pushsection $1,\\\\\"a\\\\\"; .long 1b - .; .popsection\"); &/" \
		"$work/src/tree/$core"
	here=$work/src make_tree >"$work/log" 2>&1 &&
		readelf -rW "$tree/kernel/core.o" | grep -q "^Relocation section '.rela$1'"
	ok $? "a small build tree, with $1"
}
sources=$here/tree

marked odd_table
edit own $core 's/return v + clamped;/return v + clamped + 1;/'
run own
[ $rc -eq 4 ] && [ ! -e "$work/own.ko" ] && json own '$c{"KGR-E042"}[0]{function} eq "clamp" &&
	$c{"KGR-E042"}[0]{detail} =~ /odd_table/'
ok $? "its function changes: KGR-E042, nothing is written"
edit other $core 's/long sum = 0;/long sum = 1;/'
run other
[ $rc -eq 0 ] && json other 'join(",", map { $_->{name} } @{$d->{changed}}) eq "core_sum"'
ok $? "another function changes: verdict safe"
edit ignored $core 's/return v + clamped;/return v + clamped + 1;/; $a\
#include <linux/kgraft_author.h>\
KGR_IGNORE_SECTION("odd_table");'
run ignored
[ $rc -eq 6 ] && has_code ignored KGR-W131 && [ -e "$work/ignored.ko" ]
ok $? "the author leaves it out: for review, KGR-W131"

marked .kcfi_traps
edit traps $core 's/return v + clamped;/return v + clamped + 1;/'
run traps
[ $rc -eq 4 ] && json traps '$c{"KGR-E042"}[0]{detail} =~ /kcfi_traps/'
ok $? "a table of clang's KCFI: KGR-E042"
tests_done
