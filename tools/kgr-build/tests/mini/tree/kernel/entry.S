/* SPDX-License-Identifier: GPL-2.0 */
#include <pad.h>
	.text
	.globl entry_code
	.type entry_code, @function
entry_code:
	.skip PAD, 0x90
	ret
	.size entry_code, . - entry_code
	.globl __fentry__
	.type __fentry__, @function
__fentry__:
	ret
	.size __fentry__, . - __fentry__
	.section .note.GNU-stack, "", @progbits
