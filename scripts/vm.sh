# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154
#
# What everything that starts QEMU shares: which accelerator, which machine, what a
# console must not hold.  Sourced after lib.sh.

# What all of our guests are told. A slow host is no bug of the kernel: the watchdogs
# get time, and the check at boot whether timer interrupts arrive within some ticks is
# left out.
vm_append="console=ttyS0 loglevel=7 panic=-1 no_timer_check rcupdate.rcu_cpu_stall_timeout=150 watchdog_thresh=60"

# vm_console NAME: a file for a guest's console; those of the days before are removed
vm_console()
{
	local file

	mkdir -p "$build/log"
	find "$build/log" -name "$1-*-console.log" -mmin +2880 -delete
	file=$(mktemp "$build/log/$1-$(date +%Y%m%d-%H%M%S)-XXXXXX-console.log")
	chmod 644 "$file"
	printf '%s\n' "$file"
}

# Is hardware virtualisation there, and does a guest come up with it? A host may
# have /dev/kvm and still hang its guests, so one small boot decides, once.
vm_accelerator()	# CONFIG
{
	local known

	if [ -n "${KGR_ACCEL-}" ]; then
		echo "$KGR_ACCEL"
	elif ! grep -qwE 'vmx|svm' /proc/cpuinfo || [ ! -w /dev/kvm ]; then
		echo tcg
	else
		known=$build/.accel-$(cat /proc/sys/kernel/random/boot_id)
		if [ ! -f "$known" ]; then
			if KGR_ACCEL=kvm "$top/scripts/vm-run" --config "$1" --timeout 15 \
				--allow-splat -- true >/dev/null 2>&1; then
				echo kvm >"$known.$$"
			else
				echo tcg >"$known.$$"
			fi
			mv "$known.$$" "$known"
		fi
		cat "$known"
	fi
}

# QEMU before 8.1 needs two things from us.
#
# It did not lock a page while it translated code from it: with a host thread for each
# virtual CPU, one could go on running bytes that another had just changed, an int3 of
# text_poke() among them, and the guest dies of it within minutes of patching functions
# that are being called. One host thread for all can't do that; it still switches between
# CPUs at any instruction boundary.
#
# Its CMPXCHG16B takes for flags what an earlier instruction left of its operands, when an
# interrupt has just returned. An interrupt right behind it, as on a busy host, saves
# them, and IRET makes them true: single steps, strings that are copied backwards, memory
# overwritten. The kernel has a replacement for CPUs that lack the instruction.
old_qemu()
{
	local version

	version=$(qemu-system-x86_64 --version | sed -n '1s/.*version \([0-9]*\.[0-9]*\).*/\1/p')
	[ "$(printf '%s\n' 8.1 "$version" | sort -V | head -n 1)" != 8.1 ]
}

# vm_machine ACCELERATOR CPUS: what QEMU is to be told, into vm_machine; icount
# is an accelerator of its own here
vm_machine()
{
	local thread=multi cpu=max

	if old_qemu; then
		thread=single cpu=max,-cx16
	fi
	vm_machine=(-nodefaults -no-user-config -display none -no-reboot -machine q35)
	# shellcheck disable=SC2054 # the commas are QEMU's
	case $1 in
	kvm) vm_machine+=(-accel kvm -cpu host -smp "$2") ;;
	tcg) vm_machine+=(-accel "tcg,thread=$thread" -cpu "$cpu" -smp "$2") ;;
	icount) vm_machine+=(-accel tcg,thread=single -icount shift=0,sleep=off -cpu "$cpu" -smp 1) ;;
	*) return 1 ;;
	esac
}

# vm_splats CONSOLE [EXPECTED FORCED]: the splat and what follows it, at most this
# many lines. A test may announce one warning, by a part of its message; that one is
# left out, as a whole, and noted in the file EXPECTED. So is a forced transition,
# in FORCED.
vm_splats()
{
	tr -d '\r' <"$1" | awk -v expected="${2:-/dev/null}" -v forced="${3:-/dev/null}" '
		NR == FNR { if ($0 !~ /^#/ && $0 != "") pattern[n++] = $0; next }
		match($0, /kgr-selftest expects a warning: /) { want = substr($0, RSTART + RLENGTH); next }
		/kgr-selftest expects a forced transition/ { force = 1; next }
		force && /kgraft: patch .*ing forced, / { print >forced }
		/-\[ cut here \]-/ { cut = 1; next }
		{
			if (cut && want != "" && index($0, want)) {
				want = ""
				skip = 100
				print >expected
			}
			cut = 0
			if (skip) {
				skip = /---\[ end trace / ? 0 : skip - 1
				next
			}
			for (i = 0; i < n && !left; i++)
				if ($0 ~ pattern[i])
					left = 40
			if (left && shown < 120) { print; shown++; left-- } else left = 0
		}' "$top/scripts/splats" -
}
