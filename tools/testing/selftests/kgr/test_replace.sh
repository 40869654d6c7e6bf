#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Patches that stand on one another, and cumulative ones that take the place of
# others. kgr_test_many1 to 5 are put together by parameters; unless told
# otherwise the functions of number N return 10 + N.

. "$(dirname "$0")/lib/kgr.sh"

OLD="inner=1 outer=1 first=1 second=1"

# versions WHAT INNER OUTER FIRST SECOND
versions()
{
	kgr_is "$1" "inner=$2 outer=$3 first=$4 second=$5" kgr_versions
}

# Three on one function: the newest counts, each but that has a reference and
# can't be reverted; taken down from the top, each gives back what was below.
case_stack()
{
	local n

	kgr_apply kgr_test_many1 funs=inner,outer || return
	kgr_apply kgr_test_many2 funs=inner,first || return
	kgr_apply kgr_test_many3 funs=inner || return
	versions "all three" 13 11 12 1
	kgr_is "refs of the lowest" 1 kgr_get kgr_test_many1/refs
	kgr_is "refs of the middle" 1 kgr_get kgr_test_many2/refs
	kgr_is "refs of the highest" 0 kgr_get kgr_test_many3/refs
	for n in 1 2; do
		kgr_is "revert $n" EBUSY kgr_put 0 $KGR_SYSFS/kgr_test_many$n/enabled
		kgr_is "revert $n" EBUSY kgr_put 1 $KGR_SYSFS/kgr_test_many$n/revert
	done
	kgr_remove kgr_test_many3
	versions "two" 12 11 12 1
	kgr_is "refs of the middle" 0 kgr_get kgr_test_many2/refs
	kgr_remove kgr_test_many2
	versions "one" 11 11 1 1
	kgr_remove kgr_test_many1
	kgr_is "none" "$OLD" kgr_versions
}
kgr_case case_stack "patches that stand on one another"

# Reverted and applied again it is the newest, whatever it was before.
case_again()
{
	kgr_apply kgr_test_many1 funs=inner,outer || return
	kgr_apply kgr_test_many2 funs=outer,first || return
	kgr_set kgr_test_many2 0 || return
	kgr_set kgr_test_many1 0 || return
	kgr_is "both reverted" "$OLD" kgr_versions
	kgr_set kgr_test_many2 1 || return
	kgr_set kgr_test_many1 1 || return
	versions "the other way round" 11 11 12 1
	kgr_is "refs" 1 kgr_get kgr_test_many2/refs
	kgr_is "revert the lower" EBUSY kgr_put 0 $KGR_SYSFS/kgr_test_many2/enabled
	kgr_set kgr_test_many1 0 || return
	kgr_set kgr_test_many2 0
}
kgr_case case_again "applied again after a revert"

# The new one lacks outer and second: those are the kernel's again.
case_replace()
{
	local n

	kgr_apply kgr_test_many1 funs=inner,outer || return
	kgr_apply kgr_test_many2 funs=inner,second || return
	kgr_apply kgr_test_many3 replace=1 funs=inner,first || return
	versions "replaced" 13 1 13 1
	kgr_is "replace_all" 1 kgr_get kgr_test_many3/replace_all
	for n in 1 2; do
		kgr_is "enabled $n" 0 kgr_get kgr_test_many$n/enabled
		kgr_is "refs of $n" 0 kgr_get kgr_test_many$n/refs
		kgr_is "state of $n" 4 kgr_state kgr_test_many$n kgr_test_inner
		kgr_is "unload $n" ok kgr_unload kgr_test_many$n
	done
	kgr_is "unload the one in use" EAGAIN kgr_unload kgr_test_many3
	grep -q 'kgr_test_inner' $KGR_TRACING/enabled_functions || kgr_fail "inner is not redirected"
	! grep -q 'kgr_test_outer\|kgr_test_second' $KGR_TRACING/enabled_functions ||
		kgr_fail "what was taken back is still redirected"
	kgr_remove kgr_test_many3
	kgr_is "none" "$OLD" kgr_versions
}
kgr_case case_replace "a cumulative patch takes functions back"

# A replaced patch is an ordinary reverted one: it can be applied on top.
case_replaced_again()
{
	kgr_apply kgr_test_many1 funs=inner,outer || return
	kgr_apply kgr_test_many2 replace=1 funs=first || return
	kgr_set kgr_test_many1 1 || return
	versions "both" 11 11 12 1
	kgr_set kgr_test_many2 0 || return
	kgr_set kgr_test_many2 1 || return
	versions "replaced again" 1 1 12 1
	kgr_is "enabled" 0 kgr_get kgr_test_many1/enabled
}
kgr_case case_replaced_again "a replaced patch is applied again, and replaced again"

