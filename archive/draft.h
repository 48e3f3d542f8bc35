/* A file that takes its name only when it is whole: what is abandoned, or killed, leaves nothing. */
#ifndef MACHINEN_DRAFT_H
#define MACHINEN_DRAFT_H

#include <stdbool.h>

struct draft {
    int fd;
    int parent;
    const char *name;
    /* Without a name so far; under a name of its own; under the final name, which was free. */
    enum { DRAFT_UNNAMED, DRAFT_BESIDE, DRAFT_IN_PLACE } kind;
    char beside[40];
};

/* `in_place`: all of it is going to be written at once, so it may have its name from the start. False with errno. */
bool draft_open(struct draft *draft, int parent, const char *name, bool in_place);
/* Give it its name, in place of what has it (but not of a directory that holds something). False with errno. */
bool draft_finish(struct draft *draft);
void draft_abandon(struct draft *draft);

/* Remove what is not a directory, or an empty one. False with errno. */
bool remove_entry(int parent, const char *name);

#endif
