#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Objects that KASAN has instrumented: descriptions of data and of stack frames,
# constructors that hand them over. On the small tree of mini/, compiled that way.

. "$(dirname "$0")/mini/mini.sh"
set -u
flags+=' -fsanitize=kernel-address -fasan-shadow-offset=0xdffffc0000000000
	--param asan-globals=1 --param asan-stack=1
	--param asan-instrumentation-with-call-threshold=10000'
mkdir "$work/src"
cp -r "$here/tree" "$work/src/tree"
here=$work/src
{
	printf '\n\t.text\n'
	printf '\t.globl __asan_%s\n__asan_%s: ret\n' \
		{,un}register_globals{,} handle_no_return{,} \
		report_{load,store}{1,2,4,8,16,_n}_noabort{,}
	printf '\t.globl loop_note\nloop_note: ret\n'
} >>"$here/tree/boot/seal.S"
cat >>"$here/tree/kernel/loop.c" <<'EOF'

extern long loop_note(const char *what, unsigned long *out);

long loop_count(struct widget *w)
{
	unsigned long seen[4] = { 0 };

	loop_note("before", seen);
	return w->count + seen[1];
}
EOF
make_tree >"$work/log" 2>&1
config CONFIG_KASAN=y CONFIG_KASAN_GENERIC=y
readelf -SW "$tree/kernel/loop.o" | grep -q '\.init_array' &&
	readelf -sW "$tree/kernel/loop.o" | grep -q __asan_report
ok $? "a small build tree with KASAN"
loop=kernel/loop.c

changed_are()	# NAME FUNCTION
{
	json "$1" "join(',', map { \$_->{name} } @{\$d->{changed}}) eq '$2'"
}

edit text $loop 's/w->count + seen\[1\]/w->count + seen[2]/'
run text
[ $rc -eq 0 ] && changed_are text loop_count
ok $? "a body changes: verdict safe, one function"
readelf -sW "$work/text.ko" | grep -q '__asan_report_load'
ok $? "the new body is instrumented"

# A new function with an array, a new variable, another string, other lines
edit more $loop 's/^long loop_count/static unsigned long loop_calls;\n\nstatic noinline void loop_twice(void)\n{\n\tunsigned long two[2] = { 1, 2 };\n\n\tloop_note("twice", two);\n\tloop_calls += two[1];\n}\n\n&/
	s/loop_note("before", seen)/loop_twice(); loop_note("earlier", seen)/'
run more
[ $rc -eq 0 ] && changed_are more loop_count && ! has_code more KGR-W081
ok $? "more functions, variables, strings and lines: still one changed function"
json more '(grep { $_->{name} =~ /^loop_twice/ } @{$d->{new}}) &&
	(grep { $_->{name} =~ /^loop_calls/ } @{$d->{new}})'
ok $? "what is new comes along"
readelf -sW "$work/more.ko" >"$work/log" && ! grep -qE 'LASAN|_sub_[ID]_' "$work/log"
ok $? "the constructors of the object do not"

tests_done
