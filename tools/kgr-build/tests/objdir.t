#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A kernel that was built with make O=DIR: objects and what is generated in DIR, which
# is anywhere, or inside the source.  On the small tree of mini/, taken apart.

. "$(dirname "$0")/mini/mini.sh"
set -u

make_tree >"$work/log" 2>&1
ok $? "a small build tree"
cp -a "$tree" "$work/whole"

# apart SOURCE OBJDIR PREFIX: the small tree, in two; PREFIX leads from OBJDIR to SOURCE
apart()
{
	local src=$1 obj=$2 to=$3 f

	rm -rf "$src"
	mkdir -p "$src" "$obj/include"
	(cd "$work/whole" && find . -type f | while read -r f; do
		case $f in
		./include/generated/* | ./include/config/* | ./scripts/* | ./tools/* | */.*.cmd | *.o | \
			./vmlinux | ./vmlinux.a | ./.config | ./Module.symvers)
			cp -a --parents "$f" "$obj/" ;;
		*)
			cp -a --parents "$f" "$src/" ;;
		esac
	done)
	sed "s#-Iinclude#-I$src/include -Iinclude#" "$src/Makefile" >"$obj/Makefile"
	ln -s "$src" "$obj/source"
	find "$obj" -name '.*.cmd' -exec sed -i -E "s#-Iinclude#-I$to/include -Iinclude#
		s#([ =]) *((kernel|lib|drv|vdso|include)/[a-z_/]*\\.[chS])#\\1 $to/\\2#g
		s#$to/include/(generated|config)#include/\\1#g" {} +
	tree=$src
}

# built OBJDIR NAME TEXT [OPTION]...: a module is written, of the function clamp
built()
{
	local obj=$1 name=$2 text=$3

	shift 3
	(cd "$work/out" && "$tool" -k "$obj" --json -o "$work/$name.ko" "$@" "$work/$name.patch") \
		>"$work/$name.json" 2>"$work/err"
	rc=$?
	: >"$work/log"
	[ $rc -eq 0 ] && json "$name" 'join(",", map { "$_->{name} $_->{file}" } @{$d->{changed}}) eq
		"clamp kernel/core.c"' && [ -e "$work/$name.ko" ]
	ok $? "$text"
}

for where in elsewhere inside; do
	src=$work/src
	if [ $where = inside ]; then
		obj=$src/build to=..
	else
		obj=$work/obj to=$src
	fi
	rm -rf "$obj"
	apart "$src" "$obj" "$to"
	before=$(find "$src" "$obj" -printf '%p %T@ %C@ %s %i\n' | sort)
	edit $where kernel/core.c 's/return v + clamped;/return v + clamped + 1;/'
	built "$obj" $where "objects $where"
	built "$obj" $where "objects $where, in a view of symbolic links" --view=symlinks
	edit $where-header include/mini.h 's/^\tlong value;/\tlong value, extra;/'
	edit $where-header kernel/core.c 's/return v + clamped;/return v;/'
	(cd "$work/out" && "$tool" -k "$obj" --json -o "$work/$where-header.ko" "$work/$where-header.patch") \
		>"$work/$where-header.json" 2>"$work/err"
	[ $? -eq 6 ] && json $where-header 'grep { $_->{detail} =~ /struct scratch/ } @{$c{"KGR-W080"}}'
	ok $? "objects $where: who includes a header"
	[ "$(find "$src" "$obj" -printf '%p %T@ %C@ %s %i\n' | sort)" = "$before" ]
	ok $? "objects $where: both trees are as they were"
done
rm "$obj/source"
(cd "$work/out" && "$tool" -k "$obj" -q "$work/inside.patch") 2>"$work/err"
[ $? -eq 3 ] && grep -q 'KGR-E020: .*give it with -s' "$work/err"
ok $? "no link to the source: -s is asked for"
(cd "$work/out" && "$tool" -k "$obj" -s "$src" -q "$work/inside.patch") 2>"$work/err"
ok $? "-s"
tests_done