# A reader sees either what the patches before have left or what the new one
# has, whatever is replaced or taken back. outer is taken back, inner and first are
# replaced by bodies that return 1 as well, so that each pair tells a mix.
no_mix()
{
	local i pid

	kgr_apply kgr_test_many1 model="$1" || return
	echo 0 > "$KGR_TARGETS/stats"
	kgr_spawn hammer "$KGR_DIR/hammer" -t "$KGR_THREADS"
	pid=$REPLY
	kgr_says hammer '^ready' || return
	kgr_spawn reader "$BASH" -c \
		'while :; do read -r l < "$0"; echo "$l"; done' "$KGR_TARGETS/version"
	echo 1 > "$KGR_TARGETS/softirq"
	echo 1 > "$KGR_TARGETS/kthread"
	kgr_apply kgr_test_many2 replace=1 funs=inner,first value=1 model="$1" || return
	for ((i = 0; i < KGR_REPS / 4; i++)); do
		kgr_set kgr_test_many2 0 && kgr_set kgr_test_many1 1 &&
			kgr_set kgr_test_many2 1 || return
	done
	echo 0 > "$KGR_TARGETS/softirq"
	echo 0 > "$KGR_TARGETS/kthread"
	kill "$pid"
	kgr_reap "$pid"
	kgr_file "$KGR_TARGETS/stats"; kgr_msg "$REPLY"
	kgr_is_num "old seen" -gt 0 kgr_stats task nested old
	kgr_is_num "new seen" -gt 0 kgr_stats task nested new
	kgr_is "task nested mixed" 0 kgr_stats task nested mixed
	kgr_is "softirq nested mixed" 0 kgr_stats softirq nested mixed
	kgr_is "softirq seq mixed" 0 kgr_stats softirq seq mixed
	kgr_is "kthread nested mixed" 0 kgr_stats kthread nested mixed
	[ "$1" -ne 0 ] || kgr_is "task seq mixed" 0 kgr_stats task seq mixed
	[ "$1" -ne 0 ] || kgr_is "lines of the reader" \
		"inner=1 outer=1 first=1 second=1
inner=11 outer=11 first=11 second=11" reader_lines
}

reader_lines()
{
	REPLY=$(sort -u "$KGR_TMP/reader.out" | grep 'second=')
}

case_no_mix_universe() { no_mix 0; }
case_no_mix_hybrid() { no_mix 1; }
kgr_case case_no_mix_universe "nobody sees a mix while patches are replaced: universe"
kgr_case case_no_mix_hybrid "nobody sees a mix while patches are replaced: hybrid"

# Held up by a sleeper in a function that is replaced, or only taken back: those
# who have migrated are in the new universe, the sleeper is not, no module can
# go. Reversed, everything is what it was; then it is done again, to the end.
reversed()
{
	local n pid

	kgr_apply kgr_test_many1 funs=sleep,first model="$1" || return
	kgr_apply kgr_test_many2 funs=second,first model="$1" || return
	kgr_sleeper sleeper 0 || return
	pid=$REPLY
	kgr_set_nudge 0
	kgr_is "load" ok kgr_load kgr_test_many3 replace=1 funs="$2" model="$1" || return
	kgr_until 5 kgr_is_straggler "$pid" || kgr_fail "no straggler"
	versions "migrated" 1 1 "$3" 1
	for n in 1 2; do
		kgr_is "enabled $n" 1 kgr_get kgr_test_many$n/enabled
		kgr_is "unload $n" EAGAIN kgr_unload kgr_test_many$n
		kgr_is "revert $n" EAGAIN kgr_put 0 $KGR_SYSFS/kgr_test_many$n/enabled
	done
	kgr_is "reverse" ok kgr_put 0 $KGR_SYSFS/kgr_test_many3/enabled
	kgr_set_nudge "$KGR_NUDGE_MS"
	kgr_finish kgr_test_many3 0 || return
	kgr_falls_asleep "$pid" S
	versions "given back" 1 1 12 12
	kgr_is "refs" 1 kgr_get kgr_test_many1/refs
	kgr_is "unload the new one" ok kgr_unload kgr_test_many3
	kgr_is "load" ok kgr_load kgr_test_many3 replace=1 funs="$2" model="$1" || return
	kgr_wake
	kgr_finish kgr_test_many3 1 || return
	kgr_ends "$pid"
	for n in 1 2; do
		kgr_is "unload $n" ok kgr_unload kgr_test_many$n
	done
	versions "replaced" 1 1 "$3" 1
}

case_reversed_universe() { reversed 0 first 13; }
case_reversed_hybrid() { reversed 1 first,sleep 13; }
case_reversed_immediate() { reversed 2 sleep 1; }
kgr_case case_reversed_universe "a replace is reversed: universe"
kgr_case case_reversed_hybrid "a replace is reversed: hybrid"
kgr_case case_reversed_immediate "a replace is reversed: immediate"

