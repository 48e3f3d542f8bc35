/* Makes files of an archive. The archive may come from an enemy: whatever it says, nothing outside the target is made,
 * changed or followed, and a bounded amount of memory is used. */
#ifndef MACHINEN_UNPACK_H
#define MACHINEN_UNPACK_H

#include "exclude.h"

struct unpack {
    const char *directory; /* made, with its parents, when the first byte has come */
    struct excludes excludes;
    bool owner;   /* set owner and group */
    bool set_ids; /* with `owner`: keep the setuid and setgid bits */
    bool devices; /* make device nodes */
    bool through_links; /* see place_new() */
};

/* Reads `fd` to the end of the archive; the exit status (report.h). */
int unpack(int fd, const struct unpack *options);

#endif
