# SPDX-License-Identifier: GPL-2.0
#
# The kernel's side: files, modules, patches, stragglers, log, leaks. Answers are
# in REPLY.

# kgr_file PATH - contents, without the newline at the end
kgr_file()
{
	REPLY=
	{ IFS= read -r -d '' REPLY < "$1"; } 2>/dev/null
	REPLY=${REPLY%$'\n'}
}

# kgr_get FILE - of kGraft's directory
kgr_get()
{
	kgr_file "$KGR_SYSFS/$1"
}

# kgr_put TEXT PATH - write once; "ok" or the name of the error
kgr_put()
{
	kgr_ask put "$1" "$2"
}

# kgr_set_nudge MILLISECONDS - 0: nobody is nudged by itself
kgr_set_nudge()
{
	echo "$1" > "$KGR_SYSFS/nudge_delay_ms"
}

# kgr_config OPTION - is it set in the running kernel? Unknown counts as yes.
kgr_config()
{
	[ -r /proc/config.gz ] || return 0
	zcat /proc/config.gz | grep -q "^$1=[ym]"
}

# kgr_config_set OPTION - the same where unknown counts as no
kgr_config_set()
{
	[ -r /proc/config.gz ] && kgr_config "$1"
}

KGR_FORM=/sys/module/kgraft/parameters/redirect

# kgr_jumps - are entries of functions jumps? It depends on the boot parameter.
kgr_jumps()
{
	kgr_file "$KGR_FORM"
	[ "$REPLY" != handler ] || return 1
	[ "$REPLY" = jmp ] || ! kgr_config_set CONFIG_KGRAFT_DEBUG
}

# kgr_load NAME [PARAM=VALUE]... - "ok" or the name of the error
kgr_load()
{
	kgr_ask load "$KGR_MODULES/$1.ko" "${@:2}"
}

kgr_unload()
{
	kgr_ask unload "$1"
}

# kgr_wait NAME [SECONDS] - until its transition is over
kgr_wait()
{
	kgr_ask wait "$1" "${2:-$KGR_TIMEOUT}"
	[ "$REPLY" = ok ]
}

# kgr_finish NAME 0|1 - wait for the end of a transition and look at it
kgr_finish()
{
	local total

	kgr_wait "$1" || kgr_fail_list "$1: transition: $REPLY" || return
	kgr_get "$1/total"; total=$REPLY
	kgr_is "$1: enabled after its transition" "$2" kgr_get "$1/enabled" &&
		kgr_is "$1: migrated of total" "$total" kgr_get "$1/migrated"
}

# kgr_apply NAME [PARAM=VALUE]... - load it and see the transition through
kgr_apply()
{
	kgr_is "load $*" ok kgr_load "$@" || return
	kgr_finish "$1" 1
}

# kgr_set NAME 0|1 - apply again or revert, and see the transition through
kgr_set()
{
	kgr_is "$1: enabled=$2" ok kgr_put "$2" "$KGR_SYSFS/$1/enabled" || return
	kgr_finish "$1" "$2"
}

# kgr_remove NAME - revert, with nudges for everybody, and unload
kgr_remove()
{
	kgr_set_nudge "$KGR_NUDGE_MS"
	kgr_set "$1" 0 || return
	kgr_is "unload $1" ok kgr_unload "$1"
}

# kgr_cycles NAME COUNT [PAUSE_MS] - revert and apply again so many times
kgr_cycles()
{
	kgr_ask cycle "$1" "$2" "$KGR_TIMEOUT" ${3:+"$3"}
	[[ $REPLY != *result=ok ]] || return 0
	kgr_fail_list "cycles of $1: $REPLY"
}

# kgr_take_back - what a case has left applied. A patch that others stand on can't
# be reverted before those are: rounds, until one has nothing to revert any more.
kgr_take_back()
{
	local dir name modules left=1

	while [ "$left" -ne 0 ]; do
		left=0
		for dir in "$KGR_SYSFS"/*/; do
			[ -d "$dir" ] || continue
			name=${dir%/}; name=${name##*/}
			kgr_get "$name/enabled"
			[ "$REPLY" != 0 ] || continue
			kgr_put 0 "$KGR_SYSFS/$name/enabled"
			[ "$REPLY" = ok ] || continue
			kgr_wait "$name" && left=1
		done
	done
	mapfile -t modules < /proc/modules
	for name in "${modules[@]%% *}"; do
		[[ $name == kgr_test_* ]] || continue
		kgr_until 5 kgr_unloaded "$name" || kgr_fail "can't unload $name: $REPLY"
	done
}

kgr_unloaded()
{
	kgr_unload "$1"
	[ "$REPLY" = ok ] || [ "$REPLY" = ENOENT ]
}

