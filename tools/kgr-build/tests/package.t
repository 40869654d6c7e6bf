#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Packages around a module: what is in them, the same bytes each time, and what they
# do when they come and go, with a kgr-ctl that writes down how it is called.  On the
# small tree of mini/.

. "$(dirname "$0")/mini/mini.sh"
set -u

make_tree >"$work/log" 2>&1
ok $? "a small build tree"
core=kernel/core.c
release=6.12.0-mini
export SOURCE_DATE_EPOCH=1700000000

edit fix $core 's/return v + clamped;/return v + clamped + 1;/'
sed -i '1iSubject: [PATCH] core: 100%% right\n\nCVE-2099-12345\n---' "$work/fix.patch"
sed -i '1s/%%/%/' "$work/fix.patch"

# package NAME KIND VERSION [OPTION]...: in a directory of its own, named as by default
package()
{
	local name=$1 kind=$2 version=$3

	shift 3
	mkdir -p "$work/$name"
	(cd "$work/$name" && "$tool" -k "$tree" --json --package "$kind" --package-version "$version" \
		"$@" "$work/fix.patch") >"$work/$name.json" 2>"$work/err"
	rc=$?
	: >"$work/log"
}

# --- cumulative modules

run fix --replace
[ $rc -eq 0 ] && json fix '$d->{replace} && !defined $d->{package}' &&
	readelf -p .modinfo "$work/fix.ko" | grep -q 'kgraft_replace=Y'
ok $? "--replace: the module says that it is cumulative"
run fix
[ $rc -eq 0 ] && json fix '!$d->{replace}' && ! readelf -p .modinfo "$work/fix.ko" | grep -q kgraft_replace
ok $? "without it, it isn't"

# --- options

run fix --package tar
[ $rc -eq 2 ] && grep -q "'tar'" "$work/err"
ok $? "a kind of package that there is not"
for value in '' v1 1-2 '1 2' '1;2'; do
	run fix --package deb --package-version "$value"
	[ $rc -eq 2 ] || break
done
[ $rc -eq 2 ] && run fix --package-version 2 && [ $rc -eq 2 ]
ok $? "versions that a package can't have; a version without a package"

# --- deb

package one deb 1
deb=$work/one/kgr-patch-${release}_1_amd64.deb
[ $rc -eq 0 ] && [ -s "$deb" ] && [ -s "$work/one/kgr-fix-1.ko" ] &&
	json one '$d->{package} =~ m,kgr-patch-6.12.0-mini_1_amd64.deb$, && $d->{replace} && $d->{name} eq "kgr-fix-1"'
ok $? "deb: beside the module, which is cumulative and has the version in its name"
dpkg-deb -f "$deb" >"$work/log"
grep -qx "Package: kgr-patch-$release" "$work/log" && grep -qx 'Version: 1' "$work/log" &&
	grep -qx 'Depends: kgraft-tools' "$work/log" && grep -qx 'Architecture: amd64' "$work/log" &&
	grep -qx ' core: 100% right' "$work/log" && grep -qx '  Fixes: CVE-2099-12345' "$work/log" &&
	grep -qx '  Functions: clamp' "$work/log"
ok $? "deb: name, version, what it needs, what it fixes"
dpkg-deb -c "$deb" >"$work/log"
ko=usr/lib/kgraft/$release/kgr-fix-1.ko
grep -q "^-rw-r--r-- root/root .* \./$ko\$" "$work/log" && ! grep -v ' root/root ' "$work/log" &&
	! grep -vE ' 2023-11-1[45] ' "$work/log" && ! grep -vE '^(drwxr-xr-x|-rw-r--r--) ' "$work/log"
ok $? "deb: the module, root's, of the date that was given"
dpkg-deb --fsys-tarfile "$deb" | tar -xO "./$ko" | cmp - "$work/one/kgr-fix-1.ko" >"$work/log" 2>&1
ok $? "deb: the very module"
dpkg-deb --fsys-tarfile "$deb" | tar -xO "./usr/share/doc/kgr-patch-$release/changelog.gz" | gzip -d >"$work/log"
grep -qx "kgr-patch-$release (1) unstable; urgency=high" "$work/log" && grep -q CVE-2099-12345 "$work/log" &&
	grep -qx ' -- kgr-build <kgr-build@kgraft.invalid>  Tue, 14 Nov 2023 22:13:20 +0000' "$work/log"
ok $? "deb: CVEs in the changelog"
if command -v lintian >/dev/null; then
	# dpkg makes the sums itself
	lintian --allow-root --fail-on error,warning,info --suppress-tags no-md5sums-control-file -I "$deb" >"$work/log" 2>&1
	ok $? "deb: lintian has nothing to say"
else
	ok 0 "deb: lintian # SKIP it is not installed"
fi
(umask 077; TMPDIR=$work/out package again deb 1)
cmp "$deb" "$work/again/${deb##*/}" >"$work/log" 2>&1
ok $? "deb: the same bytes, with another umask, in another directory"
(unset SOURCE_DATE_EPOCH; touch -d @1600000000 "$work/fix.patch"; package dated deb 1
 touch "$work/out"; package dated2 deb 1)
