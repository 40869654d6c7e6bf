#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# shellcheck disable=SC2317 # the cases are called by name
#
# What kgr-ctl keeps over a reboot, as far as that can be seen without one: installs
# that are killed, disks that are full, and the files that a boot runs.

set -eu
. "$(dirname "$0")/tap.sh"
ctl=$build/tools/kgr-ctl
host=$top/tools/kgr-ctl/host
[ -x "$ctl" ] || skip_all "kgr-ctl was not built"

export KGR_SYSFS_ROOT=$work/sys KGR_PROC_ROOT=$work/proc KGR_STORE_ROOT=$work/store
mkdir -p "$work/sys/kernel/kgraft" "$work/proc/sys/kernel/random"
echo 6.12.0 >"$work/proc/sys/kernel/osrelease"
echo 11111111-1111-4111-8111-111111111111 >"$work/proc/sys/kernel/random/boot_id"

# patch FILE NAME SRCVERSION - a patch module as far as the store looks at it
patch()
{
	"${CC:-cc}" -DIS_KGRAFT -DNAME="\"$2\"" -DSRCVERSION="\"$3\"" -c -o "$work/$1" \
		"$top/tools/kgr-ctl/tests/module.c"
}

# Which file is installed? The index has one patch, or there is none.
installed()	# STORE
{
	local dir=$1/6.12.0 name file rest

	if [ ! -e "$dir/index" ]; then
		echo none
		return
	fi
	expect end "$(tail -n 1 "$dir/index")" 'last line of the index' || return
	expect 2 "$(wc -l <"$dir/index")" 'lines of the index' || return
	read -r name file rest <"$dir/index"
	expect 'kgr_good ' "$name $rest" 'first line of the index' || return
	for rest in a b; do
		if cmp -s "$dir/$file" "$work/$rest.ko"; then
			echo "$rest"
			return
		fi
	done
	echo "neither a nor b: $file"
	return 1
}

# only DIR FILES - nothing is left over
only()
{
	expect "$2" "$(find "$1/6.12.0" -mindepth 1 | wc -l)" "files in $1"
}

# from BEFORE COMMAND... - a state of the store, made in peace
to_state()
{
	case $1 in
	none) "$ctl" uninstall kgr_good >/dev/null 2>&1 || [ $? = 8 ] ;;
	*) "$ctl" install "$work/$1.ko" >/dev/null ;;
	esac
}

# killed OLD NEW - the way from one to the other, killed at some moment
killed()
{
	local pid rc=0 found

	to_state "$1"
	if [ "$2" = none ]; then
		"$ctl" uninstall kgr_good >/dev/null 2>&1 &
	else
		"$ctl" install "$work/$2.ko" >/dev/null 2>&1 &
	fi
	pid=$!
	sleep "$(awk -v r="$RANDOM" -v t="$usual" 'BEGIN { printf "%.4f", r / 32768 * t * 1.1 }')"
	kill -KILL "$pid" 2>/dev/null || :
	wait "$pid" 2>/dev/null || rc=$?
	found=$(installed "$KGR_STORE_ROOT") || { echo "$1 to $2, exit code $rc: $found"; return 1; }
	case $rc in
	0) expect "$2" "$found" "$1 to $2, done: the state" ;;
	137) [ "$found" = "$1" ] || [ "$found" = "$2" ] ||
		{ echo "$1 to $2, killed: the state is $found"; return 1; }
		died=$((died + 1)) ;;
	*) echo "$1 to $2: exit code $rc"; return 1 ;;
	esac
}

case_killed()
{
	local died=0 usual before round

	# large, so that there is time to be killed in
	for round in a b; do
		head -c 8000000 /dev/urandom >>"$work/$round.ko"
	done
	before=$(date +%s%N)
	to_state a
	usual=$(awk -v ns=$(($(date +%s%N) - before)) 'BEGIN { print ns / 1e9 }')
	echo "an install takes $usual s"
	for round in $(seq 15); do
		killed a b
		killed b a
		killed none a
		killed a none
	done
	echo "$died of 60 were killed"
	[ "$died" -ge 10 ]
	to_state b
	expect b "$(installed "$KGR_STORE_ROOT")" state
	only "$KGR_STORE_ROOT" 2
}

# Several at a time: each one succeeds, and what is there is one of them
case_two_at_once()
{
	local pids=() pid

	for _ in 1 2 3 4; do
		"$ctl" install "$work/a.ko" >/dev/null &
		pids+=($!)
		"$ctl" install "$work/b.ko" >/dev/null &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do
		wait "$pid"
	done
	installed "$KGR_STORE_ROOT"
	only "$KGR_STORE_ROOT" 2
}

