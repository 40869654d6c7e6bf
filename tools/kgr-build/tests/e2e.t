#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# kgr-build on a real kernel build tree, from diffs that are made here from the
# tree's own source.
#
#   KGR_TREE=build/kernel-vm prove tools/kgr-build/tests/e2e.t
#
# KGR_BUILD names the tool (default build/tools/kgr-build).

set -u
top=$(cd "$(dirname "$0")/../../.." && pwd)
tree=$(realpath "${KGR_TREE:-$top/build/kernel-vm}")
tool=$(realpath "${KGR_BUILD:-$top/build/tools/kgr-build}")


if [ ! -e "$tree/vmlinux" ] || [ ! -x "$tool" ]; then
	echo "1..0 # SKIP no built kernel in $tree, or no $tool"
	exit 0
fi
work=$(mktemp -d "${TMPDIR:-/tmp}/kgr-e2e.XXXXXX")
trap 'rm -rf "$work"' EXIT
export TMPDIR=$work/tmp XDG_CACHE_HOME=$work/cache
mkdir "$TMPDIR" "$work/out"
cd "$work/out" || exit 1

n=0 bad=0
ok()		# STATUS NAME
{
	n=$((n + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $n - $2"
	else
		bad=$((bad + 1))
		echo "not ok $n - $2"
		sed 's/^/# /' "$work/err" "$work/log" 2> /dev/null | head -20
	fi
	rm -f "$work/err" "$work/log"
}

skip()		# NAME WHY
{
	n=$((n + 1))
	echo "ok $n - $1 # SKIP $2"
}

check()		# NAME COMMAND...
{
	local name=$1

	shift
	"$@" > "$work/log" 2>&1
	ok $? "$name"
}

# edit NAME FILE SED-SCRIPT: appends to NAME.patch what the script does to FILE
edit()
{
	local dir=$work/edit

	rm -rf "$dir"
	mkdir -p "$dir/a/$(dirname "$2")" "$dir/b/$(dirname "$2")"
	cp "$tree/$2" "$dir/a/$2"
	sed "$3" "$tree/$2" > "$dir/b/$2"
	(cd "$dir" && diff -u "a/$2" "b/$2") >> "$work/$1.patch"
	[ -s "$work/$1.patch" ] || echo "# edit $1 changes nothing: the source is not as expected"
}

run()		# NAME [OPTION]...: exit status in $rc, JSON in NAME.json
{
	local name=$1

	shift
	"$tool" -k "$tree" --json -o "$work/$name.ko" "$@" "$work/$name.patch" \
		> "$work/$name.json" 2> "$work/err"
	rc=$?
}

json()		# NAME EXPRESSION: true if the Perl expression on $d is
{
	perl -MJSON::PP -e 'local $/; open F, "<", $ARGV[0]; $d = decode_json(<F>);
		exit(eval($ARGV[1]) ? 0 : 1)' "$work/$1.json" "$2"
}

has_code()	# NAME CODE
{
	json "$1" "grep { \$_->{code} eq '$2' } @{\$d->{diagnostics}}"
}

refused()	# NAME STATUS CODE TEXT
{
	run "$1"
	[ $rc -eq "$2" ] && has_code "$1" "$3" && [ ! -e "$work/$1.ko" ]
	ok $? "$4: exit $2, $3"
}

snapshot()
{
	find "$tree" -printf '%p %T@ %C@ %s %i\n' | LC_ALL=C sort | md5sum
}

before=$(snapshot)

# --- command line

check "--help" "$tool" --help
check "--version" "$tool" --version
check "--list-errors" "$tool" --list-errors
"$tool" -k "$tree" > /dev/null 2>&1
[ $? -eq 2 ]; ok $? "no diff is a usage error"
"$tool" --bogus > /dev/null 2>&1
[ $? -eq 2 ]; ok $? "an unknown option is a usage error"

# --- each kind of section that the objects of this kernel have is known

unknown_sections()	# names, and how many there are
{
	find "$tree" \( -path "$tree/tools" -o -path "$tree/scripts" \) -prune -o -name '.*.o.cmd' -print |
		sed 's#/\.\([^/]*\)\.cmd$#/\1#' | xargs readelf -SW 2> /dev/null | perl -e '
		open T, "-|", $ARGV[0], "--list-sections";
		while (<T>) {
			push @kinds, join ".*", map { quotemeta } split /\*/, $1, -1 if /^   \* - ``(.*)``$/;
		}
		$known = join "|", @kinds;
		while (<STDIN>) {
			next unless /^ *\[ *\d+\] (\S+) +[A-Z_]+ +[0-9a-f]{16} [0-9a-f]+ [0-9a-f]+ [0-9a-f]+ ([ A-Za-z]{3}) /;
			($name, $flags, $seen) = ($1, $2, $seen + 1);
			$n{$name}++ if ($flags =~ /A/ || $name =~ /^\.discard\./) && $flags !~ /M/ &&
				$name !~ /^(?:$known)$/;
		}
		print "$_ $n{$_}\n" for sort keys %n;
		exit($seen < 1000)' "$tool"
}
unknown_sections > "$work/log" && [ ! -s "$work/log" ]
ok $? "no object of the kernel has a section of unknown meaning"

# --- a function, a static function, a counter, a string

f=fs/proc/meminfo.c
edit simple $f '/^static int meminfo_proc_show/i\
static unsigned long e2e_reads;\
\
static noinline void e2e_show(struct seq_file *m)\
{\
\tseq_printf(m, "Reads: %lu\\n", ++e2e_reads);\
}\

s/^\(\tshow_val_kb(m, "MemFree: .*\)$/\1\n\te2e_show(m);/'
run simple --cve CVE-2099-1,CVE-2099-2
ok $rc "simple: exit 0"
json simple '$d->{schema} == 1 && $d->{verdict} eq "safe"'; ok $? "simple: verdict safe"
json simple '@{$d->{changed}} == 1 && $d->{changed}[0]{name} eq "meminfo_proc_show" &&
	$d->{changed}[0]{file} eq "fs/proc/meminfo.c" && $d->{changed}[0]{line} > 0'
ok $? "simple: one function changed, with its place"
json simple 'join(",", sort map { $_->{name} } @{$d->{new}}) eq "e2e_reads,e2e_show"'
ok $? "simple: what is new"
json simple '$d->{model}{name} eq "hybrid"'; ok $? "simple: model hybrid"
json simple '$d->{build_id} =~ /^[0-9a-f]{40}$/'; ok $? "simple: build-id"
echo "# simple took $(perl -MJSON::PP -e 'local $/; open F, "<", shift; printf "%.1f s", decode_json(<F>)->{seconds}{total}' "$work/simple.json")"

ko=$work/simple.ko
sections=$(readelf -SW "$ko")
for s in .kgraft.relocs .kgraft.strings .orc_unwind __mcount_loc .gnu.linkonce.this_module; do
	echo "$sections" | grep -qF " $s "; ok $? "simple: section $s"
done
readelf -p .modinfo "$ko" | grep -q 'kgraft=Y'; ok $? "simple: modinfo kgraft"
readelf -p .modinfo "$ko" | grep -q 'kgraft_cve=CVE-2099-1 CVE-2099-2'; ok $? "simple: modinfo cve"
readelf -p .modinfo "$ko" | grep -q "kgraft_build_id=[0-9a-f]\{40\}"; ok $? "simple: modinfo build-id"
readelf -sW "$ko" | grep -q 'FUNC.*GLOBAL.* kgr_new_meminfo_proc_show$'; ok $? "simple: new function"

und()		# undefined symbols of a module that the kernel doesn't export
{
	local exports=$tree/Module.symvers

	[ -e "$exports" ] || exports=$tree/vmlinux.symvers
	readelf -sW "$1" | awk '$7 == "UND" && $8 { print $8 }' | sort > "$work/und"
	awk '{ print $2 }' "$exports" | sort > "$work/exp"
	comm -23 "$work/und" "$work/exp"
}
[ -z "$(und "$ko")" ]; ok $? "simple: nothing undefined that isn't exported"

mkdir "$work/again"
cp "$work/simple.patch" "$work/again.patch"
(TMPDIR=$work/again run again --name kgr-simple --cve CVE-2099-1,CVE-2099-2)
cmp "$ko" "$work/again.ko" && ! grep -qaF "$work" "$ko"
ok $? "simple: two runs give the same bytes, and no path of theirs is in them"

cp "$work/simple.patch" "$work/warm.patch"
run warm
[ $rc -eq 0 ] && json warm '$d->{cache_hits} == 1'
ok $? "simple: the original object is in the cache"
# ten seconds cold and four warm are what it is made for; here others may be at work
perl -MJSON::PP -e 'local $/; for (@ARGV) { open F, "<", $_; push @t, decode_json(<F>)->{seconds}{total} }
	printf "# cold %.1f s, warm %.1f s\n", @t; exit !($t[0] < 60 && $t[1] < 60)' "$work/simple.json" "$work/warm.json"
ok $? "simple: cold and warm within a minute"

cp "$work/simple.patch" "$work/links.patch"
run links --view=symlinks
ok $rc "simple, in a view of symbolic links: exit 0"
json links '$d->{view} eq "symlinks" && $d->{verdict} eq "safe" && @{$d->{changed}} == 1'
ok $? "simple, in a view of symbolic links: same outcome"

cp "$work/simple.patch" "$work/p0.patch"
sed -i 's#^--- a/#--- #; s#^+++ b/#+++ #' "$work/p0.patch"
run p0
ok $rc "simple, as a -p0 diff"

# --- special sections: WARN_ON, a new static key, alternatives, a user access

edit special $f '/^static int meminfo_proc_show/i\
#include <linux/jump_label.h>\
#include <linux/uaccess.h>\
#include <asm/cpufeature.h>\
static DEFINE_STATIC_KEY_FALSE(e2e_key);\

s/^\(\tshow_val_kb(m, "MemFree: .*\)$/\1\n\tWARN_ON(!m->count);\n\tif (static_branch_unlikely(\&e2e_key))\n\t\tseq_puts(m, "key\\n");\n\tif (static_cpu_has(X86_FEATURE_SMAP) \&\& v == m)\n\t\tget_user(i.mem_unit, (u32 __user *)m);\n\tpr_info_once("e2e\\n");/'
run special
[ $rc -eq 0 ]; ok $? "special: exit 0"
sections=$(readelf -SW "$work/special.ko")
for s in __bug_table __jump_table .altinstructions .static_call_sites; do
	case $s in
	.static_call_sites) continue ;;
	esac
	echo "$sections" | grep -qF " $s "; ok $? "special: section $s"
done
! echo "$sections" | grep -q ' runtime_'; ok $? "special: no constant is left for boot code to patch"
[ -z "$(und "$work/special.ko")" ]; ok $? "special: nothing undefined that isn't exported"

# a function that loads a constant which boot code patches into vmlinux only
edit runtime fs/proc/base.c '/^static ssize_t comm_write/,/^}/s/^\(\tif (copy_from_user.*\)$/\tif (!access_ok(buf, 1))\n\t\treturn -EFAULT;\n\1/'
run runtime
[ $rc -eq 0 ]; ok $? "access_ok(): exit 0"
! readelf -SW "$work/runtime.ko" | grep -q ' runtime_' && readelf -rW "$work/runtime.ko" | grep -q 'R_X86_64_32S.*USER_PTR_MAX'
ok $? "access_ok(): USER_PTR_MAX is loaded, not patched in"

# --- several functions of two files

edit two fs/proc/loadavg.c 's/LOAD_INT(avnrun\[0\])/LOAD_INT(avnrun[0]) + 0 * HZ + (m->count == 77)/'
edit two fs/proc/uptime.c 's/^\tidle_nsec = 0;/\tidle_nsec = m->count == 77;/'
run two
[ $rc -eq 0 ]; ok $? "two files: exit 0"
json two '@{$d->{changed}} == 2 && $d->{model}{name} eq "universe"'
ok $? "two files: two functions, model universe"
run two --model immediate
json two '$d->{model}{name} eq "immediate"'; ok $? "two files: --model immediate"

# --- what an author can say: callbacks, a shadow variable, a static key

edit author $f '/^static int meminfo_proc_show/i\
#include <linux/kgraft_author.h>\
static int e2e_before(struct kgr_patch *patch, struct module *mod) { return 0; }\
static void e2e_after(struct kgr_patch *patch, struct module *mod) { kgr_shadow_free_all(77, NULL); }\
KGR_PRE_PATCH(e2e_before);\
KGR_POST_UNPATCH(e2e_after);\

s/^\(\tshow_val_kb(m, "MemFree: .*\)$/\1\n\tif (KGR_SHADOW_ATTACH(long, m->file, 77, GFP_KERNEL))\n\t\tseq_printf(m, "%ld %d\\n", ++*KGR_SHADOW(long, m->file, 77), KGR_STATIC_KEY_ENABLED(\&init_on_alloc));/'
run author
[ $rc -eq 0 ] && json author 'join(",", sort map { $_->{name} } @{$d->{new}}) eq "e2e_after,e2e_before"'
ok $? "callbacks, a shadow variable, a static key: verdict safe"

# --- a system call whose arguments change: its description for tracing stays

call='s/^SYSCALL_DEFINE1(umask, int, mask)/SYSCALL_DEFINE1(umask, long, mask)/
	s/\(fs->umask, \)mask/\1(mask >> 40 ? 0 : mask)/'
edit call kernel/sys.c "$call"
if grep -q '^CONFIG_FTRACE_SYSCALLS=y' "$tree/.config"; then
	refused call 4 KGR-E050 "a system call's arguments change"
fi
edit kgrcall kernel/sys.c "$call
	s/^SYSCALL_DEFINE1(umask/#include <linux\/kgraft_author.h>\nKGR_&/"
run kgrcall
[ $rc -eq 0 ] && json kgrcall '(grep { $_->{name} eq "__x64_sys_umask" } @{$d->{changed}}) &&
	!grep { $_->{name} =~ /types__|args__|meta/ } @{$d->{new}}'
ok $? "the same with KGR_SYSCALL_DEFINE1(): verdict safe"

# --- nothing changes

edit comment $f '1i/* only a comment */'
run comment
[ $rc -eq 5 ] && json comment '$d->{verdict} eq "no-change"'
ok $? "a comment: exit 5, and line numbers make no difference"

# --- review

edit callback $f '/^static int meminfo_proc_show/i\
static void e2e_work(struct work_struct *w) { }\
static DECLARE_WORK(e2e_item, e2e_work);\

s/^\(\tshow_val_kb(m, "MemFree: .*\)$/\1\n\tschedule_work(\&e2e_item);/'
run callback
[ $rc -eq 6 ] && has_code callback KGR-W081 && [ -e "$work/callback.ko" ]
ok $? "a new function in a work item: exit 6, KGR-W081"

# --- refusals

edit data fs/proc/stat.c 's/\.proc_lseek\t= seq_lseek/.proc_lseek\t= noop_llseek/'
refused data 4 KGR-E050 "changed data"
edit init $f 's/proc_create_single("meminfo"/proc_create_single("meminfo2"/'
refused init 4 KGR-E051 "__init function"
edit lib lib/argv_split.c 's/^\targv--;/\tif (!argv)\n\t\treturn;\n\targv--;/'
refused lib 4 KGR-E052 "a file without ftrace"
edit asm arch/x86/entry/entry_64.S '$a\
nop'
refused asm 4 KGR-E017 "assembler"
edit kbuild fs/proc/Makefile 's/ meminfo\.o//; $a\
CFLAGS_version.o += -O3'
refused kbuild 4 KGR-E016 "Makefile"
edit export $f '$a\
EXPORT_SYMBOL_GPL(arch_report_meminfo);'
refused export 4 KGR-E057 "a new export"
edit initcall $f '$a\
static int __init e2e_init(void) { return 0; }\
late_initcall(e2e_init);'
refused initcall 4 KGR-E058 "a new initcall"
edit missing $f 's/^\(\tshow_val_kb(m, "MemFree: .*\)$/\1\n\t{ extern void e2e_nowhere(void); e2e_nowhere(); }/'
refused missing 4 KGR-E056 "an undefined function"
printf -- '--- /dev/null\n+++ b/fs/proc/e2e.c\n@@ -0,0 +1 @@\n+int x;\n' > "$work/newfile.patch"
refused newfile 4 KGR-E015 "a new file that nothing links"
edit header kernel/time/posix-timers.h 's/^struct k_clock {/&\n\tint e2e;/'
refused header 4 KGR-E050 "a header's struct"
has_code header KGR-E100 && has_code header KGR-W082
ok $? "a header's struct: also KGR-E100 and KGR-W082"
cat "$work/data.patch" "$work/init.patch" "$work/asm.patch" > "$work/many.patch"
refused many 4 KGR-E050 "several reasons"
has_code many KGR-E051 && has_code many KGR-E017; ok $? "several reasons: all at once"

# --- modules as targets

late()		# MODULE.ko OBJNAME KIND: how many bytes wait for OBJNAME
{
	local size

	size=$(readelf -SW "$1" | sed -n "s/.* \.kgraft\.late\.$2\.$3 *PROGBITS *[0-9a-f]* [0-9a-f]* \([0-9a-f]*\) .*/\1/p")
	echo $((16#${size:-0}))
}

if [ -e "$tree/fs/ext4/ext4.ko" ]; then
	edit module fs/ext4/fsync.c '/^int ext4_sync_file/,/^}/s/^\(\tASSERT(.*\)$/\1\n\tif (start == 77)\n\t\treturn -EIO;/'
	run module
	ok $rc "a function of ext4: exit 0"
	json module '@{$d->{changed}} == 1 && $d->{changed}[0]{name} eq "ext4_sync_file" &&
		$d->{changed}[0]{module} eq "ext4" && $d->{model}{name} eq "hybrid"'
	ok $? "a function of ext4: what changed, and where"
	[ -z "$(und "$work/module.ko")" ]; ok $? "a function of ext4: nothing undefined that isn't exported"
	readelf -p .modinfo "$work/module.ko" | grep -q 'depends=$'
	ok $? "a function of ext4: the module depends on no other"
	[ "$(late "$work/module.ko" ext4 relocs)" -gt 0 ]; ok $? "a function of ext4: its symbols are bound late"
	# two tracepoints of the module: two keys, two calls
	[ "$(late "$work/module.ko" ext4 jump_table)" -eq $((3 * 16)) ] &&
		[ "$(late "$work/module.ko" ext4 static_call_sites)" -eq $((3 * 8)) ]
	ok $? "a function of ext4: so are its tracepoints"
	readelf -p .kgraft.strings "$work/module.ko" | grep -q ' jbd2$'
	ok $? "a function of ext4: symbols of modules that it depends on"

	cat "$work/simple.patch" "$work/module.patch" > "$work/mixed.patch"
	run mixed
	[ $rc -eq 0 ]; ok $? "vmlinux and a module mixed: exit 0"
	json mixed 'join(",", sort map { $_->{name} . ":" . ($_->{module} // "vmlinux") } @{$d->{changed}}) eq
		"ext4_sync_file:ext4,meminfo_proc_show:vmlinux" && $d->{model}{name} eq "universe"'
	ok $? "vmlinux and a module mixed: both functions, model universe"
	readelf -SW "$work/mixed.ko" | grep -qF ' .kgraft.relocs ' &&
		[ "$(late "$work/mixed.ko" ext4 relocs)" -gt 0 ]
	ok $? "vmlinux and a module mixed: bound at load and late"

	edit modinit fs/ext4/super.c '/^static int __init ext4_init_fs/,/^}/s/^\terr = ext4_init_es();/\terr = 0;\n&/'
	sed -i 's/^+\terr = 0;/+\tpr_info("e2e\\n");/' "$work/modinit.patch"
	refused modinit 4 KGR-E051 "an __init function of a module"
	edit moddata fs/ext4/file.c 's/\.llseek\t= ext4_llseek/.llseek\t= noop_llseek/; s/\.llseek\t\t= ext4_llseek/.llseek\t\t= noop_llseek/'
	refused moddata 4 KGR-E050 "changed data of a module"
else
	skip "functions of modules" "ext4 isn't a module of this tree"
fi

# --- bad input

head -c 700 /dev/urandom | base64 > "$work/garbage.patch"
refused garbage 1 KGR-E011 "garbage"
head -n -4 "$work/simple.patch" > "$work/cut.patch"
refused cut 1 KGR-E010 "a diff that is cut short"
sed 's/^ \tshow_val_kb/ \tshow_val_xx/' "$work/simple.patch" > "$work/fuzz.patch"
refused fuzz 1 KGR-E013 "a diff for other source"
(cd "$work/edit" && rm -rf a b && mkdir -p a/fs/proc b/fs/proc && cp "$tree/$f" a/$f &&
	sed 's/^static int meminfo_proc_show/static int e2e_never;\n\n&/' a/$f > b/$f &&
	diff -u b/$f a/$f | sed 's#^--- b/#--- a/#; s#^+++ a/#+++ b/#') > "$work/applied.patch"
refused applied 1 KGR-E014 "an applied diff"
edit syntax $f 's/^\(\tshow_val_kb(m, "MemFree: .*\)$/\1\n\tthis is not C;/'
refused syntax 1 KGR-E031 "a diff that does not compile"
"$tool" -k "$tree" -q "$work/nonexistent.patch" 2> /dev/null
[ $? -eq 1 ]; ok $? "no such diff: exit 1"
"$tool" -k "$work" -q "$work/simple.patch" 2> /dev/null
[ $? -eq 3 ]; ok $? "not a build tree: exit 3"

mkdir "$work/bin"
printf '#!/bin/sh\necho "gcc (Other) 1.2.3"\n' > "$work/bin/gcc"
chmod +x "$work/bin/gcc"
PATH=$work/bin:$PATH "$tool" -k "$tree" "$work/simple.patch" > /dev/null 2> "$work/err"
[ $? -eq 3 ] && grep -q 'KGR-E023.*Debian\|KGR-E023.*gcc' "$work/err" && grep -q 'gcc (Other) 1.2.3' "$work/err"
ok $? "another compiler: exit 3, with both versions"

# --- hostile surroundings

leftover()
{
	ls -A "$TMPDIR" > "$work/log"
	[ ! -s "$work/log" ] || return 1
	# the pattern comes from a file, or grep would find itself
	! grep -lsF -f "$work/pattern" /proc/[0-9]*/cmdline 2> /dev/null > "$work/log"
}
echo "$TMPDIR/kgr-build." > "$work/pattern"
leftover; ok $? "nothing left behind so far"
for sig in INT TERM; do
	for delay in 0.05 0.4 1.2; do
		(trap - INT; exec "$tool" -k "$tree" -q -o "$work/sig.ko" "$work/simple.patch") 2> "$work/err" &
		pid=$!
		sleep $delay
		kill -$sig $pid 2> /dev/null
		wait $pid
		rc=$?
		[ $rc -eq 1 ] || [ $rc -eq 0 ] && leftover
		ok $? "SIG$sig after $delay s: nothing left behind"
	done
done

if [ "$(id -u)" -eq 0 ]; then
	mkdir -m 777 "$work/nobody" "$work/nobody/tmp"
	chmod 777 "$work/nobody/tmp"; chmod 755 "$work"
	cp "$tool" "$work/nobody/kgr-build"; cp "$work/simple.patch" "$work/nobody/"
	if setpriv --reuid=65534 --regid=65534 --clear-groups test -r "$tree/vmlinux"; then
		(cd "$work/nobody" && TMPDIR=$work/nobody/tmp setpriv --reuid=65534 --regid=65534 \
			--clear-groups ./kgr-build -q -k "$tree" simple.patch) 2> "$work/err"
		ok $? "as another user than the tree's owner"
		(cd "$work/nobody" && TMPDIR=$work/nobody/tmp setpriv --reuid=65534 --regid=65534 \
			--clear-groups ./kgr-build -q -k "$tree" --view=symlinks simple.patch) 2> "$work/err"
		ok $? "as another user, in a view of symbolic links"
		[ -z "$(ls -A "$work/nobody/tmp")" ]; ok $? "as another user: nothing left behind"
	else
		skip "as another user than the tree's owner" "nobody may not read $tree"
	fi
else
	skip "as another user than the tree's owner" "needs root"
fi

mkdir "$work/small"
for size in 16k 300k 800k; do
	unshare -rm sh -c 'mount -t tmpfs -o size='$size' none "$1" || exit 99
		TMPDIR=$1 "$2" -q -k "$3" -o "$4" "$5"' sh "$work/small" "$tool" "$tree" \
		"$work/full.ko" "$work/simple.patch" 2> "$work/err"
	rc=$?
	if [ $rc -eq 99 ]; then
		skip "a full disk ($size)" "no user namespaces"
		continue
	fi
	[ $rc -eq 1 ] && grep -q KGR-E003 "$work/err" && [ ! -e "$work/full.ko" ]
	ok $? "a full disk ($size): exit 1, KGR-E003"
done

# --- the tree

[ "$(snapshot)" = "$before" ]; ok $? "the tree is as it was: names, contents, timestamps"

echo "1..$n"
[ $bad -eq 0 ]
