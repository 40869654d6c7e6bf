#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The real series on the real kernel: git am and integrate give the same tree.
# The kernel's files come from where the built tree keeps its originals.

set -eu
. "$(dirname "$0")/tap.sh"

tree=$build/kernel-${KGR_CONFIG:-vm}
[ -d "$tree/.kgraft/orig" ] || skip_all "$tree is not there"
export GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null HOME=$work
export GIT_AUTHOR_NAME=t GIT_AUTHOR_EMAIL=t@localhost GIT_COMMITTER_NAME=t GIT_COMMITTER_EMAIL=t@localhost

pristine()	# DIR
{
	mkdir "$1"
	cp -a "$tree/.kgraft/orig/." "$tree/Makefile" "$tree/Kconfig" "$1/"
}

case_same()
{
	pristine "$work/am"
	git -C "$work/am" init -q
	git -C "$work/am" add -A -f
	git -C "$work/am" commit -qm base
	BUILD=$work/build "$top/scripts/make-series"
	git -C "$work/am" am "$work"/build/patch/*.patch
	pristine "$work/integrated"
	"$top/scripts/integrate" "$work/integrated"
	diff -r -x .git -x .kgraft "$work/am" "$work/integrated"
}

case_recognised()
{
	expect_rc 0 "$top/scripts/integrate" "$work/am"
	says ' 0 written'
}

# git am must not have had to guess: nothing but whole patches with a reason
case_reasons()
{
	local patch bad=0

	for patch in "$top"/patches/linux-6.12/*.patch; do
		awk '/^---$/ { exit } body && NF && !/^Signed-off-by/ { n++ } /^$/ { body = 1 }
			END { exit n < 2 }' "$patch" || { echo "${patch##*/} does not say why"; bad=1; }
	done
	return "$bad"
}

# What comes before it builds, whatever is configured: nobody can have selected it
case_last()
{
	local patches=("$top"/patches/linux-6.12/*.patch)

	grep -l '^+.*select HAVE_KGRAFT' "${patches[@]}" >"$work/selectable"
	expect_rc 0 diff "$work/selectable" - <<<"${patches[-1]}"
}

check 'git am of the series and integrate give the same tree' case_same
check 'integrate recognises the tree that git am made' case_recognised
check 'each hook patch says why it is there' case_reasons
check 'the last hook patch makes CONFIG_KGRAFT selectable' case_last
tap_done
