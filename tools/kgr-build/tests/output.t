#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What comes out: the module and what it knows of its target, the same bytes each
# time, JSON, the page for review, a signature.  On the small tree of mini/.

. "$(dirname "$0")/mini/mini.sh"
set -u

make_tree >"$work/log" 2>&1
ok $? "a small build tree"
core=kernel/core.c

modinfo()	# MODULE
{
	readelf -p .modinfo "$1" | sed -n 's/^ *\[ *[0-9a-f]*\]  //p'
}

has_all()	# FILE TEXT...
{
	local file=$1 text

	shift
	for text; do
		grep -qF -- "$text" "$file" || { echo "missing: $text" >>"$work/err"; return 1; }
	done
}

# --- what the diff says about itself

{
	printf 'From 0123456789012345678901234567890123456789 Mon Sep 17 00:00:00 2001\n'
	printf 'From: Some Body <some@body>\nSubject: [PATCH 6.12 1/2] core: don'\''t "clamp" too\n much\n\n'
	printf 'It did. CVE-2099-12345, CVE-2099-4711, and CVE-2099-12345 again; no CVE-.\n---\n core.c | 2\n\n'
} >"$work/mail.patch"
edit mail $core 's/return v + clamped;/return v + clamped + 1;/'
run mail --html "$work/mail.html"
[ $rc -eq 0 ] && json mail '$d->{schema} == 1 && $d->{description} eq q(core: don'\''t '\''clamp'\'' too much)
	&& $d->{cve} eq "CVE-2099-12345 CVE-2099-4711"'
ok $? "subject and CVEs of a mail"
modinfo "$work/mail.ko" >"$work/log"
grep -qx "description=core: don't 'clamp' too much" "$work/log" &&
	grep -qx 'kgraft_cve=CVE-2099-12345 CVE-2099-4711' "$work/log"
ok $? "they are in the module"
{
	printf 'commit 0123456789012345678901234567890123456789\nAuthor: x\n\n    core: of git show\n\n'
	sed -n '/^--- /,$p' "$work/mail.patch"
} >"$work/show.patch"
run show --cve CVE-2098-1 
json show '$d->{description} eq "core: of git show" && $d->{cve} eq "CVE-2098-1"'
ok $? "subject of git show; an option has precedence"
sed -n '/^--- /,$p' "$work/mail.patch" >"$work/plain.patch"
run plain --description 'a "plain" one'
json plain '$d->{description} eq q(a '\''plain'\'' one) && !defined $d->{cve}'
ok $? "a description by option"

run show --replace --replace-set vendor
grep -qx kgraft_replace=Y <(modinfo "$work/show.ko") &&
	json show '$d->{replace} && $d->{replace_set} eq "vendor"' &&
	! grep -q kgraft_replace <(modinfo "$work/plain.ko") && json plain '!$d->{replace}'
ok $? "a cumulative patch says so"
run show --replace-set 'a b'
[ $rc -eq 2 ]
ok $? "a set has a name"

# --- what the module knows of its target

id=$(readelf -n "$tree/vmlinux" | sed -n 's/.*Build ID: //p')
grep -qx "kgraft_build_id=$id" <(modinfo "$work/mail.ko") && json mail "\$d->{build_id} eq '$id'"
ok $? "build-id of vmlinux"
read -r addr size < <(readelf -sW "$tree/vmlinux" | awk '$8 == "clamp" { print $2, $3 }')
read -r start off < <(readelf -SW "$tree/vmlinux" | sed 's/^ *\[ *[0-9]*\]//' | awk '$1 == ".text" { print $3, $4 }')
sum=$(tail -c +$((0x$off + 0x$addr - 0x$start + 1)) "$tree/vmlinux" | head -c "$size" | sha256sum | cut -d' ' -f1)
grep -qx "kgraft_hash=vmlinux:clamp,0 $size $sum" <(modinfo "$work/mail.ko") &&
	json mail "\$d->{changed}[0]{sha256} eq '$sum' && \$d->{changed}[0]{size} == $size"
ok $? "hash of the function that is replaced"
json mail "\$d->{sha256} eq '$(sha256sum <"$work/mail.ko" | cut -d' ' -f1)'"
ok $? "hash of the module"

# --- twice the same

mkdir "$work/again"
cp "$work/mail.ko" "$work/again/first.ko"
(TMPDIR=$work/again; run mail)
run mail -j 1 --view=symlinks
cmp "$work/mail.ko" "$work/again/first.ko" >"$work/log" 2>&1
ok $? "the same bytes, in another directory, with another view"
! grep -qaF "$work" "$work/mail.ko"
ok $? "no path of this machine is in the module"

# --- the page

