/* Our qcow2 overlays: written empty (starting qemu-img costs more than a whole fork), and joined into one raw file. */
#ifndef MACHINEN_QCOW2_H
#define MACHINEN_QCOW2_H

#include "error.h"

#include <stddef.h>
#include <stdint.h>

#define QCOW2_MAX_BYTES (1ull << 42)

/* Writes an image of `size` guest bytes, nothing allocated, into the empty file `fd`. False with errno. */
bool qcow2_write_empty(int fd, uint64_t size);

/* Whether it is qcow2 that names no other file: QEMU would open a backing or data file of the image
 * author's choice. */
bool qcow2_is_self_contained(int fd);

/* Writes what a guest sees of a raw image under overlays into the empty file `to`; holes stay holes. */
bool qcow2_join(const int *layers, size_t count, uint64_t size, int to, struct error *error);

#endif
