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
command -v dpkg-scanpackages >/dev/null || skip_all "dpkg-dev is not installed"
# shellcheck source=tests/overlay.sh
. "$(dirname "$0")/overlay.sh"
release=6.12.0-mini

publish()
{
	(cd "$root/repo" && dpkg-scanpackages -m . >Packages) 2>/dev/null
	apt update
}

apt()
{
	inside apt-get -y -q -o Dir::Etc::SourceList=/repo.list -o Dir::Etc::SourceParts=/dev/null "$@" </dev/null
}

case_repository()
{
	mkdir "$root/repo"
	cp "${debs[@]}" "$root/repo/"
	patch_package deb 1 "$root/repo"
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
	recorder
	kernel_is $release
}

file=/usr/lib/kgraft/$release/kgr-fix

case_install()
{
	apt install kgr-patch-$release
	calls "install --quiet $file-1.ko" "replace --quiet $file-1.ko"
}

case_upgrade()
{
	patch_package deb 2 "$root/repo"
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
	patch_package deb 3 "$root/repo"
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
