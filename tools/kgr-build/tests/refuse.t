#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What is refused: each with its own code and message, and nothing is written.  On
# the small tree of mini/; what takes a real kernel is in e2e.t.

. "$(dirname "$0")/mini/mini.sh"
set -u

make_tree >"$work/log" 2>&1
ok $? "a small build tree"
before=$(snapshot)

# refused NAME EXIT CODE TEXT [OPTION]...: exactly this exit status; CODE is among
# the reasons, with TEXT (a regular expression) in its line; nothing is written
refused()
{
	local name=$1 status=$2 code=$3 text=$4

	shift 4
	codes+=$code$'\n'
	run "$name" "$@"
	[ $rc -eq "$status" ] && grep -F "$code: " "$work/err" | grep -qE -- "$text" &&
		has_code "$name" "$code" &&
		[ "$(snapshot)" = "$before" ] && [ ! -e "$work/$name.ko" ] && [ -z "$(ls -A "$TMPDIR")" ]
	ok $? "$name: exit $status, $code"
}

core=kernel/core.c
codes=

# --- diffs

printf 'nothing of the kind\n' >"$work/no-diff.patch"
refused no-diff 1 KGR-E011 'holds no unified diff'
edit cut $core 's/return v + clamped;/return v;/'
sed -i '$d' "$work/cut.patch"
refused cut 1 KGR-E010 'cut short'
printf -- '--- a/kernel/nowhere.c\n+++ b/kernel/nowhere.c\n@@ -1 +1 @@\n-a\n+b\n' >"$work/path.patch"
refused path 1 KGR-E012 "isn't in the source tree.*nowhere.c"
edit context $core 's/return v + clamped;/return v;/'
sed -i 's/^ \t}/ \t} \/\/ other/' "$work/context.patch"
refused context 1 KGR-E013 "doesn't apply.*core.c"
edit applied $core 's/return v + clamped;/return v;/'
sed -i -e 's/^-\treturn v + clamped/~/; s/^+\treturn v;/-\treturn v;/; s/^~/+\treturn v + clamped/' "$work/applied.patch"
refused applied 1 KGR-E014 'applied to the source tree'
edit makefile kernel/Makefile 's/core.o/core.o new.o/'
refused makefile 4 KGR-E016 'kernel/Makefile'
edit assembler kernel/entry.S '/^entry_code:/a\
	nop'
refused assembler 4 KGR-E017 'kernel/entry.S'
printf 'diff --git a/%s b/%s\nold mode 100644\nnew mode 100755\n' $core $core >"$work/mode.patch"
refused mode 4 KGR-E018 "$core"
edit syntax $core 's/return v + clamped;/return v +;/'
refused syntax 1 KGR-E031 "core.c:[0-9]*:[0-9]*: error"

# --- data

edit const $core 's/{ 10, 20, 40 }/{ 10, 20, 50 }/'
refused const 4 KGR-E050 'limits, section'
edit initial $core 's/total = 7/total = 8/'
refused initial 4 KGR-E050 'core.c:[0-9]*: .*total, section .data.*: it was 7, is 8'
edit ops $core 's/\.write = core_write/.write = core_store/; /^static const struct file_ops core_ops/i\
static long core_store(struct widget *w, long v) { return v; }'
refused ops 4 KGR-E050 'core_ops'

# --- code that can't be replaced

edit init $core 's/total = clamp(100)/total = clamp(101)/'
refused init 4 KGR-E051 'core.c:[0-9]*: core_init'
edit notrace $core 's/return v \* 3 + total/return v * 4 + total/'
refused notrace 4 KGR-E052 'quiet_part.*core_read'
edit lib lib/strip.c 's/v & 0xff/v \& 0x7f/'
refused lib 4 KGR-E052 'compiled without ftrace'
edit module drv/driver.c 's/+ 4/+ 5/'
refused module 4 KGR-E053 'driver_read'
edit removed kernel/helper.c '/^notrace long helper_quiet/,/^}/d; s/helper_quiet(v + 1)/v/; s/helper_quiet(v)/v/; s/^long helper_uses_quiet/long helper_quiet(long v);\n&/'
refused removed 4 KGR-E059 'helper_quiet'

edit weak kernel/core.c 's/return v + 14;/return v + 15;/'
refused weak 4 KGR-E066 'core.c:[0-9]*: weak_step: '

edit vdso vdso/vtime.c 's/v + 6/v + 7/'
refused vdso 4 KGR-E102 'vtime.c:[0-9]*: vdso_time.*vdso/vtime.o'
edit uninit $core 's/^static int __init core_init/static noinline __attribute__((used)) int core_init/; s/^initcall(core_init);//'
refused uninit 4 KGR-E051 'core_init: .*it is gone'
edit uninstr $core 's/^static noinstr long early_part/static noinline long early_part/'
refused uninstr 4 KGR-E101 'early_part: .*in .noinstr.text, is in .text'
edit signature kernel/helper.c 's/^long helper_scale(long v, int by)/long helper_scale(long v, long by)/'
edit signature include/mini.h 's/^long helper_scale(long v, int by)/long helper_scale(long v, long by)/'
refused signature 4 KGR-E103 'helper_scale: .*it was long int \(long int, int\), is long int \(long int, long int\); called by .*modules'

# --- symbols and sections

