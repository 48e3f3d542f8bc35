/* Reads a tar archive from a descriptor, member by member, holding one piece of it at a time. */
#ifndef MACHINEN_READER_H
#define MACHINEN_READER_H

#include "member.h"

enum { READER_BYTES = 262144 };

enum reader_result { READER_MEMBER, READER_END, READER_CUT_OFF, READER_MALFORMED };

struct reader {
    int fd;
    uint64_t data_left, padding; /* of the current member */
    size_t start, end;
    uint8_t bytes[READER_BYTES];
};

/* Waits for the first byte; false when there is none. */
bool reader_starts(struct reader *reader);
/* Drops what comes after the end of the archive; false when nothing does. */
bool reader_skip_piece(struct reader *reader);
/* The next member, to be freed; what is left of the one before is skipped. */
enum reader_result reader_next(struct reader *reader, struct member *member);
/* A piece of the current member's data, at most `most` bytes; 0 when there is no more, or the archive was cut off
 * (then `data_left` is not 0). */
size_t reader_data(struct reader *reader, size_t most, const uint8_t **bytes);
/* True when exactly `length` bytes of data could be had. */
bool reader_copy(struct reader *reader, void *to, size_t length);

#endif
