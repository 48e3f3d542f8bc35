/* Bytes in a growing buffer, taken from its front. */
#ifndef MACHINEN_BUFFER_H
#define MACHINEN_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buffer {
    uint8_t *bytes;
    size_t start, end, capacity;
};

bool buffer_put(struct buffer *buffer, const void *bytes, size_t length);
void buffer_take(struct buffer *buffer, size_t length);
void buffer_free(struct buffer *buffer);

static inline size_t buffer_length(const struct buffer *buffer) {
    return buffer->end - buffer->start;
}

static inline uint8_t *buffer_bytes(const struct buffer *buffer) {
    return buffer->bytes + buffer->start;
}

#endif
