/* What no two machines may share: clock, random numbers, host name. All return false with errno. */
#ifndef MACHINEN_IDENTITY_H
#define MACHINEN_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MOST_ENTROPY = 512 };

/* So that a copy of this machine need not look for what it gets its own identity from. */
void identity_prepare(void);
bool set_clock(int64_t seconds, long nanoseconds);
/* Mix into the kernel's pool, credit, and make the generator start from it. */
bool mix_entropy(const uint8_t *bytes, size_t length);
bool is_host_name(const char *name);
bool set_host_name(const char *name);
/* False when `text` is no hexadecimal, empty, or more than MOST_ENTROPY bytes. */
bool decode_entropy(const char *text, uint8_t bytes[MOST_ENTROPY], size_t *length);

#endif
