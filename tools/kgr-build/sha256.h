/* SPDX-License-Identifier: GPL-2.0 */
/* SHA-256, as in FIPS 180-4 */
#ifndef KGR_BUILD_SHA256_H
#define KGR_BUILD_SHA256_H

#include "util.h"

struct sha256 {
	uint32_t h[8];
	uint64_t length;
	uint8_t block[64];
};

#define SHA256_SIZE	32

void sha256_start(struct sha256 *s);
void sha256_add(struct sha256 *s, const void *data, size_t n);
void sha256_end(struct sha256 *s, uint8_t out[SHA256_SIZE]);

/* Of a piece of memory, in hex */
char *sha256_hex(struct arena *a, const void *data, size_t n);
char *sha256_print(struct arena *a, const uint8_t digest[SHA256_SIZE]);

#endif
