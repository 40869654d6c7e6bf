/* SPDX-License-Identifier: GPL-2.0 */
/* Shared with ../bpf.c: what the helpers return that kgr_test_bpf.ko puts in */
#ifndef _KGR_TEST_BPF_H
#define _KGR_TEST_BPF_H

#define KGR_TEST_BPF_NEW	0x6b6772

#endif /* _KGR_TEST_BPF_H */
