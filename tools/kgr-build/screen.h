/* SPDX-License-Identifier: GPL-2.0 */
/* Objects that a header is in, but that stay what they are */
#ifndef KGR_BUILD_SCREEN_H
#define KGR_BUILD_SCREEN_H

#include "model.h"

/*
 * Do two objects, from the same command, hold the same?  Debug data aside, and
 * the numbers in names that the compiler counts up.
 */
bool screen_same(const struct obj *x, const struct obj *y);

#endif