page=$work/mail.html
! grep -qiE '<script|<link|<img|src=|href=|url\(|https?:' "$page"
ok $? "page: it loads nothing and runs nothing"
has_all "$page" 'class="verdict safe">safe<' "don't 'clamp' too much" CVE-2099-4711 "$id" "$sum" \
	'core.c</td><td class="line">' 'its own lines change' 'class="new">' 'The diff' kernel/core.o "$tree"
ok $? "page: verdict, what it is for, hashes, functions, instructions, diff, tree"
# beginning behind the padding, and with its last instruction
perl -0ne 'exit !(/<h3><code>clamp.*?<table class="asm">(.*?)<\/table>/s && $1 =~ /<td>ret<\/td><td>ret<\/td><\/tr>\s*$/)' "$page"
ok $? "page: a function is shown to its end"
perl -e 'undef $/; $_ = <>; s/<!DOCTYPE html>|<meta[^>]*>|<br>//g;
	while (/<(\/?)([a-z0-9]+)[^>]*>/g) { $1 ? (pop @s eq $2 or die "</$2>") : push @s, $2 }
	@s and die "@s"' "$page" 2>"$work/log"
ok $? "page: every element is closed"
edit odd $core 's/return v + clamped;/return v + clamped; \/\/ <b>\&"/; s/total = 7/total = 8/'
run odd --html "$work/odd.html"
[ $rc -eq 4 ] && [ ! -e "$work/odd.ko" ] && grep -qF 'refused">refused<' "$work/odd.html" &&
	grep -qF 'KGR-E050' "$work/odd.html" && ! grep -qF '<b>&"' "$work/odd.html" &&
	grep -qF '&lt;b&gt;&amp;&quot;' "$work/odd.html"
ok $? "page: of what is refused; markup of the diff is text"
run mail --html "$work/nowhere/x.html"
[ $rc -eq 1 ] && grep -q 'KGR-E002: .*No such file' "$work/err"
ok $? "page: a path that can't be written to"

# --- JSON and text say the same

(cd "$work/out" && "$tool" -k "$tree" -o "$work/text.ko" "$work/mail.patch") >"$work/log" 2>&1
has_all "$work/log" 'verdict:  safe' "subject:  core: don't 'clamp' too much" \
	'fixes:    CVE-2099-12345 CVE-2099-4711' 'objects:  kernel/core.o' 'changed:  clamp  kernel/core.c:'
ok $? "text"
printf 'x\377y\n' >"$work/bytes.patch"
cat "$work/plain.patch" >>"$work/bytes.patch"
sed -i '1s/^/Subject: /' "$work/bytes.patch"
run bytes
[ $rc -eq 0 ] && json bytes '$d->{description} eq "x?y"'
ok $? "JSON: bytes that are no UTF-8"

# --- progress

edit far include/mini.h 's/^\tlong value;/\tlong value, extra;/'
edit far $core 's/return v + clamped;/return v;/'
on_terminal()	# OPTION...
{
	(cd "$work/out" && script -qec "$tool -k $tree $* -o $work/far.ko $work/far.patch" /dev/null) \
		</dev/null >"$work/log" 2>"$work/err"
}
if command -v script >/dev/null; then
	on_terminal
	has_all "$work/log" '[ 1/' 'looking for objects that change' ' 0 of 5' 'finishing the module'
	ok $? "on a terminal: each stage, and how far the long one is"
	on_terminal -q
	! grep -q '\[ *[0-9]*/' "$work/log"
	ok $? "on a terminal: not with -q"
fi
run far -v
grep -qE '^\[24/24\] finishing the module +[0-9.]+ s$' "$work/err" && ! grep -q ' of 5' "$work/err"
ok $? "with -v, elsewhere: each stage with its time"

# --- signing

printf '#!/bin/sh\n[ -s "$2" ] && [ -s "$3" ] || { echo "no key"; exit 1; }\nprintf "%%s" "signed with $1" >>"$4"\n' \
	>"$tree/scripts/sign-file"
chmod +x "$tree/scripts/sign-file"
config 'CONFIG_MODULE_SIG_HASH="sha512"' CONFIG_MODULE_SIG_FORCE=y
echo key >"$work/key"
run mail --sign-key "$work/key" --sign-cert "$work/key"
[ $rc -eq 0 ] && json mail '$d->{signed}' && tail -c 18 "$work/mail.ko" | grep -qx 'signed with sha512'
ok $? "signed by the tree's sign-file, with the configured hash"
rm -f "$work/mail.ko"
run mail --sign-key "$work/nokey" --sign-cert "$work/nokey"
[ $rc -eq 1 ] && [ ! -e "$work/mail.ko" ] && grep -q 'KGR-E120: .*no key' "$work/err"
ok $? "KGR-E120: no key, no module"
run mail
[ $rc -eq 6 ] && has_code mail KGR-W121
ok $? "KGR-W121: not signed, though the kernel insists"
run mail --sign-key "$work/key"
[ $rc -eq 2 ]
ok $? "a key without a certificate is a usage error"

tests_done