# Somebody asleep in the original of a function that is taken back has to leave
# it before the replace can be reversed.
case_original_held()
{
	local one two

	kgr_apply kgr_test_many1 funs=sleep,first model=1 || return
	kgr_sleeper one 0 || return
	one=$REPLY
	kgr_set_nudge 0
	kgr_is "load" ok kgr_load kgr_test_many2 replace=1 funs=first model=1 || return
	kgr_until 5 kgr_is_straggler "$one" || kgr_fail "no straggler"
	kgr_sleeper two 0 || return
	two=$REPLY
	kgr_is "reverse" ok kgr_put 0 $KGR_SYSFS/kgr_test_many2/enabled
	kgr_is_like "straggler" 'reason=in-patched-function .*function=kgr_test_sleep ' \
		kgr_straggler "$two"
	kgr_migrated "$one" || kgr_fail "who never moved has to move"
	kgr_wake
	kgr_set_nudge "$KGR_NUDGE_MS"
	kgr_finish kgr_test_many2 0
	kgr_ends "$one"
	kgr_ends "$two"
}
kgr_case case_original_held "a replace is reversed, an original is in use"

# A set of its own is left alone by those who replace another.
case_sets()
{
	kgr_apply kgr_test_many1 funs=inner || return
	kgr_apply kgr_test_many2 funs=outer set=net || return
	kgr_apply kgr_test_many3 funs=first set=net replace=1 || return
	versions "net is replaced" 11 1 13 1
	kgr_is "set" net kgr_get kgr_test_many3/replace_set
	kgr_is "no set" "" kgr_get kgr_test_many1/replace_set
	kgr_apply kgr_test_many4 funs=second replace=1 || return
	versions "the rest is replaced" 1 1 13 14
	kgr_is "enabled 1" 0 kgr_get kgr_test_many1/enabled
	kgr_is "enabled 3" 1 kgr_get kgr_test_many3/enabled
}
kgr_case case_sets "a set is replaced, the others are not"

# overlap WHAT PARAM=VALUE... - kgr_test_many2 is refused, and nothing is left
overlap()
{
	kgr_ask snapshot refuse
	kgr_is "$1" EBUSY kgr_load kgr_test_many2 "${@:2}"
	kgr_ask compare refuse
	[ -z "$REPLY" ] || kgr_fail "$1 left behind:" "$REPLY"
	kgr_is_num "$1: messages" -gt 0 kgr_logged \
		"patch 'kgr_test_many2': function '.*' of '.*' is patched by 'kgr_test_many1' of set 'net'"
}

# Of modules, too, whether they are there or not.
case_overlap()
{
	kgr_apply kgr_test_many1 funs=inner,value set=net || return
	overlap "without a set" funs=outer,inner
	overlap "in another set" funs=outer,inner set=fs
	overlap "replacing" funs=outer,inner set=fs replace=1
	overlap "in a module that is not there" funs=outer,value
	kgr_is "load the target" ok kgr_load kgr_test_target
	overlap "in a module that is there" funs=outer,value
	kgr_apply kgr_test_many2 funs=inner,other set=net || return
	versions "in the same set" 12 1 1 1
	kgr_remove kgr_test_many2
	kgr_set kgr_test_many1 0
	kgr_apply kgr_test_many2 funs=inner
	kgr_is "apply again" EBUSY kgr_put 1 $KGR_SYSFS/kgr_test_many1/enabled
}
kgr_case case_overlap "functions that are in two sets"

# refused WHAT PARAM=VALUE... - kgr_test_many2 does not know what is there
refused()
{
	kgr_ask snapshot refuse
	kgr_is "$1" EINVAL kgr_load kgr_test_many2 "${@:2}"
	kgr_ask compare refuse
	[ -z "$REPLY" ] || kgr_fail "$1 left behind:" "$REPLY"
	kgr_is_num "$1: messages" -gt 0 kgr_logged \
		"patch 'kgr_test_many2': .*the system state 1 .*patch 'kgr_test_many1'"
}

case_sysstates()
{
	kgr_apply kgr_test_many1 funs=inner states=1:2 || return
	refused "replacing, does not know it" replace=1 funs=inner
	refused "replacing, knows others" replace=1 funs=inner states=2:9
	refused "replacing, older" replace=1 funs=inner states=1:1
	refused "older" funs=first states=1:1
	kgr_apply kgr_test_many2 funs=first || return
	kgr_remove kgr_test_many2
	kgr_apply kgr_test_many2 replace=1 funs=inner states=2:1,1:2 callbacks=1 || return
	kgr_is "the version before, as its callback sees it" 1 \
		kgr_logged 'kgr_test_many2: finds version 2$'
	kgr_apply kgr_test_many3 replace=1 funs=inner states=1:3,2:1 || return
	kgr_is "enabled" 0 kgr_get kgr_test_many2/enabled
}
kgr_case case_sysstates "system states: what a patch has to know"

kgr_run
