#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What kgr-build reads, fed with damaged input.

set -eu
top=$(cd "$(dirname "$0")/.." && pwd -P)
build=${BUILD:-$top/build}
make --no-print-directory -s -C "$top/tools/kgr-build" O="$build/tools" fuzzers >&2 || :
export KGR_BUILD=$build/tools/kgr-build KGR_FUZZ=$build/tools/kgr-build.obj.fuzz
exec "$top/tools/kgr-build/tests/fuzz.t"
