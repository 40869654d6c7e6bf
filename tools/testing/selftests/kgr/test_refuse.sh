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
	kgr_snapshot "$KGR_TMP/refuse.before"
	kgr_eq "$1" "$(kgr_load kgr_test_bad kind="$1")" "$2"
	kgr_snapshot "$KGR_TMP/refuse.after"
	cmp -s "$KGR_TMP/refuse.before" "$KGR_TMP/refuse.after" ||
		kgr_fail "$1 left behind:" \
			"$(diff "$KGR_TMP/refuse.before" "$KGR_TMP/refuse.after")"
}

# said WHAT REGEX - the kernel has explained itself
said()
{
	dmesg_since | grep -qE -- "kgraft: .*$2" || kgr_fail "$1: no message that matches '$2'"
}

# The module is fine without a mistake, so that what follows is due to that.
case_control()
{
	kgr_eq "load" "$(kgr_load kgr_test_bad kind=none)" ok || return
	kgr_finish kgr_test_bad 1
	kgr_remove kgr_test_bad
	kgr_eq "misspelt kind" "$(kgr_load kgr_test_bad kind=nonsense)" ENOTTY
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
	local err

	err=$(kgr_load kgr_test_bad kind=data)
	case $err in
	EINVAL|ENOENT) ;;
	*) kgr_fail "data: $err" ;;
	esac
}
kgr_case case_data "a symbol that is no function"

# Wrong build-id: in the module's tag, before its init runs; in the structure.
case_build_id()
{
	kgr_eq "tag" "$(kgr_load kgr_test_build_id)" ENOEXEC
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
	local err

	err=$(kgr_load kgr_test_bad kind=twice)
	case $err in
	EINVAL|EBUSY) ;;
	*) kgr_fail "twice: $err" ;;
	esac
}
kgr_case case_twice "the same function twice in a patch"

case_unsupported()
{
	refuse object EOPNOTSUPP
	refuse replace_all EOPNOTSUPP
}
kgr_case case_unsupported "what is not supported yet"

# A name that would hide a file of kGraft's, or lead out of its directory
case_names()
{
	local kind err

	for kind in slash attribute; do
		err=$(kgr_load kgr_test_bad kind=$kind 2> /dev/null)
		case $err in
		EINVAL|EBUSY|EEXIST) ;;
		*) kgr_fail "$kind: $err" ;;
		esac
	done
}
kgr_case case_names "names that can't be directories"

case_name_in_use()
{
	kgr_apply kgr_test_pairs || return
	refuse dupname EBUSY
	kgr_eq "the one that was there" "$(kgr_get kgr_test_pairs/enabled)" 1
	kgr_eq "its version" "$(kgr_version outer)" 2
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
	echo 0 > $KGR_SYSFS/nudge_delay_ms
	kgr_eq "first" "$(kgr_load kgr_test_sleep)" ok || return
	kgr_eq "second" "$(kgr_load kgr_test_pairs)" EAGAIN
	said second kgr_test_sleep
	kgr_eq "second in sysfs" "$(ls -d $KGR_SYSFS/kgr_test_pairs 2> /dev/null)" ""
	kgr_eq "revert of another" "$(kgr_put 0 $KGR_SYSFS/kgr_test_check/enabled)" EAGAIN
	kgr_eq "revert of another" "$(kgr_put 1 $KGR_SYSFS/kgr_test_check/revert)" EAGAIN
	kgr_eq "the other one" "$(kgr_get kgr_test_check/enabled)" 1
	kgr_eq "in_progress" "$(kgr_get in_progress)" 1
	kgr_pending "$pid" || kgr_fail "the sleeper has migrated"
	kgr_wake
	kgr_nudge > /dev/null
	kgr_finish kgr_test_sleep 1
}
kgr_case case_second "a second transition while one runs"

