#include "buffer.h"

#include <stdlib.h>
#include <string.h>

enum { SMALLEST = 512 };

bool buffer_put(struct buffer *buffer, const void *bytes, size_t length) {
    size_t held = buffer_length(buffer);
    if (length == 0)
        return true;
    if (buffer->capacity - buffer->end < length) {
        if (buffer->start > 0) {
            memmove(buffer->bytes, buffer->bytes + buffer->start, held);
            buffer->start = 0;
            buffer->end = held;
        }
        size_t capacity = buffer->capacity < SMALLEST ? SMALLEST : buffer->capacity;
        while (capacity - held < length)
            capacity *= 2;
        if (capacity != buffer->capacity) {
            uint8_t *grown = realloc(buffer->bytes, capacity);
            if (grown == NULL)
                return false;
            buffer->bytes = grown;
            buffer->capacity = capacity;
        }
    }
    memcpy(buffer->bytes + buffer->end, bytes, length);
    buffer->end += length;
    return true;
}

/* An empty buffer gives its memory back: hundreds of idle clients hold none. */
void buffer_take(struct buffer *buffer, size_t length) {
    buffer->start += length;
    if (buffer->start >= buffer->end)
        buffer_free(buffer);
}

void buffer_free(struct buffer *buffer) {
    free(buffer->bytes);
    *buffer = (struct buffer){.bytes = NULL};
}
