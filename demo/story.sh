# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# How the demonstration speaks; used on the host and in the guest.

if [ -t 1 ]; then
	bold=$'\033[1m' green=$'\033[32m' red=$'\033[31m' plain=$'\033[0m'
else
	bold='' green='' red='' plain=''
fi
story_step=${STORY_STEP:-0}

# step TEXT: the next step begins
step()
{
	story_step=$((story_step + 1))
	printf '\n%s%d. %s%s\n' "$bold" "$story_step" "$*" "$plain"
}

# tell TEXT...: a paragraph
tell()
{
	printf '   %s\n' "$@"
}

failed()
{
	printf '   %sFAILED%s %s\n' "$red" "$plain" "$*"
	exit 1
}

# show COMMAND...: say what is run, run it, note its status in $status. A single
# argument is a line for the shell.
show()
{
	printf '   %s$ %s%s\n' "$bold" "$*" "$plain"
	status=0
	# shellcheck disable=SC2034 # for the caller
	if [ $# = 1 ]; then
		eval "$1" || status=$?
	else
		"$@" || status=$?
	fi
}

# holds TEXT COMMAND...: what the story says must be so, and is checked here
holds()
{
	local text=$1

	shift
	"$@" || failed "$text"
	printf '   %sok%s %s\n' "$green" "$plain" "$text"
}

# soon COMMAND...: it succeeds within some seconds
soon()
{
	local i

	for ((i = 0; i < 200; i++)); do
		! "$@" || return 0
		sleep 0.1
	done
	return 1
}

# equal A B
equal()
{
	[ "$1" = "$2" ] || { printf '   found "%s" instead of "%s"\n' "$1" "$2"; return 1; }
}
