# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What examples.sh and refusals.sh share, in a guest.
#
# MANUAL: the directory with the patch modules and the program eventfd of the
# demonstration; what is recorded goes into its directory "record".

kgraft=/sys/kernel/kgraft
record=$MANUAL/record
boot=0

# wrong WHAT... - the record is of no use; what is said here is shown
wrong()
{
	echo "$*" >>"$record/wrong"
}

# sleeper - a thread asleep in eventfd_read(), and until when: $pid
sleeper()
{
	rm -f /tmp/event
	mkfifo /tmp/event
	"$MANUAL/worker" sleeper /tmp/log /tmp/event &
	pid=$!
	until grep -qw eventfd_read "/proc/$pid/stack"; do sleep 0.05; done
}

# Give the last one what it waits for; it ends
release()
{
	kill "$pid" 2>/dev/null
	wait "$pid" 2>/dev/null
}

# Wait until the transition of PATCH has one context left
one_left()
{
	until [ $(($(cat "$kgraft/$1/total") - $(cat "$kgraft/$1/migrated"))) = 1 ]; do sleep 0.1; done
}

# Whether sleepers are nudged after a second, as they are by default
nudging()	# on|off
{
	case $1 in
	on) echo 1000 ;;
	off) echo 0 ;;
	esac >$kgraft/nudge_delay_ms
}

# other FILE TEXT - from now on a file of /proc says something else
other()
{
	local copy

	mkdir -p /tmp/proc
	copy=$(mktemp -p /tmp/proc)
	echo "$2" >"$copy"
	umount "$1" 2>/dev/null
	mount --bind "$copy" "$1"
}

# The machine goes down and comes up again: nothing is patched, the boot has another id
next_boot()	# PATCH... - what is applied, the last one first
{
	local patch

	for patch; do
		kgr-ctl unload --quiet --revert "$patch" || wrong "next_boot: $patch stays"
	done
	boot=$((boot + 1))
	other /proc/sys/kernel/random/boot_id "$(printf '%08x-1111-4222-8333-444444444444' $boot)"
}
