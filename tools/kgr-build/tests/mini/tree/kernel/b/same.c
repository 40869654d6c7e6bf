// SPDX-License-Identifier: GPL-2.0
/* Twice with the same file name, the same static function, of the same size */
#include <mini.h>

static noinline long same_step(long v)
{
	return v + tick_count;
}

long same_of_b(long v)
{
	return same_step(v) ^ same_step(v + 2);
}
