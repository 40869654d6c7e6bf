#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The netlink specification and the headers say the same, names and values.

set -eu
. "$(dirname "$0")/tap.sh"
cd "$top"
spec=Documentation/netlink/specs/kgraft.yaml
schemas=$build/kernel-${KGR_CONFIG:-vm}/Documentation/netlink

case_same()
{
	expect '' "$(scripts/check-spec 2>&1)" 'differences'
	scripts/check-spec
}

# changed SED_SCRIPT REGEX: a specification that was changed so is found out
changed()
{
	sed "$1" $spec >"$work/spec.yaml"
	! cmp -s $spec "$work/spec.yaml"
	expect_rc 1 scripts/check-spec "$work/spec.yaml" include
	says "$2"
}

case_teeth()
{
	changed 's/name: in-guest/name: in-guests/' IN_GUESTS
	changed '/^      -$/{N;/name: wchan$/{N;N;d}}' 'number of attributes'
	changed '/name: offset/,/doc:/{s/u32/u64/}' 'attribute offset: u32'
	changed 's/      - hybrid/      - immediate/;s/      - immediate$/      - hybrid/' 'model'
	changed '/^ *name: function-get/,/^ *- state/d;s/name: nudge$/name: patch-get/' 'operation'
}

# A header that has something the specification does not
case_header_teeth()
{
	cp -r include "$work/include"
	sed -i 's/^\t__KGRAFT_A_MAX$/\tKGRAFT_A_EXTRA,\t\/* u32 *\/\n&/' "$work/include/uapi/linux/kgraft.h"
	expect_rc 1 scripts/check-spec $spec "$work/include"
	says 'number of attributes'
}

case_schema()
{
	KGR_SCHEMAS=$schemas scripts/check-spec
	sed 's/protocol: genetlink/protocol: genetlink\nprotocoll: x/' $spec >"$work/spec.yaml"
	KGR_SCHEMAS=$schemas expect_rc 1 scripts/check-spec "$work/spec.yaml"
}

check 'specification and headers agree' case_same
check 'a specification that differs is found' case_teeth
check 'a header that has more is found' case_header_teeth
if ! python3 -c 'import jsonschema' 2>/dev/null; then
	skip "the specification is valid by the kernel's schema" 'no python3-jsonschema'
elif [ -d "$schemas" ]; then
	check "the specification is valid by the kernel's schema" case_schema
else
	skip "the specification is valid by the kernel's schema" 'no kernel tree'
fi
tap_done
