#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Everything at a time, in random order, for KGR_SECONDS: patches of vmlinux and of a
# module are applied, stacked, replaced, reversed, reverted and unloaded; the module
# comes and goes, also in mid-transition; CPUs go and come; kernel threads, interrupts
# and sleepers call what is patched, and so do processes that are forked, executed,
# signalled, stopped, traced and killed (churn.c). What the model promises holds
# throughout, and each kind of event has to have happened, or nothing is proved.
# KGR_SEED repeats a sequence of operations.

. "$(dirname "$0")/lib/kgr.sh"

: "${KGR_SEED:=$(( ${EPOCHREALTIME/[.,]/} % 32768 ))}"

TARGET=/sys/kernel/debug/kgraft_test_target
PATCHES=(kgr_test_many1 kgr_test_many2 kgr_test_many3 kgr_test_many4 kgr_test_many5)

# All that callers compare is in each patch, so that they never disagree by right, and
# a function that sleepers hold; what else a patch has is random.
FUNS=inner,outer,first,second,value,sleep
EXTRAS=(tsleep other dup dup2)

# What is done, as a deck of cards: shuffled, dealt, and shuffled again
DECK=(load load load replace toggle toggle toggle reverse reverse unload unload
	target_load target_unload target_mid target_mid cpu cpu sleeper
	target_sleeper kill wake nudge list kthread interrupts settle)

CPUS=()
for cpu in /sys/devices/system/cpu/cpu[1-9]*; do
	[ ! -w "$cpu/online" ] || CPUS+=("$cpu")
done

declare -A COUNTS

count()
{
	COUNTS[$1]=$((${COUNTS[$1]:-0} + 1))
}

# answered WHAT [ERROR]... - count an operation's answer in REPLY, which has to be ok
# or one of the errors that are right then: a transition runs, a module is in use
answered()
{
	count "$1 $REPLY"
	[ "$REPLY" = ok ] || [[ " ${*:2} " == *" $REPLY "* ]] || kgr_fail "$1: $REPLY"
}