edit export $core '$a\
EXPORT_SYMBOL(core_read);'
refused export 4 KGR-E057 'core_read'
edit initcall $core '$a\
static int __init late_init(void) { return 1; }\
initcall(late_init);'
refused initcall 4 KGR-E058 'initcall6'
edit missing $core 's/return v + clamped;/{ extern long nowhere(long v); return nowhere(v); }/'
refused missing 4 KGR-E056 'nowhere'
edit section $core 's/static long clamped;/static long clamped; static long odd __attribute__((section("oddity")));/; s/clamped++;/clamped += odd++;/'
refused section 4 KGR-E042 'oddity'
edit sealed $core 's/return v + clamped;/{ extern long (*hook)(long); long (*volatile f)(long) = helper_sealed; return f(v); }/'
refused sealed 4 KGR-E060 'helper_sealed'
edit tls $core 's/static long clamped;/extern __thread long own; static long clamped;/; s/v + clamped;/v + clamped + own;/'
refused tls 4 KGR-E063 'own'
edit pair $core 's/return v \* 3 + total;/{ static long clamped; clamped += v; return v * clamped; }/; s/notrace noinline long quiet/noinline long quiet/; s/w->count = helper_scale/{ static long clamped; clamped++; }\n\tw->count = helper_scale/; s/static long clamped;$/static long clamped, more; if (v == more) { static long clamped; clamped++; more = clamped; }/'
refused pair 4 KGR-E062 'clamped'

# --- types

h=include/mini.h
edit grows $h 's/^\tlong count;/\tlong count, more;/'
edit grows $core 's/return v + clamped;/return v;/'
refused grows 4 KGR-E100 'struct widget: more is new .* moves from 16 to 24.* 32 to 40 bytes.* inside struct box; variables: the_box'
edit moves $h '/^struct file_ops {/,/^};/{/read/{h;d};/write/{G}}'
edit moves $core 's/return v + clamped;/return v;/'
refused moves 4 KGR-E100 'struct file_ops: read moves from 0 to 8, 1 others too'

# --- the build tree and its compiler: what is refused without looking at the diff

# broken NAME CODE TEXT: as refused() with exit 3, on a tree that is not the same
broken()
{
	cp "$work/initial.patch" "$work/$1.patch"
	before=$(snapshot)
	refused "$1" 3 "$2" "$3"
}

cp -a "$tree" "$work/good"
restore()
{
	rm -rf "$tree"
	cp -a "$work/good" "$tree"
}

config CONFIG_KCSAN=y
broken kcsan KGR-E022 'CONFIG_KCSAN is set'
restore
config CONFIG_CFI_CLANG=y
broken cfi KGR-E022 'CONFIG_CFI_CLANG is set: .*KCFI'
restore
config CONFIG_GCC_PLUGIN_LATENT_ENTROPY=y
broken entropy KGR-E022 'LATENT_ENTROPY is set: .*random'
restore
rm "$tree/.config"
broken no-tree KGR-E020 'no .config'
restore
rm "$tree/scripts/mod/modpost"
broken unbuilt KGR-E021 'no scripts/mod/modpost'
restore
sed -i 's/^CONFIG_CC_VERSION_TEXT=.*/CONFIG_CC_VERSION_TEXT="gcc (Other) 1.2.3"/' "$tree/include/config/auto.conf"
broken version KGR-E023 'the kernel: "gcc \(Other\) 1.2.3", here: "gcc'
restore
printf 'GCC: (Other) 1.2.3\0' >"$work/comment"
objcopy --update-section .comment="$work/comment" "$tree/kernel/core.o"
broken comment KGR-E023 'kernel/core.o: .*in the tree: "GCC: \(Other\) 1.2.3", here: "GCC: '
restore
sed -i 's/^savedcmd_.* -O2/& -fno-tree-vrp -fno-inline-small-functions/' "$tree/kernel/.core.o.cmd"
broken flags KGR-E122 'kernel/core.o: .*in the tree: "", recorded: "-fno-tree-vrp'
restore
sed -i 's/^savedcmd_.* -O2/& -fplugin=scripts\/none.so/' "$tree/kernel/.core.o.cmd"
broken plugin KGR-E123 "none.so isn't there"
touch "$tree/scripts/none.so"
broken new-plugin KGR-E123 'none.so is newer'
restore
strip "$tree/vmlinux"
broken vmlinux KGR-E024 'vmlinux'
restore
sed -i 's/v \* by/v * by + 1/' "$tree/kernel/helper.c"
cp "$work/initial.patch" "$work/stale.patch"
edit stale kernel/helper.c 's/return v + 1;/return v + 2;/'
before=$(snapshot)
refused stale 3 KGR-E025 'helper.c:[0-9]*: helper_scale'
restore
printf 'cmd := x\n' >"$tree/kernel/.core.o.cmd"
cp "$work/initial.patch" "$work/record.patch"
before=$(snapshot)
refused record 4 KGR-E032 'no object of the kernel'
restore
sed -i 's/^savedcmd_[^=]*= gcc/& \`true\`/' "$tree/kernel/.core.o.cmd"
cp "$work/initial.patch" "$work/cmd.patch"
before=$(snapshot)
refused cmd 1 KGR-E033 'true'
restore
head -c 900 "$work/good/kernel/core.o" >"$tree/kernel/core.o"
cp "$work/initial.patch" "$work/elf.patch"
before=$(snapshot)
refused elf 1 KGR-E040 'kernel/core.o'

count=$(printf %s "$codes" | sort -u | wc -l)
[ "$count" -ge 30 ]
ok $? "that was $count different codes"
tests_done
