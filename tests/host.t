#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Our packages on a real host: a Debian guest with systemd and our kernel's package, made
# by scripts/host-image. Patches come from an apt repository, survive reboots, are held
# back after a crash, and the power fails at random moments: KGR_CUTS times, at those
# that KGR_SEED decides.

# shellcheck disable=SC2317,SC2016 # check() calls the cases; the guest expands what is quoted
set -eu
. "$(dirname "$0")/tap.sh"
. "$top/scripts/lib.sh"
. "$top/scripts/vm.sh"
host=$build/host
tree=$build/kernel-vm
debs=("$build"/deb/kgraft-tools_*.deb "$build"/deb/kgr-build_*.deb)
"$top/scripts/host-image" --check 2>/dev/null ||
	skip_all "there is no Debian system with this kernel: scripts/host-image"
[ -e "${debs[0]}" ] || skip_all "there are no packages: make deb"
command -v dpkg-scanpackages >/dev/null || skip_all "dpkg-dev is not installed"
. "$top/tests/host/guest.sh"
trap 'guest_cut; rm -rf "$work"' EXIT

release=$(cat "$tree/include/config/kernel.release")
stock=$(cd "$host/boot" && printf '%s\n' vmlinuz-*-cloud-amd64)
stock=${stock#vmlinuz-}
package=kgr-patch-$release
cuts=${KGR_CUTS:-4}
seed=${KGR_SEED:-$RANDOM}
media=$work/repo

# Patches: 1 and 2 of one function, 3 of another one

# diff_of FILE TEXT: a diff that has FILE of the kernel say TEXT on a line of its own
diff_of()
{
	local before=$work/a/$1 after=$work/b/$1

	mkdir -p "${before%/*}" "${after%/*}"
	cp "$tree/$1" "$before"
	sed "0,/^\treturn 0;/s//\tseq_puts(m, \"$2\\\\n\");\n&/" "$before" >"$after"
	(cd "$work" && diff -u "a/$1" "b/$1") || [ $? = 1 ]
}

# make_patch VERSION NAME FILE OPTION...
make_patch()
{
	local version=$1 name=$2 file=$3

	shift 3
	mkdir -p "$work/built/$version"
	diff_of "$file" "$name $version" >"$work/$name.patch"
	(cd "$work/built/$version" && "$build/tools/kgr-build" -q -k "$tree" "$@" "$work/$name.patch")
}

make_patches()
{
	local version key=certs/signing_key

	make_patch 1 fix fs/proc/version.c --package deb --package-version 1 --cve CVE-2026-0001
	make_patch 2 fix fs/proc/version.c --package deb --package-version 2
	make_patch 3 load fs/proc/loadavg.c --package deb --package-version 3
	openssl req -new -x509 -newkey rsa:2048 -nodes -batch -subj '/CN=Somebody else' \
		-keyout "$work/key.pem" -out "$work/cert.pem" 2>/dev/null
	make_patch 4 plain fs/proc/uptime.c
	make_patch 5 plain fs/proc/uptime.c
	make_patch right right fs/proc/uptime.c --sign-key "$tree/$key.pem" --sign-cert "$tree/$key.x509"
	make_patch wrong wrong fs/proc/uptime.c --sign-key "$work/key.pem" --sign-cert "$work/cert.pem"
	mkdir -p "$media/now"
	for version in "$work"/built/*/; do
		mkdir -p "$media/modules/${version##*/built/}"
		cp "$version"/*.ko "$media/modules/${version##*/built/}"
	done
	# what the repository held on one day and on the next
	for version in 1 2 3; do
		mkdir "$media/$version"
		cp "${debs[@]}" "$work"/built/"$version"/*.deb "$media/$version/"
		(cd "$media/$version" && dpkg-scanpackages -m . >Packages) 2>/dev/null
	done
	guest_disks "$media"
}

# repository DAY: what of it apt is shown
repository()
{
	guest "echo 'deb [trusted=yes] file:/repo/$1 ./' >/etc/apt/sources.list.d/repo.list
		apt-get -q update"
}

# value JSON EXPRESSION
value()
{
	python3 -c 'import json, sys; d = json.loads(sys.argv[1]); print(eval(sys.argv[2]))' "$1" "$2"
}

# guest_says SCRIPT TEXT: and succeeds
guest_says()
{
	expect_rc 0 guest "$1" && says "$2"
}

# guest_rc STATUS SCRIPT
guest_rc()
{
	expect_rc "$1" guest "$2"
}

# is_applied NAME...: these patches are, and no other
is_applied()
{
	expect "$*" "$(value "$(guest 'kgr-ctl list --json')" \
		'" ".join(p["name"] for p in d["patches"] if p["state"] == "applied")')" 'what is applied'
}

# shows NAME FILE: what a patch of it puts there; nothing if NAME is empty
shows()
{
	expect "$1" "$(guest "sed 1d /proc/$2" | sed '/^$/d')" "the second line of /proc/$2"
}

# timed NAME SCRIPT: how long it takes is kept, in ms
timed()
{
	local start=${EPOCHREALTIME//[!0-9]/}

	expect_rc 0 guest "$2"
	echo $(((${EPOCHREALTIME//[!0-9]/} - start) / 1000)) >"$work/time.$1"
}

# guard_is NAME STATE
guard_is()
{
	expect "$2" "$(value "$(guest 'kgr-ctl status --json')" \
		"[p['guard'] for p in d['installed'] if p['name'] == '$1'][0]")" "guard of $1"
}

# Boots, in this shell; without a guest there is nothing to go on with

finish()	# STATUS FILE
{
	cat "$2"
	return "$1"
}

boot()		# NAME RELEASE [APPEND]
{
	local name=$1 rc=0

	shift
	guest_on "$@" >"$work/boot" 2>&1 || rc=$?
	check "$name" finish $rc "$work/boot"
	[ $rc = 0 ] || tap_done
}

off()		# NAME [COMMAND [END]]
{
	local rc=0

	guest_off "${2-}" >"$work/boot" 2>&1 || rc=$?
	[ $rc != 0 ] || guest_no_splat "${3-}" >>"$work/boot" 2>&1 || rc=$?
	check "$1" finish $rc "$work/boot"
	echo "# $SECONDS s so far"
}

case_host()
{
	expect "$release" "$(guest 'uname -r' | sed '/^$/d')" 'release'
	guest_says 'dpkg -S /boot/vmlinuz-$(uname -r)' "linux-image-$release: "
	guest_says 'systemctl is-system-running --wait' running
	guest_says 'lsmod' virtio_blk
}

case_tools()
{
	repository 1
	guest 'apt-get -q -y install kgraft-tools kgr-build'
	guest_says 'systemctl is-enabled kgraft.service' enabled
	guest_rc 0 'kgr-ctl status && kgr-build --version'
}

case_install()
{
	shows '' version
	timed install "apt-get -q -y install $package"
	says 'kgraft: kgr-fix-1 is applied'
	is_applied kgr-fix-1
	shows 'fix 1' version
	guard_is kgr_fix_1 trying
}

# What needs no root is asked for without
case_user()
{
	local command file=/usr/lib/kgraft/$release/kgr-fix-1.ko

	for command in list status check stragglers "info kgr-fix-1" "info $file" \
		'show version_proc_show' cve 'cve --is-patched CVE-2026-0001' uname verify \
		doctor "preflight $file" wait mode metrics help; do
		guest_rc 0 "runuser -u somebody -- kgr-ctl $command"
	done
	# the first of these is because of tracefs
	for command in conflicts "load /repo/modules/4/kgr-plain.ko" 'revert kgr-fix-1' 'unload --revert kgr-fix-1' \
		'install /repo/modules/4/kgr-plain.ko' 'uninstall kgr_fix_1' 'mode stop'; do
		guest_rc 7 "runuser -u somebody -- kgr-ctl $command"
	done
	is_applied kgr-fix-1
	guest_rc 0 'cd /tmp && runuser -u somebody -- kgr-build --list-errors >/dev/null'
}

# when UNIT PROPERTY: microseconds since the boot
when()
{
	guest "systemctl show -P $2 $1" | sed '/^$/d'
}

case_before_network()
{
	local applied pre network

	is_applied kgr-fix-1
	shows 'fix 1' version
	applied=$(when kgraft.service ActiveEnterTimestampMonotonic)
	pre=$(when network-pre.target ActiveEnterTimestampMonotonic)
	network=$(when systemd-networkd.service ExecMainStartTimestampMonotonic)
	echo "applied $applied, network-pre.target $pre, networkd $network"
	[ "$applied" -gt 0 ]
	[ "$applied" -le "$pre" ]
	[ "$pre" -le "$network" ]
	# and as the kernel and networkd tell it, by the same clock
	guest 'journalctl -b -o short-monotonic --no-hostname -q' >"$work/journal"
	grep -nE "patch 'kgr-fix-1': patching succeeded|networkd.* en.*: Gained carrier" "$work/journal" |
		tee "$work/lines"
	expect 'patching Gained' "$(grep -oE 'patching|Gained' "$work/lines" | tr '\n' ' ' | sed 's/ $//')" 'order'
	guest_says 'journalctl -b -u kgraft -q' '1 of 1 applied'
}

case_upgrade()
{
	repository 2
	guest 'dmesg -C'
	timed upgrade 'apt-get -q -y upgrade'
	says 'kgraft: kgr-fix-2 is applied'
	is_applied kgr-fix-2
	shows 'fix 2' version
	guest 'dmesg' >"$work/dmesg"
	expect "patch 'kgr-fix-2': patching started" \
		"$(grep -oE "patch '.*': (patching|reverting) started" "$work/dmesg")" transitions
	guest_rc 1 'lsmod | grep kgr_fix_1'
	expect kgr_fix_2 "$(value "$(guest 'kgr-ctl status --json')" \
		'" ".join(p["name"] for p in d["installed"])')" 'installed'
	guard_is kgr_fix_2 trying
	guest_rc 0 'kgr-ctl verify'
}

case_held_back()
{
	is_applied
	shows '' version
	guard_is kgr_fix_2 crashed
	guest_rc 0 'kgr-ctl status'
	says 'kgr_fix_2 is held back: the machine went down soon after kgr_fix_2 was loaded'
	says 'kgr-ctl autoload --retry kgr_fix_2'
	guest_rc 1 'kgr-ctl doctor'
	says 'kgr_fix_2'
	guest_says 'systemctl --failed' kgraft.service
	guest_says 'journalctl -b -u kgraft -q' 'kgr_fix_2: held-back: the machine went down soon after'
	# the hint leads to the boot that has crashed
	guest 'kgr-ctl status' | grep -o 'journalctl --boot=[0-9a-f]*' >"$work/hint"
	guest_says "$(cat "$work/hint") -q | tail -n 300" 'kgr-fix-2'
	guest_rc 0 'kgr-ctl autoload --retry kgr_fix_2'
	is_applied kgr-fix-2
}

case_second_patch()
{
	repository 3
	guest_says 'apt-get -q -y upgrade' 'kgraft: kgr-load-3 is applied'
	is_applied kgr-load-3
	shows '' version
	shows 'load 3' loadavg
	guest_says 'ls /var/lib/kgraft-packages /var/lib/kgraft/$(uname -r)' kgr_load_3-
	guest_rc 1 'ls /var/lib/kgraft/$(uname -r) | grep kgr_fix'
}

case_good()
{
	guest 'kgr-ctl mode --guard 1 && systemctl restart kgraft-confirm.service'
	guest 'for i in 1 2 3 4 5 6 7 8 9 10; do
		systemctl is-active -q kgraft-confirm.service || break; sleep 1; done'
	guard_is kgr_load_3 good
	guest 'kgr-ctl mode --guard 600'
}

case_want_initramfs()
{
	guest_rc 0 "kgr-ctl install --initramfs /usr/lib/kgraft/$release/kgr-load-3.ko"
	guest_rc 0 "update-initramfs -u -k $release"
	guest_says "lsinitramfs /boot/initrd.img-$release" usr/sbin/kgr-ctl
}

case_initramfs()
{
	is_applied kgr-load-3
	guest 'dmesg' >"$work/dmesg"
	grep -nE "patch 'kgr-load-3': patching succeeded|systemd\[1\]: systemd .* running in system mode" \
		"$work/dmesg" | tee "$work/lines"
	expect 'patching running' "$(grep -oE 'patching|running' "$work/lines" | tr '\n' ' ' | sed 's/ $//')" 'order'
	guest_says 'journalctl -b -u kgraft -q' 'already-applied'
	guest_says 'systemctl is-active kgraft.service' active
}

# Modes, as the boot's own service meets them; another boot is no-apply's below
case_stop()
{
	local file=/usr/lib/kgraft/$release/kgr-load-3.ko

	guest_rc 0 'kgr-ctl mode stop'
	guest_rc 0 'kgr-ctl unload --revert kgr-load-3 && systemctl restart kgraft.service'
	is_applied
	guest_rc 7 "kgr-ctl load $file"
	says "this host's mode is 'stop'"
	guest_rc 0 'kgr-ctl mode normal && systemctl restart kgraft.service'
	is_applied kgr-load-3
	guest_rc 0 'kgr-ctl mode no-apply'
}

case_no_apply()
{
	is_applied
	shows '' loadavg
	guest_says 'kgr-ctl status' no-apply
	guest_says 'journalctl -b -u kgraft -q' "nothing was loaded: this host's mode is 'no-apply'"
}

case_lockdown()
{
	local name

	guest_says 'cat /sys/kernel/security/lockdown' '[integrity]'
	guest_rc 7 'kgr-ctl preflight /repo/modules/4/kgr-plain.ko'
	guest_rc 7 'kgr-ctl load /repo/modules/4/kgr-plain.ko'
	guest_rc 7 'kgr-ctl load /repo/modules/wrong/kgr-wrong.ko'
	is_applied
	guest_rc 0 'kgr-ctl preflight /repo/modules/right/kgr-right.ko'
	guest_rc 0 'kgr-ctl load /repo/modules/right/kgr-right.ko'
	is_applied kgr-right
	shows 'right right' uptime
	guest_rc 0 'kgr-ctl verify && kgr-ctl unload --revert kgr-right && kgr-ctl mode normal'
}

case_kill_switch()
{
	is_applied
	guest_says 'kgr-ctl status' 'kgraft=off'
	guest_says 'journalctl -b -u kgraft -q' "nothing was loaded: kgraft=off is on the kernel's command line"
	# by hand it can be had
	guest_rc 0 "kgr-ctl replace /usr/lib/kgraft/$release/kgr-load-3.ko"
	shows 'load 3' loadavg
}

case_remove()
{
	timed remove "apt-get -q -y remove $package"
	is_applied
	shows '' loadavg
	guest_rc 1 'lsmod | grep kgr_'
	guest_rc 0 "[ ! -e /usr/lib/kgraft/$release ] && [ ! -e /var/lib/kgraft-packages ]"
	expect '' "$(value "$(guest 'kgr-ctl status --json')" \
		'" ".join(p["name"] for p in d["installed"])')" 'installed'
}

# On Debian's own kernel
case_stock()
{
	local command file=/usr/lib/kgraft/$release/kgr-fix-1.ko

	expect "$stock" "$(guest 'uname -r' | sed '/^$/d')" 'release'
	guest_says 'systemctl is-system-running --wait' running
	repository 1
	guest_says "apt-get -q -y install $package" "kgraft: installed only: it is for $release, and $stock is running"
	for command in list status check stragglers 'info kgr-fix-1' 'show version_proc_show' cve verify \
		conflicts doctor "preflight $file" "load $file" "replace $file" 'revert kgr-fix-1' \
		'unload kgr-fix-1' nudge wait uname; do
		guest_rc 8 "kgr-ctl $command"
		grep -qi 'kgraft' "$work/out"
		guest_rc 8 "runuser -u somebody -- kgr-ctl $command"
	done
	guest_rc 0 'systemctl restart kgraft.service && kgr-ctl autoload'
	says "nothing is installed for $stock"
	guest_says 'kgr-ctl metrics' 'kgraft_available 0'
	for command in mode "info $file" help; do
		guest_rc 0 "kgr-ctl $command"
	done
}

# The power fails.  Each time something else goes on
operations=(upgrade kgr-ctl remove install)

# Is the package where OPERATION begins?
prepare()	# OPERATION
{
	case $1 in
	install)
		repository 1
		[ -z "$(package_version)" ] || guest "apt-get -q -y remove $package" ;;
	upgrade)
		repository 1
		guest "apt-get -q -y --allow-downgrades install $package=1" && repository 2 ;;
	remove)
		[ -n "$(package_version)" ] || guest "apt-get -q -y install $package" ;;
	esac
}

script_of()	# OPERATION
{
	case $1 in
	install) echo "apt-get -q -y install $package" ;;
	upgrade) echo 'apt-get -q -y upgrade' ;;
	remove) echo "apt-get -q -y remove $package" ;;
	kgr-ctl) cat <<-'END'
		while :; do
			kgr-ctl install /repo/modules/4/kgr-plain.ko
			kgr-ctl load /repo/modules/4/kgr-plain.ko
			kgr-ctl install /repo/modules/5/kgr-plain.ko
			kgr-ctl unload --revert kgr-plain
			kgr-ctl load /repo/modules/5/kgr-plain.ko
			kgr-ctl uninstall --revert kgr_plain
		done
		END
	;;
	esac
}

# The version of the patch package, if it is installed as a whole
package_version()
{
	guest "dpkg-query -W -f '\${db:Status-Abbrev} \${Version}' $package 2>/dev/null" | sed -n 's/^ii  *//p'
}

