#include "file-segments.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static bool add(struct segments *segments, uint64_t offset, uint64_t length) {
    struct segment *grown = realloc(segments->items, (segments->count + 1) * sizeof *grown);
    if (grown == NULL)
        return false;
    segments->items = grown;
    grown[segments->count++] = (struct segment){offset, length};
    return true;
}

bool segments_find(int fd, uint64_t size, struct segments *segments) {
    *segments = (struct segments){.items = NULL};
    for (uint64_t at = 0; at < size;) {
        off_t data = lseek(fd, (off_t)at, SEEK_DATA);
        if (data < 0 && errno == ENXIO)
            return true; /* holes to the end */
        if (data < 0)
            return errno == EINVAL && add(segments, at, size - at);
        off_t hole = lseek(fd, data, SEEK_HOLE);
        if (hole <= data)
            return false;
        if ((uint64_t)data >= size)
            return true;
        uint64_t end = (uint64_t)hole < size ? (uint64_t)hole : size;
        if (!add(segments, (uint64_t)data, end - (uint64_t)data))
            return false;
        at = end;
    }
    return true;
}

uint64_t segments_bytes(const struct segments *segments) {
    uint64_t total = 0;
    for (size_t i = 0; i < segments->count; i++)
        total += segments->items[i].length;
    return total;
}