any_patch()
{
	PATCH=${PATCHES[RANDOM % ${#PATCHES[@]}]}
}

# any_with FILE VALUE - a patch with that in its file, such as refs or enabled; at
# times any, so that what has to be refused is tried too
any_with()
{
	local i

	any_patch
	for ((i = RANDOM % 16; i > 0; i--)); do
		kgr_get "$PATCH/$1"
		[ "$REPLY" != "$2" ] || return
		any_patch
	done
}

# any_unloaded - one whose module is not there, or any
any_unloaded()
{
	local i

	any_patch
	for ((i = RANDOM % 16; i > 0; i--)); do
		[ -d "/sys/module/$PATCH" ] || return
		any_patch
	done
}

load()
{
	local funs=$FUNS extra

	any_unloaded
	for extra in "${EXTRAS[@]}"; do
		[ $((RANDOM % 3)) -ne 0 ] || funs+=,$extra
	done
	kgr_load "$PATCH" model="$MODEL" funs="$funs" "$@"
}

load_one()
{
	load
	answered load EAGAIN EEXIST
	[ "$REPLY" != ok ] || ! others_stand_on_one || count "load on top of others"
}

# It is refused as long as another transition runs
op_load()
{
	[ $((RANDOM % 2)) -eq 0 ] || op_settle
	load_one
}

others_stand_on_one()
{
	local name

	for name in "${PATCHES[@]}"; do
		kgr_get "$name/refs"
		[ "${REPLY:-0}" -eq 0 ] || return 0
	done
	return 1
}

op_replace()
{
	[ $((RANDOM % 2)) -eq 0 ] || op_settle
	load replace=1
	answered "load to replace" EAGAIN EEXIST
}

# Apply a patch again, or revert it; a reversal if its transition happens to run
op_toggle()
{
	local file

	any_with refs 0
	file=$KGR_SYSFS/$PATCH/enabled
	[ -e "$file" ] || return
	kgr_file "$file"
	kgr_put $((1 - REPLY)) "$file"
	answered toggle EAGAIN EBUSY EINVAL ENOENT
}

# running - the patch in transition
running()
{
	local name

	for name in "${PATCHES[@]}"; do
		kgr_get "$name/transition"
		if [ "$REPLY" = 1 ]; then
			REPLY=$name
			return
		fi
	done
	return 1
}

# hold - have a transition that goes on, since nobody is nudged and one task sleeps
# where it can't migrate. It may fail: there may be nothing to apply or to revert.
hold()
{
	local i pid

	kgr_set_nudge 0
	sleeper holder "$KGR_DIR/actor" sleep 1
	pid=$REPLY
	kgr_until 10 kgr_asleep "$pid" D
	for i in 1 2 3 4; do
		! running || return 0
		op_toggle
		load_one
	done
	running
}

release()
{
	kgr_set_nudge "$KGR_NUDGE_MS"
	kgr_wake
}

# Send a transition back, at times more than once
op_reverse()
{
	local i name

	if hold; then
		for ((i = RANDOM % 3; i >= 0; i--)); do
			running || break
			name=$REPLY
			kgr_get "$name/enabled"
			kgr_put $((1 - REPLY)) "$KGR_SYSFS/$name/enabled"
			# complete meanwhile, and this is like any other change
			answered reverse EAGAIN EBUSY EINVAL ENOENT
			kgr_sleep_ms $((RANDOM % 20))
		done
	fi
	release
}

op_unload()
{
	any_with enabled 0
	kgr_unload "$PATCH"
	answered unload EAGAIN ENOENT EBUSY
}

op_target_load()
{
	kgr_load kgr_test_target
	answered "module load" EEXIST
}

op_target_unload()
{
	kgr_unload kgr_test_target
	answered "module unload" ENOENT EAGAIN EBUSY
}

# The module comes and goes, or goes and comes, while a transition runs
op_target_mid()
{
	# who sleeps in it keeps it from going
	kgr_wake
	if hold; then
		target_flip "$REPLY"
		target_flip "$REPLY"
	fi
	release
}

# target_flip PATCH - what the module does counts if PATCH is in transition before and
# after; PATCH in REPLY
target_flip()
{
	local what

	if [ -d /sys/module/kgr_test_target ]; then
		what="module unload"
		kgr_until 1 kgr_unloaded kgr_test_target
		answered "$what" EAGAIN EBUSY
	else
		what="module load"
		op_target_load
	fi
	[ "$REPLY" != ok ] || ! running || [ "$REPLY" != "$1" ] || count "$what in mid-transition"
	REPLY=$1
}

# One of those that can go goes, or comes back
op_cpu()
{
	local cpu

	[ ${#CPUS[@]} -ne 0 ] || return
	cpu=${CPUS[RANDOM % ${#CPUS[@]}]}
	kgr_file "$cpu/online"
	set -- $((1 - REPLY))
	kgr_put "$1" "$cpu/online"
	answered "cpu $1" EBUSY
}

sleeper()
{
	[ ${#KGR_PIDS[@]} -lt 12 ] || op_kill
	kgr_spawn "$@"
	count "$1"
}

op_sleeper()
{
	sleeper sleeper "$KGR_DIR/actor" sleep $((RANDOM % 3))
}

# Asleep in the module's function
op_target_sleeper()
{
	[ -e $TARGET/sleep ] || return
	sleeper "module sleeper" "$BASH" -c 'echo 0 > "$0"' $TARGET/sleep
}

op_kill()
{
	[ ${#KGR_PIDS[@]} -gt "$KEEP" ] || return
	kgr_kill "${KGR_PIDS[-1]}"
	unset 'KGR_PIDS[-1]'
	count kill
}

op_wake()
{
	kgr_wake
	count wake
}

op_nudge()
{
	kgr_nudge
	count nudge
}

op_list()
{
	kgr_stragglers
	cat $KGR_SYSFS/*/state /proc/[0-9]*/kgr_in_progress > /dev/null 2>&1
	count list
}

op_kthread()
{
	echo "$((RANDOM % 2))" > "$KGR_TARGETS/kthread"
	echo "$((RANDOM % 200 + 1))" > "$KGR_TARGETS/kbusy"
	count kthread
}

# They take most of a CPU that is emulated: off again after some cards
op_interrupts()
{
	echo 1 > "$KGR_TARGETS/interrupts"
	INTERRUPTS=4
	count interrupts
}

interrupts_age()
{
	INTERRUPTS=$((INTERRUPTS - 1))
	[ "$INTERRUPTS" -ne 0 ] || echo 0 > "$KGR_TARGETS/interrupts"
}

# Sleepers that were restarted sleep again: wake until it is done
op_settle()
{
	local end=$((SECONDS + KGR_TIMEOUT)) name

	while running; do
		name=$REPLY
		kgr_wake
		kgr_wait "$name" 1
		[ "$SECONDS" -lt "$end" ] || kgr_fail_list "$name is stuck" || return
	done
	count settle
}

# deal SECONDS - one card after the other, all of them at least once
deal()
{
	local end=$((SECONDS + $1)) deck i other card

	while :; do
		deck=("${DECK[@]}")
		for ((i = ${#deck[@]} - 1; i > 0; i--)); do
			other=$((RANDOM % (i + 1)))
			card=${deck[i]}; deck[i]=${deck[other]}; deck[other]=$card
		done
		for card in "${deck[@]}"; do
			"op_$card"
			interrupts_age
			[ "$KGR_FAILED" -eq 0 ] || return
		done
		# The log is read while it is there
		kgr_logged nothing
		[ "$SECONDS" -lt "$end" ] || return
	done
}

# What has to have happened: by what was done, by what the kernel has said, and by what
# churn has counted
KINDS=("load ok" "load to replace ok" "load on top of others" "unload ok" "reverse ok"
	"module load ok" "module unload ok" "module load in mid-transition"
	"module unload in mid-transition" sleeper "module sleeper" kill wake nudge list
	kthread interrupts settle)
[ ${#CPUS[@]} -eq 0 ] || KINDS+=("cpu 0 ok" "cpu 1 ok")

declare -A SAID=(
	[applied]="patching started"
	[reverted]="reverting started"
	[reversed]="': reversed, "
	[completed]="(patching|reverting) succeeded"
	[replaced]="': replaced by "
	["module patched"]="module 'kgr_test_target' is patched"
)
CHURNED="forks vforks threads execs signals handled stops attaches syscall_stops detaches
	kills target_runs old new"

ask_log()
{
	local kind

	for kind in "${!SAID[@]}"; do
		kgr_logged "${SAID[$kind]}"
		COUNTS[$kind]=$REPLY
	done
}

# missing - the kinds that have not happened
missing()
{
	local kind

	ask_log
	REPLY=
	for kind in "${KINDS[@]}" "${!SAID[@]}"; do
		[ "${COUNTS[$kind]:-0}" -gt 0 ] || REPLY+="${REPLY:+, }$kind"
	done
	[ -n "$REPLY" ]
}

start_load()
{
	echo 0 > "$KGR_TARGETS/stats"
	kgr_spawn hammer "$KGR_DIR/hammer" -t $(( (KGR_THREADS + 15) / 16 ))
	HAMMER=$REPLY
	kgr_says hammer '^ready' || return
	kgr_spawn churn "$KGR_DIR/churn" "$KGR_SEED"
	CHURN=$REPLY
	kgr_says churn '^ready' || return
	KEEP=${#KGR_PIDS[@]}
	echo 1 > "$KGR_TARGETS/softirq"
}

# ended NAME PID - it says by its status whether it has seen something wrong
ended()
{
	kill -TERM "$2" 2> /dev/null
	kgr_until 90 kgr_is_dead "$2" || kgr_fail "$1 does not end" || return
	kgr_reap "$2" || kgr_fail "$1: something failed, or was mixed"
}

stop_load()
{
	local cpu kind

	kgr_set_nudge "$KGR_NUDGE_MS"
	for cpu in "${CPUS[@]}"; do
		echo 1 > "$cpu/online" 2> /dev/null
	done
	for kind in kthread interrupts softirq; do
		echo 0 > "$KGR_TARGETS/$kind"
	done
	ended churn "$CHURN"
	ended hammer "$HAMMER"
	kgr_kill_actors
	op_settle
	# It says what it has seen
	kgr_until 10 kgr_unloaded kgr_test_target || kgr_fail "can't unload the module: $REPLY"
}

summary()
{
	local kind

	kgr_msg "model $MODEL, seed $KGR_SEED"
	for kind in "${!COUNTS[@]}"; do
		kgr_msg "$kind: ${COUNTS[$kind]}"
	done | sort
	for kind in hammer churn; do
		kgr_output $kind
		kgr_msg "$kind: $REPLY"
	done
	kgr_show_stats
	kgr_log "kgr_test_target: saw "
	kgr_msg "${REPLY:-the module has seen nothing}"
}

never()
{
	kgr_is "$1 $2 mixed" 0 kgr_stats "$1" "$2" mixed
}

nothing_mixed()
{
	local context pair

	for context in task kthread softirq hardirq nmi tasklet ksoftirqd rcu workqueue threadirq; do
		never $context nested
	done
	for context in softirq hardirq nmi tasklet ksoftirqd; do
		never $context seq
	done
	never tasklet above
	# Asleep between the two functions they may migrate under hybrid
	[ "$MODEL" -eq 0 ] || return
	for pair in seq bh work; do
		never task $pair
	done
	kgr_is "mixed in the module" 0 kgr_logged "kgr_test_target: saw .* mixed=[1-9]"
}

everything_happened()
{
	local kind

	! missing || kgr_fail "did not happen: $REPLY"
	for kind in $CHURNED; do
		kgr_said_word churn "$kind"
		kgr_num "churn: $kind" "${REPLY:-0}" -gt 0
	done
}

# A slow machine gets more time for what has not happened yet
stress()
{
	local limit=$((SECONDS + 4 * $2 + 300))

	MODEL=$1
	COUNTS=()
	INTERRUPTS=0
	RANDOM=$KGR_SEED
	kgr_msg "seed $KGR_SEED"
	start_load || return
	deal "$2"
	while [ "$KGR_FAILED" -eq 0 ] && [ "$SECONDS" -lt "$limit" ] && missing; do
		deal 0
	done
	stop_load
	everything_happened
	summary
	nothing_mixed
}

case_universe() { stress 0 $(( (KGR_SECONDS + 1) / 2 )); }
case_hybrid() { stress 1 $(( (KGR_SECONDS + 1) / 2 )); }
kgr_case case_universe "random operations, universe"
# Where all is watched one deck takes a minute: one model, unless there is time
if [ "$KGR_SECONDS" -ge 60 ] || ! kgr_config CONFIG_KASAN; then
	kgr_case case_hybrid "random operations, hybrid"
fi

kgr_run
