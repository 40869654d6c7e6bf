#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# kgr-build from diffs to modules, against the tree of the vm kernel.

set -eu
top=$(cd "$(dirname "$0")/.." && pwd -P)
build=${BUILD:-$top/build}
export KGR_TREE=$build/kernel-vm KGR_BUILD=$build/tools/kgr-build
exec "$top/tools/kgr-build/tests/e2e.t"
