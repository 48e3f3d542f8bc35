/* The names in a directory, but for `.` and `..`. */
#ifndef MACHINEN_NAMES_H
#define MACHINEN_NAMES_H

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>

struct names {
    int error; /* why there are no more, 0: these were all */
    DIR *directory;
    char **sorted; /* NULL: as they come */
    size_t count, at;
};

/* Takes over `fd`. False: there are none, for `error`. */
bool names_open(struct names *names, int fd, bool sorted);
/* Lives until the next call; NULL at the end. */
const char *names_next(struct names *names);
void names_close(struct names *names);

#endif
