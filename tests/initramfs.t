#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# An initramfs by mkinitramfs and one by dracut, as they are in Debian, on a copy of this
# machine that is thrown away (overlay.sh): is what a patch with --initramfs needs in
# there, does it run there, and is nothing in there when there is none?

# shellcheck disable=SC2317 # check() calls the cases
set -eu
. "$(dirname "$0")/tap.sh"
[ -x "$build/tools/kgr-ctl" ] || skip_all "kgr-ctl was not built"
command -v mkinitramfs >/dev/null || command -v dracut >/dev/null ||
	skip_all "neither initramfs-tools-core nor dracut-core is installed"
command -v depmod >/dev/null || skip_all "kmod is not installed"
# shellcheck source=tests/overlay.sh
. "$(dirname "$0")/overlay.sh"
release=6.12.0-kgr

# A kernel with no modules; what an initramfs has besides is not looked at
case_host()
{
	make -C "$top/tools/kgr-ctl" O="$build/tools" DESTDIR="$root" prefix=/usr install
	mkdir -p "$root/lib/modules/$release" "$root/boot" "$root/etc/initramfs-tools/conf.d"
	touch "$root/lib/modules/$release"/modules.{order,builtin}
	inside depmod $release
	printf 'CONFIG_RD_GZIP=y\nCONFIG_RD_ZSTD=y\n' >"$root/boot/config-$release"
	printf 'MODULES=list\nCOMPRESS=gzip\n' >"$root/etc/initramfs-tools/conf.d/kgraft-test"
	"${CC:-cc}" -DIS_KGRAFT -DNAME='"kgr_fix"' -DVERMAGIC="\"$release SMP \"" -c -o "$root/kgr-fix.ko" \
		"$top/tools/kgr-ctl/tests/module.c"
}

mark()
{
	inside kgr-ctl install --initramfs /kgr-fix.ko
	grep -q 'initramfs$' "$root/var/lib/kgraft/$release/index"
}

unmark()
{
	inside kgr-ctl uninstall --kernel $release kgr_fix
}

# has LIST FILE: an initramfs has it; the list is that of lsinitramfs or lsinitrd
has()
{
	grep -qE "(^|[ /])$2( ->.*)?\$" "$1" || { echo "no $2 in the initramfs"; grep -E 'kgr|hooks|init-bottom' "$1"; return 1; }
}

has_not()
{
	! grep -E '(kgr-ctl|kgraft\.sh)$' "$1"
}

mkinitramfs_list()
{
	inside mkinitramfs -o /initrd.img $release
	inside lsinitramfs /initrd.img >"$1"
}

# unpacked DIRECTORY: kgr-ctl has all of its libraries there
unpacked()
{
	inside chroot "$1" /usr/sbin/kgr-ctl help metrics | grep -q OpenMetrics
}

# stand_in DIRECTORY: from here on kgr-ctl says there how it was called, and fails
stand_in()
{
	mkdir -p "$root$1/sysroot/var/lib/kgraft"
	# shellcheck disable=SC2016 # kgr-ctl's own
	printf '#!/bin/sh\necho "$KGR_STORE_ROOT $*" >>/calls\nexit 1\n' >"$root$1/usr/sbin/kgr-ctl"
}

called()	# DIRECTORY
{
	expect '/sysroot/var/lib/kgraft autoload --initramfs --timeout 10
the boot goes on' "$(cat "$root$1/calls")" 'the call'
}

case_mkinitramfs()
{
	mark
	mkinitramfs_list "$work/list"
	has "$work/list" usr/sbin/kgr-ctl
	has "$work/list" scripts/init-bottom/kgraft
	inside unmkinitramfs /initrd.img /mkinitramfs
	unpacked /mkinitramfs
	# what init does when the root file system is mounted: the scripts by their order
	stand_in /mkinitramfs
	grep kgraft "$root/mkinitramfs/scripts/init-bottom/ORDER" >"$root/mkinitramfs/order"
	inside chroot /mkinitramfs /bin/sh -ec 'rootmnt=/sysroot; export rootmnt; . /order; echo the boot goes on >>/calls'
	called /mkinitramfs
}

case_mkinitramfs_none()
{
	unmark
	mkinitramfs_list "$work/list"
	has_not "$work/list"
}

dracut_list()
{
	inside dracut --force --no-kernel --no-hostonly --kver $release /dracut.img
	inside lsinitrd /dracut.img >"$1"
}

case_dracut()
{
	mark
	dracut_list "$work/list"
	has "$work/list" usr/sbin/kgr-ctl
	has "$work/list" hooks/pre-pivot/50-kgraft.sh
	mkdir "$root/dracut"
	inside sh -ec 'cd /dracut; lsinitrd --unpack /dracut.img'
	unpacked /dracut
	# as source_hook does
	stand_in /dracut
	# shellcheck disable=SC2016 # the hook's shell expands it
	inside chroot /dracut /bin/sh -ec 'NEWROOT=/sysroot
		for f in /lib/dracut/hooks/pre-pivot/*kgraft*; do . "$f"; done; echo the boot goes on >>/calls'
	called /dracut
}

case_dracut_none()
{
	unmark
	dracut_list "$work/list"
	has_not "$work/list"
}

check 'a host with the tools' case_host
if command -v mkinitramfs >/dev/null; then
	check 'mkinitramfs: the tool works in there, and the script calls it' case_mkinitramfs
	check 'mkinitramfs: without such a patch nothing is' case_mkinitramfs_none
	else
	skip 'mkinitramfs' 'initramfs-tools-core is not installed'
fi
if command -v dracut >/dev/null; then
	check 'dracut: the tool works in there, and the hook calls it' case_dracut
	check 'dracut: without such a patch nothing is' case_dracut_none
else
	skip 'dracut' 'dracut-core is not installed'
fi
tap_done
