#include "writer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NAME_BYTES = 100, OCTAL_SIZE_BITS = 33, NUMBER_BYTES = 48 };

static void flush(struct writer *writer) {
    size_t done = 0;
    while (!writer->broken && done < writer->length) {
        ssize_t count = write(writer->fd, writer->bytes + done, writer->length - done);
        if (count > 0)
            done += (size_t)count;
        else if (count == 0 || errno != EINTR)
            writer->broken = true;
    }
    writer->length = 0;
}

void writer_bytes(struct writer *writer, const void *bytes, size_t length) {
    const uint8_t *at = bytes;
    while (length > 0) {
        if (writer->length == WRITER_BYTES)
            flush(writer);
        size_t room = WRITER_BYTES - writer->length;
        size_t count = length < room ? length : room;
        memcpy(writer->bytes + writer->length, at, count);
        writer->length += count;
        at += count;
        length -= count;
    }
}

long writer_read(struct writer *writer, int fd, size_t most) {
    if (writer->length == WRITER_BYTES)
        flush(writer);
    size_t room = WRITER_BYTES - writer->length;
    ssize_t count;
    do
        count = read(fd, writer->bytes + writer->length, most < room ? most : room);
    while (count < 0 && errno == EINTR);
    if (count > 0)
        writer->length += (size_t)count;
    return (long)count;
}

void writer_zeros(struct writer *writer, uint64_t length) {
    static const uint8_t zeros[TAR_BLOCK * 8];
    for (; length > sizeof zeros; length -= sizeof zeros)
        writer_bytes(writer, zeros, sizeof zeros);
    writer_bytes(writer, zeros, (size_t)length);
}

void writer_pad(struct writer *writer, uint64_t size) {
    writer_zeros(writer, (TAR_BLOCK - size % TAR_BLOCK) % TAR_BLOCK);
}

/* Records in a buffer that is large enough for the longest path and target. */
struct records {
    char bytes[2 * TAR_LONGEST_PATH + 1024];
    size_t length;
};

static void add(struct records *records, const char *key, const char *value, size_t length) {
    if (records->length + record_length(key, length) <= sizeof records->bytes)
        records->length += record_write(records->bytes + records->length, key, value, length);
}

static void add_number(struct records *records, const char *key, uint64_t number) {
    char text[NUMBER_BYTES];
    add(records, key, text, (size_t)snprintf(text, sizeof text, "%llu", (unsigned long long)number));
}

/* Times before 1970 count their fraction down from zero. */
static void add_time(struct records *records, struct timespec time) {
    char text[NUMBER_BYTES];
    bool negative = time.tv_sec < 0;
    long long seconds = negative ? -((long long)time.tv_sec + (time.tv_nsec > 0)) : (long long)time.tv_sec;
    long fraction = negative && time.tv_nsec > 0 ? 1000000000L - time.tv_nsec : time.tv_nsec;
    add(records, "mtime", text,
        (size_t)snprintf(text, sizeof text, "%s%lld.%09ld", negative ? "-" : "", seconds, fraction));
}

static void describe(struct records *records, const struct member *member) {
    records->length = 0;
    if (strlen(member->path) > NAME_BYTES)
        add(records, "path", member->path, strlen(member->path));
    if (member->target != NULL && strlen(member->target) > NAME_BYTES)
        add(records, "linkpath", member->target, strlen(member->target));
    if (member->mtime.tv_nsec != 0 || member->mtime.tv_sec < 0 || member->mtime.tv_sec >> OCTAL_SIZE_BITS != 0)
        add_time(records, member->mtime);
    if (member->size >> OCTAL_SIZE_BITS != 0)
        add_number(records, "size", member->size);
    if (!member->sparse)
        return;
    add_number(records, "GNU.sparse.major", 1);
    add_number(records, "GNU.sparse.minor", 0);
    add(records, "GNU.sparse.name", member->path, strlen(member->path));
    add_number(records, "GNU.sparse.realsize", member->real_size);
}

void writer_member(struct writer *writer, const struct member *member) {
    static struct records records;
    uint8_t block[TAR_BLOCK];
    describe(&records, member);
    size_t length = records.length + member->attributes.length;
    if (length > 0) {
        header_write(block, &(struct member){.type = MEMBER_RECORDS, .mode = 0644, .size = length,
                                             .path = "PaxHeader", .target = NULL});
        writer_bytes(writer, block, TAR_BLOCK);
        writer_bytes(writer, records.bytes, records.length);
        writer_bytes(writer, member->attributes.records, member->attributes.length);
        writer_pad(writer, length);
    }
    header_write(block, member);
    writer_bytes(writer, block, TAR_BLOCK);
}

void writer_end(struct writer *writer) {
    writer_zeros(writer, 2 * TAR_BLOCK);
    flush(writer);
}
