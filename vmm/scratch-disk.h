/*
 * The disk that is a file of the caller's. What the guest writes goes straight to it, and stays there. A capture
 * copies what it holds: forks, snapshots and templates never see the file itself.
 */
#ifndef MACHINEN_SCRATCH_DISK_H
#define MACHINEN_SCRATCH_DISK_H

#include "disk.h"

/* Opens the file for this machine alone, until the last process of it has ended. */
bool scratch_disk_claim(const char *path, struct error *error);
/* The claimed file as a disk. `size`: what the guest knows already, or 0. */
bool scratch_disk_open(struct disk *disk, unsigned index, uint64_t size, const char *directory, struct error *error);
/* False when a file was claimed that no disk has become. */
bool scratch_disk_is_placed(struct error *error);
/* While the guest is stopped: takes down what the file holds. */
bool scratch_disk_copy(struct disk *disk, struct error *error);
/* Hands that out; before anything was taken down, a disk of the same size with nothing on it. */
bool scratch_disk_export(struct disk *disk, struct captured_disk *to, struct error *error);

#endif
