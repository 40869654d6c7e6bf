#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What an author says by the macros of <linux/kgraft_author.h>.  On the small tree of
# mini/.

. "$(dirname "$0")/mini/mini.sh"
set -u

make_tree >"$work/log" 2>&1
ok $? "a small build tree"
core=kernel/core.c
change='s/return v + clamped;/return v + clamped + 1;/'
at_end='$a\
#include <linux/kgraft_author.h>\
'

edit callbacks $core "$change; $at_end"'static int before(struct kgr_patch *p, struct module *m) { total = 8; return 0; }\
static void after(struct kgr_patch *p, struct module *m) { total = 7; }\
KGR_PRE_PATCH(before);\
KGR_POST_UNPATCH(after);'
run callbacks
[ $rc -eq 0 ] && json callbacks 'join(",", sort map { $_->{name} } @{$d->{new}}) eq "after,before"'
ok $? "callbacks: verdict safe, both functions come along"
objdump -sj .rodata -r "$work/callbacks.ko" >"$work/log"
readelf -sW "$work/callbacks.ko" | grep -q 'FUNC *GLOBAL.* kgr_new_before$' &&
	readelf -rW "$work/callbacks.ko" | awk '/R_X86_64_64 .*kgr_new_(before|after) / { n++ } END { exit n != 2 }'
ok $? "callbacks: the patch refers to them"
! readelf -SW "$work/callbacks.ko" | grep -q 'discard.kgr'
ok $? "callbacks: the macro's section is not in the module"

edit type $core "$change; $at_end"'static void before(struct kgr_patch *p, struct module *m) { total = 8; }\
KGR_PRE_PATCH(before);'
sed -i 's/ -w / -Werror=incompatible-pointer-types /' "$tree/kernel/.core.o.cmd"
run type
[ $rc -eq 1 ] && has_code type KGR-E031
ok $? "callbacks: the compiler checks their type"
sed -i 's/ -Werror=incompatible-pointer-types / -w /' "$tree/kernel/.core.o.cmd"

edit twice $core "$change; $at_end"'static void after(struct kgr_patch *p, struct module *m) { total = 7; }\
KGR_POST_PATCH(after);'
edit twice kernel/helper.c "$at_end"'static void again(struct kgr_patch *p, struct module *m) { tick_count = 7; }\
KGR_POST_PATCH(again);'
run twice
[ $rc -eq 4 ] && grep -q 'KGR-E130: .*is the post_patch callback of vmlinux already' "$work/err"
ok $? "KGR-E130: two callbacks of a kind"
edit exists $core "$change; $at_end"'KGR_POST_PATCH((void *)core_mode);'
run exists
[ $rc -eq 4 ] && grep -q 'core_mode: .*KGR-E130: .*has to be new' "$work/err"
ok $? "KGR-E130: a function that exists"

edit outside $core "$change; $at_end"'void elsewhere(struct kgr_patch *p, struct module *m);\
KGR_POST_PATCH(elsewhere);'
run outside
[ $rc -eq 4 ] && grep -q 'KGR-E130: .*post_patch callback is no function of the file' "$work/err"
ok $? "KGR-E130: a function of another file"

edit ignore $core "$change; "'s/total = clamp(100)/total = clamp(101)/; s/total = 7/total = 9/'"; $at_end"'KGR_IGNORE_SECTION(".init.text");\
KGR_IGNORE(total);'
run ignore
[ $rc -eq 6 ] && json ignore 'join(",", sort map { $_->{detail} =~ s/,.*//r } @{$c{"KGR-W131"}}) eq "core_init,total" &&
	!$c{"KGR-E050"} && !$c{"KGR-E051"} && @{$d->{changed}} == 1'
ok $? "KGR-W131: a section and a variable that the author leaves out"
edit function $core "$change; "'s/m == MODE_FAST ? 3/m == MODE_FAST ? 4/'"; $at_end"'KGR_IGNORE(mode_factor);'
run function
[ $rc -eq 6 ] && json function 'join(",", map { $_->{name} } @{$d->{changed}}) eq "clamp" && $c{"KGR-W131"}'
ok $? "KGR-W131: a function that the author leaves out"
edit nothing $core "$change; $at_end"'KGR_IGNORE(totl); KGR_IGNORE_SECTION(".init.data");\
__KGR_IGNORE("?symbol:maybe");'
run nothing
[ $rc -eq 6 ] && json nothing 'join(",", sort map { $_->{detail} } @{$c{"KGR-W132"}}) eq "section:.init.data,symbol:totl"'
ok $? "KGR-W132: what doesn't change, or isn't spelled so"

tests_done
