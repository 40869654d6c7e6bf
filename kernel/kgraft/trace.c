// SPDX-License-Identifier: GPL-2.0
/* The one place that instantiates kGraft's trace points. */
#define CREATE_TRACE_POINTS
#include <trace/events/kgraft.h>