cmp "$work"/dated{,2}/"${deb##*/}" >"$work/log" 2>&1 && dpkg-deb -c "$work/dated/${deb##*/}" | grep -q ' 2020-09-13 '
ok $? "deb: without a date it is that of the diff"
SOURCE_DATE_EPOCH=tomorrow package when deb 1
[ $rc -eq 1 ] && grep -q "KGR-E141: .*'tomorrow'" "$work/err" && [ -z "$(ls "$work/when" | grep deb)" ]
ok $? "KGR-E141: a date that is none"
package signed deb 1 --name kgr-named
[ $rc -eq 0 ] && dpkg-deb -c "$work/signed/${deb##*/}" | grep -q '/kgr-named.ko$'
ok $? "deb: a name by option is kept"

# --- rpm

if command -v rpmbuild >/dev/null; then
	package rpm rpm 1.2~rc1
	rpm=$work/rpm/kgr-patch-$release-1.2~rc1-1.x86_64.rpm
	[ $rc -eq 0 ] && [ -s "$rpm" ]
	ok $? "rpm: beside the module"
	rpm -qp --qf '%{NAME} %{VERSION} %{ARCH} %{DESCRIPTION}\n[%{REQUIRES}\n]' "$rpm" >"$work/log" 2>&1
	grep -qx "kgr-patch-$release 1.2~rc1 x86_64 core: 100% right" "$work/log" && grep -qx kgraft-tools "$work/log"
	ok $? "rpm: name, version, what it needs"
	rpm -qlvp "$rpm" >"$work/log" 2>&1
	grep -q "^-rw-r--r--.*root *root.*/usr/lib/kgraft/$release/kgr-fix-1-2-rc1.ko\$" "$work/log"
	ok $? "rpm: the module, root's"
	rpm -qp --changelog "$rpm" >"$work/log" 2>&1
	grep -q '^\* Tue Nov 14 2023 .* - 1.2~rc1-1' "$work/log" && grep -q CVE-2099-12345 "$work/log"
	ok $? "rpm: CVEs in the changelog"
	rpm -qp --scripts "$rpm" >"$work/log" 2>&1
	grep -q "patch-package installed '$release' '/usr/lib/kgraft/$release/kgr-fix-1-2-rc1.ko'" "$work/log" &&
		grep -q "patch-package removed '$release'" "$work/log"
	ok $? "rpm: its scripts"
	(umask 077; TMPDIR=$work/out package rpm2 rpm 1.2~rc1)
	cmp "$rpm" "$work/rpm2/${rpm##*/}" >"$work/log" 2>&1
	ok $? "rpm: the same bytes"
else
	ok 0 "rpm # SKIP rpmbuild is not installed"
fi

# --- what is missing, what fails

mkdir "$work/few"
for p in gcc make diff as ld cc1 sh patch rpm gzip; do
	ln -s "$(command -v $p)" "$work/few/" 2>/dev/null
done
for kind in 'deb dpkg-deb dpkg' 'rpm rpmbuild rpm'; do
	set -- $kind
	rm -f "$work/none.ko"
	PATH=$work/few "$tool" -k "$tree" -q -o "$work/none.ko" --package $1 "$work/fix.patch" 2>"$work/err"
	rc=$?
	[ $rc -eq 1 ] && grep -q "KGR-E140: .*: $2 (package $3" "$work/err" && [ ! -e "$work/none.ko" ]
	ok $? "KGR-E140: no $2: the package that has it is named, before anything is built"
done
printf '#!/bin/sh\necho "no space for hopes"\nexit 2\n' >"$work/few/dpkg-deb"
chmod +x "$work/few/dpkg-deb"
PATH=$work/few:$PATH package broken deb 1
[ $rc -eq 1 ] && grep -q 'KGR-E141: .*dpkg-deb: no space for hopes' "$work/err" &&
	[ -s "$work/broken/kgr-fix-1.ko" ] && [ "$(ls "$work/broken")" = kgr-fix-1.ko ]
ok $? "KGR-E141: what dpkg-deb said; the module is there, no half package is"
echo "6.12.0'mini" >"$tree/include/config/kernel.release"
package quote deb 1
[ $rc -eq 1 ] && grep -q "KGR-E141: .*'6.12.0'mini'" "$work/err"
ok $? "KGR-E141: a release that would break the scripts"
echo $release >"$tree/include/config/kernel.release"

# --- what the package does

host=$work/host
mkdir -p "$host/bin"
# answers with the status in file ret-COMMAND, if there is one
cat >"$host/bin/kgr-ctl" <<'END'
#!/bin/sh
echo "$*" >>"$HOST/calls"
[ "$1" != mode ] || { echo "{\"mode\": \"$(cat "$HOST/mode" 2>/dev/null || echo normal)\"}"; exit 0; }
[ ! -e "$HOST/ret-$1" ] || { echo "kgr-ctl: $1: no luck" >&2; exit "$(cat "$HOST/ret-$1")"; }
END
printf '#!/bin/sh\necho "${RUNNING:-%s}"\n' $release >"$host/bin/uname"
chmod +x "$host/bin/"*
export HOST=$host KGRAFT_PACKAGES=$host/packages

