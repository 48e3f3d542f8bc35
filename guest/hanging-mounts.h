/* Whether some path may take for ever, or wait for ourselves: FUSE, network and unknown file systems. */
#ifndef MACHINEN_HANGING_MOUNTS_H
#define MACHINEN_HANGING_MOUNTS_H

#include <stdbool.h>

/* Look once now, and again whenever a mount changes: looking takes long. */
void hanging_mounts_watch(void);
/* Look now: a mount was just made, and the news of it has not arrived. */
void hanging_mounts_look(void);
/* True also when nobody can tell. */
bool mounts_may_hang(void);

#endif
