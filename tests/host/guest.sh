# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154
#
# A Debian guest for tests/host.t: its power switch, and what is typed in it. Sourced
# after scripts/lib.sh and scripts/vm.sh; $work is the caller's directory, $host that of
# scripts/host-image.
#
# guest_on, guest_off and guest_cut are for the main shell: the guest is its child.

guest_disk=$work/disk
guest_media=$work/media
guest_boot=$host/boot
guest_console=
guest_pid=
# seconds for a boot, a command and a shutdown, on a slow host that has other work
guest_limit=${KGR_HOST_TIMEOUT:-900}

# guest_disks DIRECTORY: a fresh disk, and one with what is in DIRECTORY
guest_disks()
{
	qemu-img create -q -f qcow2 -b "$host/disk.img" -F raw "$guest_disk"
	mke2fs -q -t ext4 -O ^has_journal -d "$1" "$guest_media" 64M
}

guest_running()
{
	[ -n "$guest_pid" ] && kill -0 "$guest_pid" 2>/dev/null
}

# guest_hear LIMIT BEGINNING: print what the guest says until a line begins so; that
# one is left in guest_line
guest_hear()
{
	local end=$((SECONDS + $1)) part

	guest_line=
	while :; do
		# a read that times out has got what there was
		if ! IFS= read -r -t 2 -u 6 part; then
			guest_line+=$part
			if ! guest_running; then
				echo "the guest is not there any more; its console: $guest_console"
				cat "$work/qemu"
				return 1
			elif [ $SECONDS -ge $end ]; then
				echo "the guest has not answered for $1 s"
				return 1
			fi
			continue
		fi
		guest_line+=$part
		[[ $guest_line != "$2"* ]] || return 0
		printf '%s\n' "$guest_line"
		guest_line=
	done
}

# guest_on RELEASE [APPEND]: boot, and wait until it takes commands
guest_on()
{
	local said=$work/said

	guest_console=$(vm_console host)
	rm -f "$said".*
	mkfifo "$said.in" "$said.out"
	vm_machine "$(vm_accelerator vm)" 2
	# shellcheck disable=SC2054 # the commas are QEMU's
	vm_machine+=(
		-m 768 -kernel "$guest_boot/vmlinuz-$1" -initrd "$guest_boot/initrd.img-$1"
		-append "$vm_append root=/dev/vda ro systemd.show_status=0 ${2-}"
		-drive "file=$guest_disk,if=none,id=disk,format=qcow2,cache=writeback"
		-device virtio-blk-pci,drive=disk
		-drive "file=$guest_media,if=none,id=media,format=raw,readonly=on"
		-device virtio-blk-pci,drive=media
		-netdev user,id=lan,restrict=on -device virtio-net-pci,netdev=lan
		-chardev "file,id=console,path=$guest_console" -serial chardev:console
		-chardev "pipe,id=command,path=$said" -serial chardev:command
	)
	qemu-system-x86_64 "${vm_machine[@]}" </dev/null >"$work/qemu" 2>&1 &
	guest_pid=$!
	exec 5<>"$said.in" 6<>"$said.out"
	guest_hear "$guest_limit" 'agent: ready' || { tail -n 30 "$guest_console"; return 1; }
}

# guest_begin SCRIPT: have it run, and don't wait; sets guest_number
guest_begin()
{
	guest_number=${EPOCHREALTIME//[!0-9]/}
	printf '%s %s\n' "$guest_number" "$(base64 -w 0 <<<"$1")" >&5
}

# guest SCRIPT: run it as root; its output and exit status
guest()
{
	guest_running || { echo "no guest is running"; return 125; }
	guest_begin "$1"
	guest_hear "$guest_limit" "agent: $guest_number " || return 125
	return "${guest_line##* }"
}

# guest_off [COMMAND]: by a shutdown, or whatever else ends it
guest_off()
{
	local end=$((SECONDS + guest_limit)) rc=0

	guest_running || { echo "the guest is off already; its console: $guest_console"; return 1; }
	guest_begin "${1:-systemctl poweroff}"
	while guest_running; do
		if [ $SECONDS -ge $end ]; then
			echo "the guest does not end"
			guest_cut
			return 1
		fi
		sleep 0.2
	done
	wait "$guest_pid" || rc=$?
	guest_pid=
	[ $rc = 0 ] || { echo "QEMU: exit status $rc"; cat "$work/qemu"; return 1; }
}

# guest_cut: the power is off
guest_cut()
{
	[ -n "$guest_pid" ] || return 0
	kill -KILL "$guest_pid" 2>/dev/null || :
	wait "$guest_pid" 2>/dev/null || :
	guest_pid=
}

# guest_no_splat [END]: nothing on the console that should not be there, up to a line
# with END in it
guest_no_splat()
{
	local splat

	sed "/${1:-no such line}/q" "$guest_console" >"$work/console"
	splat=$(vm_splats "$work/console")
	[ -z "$splat" ] || { printf '%s\nconsole: %s\n' "$splat" "$guest_console"; return 1; }
}

# guest_take RELEASE DIRECTORY: fetch kernel and initramfs from the disk, for guest_boot;
# the guest is off
guest_take()
{
	local file

	mkdir -p "$2"
	qemu-img convert -O raw "$guest_disk" "$work/raw"
	for file in vmlinuz-$1 initrd.img-$1; do
		debugfs -R "dump /boot/$file $2/$file" "$work/raw"
		[ -s "$2/$file" ]
	done
	rm "$work/raw"
}
