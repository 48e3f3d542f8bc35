/*
 * The bytes waiting to go out on the link: one flat buffer, so that a writer needs one view and
 * one write. Private to stream*.c.
 */
#ifndef MACHINEN_STREAM_QUEUE_H
#define MACHINEN_STREAM_QUEUE_H

#include "stream.h"

#include <string.h>

/* Payload of all streams together. Small, so that a keystroke never waits behind much. */
#define QUEUE_PAYLOAD 65536u
/* On top, for streams that have nothing queued: a keystroke gets in beside a flood. */
#define QUEUE_RESERVE 32768u
/* With headers and answers. A peer that makes us queue more does not read, only asks. */
#define QUEUE_LIMIT (QUEUE_PAYLOAD + QUEUE_RESERVE + 65536u)
/* With what must not be lost: windows, FIN, RST. */
#define QUEUE_CAPACITY (2u * QUEUE_LIMIT)

struct queue {
    uint64_t put, taken; /* totals since the start: positions for who has what queued */
    size_t head, tail;
    uint8_t bytes[QUEUE_CAPACITY];
};

static inline size_t queue_length(const struct queue *queue) {
    return queue->tail - queue->head;
}

/* How much more payload may be queued. */
static inline size_t queue_room(const struct queue *queue) {
    size_t queued = queue_length(queue);
    return queued < QUEUE_PAYLOAD ? QUEUE_PAYLOAD - queued : 0;
}

static inline void queue_clear(struct queue *queue) {
    queue->head = queue->tail = 0;
    queue->taken = queue->put;
}

/* False when more than `limit` would be queued; nothing is queued then. */
static inline bool queue_put(struct queue *queue, size_t limit, const void *header, size_t header_length,
                             const void *bytes, size_t length) {
    if (queue_length(queue) + header_length + length > limit)
        return false;
    if (queue->tail + header_length + length > QUEUE_CAPACITY) {
        memmove(queue->bytes, queue->bytes + queue->head, queue_length(queue));
        queue->tail -= queue->head;
        queue->head = 0;
    }
    memcpy(queue->bytes + queue->tail, header, header_length);
    if (length > 0)
        memcpy(queue->bytes + queue->tail + header_length, bytes, length);
    queue->tail += header_length + length;
    queue->put += header_length + length;
    return true;
}

static inline void queue_take(struct queue *queue, size_t count) {
    if (count > queue_length(queue))
        count = queue_length(queue);
    queue->head += count;
    queue->taken += count;
    if (queue->head == queue->tail)
        queue->head = queue->tail = 0;
}

#endif
