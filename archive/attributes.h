/* Extended attributes of files, access control lists among them, as pax records `SCHILY.xattr.<name>`. An equals sign
 * or percent sign of a name is written as GNU tar does: %3D, %25. */
#ifndef MACHINEN_ATTRIBUTES_H
#define MACHINEN_ATTRIBUTES_H

#include <stdbool.h>
#include <stddef.h>

#define ATTRIBUTE_KEY "SCHILY.xattr."

enum {
    MOST_ATTRIBUTE_BYTES = 917504,
    LONGEST_ATTRIBUTE_KEY = 1024,
};

/* Each kind includes those before it. */
enum attribute_kinds {
    ATTRIBUTES_USER,   /* `user.*`: only programs give them a meaning. Not those of layered file systems, which do */
    ATTRIBUTES_OWNERS, /* access control lists: they name users, and mean something where these are the same */
    ATTRIBUTES_RIGHTS, /* file capabilities */
    ATTRIBUTES_ALL,
};

/* Whole records, one after another. */
struct attributes {
    char *records; /* allocated; NULL when there are none */
    size_t length;
};

/* Append one record as it stands in the archive; false when there are too many. */
bool attributes_add(struct attributes *attributes, const char *record, size_t length);
/* Those of the open file `fd`, or without following it of `name` in the open directory `fd`. False when some were left
 * out: too many. A file system that has none is no failure. */
bool attributes_read(int fd, const char *name, enum attribute_kinds kinds, struct attributes *attributes);
/* Give them to an open file; what is not of `kinds` is passed over, and so is all of it on a file system that has none.
 * False with errno when one of them could not be given; the others are. */
bool attributes_set(int fd, enum attribute_kinds kinds, const struct attributes *attributes);
void attributes_free(struct attributes *attributes);

#endif
