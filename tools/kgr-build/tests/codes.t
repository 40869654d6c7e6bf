#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Diagnostics that take surroundings of their own: a compiler that hangs, a program
# that is missing, a vmlinux of another day.  On the small tree of mini/.

. "$(dirname "$0")/mini/mini.sh"
set -u

make_tree >"$work/log" 2>&1
ok $? "a small build tree"
cp -a "$tree" "$work/good"
restore()
{
	rm -rf "$tree"
	cp -a "$work/good" "$tree"
}

# said NAME EXIT CODE TEXT: the run before exited with EXIT and said CODE with TEXT
said()
{
	[ $rc -eq "$2" ] && grep -F "$3: " "$work/err" | grep -qE -- "$4" &&
		[ -z "$(ls -A "$work/tmp")" ] && { [ "$2" -eq 6 ] || [ ! -e "$work/$1.ko" ]; }
	ok $? "$1: exit $2, $3"
}

core=kernel/core.c
edit good $core 's/return v + clamped;/return v + clamped + 1;/'
use()		# NAME: the good diff under another name
{
	cp "$work/good.patch" "$work/$1.patch"
}

# --- surroundings

mkdir "$work/slow"
printf '#!/bin/sh\ncase $1 in --version) exec %s --version ;; esac\nsleep 30\n' "$(command -v gcc)" >"$work/slow/gcc"
chmod +x "$work/slow/gcc"
use slow
(cd "$work/out" && PATH=$work/slow:$PATH exec "$tool" -k "$tree" -q -o "$work/slow.ko" --no-cache "$work/slow.patch") 2>"$work/err" &
pid=$!
sleep 0.7
kill -TERM $pid
wait $pid
rc=$?
said slow 1 KGR-E004 'interrupted: Terminated'

mkdir "$work/few"
for p in gcc make diff as ld cc1 sh; do
	ln -s "$(command -v $p)" "$work/few/" 2>/dev/null
done
use tool
(PATH=$work/few; run tool) 2>/dev/null
PATH=$work/few "$tool" -k "$tree" -q -o "$work/tool.ko" "$work/tool.patch" 2>"$work/err"
rc=$?
said tool 1 KGR-E005 'patch'

mkdir "$tree/tmp"
use inside
TMPDIR=$tree/tmp "$tool" -k "$tree" -q -o "$work/inside.ko" "$work/inside.patch" 2>"$work/err"
rc=$?
said inside 1 KGR-E030 'inside the tree'
restore

# --- the tree

sed -i 's/v + clamped;/v - clamped;/' "$tree/$core"
build_object kernel/core.o $core -pg -mfentry -mrecord-mcount
edit size $core 's/return v - clamped;/return v - clamped - 1;/'
run size
said size 4 KGR-E065 'clamp: .*in kernel/core.o'
restore
# as init/main.o is, which kgr-build compiles in sections all the same
build_object kernel/core.o $core -pg -mfentry -mrecord-mcount -fno-function-sections -fno-data-sections
use whole
run whole
[ $rc -eq 0 ]
ok $? "an object that the tree keeps from having sections of its own: verdict safe"
restore
printf 'modules:\n\t@echo "ld: error: no room"; exit 1\n' >"$tree/Makefile"
use link
run link
said link 1 KGR-E070 'error: no room'
restore
sed -i 's/^modules:/&\n\t@echo "x.o: warning: objtool: clamp+0x1: something odd"/' "$tree/Makefile"
use objtool
run objtool
said objtool 6 KGR-W083 'clamp\+0x1: something odd'
restore

# --- code

edit insn $core 's/return v + clamped;/asm volatile(".byte 0x62, 0xff, 0, 0, 0, 0"); &/'
run insn
said insn 1 KGR-E041 'kernel/core.o: '
edit asm include/pad.h 's/16/32/'
run asm
said asm 4 KGR-E054 'kernel/entry.o'
edit ambiguous kernel/a/same.c 's/return v + tick_count/return v - tick_count/'
run ambiguous
said ambiguous 4 KGR-E055 'same_step: .*2 symbols are called same_step, and which one is from kernel/a/same.o'
edit branch $core 's/return v + clamped;/asm volatile goto("jmp core_sum + 8" : : : : out); out: &/'
run branch
said branch 4 KGR-E064 'core_sum\+0x8'
edit shift $core 's/return v + clamped;/asm volatile("1: shr $1, %0\\n.pushsection runtime_shift_odd,\\"a\\"\\n.long 1b - .\\n.popsection" : "+r" (v)); &/'
run shift
said shift 4 KGR-E061 'clamp: '

# --- files that don't matter

mkdir "$tree/Documentation"
echo one >"$tree/Documentation/core.rst"
use ignored
edit ignored Documentation/core.rst 's/one/two/'
run ignored
[ $rc -eq 0 ] && json ignored '$c{"KGR-N019"}[0]{class} eq "note"'
ok $? "ignored: exit 0, KGR-N019"

tests_done