# In use: in transition, applied, and while a revert is under way.
case_rmmod()
{
	kgr_sleeper sleeper 0
	echo 0 > $KGR_SYSFS/nudge_delay_ms
	kgr_eq "load" "$(kgr_load kgr_test_sleep)" ok || return
	kgr_eq "in transition" "$(kgr_unload kgr_test_sleep)" EAGAIN
	kgr_wake
	kgr_nudge > /dev/null
	kgr_finish kgr_test_sleep 1 || return
	kgr_eq "applied" "$(kgr_unload kgr_test_sleep)" EAGAIN
	kgr_sleeper sleeper2 0
	kgr_eq "revert" "$(kgr_put 0 $KGR_SYSFS/kgr_test_sleep/enabled)" ok
	kgr_eq "in the revert" "$(kgr_unload kgr_test_sleep)" EAGAIN
	kgr_eq "in_progress" "$(kgr_get in_progress)" 1
	kgr_wake
	kgr_nudge > /dev/null
	kgr_finish kgr_test_sleep 0 || return
	kgr_eq "reverted" "$(kgr_unload kgr_test_sleep)" ok
}
kgr_case case_rmmod "rmmod while in use"

# Rubbish is refused and changes nothing; what can't be written isn't.
case_rubbish()
{
	local p=$KGR_SYSFS/kgr_test_pairs text file

	kgr_apply kgr_test_pairs || return
	for text in 2 -1 x 1x "" "0 1" 99999999999999999999; do
		kgr_eq "enabled '$text'" "$(kgr_put "$text" $p/enabled)" \
			"$([ -n "$text" ] && echo EINVAL || echo ok)"
		kgr_eq "revert '$text'" "$(kgr_put "$text" $p/revert)" \
			"$([ -n "$text" ] && echo EINVAL || echo ok)"
	done
	kgr_eq "revert 0" "$(kgr_put 0 $p/revert)" EINVAL
	kgr_eq "nudge_delay_ms" "$(kgr_put x $KGR_SYSFS/nudge_delay_ms)" EINVAL
	kgr_eq "nudge_delay_ms" "$(kgr_put -1 $KGR_SYSFS/nudge_delay_ms)" EINVAL
	kgr_eq "force_load_module" "$(kgr_put x $KGR_SYSFS/force_load_module)" EINVAL
	kgr_eq "in_progress" "$(kgr_put 0 $KGR_SYSFS/in_progress)" EOPNOTSUPP
	for file in state refs replace_all model transition since migrated total cve build_id; do
		kgr_eq "mode of $file" "$(stat -c %a $p/$file)" 444
	done
	kgr_eq "mode of revert" "$(stat -c %a $p/revert)" 200
	kgr_eq "still applied" "$(cat $p/enabled)" 1
	kgr_eq "no transition" "$(cat $p/transition)" 0
}
kgr_case case_rubbish "rubbish written to sysfs"

# Without CAP_SYS_ADMIN nothing can be written, even by root, nor stragglers be
# listed or nudged.
case_unprivileged()
{
	local p=$KGR_SYSFS/kgr_test_pairs err

	kgr_apply kgr_test_pairs || return
	for file in $p/enabled $p/revert $KGR_SYSFS/in_progress $KGR_SYSFS/nudge_delay_ms; do
		err=$("$KGR_DIR/unprivileged" user "$KGR_DIR/kgr_put" "$file" 0)
		kgr_eq "user writes $file" "$err" EACCES
	done
	for file in $p/enabled $KGR_SYSFS/in_progress $KGR_SYSFS/nudge_delay_ms; do
		err=$("$KGR_DIR/unprivileged" nocap "$KGR_DIR/kgr_put" "$file" 0)
		kgr_eq "root without capabilities writes $file" "$err" EPERM
	done
	kgr_eq "list" "$("$KGR_DIR/unprivileged" user "$KGR_DIR/kgr_stragglers")" EPERM
	kgr_eq "nudge" "$("$KGR_DIR/unprivileged" user "$KGR_DIR/kgr_stragglers" --nudge)" EPERM
	kgr_eq "still applied" "$(cat $p/enabled)" 1
}
kgr_case case_unprivileged "writes without privilege"

# Without a transition there is nobody to list and nobody to nudge.
case_nothing()
{
	kgr_eq "list" "$(kgr_stragglers)" ""
	kgr_eq "nudge" "$(kgr_nudge)" EAGAIN
}
kgr_case case_nothing "nudging when no transition runs"

kgr_run
