# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034
#
# What the scripts share: where things are, how they speak, what the overlay is.
# Sourced, never run; the caller sets -eu.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
self=${0##*/}

# A make above us speaks to the project's Makefile, not to the kernel's.
unset MAKEFLAGS MFLAGS MAKELEVEL

# BUILD may move everything that is built out of the checkout.
build=${BUILD:-$top/build}

base_series=linux-6.12
base_version=6.12

# note TEXT...: one line for the reader, on stderr
note()
{
	printf '%s: %s\n' "$self" "$*" >&2
}

# die TEXT...: say why and leave
die()
{
	note "$*"
	exit 1
}

# need TOOL...: stop unless all of these programs can be run
need()
{
	local tool missing=

	for tool; do
		command -v "$tool" >/dev/null || missing+=" $tool"
	done
	[ -z "$missing" ] || die "missing:$missing (scripts/install-deps installs what kGraft needs)"
}

# The overlay: every new file of the subsystem, at the path it has in the
# kernel. The one list that integrate and make-series go by.
overlay_paths=(
	kernel/kgraft
	arch/x86/kgraft
	arch/x86/include/asm/kgraft.h
	'include/linux/kgraft*.h'
	include/uapi/linux/kgraft.h
	include/trace/events/kgraft.h
	samples/kgraft
	tools/testing/selftests/kgr
	Documentation/kgraft
	Documentation/netlink/specs/kgraft.yaml
	'Documentation/ABI/testing/*kgraft*'
)

# overlay_files: the overlay's files that exist, one a line, sorted. Files that
# git ignores (what a build left behind) are none of it.
overlay_files()
{
	local f

	if [ "$(git -C "$top" rev-parse --show-toplevel 2>/dev/null)" = "$top" ]; then
		git -C "$top" ls-files -co --exclude-standard -- "${overlay_paths[@]}"
	else
		(cd "$top" && for f in "${overlay_paths[@]}"; do
			# shellcheck disable=SC2086 # the patterns are meant to expand
			find $f -type f ! -name '*.o' ! -name '*.ko' ! -name '*.mod*' \
				! -name '.*' ! -name '*~' 2>/dev/null || :
		done)
	fi | sort -u | while IFS= read -r f; do
		[ ! -f "$top/$f" ] || printf '%s\n' "$f"
	done
}

# series_patches: the hook patches for the base kernel, in order
series_patches()
{
	local p

	for p in "$top/patches/$base_series"/*.patch; do
		[ ! -f "$p" ] || printf '%s\n' "$p"
	done
}

# git_apply DIR ARG...: git apply in DIR, whatever repository DIR may lie in;
# context must match, only offsets are forgiven (as git am does)
git_apply()
{
	local dir=$1

	shift
	(cd "$dir" && GIT_DIR=/dev/null git apply --whitespace=nowarn "$@")
}

# patch_paths PATCH...: every path the patches name
patch_paths()
{
	local p

	for p; do
		git_apply / --numstat -- "$p" | cut -f3-
	done | sort -u
}

# kernel_version DIR: "6.12.117" of a kernel source tree, nothing if it is none
kernel_version()
{
	[ -f "$1/Makefile" ] && [ -f "$1/Kconfig" ] || return 0
	awk -F' *= *' '
		$1 == "VERSION" { v = $2 } $1 == "PATCHLEVEL" { p = $2 }
		$1 == "SUBLEVEL" { s = $2; exit }
		END { if (v != "" && p != "") print v "." p "." s }' "$1/Makefile"
}

# kernel_make_args MAP COMPILER: what make is told in the trees of our kernels, into
# make_args; MAP is the flag that takes their path out of the objects
kernel_make_args()
{
	make_args=(
		KCFLAGS="$1"
		KAFLAGS="$1"
		LOCALVERSION=
		KBUILD_BUILD_TIMESTAMP='2024-11-17 22:15:08 UTC'
		KBUILD_BUILD_USER=kgraft
		KBUILD_BUILD_HOST=kgraft
		KBUILD_BUILD_VERSION=1
	)
	[ "$2" = gcc ] || make_args+=(CC="$2" HOSTCC="$2")
}

# tree_make_args TREE: the same as it was when TREE was built: other flags would
# rebuild all of it
tree_make_args()
{
	local cmd=$1/init/.main.o.cmd compiler=gcc

	if grep -q '^savedcmd_init/main.o := ccache ' "$cmd"; then
		compiler='ccache gcc'
	fi
	kernel_make_args "$(sed -n '1s/.* \(-fdebug-prefix-map=[^ ]*\).*/\1/p' "$cmd")" "$compiler"
}

# tree_overlay TREE LAYER: from here on, whatever is written to TREE goes to LAYER/up;
# to be called in a mount namespace of its own (unshare -rm), whose root may not write
# the attributes that a removed directory leaves under its usual name: hence userxattr
tree_overlay()
{
	mkdir -p "$2/up" "$2/work"
	mount -t overlay -o "lowerdir=$1,upperdir=$2/up,workdir=$2/work,userxattr" kgraft "$1"
}
