#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Modules that were built outside of the kernel's tree, by make M=DIR.  On the small
# tree of mini/, and a directory beside it.

. "$(dirname "$0")/mini/mini.sh"
set -u
out=$work/outside

# As kbuild leaves it: names with the whole path
build_module()
{
	local o=$out/ext.o base=$out/.ext.o

	# shellcheck disable=SC2086
	set -- gcc -Wp,-MMD,"$base.d" -I"$out" $flags $ftrace -DMODULE -c -o "$o" "$out/ext.c"
	(cd "$tree" && "$@") || return
	{
		printf 'savedcmd_%s := %s\n\nsource_%s := %s/ext.c\n\n' "$o" "$*" "$o" "$out"
		printf 'deps_%s := \\\n' "$o"
		sed -e '1s/^[^:]*://' "$base.d"
		printf '\n%s: $(deps_%s)\n' "$o" "$o"
	} >"$base.cmd"
	echo "$o" >"$out/modules.order"
	echo "$o" >"$out/ext.mod"
	: >"$out/Module.symvers"
	ld -r -o "$out/ext.ko" "$o"
}

make_tree >"$work/log" 2>&1
ok $? "a small build tree"
mkdir "$out"
cat >"$out/ext.h" <<'EOF'
static inline long ext_more(long v)
{
	return v + 1;
}
EOF
cat >"$out/ext.c" <<'EOF'
#include <mini.h>
#include "ext.h"

static long ext_seen;

static noinline long ext_scale(long v)
{
	ext_seen += v;
	return v * 3;
}

long ext_entry(long v)
{
	return ext_scale(v) + helper_scale(ext_more(v), 1);
}
EOF
build_module >"$work/log" 2>&1
ok $? "a module outside of it"

# edit() of a file of the module
outside()	# NAME FILE SED-SCRIPT
{
	mkdir -p "$work/edit"
	sed "$3" "$out/$2" >"$work/edit/new"
	diff -u --label "a/$2" --label "b/$2" "$out/$2" "$work/edit/new" >>"$work/$1.patch"
}

before=$(snapshot; find "$out" -printf '%p %T@ %C@ %s %i\n' | sort)
outside code ext.c 's/v \* 3/v * 5/'
run code --oot "$out"
[ $rc -eq 0 ] && json code '@{$d->{changed}} == 1 && $d->{changed}[0]{name} eq "ext_scale" &&
	$d->{changed}[0]{module} eq "ext" && $d->{oot} && $d->{changed}[0]{file} eq "ext.c"'
ok $? "a function of the module: verdict safe"
strings "$work/code.ko" | grep -q '^kgraft_hash=ext:ext_scale,'
ok $? "the patch names the module"
outside header ext.h 's/v + 1/v + 2/'
run header --oot "$out"
[ $rc -eq 6 ] && json header 'join(",", map { $_->{name} } @{$d->{changed}}) eq "ext_entry"'
ok $? "a header of the module"
run code --oot "$out" --view symlinks
[ $rc -eq 0 ] && json code '$d->{view} eq "symlinks" && @{$d->{changed}} == 1'
ok $? "the same in a view of symbolic links"
[ "$before" = "$(snapshot; find "$out" -printf '%p %T@ %C@ %s %i\n' | sort)" ]
ok $? "neither tree has been touched"

edit kernel kernel/core.c 's/return v + clamped;/return v;/'
run kernel --oot "$out"
[ $rc -ne 0 ] && has_code kernel KGR-E012
ok $? "KGR-E012: a diff of the kernel with --oot"
run code
[ $rc -ne 0 ] && has_code code KGR-E012
ok $? "KGR-E012: a diff of the module without it"
run code --oot "$tree/drv"
[ $rc -eq 3 ] && grep -q 'KGR-E020: .*needs no --oot' "$work/err"
ok $? "KGR-E020: a directory of the kernel"
run code --oot "$work/none"
[ $rc -eq 3 ] && has_code code KGR-E020
ok $? "KGR-E020: no directory"
mv "$out/modules.order" "$work/order"
run code --oot "$out"
[ $rc -eq 3 ] && has_code code KGR-E021
ok $? "KGR-E021: a module that isn't built"
mv "$work/order" "$out/modules.order"
tests_done
