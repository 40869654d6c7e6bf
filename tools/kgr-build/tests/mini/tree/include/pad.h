/* SPDX-License-Identifier: GPL-2.0 */
/* For assembler code */
#define PAD	16
