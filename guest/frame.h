/* Frames from a client of port 1978. Pure. */
#ifndef MACHINEN_FRAME_H
#define MACHINEN_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct frame {
    char type;         /* I C R S */
    unsigned value[2]; /* length; -; cols, rows; signal */
};

/* Exactly `count` decimal numbers of at most 8 digits, one space between. */
bool parse_numbers(const char *text, unsigned count, unsigned *values);
/* Length of the header line, 0 when more is needed, -1 when it is malformed. */
ssize_t parse_frame(const uint8_t *bytes, size_t length, struct frame *frame);

#endif
