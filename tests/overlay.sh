# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154
#
# A copy of this machine that is thrown away: an overlay, at $root, in a mount namespace
# of its own. Sourced after tap.sh, with the arguments of the test: it is run anew in that
# namespace, as "TEST inside".

[ "$(id -u)" = 0 ] || skip_all "this needs root"
if [ "${1-}" != inside ]; then
	rm -rf "$work"
	exec unshare -m --propagation private "$0" inside
fi
tmp=$work/tmp
root=$tmp/root
mkdir "$tmp"
mount -t tmpfs none "$tmp"
mkdir "$tmp"/{up,work,root}
mount -t overlay -o "lowerdir=/,upperdir=$tmp/up,workdir=$tmp/work" none "$root" 2>/dev/null ||
	skip_all "there can be no overlay here"
mount -t proc none "$root/proc"
[ -e "$root/dev/fd" ] || ln -s /proc/self/fd "$root/dev/fd"
trap 'umount -R "$root" "$tmp"; rm -rf "$work"' EXIT

inside()
{
	chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root DEBIAN_FRONTEND=noninteractive "$@"
}

# A kgr-ctl that writes down how it is called, so that no kGraft is needed; it fails with
# the exit status in /ret-COMMAND, if there is one
recorder()
{
	cat >"$root/usr/sbin/kgr-ctl" <<-'END'
		#!/bin/sh
		[ "$1" != mode ] || { echo '{"mode": "normal"}'; exit 0; }
		echo "$*" >>/calls
		[ ! -e "/ret-$1" ] || { echo "kgr-ctl: no luck" >&2; exit "$(cat "/ret-$1")"; }
	END
	chmod +x "$root/usr/sbin/kgr-ctl"
}

# calls LINE...: what kgr-ctl was called with since, exactly
calls()
{
	expect "$(printf '%s\n' "$@")" "$(cat "$root/calls" 2>/dev/null)" "calls of kgr-ctl"
	rm -f "$root/calls"
}

# The kernel there says that it is this one
kernel_is()	# RELEASE
{
	printf '#!/bin/sh\necho %s\n' "$1" >"$tmp/uname"
	chmod +x "$tmp/uname"
	rm "$root/bin/uname"
	cp "$tmp/uname" "$root/bin/uname"
}

# patch_package KIND VERSION DIRECTORY: made by kgr-build, for the kernel 6.12.0-mini
patch_package()
{
	KGR_BUILD=$build/tools/kgr-build bash -uc '. "$1/tools/kgr-build/tests/mini/mini.sh"
		make_tree || exit
		edit fix kernel/core.c "s/return v + clamped;/return v + clamped + $3;/"
		cd "$work/out" && "$tool" -q -k "$tree" --package "$2" --package-version "$3" "$work/fix.patch" &&
			cp ./*."$2" "$4"' - "$top" "$1" "$2" "$3"
}
