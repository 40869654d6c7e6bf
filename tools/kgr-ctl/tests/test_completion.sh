#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Completion as the shells themselves do it. KGR_CTL: the program.

ctl=$(realpath "${KGR_CTL:?}")
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
mkdir -p "$root/kernel/kgraft/kgr-one" "$root/kernel/kgraft/kgr-two" "$root/dir"
touch "$root/kernel/kgraft/in_progress" "$root/dir/"{a.ko,b.ko.xz,c.txt}
export KGR_SYSFS_ROOT=$root
count=0
failed=0

ok()
{
	count=$((count + 1))
	if [ "$2" = "$3" ]; then
		echo "ok $count - $1"
	else
		echo "not ok $count - $1"
		printf '# got:    %s\n# wanted: %s\n' "$2" "$3"
		failed=1
	fi
}

# completes WORD... - what bash offers for the last of these words, sorted
completes()
{
	COMP_WORDS=(kgr-ctl "$@")
	COMP_CWORD=$#
	COMPREPLY=()
	_kgr_ctl
	printf '%s\n' "${COMPREPLY[@]}" | LC_ALL=C sort | paste -sd ' '
}

eval "$("$ctl" --completion=bash)"
cd "$root/dir" || exit 1
ok "commands" "$(completes st)" "status stragglers"
ok "an exact one" "$(completes loa)" "load"
ok "nothing" "$(completes nonsense)" ""
ok "every command has itself" "$(completes '')" \
	"$("$ctl" help | sed -n 's/^  \([a-z][a-z-]*\) .*/\1/p' | LC_ALL=C sort | paste -sd ' ')"
ok "patches" "$(completes revert '')" "kgr-one kgr-two"
ok "a patch" "$(completes revert kgr-t)" "kgr-two"
ok "after an option with its value" "$(completes revert --timeout 5 kgr-o)" "kgr-one"
ok "after an option before the command" "$(completes --json revert kgr-o)" "kgr-one"
ok "modules" "$(completes load '')" "a.ko b.ko.xz"
ok "a directory" "$(completes load ../d)" "../dir/"
ok "in a directory" "$(completes load ../dir/b)" "../dir/b.ko.xz"
ok "a patch or a module" "$(completes info '')" "a.ko b.ko.xz kgr-one kgr-two"
ok "options" "$(completes load --w)" "--wait"
ok "only those of the command" "$(completes list --w)" ""
ok "of an alias" "$(completes poke --a)" "--all"
ok "values" "$(completes load --on-timeout '')" "keep revert"
ok "no values where any would do" "$(completes wait --timeout '')" ""
ok "a file to write" "$(completes metrics --output '')" "a.ko b.ko.xz c.txt"
ok "commands for help" "$(completes help una)" "uname"

count=$((count + 1))
if command -v zsh > /dev/null; then
	if "$ctl" --completion=zsh > "$root/_kgr-ctl" && zsh -n "$root/_kgr-ctl"; then
		echo "ok $count - zsh can read its own"
	else
		echo "not ok $count - zsh can read its own"
		failed=1
	fi
else
	echo "ok $count - zsh can read its own # SKIP there is no zsh"
fi
echo "1..$count"
exit $failed
