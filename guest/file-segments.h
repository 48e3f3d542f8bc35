/* Where a file has data, and where holes. */
#ifndef MACHINEN_FILE_SEGMENTS_H
#define MACHINEN_FILE_SEGMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct segment {
    uint64_t offset, length;
};

struct segments {
    struct segment *items;
    size_t count;
};

/* The data of a file of this size, in order. A file system that cannot tell gives one segment.
 * False when memory is short or the file cannot be read. */
bool segments_find(int fd, uint64_t size, struct segments *segments);
uint64_t segments_bytes(const struct segments *segments);

#endif
