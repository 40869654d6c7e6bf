# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034
#
# A few lines of TAP for the *.t beside this file. A case is a function that
# returns 0 when it holds; it runs in a subshell with -e, its output is shown
# as diagnostics when it does not hold.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
build=${BUILD:-$top/build}

tap_count=0
tap_failed=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# check NAME FUNCTION [ARG...]
check()
{
	local name=$1 rc

	shift
	tap_count=$((tap_count + 1))
	set +e
	(set -e; "$@") >"$work/.tap" 2>&1
	rc=$?
	set -e
	if [ "$rc" = 0 ]; then
		echo "ok $tap_count - $name"
	else
		echo "not ok $tap_count - $name"
		sed 's/^/# /' "$work/.tap"
		tap_failed=1
	fi
}

# skip NAME WHY
skip()
{
	tap_count=$((tap_count + 1))
	echo "ok $tap_count - $1 # SKIP $2"
}

# skip_all WHY: nothing of this file can run here
skip_all()
{
	echo "1..0 # SKIP $*"
	exit 0
}

# need_guest: nothing of this file can run without the vm kernel and its selftests
need_guest()
{
	[ -f "$build/kernel-vm/arch/x86/boot/bzImage" ] && [ -d "$build/selftests-vm" ] ||
		skip_all "the vm kernel or its selftests were not built"
}

tap_done()
{
	echo "1..$tap_count"
	exit $tap_failed
}

# expect WANTED FOUND [WHAT]
expect()
{
	if [ "$1" != "$2" ]; then
		printf '%s: wanted "%s", found "%s"\n' "${3:-value}" "$1" "$2"
		return 1
	fi
}

# expect_rc RC COMMAND...: the command exits with RC; output in $work/out
expect_rc()
{
	local rc=0 wanted=$1

	shift
	"$@" >"$work/out" 2>&1 || rc=$?
	cat "$work/out"
	expect "$wanted" "$rc" "exit status of $1"
}

# says TEXT: the last expect_rc's command said so
says()
{
	grep -qF -- "$1" "$work/out" || { printf 'not said: %s\n' "$1"; return 1; }
}
