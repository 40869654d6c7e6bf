# SPDX-License-Identifier: GPL-2.0
#
# The gate after every case: what has the kernel complained about since the
# case began? A line of our own in the kernel log marks the place.

# Any of these is a failure; keep in step with splats[] in util.c.
DMESG_SPLATS='BUG:|WARNING:|Oops|general protection|KASAN:|KFENCE|UBSAN:|ODEBUG'
DMESG_SPLATS+='|possible (circular|recursive)|inconsistent lock|bad unlock balance'
DMESG_SPLATS+='|suspicious RCU|lockup|detected stall|scheduling while atomic'
DMESG_SPLATS+='|sleeping function called|corruption|refcount_t:|unreferenced object'
DMESG_SPLATS+='|Call Trace:|blocked for more than|Unable to handle|nobody cared'
DMESG_SPLATS+='|Kernel panic|illegal change of state'

# Bits that loading patch modules of our own sets: out-of-tree, unsigned, livepatch
DMESG_TAINT_EXPECTED=$(( (1 << 12) | (1 << 13) | (1 << 15) ))

DMESG_CANARY=
DMESG_TAINT=0
DMESG_COUNT=0

dmesg_taint()
{
	cat /proc/sys/kernel/tainted
}

# dmesg_mark WHAT - begin a stretch of the log
dmesg_mark()
{
	DMESG_COUNT=$((DMESG_COUNT + 1))
	DMESG_CANARY="kgr-selftest $$.$DMESG_COUNT begins: ${1//[^a-zA-Z0-9 _-]/_}"
	DMESG_TAINT=$(dmesg_taint)
	echo "$DMESG_CANARY" > /dev/kmsg
}

# The stretch since the mark; all that is left when a long case has pushed the
# mark out of the buffer
dmesg_since()
{
	local log

	log=$(dmesg)
	if grep -qF "$DMESG_CANARY" <<< "$log"; then
		sed "1,/${DMESG_CANARY//./\\.}/d" <<< "$log"
	else
		printf '%s\n' "$log"
	fi
}

# dmesg_wait REGEX [SECONDS] - until a line matches
dmesg_wait()
{
	local end=$((SECONDS + ${2:-5}))

	until dmesg_since | grep -qE -- "$1"; do
		[ "$SECONDS" -lt "$end" ] || return 1
		sleep 0.05
	done
}

# Prints what is wrong; fails when something is
dmesg_gate()
{
	local log bad taint

	log=$(dmesg_since)
	bad=$(grep -nE -A 30 -- "$DMESG_SPLATS" <<< "$log" | head -n 60)
	[ -z "$bad" ] || printf 'kernel log: %s\n' "$bad"
	taint=$(( $(dmesg_taint) & ~DMESG_TAINT & ~DMESG_TAINT_EXPECTED ))
	[ "$taint" -eq 0 ] || echo "kernel newly tainted: $taint"
	[ -z "$bad" ] && [ "$taint" -eq 0 ]
}

DMESG_KMEMLEAK=/sys/kernel/debug/kmemleak

# Forget what has leaked before us. Not there, or switched off: nothing to do.
kmemleak_begin()
{
	[ -w "$DMESG_KMEMLEAK" ] || return 0
	echo clear > "$DMESG_KMEMLEAK" 2>/dev/null || return 0
}

# Prints what has leaked since. An object has to be some seconds old before it
# counts, and a pointer in flight may hide from one scan: two must agree.
kmemleak_gate()
{
	local leaks

	[ -w "$DMESG_KMEMLEAK" ] || return 0
	sleep 5
	echo scan > "$DMESG_KMEMLEAK" 2>/dev/null || return 0
	leaks=$(cat "$DMESG_KMEMLEAK")
	[ -n "$leaks" ] || return 0
	echo scan > "$DMESG_KMEMLEAK" 2>/dev/null
	leaks=$(cat "$DMESG_KMEMLEAK")
	[ -n "$leaks" ] || return 0
	printf 'kmemleak: %s\n' "$(head -n 60 <<< "$leaks")"
	return 1
}
