// SPDX-License-Identifier: GPL-2.0
long vdso_time(long v)
{
	return v + 6;
}
