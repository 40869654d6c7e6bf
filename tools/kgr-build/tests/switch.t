#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Switch statements as tables of addresses, which a kernel without retpolines and
# IBT has.  On the small tree of mini/, compiled that way.

. "$(dirname "$0")/mini/mini.sh"
set -u
flags=${flags/-fno-jump-tables/} flags=${flags/-fcf-protection=branch/}
mkdir "$work/src"
cp -r "$here/tree" "$work/src/tree"
here=$work/src
cat >>"$here/tree/kernel/loop.c" <<'EOF'

long loop_pick(struct widget *w, int how)
{
	switch (how) {
	case 0: w->count += 3; break;
	case 1: w->count = helper_scale(w->count, 1); break;
	case 2: schedule(); break;
	case 3: w->count ^= 85; break;
	case 4: w->count <<= 2; break;
	case 5: w->count = -w->count; break;
	case 6: return 9;
	}
	return w->count;
}
EOF
make_tree >"$work/log" 2>&1
readelf -rW "$tree/kernel/loop.o" | grep -q '^Relocation section .\.rela\.rodata'
ok $? "a small build tree with tables"
loop=kernel/loop.c

# How many entries of tables lead into the replacement of @2, and how many elsewhere
entries()	# NAME FUNCTION
{
	{ readelf -sW "$work/$1.ko"; readelf -rW "$work/$1.ko"; } | perl -ne '
		BEGIN { $f = shift; $in = $out = 0 }
		($from, $size) = (hex $1, $2)
			if !defined $from && /: ([0-9a-f]{16}) +(\d+) FUNC .* kgr_new_$f$/;
		$table = /\.rela\.rodata/ if /^Relocation section/;
		next unless $table && /R_X86_64_64 +[0-9a-f]+ (\S+) \+ ([0-9a-f]+)/;
		$to = hex($2) + ($1 =~ /^kgr_new_/ ? $from : 0);
		$to > $from && $to < $from + $size ? $in++ : $out++;
		END { print "$in $out\n" }' "$2"
}

edit body $loop 's/w->count += 3; break/w->count += 33; break/'
run body
[ $rc -eq 0 ] && json body 'join(",", map { $_->{name} } @{$d->{changed}}) eq "loop_pick"'
ok $? "another body of a case: verdict safe, one function"
entries body loop_pick >"$work/log"
[ "$(cat "$work/log")" = "7 0" ]
ok $? "its table comes along, and leads into the new function"

edit more $loop 's/case 6: return 9;/&\n\tcase 7: return w->count \* 7;/'
run more
[ $rc -eq 0 ] && [ "$(entries more loop_pick)" = "8 0" ]
ok $? "one case more: an entry more"

edit swap $loop 's/case 3: w/case 44: w/; s/case 4: w/case 3: w/; s/case 44: w/case 4: w/'
run swap
[ $rc -eq 0 ] && json swap 'join(",", map { $_->{name} } @{$d->{changed}}) eq "loop_pick"'
ok $? "two cases change places: the function is a changed one"

edit other $loop 's/count < 5/count < 6/'
run other
[ $rc -eq 0 ] && json other 'join(",", map { $_->{name} } @{$d->{changed}}) eq "loop_wait"'
ok $? "another function: the one with the table stays"
tests_done
