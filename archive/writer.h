/* Writes a tar archive to a descriptor: ustar headers, with pax records for what does not fit them. */
#ifndef MACHINEN_WRITER_H
#define MACHINEN_WRITER_H

#include "member.h"

enum { WRITER_BYTES = 262144 };

struct writer {
    int fd;
    bool broken; /* nobody reads any more */
    size_t length;
    uint8_t bytes[WRITER_BYTES];
};

/* The header; `size` bytes of data must follow. */
void writer_member(struct writer *writer, const struct member *member);
void writer_bytes(struct writer *writer, const void *bytes, size_t length);
/* The next `count` <= `most` bytes of data, read from `fd` without a copy; 0 at its end, -1 with errno. */
long writer_read(struct writer *writer, int fd, size_t most);
void writer_zeros(struct writer *writer, uint64_t length);
/* Up to the next block. */
void writer_pad(struct writer *writer, uint64_t size);
void writer_end(struct writer *writer);

#endif
