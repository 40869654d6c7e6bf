/* SPDX-License-Identifier: GPL-2.0 */
/* The tracepoint of the targets in test_mech.c, one in each of the two objects */
#undef TRACE_SYSTEM
#ifdef MODULE
#define TRACE_SYSTEM kgr_test_target
#else
#define TRACE_SYSTEM kgr_test_vmlinux
#endif

#if !defined(_KGRAFT_TEST_MECH_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _KGRAFT_TEST_MECH_TRACE_H

#include <linux/tracepoint.h>

TRACE_EVENT(kgr_test_mech,

	TP_PROTO(int version, int arg),

	TP_ARGS(version, arg),

	TP_STRUCT__entry(
		__field(int, version)
		__field(int, arg)
	),

	TP_fast_assign(
		__entry->version = version;
		__entry->arg = arg;
	),

	TP_printk("version=%d arg=%d", __entry->version, __entry->arg)
);

#endif /* _KGRAFT_TEST_MECH_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE test_mech_trace
#include <trace/define_trace.h>
