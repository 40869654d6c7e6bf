/* SPDX-License-Identifier: GPL-2.0 */
/* Commands of the agent: each writes its answer to out. See agent.c. */
#ifndef _KGR_SELFTEST_AGENT_H
#define _KGR_SELFTEST_AGENT_H

#include <stdio.h>

/* agent_kernel.c: the state of the kernel, and its log */
void agent_mark(int argc, char **argv, FILE *out);
void agent_said(int argc, char **argv, FILE *out);
void agent_expect(int argc, char **argv, FILE *out);
void agent_lines(int argc, char **argv, FILE *out);
void agent_kunit(int argc, char **argv, FILE *out);
void agent_shortage(int argc, char **argv, FILE *out);
void agent_gate(int argc, char **argv, FILE *out);
void agent_snapshot(int argc, char **argv, FILE *out);
void agent_compare(int argc, char **argv, FILE *out);
void agent_log_drain(void);

/* agent_faults.c: a system call in which an allocation fails */
void agent_fault_put(int argc, char **argv, FILE *out);

#endif /* _KGR_SELFTEST_AGENT_H */
