#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Objects of earlier runs: used when nothing they depend on has changed, and only
# then; damaged ones are no harm; there is a bound.  On the small tree of mini/.

. "$(dirname "$0")/mini/mini.sh"
set -u

make_tree >"$work/log" 2>&1
ok $? "a small build tree"
edit c kernel/core.c 's/return v + clamped;/return v + clamped + 1;/'
entries()
{
	find "$XDG_CACHE_HOME" -type f
}

hits()		# N TEXT [OPTION]...: a run succeeds and finds N objects
{
	run c "${@:3}"
	[ $rc -eq 0 ] && json c "\$d->{cache_hits} == $1"
	ok $? "$2"
}

hits 0 "an empty cache"
cp "$work/c.ko" "$work/first.ko"
hits 1 "the second run finds the object"
cmp "$work/c.ko" "$work/first.ko" >"$work/log" 2>&1
ok $? "the module is the same"
[ "$(stat -c %a "$XDG_CACHE_HOME/kgr-build")" = 700 ]
ok $? "the cache is its owner's"
hits 0 "--no-cache" --no-cache

# --- what an object depends on

cp -a "$tree" "$work/good"
echo '/* more */' >>"$tree/include/mini.h"
hits 0 "another header"
echo '#define CONFIG_MORE 1' >>"$tree/include/generated/autoconf.h"
hits 0 "another configuration"
touch "$tree/include/mini.h" "$tree/kernel/core.c"
hits 1 "only another time of a file"
sed -i 's/^savedcmd_.* -O2/& -DMORE/' "$tree/kernel/.core.o.cmd"
hits 0 "another command"
rm -rf "$tree"
cp -a "$work/good" "$tree"
hits 1 "and back"

# --- damage

for damage in 'truncate -s 100' 'truncate -s 0' 'sed -i s/GCC/XYZ/'; do
	entries | while read -r f; do $damage "$f"; done
	hits 0 "damaged: $damage"
	cmp "$work/c.ko" "$work/first.ko" >"$work/log" 2>&1
	ok $? "damaged: the module is the same"
done
hits 1 "it has been replaced"

# --- bounds

head -c 900000 /dev/zero >"$XDG_CACHE_HOME/kgr-build/old"
head -c 400000 /dev/zero >"$XDG_CACHE_HOME/kgr-build/older"
touch -d '3 days ago' "$XDG_CACHE_HOME/kgr-build/old"
touch -d '4 days ago' "$XDG_CACHE_HOME/kgr-build/older"
: >"$XDG_CACHE_HOME/kgr-build/new.1"
touch -d '2 hours ago' "$XDG_CACHE_HOME/kgr-build/new.1"
sed -i 's/^savedcmd_.* -O2/& -DLESS/' "$tree/kernel/.core.o.cmd"
hits 0 "a cache of at most 1 MiB" --cache-size 1
[ ! -e "$XDG_CACHE_HOME/kgr-build/older" ] && [ -e "$XDG_CACHE_HOME/kgr-build/old" ]
ok $? "what was used longest ago is gone, and no more"
[ ! -e "$XDG_CACHE_HOME/kgr-build/new.1" ]
ok $? "and what somebody had begun to write hours ago"
"$tool" -k "$tree" --cache-size 0 "$work/c.patch" >/dev/null 2>&1
[ $? -eq 2 ]
ok $? "a size of nothing is a usage error"

# --- no cache is no reason to fail

printf x >"$work/file"
(XDG_CACHE_HOME=$work/file; run c; [ $rc -eq 0 ])
ok $? "a file in the place of the cache"
(unset XDG_CACHE_HOME HOME; run c; [ $rc -eq 0 ])
ok $? "nowhere to put it"
(XDG_CACHE_HOME=relative; HOME=$work/home; run c; [ $rc -eq 0 ] && [ -d "$work/home/.cache/kgr-build" ])
ok $? "a relative path means the default"

# --- several at a time

rm -rf "$XDG_CACHE_HOME"
for i in 1 2 3 4; do
	(cd "$work/out" && "$tool" -q -k "$tree" -o "$work/par$i.ko" --name kgr-c "$work/c.patch") 2>>"$work/log" &
done
wait
for i in 2 3 4; do
	cmp "$work/par1.ko" "$work/par$i.ko" || break
done >>"$work/log" 2>&1
[ ! -s "$work/log" ] && [ "$(entries | wc -l)" -eq 1 ]
ok $? "four at a time: the same modules, one entry"

tests_done
