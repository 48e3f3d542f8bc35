/* Writes the members of a pax archive (POSIX.1-2001 with GNU's sparse format 1.0) into a stream. */
#ifndef MACHINEN_TAR_MEMBER_H
#define MACHINEN_TAR_MEMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>

enum { TAR_BLOCK = 512 };

/* Extended attributes and the like that go before a member; grows as records are added. */
struct tar_records {
    char *bytes;
    size_t length;
};

struct tar_member {
    const char *path;
    /* Of a symbolic link, or the path of the first of several hard links; else NULL. */
    const char *target;
    /* '0' file, '1' hard link, '2' symbolic link, '3' character, '4' block device, '5' directory, '6' pipe */
    char type;
    const struct stat *info;
    /* Bytes that follow the header. */
    uint64_t size;
};

/* False when memory is short. */
bool tar_record(struct tar_records *records, const char *key, const void *value, size_t length);
bool tar_record_number(struct tar_records *records, const char *key, uint64_t value);
void tar_records_free(struct tar_records *records);

/* Write records and header. `records` may hold some already; what the header has no room for is added.
 * False when the stream or memory failed. */
bool tar_write_header(FILE *out, const struct tar_member *member, struct tar_records *records);
/* Zeros up to the next block after `size` bytes of data. */
bool tar_write_padding(FILE *out, uint64_t size);
bool tar_write_end(FILE *out);

#endif
