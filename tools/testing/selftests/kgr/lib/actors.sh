# SPDX-License-Identifier: GPL-2.0
#
# Actors: background processes that a case needs, killed at its end.

KGR_PIDS=()

# kgr_spawn NAME COMMAND... - REPLY is its pid; its output goes to a file
kgr_spawn()
{
	local out=$KGR_TMP/$1.out

	shift
	: > "$out"
	"$@" > "$out" 2>&1 < /dev/null &
	REPLY=$!
	KGR_PIDS+=("$REPLY")
}

# kgr_output NAME - what it has printed
kgr_output()
{
	kgr_file "$KGR_TMP/$1.out"
}

# kgr_said NAME REGEX - has it printed this? A ^ stands for the begin of a line.
kgr_said()
{
	local line

	while IFS= read -r line; do
		[[ ! $line =~ $2 ]] || return 0
	done < "$KGR_TMP/$1.out"
	return 1
}

# kgr_says NAME REGEX - wait for it, or fail; leaves REPLY alone
kgr_says()
{
	local REPLY

	kgr_until 60 kgr_said "$1" "$2" && return
	kgr_output "$1"
	kgr_fail "$1 does not say '$2': $REPLY"
}

# kgr_said_word NAME WORD - the value of WORD=VALUE in its output
kgr_said_word()
{
	kgr_output "$1"
	kgr_word "$REPLY" "$2"
}

# kgr_asleep PID [STATES] - is its main thread in one of these (default S or D)?
kgr_asleep()
{
	kgr_task_asleep "$1" "$1" "${2:-SD}"
}

# kgr_task_asleep PID TID [STATES]
kgr_task_asleep()
{
	local stat

	{ read -r stat < "/proc/$1/task/$2/stat"; } 2>/dev/null || return 1
	stat=${stat##*) }
	[[ ${stat%% *} == ["${3:-SD}"] ]]
}

# kgr_falls_asleep PID [STATES] - wait for it, or fail
kgr_falls_asleep()
{
	local REPLY

	kgr_until 30 kgr_asleep "$@" || kgr_fail "process $1 is not in state ${2:-S or D}"
}

# kgr_sleeper NAME HOW - put a process to sleep inside kgr_test_sleep(), or,
# when HOW is "hold", uninterruptibly outside of any function that is patched
kgr_sleeper()
{
	if [ "$2" = hold ]; then
		kgr_spawn "$1" "$KGR_DIR/actor" hold
	else
		kgr_spawn "$1" "$KGR_DIR/actor" sleep "$2"
	fi
	kgr_says "$1" '^sleeping=' && kgr_falls_asleep "$REPLY"
}

kgr_wake()
{
	echo 1 > "$KGR_TARGETS/wake"
}

kgr_gone()
{
	! kill -0 "$1" 2>/dev/null
}

# kgr_reap PID - wait for an actor that is about to end; its status
kgr_reap()
{
	{ wait "$1"; } 2>/dev/null
}

# kgr_kill PID - with SIGKILL, and wait; bash has nothing to say about it
kgr_kill()
{
	{
		kill -KILL "$1"
		kgr_until 30 kgr_is_dead "$1"
		wait "$1"
	} 2>/dev/null
}

# An uninterruptible sleeper has to be woken to die
kgr_is_dead()
{
	[ -d "/proc/$1" ] || return 0
	! kgr_asleep "$1" Z || return 0
	kgr_wake
	return 1
}

# kgr_ends PID - wake a sleeper, again when a nudge has sent it back to sleep, until
# it has ended
kgr_ends()
{
	kgr_until 30 kgr_is_dead "$1" || kgr_fail "process $1 does not end"
	kgr_reap "$1"
}

kgr_kill_actors()
{
	local pid

	for pid in "${KGR_PIDS[@]}"; do
		kgr_kill "$pid"
	done
	KGR_PIDS=()
}
