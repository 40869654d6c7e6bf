#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The part of the demonstration that happens in the guest. See run.sh.

set -u
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=demo/story.sh
. "$here/story.sh"

module=$1		# the patch module
patch=$2		# the name of its patch
sys=/sys/kernel/kgraft
workers=8
trap 'kill $(jobs -p) 2>/dev/null' EXIT

PATH=$here:$PATH

# What read(2) of so many bytes returns
probe()
{
	local said

	said=$(eventfd probe "$1")
	printf '%s' "${said##*= }"
}

# What the sleeper's reads returned so far
results()
{
	sed 's/.*= //' "$1" | tr '\n' ' '
}

file_says()	# FILE TEXT: the whole file
{
	[ "$(cat "$1" 2>/dev/null)" = "$2" ]
}

sleeps_in()	# PID FUNCTION
{
	grep -qw "$2" "/proc/$1/stack"
}

splats()
{
	grep -v '^#' "$here/splats" >/tmp/splats
	dmesg | grep -E -f /tmp/splats
}

clean()
{
	! splats && [ "$(($(cat /proc/sys/kernel/tainted) & 512))" = 0 ]
}

step "A guest with Linux $(uname -r), untouched so far"
tell "Eight bytes are what an eventfd holds. Ask for sixteen:"
show eventfd probe 16
holds 'the kernel accepts the read of 16 bytes and returns 8' equal "$(probe 16)" 8
holds 'a read of 8 bytes works' equal "$(probe 8)" 8

step "Programs run: $workers busy threads, and two that sleep inside eventfd_read()"
eventfd workers "$workers" /tmp/workers &
mkfifo /tmp/fifo-a /tmp/fifo-b
eventfd sleeper /tmp/log-a /tmp/fifo-a &
a=$!
eventfd sleeper /tmp/log-b /tmp/fifo-b &
b=$!
holds "all $workers threads get their 16-byte reads accepted" \
	soon file_says /tmp/workers "accepted $workers refused 0"
holds "A (pid $a) sleeps in eventfd_read" soon sleeps_in $a eventfd_read
holds "B (pid $b) sleeps in eventfd_read" soon sleeps_in $b eventfd_read

step 'Load the patch; nobody is stopped'
tell 'Sleepers would be nudged after a second. For this story they are left alone:'
show "echo 0 >$sys/nudge_delay_ms"
show kgr-ctl load "$module" --timeout 3
holds 'it is applied, but not everybody has gone over (exit status 6)' equal "$status" 6

step 'Progress'
show kgr-ctl status
total=$(cat "$sys/$patch/total")
migrated=$(cat "$sys/$patch/migrated")
holds "$migrated of $total contexts have migrated: all but the two sleepers" \
	equal $((total - migrated)) 2
holds "every busy thread runs the fix already: all $workers get EINVAL" \
	soon file_says /tmp/workers "accepted 0 refused $workers"
holds 'so does a program that starts only now' equal "$(probe 16)" EINVAL
holds 'and a read of 8 bytes works as ever' equal "$(probe 8)" 8

step 'Who is left, why, and what helps'
show kgr-ctl stragglers
kgr-ctl stragglers >/tmp/stragglers
for pid in $a $b; do
	holds "$pid is listed: in-patched-function, eventfd_read" \
		grep -qE "\b$pid\b.*in-patched-function.*eventfd_read" /tmp/stragglers
	holds "$pid still has to go over, says /proc" equal "$(cat "/proc/$pid/kgr_in_progress")" 1
done
holds 'the remedy is named: nudge' grep -q "remedy:.*nudge" /tmp/stragglers

step 'A gets the event it waited for'
tell 'Its read began in the old code and must end there: 8 bytes, as always.' \
	'Then it has left the kernel, and its next read is refused.'
show 'echo event >/tmp/fifo-a'
wait $a
show cat /tmp/log-a
holds 'old code to the end, new code from then on' equal "$(results /tmp/log-a)" '8 EINVAL '
holds 'one context is left' soon sh -c "[ \$((\$(cat $sys/$patch/total) - \$(cat $sys/$patch/migrated))) = 1 ]"

step 'Nudge B'
tell 'No signal handler runs: its read leaves the kernel and restarts in the new code.'
holds 'B has seen nothing yet' equal "$(results /tmp/log-b)" ''
show kgr-ctl nudge $b
holds 'nudged' equal "$status" 0
wait $b
show cat /tmp/log-b
holds 'its read was restarted (no EINTR) and refused by the new code' equal "$(results /tmp/log-b)" 'EINVAL '

step 'Complete'
show kgr-ctl wait "$patch" --timeout 20
holds 'nobody is left' equal "$status" 0
show kgr-ctl list
holds 'no transition runs' equal "$(cat $sys/in_progress)" 0
show eventfd probe 16
holds 'the weakness is gone' equal "$(probe 16)" EINVAL

step 'Take it back'
show kgr-ctl revert "$patch"
holds 'reverted' equal "$status" 0
show eventfd probe 16
holds 'the weakness is back' equal "$(probe 16)" 8
holds "for every busy thread too" soon file_says /tmp/workers "accepted $workers refused 0"

step 'Unload'
show kgr-ctl unload "$patch"
holds 'unloaded' equal "$status" 0
holds 'nothing is left of it in /sys' test ! -e "$sys/$patch"
holds 'no module is left' sh -c '! grep -q kgr_ /proc/modules'

step 'What the kernel said'
show 'dmesg | grep kgraft:'
holds 'not one warning in its log' clean