# Everything in the store is one of the modules that there have been, whole
case_store()
{
	guest_rc 0 'cd /var/lib/kgraft/$(uname -r) 2>/dev/null || exit 0
		[ -e index ] || exit 0
		tail -n 1 index | grep -qx end || { echo "no end:"; cat index; exit 1; }
		sed \$d index | while read -r name file rest; do
			found=
			for module in /repo/modules/*/$(tr _ - <<<"$name").ko; do
				! cmp -s "$file" "$module" || found=y
			done
			[ -n "$found" ] || { echo "$name $file: no module of ours"; exit 1; }
		done'
}

case_comes_back()
{
	local doc

	guest_rc 0 'state=$(systemctl is-system-running --wait)
		failed=$(systemctl --failed --plain --no-legend | sed "s/ .*//")
		echo "$state: $failed"
		[ -z "${failed#kgraft.service}" ]'
	guest_rc 0 'kgr-ctl status && kgr-ctl list && kgr-ctl verify && kgr-ctl conflicts'
	# 1: a patch is held back, since this was no shutdown
	guest 'kgr-ctl doctor' >"$work/out" || [ $? = 1 ]
	doc=$(guest 'kgr-ctl status --json')
	expect None "$(value "$doc" 'd["store_error"]')" 'what is wrong with the store'
	expect '' "$(value "$doc" '" ".join(p["name"] for p in d["installed"]
		if p["guard"] == "damaged" or (p["error"] and p["guard"] != "crashed"))')" 'patches with errors'
}