# script DEB SCRIPT ARGUMENT...: runs it as dpkg would; what was called, in calls
script()
{
	local deb=$1 what=$2

	shift 2
	rm -rf "$host/control" "$host/calls"
	dpkg-deb -e "$deb" "$host/control"
	sed -i "s,/usr/lib/kgraft/patch-package,$top/tools/kgr-ctl/host/package/patch-package," "$host/control/$what"
	(PATH=$host/bin:$PATH && "$host/control/$what" "$@") >"$work/err" 2>&1
	rc=$?
	touch "$host/calls"
	cp "$host/calls" "$work/log"
}

called()	# LINE...
{
	printf '%s\n' "$@" | diff - "$host/calls" >>"$work/log"
}

package two deb 2
deb2=$work/two/kgr-patch-${release}_2_amd64.deb
file=/usr/lib/kgraft/$release/kgr-fix

script "$deb" postinst configure ''
[ $rc -eq 0 ] && called "install --quiet $file-1.ko" 'mode --json' "replace --quiet $file-1.ko" &&
	grep -q 'kgr-fix-1 is applied' "$work/err"
ok $? "install: installed and applied"
script "$deb" postinst configure 1
[ $rc -eq 0 ] && called "install --quiet $file-1.ko" 'mode --json' "replace --quiet $file-1.ko"
ok $? "install: once more, and it does not replace itself"
script "$deb" prerm upgrade 2
[ $rc -eq 0 ] && called ''
[ $rc -eq 0 ] && [ ! -s "$host/calls" ]
ok $? "upgrade: the old one does nothing"
script "$deb2" postinst configure 1
[ $rc -eq 0 ] && called "install --quiet $file-2.ko" 'mode --json' "replace --quiet $file-2.ko" \
	"uninstall --quiet --kernel $release kgr_fix_1" "unload --quiet kgr_fix_1"
ok $? "upgrade: one transition, then the old one goes"
script "$deb2" prerm remove
[ $rc -eq 0 ] && called 'uninstall --quiet --revert kgr_fix_2' && [ ! -e "$host/packages" ]
ok $? "remove: reverted and uninstalled, nothing is left"

export RUNNING=6.12.0-other
script "$deb" postinst configure ''
[ $rc -eq 0 ] && called "install --quiet $file-1.ko" &&
	grep -q "installed only: it is for $release, and 6.12.0-other is running" "$work/err"
ok $? "install for another kernel: installed only, and it says so"
script "$deb2" postinst configure 1
[ $rc -eq 0 ] && called "install --quiet $file-2.ko" "uninstall --quiet --kernel $release kgr_fix_1"
ok $? "upgrade for another kernel: nothing is loaded or unloaded"
script "$deb2" prerm remove
[ $rc -eq 0 ] && called "uninstall --quiet --kernel $release kgr_fix_2"
ok $? "remove for another kernel: nothing is reverted"
unset RUNNING

echo no-apply >"$host/mode"
script "$deb" postinst configure ''
[ $rc -eq 0 ] && called "install --quiet $file-1.ko" 'mode --json' && grep -q "mode is 'no-apply'" "$work/err"
ok $? "install on a host that is not to apply: installed only"
rm "$host/mode"
echo 4 >"$host/ret-replace"
script "$deb2" postinst configure 1
[ $rc -eq 0 ] && grep -q 'replace: no luck' "$work/err" && grep -q "Again: kgr-ctl replace $file-2.ko" "$work/err" &&
	called "install --quiet $file-2.ko" 'mode --json' "replace --quiet $file-2.ko" \
	"uninstall --quiet --kernel $release kgr_fix_1"
ok $? "not applied: the reason and what to do; the old one stays in force"
echo 6 >"$host/ret-replace"
script "$deb2" postinst configure 2
[ $rc -eq 0 ] && grep -q 'the transition goes on: kgr-ctl status' "$work/err"
ok $? "a transition that goes on"
rm "$host/ret-replace"
echo 1 >"$host/ret-install"
script "$deb" postinst configure 2
[ $rc -eq 0 ] && called "install --quiet $file-1.ko" && grep -q "Again: kgr-ctl install $file-1.ko" "$work/err" &&
	[ "$(cat "$host/packages/$release")" = kgr_fix_2 ]
ok $? "not installed: nothing is touched, the old one is still known"
rm "$host/ret-install"
echo 8 >"$host/ret-uninstall"
script "$deb2" prerm remove
[ $rc -eq 0 ] && called 'uninstall --quiet --revert kgr_fix_2' 'unload --quiet --revert kgr_fix_2'
ok $? "remove: uninstalled by hand before: reverted all the same"
rm "$host/ret-uninstall"
script "$deb" postinst configure ''
echo 6 >"$host/ret-uninstall"
script "$deb" prerm remove
[ $rc -eq 0 ] && grep -q 'Again: kgr-ctl unload --revert kgr_fix_1' "$work/err"
ok $? "remove: a reversal that does not end is explained"

tests_done
