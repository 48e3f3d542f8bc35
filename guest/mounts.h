/* The file systems every Linux program expects, and the root disk. */
#ifndef MACHINEN_MOUNTS_H
#define MACHINEN_MOUNTS_H

#include <stdbool.h>

void mount_basics(void);
/* Make /dev/vda (ext4, grown to the disk's size) the root. False: the old root stays. */
bool mount_root_disk(void);
/* Everything, as far as it goes; the root becomes read-only. */
/* sync(2) but for FUSE, where we would wait for ourselves. */
void sync_local(void);
void unmount_all(void);

#endif
