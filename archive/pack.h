/* Writes an archive of a directory or of one file. */
#ifndef MACHINEN_PACK_H
#define MACHINEN_PACK_H

#include "exclude.h"

struct pack {
    const char *path;
    /* The name of the top member. NULL: the path must be a directory, whose contents are the archive. */
    const char *name;
    struct excludes excludes; /* matched against `./path/in/the/tree` */
    bool devices; /* also device nodes; sockets never */
    bool all_attributes;  /* else those that may mean something elsewhere (ATTRIBUTES_RIGHTS) */
    bool one_file_system; /* what is mounted below is an empty directory */
    bool sorted;          /* the same tree gives the same archive; holds the names of a directory */
};

/* The exit status (report.h): what cannot be read is left out. */
int pack(int fd, const struct pack *options);

#endif