# dpkg takes up what was interrupted. Where it had only begun to unpack it says so and wants
# the package once more, and a removal has to be asked for again.
case_heals()	# OPERATION
{
	local version names=

	guest_rc 0 'dpkg --configure -a && { [ -z "$(dpkg --audit)" ] || apt-get -q -y -f install; }'
	[ "$1" != remove ] || guest_rc 0 "apt-get -q -y remove $package"
	guest_rc 0 'dpkg --audit && [ -z "$(dpkg --audit)" ]'
	guest_rc 0 'kgr-ctl uninstall --revert kgr_plain || [ $? = 8 ]'
	version=$(package_version)
	[ -z "$version" ] || names=kgr_fix_$version
	expect "$names" "$(value "$(guest 'kgr-ctl status --json')" \
		'" ".join(p["name"] for p in d["installed"])')" 'installed'
	[ -z "$names" ] || guest_rc 0 "kgr-ctl autoload --retry $names"
	is_applied ${names:+kgr-fix-$version}
	shows "${names:+fix $version}" version
	shows '' uptime
	guest_rc 0 'cd /var/lib/kgraft/$(uname -r) 2>/dev/null || exit 0
		for f in * .[!.]*; do
			case $f in
			index | "*" | ".[!.]*") ;;
			*.guard) grep -q "^${f%.guard} " index || { echo "left over: $f"; exit 1; } ;;
			*) grep -qF " $f" index || { echo "left over: $f"; exit 1; } ;;
			esac
		done'
}

