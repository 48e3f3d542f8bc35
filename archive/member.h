/* One member of a tar archive: what a header, and the pax records before it, say about it. Pure. */
#ifndef MACHINEN_MEMBER_H
#define MACHINEN_MEMBER_H

#include "attributes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

enum {
    TAR_BLOCK = 512,
    /* Longer names and more records than this are refused, not held. */
    TAR_LONGEST_PATH = 32768,
    TAR_MOST_RECORDS = 1 << 20,
};

enum member_type {
    MEMBER_FILE = '0',
    MEMBER_HARD_LINK = '1',
    MEMBER_SYMLINK = '2',
    MEMBER_CHARACTER = '3',
    MEMBER_BLOCK = '4',
    MEMBER_DIRECTORY = '5',
    MEMBER_FIFO = '6',
    /* These say something about the member that follows. */
    MEMBER_RECORDS = 'x',
    MEMBER_GLOBAL_RECORDS = 'g',
    MEMBER_LONG_PATH = 'L',
    MEMBER_LONG_TARGET = 'K',
};

struct member {
    char type;
    uint32_t mode; /* permission bits, with setuid, setgid and sticky */
    uint32_t uid, gid;
    uint64_t size; /* of the data in the archive */
    struct timespec mtime;
    uint32_t major, minor;
    char *path;   /* allocated */
    char *target; /* of a link; allocated, may be NULL */
    /* GNU sparse format 1.0: the data begins with a map, and the file is larger than the data. */
    bool sparse;
    /* A sparse format we do not read: its data would come out wrong. */
    bool unreadable;
    uint64_t real_size;
    struct attributes attributes; /* owned */
};

/* What pax records and GNU long names set for the next member. */
struct overrides {
    char *path, *target, *sparse_name;
    bool has_size, has_mtime, has_uid, has_gid, has_real_size, sparse, old_sparse;
    uint64_t size, real_size;
    uint32_t uid, gid;
    struct timespec mtime;
    struct attributes attributes;
};

bool block_is_zero(const uint8_t *block);
/* Fills `member` from the header, and takes the attributes; false when it is none, or damaged. */
bool header_parse(const uint8_t *block, struct overrides *overrides, struct member *member);
/* The type and size only, for members that describe others. */
bool header_peek(const uint8_t *block, char *type, uint64_t *size);
/* `path` and `target` are cut to what fits: the rest is for records. */
void header_write(uint8_t *block, const struct member *member);

/* False when they are malformed. */
bool records_parse(const char *bytes, size_t length, struct overrides *overrides);
/* The size of a record once written. */
size_t record_length(const char *key, size_t value_length);
/* Appends to `to`, which has room; returns its length. */
size_t record_write(char *to, const char *key, const char *value, size_t value_length);

void overrides_free(struct overrides *overrides);
void member_free(struct member *member);

#endif