# With N pages left on the disk, for each N until there is room
case_full_disk()
{
	local KGR_STORE_ROOT=$work/disk/store pages rc done=

	patch a.ko kgr_good AAAAAAAAAAAAAAAAAAAAAAA
	patch b.ko kgr_good BBBBBBBBBBBBBBBBBBBBBBB
	head -c 20000 /dev/urandom >>"$work/a.ko"
	head -c 20000 /dev/urandom >>"$work/b.ko"
	export KGR_STORE_ROOT
	for pages in $(seq 0 16); do
		rm -rf "$work/disk/store"
		"$ctl" install "$work/a.ko" >/dev/null
		dd if=/dev/zero of="$work/disk/filler" bs=4096 2>/dev/null || :
		[ "$pages" = 0 ] || truncate -s "-$((pages * 4096))" "$work/disk/filler"
		rc=0
		"$ctl" install "$work/b.ko" >"$work/out" 2>&1 || rc=$?
		if [ "$rc" = 0 ]; then
			done=$pages
			expect b "$(installed "$KGR_STORE_ROOT")" "state, $pages pages left"
		else
			cat "$work/out"
			expect 1 "$rc" 'exit code'
			says 'No space left on device'
			says 'make room on the file system'
			expect a "$(installed "$KGR_STORE_ROOT")" "state, $pages pages left"
			# what can be done about it needs no room
			"$ctl" uninstall kgr_good
			expect none "$(installed "$KGR_STORE_ROOT")" 'state after uninstall'
		fi
		only "$KGR_STORE_ROOT" $((rc == 0 ? 2 : 0))
		rm "$work/disk/filler"
	done
	[ "$done" = 16 ]
}

# As the root file system in an initramfs is: what is untried has to wait for the boot
case_read_only()
{
	local KGR_STORE_ROOT=$work/disk/store

	export KGR_STORE_ROOT
	to_state none
	"$ctl" install --initramfs "$work/a.ko"
	mount -o remount,ro "$work/disk"
	expect_rc 0 "$ctl" autoload --initramfs
	says 'kgr_good: left-to-boot'
	expect_rc 1 "$ctl" autoload
	says "kgr_good: failed: can't record what is being tried: Read-only file system"
	expect_rc 1 "$ctl" install "$work/b.ko"
	says 'Read-only file system'
	expect_rc 0 "$ctl" status
	says 'untried'
}

# A limit stands for a disk where no file system can be mounted: SIGXFSZ kills
case_file_size_limit()
{
	local blocks

	for blocks in 0 1 8 16; do
		to_state a
		(ulimit -c 0; ulimit -f "$blocks"; "$ctl" install "$work/b.ko") && return 1
		expect a "$(installed "$KGR_STORE_ROOT")" "state, limit of $blocks blocks"
	done
	to_state b
	only "$KGR_STORE_ROOT" 2
}

case_installed_files()
{
	local f

	for f in lib/systemd/system/kgraft.service lib/systemd/system/kgraft-confirm.path \
		lib/systemd/system/kgraft-confirm.service lib/systemd/system/kgraft-shutdown.service; do
		[ -f "$work/usr/$f" ]
		if grep @ "$work/usr/$f" | grep -v 'SystemCallFilter='; then
			return 1
		fi
	done
	for f in sbin/kgr-ctl share/initramfs-tools/hooks/kgraft \
		share/initramfs-tools/scripts/init-bottom/kgraft \
		lib/dracut/modules.d/90kgraft/module-setup.sh; do
		[ -x "$work/usr/$f" ]
	done
}

case_units()
{
	SYSTEMD_LOG_LEVEL=warning systemd-analyze verify --man=no "$work"/usr/lib/systemd/system/kgraft* \
		>"$work/out" 2>&1 || { cat "$work/out"; return 1; }
	expect '' "$(cat "$work/out")" 'complaints of systemd-analyze'
}

