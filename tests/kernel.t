#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# scripts/kernel and kernel-config, on the kernel that "make check" has built.

set -eu
. "$(dirname "$0")/tap.sh"

tree=$build/kernel-vm
[ -f "$tree/.kgraft/built" ] || skip_all "$tree is not built"

# A checkout with fragments of its own, the real scripts and the real tree
mkdir "$work/kg"
cp -r "$top/scripts" "$top/configs" "$work/kg/"
args=()
if command -v ccache >/dev/null; then
	args=(HOSTCC='ccache gcc' CC='ccache gcc')
fi

configure()	# NAME
{
	"$work/kg/scripts/kernel-config" "$tree" "$1" "${args[@]}"
}

case_same()
{
	local before

	before=$(stat -c %y "$tree/.config")
	expect_rc 0 configure vm
	expect "$before" "$(stat -c %y "$tree/.config")" 'time of .config'
}

case_unmet()
{
	local before

	before=$(sha256sum <"$tree/.config")
	printf '# extends: vm\nCONFIG_NO_SUCH_THING=y\nCONFIG_PRINTK=n\nCONFIG_SMP=y\n' \
		>"$work/kg/configs/odd.config"
	expect_rc 1 configure odd
	says 'wanted CONFIG_NO_SUCH_THING=y, got it not set'
	says 'wanted CONFIG_PRINTK=n, got CONFIG_PRINTK=y'
	expect 2 "$(grep -c wanted "$work/out")" 'lines that do not hold'
	expect "$before" "$(sha256sum <"$tree/.config")" '.config'
}

case_syntax()
{
	echo 'CONFIG_X86 y' >"$work/kg/configs/broken.config"
	expect_rc 1 configure broken
	says 'broken.config:1: not understood: CONFIG_X86 y'
}

case_unknown()
{
	expect_rc 1 configure nothing
	says "no configuration 'nothing'"
	expect_rc 1 "$top/scripts/kernel" nothing
	says "no configuration 'nothing': there are debug nograft vm"
	expect_rc 1 "$top/scripts/kernel" base
}

# Built once, it is not built again
case_up_to_date()
{
	local before

	"$top/scripts/kernel" vm
	before=$(stat -c %y "$tree/vmlinux")
	expect_rc 0 "$top/scripts/kernel" vm
	expect "$(cat "$tree/include/config/kernel.release")" "$(cat "$work/out")" 'what it said'
	expect "$before" "$(stat -c %y "$tree/vmlinux")" 'time of vmlinux'
}

# A kernel as the distribution would build it: relocatable debug paths, and no
# trace of who built it where
case_reproducible()
{
	if readelf --debug-dump=info "$tree/init/version.o" 2>/dev/null | grep -F "$tree"; then
		return 1
	fi
	grep -q '(kgraft@kgraft)' <(strings "$tree/vmlinux")
}

check 'configuring again writes nothing' case_same
check 'each wanted line that does not hold is named, .config unchanged' case_unmet
check 'a line that is no option is named' case_syntax
check 'an unknown configuration is refused' case_unknown
check 'a second run builds nothing' case_up_to_date
check 'nothing in the kernel tells who built it where' case_reproducible
tap_done
