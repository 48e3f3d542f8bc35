#include "reader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool fill(struct reader *reader) {
    if (reader->start < reader->end)
        return true;
    ssize_t count;
    do
        count = read(reader->fd, reader->bytes, sizeof reader->bytes);
    while (count < 0 && errno == EINTR);
    reader->start = 0;
    reader->end = count > 0 ? (size_t)count : 0;
    return count > 0;
}

bool reader_starts(struct reader *reader) {
    return fill(reader);
}

bool reader_skip_piece(struct reader *reader) {
    bool more = fill(reader);
    reader->start = reader->end;
    return more;
}

static size_t take(struct reader *reader, uint64_t most, const uint8_t **bytes) {
    if (most == 0 || !fill(reader))
        return 0;
    size_t held = reader->end - reader->start;
    size_t count = most < held ? (size_t)most : held;
    *bytes = reader->bytes + reader->start;
    reader->start += count;
    return count;
}

static bool take_all(struct reader *reader, uint8_t *to, size_t length) {
    const uint8_t *piece;
    while (length > 0) {
        size_t count = take(reader, length, &piece);
        if (count == 0)
            return false;
        memcpy(to, piece, count);
        to += count;
        length -= count;
    }
    return true;
}

static bool skip(struct reader *reader, uint64_t length) {
    const uint8_t *piece;
    while (length > 0) {
        size_t count = take(reader, length, &piece);
        if (count == 0)
            return false;
        length -= count;
    }
    return true;
}

size_t reader_data(struct reader *reader, size_t most, const uint8_t **bytes) {
    size_t count = take(reader, most < reader->data_left ? most : reader->data_left, bytes);
    reader->data_left -= count;
    return count;
}

bool reader_copy(struct reader *reader, void *to, size_t length) {
    if (length > reader->data_left || !take_all(reader, to, length))
        return false;
    reader->data_left -= length;
    return true;
}

static bool skip_rest(struct reader *reader) {
    bool whole = skip(reader, reader->data_left) && skip(reader, reader->padding);
    reader->data_left = reader->padding = 0;
    return whole;
}

static uint64_t padding_of(uint64_t size) {
    return (TAR_BLOCK - size % TAR_BLOCK) % TAR_BLOCK;
}

static bool set_name(char **name, char *text) {
    free(*name);
    *name = strdup(text);
    return *name != NULL && **name != '\0' && strlen(*name) <= TAR_LONGEST_PATH;
}

/* A member that only describes the next one. */
static enum reader_result read_description(struct reader *reader, char type, uint64_t size,
                                           struct overrides *overrides) {
    if (size > TAR_MOST_RECORDS)
        return READER_MALFORMED;
    char *text = malloc(size + 1);
    if (text == NULL)
        return READER_MALFORMED;
    bool whole = take_all(reader, (uint8_t *)text, size) && skip(reader, padding_of(size));
    text[size] = '\0';
    bool sound = whole && (type == MEMBER_GLOBAL_RECORDS || (type == MEMBER_RECORDS ? records_parse(text, size, overrides)
                           : set_name(type == MEMBER_LONG_PATH ? &overrides->path : &overrides->target, text)));
    free(text);
    return !whole ? READER_CUT_OFF : sound ? READER_MEMBER : READER_MALFORMED;
}

static bool describes(char type) {
    return type == MEMBER_RECORDS || type == MEMBER_GLOBAL_RECORDS || type == MEMBER_LONG_PATH || type == MEMBER_LONG_TARGET;
}

static enum reader_result next(struct reader *reader, struct overrides *overrides, struct member *member) {
    uint8_t block[TAR_BLOCK];
    /* A long path, a long target and records may come together; more is nonsense. */
    for (unsigned descriptions = 0; descriptions < 8; descriptions++) {
        char type;
        uint64_t size;
        if (!take_all(reader, block, TAR_BLOCK))
            return READER_CUT_OFF;
        if (block_is_zero(block))
            return READER_END;
        if (!header_peek(block, &type, &size))
            return READER_MALFORMED;
        if (!describes(type))
            return header_parse(block, overrides, member) ? READER_MEMBER : READER_MALFORMED;
        enum reader_result result = read_description(reader, type, size, overrides);
        if (result != READER_MEMBER)
            return result;
    }
    return READER_MALFORMED;
}

enum reader_result reader_next(struct reader *reader, struct member *member) {
    struct overrides overrides = {.path = NULL};
    if (!skip_rest(reader))
        return READER_CUT_OFF;
    enum reader_result result = next(reader, &overrides, member);
    overrides_free(&overrides);
    if (result == READER_MEMBER) {
        reader->data_left = member->size;
        reader->padding = padding_of(member->size);
    }
    return result;
}
