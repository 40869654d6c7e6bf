#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The packages of "make rpm", and patch packages, installed, upgraded and removed by rpm
# on a copy of this machine that is thrown away (overlay.sh). rpm knows nothing there of
# what Debian's packages provide, so dependencies are not looked at; scriptlets run.

# shellcheck disable=SC2317 # check() calls the cases
set -eu
. "$(dirname "$0")/tap.sh"
rpms=("$build"/rpm/kgraft-tools-[0-9]*.x86_64.rpm)
[ -e "${rpms[0]}" ] || skip_all "there are no packages: make rpm"
command -v rpmbuild >/dev/null || skip_all "rpm is not installed"
# shellcheck source=tests/overlay.sh
. "$(dirname "$0")/overlay.sh"
release=6.12.0-mini
file=/usr/lib/kgraft/$release/kgr-fix
package=kgr-patch-$release

rpm()
{
	inside rpm --dbpath /var/lib/rpm "$@" </dev/null
}

# What systemctl was asked since, exactly; it is no more than a recorder
asked()
{
	expect "$(printf '%s\n' "$@")" "$(cat "$root/asked" 2>/dev/null)" "calls of systemctl"
	rm -f "$root/asked"
}

# update VERSION: the package, as a repository would bring it
update()
{
	rm -f "$root"/repo/kgr-patch*
	patch_package rpm "$1" "$root/repo"
	rpm -U --nodeps "/repo/$package-$1-1.x86_64.rpm"
}

case_tools()
{
	mkdir -p "$root/repo" "$root/var/lib/rpm"
	cp "${rpms[@]}" "$root/repo/"
	rm -f "$root/usr/bin/systemctl" "$root/bin/systemctl"
	# shellcheck disable=SC2016 # the recorder expands it
	printf '#!/bin/sh\necho "$*" >>/asked\n' >"$root/usr/bin/systemctl"
	chmod +x "$root/usr/bin/systemctl"
	rm -f "$root/usr/sbin/kgr-ctl"
	rpm -i --nodeps "/repo/${rpms[0]##*/}"
	asked "--no-reload preset kgraft.service"
	inside kgr-ctl help metrics | grep -q OpenMetrics
	[ -x "$root/usr/lib/kgraft/patch-package" ]
	rpm -V --nodeps kgraft-tools
	recorder
	kernel_is $release
}

case_install()
{
	update 1
	calls "install --quiet $file-1.ko" "replace --quiet $file-1.ko"
	expect "kgr_fix_1" "$(cat "$root/var/lib/kgraft-packages/$release")" "what is recorded"
	rpm -V --nodeps "$package"
	rpm -q --changelog "$package" | grep -q 'CVE\|fix'
}

case_upgrade()
{
	update 2
	calls "install --quiet $file-2.ko" "replace --quiet $file-2.ko" \
		"uninstall --quiet --kernel $release kgr_fix_1" "unload --quiet kgr_fix_1"
	expect "$root$file-2.ko" "$(ls "$root$file"*)" "files"
	expect "$package-2-1.x86_64" "$(rpm -q "$package")" "what is installed"
}

case_refused()
{
	echo 4 >"$root/ret-replace"
	update 3 >"$work/out" 2>&1
	cat "$work/out"
	rm "$root/ret-replace"
	says 'no luck'
	says "Again: kgr-ctl replace $file-3.ko"
	expect "$package-3-1.x86_64" "$(rpm -q "$package")" "what is installed"
	# what was in force before stays so
	calls "install --quiet $file-3.ko" "replace --quiet $file-3.ko" \
		"uninstall --quiet --kernel $release kgr_fix_2"
}

case_other_kernel()
{
	kernel_is 6.12.99
	update 4 >"$work/out" 2>&1
	cat "$work/out"
	says "installed only: it is for $release, and 6.12.99 is running"
	calls "install --quiet $file-4.ko" "uninstall --quiet --kernel $release kgr_fix_3"
	rpm -e "$package"
	calls "uninstall --quiet --kernel $release kgr_fix_4"
	kernel_is $release
}

case_remove()
{
	update 5
	rm -f "$root/calls"
	rpm -e "$package"
	calls "uninstall --quiet --revert kgr_fix_5"
	[ ! -e "$root$file-5.ko" ]
	[ ! -e "$root/var/lib/kgraft-packages" ]
}

# A package of the tools that is upgraded leaves the unit alone; removed, it disables it
case_remove_tools()
{
	rpm -U --nodeps --force "/repo/${rpms[0]##*/}"
	rm -f "$root/asked"
	rpm -e kgraft-tools
	asked "--no-reload disable --now kgraft.service"
	[ ! -e "$root/usr/sbin/kgr-ctl" ]
	[ ! -e "$root/usr/lib/kgraft" ]
}

check "the tools: installed, complete, the unit is preset" case_tools
check "a patch: installed and applied" case_install
check "an upgrade: one transition, then the old one goes" case_upgrade
check "a patch that is refused: the package is installed, the reason is shown" case_refused
check "a patch for another kernel is installed only" case_other_kernel
check "a patch is removed: it is reverted before" case_remove
check "the tools are removed" case_remove_tools
tap_done
