/* Whether some path may take for ever, or wait for ourselves: FUSE, network and unknown file systems. */
#ifndef MACHINEN_HANGING_MOUNTS_H
#define MACHINEN_HANGING_MOUNTS_H

#include <stdbool.h>

/* True also when nobody can tell. Cheap while no mount changes. */
bool mounts_may_hang(void);

#endif
