/* SPDX-License-Identifier: GPL-2.0 */
/* What objtool adds to vmlinux: functions whose ENDBR the kernel takes out at boot */
	.section .ibt_endbr_seal, "a"
	.long helper_sealed - .
	.section .note.GNU-stack, "", @progbits
