# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154
#
# The part of guest.sh that lasts longer than a boot: what is installed, and what the guard
# makes of crashes. A boot is another id of it, with nothing patched. Sourced by guest.sh.

# other FILE TEXT - from now on a file of /proc says something else
other()
{
	local copy

	copy=$(mktemp -p /tmp/host)
	echo "$2" > "$copy"
	umount "$1" 2> /dev/null
	mount --bind "$copy" "$1"
}

# The machine goes down and comes up again: nothing is patched, the boot has another id
next_boot()
{
	local patch

	# the one that was applied last goes first
	for patch in kgr_test_sleep kgr_test_pairs; do
		[ ! -d $kgraft/$patch ] || ctl 0 unload --revert $patch
	done
	boot=$((boot + 1))
	other /proc/sys/kernel/random/boot_id "$(printf '%08x-1111-4222-8333-444444444444' $boot)"
}

new_store()
{
	boot=0
	mkdir -p /tmp/host
	export KGR_STORE_ROOT=/tmp/host/store
	next_boot
}

end_store()
{
	next_boot
	umount /proc/sys/kernel/random/boot_id
	unset KGR_STORE_ROOT
	rm -rf /tmp/host
}

survives_a_boot()
{
	new_store
	ctl 0 autoload
	says "nothing is installed for $(uname -r)"
	ctl 0 install "$modules/kgr_test_pairs.ko"
	says "kgr_test_pairs: installed for $(uname -r)"
	ctl 0 install "$modules/kgr_test_pairs.ko"
	says already-installed
	grep -q 'first=1' $dir/version || complain "install has changed the kernel"
	ctl 0 autoload
	says "kgr_test_pairs: applied"
	grep -q 'first=2' $dir/version || complain "the patch has no effect"
	ctl 0 autoload
	says already-applied
	ctl 0 autoload --shutdown
	next_boot
	grep -q 'first=1' $dir/version || complain "the patch is still there"
	ctl 0 autoload
	grep -q 'first=2' $dir/version || complain "the patch has no effect after a boot"
	ctl 0 uninstall --revert kgr_test_pairs
	says "reverted and unloaded"
	grep -q 'first=1' $dir/version || complain "the revert has no effect"
	ctl 0 autoload
	says "nothing is installed"
	end_store
}

crash_is_held_back()
{
	new_store
	ctl 0 install "$modules/kgr_test_pairs.ko"
	ctl 0 autoload
	next_boot
	ctl 1 autoload
	says "kgr_test_pairs: held-back: the machine went down soon after kgr_test_pairs was loaded"
	says "kgr-ctl autoload --retry kgr_test_pairs"
	grep -q 'first=1' $dir/version || complain "it was applied all the same"
	ctl 0 status
	says "autoload: 1 patch, 1 held back"
	ctl 0 autoload --retry kgr_test_pairs
	grep -q 'first=2' $dir/version || complain "the patch has no effect"
	# it is tried until the time has passed
	ctl 6 autoload --confirm --timeout 0.1
	ctl 0 mode --guard 1
	ctl 0 autoload --confirm
	says "kgr_test_pairs: good"
	next_boot
	ctl 0 autoload
	says "kgr_test_pairs: applied"
	# loaded by hand is tried as well
	ctl 0 autoload --confirm
	next_boot
	ctl 0 load "$modules/kgr_test_pairs.ko"
	next_boot
	ctl 1 autoload
	says held-back
	end_store
}

modes()
{
	new_store
	ctl 0 install "$modules/kgr_test_pairs.ko"
	ctl 0 mode no-apply
	ctl 0 autoload
	says "nothing was loaded: this host's mode is 'no-apply'"
	ctl 0 load "$modules/kgr_test_pairs.ko"
	ctl 0 mode stop
	ctl 0 revert kgr_test_pairs
	ctl 7 enable kgr_test_pairs
	ctl 0 unload kgr_test_pairs
	ctl 7 load "$modules/kgr_test_pairs.ko"
	says "this host's mode is 'stop'"
	ctl 0 mode normal
	other /proc/cmdline "quiet kgraft=off"
	ctl 0 autoload
	says "kgraft=off is on the kernel's command line"
	umount /proc/cmdline
	grep -q 'first=1' $dir/version || complain "it was applied all the same"
	end_store
}

# One patch does not fit, one takes its time; the others get theirs
some_fail()
{
	new_store
	ctl 0 install "$modules/kgr_test_build_id.ko"
	says "another build of that kernel"
	ctl 0 install "$modules/kgr_test_pairs.ko"
	ctl 1 autoload
	says "kgr_test_build_id: failed: kgr_test_build_id was made for another kernel"
	says "kgr_test_pairs: applied"
	says "1 of 2 applied, 0 on the way, 0 held back, 1 failed"
	ctl 0 install "$modules/kgr_test_sleep.ko"
	sleeper 1
	ctl 1 autoload --timeout 4
	says "kgr_test_pairs: already-applied"
	says "kgr_test_sleep: applying: patch 'kgr_test_sleep' is still applying"
	says "1 of 3 applied, 1 on the way, 0 held back, 1 failed"
	release
	ctl 0 wait --timeout 20
	ctl 0 status --json
	says '"held_back": 0'
	end_store
}
