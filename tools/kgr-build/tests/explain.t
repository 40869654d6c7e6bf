#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# --explain FUNC: why it is in the module, or isn't.  On the small tree of mini/.

. "$(dirname "$0")/mini/mini.sh"
set -u

make_tree >"$work/log" 2>&1
ok $? "a small build tree"

# explains NAME FUNC PATTERN...: each is in what is said about FUNC
explains()
{
	local name=$1 func=$2 pattern rc=0

	shift 2
	(cd "$work/out" && "$tool" -k "$tree" -o "$work/$name.ko" --explain "$func" \
		"$work/$name.patch") >"$work/log" 2>"$work/err"
	for pattern; do
		grep -qE -- "$pattern" "$work/log" || { echo "not said: $pattern" >>"$work/err"; rc=1; }
	done
	ok $rc "$name: $func"
}

edit own kernel/helper.c 's/return v \* by;/return v * by + 1;/'
explains own helper_scale '^helper_scale  function, kernel/helper.o, kernel/helper.c:[0-9]+' \
	'twin: .*same name in the source' 'state: .*changed: its own lines change' \
	'first: .*\+0x[0-9a-f]+' 'before: (imul|ret|jmp)' 'now: ' \
	'module:   yes: it takes the place'

edit pulled kernel/helper.c 's/^long helper_scale/static int fresh_count;\n\nstatic noinline long fresh(long v)\n{\n\treturn v + fresh_count++;\n}\n\n&/
s/return v \* by;/return fresh(v) * by;/'
explains pulled fresh 'state:    new' 'module:   yes: needed by helper_scale' 'used by:  helper_scale'
explains pulled fresh_count '^fresh_count  data' 'module:   yes: needed by fresh, by helper_scale'
explains pulled nothing_of_the_kind 'in none of the objects'

# counters of one name: paired by who uses them, though their numbers change
edit scope kernel/core.c 's/^static noinline long clamp(long v)/static noinline long first(long v)\n{\n\tstatic long clamped;\n\n\treturn v + ++clamped;\n}\n\n&/
s/return v + clamped;/return first(v) + clamped;/'
explains scope clamped 'twin: .*clamped.*: used by the same function, in the same order' \
	'twin:     none' 'state:    new' 'module:   yes: needed by first'
explains scope core_read 'state:    unchanged' 'module:   no: the one in the kernel'

edit inline kernel/helper.c 's/return v \/ 2;/return v \/ 3;/'
explains inline helper_half 'state:    changed: half\(\) is inlined into it and changes'
explains inline half 'in none of the objects'
edit macro kernel/helper.c 's/^#define HELPER_BIAS.*/#define HELPER_BIAS 5/'
explains macro helper_half 'state:    changed: macro HELPER_BIAS, which it uses, changes'
edit outline kernel/helper.c 's/^static inline long half/static noinline long half/'
explains outline helper_half 'half\(\) is no longer inlined into it'
explains outline half 'state:    new' 'needed by helper_half'

tests_done
