/* The machine's disks, known by their serial numbers: which letter a disk has depends on the others. */
#ifndef MACHINEN_DISKS_H
#define MACHINEN_DISKS_H

#include <stdbool.h>

enum { DISK_PATH = 300 };

/* The path of the disk with this serial number; false with errno. */
bool disk_find(const char *serial, char path[DISK_PATH]);
/* A template looked at another disk in the place of this one: what the kernel remembers of its blocks goes. `partitioned`:
 * it may have other partitions, too. */
void disk_changed(const char *path, bool partitioned);

#endif
