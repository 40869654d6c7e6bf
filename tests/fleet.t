#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The Ansible role, on three hosts that are this one, each with a kgr-ctl that keeps
# in files what is applied and writes down how it is called.

# shellcheck disable=SC2317 # check() calls the cases
set -eu
. "$(dirname "$0")/tap.sh"
command -v ansible-playbook >/dev/null || skip_all "ansible-playbook is not installed"
fleet=$top/fleet/ansible
export ANSIBLE_NOCOLOR=1 ANSIBLE_LOCALHOST_WARNING=0 ANSIBLE_INVENTORY_UNPARSED_WARNING=0
export ANSIBLE_LOCAL_TEMP=$work/ansible ANSIBLE_REMOTE_TEMP=$work/ansible ANSIBLE_RETRY_FILES_ENABLED=0
export HOME=$work

cat >"$work/kgr-ctl" <<'END'
#!/bin/bash
here=$(dirname "$0") cmd=$1
echo "$*" >>"$here/calls"
name=$(basename "${!#}" .ko)
name=${name//-/_}
applied=$(cat "$here/applied" 2>/dev/null)
[ ! -e "$here/ret-$cmd" ] || { echo "kgr-ctl: $cmd: no luck" >&2; exit "$(cat "$here/ret-$cmd")"; }
case $cmd in
uname) echo "{\"effective\": \"6.12.0${applied:++$applied}\"}" ;;
load)
	# cumulative: what was there is replaced
	result=applied
	[ "$applied" != "$name" ] || result=already-applied
	echo "$name" >"$here/applied"
	echo "{\"result\": \"$result\"}"
	;;
info)
	[ "$applied" = "$name" ] || exit 8
	echo '{"patch": {"state": "applied"}}'
	;;
install)
	result=installed
	[ ! -e "$here/installed" ] || result=already-installed
	echo "$name" >"$here/installed"
	echo "{\"result\": \"$result\"}"
	;;
unload)
	[ "$applied" = "$name" ] || exit 8
	rm "$here/applied"
	;;
esac
END
chmod +x "$work/kgr-ctl"

# hosts: three that know of no patch
hosts()
{
	rm -rf "$work/hosts" "$work/report"
	mkdir -p "$work/report"
	for h in a b c; do
		mkdir -p "$work/hosts/$h"
		cp "$work/kgr-ctl" "$work/hosts/$h/"
	done
	: >"$work/kgr-fix.ko"
	: >"$work/kgr-old.ko"
}

# rollout RC [OPTION...]: a batch for each host
rollout()
{
	local wanted=$1 rc=0

	shift
	ansible-playbook -i a,b,c -c local "$fleet/rollout.yml" -e ansible_python_interpreter=/usr/bin/python3 \
		-e "{kgraft_tools: false, kgraft_become: false, kgraft_batches: [1]}" \
		-e "kgraft_patch=$work/kgr-fix.ko kgraft_report_dir=$work/report" \
		-e "kgraft_ctl=$work/hosts/{{inventory_hostname}}/kgr-ctl" \
		-e "kgraft_modules_dir=$work/hosts/{{inventory_hostname}}/modules" \
		-e 'kgraft_health_retries=1 kgraft_health_delay=0' "$@" >"$work/out" 2>&1 </dev/null || rc=$?
	cat "$work/out"
	if [ "$wanted" != fail ]; then
		expect "$wanted" $rc "exit status"
	elif [ $rc = 0 ]; then
		echo "it did not fail"
		return 1
	fi
}

calls()		# HOST COMMAND...: exactly these, in this order
{
	local host=$1

	shift
	expect "$*" "$(cut -d' ' -f1 "$work/hosts/$host/calls" 2>/dev/null | paste -sd' ')" "calls on $host"
}

report()	# HOST KEY
{
	python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])' "$work/report/$1.json" "$2"
}

case_syntax()
{
	ansible-playbook --syntax-check -i localhost, "$fleet/rollout.yml"
}

case_lint()
{
	cd "$fleet" && ansible-lint --offline --nocolor -q
}

case_good()
{
	hosts
	rollout 0 -e '{kgraft_health_command: "test -e '"$work"'/hosts/{{inventory_hostname}}/applied"}'
	for h in a b c; do
		calls "$h" uname load info verify install uname
		expect applied "$(report "$h" outcome)"
		expect 6.12.0 "$(report "$h" before)"
		expect 6.12.0+kgr_fix "$(report "$h" after)"
	done
	grep -q -- '--on-timeout revert' "$work/hosts/a/calls"
}

# Depends on what case_good left
case_again()
{
	rollout 0
	! grep -qE 'changed=[1-9]' "$work/out"
}

case_unhealthy()
{
	hosts
	rollout fail -e '{kgraft_health_command: "echo sick >&2; test {{inventory_hostname}} != b"}'
	calls a uname load info verify install uname
	calls b uname load info verify unload uname
	calls c
	[ ! -e "$work/hosts/b/applied" ]
	[ ! -e "$work/hosts/b/installed" ]
	expect applied "$(report a outcome)"
	expect reverted "$(report b outcome)"
	report b reason | grep -q "Check the host's health: sick"
	[ ! -e "$work/report/c.json" ]
}

case_previous()
{
	hosts
	echo kgr_old >"$work/hosts/a/applied"
	rollout fail -e "kgraft_previous=$work/kgr-old.ko" -e '{kgraft_health_command: "false"}'
	calls a uname load info verify load unload uname
	expect kgr_old "$(cat "$work/hosts/a/applied")"
	expect 6.12.0+kgr_old "$(report a after)"
}

case_refused()
{
	hosts
	echo 4 >"$work/hosts/a/ret-load"
	rollout fail
	calls a uname load unload uname
	calls b
	expect reverted "$(report a outcome)"
	report a reason | grep -q 'Load it: kgr-ctl: load: no luck'
}

case_not_redirected()
{
	hosts
	echo 1 >"$work/hosts/a/ret-verify"
	rollout fail
	calls a uname load info verify unload uname
	[ ! -e "$work/hosts/a/applied" ]
}

case_stuck()
{
	hosts
	echo 6 >"$work/hosts/a/ret-unload"
	rollout fail -e '{kgraft_health_command: "false"}'
	expect stuck "$(report a outcome)"
	report a reason | grep -q 'going back failed too: Take the bad one out: kgr-ctl: unload: no luck'
	calls b
}

check "the playbook's syntax" case_syntax
if command -v ansible-lint >/dev/null; then
	check "ansible-lint has nothing to say" case_lint
else
	skip "ansible-lint has nothing to say" "it is not installed"
fi
check "a good patch: each host, installed when it has done good" case_good
check "once more: nothing is changed" case_again
check "a host that gets sick goes back, and later batches are left alone" case_unhealthy
check "it goes back to the patch before" case_previous
check "a patch that is refused" case_refused
check "a patch that is not in force" case_not_redirected
check "a host that can't go back is reported as such" case_stuck
tap_done
