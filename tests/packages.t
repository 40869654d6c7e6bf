#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The packages of "make deb", and patch packages, from a small apt repository, on a copy
# of this machine that is thrown away: an overlay in a mount namespace of its own.  Its
# kgr-ctl, once the real one has been seen, writes down how it is called; so it needs
# no kGraft to run, and no guest.

# shellcheck disable=SC2317 # check() calls the cases
set -eu
. "$(dirname "$0")/tap.sh"
debs=("$build"/deb/kgraft-tools_*.deb "$build"/deb/kgr-build_*.deb)
[ -e "${debs[0]}" ] || skip_all "there are no packages: make deb"
[ "$(id -u)" = 0 ] || skip_all "apt needs root"
command -v dpkg-scanpackages >/dev/null || skip_all "dpkg-dev is not installed"
if [ "${1-}" != inside ]; then
	rm -rf "$work"
	exec unshare -m --propagation private "$0" inside
fi

tmp=$work/tmp
root=$tmp/root
release=6.12.0-mini
mkdir "$tmp"
mount -t tmpfs none "$tmp"
mkdir "$tmp"/{up,work,root}
mount -t overlay -o "lowerdir=/,upperdir=$tmp/up,workdir=$tmp/work" none "$root" 2>/dev/null ||
	skip_all "there can be no overlay here"
mount -t proc none "$root/proc"
trap 'umount -R "$root" "$tmp"; rm -rf "$work"' EXIT

# patch_package VERSION
patch_package()
{
	KGR_BUILD=$build/tools/kgr-build bash -uc '. "$1/tools/kgr-build/tests/mini/mini.sh"
		make_tree || exit
		edit fix kernel/core.c "s/return v + clamped;/return v + clamped + $2;/"
		cd "$work/out" && "$tool" -q -k "$tree" --package deb --package-version "$2" "$work/fix.patch" &&
			cp ./*.deb "$3/repo"' - "$top" "$1" "$root"
}

publish()
{
	(cd "$root/repo" && dpkg-scanpackages -m . >Packages) 2>/dev/null
	apt update
}

inside()
{
	chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root DEBIAN_FRONTEND=noninteractive "$@"
}

apt()
{
	inside apt-get -y -q -o Dir::Etc::SourceList=/repo.list -o Dir::Etc::SourceParts=/dev/null "$@" </dev/null
}

calls()		# LINE...: what kgr-ctl was called with since, exactly
{
	expect "$(printf '%s\n' "$@")" "$(cat "$root/calls" 2>/dev/null)" "calls of kgr-ctl"
	rm -f "$root/calls"
}

case_repository()
{
	mkdir "$root/repo"
	cp "${debs[@]}" "$root/repo/"
	patch_package 1
	echo 'deb [trusted=yes] file:/repo ./' >"$root/repo.list"
	publish
}

case_tools()
{
	apt install kgraft-tools kgr-build
	inside kgr-build --version | grep -qx "kgr-build $(dpkg-deb -f "${debs[0]}" Version)"
	inside kgr-ctl help metrics | grep -q OpenMetrics
	[ -L "$root/etc/systemd/system/sysinit.target.wants/kgraft.service" ]
	inside bash -c '. /usr/share/bash-completion/completions/kgr-ctl'
	inside systemd-analyze verify --man=no kgraft.service kgraft-shutdown.service kgraft-confirm.path \
		kgraft-metrics.timer
}

# From here on kgr-ctl only writes down, and the kernel is the one of the patches
case_no_kgraft()
{
	[ ! -e /sys/kernel/kgraft ] || return 0
	expect_rc 8 inside env KGR_SYSFS_ROOT=/nowhere kgr-ctl status
	cat >"$root/usr/sbin/kgr-ctl" <<-'END'
		#!/bin/sh
		[ "$1" != mode ] || { echo '{"mode": "normal"}'; exit 0; }
		echo "$*" >>/calls
		[ ! -e "/ret-$1" ] || { echo "kgr-ctl: no luck" >&2; exit "$(cat "/ret-$1")"; }
	END
	printf '#!/bin/sh\necho %s\n' $release >"$tmp/uname"
	chmod +x "$tmp/uname"
	rm "$root/bin/uname"
	cp "$tmp/uname" "$root/bin/uname"
}

file=/usr/lib/kgraft/$release/kgr-fix

case_install()
{
	apt install kgr-patch-$release
	calls "install --quiet $file-1.ko" "replace --quiet $file-1.ko"
}

case_upgrade()
{
	patch_package 2
	publish
	apt upgrade
	calls "install --quiet $file-2.ko" "replace --quiet $file-2.ko" \
		"uninstall --quiet --kernel $release kgr_fix_1" "unload --quiet kgr_fix_1"
	expect "$root$file-2.ko" "$(ls "$root$file"*)"
	inside dpkg -V kgr-patch-$release
}

case_refused()
{
	echo 4 >"$root/ret-replace"
	patch_package 3
	publish
	apt upgrade >"$work/out" 2>&1
	cat "$work/out"
	rm "$root/ret-replace"
	grep -q 'no luck' "$work/out"
	grep -q "Again: kgr-ctl replace $file-3.ko" "$work/out"
	inside dpkg-query -W -f '${Version} ${db:Status-Status}\n' kgr-patch-$release | grep -qx '3 installed'
	rm "$root/calls"
}

# The patch goes with the tools, and while they are still there
case_remove()
{
	apt remove kgraft-tools
	calls "uninstall --quiet --revert kgr_fix_3"
	[ ! -e "$root/usr/lib/kgraft" ]
	[ ! -e "$root/var/lib/kgraft-packages" ]
	[ ! -e "$root/usr/sbin/kgr-ctl" ]
}

check "a repository" case_repository
check "the tools: installed, enabled, complete" case_tools
check "without kGraft they fail politely" case_no_kgraft
check "a patch: installed and applied" case_install
check "an upgrade: one transition, then the old one goes" case_upgrade
check "a patch that is refused: the package is installed, the reason is shown" case_refused
check "the tools are removed: the patch is reverted before" case_remove
tap_done
