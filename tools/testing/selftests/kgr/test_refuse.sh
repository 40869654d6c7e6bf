#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What must be refused is refused whole: with the right error, a line in the
# kernel log, and nothing left behind. The gate after each case compares modules,
# sysfs and ftrace with what was there before.

. "$(dirname "$0")/lib/kgr.sh"

# refuse KIND ERROR - load the bad module; look at once, before any teardown
refuse()
{
	kgr_ask snapshot refuse
	kgr_is "$1" "$2" kgr_load kgr_test_bad kind="$1"
	kgr_ask compare refuse
	[ -z "$REPLY" ] || kgr_fail "$1 left behind:" "$REPLY"
}

# said WHAT REGEX - the kernel has explained itself
said()
{
	kgr_is_num "$1: messages that match '$2'" -gt 0 kgr_logged "kgraft: .*$2"
}

# The module is fine without a mistake, so that what follows is due to that.
case_control()
{
	kgr_is "load" ok kgr_load kgr_test_bad kind=none || return
	kgr_finish kgr_test_bad 1
	kgr_remove kgr_test_bad
	kgr_is "misspelt kind" ENOTTY kgr_load kgr_test_bad kind=nonsense
}
kgr_case case_control "the module used here loads without a mistake"

case_missing()
{
	refuse missing ENOENT
	said missing kgr_test_no_such_function
}
kgr_case case_missing "a function that does not exist"

case_ambiguous()
{
	refuse ambiguous EINVAL
	said ambiguous kgr_test_dup
	refuse position EINVAL
}
kgr_case case_ambiguous "a name that is ambiguous, a position out of range"

case_notrace()
{
	refuse notrace EINVAL
	said notrace kgr_test_notrace
}
kgr_case case_notrace "a function that can't be patched"

case_data()
{
	kgr_is_like "data" '^(EINVAL|ENOENT)$' kgr_load kgr_test_bad kind=data
}
kgr_case case_data "a symbol that is no function"

# Wrong build-id: in the module's tag, before its init runs; in the structure.
case_build_id()
{
	kgr_is "tag" ENOEXEC kgr_load kgr_test_build_id
	said tag "build.id"
	refuse build_id ENOEXEC
	refuse build_id_rubbish ENOEXEC
	refuse size EINVAL
}
kgr_case case_build_id "a patch for another kernel"

case_struct()
{
	local kind

	for kind in nullfun noname noowner model empty null; do
		refuse $kind EINVAL
	done
}
kgr_case case_struct "structures that make no sense"

case_twice()
{
	kgr_is_like "twice" '^(EINVAL|EBUSY)$' kgr_load kgr_test_bad kind=twice
}
kgr_case case_twice "the same function twice in a patch"

# A name that would hide a file of kGraft's, or lead out of its directory
case_names()
{
	local kind

	for kind in slash attribute; do
		kgr_is_like "$kind" '^(EINVAL|EBUSY|EEXIST)$' kgr_load kgr_test_bad kind=$kind
	done
}
kgr_case case_names "names that can't be directories"

case_name_in_use()
{
	kgr_apply kgr_test_pairs || return
	refuse dupname EBUSY
	kgr_is "the one that was there" 1 kgr_get kgr_test_pairs/enabled
	kgr_is "its version" 2 kgr_version outer
	kgr_remove kgr_test_pairs
}
kgr_case case_name_in_use "a name that is in use"

# While a sleeper holds one transition up, nothing else can start, and what runs
# is not disturbed by the attempt.
case_second()
{
	local pid

	kgr_apply kgr_test_check || return
	kgr_sleeper sleeper 0
	pid=$REPLY
	kgr_set_nudge 0
	kgr_is "first" ok kgr_load kgr_test_sleep || return
	kgr_is "second" EAGAIN kgr_load kgr_test_pairs
	said second kgr_test_sleep
	[ ! -d $KGR_SYSFS/kgr_test_pairs ] || kgr_fail "the second is in sysfs"
	kgr_is "revert of another" EAGAIN kgr_put 0 $KGR_SYSFS/kgr_test_check/enabled
	kgr_is "revert of another" EAGAIN kgr_put 1 $KGR_SYSFS/kgr_test_check/revert
	kgr_is "the other one" 1 kgr_get kgr_test_check/enabled
	kgr_is "in_progress" 1 kgr_get in_progress
	kgr_pending "$pid" || kgr_fail "the sleeper has migrated"
	kgr_wake
	kgr_nudge
	kgr_finish kgr_test_sleep 1
}
kgr_case case_second "a second transition while one runs"

