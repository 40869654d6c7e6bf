# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154
#
# What package-deb and package-rpm share: which version it is, and the sources
# as they are in the checkout, without what was built there.
# Sourced after lib.sh.

changelog=$top/packaging/debian/changelog

# The changelog says it, and nothing else does
package_version=$(sed -n '1s/^[^(]*(\([^)]*\)).*/\1/p' "$changelog")
[ -n "$package_version" ] || die "$changelog: its first line names no version"

# Two packages of one checkout are the same, whenever they are made
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(date -d "$(sed -n '/^ -- /{ s/^.*>  //p; q }' "$changelog")" +%s)}
export SOURCE_DATE_EPOCH

# export_sources DIR: what git knows or could know, or, where there is no git, all
# but what is built. In either case as it is now, changes included.
export_sources()
{
	rm -rf "$1"
	mkdir -p "$1"
	if [ "$(git -C "$top" rev-parse --show-toplevel 2>/dev/null)" = "$top" ]; then
		git -C "$top" ls-files -z -co --exclude-standard
	else
		(cd "$top" && find . \( -path ./build -o -name .git \) -prune -o -type f ! -name '*.o' -print0)
	fi | tar -C "$top" -c --null -T - --ignore-failed-read 2>/dev/null | tar -C "$1" -x
	[ -f "$1/tools/kgr-ctl/Makefile" ] || die "$1: could not copy the sources there"
	chmod -R u+w,go-w "$1"
}
