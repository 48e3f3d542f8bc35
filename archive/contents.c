#include "contents.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LONGEST_LINE = 24, FIRST_ROOM = 64 };

static bool add(struct extents *extents, size_t *room, uint64_t start, uint64_t length) {
    if (extents->count == *room) {
        size_t more = *room == 0 ? FIRST_ROOM : *room * 2;
        struct extent *list = realloc(extents->list, more * sizeof *list);
        if (list == NULL)
            return false;
        extents->list = list;
        *room = more;
    }
    extents->list[extents->count++] = (struct extent){start, length};
    return true;
}

bool extents_of(int fd, uint64_t size, struct extents *extents) {
    size_t room = 0;
    *extents = (struct extents){.list = NULL};
    for (uint64_t at = 0; at < size;) {
        off_t data = lseek(fd, (off_t)at, SEEK_DATA);
        /* A file system that cannot tell has data everywhere. */
        if (data < 0 && errno != ENXIO)
            data = (off_t)at;
        if (data < 0 || (uint64_t)data >= size)
            break;
        off_t hole = extents->count + 1 < MOST_EXTENTS ? lseek(fd, data, SEEK_HOLE) : (off_t)size;
        uint64_t end = hole < 0 || (uint64_t)hole > size ? size : (uint64_t)hole;
        if (!add(extents, &room, (uint64_t)data, end - (uint64_t)data))
            return false;
        at = end;
    }
    return true;
}

char *extents_text(const struct extents *extents, uint64_t size, size_t *length) {
    /* A hole at the end is said by an empty extent there. */
    bool ends_in_hole = extents->count == 0 ||
        extents->list[extents->count - 1].start + extents->list[extents->count - 1].length < size;
    size_t room = (extents->count + 2) * 2 * LONGEST_LINE + TAR_BLOCK;
    char *text = calloc(1, room);
    if (text == NULL)
        return NULL;
    size_t at = (size_t)sprintf(text, "%zu\n", extents->count + ends_in_hole);
    for (size_t i = 0; i < extents->count; i++)
        at += (size_t)sprintf(text + at, "%llu\n%llu\n", (unsigned long long)extents->list[i].start,
                              (unsigned long long)extents->list[i].length);
    if (ends_in_hole)
        at += (size_t)sprintf(text + at, "%llu\n0\n", (unsigned long long)size);
    *length = (at + TAR_BLOCK - 1) / TAR_BLOCK * TAR_BLOCK;
    return text;
}

/* The map's lines, read block by block. */
struct lines {
    struct reader *reader;
    char block[TAR_BLOCK];
    size_t at;
};

static bool read_line(struct lines *lines, uint64_t *number) {
    uint64_t value = 0;
    for (unsigned digits = 0; digits < LONGEST_LINE; digits++) {
        if (lines->at == TAR_BLOCK) {
            if (!reader_copy(lines->reader, lines->block, TAR_BLOCK))
                return false;
            lines->at = 0;
        }
        char character = lines->block[lines->at++];
        if (character == '\n' && digits > 0) {
            *number = value;
            return true;
        }
        if (character < '0' || character > '9' || value > (INT64_MAX - 9) / 10)
            return false;
        value = value * 10 + (uint64_t)(character - '0');
    }
    return false;
}

bool extents_read(struct reader *reader, uint64_t real_size, struct extents *extents) {
    struct lines lines = {.reader = reader, .at = TAR_BLOCK};
    uint64_t count, total = 0, end = 0;
    size_t room = 0;
    *extents = (struct extents){.list = NULL};
    if (!read_line(&lines, &count) || count > MOST_EXTENTS + 1)
        return false;
    for (uint64_t i = 0; i < count; i++) {
        struct extent extent;
        if (!read_line(&lines, &extent.start) || !read_line(&lines, &extent.length) || extent.start < end ||
            extent.start > real_size || extent.length > real_size - extent.start ||
            !add(extents, &room, extent.start, extent.length))
            return false;
        end = extent.start + extent.length;
        total += extent.length;
    }
    return total == reader->data_left;
}

void extents_free(struct extents *extents) {
    free(extents->list);
    extents->list = NULL;
    extents->count = 0;
}