# cut N: in this shell
cut()
{
	local operation=${operations[$((($1 - 1) % ${#operations[@]}))]} limit=5000 delay name

	[ ! -f "$work/time.$operation" ] || limit=$(cat "$work/time.$operation")
	delay=$((RANDOM * limit / 32768))
	delay=$((delay / 1000)).$(printf %03d $((delay % 1000)))
	name="power cut $1 of $cuts: $operation, after $delay s"
	prepare "$operation" >"$work/prepare" 2>&1 || { cat "$work/prepare"; }
	guest_begin "$(script_of "$operation")"
	sleep "$delay"
	guest_cut
	check "$name: nothing on the console" guest_no_splat
	boot "$name: boots" "$release"
	check "$name: consistent" case_comes_back
	check "$name: the store is whole" case_store
	check "$name: goes on from there" case_heals "$operation"
}

check 'patches and packages of them' make_patches
boot 'a Debian system boots our package of the kernel' "$release"
check 'nothing is amiss on it' case_host
check 'apt installs the tools' case_tools
check 'apt installs a patch, which is applied' case_install
check 'an ordinary user can look at everything, and change nothing' case_user
off 'it is rebooted' 'systemctl reboot'

boot 'it boots again' "$release"
check 'the patch is applied before the network comes up' case_before_network
check 'a new version takes the place of the old one in one transition' case_upgrade
off 'it crashes' 'sync; echo c >/proc/sysrq-trigger' 'sysrq: Trigger a crash'

boot 'it boots after the crash' "$release"
check 'the patch is held back, and everybody says why' case_held_back
check "another patch's package takes the place of the first" case_second_patch
check "it is good once the guard's time has passed" case_good
check 'it can be wanted in the initramfs' case_want_initramfs
off 'it is shut down'
check 'kernel and initramfs are on its disk' guest_take "$release" "$work/kernels"
guest_boot=$work/kernels

boot 'it boots with that initramfs' "$release"
check 'the patch is applied in the initramfs' case_initramfs
check 'mode stop' case_stop
off 'it is shut down with mode no-apply'

boot 'it boots with lockdown=integrity' "$release" lockdown=integrity
check 'mode no-apply' case_no_apply
check 'signed with the key of the kernel it loads, with another or none it does not' case_lockdown
off 'it is shut down with mode normal'

boot 'it boots with kgraft=off' "$release" kgraft=off
check 'nothing is applied' case_kill_switch
check 'the package is removed, the patch reverted' case_remove
off 'it is shut down without a patch'

guest_boot=$host/boot
boot "it boots Debian's own kernel" "$stock"
check 'without kGraft all commands fail politely' case_stock
off 'it is shut down with a patch for the other kernel'

guest_boot=$work/kernels
boot 'it boots the kernel of the patch' "$release"
check 'the patch is applied' is_applied kgr-fix-1
echo "# KGR_SEED=$seed"
RANDOM=$seed
for ((i = 1; i <= cuts; i++)); do
	cut "$i"
done
off 'it is shut down for good'
tap_done
