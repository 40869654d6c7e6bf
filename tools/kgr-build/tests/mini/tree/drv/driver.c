// SPDX-License-Identifier: GPL-2.0
#include <mini.h>

long driver_read(struct widget *w)
{
	return core_read(w) + 4;
}
