/* SHA-256 (FIPS 180-4). */
#ifndef MACHINEN_SHA256_H
#define MACHINEN_SHA256_H

#include <stddef.h>
#include <stdint.h>

struct sha256 {
    uint32_t state[8];
    uint64_t total;
    uint8_t block[64];
    size_t used;
};

void sha256_start(struct sha256 *hash);
void sha256_add(struct sha256 *hash, const void *bytes, size_t length);
/* 64 lower-case hex digits and a NUL. */
void sha256_end(struct sha256 *hash, char hex[65]);

#endif
