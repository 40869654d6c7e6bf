/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KGR_SYSCALLS_H
#define _KGR_SYSCALLS_H

#include <stdint.h>

/* NULL: this build knows no such number */
const char *kgr_syscall_name(uint32_t number);

#endif /* _KGR_SYSCALLS_H */
