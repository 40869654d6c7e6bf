// SPDX-License-Identifier: GPL-2.0
/* Lengths of x86-64 instructions, and where their address fields are */
#include <string.h>

#include "insn.h"

#define MAX_INSN	15

/* What follows an opcode */
enum {
	BAD	= 0,
	NONE	= 1,		/* nothing */
	M	= 2,		/* ModRM and what it asks for */
	I8	= 4,
	IZ	= 8,		/* 32 bits, 16 with an operand size prefix */
	IV	= 16,		/* as IZ, but 64 bits with REX.W */
	I16	= 32,
	R8	= 64 | I8,	/* branch offsets */
	R32	= 128 | IZ,
};

#define REL	(64 | 128)
#define GROUP3	256		/* f6, f7: an immediate only if ModRM.reg says test */

static const uint8_t one_byte[256] = {
	[0x00 ... 0x03] = M, [0x04] = I8, [0x05] = IZ,
	[0x08 ... 0x0b] = M, [0x0c] = I8, [0x0d] = IZ,
	[0x10 ... 0x13] = M, [0x14] = I8, [0x15] = IZ,
	[0x18 ... 0x1b] = M, [0x1c] = I8, [0x1d] = IZ,
	[0x20 ... 0x23] = M, [0x24] = I8, [0x25] = IZ,
	[0x28 ... 0x2b] = M, [0x2c] = I8, [0x2d] = IZ,
	[0x30 ... 0x33] = M, [0x34] = I8, [0x35] = IZ,
	[0x38 ... 0x3b] = M, [0x3c] = I8, [0x3d] = IZ,
	[0x50 ... 0x5f] = NONE, [0x63] = M,
	[0x68] = IZ, [0x69] = M | IZ, [0x6a] = I8, [0x6b] = M | I8, [0x6c ... 0x6f] = NONE,
	[0x70 ... 0x7f] = R8,
	[0x80] = M | I8, [0x81] = M | IZ, [0x83] = M | I8, [0x84 ... 0x8f] = M,
	[0x90 ... 0x99] = NONE, [0x9b ... 0x9f] = NONE,
	[0xa4 ... 0xa7] = NONE, [0xa8] = I8, [0xa9] = IZ, [0xaa ... 0xaf] = NONE,
	[0xb0 ... 0xb7] = I8, [0xb8 ... 0xbf] = IV,
	[0xc0 ... 0xc1] = M | I8, [0xc2] = I16, [0xc3] = NONE, [0xc6] = M | I8, [0xc7] = M | IZ,
	[0xc8] = I16 | I8, [0xc9] = NONE, [0xca] = I16, [0xcb ... 0xcc] = NONE, [0xcd] = I8,
	[0xcf] = NONE, [0xd0 ... 0xd3] = M, [0xd7] = NONE, [0xd8 ... 0xdf] = M,
	[0xe0 ... 0xe3] = R8, [0xe4 ... 0xe7] = I8, [0xe8 ... 0xe9] = R32, [0xeb] = R8,
	[0xec ... 0xef] = NONE, [0xf1] = NONE, [0xf4 ... 0xf5] = NONE, [0xf6 ... 0xf7] = M,
	[0xf8 ... 0xfd] = NONE, [0xfe ... 0xff] = M,
};

static const uint8_t two_byte[256] = {
	[0x00 ... 0x03] = M, [0x05 ... 0x09] = NONE, [0x0b] = NONE, [0x0d] = M, [0x0e] = NONE,
	[0x0f] = M | I8, [0x10 ... 0x23] = M, [0x28 ... 0x2f] = M, [0x30 ... 0x35] = NONE,
	[0x37] = NONE, [0x40 ... 0x6f] = M, [0x70 ... 0x73] = M | I8, [0x74 ... 0x76] = M,
	[0x77] = NONE, [0x78 ... 0x79] = M, [0x7c ... 0x7f] = M, [0x80 ... 0x8f] = R32,
	[0x90 ... 0x9f] = M, [0xa0 ... 0xa2] = NONE, [0xa3] = M, [0xa4] = M | I8, [0xa5] = M,
	[0xa8 ... 0xaa] = NONE, [0xab] = M, [0xac] = M | I8, [0xad ... 0xb9] = M, [0xba] = M | I8,
	[0xbb ... 0xc1] = M, [0xc2] = M | I8, [0xc3] = M, [0xc4 ... 0xc6] = M | I8, [0xc7] = M,
	[0xc8 ... 0xcf] = NONE, [0xd0 ... 0xff] = M,
};

struct cursor {
	const uint8_t *code;
	size_t size;
	unsigned int at;
	bool opsize, rex_w, addrsize;
};

static bool is_prefix(uint8_t c)
{
	switch (c) {
	case 0x26: case 0x2e: case 0x36: case 0x3e: case 0x64: case 0x65: case 0x66: case 0x67:
	case 0xf0: case 0xf2: case 0xf3:
		return true;
	}
	return false;
}

static void prefixes(struct cursor *c)
{
	while (c->at < c->size && is_prefix(c->code[c->at])) {
		c->opsize |= c->code[c->at] == 0x66;
		c->addrsize |= c->code[c->at] == 0x67;
		c->at++;
	}
	if (c->at < c->size && (c->code[c->at] & 0xf0) == 0x40)
		c->rex_w = c->code[c->at++] & 8;
}

