#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Completion as the shells themselves do it. KGR_CTL: the program.

ctl=$(realpath "${KGR_CTL:?}")
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
mkdir -p "$root/kernel/kgraft/kgr-one" "$root/kernel/kgraft/kgr-two" "$root/dir"
touch "$root/kernel/kgraft/in_progress" "$root/dir/"{a.ko,b.ko.xz,c.txt}
for patch in one two; do
	mkdir "$root/module-$patch"
	ln -s "$root/module-$patch" "$root/kernel/kgraft/kgr-$patch/owner"
	printf 'Function Object Sympos State\nfunction_%s vmlinux 0 2\n' $patch > \
		"$root/kernel/kgraft/kgr-$patch/state"
	echo "CVE-2026-$patch CVE-2026-both" > "$root/kernel/kgraft/kgr-$patch/cve"
done
# a directory of kGraft's that is no patch
mkdir "$root/kernel/kgraft/other" "$root/store" "$root/store/"{6.12.1,6.12.2}
printf 'kgr_boot kgr_boot-0123.ko\nend\n' > "$root/store/6.12.1/index"
printf 'kgr_next kgr_next-0123.ko initramfs\nend\n' > "$root/store/6.12.2/index"
echo normal > "$root/store/mode"
export KGR_SYSFS_ROOT=$root KGR_STORE_ROOT=$root/store
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
ok "modes" "$(completes mode '')" "no-apply normal stop"
ok "a mode" "$(completes mode n)" "no-apply normal"
ok "what is installed, not what is loaded" "$(completes uninstall '')" "kgr_boot kgr_next"
ok "the same for a boot" "$(completes autoload kgr_n)" "kgr_next"
ok "kernels that something is installed for" "$(completes uninstall --kernel '')" "6.12.1 6.12.2"
ok "functions that are replaced" "$(completes show '')" "function_one function_two"
ok "CVEs that the patches name" "$(completes cve --is-patched CVE-2026-o)" "CVE-2026-one"
ok "the name once more" "$(completes force kgr-one --yes-i-understand kgr-o)" "kgr-one"

# The same for zsh, whose _describe and compadd are asked what they were given
zsh_offers()	# FUNCTION WORD... - of the script; the words of the line, for it
{
	zsh -fc '_describe() { print -l -- ${(P)2}; }; compadd() { print -l -- $@; }
		_arguments() { state=operands line=($typed); for i; do
			[[ $i == "*:operand:{:"* ]] && eval "${${i#*\{}%\}}"; done }
		. "$1" > /dev/null 2>&1; typed=(${@[3,-1]}); $2' - "$root/_kgr-ctl" "$@" 2>&1 |
		LC_ALL=C sort | paste -sd ' '
}

with_zsh()
{
	"$ctl" --completion=zsh > "$root/_kgr-ctl"
	ok "zsh can read its own" "$(zsh -n "$root/_kgr-ctl" 2>&1)" ""
	ok "zsh: patches" "$(zsh_offers _kgr_ctl_patches)" "kgr-one kgr-two"
	ok "zsh: what is installed" "$(zsh_offers _kgr_ctl_installed)" "kgr_boot kgr_next"
	ok "zsh: kernels" "$(zsh_offers _kgr_ctl_releases)" "6.12.1 6.12.2"
	ok "zsh: functions" "$(zsh_offers _kgr_ctl_functions)" "function_one function_two"
	ok "zsh: CVEs" "$(zsh_offers _kgr_ctl_cves)" "CVE-2026-both CVE-2026-one CVE-2026-two"
	ok "zsh: after revert" "$(zsh_offers _kgr_ctl revert)" "kgr-one kgr-two"
	ok "zsh: after uninstall" "$(zsh_offers _kgr_ctl uninstall)" "kgr_boot kgr_next"
	ok "zsh: after show" "$(zsh_offers _kgr_ctl show)" "function_one function_two"
	ok "zsh: after mode" "$(zsh_offers _kgr_ctl mode)" "no-apply normal stop"
}

if command -v zsh > /dev/null; then
	with_zsh
else
	count=$((count + 1))
	echo "ok $count - zsh can read its own # SKIP there is no zsh"
fi

rm -r "$root/kernel/kgraft" "$root/store"
ok "nothing where there is nothing" "$(completes revert '')$(completes uninstall '')$(completes show '')" ""
if command -v zsh > /dev/null; then
	ok "zsh: nothing where there is nothing" "$(zsh_offers _kgr_ctl_patches)$(zsh_offers _kgr_ctl_cves)" ""
fi
echo "1..$count"
exit $failed
