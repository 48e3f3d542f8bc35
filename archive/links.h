/* Files with several names: which of them is in the archive already. */
#ifndef MACHINEN_LINKS_H
#define MACHINEN_LINKS_H

#include <sys/types.h>

struct links; /* start with NULL */

/* The name this file was packed under before; NULL and noted under `path` when it is new. */
const char *links_find(struct links **links, dev_t device, ino_t inode, const char *path);
void links_free(struct links **links);

#endif