/* Opcode maps 1 to 3: 0f, 0f 38, 0f 3a */
static unsigned int map_attr(unsigned int map, uint8_t op)
{
	switch (map) {
	case 1:
		return two_byte[op];
	case 2:
		return M;
	case 3:
		return M | I8;
	}
	return BAD;
}

/* Takes the opcode, with its escapes; returns what follows */
static unsigned int opcode(struct cursor *c)
{
	const uint8_t *p = c->code + c->at;
	size_t left = c->size - c->at;
	unsigned int map, len;

	if (left > 2 && p[0] == 0xc5) {
		map = 1;
		len = 2;
	} else if (left > 3 && p[0] == 0xc4) {
		map = p[1] & 0x1f;
		len = 3;
	} else if (left > 4 && p[0] == 0x62) {
		map = p[1] & 7;
		len = 4;
	} else if (left > 1 && p[0] == 0x0f) {
		map = p[1] == 0x38 ? 2 : p[1] == 0x3a ? 3 : 1;
		len = map == 1 ? 1 : 2;
	} else if (left) {
		c->at++;
		return one_byte[p[0]] | ((p[0] & 0xfe) == 0xf6 ? GROUP3 : 0);
	} else {
		return BAD;
	}
	if (left <= len)
		return BAD;
	c->at += len + 1;
	return map_attr(map, p[len]);
}

static int modrm(struct cursor *c, struct insn *insn)
{
	unsigned int mod, rm, disp = 0;
	uint8_t m;

	if (c->at >= c->size)
		return -1;
	m = c->code[c->at++];
	mod = m >> 6;
	rm = m & 7;
	if (mod == 3)
		return 0;
	if (rm == 4) {
		if (c->at >= c->size)
			return -1;
		if ((c->code[c->at++] & 7) == 5 && !mod)
			disp = 4;
	} else if (rm == 5 && !mod) {
		disp = 4;
		insn->rip_relative = true;
	}
	if (mod == 1)
		disp = 1;
	else if (mod == 2)
		disp = 4;
	insn->disp_at = c->at;
	insn->disp_size = disp;
	c->at += disp;
	return 0;
}

static unsigned int imm_size(const struct cursor *c, unsigned int attr)
{
	unsigned int n = 0;

	if (attr & I8)
		n += 1;
	if (attr & I16)
		n += 2;
	if (attr & IZ)
		n += c->opsize && !(attr & REL) ? 2 : 4;
	if (attr & IV)
		n += c->rex_w ? 8 : c->opsize ? 2 : 4;
	return n;
}

int insn_decode(const uint8_t *code, size_t size, struct insn *insn)
{
	struct cursor c = { .code = code, .size = size < MAX_INSN ? size : MAX_INSN };
	unsigned int attr;
	uint8_t op;

	memset(insn, 0, sizeof(*insn));
	prefixes(&c);
	attr = opcode(&c);
	if (attr == BAD) {
		/* mov between %al/%rax and an absolute 64-bit address */
		if (c.at && c.at <= c.size && (code[c.at - 1] & 0xfc) == 0xa0) {
			insn->len = c.at + (c.addrsize ? 4 : 8);
			return insn->len <= c.size ? 0 : -1;
		}
		return -1;
	}
	insn->opcode_at = c.at - 1;
	op = code[c.at - 1];
	if (attr & M) {
		if (c.at < c.size && (attr & GROUP3) && !(code[c.at] & 0x30))
			attr |= op == 0xf6 ? I8 : IZ;
		if (modrm(&c, insn))
			return -1;
	}
	insn->imm_size = imm_size(&c, attr);
	insn->imm_at = c.at;
	insn->branch = attr & REL;
	insn->call = attr == R32 && op == 0xe8;
	insn->mov_imm64 = attr == IV && c.rex_w;
	insn->len = c.at + insn->imm_size;
	return insn->len <= c.size ? 0 : -1;
}

int64_t insn_field(const uint8_t *code, unsigned int at, unsigned int size)
{
	int64_t v = 0;

	switch (size) {
	case 1:
		return (int8_t)code[at];
	case 4: {
		int32_t v32;

		memcpy(&v32, code + at, 4);
		return v32;
	}
	case 8:
		memcpy(&v, code + at, 8);
		return v;
	}
	return 0;
}

size_t insn_padding(const uint8_t *code, size_t size)
{
	struct insn insn;
	size_t at = 0;

	while (at < size) {
		const uint8_t *p = code + at;

		if (insn_decode(p, size - at, &insn))
			break;
		if (p[insn.opcode_at] != 0x90 && p[insn.opcode_at] != 0xcc &&
		    !(p[insn.opcode_at] == 0x1f && insn.opcode_at && p[insn.opcode_at - 1] == 0x0f))
			break;
		at += insn.len;
	}
	return at;
}

bool insn_is_endbr(const uint8_t *code, size_t size)
{
	static const uint8_t endbr[] = { 0xf3, 0x0f, 0x1e, 0xfa };

	return size >= sizeof(endbr) && !memcmp(code, endbr, sizeof(endbr));
}