# kgr_versions - of all functions, as the reader's system call sees them
kgr_versions()
{
	kgr_file "$KGR_TARGETS/version"
}

# kgr_version FUNCTION
kgr_version()
{
	kgr_versions
	kgr_word "$REPLY" "$1"
}

# kgr_stats CONTEXT PAIR NAME - one of the counts of what the pairs have seen
kgr_stats()
{
	kgr_file "$KGR_TARGETS/stats"
	kgr_line "$REPLY" "$1 $2 "
	kgr_word "$REPLY" "$3"
}

# kgr_show_stats - all of them, as far as there were calls
kgr_show_stats()
{
	local line

	kgr_file "$KGR_TARGETS/stats"
	while IFS= read -r line; do
		[[ $line == *calls=0* ]] || kgr_msg "$line"
	done <<< "$REPLY"
}

# kgr_state PATCH FUNCTION - number of a function's state
kgr_state()
{
	kgr_get "$1/state"
	kgr_line "$REPLY" "$2 "
	REPLY=${REPLY##* }
}

# Stragglers

kgr_stragglers()
{
	kgr_ask stragglers
}

# kgr_straggler TID - its line, empty when it is none
kgr_straggler()
{
	kgr_ask stragglers "$1"
	REPLY=${REPLY%$'\n'}
}

kgr_is_straggler()
{
	kgr_straggler "$1"
	[ -n "$REPLY" ]
}

kgr_only_straggler()
{
	kgr_ask only "$1"
	[ "$REPLY" = yes ]
}

# kgr_fail_list TEXT - fail, and show who is left
kgr_fail_list()
{
	kgr_stragglers
	kgr_fail "$1:" "${REPLY:-nobody is left}"
}

# kgr_others_migrate PID - wait until the transition waits for PID alone. Under
# universe others asleep in system calls have to be nudged.
kgr_others_migrate()
{
	kgr_ask others "$1" 20
	[ "$REPLY" = ok ] || kgr_fail_list "$1 is not the only one left"
}

# kgr_nudge [TID]
kgr_nudge()
{
	kgr_ask nudge "$@"
}

# kgr_pending PID [TID], kgr_migrated PID [TID] - by /proc
kgr_pending()
{
	kgr_file "/proc/$1/task/${2:-$1}/kgr_in_progress"
	[ "$REPLY" = 1 ]
}

kgr_migrated()
{
	kgr_file "/proc/$1/task/${2:-$1}/kgr_in_progress"
	[ "$REPLY" = 0 ]
}

# The kernel's log since the case began: kgr_logged REGEX - how many lines match
kgr_logged()
{
	kgr_ask said "$1"
}

# kgr_expect_warning TEXT - one warning of the kernel, with this in its message, is
# what the case is about
kgr_expect_warning()
{
	kgr_ask expect "$1"
	kgr_eq "expecting a warning" "$REPLY" ok
}

# kgr_log REGEX - those lines
kgr_log()
{
	kgr_ask lines "$1"
	REPLY=${REPLY%$'\n'}
}

# kgr_expect_kunit - the case runs tests of KUnit, and the kernel says so by a taint
kgr_expect_kunit()
{
	kgr_ask kunit
	kgr_eq "expecting KUnit" "$REPLY" ok
}

# kgr_expect_shortage - the case makes memory short, and vmalloc() says so
kgr_expect_shortage()
{
	kgr_ask shortage
	kgr_eq "expecting a shortage of memory" "$REPLY" ok
}

KGR_KMEMLEAK=/sys/kernel/debug/kmemleak

# kgr_mode FILE - permissions, octal
kgr_mode()
{
	REPLY=$(stat -c %a "$1")
}

# kgr_count REGEX FILE - how many lines match
kgr_count()
{
	REPLY=$(grep -cE -- "$1" "$2")
}

# kgr_cpus - how many CPUs are online
kgr_cpus()
{
	kgr_count '^processor' /proc/cpuinfo
}

# Forget what has leaked before us
kgr_leaks_begin()
{
	[ ! -w "$KGR_KMEMLEAK" ] || echo clear > "$KGR_KMEMLEAK" 2>/dev/null
}

# What has leaked since. An object has to be some seconds old before it counts,
# and the same in two scans: the first one only notes what it holds.
kgr_leaks()
{
	REPLY=
	[ -w "$KGR_KMEMLEAK" ] || return 0
	kgr_sleep_ms 5000
	echo scan > "$KGR_KMEMLEAK" 2>/dev/null || return 0
	echo scan > "$KGR_KMEMLEAK" 2>/dev/null
	kgr_file "$KGR_KMEMLEAK"
}
