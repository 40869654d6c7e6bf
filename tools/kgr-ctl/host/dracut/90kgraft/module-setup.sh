#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Puts kgr-ctl into the initramfs if a patch of this kernel was installed with
# --initramfs.  The patches themselves are read from the root file system.

check()
{
	require_binaries kgr-ctl || return 1
	# shellcheck disable=SC2154 # kernel is dracut's
	grep -qs ' initramfs$' "/var/lib/kgraft/$kernel/index" || return 255
}

depends()
{
	return 0
}

install()
{
	inst_multiple kgr-ctl
	# shellcheck disable=SC2154 # moddir is dracut's
	inst_hook pre-pivot 50 "$moddir/kgraft.sh"
}
