#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What the manual shows of kgr-ctl is what it does, in a guest of the vm kernel: the
# examples of its man page, and each of its refusals. Both are recorded anew and compared
# with what stands there, but for what tools/kgr-ctl/tests/manual/volatile.sed names.
#
#	kgr-ctl-manual.t [--update]	write what was recorded into the documentation

# shellcheck disable=SC2317 # check() calls the cases
set -eu
. "$(dirname "$0")/tap.sh"
need_guest
manual=$top/tools/kgr-ctl/tests/manual
man=$top/Documentation/kgraft/man/kgr-ctl.8.rst
page=$top/Documentation/kgraft/refusals.rst
tree=$build/kernel-vm
share=$work/share
mkdir "$share" "$share/other" "$share/record"
release=$(cat "$tree/include/config/kernel.release")

# kgr NAME FILE OPTION... DIFF...
kgr()
{
	local name=$1 file=$2

	shift 2
	"$build/tools/kgr-build" -q -k "$tree" --name "$name" -o "$share/$file" "$@"
}

# unloadable FILE NAME OPTION... - module information, and nothing that a kernel would take
unloadable()
{
	local file=$1 name=$2

	shift 2
	"${CC:-cc}" -DIS_KGRAFT -DNAME="\"$name\"" "$@" -fno-pic -mcmodel=kernel -c -o "$share/$file.ko" \
		"$top/tools/kgr-ctl/tests/module.c"
}

case_modules()
{
	local eventfd=$top/demo/eventfd-read.patch timerfd=$manual/timerfd-read.patch id
	local vermagic="-DVERMAGIC=\"$release SMP preempt mod_unload \""

	gcc -O2 -static -pthread -o "$share/worker" "$top/demo/eventfd.c"
	kgr kgr-fix kgr-fix.ko --cve CVE-2026-0001 "$eventfd"
	kgr kgr-fix-2 kgr-fix-2.ko --replace --cve 'CVE-2026-0001 CVE-2026-0002' "$eventfd" "$timerfd"
	kgr kgr-fix other/kgr-fix.ko --cve CVE-2026-0002 "$timerfd"
	openssl req -new -x509 -newkey rsa:2048 -nodes -days 1000 -subj '/CN=somebody else' \
		-keyout "$work/key.pem" -out "$work/cert.pem" 2>/dev/null
	kgr kgr-signed kgr-signed.ko --sign-key "$work/key.pem" --sign-cert "$work/cert.pem" "$timerfd"
	id=$(readelf -n "$tree/vmlinux" | sed -n 's/.*Build ID: //p')
	id=-DBUILD_ID=\"$id\"
	unloadable kgr-nameless kgr_nameless -DVERMAGIC='""'
	unloadable kgr-slash kgr/fix "$vermagic"
	unloadable kgr-missing-function kgr_fix "$id" "$vermagic" -DHASH='"vmlinux:no_such_function,0 32 00ff"'
	unloadable kgr-ambiguous kgr_fix "$id" "$vermagic" -DHASH='"vmlinux:kgr_test_dup,0 32 00ff"'
	unloadable kgr-position kgr_fix "$id" "$vermagic" -DHASH='"vmlinux:eventfd_read,9 32 00ff"'
	unloadable kgr-notrace kgr_fix "$id" "$vermagic" -DHASH='"vmlinux:kgr_test_notrace,0 32 00ff"'
}

# guest SCRIPT - runs it, and shows what went wrong there
guest()
{
	rm -rf "$share/record"
	mkdir "$share/record"
	"$top/scripts/vm-run" --config vm --timeout 600 --share "$manual:/t" \
		--share "$share:/manual" -- env MANUAL=/manual bash "/t/$1"
	[ ! -s "$share/record/wrong" ] || { cat "$share/record/wrong"; return 1; }
}

# same STANDS RECORDED
same()
{
	sed -f "$manual/volatile.sed" "$1" >"$work/stands"
	sed -f "$manual/volatile.sed" "$2" >"$work/recorded"
	diff -u --label "${1#"$top/"}" --label recorded "$work/stands" "$work/recorded" && return
	echo 'Is that as it should be? "make manual" writes it.'
	return 1
}

# The man page with the examples of FILE
with_examples()
{
	awk -v file="$1" '
		/^\.\. END GENERATED/ { skip = 0 }
		!skip { print }
		/^\.\. BEGIN GENERATED examples/ {
			skip = 1
			print ""
			while ((getline line <file) > 0)
				print line
		}' "$man"
}

case_examples()
{
	guest examples.sh
	cp "$share/record/examples.rst" "$work/"
	with_examples "$work/examples.rst" >"$work/man.rst"
	if [ -n "$update" ]; then
		cp "$work/man.rst" "$man"
	fi
	same "$man" "$work/man.rst"
}

case_refusals()
{
	guest refusals.sh
	"$manual/refusals.py" page "$share/record" >"$work/page.rst"
	if [ -n "$update" ]; then
		cp "$work/page.rst" "$page"
	fi
	same "$page" "$work/page.rst"
}

case_schemas()
{
	cat "$share"/record/[0-9]*/json >"$work/all.json"
	"$top/tools/kgr-ctl/tests/test_schema.py" "$work/all.json"
}

update=
[ "${1-}" != --update ] || update=y
[ -x "$build/tools/kgr-build" ] || skip_all "kgr-build was not built"
check 'patch modules for the manual' case_modules
check 'the examples of the man page' case_examples
check 'the refusals' case_refusals
check 'the documents of the refusals fit their schemas' case_schemas
tap_done
