# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034
#
# A kernel build tree of a few files, as far as kgr-build looks at one: recorded
# commands, objects, archive, vmlinux.  It is built in $work/tree in a second, from
# the sources in tests/mini/tree, so that what has to be said about a change can be
# tested in fractions of a second each.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
top=$(cd "$here/../../../.." && pwd -P)
tool=$(realpath "${KGR_BUILD:-$top/build/tools/kgr-build}")
work=$(mktemp -d "${TMPDIR:-/tmp}/kgr-mini.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
tree=$work/tree
export TMPDIR=$work/tmp XDG_CACHE_HOME=$work/cache LC_ALL=C
mkdir "$TMPDIR" "$XDG_CACHE_HOME" "$work/out"

n=0 bad=0
ok()		# STATUS NAME
{
	n=$((n + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $n - $2"
	else
		bad=$((bad + 1))
		echo "not ok $n - $2"
		sed 's/^/# /' "$work/err" "$work/log" 2>/dev/null | head -n "${MINI_LINES:-20}"
	fi
}

tests_done()
{
	echo "1..$n"
	[ $bad -eq 0 ]
}

flags='-nostdinc -Iinclude -std=gnu11 -O2 -w -fno-PIE -mcmodel=kernel -mno-red-zone -mno-sse
	-fcf-protection=branch -fno-jump-tables -fpatchable-function-entry=16,16
	-falign-functions=16 -fno-asynchronous-unwind-tables -fno-common -fno-stack-protector
	-fno-strict-aliasing -fno-builtin -ffreestanding -gdwarf-5'
ftrace='-pg -mfentry -mrecord-mcount'

# build_object PATH SOURCE [FLAG]...: compiles, and records how, as kbuild does
build_object()
{
	local o=$1 c=$2 dir base
	shift 2
	dir=$(dirname "$o") base=$(basename "$o")

	# shellcheck disable=SC2086
	set -- gcc -Wp,-MMD,"$dir/.$base.d" $flags "$@" -c -o "$o" "$c"
	(cd "$tree" && "$@") || return
	{
		printf 'savedcmd_%s := %s\n\nsource_%s := %s\n\n' "$o" "$*" "$o" "$c"
		printf 'deps_%s := \\\n' "$o"
		sed -e '1s/^[^:]*://' "$tree/$dir/.$base.d"
		printf '\n%s: $(deps_%s)\n' "$o" "$o"
	} >"$tree/$dir/.$base.cmd"
	rm "$tree/$dir/.$base.d"
}

config()	# LINE...: more of auto.conf
{
	printf '%s\n' "$@" >>"$tree/include/config/auto.conf"
}

make_tree()
{
	local members='kernel/core.o kernel/helper.o kernel/loop.o kernel/entry.o lib/strip.o
		kernel/a/same.o kernel/b/same.o'

	cp -r "$here/tree" "$tree"
	cp "$top/include/linux/"kgraft_{types,author}.h "$tree/include/linux/"
	for f in compiler jump_label kgraft_shadow; do
		: >"$tree/include/linux/$f.h"
	done
	mkdir -p "$tree"/{include/config,include/generated,scripts/mod,tools/objtool}
	touch "$tree"/{scripts/mod/modpost,scripts/module.lds,include/generated/autoconf.h}
	touch "$tree"/{tools/objtool/objtool,.config}
	echo 6.12.0-mini >"$tree/include/config/kernel.release"
	config CONFIG_{X86_64,KGRAFT,MODULES,KALLSYMS,KALLSYMS_ALL,UNWINDER_ORC,CC_IS_GCC}=y \
		"CONFIG_CC_VERSION_TEXT=\"$(gcc --version | head -n 1)\""
	for f in core helper loop a/same b/same; do
		# shellcheck disable=SC2086
		build_object kernel/$f.o kernel/$f.c $ftrace || return
	done
	build_object kernel/entry.o kernel/entry.S -D__ASSEMBLY__
	build_object lib/strip.o lib/strip.c
	# shellcheck disable=SC2086
	build_object drv/driver.o drv/driver.c $ftrace -DMODULE
	build_object vdso/vtime.o vdso/vtime.c
	# shellcheck disable=SC2086
	(cd "$tree" && gcc -c -o boot/seal.o boot/seal.S && ar cDPrsT vmlinux.a $members &&
		ld -T vmlinux.lds --build-id=sha1 --no-warn-rwx-segments -o vmlinux --whole-archive \
			vmlinux.a --no-whole-archive boot/seal.o)
	printf '0x00000000\t%s\tvmlinux\tEXPORT_SYMBOL_GPL\t\n' core_operations helper_scale \
		__fentry__ kgr_patch_kernel kgr_patch_remove >"$tree/Module.symvers"
}

# edit NAME FILE SED-SCRIPT: appends to NAME.patch what the script does to FILE
edit()
{
	local dir=$work/edit

	rm -rf "$dir"
	mkdir -p "$dir/a/$(dirname "$2")" "$dir/b/$(dirname "$2")"
	cp "$tree/$2" "$dir/a/$2"
	sed "$3" "$tree/$2" >"$dir/b/$2"
	(cd "$dir" && diff -u --label "a/$2" --label "b/$2" "a/$2" "b/$2") >>"$work/$1.patch"
	[ -s "$work/$1.patch" ] || echo "# edit $1 changes nothing"
}

# run NAME [OPTION]...: exit status in $rc, JSON in NAME.json, text in err
run()
{
	local name=$1

	shift
	(cd "$work/out" && "$tool" -k "$tree" --json -o "$work/$name.ko" "$@" "$work/$name.patch") \
		>"$work/$name.json" 2>"$work/err"
	rc=$?
	: >"$work/log"
}

# json NAME EXPRESSION: true if the Perl expression on $d is; $c{CODE}: diagnostics
json()
{
	perl -MJSON::PP -e 'local $/; open F, "<", $ARGV[0]; $d = decode_json(<F>);
		push @{$c{$_->{code}}}, $_ for @{$d->{diagnostics}};
		exit(eval($ARGV[1]) ? 0 : 1)' "$work/$1.json" "$2"
}

has_code()	# NAME CODE
{
	json "$1" "\$c{'$2'}"
}

snapshot()	# of all that must not be written to
{
	find "$tree" "$work/out" -printf '%p %T@ %C@ %s %i\n' | sort
}
