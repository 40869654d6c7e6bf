#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The examples of kgr-ctl's man page: what is typed here, in a guest, and what is
# answered, is its section EXAMPLES. tests/kgr-ctl-manual.t compares, "make manual"
# writes it anew.
#
#	title TEXT	a paragraph above what follows
#	types LINE	typed at the prompt; has to succeed as a whole
# All else is what happens on the machine meanwhile.

set -u
# shellcheck source=tools/kgr-ctl/tests/manual/guest_lib.sh
. "$(dirname "$0")/guest_lib.sh"
page=$record/examples.rst

title()
{
	case $1 in
	*\? | *\?\ \(*\)) printf '%s\n\n::\n\n' "$1" ;;
	*) printf '%s::\n\n' "$1" ;;
	esac >>"$page"
}

# One or more lines; a blank line ends what belongs together
types()
{
	local line rc

	for line; do
		printf '    # %s\n' "$line" >>"$page"
		eval "$line" >/tmp/answer 2>&1 </dev/null
		rc=$?
		[ $rc = 0 ] || wrong "$line: exit status $rc: $(cat /tmp/answer)"
		sed 's/^/    /; s/ *$//' /tmp/answer >>"$page"
	done
	echo >>"$page"
}

: >"$page"
export COLUMNS=80
cd "$MANUAL" || exit

title 'Is this host fit for it? (Warnings are no reason to stop)'
types 'kgr-ctl doctor'

sleeper
title 'Does the patch fit, and who would hold it up? (Nothing is changed)'
types 'kgr-ctl preflight ./kgr-fix.ko'

title 'Apply it, and wait until every context runs the new code'
types 'kgr-ctl load ./kgr-fix.ko'
wait "$pid"
title 'Once more is no mistake'
types 'kgr-ctl load ./kgr-fix.ko'

title 'What is applied, and what does it do?'
types 'kgr-ctl list' 'kgr-ctl uname' 'kgr-ctl info kgr-fix'
title 'Is this host patched against it? (The exit code says so too)'
types 'kgr-ctl cve --is-patched CVE-2026-0001 && echo yes'
title 'Whose body of a function runs, and does the kernel agree?'
types 'kgr-ctl show eventfd_read' 'kgr-ctl verify kgr-fix'

title 'For scripts, each command prints one JSON document'
types 'kgr-ctl cve --json'

title 'Take it back, and apply it again'
types 'kgr-ctl revert kgr-fix'
sleeper
nudging off
title 'A thread sleeps in the function, and on this host none is nudged by itself (nudge_delay_ms is 0)'
types 'kgr-ctl enable kgr-fix --timeout 2 || echo "exit code $?"'
title 'A script asks whether a transition runs, a person how far it is'
types 'kgr-ctl check || echo "exit code $?"' 'kgr-ctl status'
title 'Who is left, why, and what helps?'
types 'kgr-ctl stragglers -v'
title 'Nudge that thread, and wait for the end'
types "kgr-ctl nudge $pid" 'kgr-ctl wait kgr-fix --timeout 10'
wait "$pid"

kgr-ctl revert --quiet kgr-fix
sleeper
kgr-ctl enable --quiet --no-wait kgr-fix
one_left kgr-fix
title 'Watch a transition; on a terminal it is drawn anew with each change'
{ sleep 2; kgr-ctl nudge --quiet; } &
types 'kgr-ctl watch kgr-fix'
wait
nudging on

title 'Before the next one: who else has its functions?'
types 'kgr-ctl conflicts ./kgr-fix-2.ko'
title 'A cumulative patch takes the place of all others, in one transition'
types 'kgr-ctl replace ./kgr-fix-2.ko' 'kgr-ctl list' 'kgr-ctl unload kgr-fix'
title 'Take it back and remove its module'
types 'kgr-ctl unload --revert kgr-fix-2'

next_boot
title 'Have it applied at each boot, and now'
types 'kgr-ctl install ./kgr-fix.ko' 'kgr-ctl autoload' 'kgr-ctl status'
next_boot kgr-fix
title 'The machine has crashed soon after; the next boot leaves the patch out'
types 'kgr-ctl autoload || echo "exit code $?"'
title 'Who comes later sees it too'
types 'kgr-ctl status' 'kgr-ctl doctor | grep -v ^ok'
title 'It was not the patch'
types 'kgr-ctl autoload --retry kgr_fix'
title 'What monitoring gets'
types 'kgr-ctl metrics | grep -Ev "^#|stragglers"'
title 'No patches at boot for a while'
types 'kgr-ctl mode no-apply' 'kgr-ctl mode normal'
title 'Not at boot any more, and out of the running kernel'
types 'kgr-ctl uninstall --revert kgr_fix'

# From here on the module stays until the guest ends
nudging off
sleeper
kgr-ctl load --quiet --no-wait ./kgr-fix.ko
one_left kgr-fix
echo 'kgr-selftest expects a forced transition' >/dev/kmsg
title 'The last resort, when a thread can neither be nudged nor ended'
types 'kgr-ctl force kgr-fix --yes-i-understand kgr-fix'
release

title 'Any command, in short'
types 'kgr-ctl help nudge'