# In use: in transition, applied, and while a revert is under way.
case_rmmod()
{
	kgr_sleeper sleeper 0
	kgr_set_nudge 0
	kgr_is "load" ok kgr_load kgr_test_sleep || return
	kgr_is "in transition" EAGAIN kgr_unload kgr_test_sleep
	kgr_wake
	kgr_nudge
	kgr_finish kgr_test_sleep 1 || return
	kgr_is "applied" EAGAIN kgr_unload kgr_test_sleep
	kgr_sleeper sleeper2 0
	kgr_is "revert" ok kgr_put 0 $KGR_SYSFS/kgr_test_sleep/enabled
	kgr_is "in the revert" EAGAIN kgr_unload kgr_test_sleep
	kgr_is "in_progress" 1 kgr_get in_progress
	kgr_wake
	kgr_nudge
	kgr_finish kgr_test_sleep 0 || return
	kgr_is "reverted" ok kgr_unload kgr_test_sleep
}
kgr_case case_rmmod "rmmod while in use"

# Rubbish is refused and changes nothing; what can't be written isn't.
case_rubbish()
{
	local p=$KGR_SYSFS/kgr_test_pairs text file

	kgr_apply kgr_test_pairs || return
	for text in 2 -1 x 1x "0 1" 99999999999999999999; do
		kgr_is "enabled '$text'" EINVAL kgr_put "$text" $p/enabled
		kgr_is "revert '$text'" EINVAL kgr_put "$text" $p/revert
	done
	kgr_is "revert 0" EINVAL kgr_put 0 $p/revert
	kgr_is "nudge_delay_ms" EINVAL kgr_put x $KGR_SYSFS/nudge_delay_ms
	kgr_is "nudge_delay_ms" EINVAL kgr_put -1 $KGR_SYSFS/nudge_delay_ms
	kgr_is "force_load_module" EINVAL kgr_put x $KGR_SYSFS/force_load_module
	kgr_is "force without a transition" EAGAIN kgr_put 0 $KGR_SYSFS/in_progress
	for file in state refs replace_all model transition since migrated total cve build_id; do
		kgr_is "mode of $file" 444 kgr_mode $p/$file
	done
	kgr_is "mode of revert" 200 kgr_mode $p/revert
	kgr_is "still applied" 1 kgr_file $p/enabled
	kgr_is "no transition" 0 kgr_file $p/transition
}
kgr_case case_rubbish "rubbish written to sysfs"

# as WHO COMMAND... - an agent with less power
as()
{
	REPLY=$("$KGR_DIR/unprivileged" "$1" "$KGR_DIR/agent" "${@:2}")
}

# Without CAP_SYS_ADMIN nothing can be written, even by root, nor stragglers be
# listed or nudged.
case_unprivileged()
{
	local p=$KGR_SYSFS/kgr_test_pairs file

	kgr_apply kgr_test_pairs || return
	for file in $p/enabled $p/revert $KGR_SYSFS/in_progress $KGR_SYSFS/nudge_delay_ms; do
		kgr_is "user writes $file" EACCES as user put 0 "$file"
	done
	for file in $p/enabled $KGR_SYSFS/in_progress $KGR_SYSFS/nudge_delay_ms; do
		kgr_is "root without CAP_SYS_ADMIN writes $file" EPERM as nocap put 0 "$file"
	done
	kgr_is "list" EPERM as user stragglers
	kgr_is "nudge" EPERM as user nudge
	kgr_is "still applied" 1 kgr_file $p/enabled
}
kgr_case case_unprivileged "writes without privilege"

# Without a transition there is nobody to list and nobody to nudge.
case_nothing()
{
	kgr_is "list" "" kgr_stragglers
	kgr_is "nudge" EAGAIN kgr_nudge
}
kgr_case case_nothing "nudging when no transition runs"

kgr_run
