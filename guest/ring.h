/* The last bytes of an endless output, addressed by their position since its start. */
#ifndef MACHINEN_RING_H
#define MACHINEN_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RING_BYTES (1u << 20)

struct ring {
    uint8_t *bytes;
    uint64_t end; /* position behind the newest byte */
};

bool ring_init(struct ring *ring);
void ring_free(struct ring *ring);
void ring_put(struct ring *ring, const uint8_t *bytes, size_t length);
/* Position of the oldest byte still held. */
uint64_t ring_start(const struct ring *ring);
/* The longest piece at `position` that lies in one run of memory. */
size_t ring_view(const struct ring *ring, uint64_t position, const uint8_t **bytes);
/* The first position at or after `from` where a reader may begin: the start of everything, behind a
 * newline, else at least not inside a UTF-8 character. */
uint64_t ring_safe_start(const struct ring *ring, uint64_t from);

#endif