# The hook of mkinitramfs, with functions that say what they are asked
case_initramfs_tools()
{
	local hook=$work/hook

	sed "s|/usr/share/initramfs-tools/hook-functions|$work/hook-functions|
		s|/var/lib/kgraft|$KGR_STORE_ROOT|" "$host/initramfs-tools/hooks/kgraft" >"$hook"
	# shellcheck disable=SC2016
	echo 'copy_exec() { echo "copied $1 to $2"; }' >"$work/hook-functions"
	expect '' "$(sh "$hook" prereqs)" prereqs
	to_state none
	to_state a
	expect '' "$(PATH=$work/usr/sbin:$PATH version=6.12.0 sh "$hook")" 'no patch is marked'
	"$ctl" install --initramfs "$work/a.ko"
	expect "copied $work/usr/sbin/kgr-ctl to /usr/sbin/kgr-ctl" \
		"$(PATH=$work/usr/sbin:$PATH version=6.12.0 sh "$hook")" 'a patch is marked'
	expect '' "$(PATH=$work/usr/sbin:$PATH version=6.12.1 sh "$hook")" 'not for this kernel'
}

# What the initramfs runs: the root's store is the one, and the boot goes on
# In an initramfs, in the place of kgr-ctl: says how it was called, and fails
# shellcheck disable=SC2016
printf '#!/bin/sh\necho "$KGR_STORE_ROOT $*"\nexit 1\n' >"$work/stand-in"
chmod +x "$work/stand-in"

case_init_bottom()
{
	local script=$work/init-bottom

	mkdir -p "$work/root/var/lib/kgraft"
	sed "s|/usr/sbin/kgr-ctl|$work/stand-in|" \
		"$host/initramfs-tools/scripts/init-bottom/kgraft" >"$script"
	expect '' "$(sh "$script" prereqs)" prereqs
	expect "$work/root/var/lib/kgraft autoload --initramfs --timeout 10" \
		"$(rootmnt=$work/root sh "$script")" 'the call'
	expect '' "$(rootmnt=$work/nowhere sh "$script")" 'nothing mounted there'
}

case_dracut()
{
	local moddir=$host/dracut/90kgraft dracut=$work/dracut rc=0

	sed "s|/var/lib/kgraft|$KGR_STORE_ROOT|" "$moddir/module-setup.sh" >"$dracut"
	require_binaries() { command -v "$1" >/dev/null; }
	inst_multiple() { echo "binaries: $*"; }
	inst_hook() { echo "hook: $1 $2 $3"; }
	# shellcheck disable=SC1090
	. "$dracut"
	PATH=$work/usr/sbin:$PATH
	to_state none
	to_state a
	# shellcheck disable=SC2034
	kernel=6.12.0
	check || rc=$?
	expect 255 "$rc" 'no patch is marked'
	"$ctl" install --initramfs "$work/a.ko"
	check
	expect "$(printf 'binaries: kgr-ctl\nhook: pre-pivot 50 %s/kgraft.sh' "$moddir")" \
		"$(install)" 'what is installed'
	mkdir -p "$work/bin"
	cp "$work/stand-in" "$work/bin/kgr-ctl"
	# dracut sources it, and a hook that ends the shell would end the boot
	expect "$(printf '%s/root/var/lib/kgraft autoload --initramfs --timeout 10\ngoes on' "$work")" \
		"$(PATH=$work/bin:$PATH NEWROOT=$work/root sh -ec \
			". $moddir/kgraft.sh; echo goes on" 2>&1)" 'the call'
}

patch a.ko kgr_good AAAAAAAAAAAAAAAAAAAAAAA
patch b.ko kgr_good BBBBBBBBBBBBBBBBBBBBBBB
check 'installs and uninstalls that are killed leave the old state or the new' case_killed
check 'two at a time wait for one another' case_two_at_once
mkdir "$work/disk"
if mount -t tmpfs -o size=128k tmpfs "$work/disk" 2>/dev/null; then
	check 'a full disk leaves the old state' case_full_disk
	check 'what can not be recorded is not loaded' case_read_only
	umount "$work/disk"
else
	for name in 'a full disk leaves the old state' 'what can not be recorded is not loaded'; do
		skip "$name" 'no file system can be mounted here'
	done
fi
check 'a limit on the size of files leaves the old state' case_file_size_limit
make -C "$top/tools/kgr-ctl" O="$build/tools" prefix="$work/usr" install >"$work/out" 2>&1 || cat "$work/out"
check 'all files for the boot are installed' case_installed_files
if [ -n "$(command -v systemd-analyze)" ]; then
	check 'systemd takes the units' case_units
else
	skip 'systemd takes the units' 'systemd-analyze is not installed'
fi
check 'hook for initramfs-tools' case_initramfs_tools
check 'script in the initramfs' case_init_bottom
check 'module for dracut' case_dracut
tap_done
