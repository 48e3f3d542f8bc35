/* The one step of SHA-256 that costs time: whole 64-byte blocks. */
#ifndef MACHINEN_SHA256_BLOCKS_H
#define MACHINEN_SHA256_BLOCKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

extern const uint32_t sha256_constants[64];

void sha256_blocks_portable(uint32_t state[8], const uint8_t *bytes, size_t count);
/* By the processor's own instructions; only where sha256_has_instructions() says so. */
void sha256_blocks_native(uint32_t state[8], const uint8_t *bytes, size_t count);
bool sha256_has_instructions(void);

#endif
