/* The data of a file, with its holes, in the archive's form: GNU sparse format 1.0. */
#ifndef MACHINEN_CONTENTS_H
#define MACHINEN_CONTENTS_H

#include "reader.h"

#include <sys/types.h>

enum { MOST_EXTENTS = 65536 };

struct extent {
    uint64_t start, length;
};

/* The parts of a file that hold data. */
struct extents {
    struct extent *list; /* allocated */
    size_t count;
};

/* Where `fd` holds data, as far as the file system knows; past MOST_EXTENTS all the rest counts as data. False when
 * out of memory. */
bool extents_of(int fd, uint64_t size, struct extents *extents);
/* The map as text, padded to whole blocks; allocated, NULL when out of memory. */
char *extents_text(const struct extents *extents, uint64_t size, size_t *length);
/* Read the map that begins a member's data; false when it is malformed, goes beyond `real_size`, or does not fit the
 * data that follows. */
bool extents_read(struct reader *reader, uint64_t real_size, struct extents *extents);
void extents_free(struct extents *extents);

#endif
