# SPDX-License-Identifier: GPL-2.0
#
# What differs from one run to the next, and may: both sides of a comparison pass
# through this, the pages themselves have what a run has printed. All other text
# has to be the same, to the letter.

# 1. points in time
s/[0-9]\{4\}-[0-9][0-9]-[0-9][0-9] [0-9][0-9]:[0-9][0-9]:[0-9][0-9]/TIME/g
# 2. how long something has taken
s/\b[0-9]\+\(\.[0-9]\+\)\?\( seconds\|ms\|s\)\b/DURATION/g
# 3. build-ids and other checksums, addresses and offsets
s/\b[0-9a-f]\{32,40\}\b/ID/g
s/\b\([a-z_0-9]*\)-[0-9a-f]\{16\}\.ko/\1-ID.ko/g
s/0x[0-9a-f]\+/OFFSET/g
# 4. the kernel's release, with what follows it in the version magic
s/6\.12\.[0-9]\+[^ ,:;"'`/]*/RELEASE/g
# 5. ids of processes, and numbers of threads and contexts: two digits or more;
#    nudges, and the CPU of a thread
s/\b[0-9]\{2,\}\b/NUMBER/g
s/\b\(stack_check\|wake\|resched\|signal\) [0-9]\+/\1 NUMBER/g
s/\(  user  *\)[0-9]\+ /\1CPU /
# 6. columns are as wide as what is in them
s/\(.\)  \+/\1 /g
# 7. watch may come at the moment when all have migrated and the end is not yet there
/ applying \[#*\] NUMBER\/NUMBER$/d
