#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The model of the migration protocol (tests/protocol/), explored by spin: no
# property fails in any state that can be reached, and each bug that can be seeded
# is found, by the property that its line in the model names.

set -eu
. "$(dirname "$0")/tap.sh"
cd "$top"

for tool in spin gcc; do
	command -v "$tool" >/dev/null || skip_all "$tool is missing"
done

# One search takes seconds; far more means that the model has become too large.
limit=${KGR_PROTOCOL_TIMEOUT:-110}
# A bug is near the beginning; this keeps the search from looking elsewhere first.
bug_depth=300
models=(universe hybrid immediate)

# build_checker PART: the checker of a part, from the model beside this file
build_checker()
{
	mkdir "$work/$1"
	cd "$work/$1"
	spin -a "$top/tests/protocol/$1.pml"
	gcc -O2 -w -DSAFETY -DNOFAIR -DNOBOUNDCHECK -DSFH -DMEMLIM=3000 -o pan pan.c
}

# search PART BUG MODEL OPTION...: the checker's output in $work/out
search()
{
	cd "$work/$1"
	PROTOCOL_BUG=$2 PROTOCOL_MODEL=$3 timeout "$limit" ./pan -n "${@:4}" >"$work/out" 2>&1
}

# complete: the search in $work/out has seen everything and found nothing
complete()
{
	grep -E '^pan:|^error|errors:|stored$' "$work/out" || :
	grep -q 'errors: 0$' "$work/out" || return 1
	! grep -qE 'max search depth too small|out of memory|not completed|aborted' "$work/out"
}

case_holds()
{
	local part=$1 model=$2

	search "$part" 0 "$model" -m10000 -w24
	complete
	awk '/states, stored/ { print $1 }' "$work/out" >"$work/states"
}

# holds PART MODEL: verify, and say how many states that took
holds()
{
	local part=$1 model=$2

	check "$part, ${models[$model]}: all properties hold" case_holds "$part" "$model"
	[ ! -s "$work/states" ] || echo "# $(cat "$work/states") states, all of them"
	rm -f "$work/states"
}

# case_found PART NUMBER PROPERTY
case_found()
{
	search "$1" "$2" 0 "-m$bug_depth" -w20
	grep -E '^pan:|errors:' "$work/out"
	grep -qF "assertion violated ($3||" "$work/out"
}

# bugs PART: number, property and description of each
bugs()
{
	sed -nE 's|^#define [A-Z_]+\t+([0-9]+)\t/\* ([A-Z0-9]+): (.*) \*/$|\1 \2 \3|p' \
		"tests/protocol/$1.pml"
}

case_bugs_listed()
{
	local part count

	for part in tasks interrupts; do
		count=$(grep -oE 'bug [!=]= [A-Z_]+' "tests/protocol/$part.pml" |
			sed 's/.* //' | sort -u | wc -l)
		expect "$count" "$(bugs "$part" | wc -l)" "bugs of $part"
	done
}

case_cut_short()
{
	search tasks 0 0 -m40 -w20
	expect 0 "$(grep -c 'assertion violated' "$work/out")" 'bugs found'
	! complete
}

# A step that the kernel no longer names, or the model, is noticed
case_steps_teeth()
{
	sed 's/Model: claim/Model: cliam/' kernel/kgraft/task.c >"$work/task.c"
	expect_rc 1 scripts/check-steps tests/protocol/tasks.pml "$work/task.c"
	says 'kgr_task_claim() has no comment "Model: claim"'
	says 'the model has no step cliam in kgr_task_claim()'
}

check 'every step of the model is named in the kernel, and the other way round' scripts/check-steps
check 'one that is not is found' case_steps_teeth
check 'every bug that can be seeded is listed' case_bugs_listed
for part in tasks interrupts; do
	check "$part: the checker can be built" build_checker "$part"
done
holds tasks 0
holds tasks 1
holds tasks 2
holds interrupts 0
holds interrupts 2
check 'a search that is cut short has not verified anything' case_cut_short
for part in tasks interrupts; do
	while read -r number property text; do
		check "$part, found by $property: $text" case_found "$part" "$number" "$property"
	done < <(bugs "$part")
done
tap_done
