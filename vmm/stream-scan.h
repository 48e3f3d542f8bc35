/*
 * Finds a key in a byte stream that arrives in arbitrary pieces. Private to stream*.c.
 */
#ifndef MACHINEN_STREAM_SCAN_H
#define MACHINEN_STREAM_SCAN_H

#include "stream.h"

#include <string.h>
#include <sys/types.h>

#define SCAN_TAIL (LINK_KEY_BYTES - 1u)

struct scan {
    uint8_t tail[SCAN_TAIL]; /* the last bytes seen */
    size_t tail_length;
    size_t held; /* the end of `tail` that may begin the key and was not passed on */
};

/* The offset in `bytes` behind the key, or -1. */
static inline ssize_t scan_find(const struct scan *scan, const uint8_t key[LINK_KEY_BYTES],
                                const uint8_t *bytes, size_t length) {
    uint8_t seam[2 * SCAN_TAIL];
    size_t head = length < SCAN_TAIL ? length : SCAN_TAIL;
    memcpy(seam, scan->tail, scan->tail_length);
    memcpy(seam + scan->tail_length, bytes, head);
    const uint8_t *hit = memmem(seam, scan->tail_length + head, key, LINK_KEY_BYTES);
    if (hit != NULL)
        return hit + LINK_KEY_BYTES - seam - (ssize_t)scan->tail_length;
    hit = memmem(bytes, length, key, LINK_KEY_BYTES);
    return hit == NULL ? -1 : hit + LINK_KEY_BYTES - bytes;
}

/* Remember the last bytes of `bytes`. */
static inline void scan_remember(struct scan *scan, const uint8_t *bytes, size_t length) {
    if (length >= SCAN_TAIL) {
        memcpy(scan->tail, bytes + length - SCAN_TAIL, SCAN_TAIL);
        scan->tail_length = SCAN_TAIL;
        return;
    }
    size_t kept = scan->tail_length;
    if (kept + length > SCAN_TAIL)
        kept = SCAN_TAIL - length;
    memmove(scan->tail, scan->tail + scan->tail_length - kept, kept);
    memcpy(scan->tail + kept, bytes, length);
    scan->tail_length = kept + length;
}

/* How many of the last bytes seen, if at least `least`, may be the beginning of the key. */
static inline size_t scan_partial(const struct scan *scan, const uint8_t key[LINK_KEY_BYTES],
                                  size_t least) {
    for (size_t n = scan->tail_length; n >= least; n--)
        if (memcmp(scan->tail + scan->tail_length - n, key, n) == 0)
            return n;
    return 0;
}

#endif
