// SPDX-License-Identifier: GPL-2.0
/* SHA-256, as in FIPS 180-4: what cached objects and functions are known by */
#include "sha256.h"

static const uint32_t k[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
	0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
	0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
	0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t rotate(uint32_t x, unsigned int n)
{
	return x >> n | x << (32 - n);
}

static uint32_t word(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];
}

static void compress(uint32_t h[8], const uint8_t *block)
{
	uint32_t w[64], v[8];

	for (int i = 0; i < 16; i++)
		w[i] = word(block + i * 4);
	for (int i = 16; i < 64; i++) {
		uint32_t a = w[i - 15], b = w[i - 2];

		w[i] = w[i - 16] + w[i - 7] + (rotate(a, 7) ^ rotate(a, 18) ^ a >> 3) +
			(rotate(b, 17) ^ rotate(b, 19) ^ b >> 10);
	}
	memcpy(v, h, sizeof(v));
	for (int i = 0; i < 64; i++) {
		uint32_t t = v[7] + (rotate(v[4], 6) ^ rotate(v[4], 11) ^ rotate(v[4], 25)) +
			((v[4] & v[5]) ^ (~v[4] & v[6])) + k[i] + w[i];
		uint32_t u = (rotate(v[0], 2) ^ rotate(v[0], 13) ^ rotate(v[0], 22)) +
			((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));

		memmove(v + 1, v, 7 * sizeof(*v));
		v[4] += t;
		v[0] = t + u;
	}
	for (int i = 0; i < 8; i++)
		h[i] += v[i];
}

void sha256_start(struct sha256 *s)
{
	static const uint32_t h[8] = {
		0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
		0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
	};

	memcpy(s->h, h, sizeof(h));
	s->length = 0;
}

void sha256_add(struct sha256 *s, const void *data, size_t n)
{
	size_t have = s->length % 64;
	const uint8_t *p = data;

	s->length += n;
	if (have && have + n >= 64) {
		memcpy(s->block + have, p, 64 - have);
		compress(s->h, s->block);
		p += 64 - have;
		n -= 64 - have;
		have = 0;
	}
	for (; n >= 64; p += 64, n -= 64)
		compress(s->h, p);
	if (n)
		memcpy(s->block + have, p, n);
}

void sha256_end(struct sha256 *s, uint8_t out[SHA256_SIZE])
{
	uint8_t pad[72] = { 0x80 };
	uint64_t bits = s->length * 8;
	size_t n = 1 + (119 - s->length % 64) % 64;

	for (int i = 0; i < 8; i++)
		pad[n + i] = bits >> (56 - i * 8);
	sha256_add(s, pad, n + 8);
	for (int i = 0; i < SHA256_SIZE; i++)
		out[i] = s->h[i / 4] >> (24 - i % 4 * 8);
}

char *sha256_print(struct arena *a, const uint8_t digest[SHA256_SIZE])
{
	struct buf out = { .arena = a };

	for (int i = 0; i < SHA256_SIZE; i++)
		buf_printf(&out, "%02x", digest[i]);
	return out.s;
}

char *sha256_hex(struct arena *a, const void *data, size_t n)
{
	uint8_t digest[SHA256_SIZE];
	struct sha256 s;

	sha256_start(&s);
	sha256_add(&s, data, n);
	sha256_end(&s, digest);
	return sha256_print(a, digest);
}
