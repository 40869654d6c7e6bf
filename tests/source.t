#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What can be said about the sources without building them.

set -eu
. "$(dirname "$0")/tap.sh"
cd "$top"
kernel_tools=$build/kernel-${KGR_CONFIG:-vm}/scripts
c_files=(kernel/kgraft/*.[ch] arch/x86/kgraft/*.c arch/x86/include/asm/kgraft.h include/linux/kgraft*.h)

case_barriers()
{
	scripts/check-barriers
}

# A letter that has lost its other end is found
case_barriers_teeth()
{
	sed 's/(D) pairs with (A)/(D) belongs to (A)/' kernel/kgraft/redirect.c >"$work/redirect.c"
	expect_rc 1 scripts/check-barriers kernel/kgraft/transition.c "$work/redirect.c"
	says 'names (D) in kgr_redirect_target()'
}

case_spdx()
{
	local f missing=

	for f in $(git ls-files '*.c' '*.h' '*.sh' '*.t' '*.pml' '*.rst' '*.yaml' '*Makefile' '*Kconfig' '*.config' 'scripts/*' ':!scripts/splats'); do
		head -n 3 "$f" | grep -q SPDX-License-Identifier || missing+=" $f"
	done
	expect '' "$missing" 'files without a license'
}

case_kernel_doc()
{
	expect '' "$("$kernel_tools/kernel-doc" -none -Wall "${c_files[@]}" 2>&1)" 'complaints of kernel-doc'
}

# Left out: X-macros and tables look like mistakes to it, and it can't know that
# these files are new
case_checkpatch()
{
	local types=COMPLEX_MACRO,MACRO_ARG_REUSE,MACRO_ARG_UNUSED,TRAILING_SEMICOLON,BRACKET_SPACE
	types+=,FILE_PATH_CHANGES,EXPORT_SYMBOL,AVOID_EXTERNS,LONG_LINE,LONG_LINE_STRING
	types+=,PREFER_DEFINED_ATTRIBUTE_MACRO

	"$kernel_tools/checkpatch.pl" --no-tree --terse --no-summary --ignore "$types" -f "${c_files[@]}" kernel/kgraft/Kconfig
}

case_error_codes()
{
	tools/kgr-build/error-codes >"$work/error-codes.rst"
	diff -u Documentation/kgraft/error-codes.rst "$work/error-codes.rst"
}

# There is no way to provoke an internal error
case_error_tests()
{
	expect 'KGR-E001 INTERNAL' "$(tools/kgr-build/error-codes --untested)" 'codes that no test knows'
}

check 'lettered barriers have both ends' case_barriers
check "kgr-build: the page of diagnostics is what errors.def makes" case_error_codes
check 'kgr-build: each diagnostic has a test' case_error_tests
check 'one that has lost an end is found' case_barriers_teeth
if git rev-parse --git-dir >/dev/null 2>&1; then
	check 'every source file names its license' case_spdx
else
	skip 'every source file names its license' 'not a git checkout'
fi
if [ -x "$kernel_tools/checkpatch.pl" ]; then
	check 'kernel-doc has nothing to say' case_kernel_doc
	check 'checkpatch has nothing to say' case_checkpatch
else
	skip 'kernel-doc has nothing to say' "no kernel tree"
	skip 'checkpatch has nothing to say' "no kernel tree"
fi
tap_done
