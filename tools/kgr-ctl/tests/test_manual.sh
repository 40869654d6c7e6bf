#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What the manual has to show, as far as that can be said without a guest: an example of
# each command, and each refusal. KGR_CTL: the program.

ctl=$(realpath "${KGR_CTL:?}")
here=$(cd "$(dirname "$0")" && pwd)
docs=$here/../../../Documentation/kgraft
count=0
failed=0

# ok NAME TEXT - holds when there is no text
ok()
{
	count=$((count + 1))
	if [ -z "$2" ]; then
		echo "ok $count - $1"
	else
		echo "not ok $count - $1"
		printf '%s\n' "$2" | sed 's/^/# /'
		failed=1
	fi
}

# What is typed in the examples of the man page, without the values of this run
typed()
{
	sed -n '/BEGIN GENERATED examples/,/END GENERATED/s/^    # //p' "$docs/man/kgr-ctl.8.rst" |
		sed 's/nudge [0-9]*$/nudge PID/'
}

# The same, as the script of the examples has it
to_be_typed()
{
	bash -c 'title() { :; }; types() { printf "%s\n" "$@"; }; pid=PID; . /dev/stdin' < <(
		sed -n "s/^types /types /p" "$here/manual/examples.sh")
}

without_example()
{
	"$ctl" help | sed -n '/^Commands/,/^$/s/^  \([a-z][a-z-]*\) .*/\1/p' | while read -r command; do
		typed | grep -qE "^kgr-ctl $command( |\$)" || echo "no example of $command"
	done
}

ok "each command has an example" "$(without_example)"
ok "the man page has those of examples.sh" "$(diff <(typed) <(to_be_typed))"
ok "each refusal is on the page of refusals" "$("$here/manual/refusals.py" missing "$docs/refusals.rst")"
rows=$(grep -c '^   \* - ' "$docs/refusals.rst")
ok "and there are many" "$([ "$rows" -ge 60 ] || echo "only $rows")"
echo "1..$count"
exit $failed
