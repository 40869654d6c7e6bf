// SPDX-License-Identifier: GPL-2.0
/*
 * Names of system calls, from the compiler's own <asm/unistd.h>: the Makefile
 * writes a line SYSCALL(number, name) for each into syscalls.inc.
 */
#include <stddef.h>

#include "syscalls.h"

#define SYSCALL(number, name)	[number] = #name,
static const char * const names[] = {
#include "syscalls.inc"
};
#undef SYSCALL

const char *kgr_syscall_name(uint32_t number)
{
	return number < sizeof(names) / sizeof(names[0]) ? names[number] : NULL;
}
