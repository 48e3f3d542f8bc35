#include "ring.h"

#include <string.h>
#include <sys/mman.h>

/* Mapped, not allocated: a quiet session costs only the pages it has written. */
bool ring_init(struct ring *ring) {
    ring->end = 0;
    ring->bytes = mmap(NULL, RING_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (ring->bytes == MAP_FAILED)
        ring->bytes = NULL;
    return ring->bytes != NULL;
}

void ring_free(struct ring *ring) {
    if (ring->bytes != NULL)
        munmap(ring->bytes, RING_BYTES);
    ring->bytes = NULL;
}

void ring_put(struct ring *ring, const uint8_t *bytes, size_t length) {
    while (length > 0) {
        size_t at = ring->end % RING_BYTES, count = RING_BYTES - at;
        if (count > length)
            count = length;
        memcpy(ring->bytes + at, bytes, count);
        ring->end += count;
        bytes += count;
        length -= count;
    }
}

uint64_t ring_start(const struct ring *ring) {
    return ring->end < RING_BYTES ? 0 : ring->end - RING_BYTES;
}

size_t ring_view(const struct ring *ring, uint64_t position, const uint8_t **bytes) {
    size_t at = position % RING_BYTES, run = RING_BYTES - at;
    *bytes = ring->bytes + at;
    uint64_t left = ring->end - position;
    return left < run ? (size_t)left : run;
}

uint64_t ring_safe_start(const struct ring *ring, uint64_t from) {
    if (from == 0)
        return 0;
    const uint8_t *bytes;
    for (uint64_t at = from; at < ring->end;) {
        size_t length = ring_view(ring, at, &bytes);
        const uint8_t *newline = memchr(bytes, '\n', length);
        if (newline != NULL)
            return at + (uint64_t)(newline - bytes) + 1;
        at += length;
    }
    while (from < ring->end && ring_view(ring, from, &bytes) > 0 && (*bytes & 0xc0) == 0x80)
        from++;
    return from;
}
