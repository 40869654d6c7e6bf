#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What somebody has to look at: the module is written, with exit status 6 and the
# reason.  On the small tree of mini/.

. "$(dirname "$0")/mini/mini.sh"
set -u

make_tree >"$work/log" 2>&1
ok $? "a small build tree"
core=kernel/core.c header=include/mini.h

# review NAME CODE TEXT: CODE is among the reasons, with TEXT in its line
review()
{
	run "$1"
	[ $rc -eq 6 ] && [ -e "$work/$1.ko" ] && json "$1" "\$d->{verdict} eq 'review'" &&
		grep -F "$2: " "$work/err" | grep -qE -- "$3"
	ok $? "$1: $2"
}

# quiet NAME CODE: a module, and CODE isn't among the reasons
quiet()
{
	run "$1"
	[ -e "$work/$1.ko" ] && ! grep -qF "$2: " "$work/err"
	ok $? "$1: no $2"
}

# --- types: nothing that exists moves

edit hole $header 's/^\tchar tag;/\tchar tag, flag;/'
edit hole $core 's/return v + clamped;/return v;/'
review hole KGR-W080 'mini.h:[0-9]*: .*struct widget: flag is new \(char at offset 5, in what was padding\); size and all other offsets stay; it is inside struct box; variables: the_box; a shadow variable can hold flag'
edit bits $header 's/low : 3, high : 5/low : 3, high : 5, top : 2/'
edit bits $core 's/return v + clamped;/return v;/'
review bits KGR-W080 'top is new \(2 bits at bit 136, in bits that were unused\)'
edit repurposed $header 's/^\tint id;/\tint serial;/'
for f in kernel/core.c; do edit repurposed $f 's/w->id/w->serial/; s/w\[i\]\.id/w[i].serial/; s/return v + clamped;/return v;/'; done
review repurposed KGR-W080 'id \(int at offset 0\) becomes serial \(int at offset 0\)'
edit retyped $header 's/^\tint id;/\tunsigned int id;/'
edit retyped $core 's/return v + clamped;/return v;/'
review retyped KGR-W080 'id was int at offset 0, is unsigned int at offset 0'
edit unbit $header 's/low : 3, high : 5/low : 3/'
edit unbit $core 's/return v + clamped;/return v;/'
review unbit KGR-W080 'high \(5 bits at bit 131\) is gone'
edit enum $header 's/MODE_OFF, MODE_SLOW/MODE_SLOW, MODE_OFF/'
edit enum $core 's/return v + clamped;/return v;/'
review enum KGR-W080 'enum mode: MODE_OFF was 0, is 1; MODE_SLOW was 1, is 0'
edit stack $header 's/^\tint step;/\tint step, limit;/; s/^\tlong value;/\tlong value, extra;/'
edit stack $core 's/return v + clamped;/return v;/'
review stack KGR-W080 'struct scratch: .*only local variables of it are seen'
edit macro $header 's/^struct scratch {/#define EXTRA , extra\n&/; s/^\tint step;/\tint step EXTRA;/'
edit macro $core 's/return v + clamped;/return v;/'
review macro KGR-W080 'struct scratch: extra is new'
edit comment $header 's/^\tint id;/\tint id;	\/* what it is *\//'
edit comment $core 's/return v + clamped;/return v;/'
quiet comment KGR-W080

# --- what the functions do

edit thread kernel/loop.c 's/w->count++;/w->count += 3;/'
review thread KGR-W111 'loop.c:[0-9]*: worker: .*loop_start starts it'
edit forever kernel/loop.c 's/w->count += 2;/w->count += 3;/'
review forever KGR-W111 'forever: .*never returns'
edit schedule kernel/helper.c 's/^\ttick_count++;/\ttick_count += 2;/'
review schedule KGR-W110 'schedule: .*every thread that sleeps'
edit wait kernel/loop.c 's/w->count < 5/w->count < 6/'
run wait
[ $rc -eq 0 ] && json wait '$c{"KGR-N112"}[0]{function} eq "loop_wait"'
ok $? "wait: a note that it sleeps in a loop, and the verdict is safe"
edit lock $core 's/^\tmutex_lock(&other_lock);//; s/^\tmutex_unlock(&other_lock);//'
review lock KGR-W113 'core_write: .*it takes less: mutex_lock'
edit order $core '/^\tmutex_lock(&core_lock);/{N;s/\(.*\)\n\(.*\)/\2\n\1/}'
review order KGR-W113 'before: mutex_lock\(core_lock\), mutex_lock\(other_lock\); now: mutex_lock\(other_lock\), mutex_lock\(core_lock\)'
edit reference $core 's/^\twidget_put(w);//'
review reference KGR-W114 'core_write: .*less often: widget_put'
edit helper kernel/helper.c 's/^\tw->spot.y++;/\tw->spot.y += 2;/'
review helper KGR-W114 'widget_get: .*a helper'
edit number $core 's/return ida_alloc_range(&numbers, wanted, wanted);/return wanted > 128 ? wanted : ida_alloc_range(\&numbers, 128 - wanted, wanted);/'
quiet number KGR-W117
edit numbers $core 's/^\treturn ida_alloc_range(&numbers, wanted, wanted);/\tint n = ida_alloc_range(\&numbers, 1, 127);\n\n\treturn n > 0 ? 128 - n : ida_alloc_range(\&numbers, 256, wanted);/'
review numbers KGR-W117 'core_number: .*more often: ida_alloc_range'
edit freed $core 's/^\treturn ida_alloc_range(&numbers, wanted, wanted);/\tida_free(\&numbers, wanted);\n&/'
review freed KGR-W117 'core_number: .*more often: ida_free'
edit gone $core 's/^\tstatic long clamped;//; s/^\t\tclamped++;//; s/v + clamped/v/'
review gone KGR-W115 'clamped of clamp'
quiet hole KGR-W113
edit pending $core 's/hook_up(w, old_hook)/w->id/; /^static noinline void old_hook/,/^}/d'
review pending KGR-W116 'old_hook: .*hook_user'
edit switch kernel/helper.c 's/^\ttick_count += 7;/\ttick_count += 8;/'
review switch KGR-W110 'switch_mm_irqs_off: .*context switch'
edit address $core 's/^long core_mode/static long added(struct widget *w) { return w->id; }\n&/; s/return helper_scale(m/static long (*volatile hook)(struct widget *); hook = added; &/'
review address KGR-W081 'added'

# a caller in the same patch knows the new parameters; one that returned nothing may now
edit callers $core 's/mode_factor(enum mode m)/mode_factor(enum mode m, int by)/; s/mode_factor(m)/mode_factor(m, tick_count)/; s/1 + (total & 1)/by + (total \& 1)/'
quiet callers KGR-E103
json callers 'join(",", sort map { $_->{name} } @{$d->{changed}}) eq "core_mode,mode_factor"'
ok $? "callers: both are in the patch"
edit void kernel/helper.c 's/^void widget_put/long widget_put/; s/w->spot.y--;/return w->spot.y--;/'
edit void $header 's/^void widget_put/long widget_put/'
quiet void KGR-E103

tests_done
