// SPDX-License-Identifier: GPL-2.0
#include <mini.h>

static noinline long mask_of(long v)
{
	return v & 0xff;
}

long strip_low(long v)
{
	return v & ~mask_of(v);
}
