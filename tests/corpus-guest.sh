#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# In the guest: load each of the modules /batch/ID.ko while all before it stay
# applied, see it migrate, then revert and unload them in the opposite order. A
# line of TAP for each: "ok N - ID: ..."

set -u
n=0
loaded=()

say()	# ok|not ok, ID, TEXT
{
	n=$((n + 1))
	echo "$1 $n - $2: $3"
}

patch_of()	# ID: name of the patch, as kgr-build has reported it
{
	sed -n 's/^  "name": "\(.*\)",$/\1/p' "/batch/$1.json" | head -n 1
}

targets_of()	# ID: the modules whose functions it replaces; "module" at the top is itself
{
	sed -n 's/^   *  "module": "\(.*\)",$/\1/p' "/batch/$1.json" | sort -u
}

# Something for the patched code to do, and for tasks to be in the middle of
busy()
{
	while :; do
		cat /proc/stat /proc/self/stat /proc/self/status >/dev/null
		ls -l /proc/self/fd /tmp >/dev/null 2>&1
		(exec true)
	done
}
busy &
busy &
trap 'kill $(jobs -p) 2>/dev/null' EXIT

for id; do
	name=$(patch_of "$id")
	for target in $(targets_of "$id"); do
		modprobe "$target" && continue
		say 'not ok' "$id" "no module $target"
		continue 2
	done
	if ! said=$(kgr-ctl load "/batch/$id.ko" --timeout 60 2>&1); then
		say 'not ok' "$id" "kgr-ctl load: $(echo "$said" | tail -n 2 | tr '\n' ' ')"
	elif [ "$(cat "/sys/kernel/kgraft/$name/transition")" != 0 ]; then
		say 'not ok' "$id" "it doesn't migrate"
	else
		loaded=("$id" "${loaded[@]}")
	fi
done
sleep 1
for id in ${loaded[@]+"${loaded[@]}"}; do
	name=$(patch_of "$id")
	if ! said=$(kgr-ctl unload "$name" --revert --timeout 60 2>&1); then
		say 'not ok' "$id" "kgr-ctl unload: $(echo "$said" | tail -n 2 | tr '\n' ' ')"
	elif [ -e "/sys/kernel/kgraft/$name" ]; then
		say 'not ok' "$id" "it is still there"
	else
		say ok "$id" "loaded, migrated, reverted, unloaded"
	fi
done
echo "1..$n"
exit 0
